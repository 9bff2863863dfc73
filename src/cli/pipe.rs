//! `esteira pipe`: one stage without a file. It becomes the same plan that a file would.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use crate::cli::args::{Level, Pipe, Speech};
use crate::cli::launch::{self, Asked};
use crate::cli::printer::Printer;
use crate::cli::world;
use crate::config::origin::Located;
use crate::config::schema::{
    Body, Config, Pipeline, Protocol, Rules, Setting, Sink, SinkKind, Source, SourceKind, Stage,
    Table,
};
use crate::plan::compile::compile;
use crate::run::Keeping;
use crate::words::id::Name;
use crate::words::outcome::Exit;
use crate::words::policy::Check;

/// Runs one stage.
pub(super) fn pipe(options: &Pipe, printer: &mut Printer) -> anyhow::Result<Exit> {
    let caller = world::caller()?;
    match compile(&config(options), &world::world(caller.clone(), caller)) {
        Ok(plan) => {
            if files(&options.inputs).is_none() && io::stdin().is_terminal() {
                printer.err("esteira: reading records from the terminal; Ctrl-D ends them\n");
            }
            let (telling, accepting) = (&options.telling, &options.accepting);
            let keeping = &Keeping::nothing();
            let asked = Asked { telling, accepting, pipeline: None, keeping, depfile: None };
            launch::launch(&plan, asked, printer)
        }
        Err(diagnostics) => {
            printer.err(&diagnostics.render(printer.color()));
            Ok(Exit::Config)
        }
    }
}

/// Puts together the pipeline that the options stand for.
pub(super) fn config(options: &Pipe) -> Config {
    let check = match options.check {
        Level::Json => Check::Json,
        Level::Utf8 => Check::Utf8,
        Level::None => Check::None,
    };
    let pipeline = Pipeline {
        stem: Some("pipe".to_owned()),
        rules: Rules {
            rejects: options.rejects.clone().map_or(Setting::LeftOut, Setting::typed),
            max_rejects: Setting::typed(options.max_rejects),
            ..Rules::default()
        },
        ..Pipeline::default()
    };
    let tables = vec![
        table("input", Body::Source(source(options, check))),
        table(&stage_name(&options.command), Body::Stage(Box::new(stage(options, check)))),
        table("output", Body::Sink(sink(options))),
    ];
    Config::typed(pipeline, tables)
}

fn table(name: &str, body: Body) -> Table {
    Table { name: Located::typed(Name::internal(name)), rules: Rules::default(), body }
}

fn source(options: &Pipe, check: Check) -> Source {
    let (kind, path) = match files(&options.inputs) {
        Some(paths) => (SourceKind::File, Setting::typed(paths)),
        None => (SourceKind::Stdin, Setting::LeftOut),
    };
    Source { kind: Setting::typed(kind), path, check: Setting::typed(check), ..Source::default() }
}

/// Returns the files to read; none where it is stdin.
fn files(inputs: &[PathBuf]) -> Option<Vec<Located<PathBuf>>> {
    match inputs {
        [] => None,
        [only] if only == "-" => None,
        paths => Some(paths.iter().cloned().map(Located::typed).collect()),
    }
}

fn stage(options: &Pipe, check: Check) -> Stage {
    let run = options.command.iter().cloned().map(Located::typed).collect();
    let protocol = match options.protocol {
        Speech::Stream => Protocol::Stream,
        Speech::Lines => Protocol::Lines,
        Speech::Records => Protocol::Records,
        Speech::Command => Protocol::Command,
    };
    // What a worker replies in `records` is JSON in any case.
    let check_output = match protocol {
        Protocol::Records => Setting::LeftOut,
        Protocol::Stream | Protocol::Lines | Protocol::Command => Setting::typed(check),
    };
    Stage {
        run: Setting::typed(run),
        protocol: Setting::typed(protocol),
        workers: options.workers.map_or(Setting::LeftOut, Setting::typed),
        per_record: if options.per_record { Setting::typed(true) } else { Setting::LeftOut },
        split: options.split.map_or(Setting::LeftOut, Setting::typed),
        check_output,
        ..Stage::default()
    }
}

fn sink(options: &Pipe) -> Sink {
    let path = options.output.clone().filter(|path| path != "-");
    Sink {
        kind: Setting::typed(if path.is_some() { SinkKind::File } else { SinkKind::Stdout }),
        path: path.map_or(Setting::LeftOut, Setting::typed),
        ..Sink::default()
    }
}

/// Names the stage after its program, as far as that makes a name.
fn stage_name(command: &[std::ffi::OsString]) -> String {
    let program = command.first().map(Path::new).and_then(Path::file_name);
    let name = program.and_then(OsStr::to_str).unwrap_or_default().to_lowercase();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let taken = ["input", "output", "rejects"].contains(&name.as_str());
    if taken || Name::parse(&name).is_none() { "program".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::stage_name;

    #[test]
    fn a_stage_is_named_after_its_program() {
        for (program, name) in [
            ("cat", "cat"),
            ("./bin/Check.sh", "check-sh"),
            ("/usr/bin/python3", "python3"),
            ("7z", "program"),
            ("output", "program"),
            ("", "program"),
        ] {
            assert_eq!(stage_name(&[program.into()]), name, "{program:?}");
        }
    }
}
