//! What is told of a table: what it is, and how it fares.

use serde::Serialize;

use crate::words::gauge::Spent;
use crate::words::id::Name;
use crate::words::ledger::Counts;

/// What kind of table it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Where records come from.
    Source,
    /// What they go through.
    Stage,
    /// Where they end.
    Sink,
}

/// A table of the belt, as listeners know it.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: Kind,
    /// What it does in a few words: a command line, a path.
    pub what: String,
    /// Whether its records are lines of files (a source).
    pub files: bool,
    /// Whether it only collects dead letters.
    pub letters: bool,
    /// How the work of a stage, or of a sink of rows, is done.
    pub work: Option<Work>,
}

/// How the work of a stage is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// By one program, whatever there is to do.
    Filter,
    /// By workers, of which there may be more.
    Workers {
        /// How many there are.
        workers: u32,
        /// How many cores there are for them.
        cores: u32,
    },
    /// By one thread, whatever there is to do.
    Alone,
}

/// How a table fares at a moment.
#[derive(Clone, Debug, Serialize)]
pub struct Pace {
    /// The table.
    pub name: Name,
    /// Its counts so far.
    pub counts: Counts,
    /// Bytes read (a source) or written (a sink) so far.
    pub bytes: u64,
    /// Bytes to read in all, where that is known.
    pub total: Option<u64>,
    /// Workers alive (a stage).
    pub alive: u32,
    /// How it spent its time.
    #[serde(flatten)]
    pub spent: Spent,
}
