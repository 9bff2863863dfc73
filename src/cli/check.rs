//! `esteira check`: everything that can be known about a pipeline without running it.

use std::fmt::Write as _;

use crate::cli::args::Check;
use crate::cli::pipeline::PipelineFile;
use crate::cli::printer::Printer;
use crate::cli::world;
use crate::plan::compile::with_tests;
use crate::plan::describe::{what_sink, what_source, whole_stage};
use crate::plan::resume::course;
use crate::plan::{Input, Output, Plan, Work};
use crate::stage::builtin::prepare;
use crate::words::outcome::{Exit, Failure};
use crate::words::text::count;

/// Checks.
pub(super) fn check(options: &Check, printer: &mut Printer) -> anyhow::Result<Exit> {
    let file = PipelineFile::read(&options.pipeline)?;
    let config = file.config(&options.pipeline.sets);
    match config.and_then(|config| with_tests(&config, &world::world(file.root, file.caller))) {
        Ok((plan, tests)) => {
            for stage in &plan.stages {
                // What it needs is read and compiled, so that what is wrong with it shows.
                if let Work::Builtin(builtin) = &stage.work {
                    drop(prepare(&stage.name, &builtin.task)?);
                }
            }
            printer.out(&describe(&plan, tests.len()))?;
            if options.connect {
                connect(&plan)?;
            }
            Ok(Exit::Ok)
        }
        Err(diagnostics) => {
            printer.err(&diagnostics.render(printer.color()));
            Ok(Exit::Config)
        }
    }
}

/// Tries all databases; says what is wrong with each.
fn connect(plan: &Plan) -> Result<(), Failure> {
    let sources = plan.sources.iter().map(|source| match &source.input {
        Input::Rows(rows) => crate::source::rows::probe(rows, &plan.caller),
        _ => Ok(()),
    });
    let sinks = plan.sinks.iter().map(|sink| match &sink.output {
        Output::Table(target) => crate::sink::rows::probe(target, &what_sink(sink, &plan.caller)),
        Output::File(_) | Output::Stdout => Ok(()),
    });
    let mut failures = sources.chain(sinks).filter_map(Result::err);
    let Some(first) = failures.next() else { return Ok(()) };
    Err(failures.fold(first, |first, other| {
        other.hints.into_iter().fold(first.hint(other.message), Failure::hint)
    }))
}

fn describe(plan: &Plan, tests: usize) -> String {
    let mut text = format!("pipeline `{}` is well-formed\n", plan.name);
    let sources = plan.sources.iter().map(|s| ("source", &s.name, what_source(s, &plan.caller)));
    let stages = plan.stages.iter().map(|s| ("stage", &s.name, whole_stage(s, &plan.caller)));
    let sinks = plan.sinks.iter().map(|s| ("sink", &s.name, what_sink(s, &plan.caller)));
    let resumes = match course(plan) {
        Ok(_) => "a run that is cut off can be taken up where it was (`--resume`)\n".to_owned(),
        Err(why) => format!("a run that is cut off starts over: {}\n", why.join(", ")),
    };
    for (kind, name, what) in sources.chain(stages).chain(sinks) {
        // Writing to a String cannot fail.
        writeln!(text, "  {kind:<6} {name}: {what}").ok();
    }
    text.push_str(&resumes);
    if tests > 0 {
        writeln!(text, "{}, run by `esteira test`", count(tests as u64, "test")).ok();
    }
    text
}
