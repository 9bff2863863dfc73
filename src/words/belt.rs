//! The belt between tables: who sends, who takes, how a run is stopped, and how a table tells
//! its end. Every channel is bounded; the capacities stand in run/wire.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc::error::{TryRecvError, TrySendError};
use tokio::sync::{mpsc, oneshot, watch};

use crate::words::gather::Gather;
use crate::words::id::Name;
use crate::words::ledger::Tally;
use crate::words::marks::Mark;
use crate::words::outcome::Failure;
use crate::words::record::Batch;

/// What travels on an edge.
#[derive(Clone, Debug)]
pub enum Flow {
    /// Records.
    Batch(Arc<Batch>),
    /// All before it belongs together.
    Mark(Mark),
    /// All is sent, and all of it is good. Without it, the sender broke off.
    End,
}

impl Flow {
    /// Returns how much memory it occupies, about.
    pub fn held(&self) -> usize {
        match self {
            Self::Batch(batch) => batch.held(),
            Self::Mark(_) | Self::End => size_of::<Self>(),
        }
    }
}

/// Where records come out of a table; counts them as it sends them. Each taker gets all of them,
/// so the slowest sets the pace; without a taker they are only counted.
#[derive(Debug)]
pub struct Outlet {
    to: Vec<Taker>,
    tally: Arc<Tally>,
}

#[derive(Debug)]
struct Taker {
    to: mpsc::Sender<(usize, Flow)>,
    /// Which of those it is that send into this channel.
    sender: usize,
}

/// Where records come into a table; counts them as it takes them. Its feeds are taken one after
/// the other, each to its end.
#[derive(Debug)]
pub struct Inlet {
    feeds: VecDeque<Feed>,
    tally: Arc<Tally>,
    /// Whether a sender broke off.
    broken: bool,
}

/// What one or several tables send into another, as it comes.
#[derive(Debug)]
pub struct Feed {
    from: mpsc::Receiver<(usize, Flow)>,
    /// What they send, where several send and marks matter.
    gather: Option<Gather>,
    /// Senders that were led into it.
    senders: usize,
    /// Those that have not ended yet.
    open: usize,
    /// Whom to tell that it is taken from now on.
    turn: Option<oneshot::Sender<()>>,
}

/// Where outlets can be led into a [`Feed`].
#[derive(Debug)]
pub struct Entry(mpsc::Sender<(usize, Flow)>);

/// What a taker finds.
#[derive(Clone, Debug)]
pub enum Taken {
    /// Records.
    Batch(Arc<Batch>),
    /// A mark: what came before it belongs together.
    Mark(Mark),
    /// All senders ended well: nothing more will come.
    End,
    /// A sender broke off: the run is stopping, and what came is not whole.
    Broken,
}

/// Makes an edge between two tables.
pub fn edge(capacity: usize, from: Arc<Tally>, to: Arc<Tally>) -> (Outlet, Inlet) {
    let (entry, mut feed) = feed(capacity);
    let mut outlet = Outlet::new(from);
    outlet.lead(&entry, &mut feed);
    (outlet, Inlet::new([feed], to))
}

/// Makes a feed, which holds so many batches, and its entry.
pub fn feed(capacity: usize) -> (Entry, Feed) {
    let (sender, from) = mpsc::channel(capacity);
    (Entry(sender), Feed { from, gather: None, senders: 0, open: 0, turn: None })
}

impl Feed {
    /// Lets marks wait for each other that are sent in here.
    #[must_use]
    pub fn gathered(self, gather: Gather) -> Self {
        Self { gather: Some(gather), ..self }
    }

    /// Returns what tells when this feed is taken from for the first time.
    pub fn turn(&mut self) -> oneshot::Receiver<()> {
        let (tell, turn) = oneshot::channel();
        self.turn = Some(tell);
        turn
    }
}

impl Outlet {
    /// Makes an outlet that nobody takes from yet.
    pub fn new(tally: Arc<Tally>) -> Self {
        Self { to: Vec::new(), tally }
    }

