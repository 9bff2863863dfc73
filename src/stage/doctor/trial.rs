//! One child that is tried: what it is sent, in which order, and what was seen of it. Its time
//! and its output are bounded, and all of its pipes are drained whatever it does.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::child::guard::{KILL, Report, TERM};
use crate::child::nursery::{End, Keeper, Nursery, SpawnError, Worker};
use crate::child::proc;
use crate::child::pump::{Found, Reader, Writer};
use crate::child::spawn::Spec;
use crate::plan::Command;

/// How much of its stdout is kept; who writes more is killed.
const OUTPUT: usize = 16 << 20;
/// How much of its stderr is kept.
const STDERR: usize = 4 << 10;
/// How often to look whether it only waits.
const LOOK: Duration = Duration::from_millis(25);
/// How long a killed child may take to be gone.
const UNKILLABLE: Duration = Duration::from_millis(1500);

/// How long a child is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For a reply, while it seems to work on one.
    pub(super) reply: Duration,
    /// For a reply, once it has read everything and does nothing.
    pub(super) silence: Duration,
    /// For its end.
    pub(super) end: Duration,
}

/// Something to send, and what to wait for then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase<'a> {
    pub(super) send: &'a [u8],
    pub(super) until: Until,
}

/// When a phase is over: there is so much in all, or it is plain that no more comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    Lines(usize),
    /// Lines with an `id` in them.
    Ids(usize),
}

/// How a trial is brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// Its input ends.
    Close,
    /// It is asked to end while its input stays open.
    Term,
    /// Nobody reads its output any more, from its first bytes on; then its input ends.
    Deaf,
}

/// What is done to a child.
#[derive(Clone, Copy, Debug)]
pub(super) struct Act<'a> {
    pub(super) phases: &'a [Phase<'a>],
    pub(super) finish: Finish,
    pub(super) patience: Patience,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Code(i32),
    Signal(i32),
    /// It did not end by itself.
    Never,
    /// It wrote without end.
    Flooded,
}

/// What was seen of a child.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// All it wrote to stdout.
    pub(super) out: Vec<u8>,
    /// How much of that was there when each phase was over.
    pub(super) marks: Vec<usize>,
    /// What it wrote to stderr, its beginning.
    pub(super) err: Vec<u8>,
    /// How it ended.
    pub(super) left: Left,
    /// How long it lived.
    pub(super) took: Duration,
    /// Bytes that it never read; none where it had closed its input.
    pub(super) unread: Option<u64>,
    /// The processes that outlived it.
    pub(super) leaked: Vec<(u32, String)>,
}

impl Seen {
    /// Tells whether it read all of its input.
    pub(super) fn read_all(&self) -> bool {
        self.unread == Some(0)
    }

    /// Returns the lines it wrote.
    pub(super) fn lines(&self) -> Vec<&[u8]> {
        lines(&self.out)
    }

    /// Returns the lines that were whole when a phase was over.
    pub(super) fn lines_by(&self, phase: usize) -> Vec<&[u8]> {
        let mark = self.marks.get(phase).copied().unwrap_or(self.out.len());
        let whole = memchr::memrchr(b'\n', &self.out[..mark]).map_or(0, |at| at + 1);
        lines(&self.out[..whole])
    }
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() { Vec::new() } else { body.split(|b| *b == b'\n').collect() }
}

/// A program to try.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) command: &'a Command,
    pub(super) nursery: &'a Arc<Nursery>,
    /// The title of its guards.
    pub(super) title: &'a str,
}

/// What the parts of a trial tell each other; all run on one thread.
#[derive(Default)]
struct Board {
    out: RefCell<Vec<u8>>,
    flooded: Cell<bool>,
    /// Its stdout is at its end, or it is gone.
    over: Cell<bool>,
    changed: Notify,
    gone: Notify,
}

impl Board {
    fn has(&self, until: Until) -> bool {
        let out = self.out.borrow();
        match until {
            Until::Lines(count) => memchr::memchr_iter(b'\n', &out).count() >= count,
            Until::Ids(count) => {
                let whole = memchr::memrchr(b'\n', &out).map_or(0, |at| at + 1);
                memchr::memmem::find_iter(&out[..whole], b"\"id\"").count() >= count
            }
        }
    }
}

impl Subject<'_> {
    /// Tries a child once, as `argv` and with more variables.
    pub(super) async fn try_as(
        &self,
        argv: &[OsString],
        program: &std::path::Path,
        more: &[(&str, &str)],
        act: Act<'_>,
    ) -> Result<Seen, SpawnError> {
        let mut env = self.command.env.clone();
        env.push(("ESTEIRA_WORKER".into(), "0".into()));
        env.extend(more.iter().map(|(name, value)| (name.into(), value.into())));
        let folder = &self.command.folder;
        let spec = Spec { title: self.title, program, argv, folder, env: &env };
        let worker = self.nursery.spawn(&spec).await?;
        watch(worker, act).await.map_err(SpawnError::Own)
    }

    /// Tries a child once.
    pub(super) async fn try_out(&self, act: Act<'_>) -> Result<Seen, SpawnError> {
        self.try_as(&self.command.argv, &self.command.program, &[], act).await
    }
}

