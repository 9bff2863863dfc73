//! What may be typed. The doc comments are the help texts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::schema::Workers;

const EXAMPLES: &str = "\
Examples:
  esteira init && esteira run                     write a small pipeline, and run it
  esteira check users.toml                        say everything that is wrong with a pipeline file
  esteira pipe -i users.ndjson -o good.ndjson -- python3 validate.py
  cat users.ndjson | esteira pipe -- jq -c 'select(.age > 17)' > adults.ndjson";

const RUN_EXAMPLES: &str = "\
Examples:
  esteira run
  esteira run users.toml --max-rejects 0.1% --report json=out/report.json
  esteira run users.toml --resume                 go on where a run was cut off
  esteira run users.toml --stage validate         this stage and all that feeds it
  esteira run users.toml --set 'stages.validate.stall=\"5m\"' --progress plain";

const PIPE_EXAMPLES: &str = "\
Examples:
  esteira pipe -i users.ndjson -o good.ndjson -- python3 validate.py
  esteira pipe -i in.ndjson -o out.ndjson --rejects bad.ndjson --max-rejects 1% -- jq -c .
  printf '{\"a\":1}\\n' | esteira pipe -- jq -c .
  esteira pipe -i in.ndjson -o out.ndjson -j 4 --protocol lines -- jq -c --unbuffered .
  esteira pipe -i table.csv -o sorted.csv --check none -- sort";

const REPLAY_EXAMPLES: &str = "\
Examples:
  esteira replay out/bad.ndjson                   by `esteira.toml`
  esteira replay out/bad.ndjson users.toml        what passes goes to `NAME.replay-RUN.EXT`
  esteira replay out/bad.ndjson.gz users.toml --max-rejects 10";

const CHECK_EXAMPLES: &str = "\
Examples:
  esteira check
  esteira check users.toml --set pipeline.max_rejects=3";

const GRAPH_EXAMPLES: &str = "\
Examples:
  esteira graph
  esteira graph users.toml --format mermaid > users.mmd";

const SCHEMA_EXAMPLES: &str = "\
Examples:
  esteira schema > esteira.schema.json            for editors: `#:schema ./esteira.schema.json`
  esteira schema --format markdown                every key, type and default, for people";

const INIT_EXAMPLES: &str = "\
Examples:
  esteira init                                    here
  esteira init users                              in a folder, which is made
  esteira init users.toml                         under another name";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  esteira completions bash > ~/.local/share/bash-completion/completions/esteira
  esteira completions fish > ~/.config/fish/completions/esteira.fish
  eval \"$(esteira completions zsh)\"";

const MAN_EXAMPLES: &str = "\
Examples:
  esteira man | man -l -
  esteira man pipe | man -l -
  esteira man --out ~/.local/share/man/man1       a page for each verb";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  esteira doctor -- jq -c .
  esteira doctor users.toml                       every stage of a pipeline file
  esteira doctor users.toml validate              one of them
  esteira doctor --format json -- python3 check.py";

/// Streams NDJSON through programs in any language and accounts for every record.
#[derive(Debug, Parser)]
#[command(name = "esteira", version, before_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Run a pipeline file
    #[command(before_help = RUN_EXAMPLES)]
    Run(Run),
    /// Send records through one program, without a file
    #[command(before_help = PIPE_EXAMPLES)]
    Pipe(Pipe),
    /// Send dead letters back to the tables that refused them
    #[command(before_help = REPLAY_EXAMPLES)]
    Replay(Replay),
    /// Say everything that is wrong with a pipeline file, without running it
    #[command(before_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Try a program on hostile input: which protocols it can serve, how it buffers, what mends it
    #[command(before_help = DOCTOR_EXAMPLES)]
    Doctor(Doctor),
    /// Draw a pipeline: who feeds whom, as text or for Mermaid
    #[command(before_help = GRAPH_EXAMPLES)]
    Graph(Graph),
    /// Write a pipeline that runs at once, with all it needs
    #[command(before_help = INIT_EXAMPLES)]
    Init(Init),
    /// Print the JSON Schema of pipeline files, or the reference of all keys
    #[command(before_help = SCHEMA_EXAMPLES)]
    Schema(Schema),
    /// Print a script that completes commands in a shell
    #[command(before_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print a page of the manual, or write all of them
    #[command(before_help = MAN_EXAMPLES)]
    Man(Man),
}