    /// Leads the outlet into a feed, beside those that it is led into already.
    pub fn lead(&mut self, entry: &Entry, feed: &mut Feed) {
        self.to.push(Taker { to: entry.0.clone(), sender: feed.senders });
        feed.open += 1;
        feed.senders += 1;
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

    /// Sends dead letters from a thread of its own: their table counted them as rejected.
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

    /// Sends a mark, behind all that was sent before it.
    pub async fn mark(&self, mark: Mark) {
        // As in `send`: a refusal is for the run to find out.
        self.pass(Flow::Mark(mark)).await;
    }

    /// Sends a mark from a thread of its own.
    pub fn mark_blocking(&self, mark: Mark) {
        self.pass_blocking(Flow::Mark(mark));
    }

    /// Gives it to all takers; the last gets the very batch, so that it may be its only owner.
    async fn pass(&self, flow: Flow) -> bool {
        let Some((last, others)) = self.to.split_last() else { return true };
        let mut sent = true;
        for to in others {
            sent &= self.hand(to, flow.clone()).await;
        }
        self.hand(last, flow).await && sent
    }

    async fn hand(&self, taker: &Taker, flow: Flow) -> bool {
        match taker.to.try_send((taker.sender, flow)) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(flow)) => {
                let _stuck = self.tally.gauge.stuck();
                taker.to.send(flow).await.is_ok()
            }
        }
    }

    fn pass_blocking(&self, flow: Flow) -> bool {
        let Some((last, others)) = self.to.split_last() else { return true };
        let mut sent = true;
        for to in others {
            sent &= self.hand_blocking(to, flow.clone());
        }
        self.hand_blocking(last, flow) && sent
    }

    fn hand_blocking(&self, taker: &Taker, flow: Flow) -> bool {
        match taker.to.try_send((taker.sender, flow)) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(flow)) => {
                let _stuck = self.tally.gauge.stuck();
                taker.to.blocking_send(flow).is_ok()
            }
        }
    }
}

impl Inlet {
    /// Makes an input of feeds that are taken in this order; without one it is at its end at once.
    pub fn new(feeds: impl IntoIterator<Item = Feed>, tally: Arc<Tally>) -> Self {
        Self { feeds: feeds.into_iter().collect(), tally, broken: false }
    }

    /// Takes what comes next.
    pub async fn take(&mut self) -> Taken {
        loop {
            let Some(feed) = self.feeds.front_mut() else { return self.end() };
            let flow = if let Ok(flow) = feed.next() {
                Some(flow)
            } else {
                let _hungry = self.tally.gauge.hungry();
                let sent = feed.from.recv().await;
                match feed.took(sent) {
                    Came::Held => continue,
                    Came::Next(flow) => flow,
                }
            };
            if let Some(taken) = self.settle(flow) {
                return taken;
            }
        }
    }

    /// Takes what comes next, on a thread of its own.
    pub fn take_blocking(&mut self) -> Taken {
        loop {
            let Some(feed) = self.feeds.front_mut() else { return self.end() };
            let flow = if let Ok(flow) = feed.next() {
                Some(flow)
            } else {
                let _hungry = self.tally.gauge.hungry();
                let sent = feed.from.blocking_recv();
                match feed.took(sent) {
                    Came::Held => continue,
                    Came::Next(flow) => flow,
                }
            };
            if let Some(taken) = self.settle(flow) {
                return taken;
            }
        }
    }

    /// Takes whatever still comes, so that it is counted.
    pub async fn drain(&mut self) {
        while let Taken::Batch(_) | Taken::Mark(_) = self.take().await {}
    }

    /// Takes in what the first feed brought; what comes behind one that broke off is taken, too,
    /// so that it is counted.
    fn settle(&mut self, flow: Option<Flow>) -> Option<Taken> {
        let feed = self.feeds.front_mut()?;
        let over = match flow {
            Some(Flow::Batch(batch)) => {
                self.tally.input.add(batch.records());
                return Some(Taken::Batch(batch));
            }
            Some(Flow::Mark(mark)) => return Some(Taken::Mark(mark)),
            Some(Flow::End) => {
                feed.open = feed.open.saturating_sub(1);
                feed.open == 0
            }
            None => {
                self.broken = true;
                true
            }
        };
        if over {
            self.feeds.pop_front();
        }
        None
    }

    fn end(&self) -> Taken {
        if self.broken { Taken::Broken } else { Taken::End }
    }
}

impl Feed {
    fn next(&mut self) -> Result<Flow, TryRecvError> {
        if let Some(turn) = self.turn.take() {
            // Who keeps what comes may have ended with the run.
            turn.send(()).ok();
        }
        loop {
            if let Some(flow) = self.gather.as_mut().and_then(Gather::take) {
                return Ok(flow);
            }
            let sent = self.from.try_recv()?;
            if let Came::Next(Some(flow)) = self.took(Some(sent)) {
                return Ok(flow);
            }
        }
    }

    /// Takes what was sent. When all senders are gone, what waits for a mark goes on as it is.
    fn took(&mut self, sent: Option<(usize, Flow)>) -> Came {
        match (&mut self.gather, sent) {
            (None, sent) => Came::Next(sent.map(|(_, flow)| flow)),
            (Some(gather), Some((sender, flow))) => {
                gather.put(sender, flow);
                Came::Held
            }
            (Some(gather), None) => {
                gather.give_up();
                Came::Next(gather.take())
            }
        }
    }
}

/// What becomes of what was sent.
enum Came {
    /// It is gathered with what others send.
    Held,
    /// This is next; none when all senders are gone.
    Next(Option<Flow>),
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
    /// A source was read to its end, and all that came of it is where it belongs; its place in
    /// the order in which sources are read.
    Through(u32),
}

/// Where a table tells it.
pub type Post = mpsc::Sender<Notice>;
