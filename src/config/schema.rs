//! A pipeline as written: typed, nothing filled in, every value with its place.
//!
//! `load` makes it from a file, `pipe` from its arguments; `plan::compile` says what it means.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::builtin::Builtin;
use crate::config::database::{Rows, Target};
use crate::config::diagnostic::{Diagnostics, Reported};
use crate::config::generate::Generate;
use crate::config::golden::Test;
use crate::config::origin::{Located, Origin};
use crate::words::id::Name;
use crate::words::policy::{Check, EarlyExit, Expect, OnCrash, OnReject, Order, Publish};
use crate::words::units::{Limit, Restarts};

/// What stands at a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// Nothing: the default holds, if there is one.
    #[default]
    LeftOut,
    /// A value.
    Given(Located<T>),
    /// Something that could not be read, which was reported.
    Unreadable(Reported),
}

impl<T> Setting<T> {
    /// Takes a value that was an argument.
    pub fn typed(value: T) -> Self {
        Self::Given(Located::typed(value))
    }

    /// Returns the value with its place, if there is one.
    pub fn given(&self) -> Option<&Located<T>> {
        match self {
            Self::Given(located) => Some(located),
            Self::LeftOut | Self::Unreadable(_) => None,
        }
    }

    /// Returns the value, if there is one.
    pub fn value(&self) -> Option<&T> {
        self.given().map(|located| &located.value)
    }

    /// Returns where the value stands.
    pub fn origin(&self) -> Origin {
        self.given().map_or(Origin::CommandLine, |g| g.origin)
    }

    /// Returns the proof that what was written could not be read, if that is so.
    pub fn unreadable(&self) -> Option<Reported> {
        match self {
            Self::Unreadable(reported) => Some(*reported),
            Self::LeftOut | Self::Given(_) => None,
        }
    }

    /// Tells whether nothing was written.
    pub fn is_left_out(&self) -> bool {
        matches!(self, Self::LeftOut)
    }
}

impl<T: Clone> Setting<T> {
    /// Returns the value, or `default` where there is none.
    pub fn or(&self, default: T) -> T {
        self.value().cloned().unwrap_or(default)
    }
}

/// A whole pipeline as written.
///
/// Mistakes of form ride along in it: `plan::compile` adds those of meaning and reports all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// What holds for all tables.
    pub pipeline: Pipeline,
    /// Sources, stages and sinks in the order they were written.
    pub tables: Vec<Table>,
    /// `[[tests]]`, in the order they were written.
    pub tests: Vec<Test>,
    mistakes: Diagnostics,
    unreadable: Option<Reported>,
}

impl Config {
    /// Puts together what was given by arguments.
    pub fn typed(pipeline: Pipeline, tables: Vec<Table>) -> Self {
        Self { pipeline, tables, ..Self::default() }
    }

    /// Puts together what was read; `unreadable` says that tables are missing in it.
    pub(super) fn read(
        pipeline: Pipeline,
        (tables, tests): (Vec<Table>, Vec<Test>),
        mistakes: Diagnostics,
        unreadable: Option<Reported>,
    ) -> Self {
        Self { pipeline, tables, tests, mistakes, unreadable }
    }

    /// Returns the mistakes of form, and the texts to show them in.
    pub fn mistakes(&self) -> &Diagnostics {
        &self.mistakes
    }

    /// Tells that tables are missing, so that the wiring of the others cannot be judged.
    pub fn unreadable(&self) -> Option<Reported> {
        self.unreadable
    }
}

/// `[pipeline]`: what holds for all tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pipeline {
    /// What the pipeline is called where `name` is left out: the file's name without `.toml`.
    pub stem: Option<String>,
    /// `name`
    pub name: Setting<String>,
    /// `root`
    pub root: Setting<PathBuf>,
    /// `rejects`, `max_rejects`, `on_reject`
    pub rules: Rules,
    /// `deadline`
    pub deadline: Setting<Duration>,
    /// `watch`
    pub watch: Setting<Vec<Located<PathBuf>>>,
}

/// How rejects are judged and where they are collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// `rejects`
    pub rejects: Setting<PathBuf>,
    /// `max_rejects`
    pub max_rejects: Setting<Limit>,
    /// `on_reject`
    pub on_reject: Setting<OnReject>,
}

/// One table of the belt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: Located<Name>,
    /// `rejects`, `max_rejects`, `on_reject`
    pub rules: Rules,
    /// The rest, by its kind.
    pub body: Body,
}

