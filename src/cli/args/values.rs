//! The words that an option takes, and how they are read.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::config::schema::Workers;
use crate::config::suggest::{nearest, one_of};
use crate::report::Format;

/// How to show progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Progress {
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
pub(in crate::cli) enum Speech {
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
pub(in crate::cli) enum Finding {
    /// For people
    #[default]
    Text,
    /// A JSON object for each program, a line each
    Json,
}

/// How a pipeline is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Drawing {
    /// For people
    #[default]
    Text,
    /// A flowchart in the language of Mermaid
    Mermaid,
}

/// How the keys of a pipeline file are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SchemaFormat {
    /// JSON Schema, for editors
    #[default]
    Json,
    /// The reference, for people
    Markdown,
}

/// Where a pipeline is to run by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Service {
    /// A workflow of GitHub Actions
    Github,
    /// A job of GitLab CI
    Gitlab,
    /// A hook for pre-commit
    PreCommit,
    /// Rules for a Makefile
    Make,
}

/// What a line must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Level {
    /// One JSON text in UTF-8
    #[default]
    Json,
    /// UTF-8
    Utf8,
    /// Anything; blank lines and a byte order mark are kept too
    None,
}

/// A report to write, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Report {
    /// Its form.
    pub(in crate::cli) format: Format,
    /// Its file; `-` is stdout.
    pub(in crate::cli) path: PathBuf,
}

pub(super) fn report(text: &str) -> Result<Report, String> {
    let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
        return Err("expected FORMAT=PATH, such as `json=out/report.json`".to_owned());
    };
    let format = Format::ALL.into_iter().find(|format| format.name() == name);
    let format = format.ok_or_else(|| {
        let names = Format::ALL.map(Format::name);
        let meant = nearest(name, names).map(|meant| format!("did you mean `{meant}`? "));
        let meant = meant.unwrap_or_default();
        format!("`{name}` is no report format: {meant}There is {}", one_of(names))
    })?;
    Ok(Report { format, path: path.into() })
}

pub(super) fn workers(text: &str) -> Result<Workers, String> {
    match text.parse() {
        _ if text == "auto" => Ok(Workers::Auto),
        Ok(count) if (1..=1024).contains(&count) => Ok(Workers::Count(count)),
        _ => Err("expected a number from 1 to 1024, or `auto`".to_owned()),
    }
}

pub(super) fn size(text: &str) -> Result<usize, String> {
    let size = crate::words::units::size(text).ok().and_then(|size| usize::try_from(size).ok());
    size.filter(|size| *size > 0).ok_or_else(|| "expected a size such as `16MiB`".to_owned())
}

pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    crate::words::units::duration(text).map_err(|error| error.to_string())
}

pub(super) fn limit(text: &str) -> Result<crate::words::units::Limit, String> {
    crate::words::units::Limit::parse(text).map_err(|error| error.to_string())
}