/// Which pipeline.
#[derive(Debug, Args)]
pub(super) struct Pipeline {
    /// The pipeline file
    #[arg(default_value = "esteira.toml")]
    pub(super) file: PathBuf,
    /// Set a key of the file, as in `stages.validate.stall=5s`; the value is TOML, or else text
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) sets: Vec<String>,
}

/// What a run tells, and where.
#[derive(Debug, Args)]
pub(super) struct Telling {
    /// Write a report at the end, as in `json=out/report.json`
    #[arg(long = "report", value_name = "FORMAT=PATH", value_parser = report)]
    pub(super) reports: Vec<Report>,
    /// Write what happens as NDJSON, an event a line; `-` is stdout
    #[arg(long, value_name = "PATH")]
    pub(super) events: Option<PathBuf>,
    /// How to show progress on stderr
    #[arg(long, value_enum, default_value_t)]
    pub(super) progress: Progress,
}

/// `esteira run`
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) pipeline: Pipeline,
    /// How many rejects are allowed in all: a count such as `3`, or a share such as `0.1%`
    #[arg(long, value_name = "LIMIT")]
    pub(super) max_rejects: Option<String>,
    /// Go on where a run of this file was cut off
    #[arg(long)]
    pub(super) resume: bool,
    /// Keep what `--resume` needs in this folder instead of `.esteira` beside the file
    #[arg(long, value_name = "FOLDER")]
    pub(super) state_dir: Option<PathBuf>,
    /// Make what is done durable this often, as in `10s` or `100ms`; default: each second, but at
    /// most a fiftieth of the time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) checkpoint_every: Option<std::time::Duration>,
    /// Run this stage, all that feeds it, and the sinks that nothing else feeds (repeatable)
    #[arg(long = "stage", value_name = "NAME", value_delimiter = ',')]
    pub(super) stages: Vec<String>,
    #[command(flatten)]
    pub(super) telling: Telling,
}

/// `esteira replay`
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The dead letters, as `rejects` wrote them; what is still bad stays in it
    #[arg(value_name = "REJECTS")]
    pub(super) rejects: PathBuf,
    #[command(flatten)]
    pub(super) pipeline: Pipeline,
    /// How many may be bad still: a count such as `3`, or a share such as `10%`
    #[arg(long, value_name = "LIMIT")]
    pub(super) max_rejects: Option<String>,
    #[command(flatten)]
    pub(super) telling: Telling,
}

/// `esteira check`
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) pipeline: Pipeline,
    /// Try the databases, too: can they be reached, are the tables there, do they fit
    #[arg(long)]
    pub(super) connect: bool,
}

/// `esteira doctor`
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The pipeline file whose stages are tried; `esteira.toml` if there is no program
    #[arg(conflicts_with = "command")]
    pub(super) file: Option<PathBuf>,
    /// The one stage to try
    #[arg(conflicts_with = "command")]
    pub(super) stage: Option<String>,
    /// Set a key of the file, as in `run`
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "command")]
    pub(super) sets: Vec<String>,
    /// How to write what is found
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// The program to try and its arguments, behind `--`
    #[arg(last = true, value_name = "PROGRAM")]
    pub(super) command: Vec<OsString>,
}

/// `esteira graph`
#[derive(Debug, Args)]
pub(super) struct Graph {
    #[command(flatten)]
    pub(super) pipeline: Pipeline,
    /// How to draw it
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Drawing,
}

/// `esteira init`
#[derive(Debug, Args)]
pub(super) struct Init {
    /// A folder, or a pipeline file that ends in `.toml`; nothing that is there is overwritten
    #[arg(default_value = ".", hide_default_value = true)]
    pub(super) place: PathBuf,
}

/// `esteira schema`
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// For editors, or for people
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: SchemaFormat,
}

/// `esteira completions`
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

/// `esteira man`
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The verb whose page to print; the program's own if left out
    #[arg(conflicts_with = "out")]
    pub(super) verb: Option<String>,
    /// Write all pages into this folder, which is made
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
}

