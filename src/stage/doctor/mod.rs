//! Tries a program on hostile input and says what it is fit for: which protocols it can serve,
//! how it buffers, what it does to bytes, how it ends, and what mends it.
//!
//! Each trial is a fresh child under a guard, with bounded time and output. What was seen is
//! gathered as [`Evidence`] first; the judgements on it are pure.

mod habits;
mod inputs;
mod protocols;
mod records;
mod trial;
mod words;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::child::nursery::{Nursery, SpawnError};
use crate::child::pump::Rhythm;
use crate::plan::{Command, Program, Protocol, Reply};
use crate::stage::doctor::inputs::MANY;
use crate::stage::doctor::trial::{Act, Finish, Left, Patience, Phase, Seen, Subject, Until};
use crate::stage::remedy::{Remedy, remedy};
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::ExitPolicy;
use crate::words::text::escape;

/// How long a start may take: `java Main.java` takes 3 s on an idle machine.
const START: Duration = Duration::from_secs(10);
/// How long a first reply may take while the child computes, at least.
const REPLY: Duration = Duration::from_secs(4);
/// How long it must do nothing to be called silent, where that decides.
const SILENCE: Duration = Duration::from_secs(1);
/// The same where its habits are known already.
const SHORT: Duration = Duration::from_millis(250);

/// Where programs are examined.
#[derive(Debug)]
pub struct Surgery {
    runtime: Runtime,
    nursery: Arc<Nursery>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Each protocol, and whether the program can serve it.
    pub serves: Vec<(&'static str, Serves)>,
    /// What else was found, in the order that people read it.
    pub rows: Vec<Row>,
    /// The protocol that was declared, and whether the program serves it as it is.
    pub declared: Option<(&'static str, bool)>,
}

/// Whether a program can serve a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// It can.
    Yes,
    /// It could, if it did not keep its answers back.
    Mended,
    /// It cannot.
    No,
}

/// One finding: a label, and sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is about.
    pub label: &'static str,
    /// What was found, safe to show.
    pub text: Vec<String>,
}

impl Row {
    fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: vec![text.into()] }
    }
}

/// All that was seen of a program that starts and ends.
#[derive(Debug)]
struct Evidence {
    empty: Seen,
    one: Seen,
    many: Seen,
    bad: Seen,
    blank: Seen,
    long: Seen,
    utf8: Seen,
    spellings: Seen,
    term: Seen,
    deaf: Seen,
    /// One request of the `records` protocol, and many.
    request: Seen,
    requests: Option<Seen>,
    remedy: Option<Remedy>,
    /// Whether the mended argument vector was tried, and answers at once.
    mended: Option<bool>,
}

impl Surgery {
    /// Prepares to have children.
    pub fn open() -> io::Result<Self> {
        let rhythm = Rhythm::default();
        let (before, after) = (rhythm.clone(), rhythm.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || before.before_waiting())
            .on_thread_unpark(move || after.after_waiting())
            .build()?;
        Ok(Self { runtime, nursery: Nursery::new(rhythm)? })
    }

    /// Examines the program of a stage; `declared` says that its protocol is the user's choice.
    pub fn examine(&self, program: &Program, declared: bool) -> Result<Findings, Failure> {
        let title = format!("guard:{}", program.stage);
        let command = &program.command;
        let subject = Subject { command, nursery: &self.nursery, title: &title };
        let gathered = self.runtime.block_on(gather(&subject));
        let (empty, evidence) = gathered.map_err(|error| not_run(command, &error))?;
        Ok(match evidence {
            Some(evidence) => {
                judge(&evidence, &program.exit, declared.then_some(&program.protocol))
            }
            None => hopeless(&empty),
        })
    }
}

fn not_run(command: &Command, error: &SpawnError) -> Failure {
    let program = escape(command.program.as_os_str().as_encoded_bytes());
    match error {
        SpawnError::Program(error) => {
            Failure::new(Exit::Config, format!("cannot run `{program}`: {error}"))
        }
        SpawnError::Own(error) => {
            Failure::new(Exit::World, format!("cannot try `{program}`: {error}"))
        }
    }
}

/// A program that does not even end by itself when there is no input.
fn hopeless(empty: &Seen) -> Findings {
    let why = match empty.left {
        Left::Flooded => "it writes without end, whatever it is sent".to_owned(),
        _ => format!("it does not end within {} of its input's end", words::time(START)),
    };
    let names = ["stream", "lines", "records", "command"];
    Findings {
        serves: names.map(|name| (name, Serves::No)).to_vec(),
        rows: names.map(|name| Row::new(name, format!("no: {why}"))).to_vec(),
        declared: None,
    }
}

fn judge(seen: &Evidence, exit: &ExitPolicy, declared: Option<&Protocol>) -> Findings {
    let judged = [
        ("stream", protocols::stream(seen, exit)),
        ("lines", protocols::lines(seen)),
        ("records", protocols::records(seen)),
        ("command", protocols::command(seen)),
    ];
    let serves: Vec<_> = judged.iter().map(|(name, (serves, _))| (*name, *serves)).collect();
    let rows = judged.map(|(name, (_, text))| Row::new(name, text));
    let declared = declared.map(|protocol| {
        let name = match protocol {
            Protocol::Stream(_) => "stream",
            Protocol::Pool(pool) => match pool.reply {
                Reply::Lines { .. } => "lines",
                Reply::Records { .. } => "records",
                Reply::Command { .. } => "command",
            },
        };
        (name, serves.contains(&(name, Serves::Yes)))
    });
    let rows = [habits::start(seen)].into_iter().chain(rows).chain(habits::rows(seen)).collect();
    Findings { serves, rows, declared }
}

