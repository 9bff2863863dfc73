//! `esteira test`: what goes into a pipeline, and what must come of it.

mod judge;
mod play;
mod show;
mod toml;
mod update;

use std::path::Path;
use std::time::Instant;

use crate::cli::args::{Report, Test};
use crate::cli::pipeline::PipelineFile;
use crate::cli::printer::Printer;
use crate::cli::test::judge::{Verdict, judge};
use crate::cli::test::play::{Broken, Played, play};
use crate::cli::test::show::{Shown, broken, differences};
use crate::cli::test::update::Update;
use crate::cli::world;
use crate::plan::Plan;
use crate::plan::compile::with_tests;
use crate::plan::golden::Case;
use crate::report::{Format, Target, TargetError, tested};
use crate::words::outcome::{Exit, Failure};
use crate::words::tested::Tested;
use crate::words::text::{escape, shown};

/// How it went.
#[derive(Default)]
struct Tally {
    results: Vec<Tested>,
    updated: usize,
    /// The signal that put an end to it.
    signal: Option<Exit>,
}

/// Tests.
pub(super) fn test(options: &Test, printer: &mut Printer) -> anyhow::Result<Exit> {
    let file = PipelineFile::read(&options.pipeline)?;
    let world = world::world(file.root.clone(), file.caller.clone());
    let sets = &options.pipeline.sets;
    let compiled = file.config(sets).and_then(|config| with_tests(&config, &world));
    let (plan, cases) = match compiled {
        Ok(compiled) => compiled,
        Err(diagnostics) => {
            printer.err(&diagnostics.render(printer.color()));
            return Ok(Exit::Config);
        }
    };
    let cases = chosen(options, &file, cases)?;
    if options.list {
        let names: String = cases.iter().map(|case| first(&case.name) + "\n").collect();
        printer.out(&names)?;
        return Ok(Exit::Ok);
    }
    let report = options.report.as_ref().map(target).transpose()?;
    let mut update = options.update.then(|| Update::new(&file, &world, sets));
    let tally = run_all(&plan, &cases, &mut update, printer)?;
    if let Some((path, target)) = report {
        let text = tested(&file.shown, &tally.results).map_err(TargetError::Io);
        text.and_then(|text| target.put(&text).map_err(TargetError::Io))
            .map_err(|why| unwritable(path, &why))?;
    }
    if let Some(signal) = tally.signal {
        return Ok(signal);
    }
    if let Some(update) = update {
        for changed in update.write(&plan)? {
            printer.err(&format!("wrote {changed}\n"));
        }
    }
    printer.out(&summary(&tally, options.update))?;
    let failed = tally.results.iter().any(|result| result.failure.is_some());
    Ok(if failed { Exit::Data } else { Exit::Ok })
}

/// Looks at where the report is to go, before anything is run.
fn target(report: &Report) -> Result<(&Path, Target), Failure> {
    let path = report.path.as_path();
    if report.format != Format::Junit || path == "-" {
        let message = "`esteira test` writes a `junit` report, to a file";
        return Err(Failure::new(Exit::Config, message)
            .hint("`--report junit=PATH`; the others are of `esteira run`"));
    }
    Target::check(path).map(|target| (path, target)).map_err(|why| unwritable(path, &why))
}

fn unwritable(path: &Path, why: &TargetError) -> Failure {
    Failure::new(why.exit(), format!("cannot write the `junit` report `{}`: {why}", path.display()))
}

/// Shows a name at the beginning of a line, where `::` would command the runners of GitHub.
fn first(name: &str) -> String {
    let name = shown(name);
    let bare = name.trim_start();
    match bare.strip_prefix("::") {
        Some(rest) => format!("\\u{{3a}}:{rest}"),
        None => name,
    }
}

/// Keeps the tests that are asked for. None at all are none that pass.
fn chosen(options: &Test, file: &PipelineFile, cases: Vec<Case>) -> Result<Vec<Case>, Failure> {
    let name = &file.shown;
    if cases.is_empty() {
        let failure = Failure::new(Exit::Config, format!("`{name}` has no tests"));
        return Err(failure
            .hint("write a table `[[tests]]` with `name = \"…\"`, `input = ['{\"id\":1}']` and `output = []`")
            .hint("`esteira test --update` fills in what comes out"));
    }
    let Some(filter) = &options.filter else { return Ok(cases) };
    let all = cases.len();
    let found: Vec<Case> =
        cases.into_iter().filter(|case| case.name.contains(filter.as_str())).collect();
    if found.is_empty() {
        let filter = escape(filter.as_bytes());
        let message = format!("no test of `{name}` has `{filter}` in its name");
        let hint = format!("`esteira test {name} --list` names all {all}");
        return Err(Failure::new(Exit::Config, message).hint(hint));
    }
    Ok(found)
}

/// Runs one after the other: each may start many processes.
fn run_all(
    plan: &Plan,
    cases: &[Case],
    update: &mut Option<Update<'_>>,
    printer: &mut Printer,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let color = printer.color_out();
    for case in cases {
        let began = Instant::now();
        let (word, why) = match play(plan, case)? {
            Err(Broken { exit: exit @ Exit::Signal(_), .. }) => {
                tally.signal = Some(exit);
                return Ok(tally);
            }
            Err(end) => (Word::Failed, Some(broken(&end))),
            Ok(played) => match (judge(case, &played), update.as_mut()) {
                (Verdict { differences, .. }, _) if differences.is_empty() => (Word::Passed, None),
                // What a worker died of is nothing to expect.
                (verdict, Some(update)) if !died(&played) => {
                    update.note(case, plan, &played, &verdict)?;
                    tally.updated += 1;
                    (Word::Updated, None)
                }
                (verdict, _) => (Word::Failed, Some(differences(plan, case, &verdict))),
            },
        };
        let seconds = began.elapsed().as_secs_f64();
        printer.out(&line(word, &case.name, why.as_ref(), color))?;
        let failure = why.map(|shown| shown.plain());
        tally.results.push(Tested { name: case.name.clone(), seconds, failure });
    }
    Ok(tally)
}

/// Tells whether a record was refused because workers did not survive it.
fn died(played: &Played) -> bool {
    let codes = played.refused.iter().flat_map(|refused| &refused.errors);
    codes.into_iter().any(|error| matches!(&*error.code, "worker.crashed" | "worker.timeout"))
}

/// What is said of a test.
#[derive(Clone, Copy)]
enum Word {
    Passed,
    Failed,
    Updated,
}

fn line(word: Word, name: &str, why: Option<&Shown>, color: bool) -> String {
    let (text, paint) = match word {
        Word::Passed => ("ok     ", "32"),
        Word::Failed => ("FAILED ", "1;31"),
        Word::Updated => ("updated", "33"),
    };
    let word = if color { format!("\x1b[{paint}m{text}\x1b[0m") } else { text.to_owned() };
    let name = shown(name);
    format!("{word} {name}\n{}", why.map(|why| why.below(color)).unwrap_or_default())
}

fn summary(tally: &Tally, updates: bool) -> String {
    let failed = tally.results.iter().filter(|result| result.failure.is_some()).count();
    let passed = tally.results.len() - failed - tally.updated;
    let updated = if updates { format!(", {} updated", tally.updated) } else { String::new() };
    format!("{passed} passed{updated}, {failed} failed\n")
}