async fn watch(worker: Worker, act: Act<'_>) -> io::Result<Seen> {
    let began = Instant::now();
    let board = Board::default();
    let session = (worker.session(), worker.pid());
    let Worker { stdin, stdout, mut stderr, keeper, .. } = worker;
    let remote = keeper.remote();
    let deaf = act.finish == Finish::Deaf;
    let body = async {
        tokio::try_join!(
            feed(stdin, session, act, &board, || remote.tell(TERM)),
            gather(stdout, deaf, &board),
            drain(&mut stderr),
            ended(keeper, &board),
        )
    };
    tokio::pin!(body);
    let waits = u32::try_from(act.phases.len()).unwrap_or(1);
    let limit = act.patience.reply * waits + act.patience.end;
    let (parts, killed) = tokio::select! {
        parts = &mut body => (parts?, false),
        () = too_much(limit, &board) => {
            remote.tell(KILL);
            board.over.set(true);
            board.changed.notify_one();
            let unkillable = |_| io::Error::other("it cannot be killed");
            (tokio::time::timeout(UNKILLABLE, body).await.map_err(unkillable)??, true)
        }
    };
    let took = began.elapsed();
    let ((marks, unread), (), err, end) = parts;
    let (left, leaked) = match end {
        _ if board.flooded.get() => (Left::Flooded, Vec::new()),
        _ if killed => (Left::Never, Vec::new()),
        End::Told(Report::Ended { code, signal, leaked, .. }) => {
            let left = code.map(Left::Code).or(signal.map(Left::Signal));
            (left.unwrap_or(Left::Never), leaked)
        }
        End::Told(_) | End::Lost => (Left::Never, Vec::new()),
    };
    Ok(Seen { out: board.out.take(), marks, err, left, took, unread, leaked })
}

/// Returns when a child takes too long or writes too much.
async fn too_much(limit: Duration, board: &Board) {
    let late = tokio::time::sleep(limit);
    tokio::pin!(late);
    while !board.flooded.get() {
        tokio::select! {
            () = &mut late => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

type Marks = Vec<usize>;

async fn feed(
    mut stdin: Writer,
    session: (u32, u32),
    act: Act<'_>,
    board: &Board,
    term: impl Fn(),
) -> io::Result<(Marks, Option<u64>)> {
    let mut marks = Marks::new();
    let mut closed = false;
    for phase in act.phases {
        let mut rest = phase.send;
        while !rest.is_empty() && !closed {
            tokio::select! {
                wrote = stdin.write(rest) => match wrote? {
                    Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                    Err(_) => closed = true,
                },
                () = board.gone.notified() => closed = true,
            }
        }
        await_reply(&stdin, session, phase.until, act.patience, board).await;
        marks.push(board.out.borrow().len());
    }
    if act.finish == Finish::Term {
        term();
        while !board.over.get() {
            board.gone.notified().await;
        }
        return Ok((marks, None));
    }
    // Who has closed its input has no reading end left; what it left unread cannot be told.
    let look = if closed { None } else { Some(stdin.close()?) };
    while !board.over.get() {
        board.gone.notified().await;
    }
    Ok((marks, look.map(|look| look.bytes()).transpose()?))
}

/// Waits until so many lines have come, or it is plain that no more will.
async fn await_reply(
    stdin: &Writer,
    (session, leader): (u32, u32),
    until: Until,
    patience: Patience,
    board: &Board,
) {
    let (mut quiet, mut ticks) = (Duration::ZERO, None);
    let mut since = Instant::now();
    while !board.has(until) && !board.over.get() && since.elapsed() < patience.reply {
        tokio::select! {
            () = board.changed.notified() => (quiet, since) = (Duration::ZERO, Instant::now()),
            () = tokio::time::sleep(LOOK) => {
                let seen = proc::session(session, leader);
                let waits = stdin.unread() == Some(0) && seen.state == Some('S');
                let idle = waits && ticks.replace(seen.ticks) == Some(seen.ticks);
                quiet = if idle { quiet + LOOK } else { Duration::ZERO };
                if quiet >= patience.silence {
                    return;
                }
            }
        }
    }
}

async fn gather(mut stdout: Reader, deaf: bool, board: &Board) -> io::Result<()> {
    let mut room = vec![0; 64 << 10];
    loop {
        match stdout.read(&mut room)? {
            Found::Bytes(count) => {
                let read = &room[..count];
                let mut out = board.out.borrow_mut();
                if out.len() + count > OUTPUT {
                    board.flooded.set(true);
                } else {
                    out.extend_from_slice(read);
                }
                drop(out);
                board.changed.notify_one();
                if deaf {
                    // Who returns closes it.
                    return Ok(());
                }
            }
            Found::Idle => stdout.ready().await?,
            Found::End => return Ok(()),
        }
    }
}

async fn drain(stderr: &mut Reader) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut room = vec![0; 16 << 10];
    loop {
        match stderr.read(&mut room)? {
            Found::Bytes(count) => {
                let more = count.min(STDERR.saturating_sub(kept.len()));
                kept.extend_from_slice(&room[..more]);
            }
            Found::Idle => stderr.ready().await?,
            Found::End => return Ok(kept),
        }
    }
}

async fn ended(keeper: Keeper, board: &Board) -> io::Result<End> {
    let end = keeper.end().await?;
    board.over.set(true);
    board.changed.notify_one();
    board.gone.notify_one();
    Ok(end)
}
