//! One place of a pool: the worker there, and after its end the one in its place.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::child::nursery::{End, Worker};
use crate::child::stop::Rung;
use crate::stage::ended::{Herald, ended};
use crate::stage::feed::Traffic;
use crate::stage::log::Log;
use crate::stage::pool::Shared;
use crate::stage::pool::attend::{Attendance, Fed};
use crate::stage::pool::hear::Hearing;
use crate::stage::pool::judge::{Facts, Fate, judge, refusal, too_many};
use crate::stage::pool::restarts::delay;
use crate::stage::stall::{self, Watch};
use crate::stage::teller::Teller;
use crate::stage::verdict::{self, Left};
use crate::words::belt::{Stop, stopped};
use crate::words::clock;
use crate::words::event::{Event, StderrKept};
use crate::words::outcome::{Exit, Failure};

/// Tends a place until nothing is left to do there; returns what went wrong.
pub(super) async fn tend(shared: Arc<Shared>, number: usize, worker: Worker) -> Vec<Failure> {
    let mut place = Place { shared, number, vain: 0 };
    let mut worker = worker;
    loop {
        let pid = worker.pid();
        place.shared.tally.alive.add(1);
        let spent = place.employ(worker).await;
        place.shared.tally.alive.sub(1);
        let fate = match spent {
            Ok(spent) => place.bury(spent, pid),
            Err(error) => Fate::Over(vec![place.lost_touch(&error)]),
        };
        match fate {
            Fate::Over(failures) => return failures,
            Fate::Again(wait) => match place.replace(wait).await {
                Ok(Some(fresh)) => worker = fresh,
                Ok(None) => return Vec::new(),
                Err(failure) => return vec![failure],
            },
        }
    }
}

/// A place and its workers.
pub(super) struct Place {
    pub(super) shared: Arc<Shared>,
    pub(super) number: usize,
    /// How many workers ended here in a row without an answer.
    vain: u32,
}

/// What is known of a worker that is gone.
struct Spent {
    fed: Fed,
    stderr: StderrKept,
    end: End,
    rung: Option<Rung>,
    hearing: Heard,
    late: bool,
    /// Whether it broke its protocol, which was told.
    broke: bool,
}

/// What was heard of it.
pub(super) struct Heard {
    /// Replies that were taken.
    pub(super) replies: u64,
    /// Bytes of a reply whose end never came.
    pub(super) torn: u64,
    /// Whether its output was still held open by a stranger.
    pub(super) held: bool,
    /// Which line of its output came last.
    pub(super) lines: u64,
}

impl Place {
    /// Attends to a worker until it is gone.
    async fn employ(&self, worker: Worker) -> io::Result<Spent> {
        let shared = &*self.shared;
        let (pid, session) = (worker.pid(), worker.session());
        let Worker { stdin, mut stdout, mut stderr, keeper, .. } = worker;
        let traffic = Traffic::default();
        traffic.listening.store(true, Ordering::Relaxed);
        let teller = shared.teller(self.number);
        let (herald, ended) = ended();
        let (number, remote) = (self.number, keeper.remote());
        let at = Attendance::new(shared, number, &traffic, &teller, ended.clone(), remote);
        let mut hearing = Hearing::new(shared, (self.number, pid), &teller, &traffic);
        let log = Log::new(shared.plan.stage.clone(), teller.worker, shared.events.clone());
        let living = async {
            let end = crate::stage::stream::live(keeper, shared.plan.grace, shared.stop.clone());
            let end = end.await;
            tell(&herald, &end, shared, &teller);
            end
        };
        let gather = async {
            let heard = hearing.gather(&mut stdout, ended.clone()).await?;
            at.mute().await;
            Ok(heard)
        };
        let watch = Watch {
            stage: &shared.plan.stage,
            worker: teller.worker,
            process: (pid, session),
            traffic: &traffic,
            limit: shared.plan.stall,
            buffers: stall::buffers(&shared.plan),
            events: &shared.events,
        };
        let watching = async {
            teller.failed(watch.stalled().await);
            std::future::pending::<()>().await;
        };
        let parts = async {
            let log = log.drain(&mut stderr, ended.clone());
            tokio::try_join!(at.feed(stdin), gather, log, living)
        };
        let parts = tokio::select! {
            parts = parts => parts,
            () = watching => Err(io::Error::other("the watch never ends")),
            () = at.time() => Err(io::Error::other("the clock never ends")),
        };
        shared.desk().close(self.number);
        let (fed, hearing, stderr, (end, rung)) = parts?;
        let late = at.was_late();
        let broke = teller.broke.load(Ordering::Relaxed);
        Ok(Spent { fed, stderr, end, rung, hearing, late, broke })
    }

