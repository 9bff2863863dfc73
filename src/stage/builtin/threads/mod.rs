//! The threads of a built-in stage. Each takes a piece of what comes in, treats its records, and
//! brings back what it made; whoever brings what is next hands on, for the others, too. No other
//! thread is between the stage's input and its output.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::json::pointer::locate;
use crate::stage::builtin::made::{Made, Making, Refused};
use crate::stage::builtin::turns::Turns;
use crate::stage::builtin::{Outcome, STACK, Task};
use crate::stage::{Io, Life, Stage, limit_passed};
use crate::words::belt::{Inlet, Notice, Outlet, Post, Stop, StopSign, Taken, stopped};
use crate::words::buffer::Pool;
use crate::words::dead_letter::{Complaint, DeadLetter, Kept};
use crate::words::frame::BLOCK;
use crate::words::id::Name;
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::marks::{Mark, What};
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Order;
use crate::words::record::{Batch, Origin, Record};

/// For how long a thread should be busy with one piece, so that all have work even when each
/// record takes long, and what is made does not wait for long.
const PIECE: Duration = Duration::from_millis(4);

/// What a record is taken to cost before one was treated.
const FIRST: Duration = Duration::from_micros(100);

/// How many pieces may be in hand for each thread.
const AHEAD: u64 = 2;

/// A built-in stage.
pub(super) struct Threads {
    name: Name,
    task: Box<dyn Task>,
    count: u32,
    order: Order,
}

impl Threads {
    /// Makes a stage of a task.
    pub(super) fn new(name: Name, task: Box<dyn Task>, count: u32, order: Order) -> Self {
        Self { name, task, count, order }
    }
}

/// What comes in.
struct Intake {
    input: Inlet,
    /// A batch that was taken in part, and how far.
    rest: Option<(Arc<Batch>, usize)>,
    /// Whether all came, once the input is at its end.
    whole: Option<bool>,
}

/// What there is to do next.
enum Job {
    Piece(Piece),
    /// A mark to pass on in its turn.
    Mark(u64, Mark),
}

/// Some records of a batch.
struct Piece {
    ticket: u64,
    batch: Arc<Batch>,
    from: usize,
    count: usize,
}

/// What comes in next.
enum Next {
    Records(Arc<Batch>, usize),
    Mark(Mark),
}

/// What goes out.
struct Exits {
    output: Outlet,
    letters: Letters,
}

struct Shared {
    name: Name,
    task: Box<dyn Task>,
    intake: Mutex<Intake>,
    turns: Mutex<Turns<Made>>,
    /// Told whenever a ticket is free again.
    room: Condvar,
    exits: Mutex<Option<Exits>>,
    pool: Pool,
    /// What a record takes, in nanoseconds.
    cost: AtomicU64,
    /// Whether the stage has stopped by itself.
    over: AtomicBool,
    tally: Arc<Tally>,
    stop: StopSign,
    post: Post,
}

impl Stage for Threads {
    fn live(self: Box<Self>, io: Io) -> Life {
        Box::pin(async move {
            let Self { name, task, count, order } = *self;
            let Io { input, output, letters, tally, stop, post, .. } = io;
            let shared = Arc::new(Shared {
                name,
                task,
                intake: Mutex::new(Intake { input, rest: None, whole: None }),
                turns: Mutex::new(Turns::new(order, AHEAD * u64::from(count))),
                room: Condvar::new(),
                exits: Mutex::new(Some(Exits { output, letters })),
                // What is made may be longer than what it is made of.
                pool: Pool::new(2 * BLOCK),
                cost: AtomicU64::new(nanos(FIRST)),
                over: AtomicBool::new(false),
                tally,
                stop,
                post,
            });
            let (alive, mut ends) = mpsc::channel(1);
            let mut failures = Vec::new();
            for _ in 0..count {
                failures.extend(start(&shared, alive.clone()).err());
            }
            drop(alive);
            let (given_up, mut early) = mpsc::channel(1);
            let mut given_up = Some(given_up);
            let mut sign = shared.stop.clone();
            loop {
                tokio::select! {
                    ended = ends.recv() => match ended {
                        Some(failure) => failures.push(failure),
                        None => break,
                    },
                    () = stopped(&mut sign, Stop::Abort), if given_up.is_some() => {
                        failures.extend(given_up.take().and_then(|to| shared.give_up(to).err()));
                    }
                    Some(Exits { output, letters }) = early.recv() => {
                        drop(output);
                        letters.close().await;
                    }
                }
            }
            drop(given_up);
            while let Some(Exits { output, letters }) = early.recv().await {
                drop(output);
                letters.close().await;
            }
            shared.settle(&failures).await;
            failures
        })
    }
}

