//! Runs a plan with its listeners: what the run tells goes to the terminal and the reports.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::child::sys;
use crate::cli::args::{Progress, Report, Telling};
use crate::cli::failure;
use crate::cli::printer::Printer;
use crate::cli::world;
use crate::plan::compile::{same_file, touches};
use crate::plan::{Output, Plan};
use crate::publish::files::{Disk, Files};
use crate::report::depfile::Depfile;
use crate::report::events::EventLog;
use crate::report::json::JsonReport;
use crate::report::terminal::{Progress as Shown, Terminal};
use crate::report::{Listener, listen};
use crate::run::{Keeping, Run};
use crate::words::event::Events;
use crate::words::outcome::{Exit, Failure};

/// How many events may wait for the listeners.
const QUEUE: usize = 4096;

/// How long the listeners may take after the run before that is worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs a plan to its end; `depfile` is told about it, too.
pub(super) fn launch(
    plan: &Plan,
    telling: &Telling,
    depfile: Option<Depfile>,
    keeping: &Keeping,
    printer: &mut Printer,
) -> anyhow::Result<Exit> {
    refuse_clashes(plan, telling, depfile.as_ref().map(Depfile::path))?;
    let mut listeners = listeners(plan, telling, printer)?;
    listeners.extend(depfile.map(|depfile| Box::new(depfile) as Box<dyn Listener>));
    let (to, from) = sync_channel(QUEUE);
    let events = Events::new(to);
    let (tell_done, done) = sync_channel(1);
    let listener = std::thread::Builder::new().name("listen".to_owned());
    let listener = listener
        .spawn(move || {
            let errors = listen(from, listeners);
            // Who launched may not be there any more.
            tell_done.send(()).ok();
            errors
        })
        .map_err(|error| Failure::new(Exit::World, format!("cannot start a thread: {error}")))?;
    let files: Arc<dyn Files> = Arc::new(Disk);
    let id = world::run_id();
    let run = Run { plan, id: &id, files: &files, events: &events, keeping };
    let ended = crate::run::run(run);
    drop(events);
    if done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        // The run is over: nobody is left who would hear a signal and end in good order.
        sys::end_by_signals();
        printer.err("esteira: waiting for whoever reads a report or the events\n");
    }
    let mut exit = ended.code;
    match listener.join() {
        Ok(errors) => {
            for error in errors {
                exit = exit.max(error.exit());
                failure::show(&error.into(), printer);
            }
        }
        Err(_) => exit = exit.max(Exit::Bug),
    }
    Ok(exit)
}

fn listeners(
    plan: &Plan,
    telling: &Telling,
    printer: &Printer,
) -> anyhow::Result<Vec<Box<dyn Listener>>> {
    let progress = match telling.progress {
        Progress::Auto if io::stderr().is_terminal() && !shows_data(plan) => Shown::Bar,
        Progress::Auto | Progress::Plain => Shown::Plain,
        Progress::Bar => Shown::Bar,
        Progress::None => Shown::None,
    };
    let terminal = Terminal::new(Box::new(io::stderr()), progress, printer.color());
    let mut listeners: Vec<Box<dyn Listener>> = vec![Box::new(terminal)];
    for Report::Json(path) in &telling.reports {
        listeners.push(Box::new(JsonReport::new(path).map_err(|error| refused(&error))?));
    }
    if let Some(path) = &telling.events {
        let to: Box<dyn Write + Send> = if path == "-" {
            if writes_stdout(plan) {
                let message = "stdout cannot take both records and events";
                return Err(Failure::new(Exit::Config, message)
                    .hint("give `--events` a path, or the records one with `-o`")
                    .into());
            }
            Box::new(io::stdout())
        } else {
            Box::new(File::create(path).map_err(|error| {
                Failure::new(
                    Exit::World,
                    format!("cannot write events to `{}`: {error}", path.display()),
                )
            })?)
        };
        listeners.push(Box::new(EventLog::new(path, to)));
    }
    Ok(listeners)
}

/// What is told about a run must not take the place of what it reads or writes.
fn refuse_clashes(plan: &Plan, telling: &Telling, depfile: Option<&Path>) -> Result<(), Failure> {
    let reports = telling.reports.iter().map(|Report::Json(path)| path.as_path());
    let events = telling.events.iter().filter(|path| *path != "-").map(PathBuf::as_path);
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in reports.chain(events).chain(depfile) {
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
