//! `stream` with `per_record`: the input is cut into pieces, each for a filter of its own, and what
//! these write leaves in the order of the pieces.
//!
//! Whoever hands on holds the [`Baton`]; it goes from piece to piece as each is settled. A piece
//! whose turn has not come keeps what it makes in a file.

pub mod cut;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::child::nursery::{Nursery, Worker};
use crate::plan::{Pieces as PiecesPlan, Program, Stream as Expected};
use crate::publish::spool::Spool;
use crate::stage::pieces::cut::{Cut, Cutter};
use crate::stage::stream::Stream;
use crate::stage::teller::Teller;
use crate::stage::{Io, Life, Stage, hire};
use crate::words::belt::{Inlet, Outlet, Post, Stop, StopSign, Taken, edge, stopped};
use crate::words::event::Events;
use crate::words::id::RunId;
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::marks::{Mark, What};
use crate::words::outcome::{Exit, Failure};
use crate::words::record::Batch;

/// How many batches may wait between a filter and whoever takes what it writes.
const QUEUE: usize = 2;

/// How many pieces may wait for their turn, for each worker.
const AHEAD: usize = 2;

/// A stage of many filters.
pub struct Pieces {
    plan: Program,
    expected: Expected,
    cutting: PiecesPlan,
    nursery: Arc<Nursery>,
    run: RunId,
    spool: PathBuf,
    /// The first filter: it runs before any input is read.
    first: Worker,
}

impl Pieces {
    /// Makes a stage whose first worker runs; what waits for its turn waits in the folder `spool`.
    pub fn new(
        (plan, expected, cutting): (Program, Expected, PiecesPlan),
        nursery: Arc<Nursery>,
        run: RunId,
        spool: PathBuf,
        first: Worker,
    ) -> Self {
        Self { plan, expected, cutting, nursery, run, spool, first }
    }
}

/// What whoever hands on works with.
struct Baton {
    output: Outlet,
    letters: Letters,
    /// The number of the next record.
    seq: u64,
    /// Where the pieces before this one ended, as the line and the byte behind.
    before: (u64, u64),
    /// Where this one is, by itself.
    here: (u64, u64),
    /// Whether a filter said that the data is bad: whoever goes on behind it would not know.
    bad: bool,
}

type Turn = oneshot::Receiver<Baton>;

/// What all pieces share.
struct Shared {
    plan: Program,
    expected: Expected,
    nursery: Arc<Nursery>,
    run: RunId,
    spool: PathBuf,
    tally: Arc<Tally>,
    stop: StopSign,
    events: Events,
    post: Post,
    places: Arc<Semaphore>,
    free: Mutex<BTreeSet<u32>>,
    workers: usize,
}

/// Lines of the input for one filter.
#[derive(Default)]
struct Piece {
    batches: Vec<Arc<Batch>>,
    /// Whether the input ends here, and well.
    whole: bool,
}

/// The place of a worker.
struct Place {
    number: u32,
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut free = self.shared.free();
        free.insert(self.number);
        self.shared.tell(free.len());
        self.shared.tally.alive.sub(1);
    }
}

impl Stage for Pieces {
    fn live(self: Box<Self>, io: Io) -> Life {
        Box::pin(async move {
            let Self { plan, expected, cutting, nursery, run, spool, first } = *self;
            let Io { mut input, output, letters, tally, stop, events, post, .. } = io;
            let workers = cutting.workers as usize;
            let shared = Arc::new(Shared {
                plan,
                expected,
                nursery,
                run,
                spool,
                tally,
                stop,
                events,
                post,
                places: Arc::new(Semaphore::new(workers)),
                free: Mutex::new((0..cutting.workers).collect()),
                workers,
            });
            let (start, turn) = oneshot::channel();
            // Its receiver is right here.
            start
                .send(Baton { output, letters, seq: 0, before: (0, 0), here: (0, 0), bad: false })
                .ok();
            let mut belt = Belt {
                shared: Arc::clone(&shared),
                cutter: Cutter::new(cutting.split),
                open: Piece::default(),
                first: Some(first),
                turn: Some(turn),
                tasks: JoinSet::new(),
                failures: Vec::new(),
            };
            let whole = belt.take_all(&mut input).await;
            input.drain().await;
            belt.end(whole).await
        })
    }
}

/// The pieces on their way.
struct Belt {
    shared: Arc<Shared>,
    cutter: Cutter,
    open: Piece,
    first: Option<Worker>,
    /// The turn of whatever comes next.
    turn: Option<Turn>,
    tasks: JoinSet<Vec<Failure>>,
    failures: Vec<Failure>,
}

impl Belt {
    /// Cuts what comes, and starts a filter for each piece; false if the input broke off.
    async fn take_all(&mut self, input: &mut Inlet) -> bool {
        let mut stop = self.shared.stop.clone();
        loop {
            let taken = tokio::select! {
                biased;
                () = stopped(&mut stop, Stop::Abort) => return false,
                taken = input.take() => taken,
            };
            match taken {
                Taken::Batch(batch) => {
                    for cut in self.cutter.cut(&batch) {
                        match cut {
                            Cut::Lines(lines) => self.open.batches.push(lines),
                            Cut::End => self.start(true).await,
                        }
                    }
                }
                Taken::Mark(mark) => {
                    if !self.open.batches.is_empty() {
                        self.cutter.close();
                        self.start(true).await;
                    }
                    self.pass(mark);
                }
                Taken::End => return true,
                Taken::Broken => return false,
            }
        }
    }