fn start(shared: &Arc<Shared>, alive: mpsc::Sender<Failure>) -> Result<(), Failure> {
    let thread = std::thread::Builder::new().name(format!("stage:{}", shared.name));
    let thread = thread.stack_size(STACK);
    let own = Arc::clone(shared);
    let started = thread.spawn(move || {
        own.tally.alive.add(1);
        let worked = catch_unwind(AssertUnwindSafe(|| own.work()));
        own.tally.alive.sub(1);
        if worked.is_err() {
            let failure = own.bug();
            own.fail(failure.clone());
            own.drain();
            // The stage waits for this before it ends.
            alive.blocking_send(failure).ok();
        }
    });
    started.map(drop).map_err(|error| {
        shared.over.store(true, Ordering::Relaxed);
        no_thread(&error)
    })
}

fn no_thread(error: &std::io::Error) -> Failure {
    Failure::new(Exit::World, format!("cannot start a thread: {error}"))
}

impl Shared {
    /// Takes, treats and brings, until there is nothing more.
    fn work(&self) {
        let mut scratch = Vec::new();
        while let Some(job) = self.take() {
            let (ticket, made) = match job {
                Job::Mark(ticket, mark) => (ticket, Made::mark(mark)),
                Job::Piece(piece) => {
                    let _working = self.tally.gauge.working();
                    (piece.ticket, self.make(&piece, &mut scratch))
                }
            };
            if lock(&self.turns).bring(ticket, made) {
                self.hand_on();
            }
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed) || *self.stop.borrow() >= Stop::Abort
    }

