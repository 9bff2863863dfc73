//! The command line: the only room that prints, reads the environment and ends the process.

mod args;
mod baseline;
mod check;
mod completions;
mod depfile;
mod doctor;
mod exit;
mod failure;
mod graph;
mod init;
mod launch;
mod listeners;
mod man;
mod paths;
mod pipe;
mod pipeline;
mod printer;
mod replay;
mod run;
mod schema;
mod test;
mod usage;
mod world;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;

use crate::child::guard;
use crate::cli::args::{Arguments, Verb};
use crate::cli::printer::Printer;
use crate::words::outcome::{Exit, Failure};

/// Does what the arguments say. A process that is to be a guard is one before anything else.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|first| first == guard::ARGUMENT) {
        return be_guard(arguments.into_iter().skip(2));
    }
    let ended = catch_unwind(AssertUnwindSafe(|| act(arguments)));
    exit::leave(ended.unwrap_or(Exit::Bug))
}

fn be_guard(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    // Its reports go over the socket; an error here shows there as a lost guard.
    match guard::orders(arguments).map(|orders| guard::main(&orders)) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(_)) | None => ExitCode::FAILURE,
    }
}

fn act(arguments: Vec<OsString>) -> Exit {
    let mut printer = Printer::new();
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            let to_stdout = !error.use_stderr();
            // Help asked for goes to stdout; if nobody reads it, nobody wanted it.
            usage::explain(error).print().ok();
            return if to_stdout { Exit::Ok } else { Exit::Config };
        }
    };
    let done = match parsed.verb {
        Verb::Run(options) => run::run(&options, &mut printer),
        Verb::Replay(options) => replay::replay(&options, &mut printer),
        Verb::Pipe(options) => pipe::pipe(&options, &mut printer),
        Verb::Check(options) => check::check(&options, &mut printer),
        Verb::Test(options) => test::test(&options, &mut printer),
        Verb::Doctor(options) => doctor::doctor(&options, &mut printer),
        Verb::Graph(options) => graph::graph(&options, &mut printer),
        Verb::Init(options) => init::init(&options, &mut printer),
        Verb::Schema(options) => schema::schema(&options, &mut printer),
        Verb::Completions(options) => completions::completions(&options, &mut printer),
        Verb::Man(options) => man::man(&options, &mut printer),
    };
    done.unwrap_or_else(|error| failed(&error, &mut printer))
}

fn failed(error: &anyhow::Error, printer: &mut Printer) -> Exit {
    let exit = error.downcast_ref::<Failure>().map_or(Exit::Config, |failure| failure.exit);
    failure::show(error, printer);
    exit
}