/// `esteira pipe`
#[derive(Debug, Args)]
pub(super) struct Pipe {
    /// Read this file (repeatable, in order); stdin if left out or `-`
    #[arg(short, long = "input", value_name = "IN")]
    pub(super) inputs: Vec<PathBuf>,
    /// Write this file, which appears when all went well; stdout if left out or `-`
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: Option<PathBuf>,
    /// Collect rejected lines in this file, with the reason
    #[arg(long, value_name = "FILE")]
    pub(super) rejects: Option<PathBuf>,
    /// How many rejects are allowed: a count such as `3`, or a share such as `0.1%`
    #[arg(long, value_name = "LIMIT", default_value = "0", value_parser = limit)]
    pub(super) max_rejects: crate::words::units::Limit,
    /// What each line must be, going in and coming out
    #[arg(long, value_enum, default_value_t)]
    pub(super) check: Level,
    /// How many workers: a number, or `auto`
    #[arg(short = 'j', long, value_name = "N", value_parser = workers)]
    pub(super) workers: Option<Workers>,
    /// How records reach the program and come back
    #[arg(long, value_enum, default_value_t)]
    pub(super) protocol: Speech,
    /// The filter keeps nothing from line to line: cut its input into pieces, each for a process
    /// of its own, `-j` of them at a time
    #[arg(long)]
    pub(super) per_record: bool,
    /// How large these pieces are
    #[arg(long, value_name = "SIZE", requires = "per_record", value_parser = size)]
    pub(super) split: Option<usize>,
    #[command(flatten)]
    pub(super) telling: Telling,
    /// The program and its arguments, behind `--`
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(super) command: Vec<OsString>,
}

/// How to show progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Progress {
    /// Bars on a terminal, else plain lines
    #[default]
    Auto,
    /// A line for each table, redrawn
    Bar,
    /// A line now and then
    Plain,
    /// Nothing but failures and what the programs write to stderr
    None,
}

/// How records reach a program and come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Speech {
    /// A filter: lines to the end of its input, any number of lines back
    #[default]
    Stream,
    /// One line for each line, in order
    Lines,
    /// A request and a reply for each record, by id (validators/PROTOCOL.md)
    Records,
    /// A process for each record; its exit code is the reply
    Command,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// A JSON object for each program, a line each
    Json,
}

/// How a pipeline is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Drawing {
    /// For people
    #[default]
    Text,
    /// A flowchart in the language of Mermaid
    Mermaid,
}

/// How the keys of a pipeline file are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaFormat {
    /// JSON Schema, for editors
    #[default]
    Json,
    /// The reference, for people
    Markdown,
}

/// What a line must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
    /// One JSON text in UTF-8
    #[default]
    Json,
    /// UTF-8
    Utf8,
    /// Anything; blank lines and a byte order mark are kept too
    None,
}

/// A report to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// `json=PATH`
    Json(PathBuf),
}

fn report(text: &str) -> Result<Report, String> {
    match text.split_once('=') {
        Some(("json", path)) if !path.is_empty() => Ok(Report::Json(path.into())),
        Some((format, _)) if format != "json" => {
            Err(format!("`{format}` is no report format of this version; there is `json`"))
        }
        _ => Err("expected FORMAT=PATH, such as `json=out/report.json`".to_owned()),
    }
}

fn workers(text: &str) -> Result<Workers, String> {
    match text.parse() {
        _ if text == "auto" => Ok(Workers::Auto),
        Ok(count) if (1..=1024).contains(&count) => Ok(Workers::Count(count)),
        _ => Err("expected a number from 1 to 1024, or `auto`".to_owned()),
    }
}

fn size(text: &str) -> Result<usize, String> {
    let size = crate::words::units::size(text).ok().and_then(|size| usize::try_from(size).ok());
    size.filter(|size| *size > 0).ok_or_else(|| "expected a size such as `16MiB`".to_owned())
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    crate::words::units::duration(text).map_err(|error| error.to_string())
}

fn limit(text: &str) -> Result<crate::words::units::Limit, String> {
    crate::words::units::Limit::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Arguments, Report, Verb};

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn reports_are_named_by_format_and_path() {
        let parsed =
            Arguments::try_parse_from(["esteira", "run", "--report", "json=a=b.json"]).unwrap();
        let Verb::Run(run) = parsed.verb else { panic!("a run was asked for") };
        assert_eq!(run.telling.reports, [Report::Json("a=b.json".into())]);
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
