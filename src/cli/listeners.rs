//! Who listens to a run: the terminal, the reports, the event log.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use crate::cli::args::{Progress, Telling};
use crate::cli::printer::Printer;
use crate::cli::world;
use crate::plan::compile::{same_file, touches};
use crate::plan::{Output, Plan};
use crate::report::events::EventLog;
use crate::report::terminal::{Look, Progress as Shown, Terminal};
use crate::report::{Around, Format, Listener, Reports};
use crate::run::needs::needs;
use crate::words::outcome::{Exit, Failure};
use crate::words::register::Tell;

/// What listens, and what it wants to be told.
pub(super) struct Listeners {
    pub(super) all: Vec<Box<dyn Listener>>,
    pub(super) tell: Tell,
}

/// Gathers them. What cannot be written is found out before anything is consumed.
pub(super) fn listeners(
    plan: &Plan,
    telling: &Telling,
    pipeline: Option<&Path>,
    printer: &Printer,
) -> anyhow::Result<Listeners> {
    let mut stdout = Stdout::of(plan);
    let progress = match telling.progress {
        _ if telling.quiet => Shown::None,
        Progress::Auto if io::stderr().is_terminal() && !shows_data(plan) => Shown::Bar,
        Progress::Auto | Progress::Plain => Shown::Plain,
        Progress::Bar => Shown::Bar,
        Progress::None => Shown::None,
    };
    let look = Look { color: printer.color(), width: columns(), verbose: telling.verbose };
    let terminal = Terminal::new(Box::new(io::stderr()), progress, look);
    let mut all: Vec<Box<dyn Listener>> = vec![Box::new(terminal)];
    let mut tell = Tell::default();
    if !telling.reports.is_empty() {
        let mut reports = Reports::new(around(plan, pipeline));
        for report in &telling.reports {
            let more = report.format.tell();
            tell = Tell { each: tell.each.max(more.each), all: tell.all.max(more.all) };
            add(&mut reports, report.format, &report.path, &mut stdout)?;
        }
        all.push(Box::new(reports));
    }
    if let Some(path) = &telling.events {
        let to: Box<dyn Write + Send> = if path == "-" {
            stdout.take("--events")?;
            Box::new(io::stdout())
        } else {
            Box::new(File::create(path).map_err(|error| {
                Failure::new(
                    Exit::World,
                    format!("cannot write events to `{}`: {error}", path.display()),
                )
            })?)
        };
        all.push(Box::new(EventLog::new(path, to)));
    }
    Ok(Listeners { all, tell })
}

/// Returns how wide the terminal at stderr is.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

fn add(
    reports: &mut Reports,
    format: Format,
    path: &Path,
    stdout: &mut Stdout,
) -> anyhow::Result<()> {
    if path == "-" {
        stdout.take("--report")?;
        reports.to_stream(format, Box::new(io::stdout()));
    } else {
        reports.to_file(format, path).map_err(|error| refused(&error))?;
    }
    let summary = world::variable("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    if let (Format::Github, Some(path)) = (format, summary) {
        reports.to_end_of(Path::new(&path));
    }
    Ok(())
}

/// Who writes to stdout: one at most.
struct Stdout {
    taken: Option<&'static str>,
}

impl Stdout {
    fn of(plan: &Plan) -> Self {
        Self { taken: writes_stdout(plan).then_some("records") }
    }

    fn take(&mut self, option: &'static str) -> Result<(), Failure> {
        let Some(other) = self.taken.replace(option) else { return Ok(()) };
        let message = match other {
            "records" => format!("stdout cannot take both records and what `{option} -` writes"),
            other => format!("stdout cannot take what both `{other}` and `{option}` write"),
        };
        let hint = format!("give `{option}` a path, or the records one with `-o`");
        Err(Failure::new(Exit::Config, message).hint(hint))
    }
}

/// Says where paths are read from: a CI service shows them from the root of the checkout.
fn around(plan: &Plan, pipeline: Option<&Path>) -> Around {
    let roots = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].map(world::text_variable);
    let below = |root: &String| plan.caller.strip_prefix(root).ok();
    let prefix = roots.iter().flatten().find_map(below).map(|below| below.to_string_lossy());
    let prefix = prefix.filter(|below| !below.is_empty()).map(|below| format!("{below}/"));
    let pipeline = pipeline.map(|file| file.to_string_lossy().into_owned());
    Around { prefix: prefix.unwrap_or_default(), pipeline, elsewhere: Vec::new() }
}

/// What is told about a run must not take the place of what it reads, writes or is made of; `own`
/// are files of the latter kind that the plan does not name.
pub(super) fn refuse_clashes<'a>(
    plan: &Plan,
    telling: &'a Telling,
    (own, others): (impl Iterator<Item = &'a Path>, impl Iterator<Item = &'a Path>),
) -> Result<(), Failure> {
    let reports = telling.reports.iter().map(|report| report.path.as_path());
    let events = telling.events.iter().map(AsRef::as_ref);
    // What a run is made of is no place for what it tells, either.
    let made_of = needs(plan);
    let mut seen: Vec<std::path::PathBuf> = own.map(|path| plan.caller.join(path)).collect();
    seen.extend(made_of);
    for path in reports.chain(events).chain(others).filter(|path| *path != "-") {
        let whole = plan.caller.join(path);
        if seen.iter().any(|other| same_file(other, &whole)) || touches(plan, &whole) {
            let message = format!("two files of this run are the same: `{}`", path.display());
            return Err(Failure::new(Exit::Config, message).hint("give each a file of its own"));
        }
        seen.push(whole);
    }
    Ok(())
}

/// A report that cannot be written is found out before anything is consumed.
fn refused(error: &crate::report::ReportError) -> Failure {
    let message = format!("{error}: {}", error.why);
    Failure::new(error.exit(), message)
}

fn writes_stdout(plan: &Plan) -> bool {
    plan.sinks.iter().any(|sink| sink.output == Output::Stdout)
}

/// Bars and records on the same terminal would tear each other.
fn shows_data(plan: &Plan) -> bool {
    writes_stdout(plan) && io::stdout().is_terminal()
}