    /// Takes the next piece; none at the end of the input.
    fn take(&self) -> Option<Job> {
        let mut intake = lock(&self.intake);
        let mut turns = lock(&self.turns);
        while turns.is_full() && !self.is_over() {
            turns = self.room.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        drop(turns);
        let (batch, from) = match self.next(&mut intake)? {
            Next::Records(batch, from) => (batch, from),
            Next::Mark(mark) => return Some(Job::Mark(lock(&self.turns).give(), mark)),
        };
        let left = usize::try_from(batch.records()).unwrap_or(usize::MAX) - from;
        let fits = nanos(PIECE) / self.cost.load(Ordering::Relaxed).max(1);
        let count = usize::try_from(fits).unwrap_or(usize::MAX).clamp(1, left.max(1));
        if count < left {
            intake.rest = Some((Arc::clone(&batch), from + count));
        }
        Some(Job::Piece(Piece { ticket: lock(&self.turns).give(), batch, from, count }))
    }

    fn next(&self, intake: &mut Intake) -> Option<Next> {
        while intake.whole.is_none() {
            if let Some((batch, from)) = intake.rest.take().filter(|_| !self.is_over()) {
                return Some(Next::Records(batch, from));
            }
            match intake.input.take_blocking() {
                // Whatever happened here, what comes is taken to its end, so that it is counted.
                Taken::Batch(_) | Taken::Mark(_) if self.is_over() => {}
                Taken::Batch(batch) => return Some(Next::Records(batch, 0)),
                Taken::Mark(mark) => return Some(Next::Mark(mark)),
                Taken::End => intake.whole = Some(true),
                Taken::Broken => intake.whole = Some(false),
            }
        }
        None
    }

    /// Lets go of what comes out and of what comes in, however long the threads are busy with the
    /// records they have: whoever is before and behind this stage can end at once.
    fn give_up(self: &Arc<Self>, to: mpsc::Sender<Exits>) -> Result<(), Failure> {
        let thread = std::thread::Builder::new().name(format!("stage:{}", self.name));
        let own = Arc::clone(self);
        let started = thread.spawn(move || {
            // Whoever waits for a ticket holds the intake. With the lock, no wait begins meanwhile.
            drop(lock(&own.turns));
            own.room.notify_all();
            let exits = lock(&own.exits).take();
            exits.map(|exits| to.blocking_send(exits).ok());
            own.drain();
        });
        started.map(drop).map_err(|error| no_thread(&error))
    }

    fn drain(&self) {
        self.next(&mut lock(&self.intake));
    }

    /// Treats the records of a piece.
    fn make(&self, piece: &Piece, scratch: &mut Vec<u8>) -> Made {
        let began = Instant::now();
        let mut making =
            Making::new(&piece.batch, (piece.from, piece.from + piece.count), &self.pool);
        for record in piece.batch.iter().skip(piece.from).take(piece.count) {
            if self.is_over() {
                break;
            }
            scratch.clear();
            match self.treat(&record, piece.batch.origin(), scratch) {
                Outcome::Kept => making.keep(&record),
                Outcome::Replaced => making.replace(&record, scratch),
                Outcome::Dropped => making.leave_out(),
                Outcome::Rejected(errors) => making.refuse(&record, errors),
                Outcome::Broken(failure) => {
                    making.stop(failure.within(&self.name));
                    break;
                }
            }
        }
        let count = u64::try_from(piece.count).unwrap_or(u64::MAX).max(1);
        self.cost.store(nanos(began.elapsed()) / count, Ordering::Relaxed);
        making.finish()
    }

    /// Treats a record; that it makes the task panic is its own affair.
    fn treat(&self, record: &Record<'_>, origin: &Arc<Origin>, out: &mut Vec<u8>) -> Outcome {
        let treated = catch_unwind(AssertUnwindSafe(|| self.task.treat(record, origin, out)));
        treated.unwrap_or_else(|_| {
            let message = "the stage panicked on it: this is a bug in esteira".to_owned();
            Outcome::Rejected(vec![Complaint::new("", "stage.panicked", message)])
        })
    }

    /// Hands on what is next, as long as there is any.
    fn hand_on(&self) {
        loop {
            let next = lock(&self.turns).next();
            let Some(made) = next else { return };
            if let Some(exits) = lock(&self.exits).as_mut().filter(|_| !self.is_over()) {
                self.let_go(made, exits);
            }
            self.room.notify_all();
        }
    }

    fn let_go(&self, made: Made, exits: &mut Exits) {
        let Made { batch, dropped, refused, broken, mark } = made;
        if let Some(mark) = mark {
            exits.letters.pass(mark, &exits.output, self.tally.settled(), What::Stage);
        }
        for refused in refused {
            exits.letters.reject(&self.letter(refused));
            if let Some(failure) = limit_passed(&self.name, &exits.letters) {
                self.fail(failure);
                return;
            }
        }
        self.tally.dropped.add(dropped);
        if let Some(batch) = batch {
            let records = batch.records();
            exits.output.send_blocking(batch);
            self.tally.accepted.add(records);
        }
        if let Some(failure) = broken {
            self.fail(failure);
        }
    }

    fn letter(&self, refused: Refused) -> DeadLetter {
        let Refused { batch, record, at, changed, mut errors } = refused;
        locate(&mut errors, &record, changed);
        let origin = batch.origin();
        DeadLetter {
            kept: Kept::Json(record),
            source: origin.table.clone(),
            file: origin.file.clone(),
            at,
            stage: Some(self.name.clone()),
            errors,
            trace: None,
        }
    }

    /// Stops the stage, and tells the run why.
    fn fail(&self, failure: Failure) {
        self.over.store(true, Ordering::Relaxed);
        self.room.notify_all();
        // The post closes only with the run, which waits for this stage.
        self.post.blocking_send(Notice::Failed(failure)).ok();
    }

    fn bug(&self) -> Failure {
        let message = format!("stage `{}` panicked: this is a bug in esteira", self.name);
        Failure::new(Exit::Bug, message).hint("please report it with the message above")
    }

    /// Closes the books: what is not known by now is in doubt.
    async fn settle(&self, failures: &[Failure]) {
        let whole = lock(&self.intake).whole == Some(true);
        let tally = &self.tally;
        let known = tally.accepted.get() + tally.rejected.get() + tally.dropped.get();
        tally.in_doubt.set(tally.input.get().saturating_sub(known));
        let exits = lock(&self.exits).take();
        let Some(Exits { output, letters }) = exits else { return };
        letters.close().await;
        if whole && failures.is_empty() && !self.is_over() {
            output.end().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