    /// Puts a mark behind all pieces.
    fn pass(&mut self, mark: Mark) {
        let (tell, turn) = oneshot::channel();
        let Some(mine) = self.turn.replace(turn) else { return };
        let shared = Arc::clone(&self.shared);
        self.tasks.spawn(async move {
            if let Ok(mut baton) = mine.await {
                let Baton { output, letters, bad, .. } = &mut baton;
                if !*bad {
                    letters.hand_on(mark, output, shared.tally.settled(), What::Stage).await;
                }
                // Whoever is next may have gone with the run.
                tell.send(baton).ok();
            }
            Vec::new()
        });
    }

    /// Starts a filter for the open piece, as soon as there is a place for it.
    async fn start(&mut self, whole: bool) {
        let piece = Piece { whole, ..std::mem::take(&mut self.open) };
        while self.tasks.len() >= self.shared.workers * (1 + AHEAD) {
            self.join().await;
        }
        let Ok(permit) = Arc::clone(&self.shared.places).acquire_owned().await else { return };
        let place = Shared::take(&self.shared, permit);
        let worker = if let Some(first) = self.first.take() {
            Ok(first)
        } else {
            let Shared { plan, nursery, run, events, .. } = self.shared.as_ref();
            hire(plan, nursery, run, events, place.number).await
        };
        let (tell, turn) = oneshot::channel();
        let Some(mine) = self.turn.replace(turn) else { return };
        match worker {
            Ok(worker) => {
                self.tasks.spawn(treat(place, worker, piece, mine, tell));
            }
            Err(failure) => {
                place.teller().failed(failure.clone());
                self.failures.push(failure);
            }
        }
    }

    /// Waits for one of the tasks.
    async fn join(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(failures)) => self.failures.extend(failures),
            Some(Err(_)) => {
                let stage = &self.shared.plan.stage;
                let message = format!("stage `{stage}` panicked: this is a bug in esteira");
                let failure = Failure::new(Exit::Bug, message);
                self.failures.push(failure.hint("please report it with the message above"));
            }
            None => {}
        }
    }

    /// Ends when all have; closes the books.
    async fn end(mut self, whole: bool) -> Vec<Failure> {
        if self.first.is_some() || (whole && !self.open.batches.is_empty()) {
            self.start(whole).await;
        }
        while !self.tasks.is_empty() {
            self.join().await;
        }
        let tally = &self.shared.tally;
        let known = tally.accepted.get() + tally.rejected.get() + tally.dropped.get();
        tally.in_doubt.set(tally.input.get().saturating_sub(known));
        // It comes back if every piece was settled.
        let baton = self.turn.take().and_then(|mut turn| turn.try_recv().ok());
        if let Some(Baton { output, letters, .. }) = baton {
            letters.close().await;
            if whole {
                output.end().await;
            }
        }
        self.failures
    }
}

