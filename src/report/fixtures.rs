//! What the tests of this room share: events made by hand, and places to write to.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::words::event::{
    BadRecord, CodeCount, Database, Ended, Event, Finish, Kind, Leaked, Pace, Stamped, StderrKept,
    Table, Usage, WorkerEnd,
};
use crate::words::gauge::Spent;
use crate::words::id::{Name, RunId};
use crate::words::kinds::Times;
use crate::words::ledger::{Counts, Imbalance, Ledger, SinkCounts, SourceCounts, StageCounts};
use crate::words::outcome::{Exit, Failure};

/// Keeps what is written, and refuses to take more than it is told to.
#[derive(Clone)]
pub(crate) struct Shared {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: Arc<AtomicUsize>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { bytes: Arc::default(), room: Arc::new(AtomicUsize::new(usize::MAX)) }
    }
}

impl Shared {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn choke_after(&self, bytes: usize) {
        self.room.store(bytes, Ordering::Relaxed);
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.load(Ordering::Relaxed);
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = bytes.len().min(room);
        self.room.store(room.saturating_sub(taken), Ordering::Relaxed);
        self.bytes.lock().unwrap().extend(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes nothing and counts how often it was asked to.
pub(crate) struct Broken {
    kind: io::ErrorKind,
    tries: Arc<AtomicUsize>,
}

impl Broken {
    pub(crate) fn pipe() -> Self {
        Self::new(io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn disk() -> Self {
        Self::new(io::ErrorKind::StorageFull)
    }

    fn new(kind: io::ErrorKind) -> Self {
        Self { kind, tries: Arc::default() }
    }

    pub(crate) fn tries(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.tries)
    }
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        Err(self.kind.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::internal(text)
}

pub(crate) fn stamped(t: f64, event: Event) -> Stamped {
    Stamped { event, t }
}

pub(crate) fn table(text: &str, kind: Kind, what: &str) -> Table {
    Table {
        name: name(text),
        kind,
        what: what.into(),
        files: kind == Kind::Source,
        letters: false,
        work: None,
    }
}

/// A table that took `taken` records and handed all of them on.
pub(crate) fn pace(text: &str, kind: Kind, taken: u64) -> Pace {
    Pace {
        name: name(text),
        counts: match kind {
            Kind::Source => source(taken, 0),
            Kind::Stage => stage(taken, 0, taken),
            Kind::Sink => sink(taken),
        },
        bytes: taken * 10,
        total: None,
        alive: u32::from(kind == Kind::Stage),
        spent: Spent::default(),
    }
}

/// Time spent, in milliseconds.
pub(crate) fn spent(busy: u64, starved: u64, blocked: u64) -> Spent {
    let [busy, starved, blocked] = [busy, starved, blocked].map(Duration::from_millis);
    Spent { busy, starved, blocked }
}

pub(crate) fn source(lines: u64, rejected: u64) -> Counts {
    Counts::Source(SourceCounts { lines, blank: 0, rejected, out: lines - rejected })
}

pub(crate) fn stage(r#in: u64, rejected: u64, out: u64) -> Counts {
    Counts::Stage(StageCounts {
        r#in,
        accepted: r#in - rejected,
        rejected,
        out,
        ..StageCounts::default()
    })
}

pub(crate) fn sink(r#in: u64) -> Counts {
    Counts::Sink(SinkCounts { r#in, written: r#in, ..SinkCounts::default() })
}

/// The usual belt: `users` through `validate` into `file`, with dead letters of `users`.
pub(crate) fn started() -> Event {
    let letters =
        Table { letters: true, ..table("users.rejects", Kind::Sink, "out/rejects.ndjson") };
    Event::RunStarted {
        run: RunId::new(0x10, 0x2a),
        pipeline: "users".into(),
        tables: vec![
            table("users", Kind::Source, "data/users.ndjson"),
            table("validate", Kind::Stage, "python3 validate.py"),
            table("file", Kind::Sink, "out/users.ndjson"),
            letters,
        ],
    }
}

pub(crate) fn ended(code: Exit, reason: &str) -> Ended {
    Ended { code, reason: reason.into(), hints: vec![], failures: vec![] }
}

/// A run of the usual belt: of `lines` some were refused by the source, others left out by the
/// stage.
pub(crate) fn finished(exit: Ended, lines: u64, rejected: u64, out: u64) -> Event {
    let taken = lines - rejected;
    let tables = vec![
        (name("users"), source(lines, rejected)),
        (name("validate"), stage(taken, 0, out)),
        (name("file"), sink(out)),
        (name("users.rejects"), sink(rejected)),
    ];
    let errors = vec![CodeCount { code: "json.syntax".into(), times: times(rejected) }];
    Event::RunFinished(Box::new(Finish {
        exit,
        ledger: Ledger { tables, ..Ledger::default() },
        imbalances: vec![],
        errors: errors.into_iter().filter(|e| e.times.count > 0).collect(),
        times: vec![
            (name("users"), spent(100, 0, 400)),
            (name("validate"), spent(450, 50, 0)),
            (name("file"), spent(25, 475, 0)),
            (name("users.rejects"), spent(500, 0, 0)),
        ],
        controller: Usage { user_s: 0.25, system_s: 0.5, peak_rss: 4096 },
        ..Finish::new(ended(Exit::Ok, ""), Usage::default())
    }))
}

pub(crate) fn times(count: u64) -> Times {
    Times { count, known: 0 }
}

pub(crate) fn bad(file: Option<&str>, line: u64, code: &str, message: &str) -> Event {
    Event::BadRecord(BadRecord {
        source: name("users"),
        file: file.map(Into::into),
        line,
        offset: line * 100,
        stage: None,
        path: String::new(),
        code: code.into(),
        message: message.into(),
        column: Some(5),
        characters: None,
        sample: None,
        fingerprint: format!("{code}-{line}"),
    })
}

pub(crate) fn published(sink: &str, path: &str, records: u64) -> Event {
    Event::Published { sink: name(sink), path: path.into(), records, bytes: records * 256 }
}

pub(crate) fn stderr(line: &str) -> Event {
    Event::Stderr { stage: name("validate"), worker: 0, line: line.into() }
}

pub(crate) fn worker_exit(code: Option<i32>, outstanding: u64, stderr: StderrKept) -> Event {
    Event::WorkerExit {
        stage: name("validate"),
        worker: 0,
        end: WorkerEnd { code, signal: None, user_ms: 120, system_ms: 8, peak_rss: 9_000_000 },
        outstanding,
        stderr,
    }
}

/// One event of each kind, with something hostile wherever foreign text goes.
pub(crate) fn every_event() -> Vec<Event> {
    let mut events = vec![started()];
    events.extend(of_workers());
    events.extend(of_their_ends());
    events.extend(of_the_run());
    let mut exit = ended(Exit::Stage, HOSTILE);
    exit.hints.push(HOSTILE.into());
    exit.failures.push(Failure::new(Exit::Data, "another\n::error::x"));
    let mut last = finished(exit, 5, 1, 4);
    if let Event::RunFinished(finish) = &mut last {
        let Finish { imbalances, errors, .. } = finish.as_mut();
        errors.push(CodeCount { code: HOSTILE.into(), times: times(1) });
        imbalances.push(Imbalance {
            place: "users".into(),
            identity: "lines = blank + rejected + out",
            left: 5,
            right: 4,
        });
    }
    events.push(last);
    events
}

/// What must neither begin a line nor reach a terminal as it is.
const HOSTILE: &str = "\u{1b}[2J\n::error::x ##[set-env]";

fn of_workers() -> Vec<Event> {
    let (stage, worker) = (name("validate"), 0);
    vec![
        Event::WorkerStarted { stage: stage.clone(), worker, pid: 7 },
        Event::SpawnFailed {
            stage: stage.clone(),
            program: HOSTILE.into(),
            errno: 2,
            message: "No such file or directory".into(),
        },
        Event::Leak {
            stage: stage.clone(),
            worker,
            processes: vec![Leaked { pid: 9, command: HOSTILE.into() }],
        },
        Event::KilledAfterGrace { stage: stage.clone(), worker },
        Event::SupervisorLost { stage: stage.clone(), worker },
        Event::Stalled {
            stage: stage.clone(),
            worker,
            seconds: 10,
            unread_bytes: None,
            state: Some('S'),
            hint: HOSTILE.into(),
        },
        stderr(HOSTILE),
        Event::StderrTruncated { stage: stage.clone(), worker, shown: 16384 },
        Event::Protocol { stage: stage.clone(), worker, line: 3, message: HOSTILE.into() },
        Event::Restart { stage: stage.clone(), worker, attempt: 2, delay_ms: 100, outstanding: 3 },
        Event::ReplyTimeout { stage: stage.clone(), worker, id: 17, seconds: 5.0 },
        Event::TornReply { stage: stage.clone(), worker, bytes: 12 },
        Event::Log { stage, worker, level: HOSTILE.into(), message: HOSTILE.into() },
    ]
}

fn of_their_ends() -> Vec<Event> {
    let (stage, worker) = (name("validate"), 0);
    vec![
        worker_exit(Some(7), 3, StderrKept::default()),
        Event::WorkerSignal { stage: stage.clone(), worker, signal: "SIGSEGV".into() },
        Event::OutputHeld { stage: stage.clone(), worker },
        Event::StdinClosed { stage: stage.clone(), worker, accepted: 630 },
        Event::StdoutClosedEarly { stage: stage.clone(), worker },
        Event::EarlyExit { stage, worker, unread_bytes: Some(1) },
    ]
}

fn of_the_run() -> Vec<Event> {
    let sink = || name("file");
    let hostile = || HOSTILE.to_owned();
    vec![
        Event::Note { table: None, message: hostile() },
        Event::Tick { tables: vec![pace("users", Kind::Source, 5)] },
        bad(Some(HOSTILE), 3, HOSTILE, HOSTILE),
        Event::CompressedLimit {
            source: name("users"),
            file: hostile(),
            limit: "max_ratio",
            packed: 1,
            unpacked: 1000,
        },
        Event::NotDurable { sink: sink(), target: hostile() },
        Event::SinkClosed { sink: sink() },
        Event::Storage { sink: sink(), path: hostile(), error: hostile() },
        Event::Database(Database { table: sink(), what: "connection_lost", message: hostile() }),
        Event::Interrupted { signal: "SIGINT".into(), now: false },
        Event::Interrupted { signal: "SIGINT".into(), now: true },
        Event::Paused,
        Event::Resumed,
        Event::ClockGap { ms: 3000 },
        published("file", HOSTILE, 4),
        Event::Withheld { sink: sink(), path: hostile() },
        Event::Stopping { reason: Failure::new(Exit::Stage, HOSTILE).hint(HOSTILE) },
    ]
}
