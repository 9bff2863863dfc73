//! The belt between tables: who sends, who takes, how a run is stopped, and how a table tells
//! its end. Every channel is bounded; the capacities stand in run/wire.

use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use crate::words::id::Name;
use crate::words::ledger::Tally;
use crate::words::outcome::Failure;
use crate::words::record::Batch;

/// What travels on an edge.
#[derive(Clone, Debug)]
enum Flow {
    Batch(Arc<Batch>),
    /// All is sent, and all of it is good. Without it, the sender broke off.
    End,
}

/// The sending end of an edge; counts what it sends.
#[derive(Debug)]
pub struct Outlet {
    to: mpsc::Sender<Flow>,
    tally: Arc<Tally>,
}

/// The taking end of an edge; counts what it takes.
#[derive(Debug)]
pub struct Inlet {
    from: mpsc::Receiver<Flow>,
    tally: Arc<Tally>,
    /// Senders that have not ended yet.
    open: usize,
}

/// What a taker finds.
#[derive(Clone, Debug)]
pub enum Taken {
    /// Records.
    Batch(Arc<Batch>),
    /// All senders ended well: nothing more will come.
    End,
    /// A sender broke off: the run is stopping, and what came is not whole.
    Broken,
}

/// Makes an edge between two tables.
pub fn edge(capacity: usize, from: Arc<Tally>, to: Arc<Tally>) -> (Outlet, Inlet) {
    let (sender, receiver) = mpsc::channel(capacity);
    (Outlet { to: sender, tally: from }, Inlet { from: receiver, tally: to, open: 1 })
}

impl Outlet {
    /// Joins another table to the edge that this outlet feeds.
    #[must_use]
    pub fn join(&self, from: Arc<Tally>, inlet: &mut Inlet) -> Self {
        inlet.open += 1;
        Self { to: self.to.clone(), tally: from }
    }

    /// Sends records, waiting for room. A taker takes until all senders are gone, even when it
    /// failed, so a refusal means that it panicked, which the run finds out by itself.
    pub async fn send(&self, batch: Arc<Batch>) {
        let records = batch.records();
        let sent = self.pass(Flow::Batch(batch)).await;
        self.count(sent, records);
    }

    /// Sends records from a thread of its own, waiting for room.
    pub fn send_blocking(&self, batch: Arc<Batch>) {
        let records = batch.records();
        let sent = self.pass_blocking(Flow::Batch(batch));
        self.count(sent, records);
    }

    fn count(&self, sent: bool, records: u64) {
        if sent {
            self.tally.output.add(records);
        }
    }

    /// Sends dead letters: their table counted them as rejected.
    pub fn send_letters_blocking(&self, batch: Arc<Batch>) {
        // As in `send`: only a panic ends a taker before its senders.
        self.pass_blocking(Flow::Batch(batch));
    }

    /// Sends dead letters, waiting for room.
    pub async fn send_letters(&self, batch: Arc<Batch>) {
        self.pass(Flow::Batch(batch)).await;
    }

    /// Says that all was sent and all of it is good.
    pub async fn end(self) {
        self.pass(Flow::End).await;
    }

    /// Says so from a thread of its own.
    pub fn end_blocking(self) {
        self.pass_blocking(Flow::End);
    }

    async fn pass(&self, flow: Flow) -> bool {
        match self.to.try_send(flow) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(flow)) => {
                let _stuck = self.tally.gauge.stuck();
                self.to.send(flow).await.is_ok()
            }
        }
    }

    fn pass_blocking(&self, flow: Flow) -> bool {
        match self.to.try_send(flow) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(flow)) => {
                let _stuck = self.tally.gauge.stuck();
                self.to.blocking_send(flow).is_ok()
            }
        }
    }
}

impl Inlet {
    /// Makes an input that nobody feeds: it is at its end at once.
    pub fn unfed(tally: Arc<Tally>) -> Self {
        let (sender, from) = mpsc::channel(1);
        // A fresh channel has room.
        sender.try_send(Flow::End).ok();
        Self { from, tally, open: 1 }
    }

    /// Takes what comes next.
    pub async fn take(&mut self) -> Taken {
        loop {
            let flow = if let Ok(flow) = self.from.try_recv() {
                Some(flow)
            } else {
                let _hungry = self.tally.gauge.hungry();
                self.from.recv().await
            };
            if let Some(taken) = self.settle(flow) {
                return taken;
            }
        }
    }

    /// Takes what comes next, on a thread of its own.
    pub fn take_blocking(&mut self) -> Taken {
        loop {
            let flow = if let Ok(flow) = self.from.try_recv() {
                Some(flow)
            } else {
                let _hungry = self.tally.gauge.hungry();
                self.from.blocking_recv()
            };
            if let Some(taken) = self.settle(flow) {
                return taken;
            }
        }
    }

    fn settle(&mut self, flow: Option<Flow>) -> Option<Taken> {
        match flow {
            Some(Flow::Batch(batch)) => {
                self.tally.input.add(batch.records());
                Some(Taken::Batch(batch))
            }
            Some(Flow::End) => {
                self.open -= 1;
                (self.open == 0).then_some(Taken::End)
            }
            None => Some(Taken::Broken),
        }
    }
}

/// How a run is being stopped; it only ever gets more urgent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// It is not.
    #[default]
    No,
    /// Sources end where they are, as if at the end of their input.
    Drain,
    /// Everything ends; workers are asked to and given their grace.
    Abort,
    /// Everything ends now.
    Kill,
}

/// What a table sees of the stop.
pub type StopSign = watch::Receiver<Stop>;

/// Waits until the stop is at least as urgent as `least`.
pub async fn stopped(sign: &mut StopSign, least: Stop) {
    if sign.wait_for(|stop| *stop >= least).await.is_err() {
        // The run is gone: nobody will ever ask.
        std::future::pending::<()>().await;
    }
}

/// What a table tells the run.
#[derive(Debug)]
pub enum Notice {
    /// It has ended; everything it counts is counted.
    Ended {
        /// The table.
        table: Name,
        /// Why it ended early, if it did.
        failures: Vec<Failure>,
    },
    /// It found something that must stop the run, and goes on to its own end.
    Failed(Failure),
    /// The reader of its output went away.
    ReaderGone(Name),
}

/// Where a table tells it.
pub type Post = mpsc::Sender<Notice>;