/// How long a child that starts in `start` is waited for; `decides` where its silence does.
fn patience(start: Duration, decides: bool) -> Patience {
    Patience {
        reply: REPLY.max(start * 4),
        silence: if decides { SILENCE.max(start * 2) } else { SHORT.max(start) },
        end: (REPLY + start * 4).max(START),
    }
}

async fn gather(subject: &Subject<'_>) -> Result<(Seen, Option<Evidence>), SpawnError> {
    let nothing =
        Act { phases: &[], finish: Finish::Close, patience: patience(Duration::ZERO, false) };
    let empty = subject.try_out(nothing).await?;
    if matches!(empty.left, Left::Never | Left::Flooded) {
        return Ok((empty, None));
    }
    let usual = patience(empty.took, false);
    let banner = empty.lines().len();
    let send = async |input: &[u8], finish: Finish, lines: usize, patience: Patience| {
        let phases = [Phase { send: input, until: Until::Lines(lines) }];
        subject.try_out(Act { phases: &phases, finish, patience }).await
    };
    let first = inputs::records(1);
    let one = send(&first, Finish::Close, banner + 1, patience(empty.took, true)).await?;
    let many = inputs::records(MANY);
    let many = send(&many, Finish::Close, banner + MANY, usual).await?;
    let all = async |input: &[u8]| send(input, Finish::Close, 0, usual).await;
    let bad = all(&inputs::between(b"not json")).await?;
    let blank = all(&inputs::between(b"")).await?;
    let long = all(&inputs::long()).await?;
    let utf8 = all(&inputs::between(inputs::NO_UTF8)).await?;
    let spellings: String = inputs::SPELLINGS.map(|(_, line)| format!("{line}\n")).concat();
    let spellings = all(spellings.as_bytes()).await?;
    let term = send(&first, Finish::Term, banner + 1, usual).await?;
    let deaf = send(&inputs::records(20 * MANY), Finish::Deaf, 0, usual).await?;
    let (request, requests) = converse(subject, empty.took).await?;
    let command = subject.command;
    let resolved = std::fs::canonicalize(&command.program).ok();
    let remedy = remedy(&command.argv, resolved.as_deref());
    let mended = match remedy.as_ref().and_then(|remedy| remedy.argv.as_ref()) {
        Some(argv) if habits::keeps_back(&one) => mend(subject, argv, banner, empty.took).await?,
        _ => None,
    };
    let evidence = Evidence {
        empty: empty.clone(),
        one,
        many,
        bad,
        blank,
        long,
        utf8,
        spellings,
        term,
        deaf,
        request,
        requests,
        remedy,
        mended,
    };
    Ok((empty, Some(evidence)))
}

/// Sends one request, and many to who answers that.
async fn converse(
    subject: &Subject<'_>,
    start: Duration,
) -> Result<(Seen, Option<Seen>), SpawnError> {
    let command = subject.command;
    // As a worker of a pool has it.
    let unbuffered = [("PYTHONUNBUFFERED", "1")];
    let (one, rest) = (inputs::requests(1..=1), inputs::requests(2..=MANY));
    let phases = [
        Phase { send: &one, until: Until::Ids(1) },
        Phase { send: &rest, until: Until::Ids(MANY) },
    ];
    let act = Act { phases: &phases[..1], finish: Finish::Close, patience: patience(start, true) };
    let request = subject.try_as(&command.argv, &command.program, &unbuffered, act).await?;
    if records::answered(&request).is_err() {
        return Ok((request, None));
    }
    let act = Act { phases: &phases, ..act };
    let requests = subject.try_as(&command.argv, &command.program, &unbuffered, act).await?;
    Ok((request, Some(requests)))
}

/// Tries a mended argument vector: does it answer at once? None where it cannot be tried.
async fn mend(
    subject: &Subject<'_>,
    argv: &[OsString],
    banner: usize,
    start: Duration,
) -> Result<Option<bool>, SpawnError> {
    let command = subject.command;
    let program = if argv.first() == command.argv.first() {
        Some(command.program.clone())
    } else {
        argv.first().and_then(|name| find(name, command))
    };
    let Some(program) = program else { return Ok(None) };
    let one = inputs::records(1);
    let phases = [Phase { send: &one, until: Until::Lines(banner + 1) }];
    let act = Act { phases: &phases, finish: Finish::Close, patience: patience(start, true) };
    let seen = subject.try_as(argv, &program, &[], act).await?;
    Ok(Some(seen.lines_by(0).len() > banner))
}

/// Finds a program on the `PATH` that a command wakes up with.
fn find(name: &OsString, command: &Command) -> Option<PathBuf> {
    let path = command.env.iter().rev().find(|(key, _)| key == "PATH").map(|(_, value)| value);
    which::which_in(name, path, &command.folder).ok()
}
