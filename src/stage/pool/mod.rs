//! A pool of workers that give one reply for each record.
//!
//! Three kinds of task share a desk (who has which record): one takes batches in while there is
//! room, one hands on what is settled, and one for each place tends the worker there, and the
//! one that comes after it. The desk is pure; what touches the world is in `slot` and `command`.

mod attend;
mod command;
mod desk;
mod hear;
mod judge;
mod keys;
mod restarts;
mod slot;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::child::nursery::{Nursery, Worker};
use crate::json::pointer::locate;
use crate::plan::{Pool as PoolPlan, Program, Reply};
use crate::stage::order::{Leaving, Refused};
use crate::stage::pool::desk::Desk;
use crate::stage::pool::restarts::Restarts;
use crate::stage::teller::Teller;
use crate::stage::{Io, Life, Stage, limit_passed};
use crate::words::belt::{Inlet, Outlet, Post, Stop, StopSign, Taken, stopped};
use crate::words::clock::Clock;
use crate::words::dead_letter::{DeadLetter, Kept};
use crate::words::event::Events;
use crate::words::frame::BLOCK;
use crate::words::id::RunId;
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::marks::What;
use crate::words::outcome::{Exit, Failure};

/// How long a settled record may wait for the rest of its batch.
const PATIENCE: Duration = Duration::from_millis(20);

/// A stage of one pool.
pub struct Pool {
    plan: Program,
    settings: PoolPlan,
    nursery: Arc<Nursery>,
    run: RunId,
    /// The workers that run already; none where each record gets a process of its own.
    workers: Vec<Worker>,
}

/// What all tasks of a pool share.
struct Shared {
    plan: Program,
    pool: PoolPlan,
    nursery: Arc<Nursery>,
    run: RunId,
    desk: Mutex<Desk>,
    restarts: Mutex<Restarts>,
    clock: Arc<Clock>,
    /// Wakes each worker's feeder.
    mail: Vec<Notify>,
    /// Wakes who hands on.
    out: Notify,
    /// Wakes who takes in.
    room: Notify,
    /// Whether a worker broke its protocol.
    broke: AtomicBool,
    tally: Arc<Tally>,
    stop: StopSign,
    events: Events,
    post: Post,
}

impl Pool {
    /// Makes a stage of workers that run.
    pub fn new(
        plan: Program,
        settings: PoolPlan,
        nursery: Arc<Nursery>,
        run: RunId,
        workers: Vec<Worker>,
    ) -> Self {
        Self { plan, settings, nursery, run, workers }
    }
}

