//! What a pipeline file means: complete, absolute, with no default left open. The engine sees
//! only this.

pub mod builtin;
pub mod compile;
pub mod database;
pub mod describe;
pub mod drawing;
pub mod generate;
pub mod golden;
pub mod graph;
mod only;
pub mod replay;
pub mod resume;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::plan::builtin::Builtin;
use crate::plan::generate::Generate;
use crate::words::id::Name;
use crate::words::ledger::Edge;
use crate::words::policy::{
    Check, EarlyExit, ExitPolicy, Expect, OnCrash, OnReject, Order, Publish,
};
use crate::words::units::{Limit, Restarts};

/// A whole pipeline, ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The pipeline's name.
    pub name: String,
    /// The folder that the caller stands in: paths below it are shown relative to it.
    pub caller: PathBuf,
    /// Where records come from, in file order.
    pub sources: Vec<Source>,
    /// What they go through, each behind what feeds it.
    pub stages: Vec<Stage>,
    /// Where they end, dead letters included.
    pub sinks: Vec<Sink>,
    /// Who feeds whom: those to one table in the order in which it takes them.
    pub edges: Vec<Edge>,
    /// Edges whose records are kept in a file until it is their turn.
    pub spooled: Vec<Edge>,
    /// Tables that take from all inputs as records come.
    pub mixed: Vec<Name>,
    /// The folder of these files.
    pub spool: PathBuf,
    /// Files, or patterns of files, that results depend on beside those that are named.
    pub watch: Vec<PathBuf>,
    /// How many rejects the tables without a limit of their own may have together.
    pub max_rejects: Limit,
    /// How long the run may take.
    pub deadline: Option<Duration>,
}

/// How rejects of one table are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// The table's own limit; without one it counts towards the pipeline's.
    pub max_rejects: Option<Limit>,
    /// Whether to stop as soon as the limit that applies is passed.
    pub on_reject: OnReject,
}

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: Name,
    /// What it reads.
    pub input: Input,
    /// What it requires of each line.
    pub check: Check,
    /// The longest line allowed, in bytes without the line feed.
    pub max_record: usize,
    /// How much a packed file may hold.
    pub unpack: Unpack,
    /// How its rejects are judged.
    pub tolerance: Tolerance,
}

/// How much a packed file may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpack {
    /// Bytes in all.
    pub most: u64,
    /// How many times its own size, at least one; it counts for what is large.
    pub ratio: u64,
}

/// What a source reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Files: absolute paths or glob patterns, in the order written.
    Files(Vec<PathBuf>),
    /// Standard input.
    Stdin {
        /// Whether a copy is kept so that it can be read again.
        spool: bool,
    },
    /// Rows of a database.
    Rows(Box<database::Rows>),
    /// Nothing: the records are made here.
    Generate(Generate),
    /// Dead letters: the records in them that one table refused.
    Letters {
        /// Their file, absolute.
        path: PathBuf,
        /// The stage that refused them; none for the source itself.
        of: Option<Name>,
        /// The numbers of the lines that are left out, in order.
        skip: Arc<[u64]>,
    },
}

/// What records go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: Name,
    /// What does the work.
    pub work: Work,
    /// How long the stage may take.
    pub deadline: Option<Duration>,
    /// How its rejects are judged.
    pub tolerance: Tolerance,
}

/// What does the work of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A program, in processes of its own.
    Program(Box<Program>),
    /// This process itself.
    Builtin(Builtin),
}

/// A program that does the work of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The stage's name.
    pub stage: Name,
    /// The program and how its workers run.
    pub command: Command,
    /// How records reach them and come back.
    pub protocol: Protocol,
    /// The longest line a worker may write.
    pub max_record: usize,
    /// What its exit codes mean.
    pub exit: ExitPolicy,
    /// How long a worker has between the request to end and the kill.
    pub grace: Duration,
    /// How long a worker may neither read, write nor compute; none is for ever.
    pub stall: Option<Duration>,
}

/// A program and the world it wakes up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The argument vector as written, for messages and `argv[0]`.
    pub argv: Vec<OsString>,
    /// The program's file, absolute.
    pub program: PathBuf,
    /// The working folder.
    pub folder: PathBuf,
    /// The whole environment, but for what is known only at spawn time.
    pub env: Vec<(OsString, OsString)>,
    /// Those that the stage itself sets.
    pub set: Vec<OsString>,
}