impl Shared {
    fn free(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the gauge how many work.
    fn tell(&self, free: usize) {
        let working = u32::try_from(self.workers - free).unwrap_or(u32::MAX);
        self.tally.gauge.hands(working, free == 0);
    }

    /// Takes a place, of which the permit says that there is one.
    fn take(shared: &Arc<Self>, permit: OwnedSemaphorePermit) -> Place {
        let mut free = shared.free();
        let number = free.pop_first().unwrap_or_default();
        shared.tell(free.len());
        drop(free);
        shared.tally.alive.add(1);
        Place { number, shared: Arc::clone(shared), _permit: permit }
    }
}

impl Place {
    fn teller(&self) -> Teller {
        let Shared { plan, events, post, .. } = self.shared.as_ref();
        Teller::new(plan.stage.clone(), self.number, events.clone(), post.clone()).one_of_many()
    }
}

/// Sends a piece through a filter, and hands on what that wrote when it is its turn.
async fn treat(
    place: Place,
    worker: Worker,
    piece: Piece,
    turn: Turn,
    tell: oneshot::Sender<Baton>,
) -> Vec<Failure> {
    let (shared, teller) = (Arc::clone(&place.shared), place.teller());
    let lines = piece.lines();
    let tally = Arc::new(Tally::default());
    let (to, mut input) = edge(1, Arc::default(), Arc::clone(&tally));
    let (output, made) = edge(QUEUE, Arc::clone(&tally), Arc::default());
    let feeding = async move {
        for batch in piece.batches {
            to.send(batch).await;
        }
        if piece.whole {
            to.end().await;
        }
    };
    let stream = Stream::new(shared.plan.clone(), shared.expected, worker);
    let filtering = async {
        let pumped = stream.pump(&mut input, output, &tally, &shared.stop, &teller).await;
        input.drain().await;
        drop(place);
        pumped
    };
    let ((), pumped, kept) = tokio::join!(feeding, filtering, collect(&shared, made, turn));
    let mut failures = pumped.unwrap_or_else(|error| {
        let stage = &shared.plan.stage;
        let message = format!("stage `{stage}`: lost touch with its worker: {error}");
        vec![Failure::new(Exit::World, message)]
    });
    let baton = match kept {
        Kept::Whole(mut baton) => {
            shared.tally.accepted.add(tally.accepted.get());
            shared.tally.dropped.add(tally.dropped.get());
            baton.next();
            baton.bad |= !failures.is_empty();
            Some(baton)
        }
        Kept::Torn => None,
        Kept::Lost(failure) => {
            failures.push(failure);
            None
        }
        // One before it failed: what happened to this one is not looked at any more.
        Kept::Late => return Vec::new(),
    };
    for failure in failures.iter_mut().filter(|failure| failure.exit != Exit::Data) {
        if let Some((from, to)) = &lines {
            failure.hints.push(format!("it had the lines from {from} to {to}"));
        }
        teller.failed(failure.clone());
    }
    if let Some(baton) = baton {
        // Whoever is next may have gone with the run.
        tell.send(*baton).ok();
    }
    failures
}

/// What came of taking in what a filter wrote.
enum Kept {
    /// All of it was handed on, and it is good.
    Whole(Box<Baton>),
    /// It is not whole.
    Torn,
    /// It could not be kept.
    Lost(Failure),
    /// Its turn never came.
    Late,
}

/// Takes what a filter writes: until it is its turn into a file, then straight on.
async fn collect(shared: &Shared, mut made: Inlet, mut turn: Turn) -> Kept {
    let mut spool: Option<Spool> = None;
    let (mut lost, mut end) = (None, None);
    let come = loop {
        let taken = tokio::select! {
            biased;
            come = &mut turn => break come,
            taken = made.take(), if end.is_none() => taken,
        };
        match taken {
            Taken::Batch(batch) if lost.is_none() => lost = keep(shared, &mut spool, &batch).err(),
            Taken::Batch(_) | Taken::Mark(_) => {}
            Taken::End => end = Some(true),
            Taken::Broken => end = Some(false),
        }
    };
    let Ok(mut baton) = come else {
        while end.is_none() && matches!(made.take().await, Taken::Batch(_) | Taken::Mark(_)) {}
        return Kept::Late;
    };
    while lost.is_none()
        && let Some(spool) = &mut spool
    {
        match spool.take() {
            Ok(Some(batch)) => baton.hand_on(Arc::new(batch)).await,
            Ok(None) => break,
            Err(error) => lost = Some(shared.spool_failure(&error)),
        }
    }
    drop(spool);
    while end.is_none() {
        match made.take().await {
            Taken::Batch(batch) if lost.is_none() => baton.hand_on(batch).await,
            Taken::Batch(_) | Taken::Mark(_) => {}
            Taken::End => end = Some(true),
            Taken::Broken => end = Some(false),
        }
    }
    match lost {
        Some(failure) => Kept::Lost(failure),
        None if end == Some(true) => Kept::Whole(Box::new(baton)),
        None => Kept::Torn,
    }
}

fn keep(shared: &Shared, spool: &mut Option<Spool>, batch: &Batch) -> Result<(), Failure> {
    let put = |error| shared.spool_failure(&error);
    if spool.is_none() {
        *spool = Some(Spool::create(&shared.spool).map_err(put)?);
    }
    spool.as_mut().map_or(Ok(()), |spool| spool.put(batch)).map_err(put)
}

impl Shared {
    fn spool_failure(&self, error: &std::io::Error) -> Failure {
        let folder = crate::words::text::escape(self.spool.as_os_str().as_encoded_bytes());
        let stage = &self.plan.stage;
        let message = format!(
            "cannot keep what `{stage}` wrote until it is its turn, in `{folder}`: {error}"
        );
        Failure::new(Exit::World, message)
            .hint("name a folder with room: `TMPDIR=FOLDER esteira run`")
    }
}

impl Baton {
    /// Hands on what a filter wrote, with its place in all that the stage writes.
    async fn hand_on(&mut self, batch: Arc<Batch>) {
        let batch = Arc::try_unwrap(batch).unwrap_or_else(|shared| shared.without(&[]));
        self.here = batch.behind_last();
        let batch = batch.moved(self.seq, self.before);
        self.seq = batch.seqs().end;
        self.output.send(Arc::new(batch)).await;
    }

    /// Goes on to the next piece.
    fn next(&mut self) {
        let here = std::mem::take(&mut self.here);
        self.before = (self.before.0 + here.0, self.before.1 + here.1);
    }
}

impl Piece {
    /// Says which lines it has, as people read it.
    fn lines(&self) -> Option<(String, String)> {
        let shown = |batch: &Batch, line: u64| {
            let origin = batch.origin();
            let file = origin.file.as_deref().map_or(origin.table.as_str(), |file| file);
            format!("{file}:{line}")
        };
        let (first, last) = (self.batches.first()?, self.batches.last()?);
        let from = first.iter().next()?.at.line;
        let to = last.iter().last()?.at.line;
        Some((shown(first, from), shown(last, to)))
    }
}