impl Stage for Pool {
    fn live(self: Box<Self>, io: Io) -> Life {
        Box::pin(async move {
            let Self { plan, settings: pool, nursery, run, workers } = *self;
            let Io { mut input, output, mut letters, tally, stop, events, post, clock } = io;
            let shared = Arc::new(Shared {
                desk: Mutex::new(Desk::new(&pool)),
                restarts: Mutex::new(Restarts::new(pool.restarts)),
                clock,
                mail: (0..pool.workers).map(|_| Notify::new()).collect(),
                out: Notify::new(),
                room: Notify::new(),
                broke: AtomicBool::new(false),
                plan,
                pool,
                nursery,
                run,
                tally,
                stop,
                events,
                post,
            });
            let mut places = JoinSet::new();
            shared.man(&mut places, workers);
            let tend = async {
                let mut failures = Vec::new();
                while let Some(ended) = places.join_next().await {
                    let more = ended.unwrap_or_else(|_| vec![shared.bug()]);
                    // Bad data is for the end to judge; all else must stop the others.
                    let broke = more.iter().filter(|failure| failure.exit != Exit::Data);
                    broke.for_each(|failure| shared.failed(failure.clone()));
                    failures.extend(more);
                }
                failures
            };
            let hand_on = shared.hand_on(&output, &mut letters);
            let (whole, (), failures) = tokio::join!(shared.take_in(&mut input), hand_on, tend);
            shared.settle(whole, &failures, output, letters).await;
            failures
        })
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn teller(&self, worker: usize) -> Teller {
        let number = u32::try_from(worker).unwrap_or(u32::MAX);
        Teller::new(self.plan.stage.clone(), number, self.events.clone(), self.post.clone())
    }

    fn failed(&self, failure: Failure) {
        self.teller(0).failed(failure);
    }

    fn bug(&self) -> Failure {
        let message = format!("stage `{}` panicked: this is a bug in esteira", self.plan.stage);
        Failure::new(Exit::Bug, message).hint("please report it with the message above")
    }

    /// Takes one of the restarts that are allowed; returns how many there were in all.
    fn restart(&self) -> Option<u64> {
        let mut restarts = self.restarts.lock().unwrap_or_else(PoisonError::into_inner);
        restarts.take(self.clock.now())
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow() >= Stop::Abort
    }

    /// Sends somebody to each place.
    fn man(self: &Arc<Self>, places: &mut JoinSet<Vec<Failure>>, workers: Vec<Worker>) {
        if let Reply::Command { .. } = self.pool.reply {
            for number in 0..self.mail.len() {
                places.spawn(command::tend(Arc::clone(self), number));
            }
        }
        for (number, worker) in workers.into_iter().enumerate() {
            places.spawn(slot::tend(Arc::clone(self), number, worker));
        }
    }

    /// Gives out what can be, and wakes whom that concerns.
    fn give_out(&self, desk: &mut Desk) {
        desk.give_out();
        let (working, full) = desk.at_work();
        self.tally.gauge.hands(working, full);
        for (worker, mail) in self.mail.iter().enumerate() {
            if desk.has_mail(worker) || !desk.needs(worker) {
                mail.notify_one();
            }
        }
    }

    /// How much memory the records in hand may occupy: twice what the workers can have, so that
    /// they go on while the first one is waited for; never less than two batches.
    fn bound(&self) -> usize {
        let window = self.pool.in_flight.bytes.max(BLOCK);
        window.saturating_mul(2).saturating_mul(self.mail.len())
    }

    /// Takes batches in while there is room; false if the input broke off.
    async fn take_in(&self, input: &mut Inlet) -> bool {
        let whole = self.take_all(input).await;
        if !whole {
            // What still comes is counted, whatever happened here.
            input.drain().await;
        }
        let mut desk = self.desk();
        desk.end();
        self.give_out(&mut desk);
        self.out.notify_one();
        whole
    }

    async fn take_all(&self, input: &mut Inlet) -> bool {
        let mut stop = self.stop.clone();
        loop {
            while self.desk().order.held() >= self.bound() {
                tokio::select! {
                    () = self.room.notified() => {}
                    () = stopped(&mut stop, Stop::Abort) => return false,
                }
            }
            let taken = tokio::select! {
                biased;
                () = stopped(&mut stop, Stop::Abort) => return false,
                taken = input.take() => taken,
            };
            match taken {
                Taken::Batch(batch) => {
                    let mut desk = self.desk();
                    desk.admit(batch);
                    self.give_out(&mut desk);
                }
                Taken::Mark(mark) => {
                    self.desk().order.mark(mark);
                    self.out.notify_one();
                }
                Taken::End => return true,
                Taken::Broken => return false,
            }
        }
    }

    /// Hands on what is settled, until all is or the run stops.
    async fn hand_on(&self, output: &Outlet, letters: &mut Letters) {
        let mut stop = self.stop.clone();
        let mut all = false;
        loop {
            let (leaving, waits, through) = {
                let mut desk = self.desk();
                let leaving = desk.order.take(std::mem::take(&mut all));
                (leaving, desk.order.waits() || letters.waits(), desk.is_through())
            };
            if let Some(leaving) = leaving {
                self.room.notify_one();
                let goes_on = self.let_go(leaving, output, letters).await;
                if !goes_on || self.is_stopping() {
                    return;
                }
                continue;
            }
            if through {
                return;
            }
            tokio::select! {
                biased;
                () = stopped(&mut stop, Stop::Abort) => return,
                () = self.out.notified() => {}
                () = tokio::time::sleep(PATIENCE), if waits => all = true,
            }
            if all {
                // Nothing has come for a while: what waits for its batch waits no longer.
                letters.deliver().await;
            }
        }
    }

    /// Hands on what leaves; false if too much was refused.
    async fn let_go(&self, leaving: Leaving, output: &Outlet, letters: &mut Letters) -> bool {
        let Leaving { batch, dropped, refused, mark } = leaving;
        if let Some(mark) = mark {
            letters.hand_on(mark, output, self.tally.settled(), What::Stage).await;
        }
        for refused in refused {
            letters.enter(&self.letter(refused));
            if letters.is_due() {
                letters.deliver().await;
            }
            if let Some(failure) = limit_passed(&self.plan.stage, letters)
                && !self.is_stopping()
            {
                self.failed(failure);
                return false;
            }
        }
        self.tally.dropped.add(dropped);
        if let Some(batch) = batch {
            let records = batch.records();
            output.send(batch).await;
            self.tally.accepted.add(records);
        }
        true
    }

    fn letter(&self, refused: Refused) -> DeadLetter {
        let Refused { batch, record, at, changed, mut refusal } = refused;
        let is_json = batch.is_proven() || crate::json::check(&record).is_ok();
        if is_json {
            locate(&mut refusal.errors, &record, changed);
        }
        let origin = batch.origin();
        DeadLetter {
            kept: if is_json { Kept::Json(record) } else { Kept::Raw(record) },
            source: origin.table.clone(),
            file: origin.file.clone(),
            at,
            stage: Some(self.plan.stage.clone()),
            errors: refusal.errors,
            trace: Some(Box::new(refusal.trace)),
        }
    }

    /// Closes the books: what is not known by now is in doubt.
    async fn settle(&self, whole: bool, failures: &[Failure], output: Outlet, letters: Letters) {
        let broke = self.broke.load(Ordering::Relaxed)
            || failures.iter().any(|failure| failure.exit != Exit::Data);
        let clean = whole && !broke && !self.is_stopping() && self.desk().is_through();
        let tally = &self.tally;
        if !clean && matches!(self.pool.reply, Reply::Lines { .. }) {
            // Its replies were provisional.
            tally.accepted.set(0);
            tally.dropped.set(0);
        }
        let known = tally.accepted.get() + tally.rejected.get() + tally.dropped.get();
        tally.in_doubt.set(tally.input.get().saturating_sub(known));
        letters.close().await;
        if clean {
            output.end().await;
        }
    }
}