/// How records reach a stage's workers and come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// An unmodified filter: lines to EOF, any number of lines back, an exit code.
    Stream(Stream),
    /// A pool of workers that give one reply for each record.
    Pool(Pool),
}

/// A pool of workers that give one reply for each record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// What a reply looks like.
    pub reply: Reply,
    /// How many workers there are, at least one.
    pub workers: u32,
    /// Which worker a record goes to.
    pub dispatch: Dispatch,
    /// How much may be with one worker.
    pub in_flight: InFlight,
    /// In which order records leave.
    pub order: Order,
    /// How many workers may be replaced, and in what time.
    pub restarts: Restarts,
    /// What becomes of records whose worker died.
    pub on_crash: OnCrash,
    /// How long a worker may take for one record; none is for ever.
    pub record_timeout: Option<Duration>,
}

/// What a worker of a pool replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `lines`: one line for each line, in order.
    Lines {
        /// What is required of each line it writes.
        check_output: Check,
    },
    /// `records`: a JSON object with the request's id.
    Records {
        /// Whether a worker says `{"ready":true}` before it takes records.
        ready: bool,
    },
    /// `command`: a process for each record, whose exit code is the reply.
    Command {
        /// What is required of what it writes.
        check_output: Check,
    },
}

/// Which worker a record goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// The next in turn that has room.
    RoundRobin,
    /// The same for all records with the same value at this JSON Pointer (RFC 6901).
    By(String),
}

/// How much may be with one worker. One record may always be, however long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Records, at least one.
    pub records: usize,
    /// Bytes of them.
    pub bytes: usize,
}

/// What is expected of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// How many lines come out for those that go in.
    pub expect: Expect,
    /// What is required of each line it writes.
    pub check_output: Check,
    /// Whether it may end without reading everything.
    pub early_exit: EarlyExit,
    /// How its input is cut, if it keeps nothing from line to line.
    pub pieces: Option<Pieces>,
}

/// How the input of a filter is cut, each piece for a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// How many bytes of whole lines make a piece.
    pub split: u64,
    /// How many filters may work at a time, at least one.
    pub workers: u32,
}

/// Where records end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Its name.
    pub name: Name,
    /// Where it writes.
    pub output: Output,
    /// When a file is published.
    pub publish: Publish,
    /// Whether it only collects dead letters.
    pub letters: bool,
    /// How its rejects are judged.
    pub tolerance: Tolerance,
}

/// Where a sink writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A file, absolute.
    File(PathBuf),
    /// Standard output.
    Stdout,
    /// A table of a database.
    Table(Box<database::Target>),
}

impl Source {
    /// Tells whether it goes on until the run is stopped.
    pub fn is_endless(&self) -> bool {
        matches!(&self.input, Input::Generate(made) if made.count.is_none())
    }
}

impl Stage {
    /// Returns the program that does the work, if one does.
    pub fn program(&self) -> Option<&Program> {
        match &self.work {
            Work::Program(program) => Some(program),
            Work::Builtin(_) => None,
        }
    }
}

impl Stage {
    /// Returns how its input is cut, if it is.
    pub fn pieces(&self) -> Option<Pieces> {
        match self.program()?.protocol {
            Protocol::Stream(stream) => stream.pieces,
            Protocol::Pool(_) => None,
        }
    }
}

impl Plan {
    /// Returns how large the splits of its inputs are, where pieces depend on them.
    pub fn split(&self) -> Option<u64> {
        let pieces = self.stages.iter().filter_map(Stage::pieces);
        pieces.map(|pieces| pieces.split).min()
    }

    /// Returns a path as messages show it: relative to the caller's folder where below it.
    pub fn display(&self, path: &Path) -> String {
        display(&self.caller, path)
    }
}

/// Returns a path as messages show it: relative to `caller` where below it.
pub fn display(caller: &Path, path: &Path) -> String {
    let shown = path.strip_prefix(caller).ok().filter(|p| !p.as_os_str().is_empty());
    crate::words::text::escape(shown.unwrap_or(path).as_os_str().as_encoded_bytes())
}