/// What kind of table it is, with the keys of that kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// `[sources.NAME]`
    Source(Source),
    /// `[stages.NAME]`
    Stage(Box<Stage>),
    /// `[stages.NAME]` with `use`
    Builtin(Box<Builtin>),
    /// `[sinks.NAME]`
    Sink(Sink),
}

/// `[sources.NAME]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// `type`
    pub kind: Setting<SourceKind>,
    /// `path`
    pub path: Setting<Vec<Located<PathBuf>>>,
    /// `spool`
    pub spool: Setting<bool>,
    /// `check`
    pub check: Setting<Check>,
    /// `max_record`
    pub max_record: Setting<usize>,
    /// `max_unpacked`
    pub max_unpacked: Setting<u64>,
    /// `max_ratio`
    pub max_ratio: Setting<u64>,
    /// `count`, `seed`, `locale`, `dirt`, `fields`
    pub generate: Box<Generate>,
    /// `output`
    pub output: Setting<PathBuf>,
    /// What it reads of a database, if it reads one.
    pub rows: Option<Box<Rows>>,
}

/// The kinds of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// `file`
    File,
    /// `stdin`
    Stdin,
    /// `sqlite`
    Sqlite,
    /// `postgres`
    Postgres,
    /// `generate`
    Generate,
}

/// `[stages.NAME]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// `run`
    pub run: Setting<Vec<Located<OsString>>>,
    /// `protocol`
    pub protocol: Setting<Protocol>,
    /// `inputs`
    pub inputs: Setting<Vec<Located<String>>>,
    /// `output`
    pub output: Setting<PathBuf>,
    /// `expect`
    pub expect: Setting<Expect>,
    /// `check_output`
    pub check_output: Setting<Check>,
    /// `early_exit`
    pub early_exit: Setting<EarlyExit>,
    /// `per_record`
    pub per_record: Setting<bool>,
    /// `split`
    pub split: Setting<usize>,
    /// `exit.ok`
    pub exit_ok: Setting<Vec<i32>>,
    /// `exit.invalid`
    pub exit_invalid: Setting<Vec<i32>>,
    /// `env`
    pub env: Setting<Vec<Variable>>,
    /// `inherit_env`
    pub inherit_env: Setting<Vec<Located<String>>>,
    /// `max_record`
    pub max_record: Setting<usize>,
    /// `workers`
    pub workers: Setting<Workers>,
    /// `dispatch`
    pub dispatch: Setting<Dispatch>,
    /// `in_flight.records`
    pub in_flight_records: Setting<usize>,
    /// `in_flight.bytes`
    pub in_flight_bytes: Setting<usize>,
    /// `order`
    pub order: Setting<Order>,
    /// `restarts`
    pub restarts: Setting<Restarts>,
    /// `on_crash`
    pub on_crash: Setting<OnCrash>,
    /// `record_timeout`
    pub record_timeout: Setting<Duration>,
    /// `ready`
    pub ready: Setting<bool>,
    /// `grace`
    pub grace: Setting<Duration>,
    /// `stall`
    pub stall: Setting<Duration>,
    /// `deadline`
    pub deadline: Setting<Duration>,
}

/// A variable that a stage sets for its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Located<OsString>,
    /// Its value.
    pub value: Located<OsString>,
}

/// The protocols of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `stream`
    Stream,
    /// `lines`
    Lines,
    /// `records`
    Records,
    /// `command`
    Command,
}

/// Which worker a record goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// `"round-robin"`
    RoundRobin,
    /// `{ by = "/POINTER" }`
    By(String),
}

/// The most workers that one stage may have.
pub const MOST_WORKERS: u32 = 1024;

/// How many workers a stage is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// So many.
    Count(u32),
    /// As many as the machine has use for.
    Auto,
}

/// `[sinks.NAME]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sink {
    /// `type`
    pub kind: Setting<SinkKind>,
    /// `path`
    pub path: Setting<PathBuf>,
    /// `inputs`
    pub inputs: Setting<Vec<Located<String>>>,
    /// `order`
    pub order: Setting<Order>,
    /// `publish`: `Gate` or `Always`
    pub publish: Setting<Publish>,
    /// Where in a database it writes, if it writes to one.
    pub target: Option<Box<Target>>,
}

/// The kinds of sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// `file`
    File,
    /// `stdout`
    Stdout,
    /// `sqlite`
    Sqlite,
    /// `postgres`
    Postgres,
}
