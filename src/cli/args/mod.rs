//! What may be typed. The doc comments are the help texts.

mod examples;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::schema::Workers;

pub(in crate::cli) use values::{
    Drawing, Finding, Level, Progress, Report, SchemaFormat, Service, Speech,
};
use values::{duration, limit, report, size, workers};

/// Streams NDJSON through programs in any language and accounts for every record.
#[derive(Debug, Parser)]
#[command(name = "esteira", version, before_help = examples::ALL, arg_required_else_help = true)]
pub(in crate::cli) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(in crate::cli) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Verb {
    /// Run a pipeline file
    #[command(before_help = examples::RUN)]
    Run(Run),
    /// Send records through one program, without a file
    #[command(before_help = examples::PIPE)]
    Pipe(Pipe),
    /// Send dead letters back to the tables that refused them
    #[command(before_help = examples::REPLAY)]
    Replay(Replay),
    /// Say everything that is wrong with a pipeline file, without running it
    #[command(before_help = examples::CHECK)]
    Check(Check),
    /// Run the tests of a pipeline file: what goes in, and what must come of it
    #[command(before_help = examples::TEST)]
    Test(Test),
    /// Try a program on hostile input: which protocols it can serve, how it buffers, what mends it
    #[command(before_help = examples::DOCTOR)]
    Doctor(Doctor),
    /// Draw a pipeline: who feeds whom, as text or for Mermaid
    #[command(before_help = examples::GRAPH)]
    Graph(Graph),
    /// Write a pipeline that runs at once, with all it needs
    #[command(before_help = examples::INIT)]
    Init(Init),
    /// Print the JSON Schema of pipeline files, or the reference of all keys
    #[command(before_help = examples::SCHEMA)]
    Schema(Schema),
    /// Print a script that completes commands in a shell
    #[command(before_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Print a page of the manual, or write all of them
    #[command(before_help = examples::MAN)]
    Man(Man),
}

/// Which pipeline.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pipeline {
    /// The pipeline file
    #[arg(default_value = "esteira.toml")]
    pub(in crate::cli) file: PathBuf,
    /// Set a key of the file, as in `stages.validate.stall=5s`; the value is TOML, or else text
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(in crate::cli) sets: Vec<String>,
}

/// What a run tells, and where.
#[derive(Debug, Args)]
pub(in crate::cli) struct Telling {
    /// Write a report at the end (repeatable), as in `junit=out/junit.xml`; FORMAT is json, junit,
    /// sarif, github, gitlab, markdown or html, and `-` as PATH is stdout
    #[arg(long = "report", value_name = "FORMAT=PATH", value_parser = report)]
    pub(in crate::cli) reports: Vec<Report>,
    /// Write what happens as NDJSON, an event a line; `-` is stdout
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) events: Option<PathBuf>,
    /// How to show progress on stderr
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) progress: Progress,
    /// Say nothing while all is well, and why where it is not, as `--progress none`
    #[arg(short, long, conflicts_with_all = ["progress", "verbose"])]
    pub(in crate::cli) quiet: bool,
    /// Tell of each worker, each checkpoint, and the first rejected records as they come
    #[arg(short, long)]
    pub(in crate::cli) verbose: bool,
}

/// Refused records that are known already.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct Accepting {
    /// Accept the refused records that this file knows; only others count for the limits
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// Accept all that is refused now, and write it to this file for `--baseline`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) write_baseline: Option<PathBuf>,
}

/// `esteira run`
#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    #[command(flatten)]
    pub(in crate::cli) pipeline: Pipeline,
    /// How many rejects are allowed in all: a count such as `3`, or a share such as `0.1%`
    #[arg(long, value_name = "LIMIT")]
    pub(in crate::cli) max_rejects: Option<String>,
    /// Go on where a run of this file was cut off
    #[arg(long)]
    pub(in crate::cli) resume: bool,
    /// Keep what `--resume` needs in this folder instead of `.esteira` beside the file
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) state_dir: Option<PathBuf>,
    /// Make what is done durable this often, as in `10s` or `100ms`; default: each second, but at
    /// most a fiftieth of the time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(in crate::cli) checkpoint_every: Option<std::time::Duration>,
    /// Run this stage, all that feeds it, and the sinks that nothing else feeds (repeatable)
    #[arg(long = "stage", value_name = "NAME", value_delimiter = ',')]
    pub(in crate::cli) stages: Vec<String>,
    /// Write a rule for make: which files the outputs were made of
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) depfile: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) accepting: Accepting,
    #[command(flatten)]
    pub(in crate::cli) telling: Telling,
}

/// `esteira replay`
#[derive(Debug, Args)]
pub(in crate::cli) struct Replay {
    /// The dead letters, as `rejects` wrote them; what is still bad stays in it
    #[arg(value_name = "REJECTS")]
    pub(in crate::cli) rejects: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) pipeline: Pipeline,
    /// How many may be bad still: a count such as `3`, or a share such as `10%`
    #[arg(long, value_name = "LIMIT")]
    pub(in crate::cli) max_rejects: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) telling: Telling,
}

/// `esteira check`
#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    pub(in crate::cli) pipeline: Pipeline,
    /// Try the databases, too: can they be reached, are the tables there, do they fit
    #[arg(long)]
    pub(in crate::cli) connect: bool,
}

