//! Everything a run tells: the engine emits events, listeners turn them into what people read.
//!
//! An event owns its data and can be written as JSON; `--events` writes just that.

mod ended;
mod table;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::words::id::{Name, RunId};
use crate::words::outcome::Failure;
use crate::words::sample::Sample;

pub use ended::{BaselineUse, CodeCount, Ended, Finish, KindCount, Usage};
pub use table::{Kind, Pace, Table, Work};
pub use worker::{Leaked, StderrKept, WorkerEnd};

/// An event and when it happened, in seconds since the run began.
#[derive(Clone, Debug, Serialize)]
pub struct Stamped {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// When, in seconds since the run began.
    pub t: f64,
}

/// A record that was refused, one of the first few with its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRecord {
    /// The source.
    pub source: Name,
    /// The file.
    pub file: Option<Arc<str>>,
    /// The line, from 1.
    pub line: u64,
    /// The offset of the line's first byte.
    pub offset: u64,
    /// The stage that refused it; none for the source itself.
    pub stage: Option<Name>,
    /// Where in the record, as a JSON Pointer; empty for the whole.
    pub path: String,
    /// What is wrong, as a stable word.
    pub code: String,
    /// What is wrong, as a sentence fragment.
    pub message: String,
    /// The byte in the line, from 1.
    pub column: Option<u64>,
    /// The same in characters, and the one behind the value.
    pub characters: Option<(u64, u64)>,
    /// What stands there, in the record as it was refused.
    pub sample: Option<Sample>,
    /// Digits that are the same for the same record, code and path, wherever it stands.
    pub fingerprint: String,
}