    /// Tells how a worker ended, and decides what comes of it.
    fn bury(&mut self, spent: Spent, pid: u32) -> Fate {
        let shared = Arc::clone(&self.shared);
        let Spent { fed, stderr, end, rung, hearing, late, broke } = spent;
        let teller = shared.teller(self.number);
        let left = teller.left(&end);
        let outstanding = shared.desk().outstanding(self.number);
        let stopping = shared.is_stopping();
        // Of a reply for each record it is enough to know that they all came.
        let unread = match &fed {
            Fed::All(unread) => unread.bytes().ok(),
            Fed::Part if matches!(left, Left::Code(_)) => None,
            Fed::Part | Fed::Stopped { .. } => Some(0),
        };
        teller.worker_ended(&end, unread, outstanding as u64, stderr.clone());
        let (stage, worker) = (shared.plan.stage.clone(), teller.worker);
        if hearing.held {
            shared.events.emit(Event::OutputHeld { stage: stage.clone(), worker });
        }
        if rung == Some(Rung::GraceOver) {
            shared.events.emit(Event::KilledAfterGrace { stage: stage.clone(), worker });
        }
        if hearing.torn > 0 {
            shared.events.emit(Event::TornReply { stage, worker, bytes: hearing.torn });
        }
        self.vain = if hearing.replies > 0 { 0 } else { self.vain.saturating_add(1) };
        if stopping || broke {
            // What happens now is no fault of its own, or was told.
            return Fate::Over(Vec::new());
        }
        // One look: a second lock in the same expression would wait for the first for ever.
        let (oldest, gap) = {
            let desk = shared.desk();
            (desk.oldest(self.number), desk.has_gap(self.number))
        };
        let facts = Facts {
            plan: &shared.plan,
            reply: shared.pool.reply,
            worker,
            left,
            all_fed: matches!(fed, Fed::All(_)),
            unread,
            outstanding,
            oldest,
            gap,
            torn: hearing.torn,
            lines: hearing.lines,
            late,
            stderr: &stderr,
        };
        let fate = judge(&facts);
        match fate {
            Fate::Again(_) => self.recover(&facts, pid),
            Fate::Over(failures) => Fate::Over(failures),
        }
    }

    /// Takes back what a worker had, and sees whether another one may come.
    fn recover(&self, facts: &Facts<'_>, pid: u32) -> Fate {
        let shared = &*self.shared;
        let needed = {
            let mut desk = shared.desk();
            desk.crashed(self.number, |attempts| refusal(facts, pid, attempts));
            let needed = desk.needs(self.number);
            shared.give_out(&mut desk);
            needed
        };
        shared.out.notify_one();
        let Some(attempt) = shared.restart() else {
            return Fate::Over(vec![too_many(facts, shared.pool.restarts)]);
        };
        if !needed {
            return Fate::Over(Vec::new());
        }
        let wait = delay(self.vain, RandomState::new().hash_one(attempt));
        let stage = shared.plan.stage.clone();
        shared.events.emit(Event::Restart {
            stage,
            worker: facts.worker,
            attempt,
            delay_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            outstanding: facts.outstanding as u64,
        });
        Fate::Again(wait)
    }

    /// Starts the next worker after a wait; none if the run stops meanwhile.
    async fn replace(&self, wait: Duration) -> Result<Option<Worker>, Failure> {
        let shared = &*self.shared;
        let mut stop = shared.stop.clone();
        tokio::select! {
            () = stopped(&mut stop, Stop::Abort) => return Ok(None),
            () = clock::sleep(wait) => {}
        }
        let number = u32::try_from(self.number).unwrap_or(u32::MAX);
        let hired =
            crate::stage::hire(&shared.plan, &shared.nursery, &shared.run, &shared.events, number);
        hired.await.map(Some).map_err(broken_start)
    }

    fn lost_touch(&self, error: &io::Error) -> Failure {
        let (stage, worker) = (&self.shared.plan.stage, self.number);
        let message = format!("stage `{stage}`: lost touch with worker {worker}: {error}");
        Failure::new(Exit::World, message)
    }
}

/// A program that could be run before and cannot now is no mistake in what was written.
pub(super) fn broken_start(failure: Failure) -> Failure {
    let exit = if failure.exit == Exit::Config { Exit::Stage } else { failure.exit };
    Failure { exit, ..failure }
}

fn tell(herald: &Herald, end: &io::Result<(End, Option<Rung>)>, shared: &Shared, teller: &Teller) {
    let failed =
        end.as_ref().is_ok_and(|(end, _)| verdict::has_failed(&shared.plan.exit, teller.left(end)));
    herald.tell(failed);
}