/// `esteira test`
#[derive(Debug, Args)]
pub(in crate::cli) struct Test {
    #[command(flatten)]
    pub(in crate::cli) pipeline: Pipeline,
    /// Run the tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) filter: Option<String>,
    /// Write what came out in the place of what was expected, into the pipeline file or the files
    /// that it names
    #[arg(long)]
    pub(in crate::cli) update: bool,
    /// Name the tests, and run none
    #[arg(long, conflicts_with = "update")]
    pub(in crate::cli) list: bool,
    /// Write what became of them to a file, as in `junit=out/tests.xml`
    #[arg(long, value_name = "junit=PATH", value_parser = report, conflicts_with = "list")]
    pub(in crate::cli) report: Option<Report>,
}

/// `esteira doctor`
#[derive(Debug, Args)]
pub(in crate::cli) struct Doctor {
    /// The pipeline file whose stages are tried; `esteira.toml` if there is no program
    #[arg(conflicts_with = "command")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// The one stage to try
    #[arg(conflicts_with = "command")]
    pub(in crate::cli) stage: Option<String>,
    /// Set a key of the file, as in `run`
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "command")]
    pub(in crate::cli) sets: Vec<String>,
    /// How to write what is found
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: Finding,
    /// The program to try and its arguments, behind `--`
    #[arg(last = true, value_name = "PROGRAM")]
    pub(in crate::cli) command: Vec<OsString>,
}

/// `esteira graph`
#[derive(Debug, Args)]
pub(in crate::cli) struct Graph {
    #[command(flatten)]
    pub(in crate::cli) pipeline: Pipeline,
    /// How to draw it
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: Drawing,
}

/// `esteira init`
#[derive(Debug, Args)]
pub(in crate::cli) struct Init {
    /// A folder, or a pipeline file that ends in `.toml`; nothing that is there is overwritten
    #[arg(default_value = ".", hide_default_value = true)]
    pub(in crate::cli) place: PathBuf,
    /// Write what runs it in CI, too, at the root of the repository; a pipeline file that is there
    /// already is left as it is
    #[arg(long, value_enum, value_name = "SERVICE")]
    pub(in crate::cli) ci: Option<Service>,
}

/// `esteira schema`
#[derive(Debug, Args)]
pub(in crate::cli) struct Schema {
    /// For editors, or for people
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: SchemaFormat,
}

/// `esteira completions`
#[derive(Debug, Args)]
pub(in crate::cli) struct Completions {
    /// The shell
    pub(in crate::cli) shell: clap_complete::Shell,
}

/// `esteira man`
#[derive(Debug, Args)]
pub(in crate::cli) struct Man {
    /// The verb whose page to print; the program's own if left out
    #[arg(conflicts_with = "out")]
    pub(in crate::cli) verb: Option<String>,
    /// Write all pages into this folder, which is made
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) out: Option<PathBuf>,
}

/// `esteira pipe`
#[derive(Debug, Args)]
pub(in crate::cli) struct Pipe {
    /// Read this file (repeatable, in order); stdin if left out or `-`
    #[arg(short, long = "input", value_name = "IN")]
    pub(in crate::cli) inputs: Vec<PathBuf>,
    /// Write this file, which appears when all went well; stdout if left out or `-`
    #[arg(short, long, value_name = "OUT")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Collect rejected lines in this file, with the reason
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) rejects: Option<PathBuf>,
    /// How many rejects are allowed: a count such as `3`, or a share such as `0.1%`
    #[arg(long, value_name = "LIMIT", default_value = "0", value_parser = limit)]
    pub(in crate::cli) max_rejects: crate::words::units::Limit,
    /// What each line must be, going in and coming out
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) check: Level,
    /// How many workers: a number, or `auto`
    #[arg(short = 'j', long, value_name = "N", value_parser = workers)]
    pub(in crate::cli) workers: Option<Workers>,
    /// How records reach the program and come back
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) protocol: Speech,
    /// The filter keeps nothing from line to line: cut its input into pieces, each for a process
    /// of its own, `-j` of them at a time
    #[arg(long)]
    pub(in crate::cli) per_record: bool,
    /// How large these pieces are
    #[arg(long, value_name = "SIZE", requires = "per_record", value_parser = size)]
    pub(in crate::cli) split: Option<usize>,
    #[command(flatten)]
    pub(in crate::cli) accepting: Accepting,
    #[command(flatten)]
    pub(in crate::cli) telling: Telling,
    /// The program and its arguments, behind `--`
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(in crate::cli) command: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Arguments, Report, Verb};
    use crate::report::Format;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn reports_are_named_by_format_and_path() {
        let parsed =
            Arguments::try_parse_from(["esteira", "run", "--report", "json=a=b.json"]).unwrap();
        let Verb::Run(run) = parsed.verb else { panic!("a run was asked for") };
        let format = Format::Json;
        assert_eq!(run.telling.reports, [Report { format, path: "a=b.json".into() }]);
        for wrong in ["json", "json=", "xml=a"] {
            assert!(Arguments::try_parse_from(["esteira", "run", "--report", wrong]).is_err());
        }
    }

    #[test]
    fn a_program_stands_behind_the_dashes() {
        let parsed = Arguments::try_parse_from(["esteira", "pipe", "--", "jq", "-c", "."]).unwrap();
        let Verb::Pipe(pipe) = parsed.verb else { panic!("a pipe was asked for") };
        assert_eq!(pipe.command, ["jq", "-c", "."]);
        assert!(Arguments::try_parse_from(["esteira", "pipe", "jq"]).is_err());
    }
}