/// Something that happened between a sink and its database.
#[derive(Clone, Debug, Serialize)]
pub struct Database {
    /// The sink.
    pub table: Name,
    /// `connection_lost`, `connected`, `commit_unknown` or `commit_resolved`.
    pub what: &'static str,
    /// What it is, escaped.
    pub message: String,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins: everything is resolved and open, nothing was consumed.
    RunStarted {
        /// The run.
        run: RunId,
        /// The pipeline's name.
        pipeline: String,
        /// Its tables, in the order a record meets them.
        tables: Vec<Table>,
    },
    /// Something the user should know; the run goes on.
    Note {
        /// The table it is about, if one.
        table: Option<Name>,
        /// What it is.
        message: String,
    },
    /// The run goes on where another one was cut off.
    TakenUp {
        /// That one.
        run: String,
        /// How many lines it had read whose records are settled.
        lines: u64,
        /// Where it goes on, as people read it.
        at: String,
    },
    /// How the run stands is durable: from here it can be taken up again.
    Checkpoint {
        /// How many lines were read whose records are settled.
        lines: u64,
        /// How long that took, in milliseconds.
        ms: u64,
    },
    /// Work is kept that a later run can go on with.
    Kept {
        /// How many lines were read whose records are settled.
        lines: u64,
        /// Where it would go on, as people read it.
        at: String,
    },
    /// How all tables fare, several times a second.
    Tick {
        /// Each table.
        tables: Vec<Pace>,
    },
    /// A worker runs.
    WorkerStarted {
        /// Its stage.
        stage: Name,
        /// Its number in the stage, from 0.
        worker: u32,
        /// Its process number.
        pid: u32,
    },
    /// A worker exited; `outstanding` records were with it.
    WorkerExit {
        /// Its stage.
        stage: Name,
        /// Its number in the stage.
        worker: u32,
        /// How it ended.
        #[serde(flatten)]
        end: WorkerEnd,
        /// Records in doubt because of it.
        outstanding: u64,
        /// What it wrote to stderr.
        stderr: StderrKept,
    },
    /// A worker was ended by a signal.
    WorkerSignal {
        /// Its stage.
        stage: Name,
        /// Its number in the stage.
        worker: u32,
        /// The signal's name.
        signal: String,
    },
    /// A worker is replaced by a fresh one.
    Restart {
        /// Its stage.
        stage: Name,
        /// Its number in the stage.
        worker: u32,
        /// How many of the stage's workers were replaced before, and this one.
        attempt: u64,
        /// How long it is waited before, in milliseconds.
        delay_ms: u64,
        /// Records that were with the one that ended.
        outstanding: u64,
    },
    /// A worker took longer for a record than `record_timeout` and is killed.
    ReplyTimeout {
        /// Its stage.
        stage: Name,
        /// Its number in the stage.
        worker: u32,
        /// The record's number in the stage, as in the request.
        id: u64,
        /// The limit, in seconds.
        seconds: f64,
    },
    /// A worker ended in the middle of a reply.
    TornReply {
        /// Its stage.
        stage: Name,
        /// Its number in the stage.
        worker: u32,
        /// Bytes of the reply that came.
        bytes: u64,
    },
    /// A log line of a worker that speaks `records`.
    Log {
        /// Its stage.
        stage: Name,
        /// Its number in the stage.
        worker: u32,
        /// `debug`, `info`, `warn`, `error`, or another word of the worker's own, escaped.
        level: String,
        /// What it says, escaped.
        message: String,
    },
    /// A worker could not be started.
    SpawnFailed {
        /// Its stage.
        stage: Name,
        /// The program.
        program: String,
        /// The error number.
        errno: i32,
        /// The error.
        message: String,
    },
    /// Processes outlived their worker and were killed.
    Leak {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
        /// The processes.
        processes: Vec<Leaked>,
    },
    /// A worker's output stayed open after its end: something outside its tree holds it.
    OutputHeld {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
    },
    /// A worker ignored the request to end and was killed.
    KilledAfterGrace {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
    },
    /// A guard died; its worker and what it left behind were killed.
    SupervisorLost {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
    },
    /// A worker closed its stdin early.
    StdinClosed {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
        /// Records that the pipe had accepted by then; how many were read is not known.
        accepted: u64,
    },
    /// A worker closed its stdout and lives on.
    StdoutClosedEarly {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
    },
    /// A worker ended without reading all of its input.
    EarlyExit {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
        /// Bytes left in its pipe, where that could be seen.
        unread_bytes: Option<u64>,
    },
    /// A worker neither reads, writes nor computes.
    Stalled {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
        /// For how long, in seconds.
        seconds: u64,
        /// Bytes waiting in its pipe.
        unread_bytes: Option<u64>,
        /// The state of its process, as in `/proc` (`S`, `T`, `D` …).
        state: Option<char>,
        /// The likely cause.
        hint: String,
    },
    /// A line that a worker wrote to stderr, escaped.
    Stderr {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
        /// The line.
        line: String,
    },
    /// A worker wrote more to stderr than is shown; the end follows when the worker ends.
    StderrTruncated {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
        /// Bytes shown so far.
        shown: u64,
    },
    /// A stage wrote something that its protocol does not allow.
    Protocol {
        /// The stage.
        stage: Name,
        /// The worker.
        worker: u32,
        /// The line of its output, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// A record was refused (only the first few of each code are told one by one).
    BadRecord(BadRecord),
    /// A packed input holds more than a limit allows; it is not read on.
    CompressedLimit {
        /// The source.
        source: Name,
        /// The file.
        file: String,
        /// The limit: `max_unpacked`, `max_ratio` or `window`.
        limit: &'static str,
        /// Packed bytes taken so far.
        packed: u64,
        /// Bytes that came of them.
        unpacked: u64,
    },
    /// A sink's output cannot be made durable (a pipe, a device).
    NotDurable {
        /// The sink.
        sink: Name,
        /// Where it writes.
        target: String,
    },
    /// The reader of a sink's output went away.
    SinkClosed {
        /// The sink.
        sink: Name,
    },
    /// Writing or syncing failed.
    Storage {
        /// The sink.
        sink: Name,
        /// The file.
        path: String,
        /// The error.
        error: String,
    },
    /// Something happened between a sink and its database.
    Database(Database),
    /// A signal asks the run to end.
    Interrupted {
        /// The signal's name.
        signal: String,
        /// Whether it asks to end at once.
        now: bool,
    },
    /// The run was stopped from the terminal.
    Paused,
    /// The run goes on.
    Resumed,
    /// The clock jumped: the machine or this process slept.
    ClockGap {
        /// By how much, in milliseconds.
        ms: u64,
    },
    /// The run begins to stop.
    Stopping {
        /// Why.
        #[serde(flatten)]
        reason: Failure,
    },
    /// An output stands complete at its path.
    Published {
        /// The sink.
        sink: Name,
        /// The path as messages show it.
        path: String,
        /// Its records.
        records: u64,
        /// Its bytes.
        bytes: u64,
    },
    /// An output was not published; the previous file, if any, stays.
    Withheld {
        /// The sink.
        sink: Name,
        /// The path as messages show it.
        path: String,
    },
    /// The run is over and everything is settled.
    RunFinished(Box<Finish>),
}

/// Where events go: one bounded channel to the listeners.
#[derive(Clone, Debug)]
pub struct Events {
    to: SyncSender<Stamped>,
    began: Instant,
}

impl Events {
    /// Makes the sending end; `t` counts from now.
    pub fn new(to: SyncSender<Stamped>) -> Self {
        Self { to, began: Instant::now() }
    }

    /// Tells an event. If no listener is left, nobody wants to know.
    pub fn emit(&self, event: Event) {
        let stamped = Stamped { event, t: self.began.elapsed().as_secs_f64() };
        self.to.send(stamped).ok();
    }

    /// Tells an event unless the listeners are behind: for what the next tick replaces.
    pub fn offer(&self, event: Event) {
        let stamped = Stamped { event, t: self.began.elapsed().as_secs_f64() };
        // Full or closed: the figure is outdated in a moment anyway.
        self.to.try_send(stamped).ok();
    }
}
