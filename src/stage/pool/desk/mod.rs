//! Who has which record: pure. The desk gives records out to the workers that have room, takes
//! their answers, and knows what is left when a worker goes.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::json::pointer::Pointer;
use crate::plan::{Dispatch, InFlight, Pool as PoolPlan, Reply};
use crate::stage::order::{Order, Outcome, Place, Refusal};
use crate::stage::pool::keys::worker_for;
use crate::stage::protocol;
use crate::words::policy::{Check, OnCrash};
use crate::words::record::Batch;

/// How many bytes of whole lines are given out together, where lines are all there is to it.
const CHUNK: usize = 64 << 10;

/// The records of a stage and the hands they are in.
#[derive(Debug)]
pub(super) struct Desk {
    /// All records that came in and have not left.
    pub(super) order: Order,
    hands: Vec<Hand>,
    by: Option<Pointer>,
    window: InFlight,
    reply: Reply,
    on_crash: OnCrash,
    /// The first record that nobody has got yet, where any worker will do.
    cursor: u64,
    turn: usize,
    /// No more will come.
    ended: bool,
    /// Workers that are not there for the first time yet: all of them start together.
    awaited: usize,
    /// Records that were with a worker that died, and with how many.
    attempts: BTreeMap<u64, u32>,
}

/// What one worker has.
#[derive(Debug, Default)]
struct Hand {
    /// Whether it takes records.
    open: bool,
    /// Whether it, or one before it, ever did.
    manned: bool,
    /// What it was given and did not answer, in the order it was given.
    with: VecDeque<Range<u64>>,
    records: usize,
    bytes: usize,
    outbox: VecDeque<Parcel>,
    /// What only this one may have, and has no room for yet.
    waiting: VecDeque<u64>,
    /// What was with its predecessor: given out alone.
    suspects: VecDeque<u64>,
    /// Whether it has one of these.
    on_trial: bool,
}

/// What is to be written to a worker.
#[derive(Debug)]
pub(super) enum Parcel {
    /// Lines of a batch as they are.
    Lines(Arc<Batch>, usize, usize),
    /// Requests.
    Requests(Vec<u8>),
    /// One record, for a process of its own.
    Record(u64),
}

/// What a worker's feeder is to do.
#[derive(Debug)]
pub(super) enum Next {
    /// Write this.
    Parcel(Parcel),
    /// Wait for more.
    Wait,
    /// Nothing more will come.
    Close,
}

impl Desk {
    /// Makes a desk for a stage's workers, none of which takes records yet.
    pub(super) fn new(plan: &PoolPlan) -> Self {
        let checked = match plan.reply {
            Reply::Records { .. } => true,
            Reply::Lines { check_output } | Reply::Command { check_output } => {
                check_output == Check::Json
            }
        };
        let by = match &plan.dispatch {
            Dispatch::By(pointer) => Pointer::parse(pointer),
            Dispatch::RoundRobin => None,
        };
        let workers = plan.workers as usize;
        let alone = matches!(plan.reply, Reply::Command { .. });
        let records = if alone { 1 } else { plan.in_flight.records };
        Self {
            order: Order::new(plan.order, checked),
            hands: (0..workers).map(|_| Hand::default()).collect(),
            by,
            window: InFlight { records, ..plan.in_flight },
            reply: plan.reply,
            on_crash: plan.on_crash,
            cursor: 0,
            turn: 0,
            ended: false,
            awaited: workers,
            attempts: BTreeMap::new(),
        }
    }

    /// Takes a batch in.
    pub(super) fn admit(&mut self, batch: Arc<Batch>) {
        let ids = self.order.admit(batch);
        let Some(by) = &self.by else { return };
        for id in ids.clone() {
            let line = self.order.line(id).unwrap_or_default();
            let worker = worker_for(by, line, self.hands.len());
            if let Some(hand) = self.hands.get_mut(worker) {
                hand.waiting.push_back(id);
            }
        }
        self.cursor = ids.end;
    }

    /// Notes that no more will come.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Tells whether all that came has left, and no more will come.
    pub(super) fn is_through(&self) -> bool {
        self.ended && self.order.is_empty()
    }

    /// Notes that a worker takes records. The first one to do so in its place, be it the first
    /// that was started there or not, is one less to wait for.
    pub(super) fn open(&mut self, worker: usize) {
        let Some(hand) = self.hands.get_mut(worker) else { return };
        hand.open = true;
        self.awaited -= usize::from(!std::mem::replace(&mut hand.manned, true));
    }

    /// Notes that a worker takes no more records.
    pub(super) fn close(&mut self, worker: usize) {
        if let Some(hand) = self.hands.get_mut(worker) {
            hand.open = false;
        }
    }

    /// Gives out what can be given out.
    pub(super) fn give_out(&mut self) {
        if self.awaited > 0 {
            return;
        }
        for worker in 0..self.hands.len() {
            self.give_suspect(worker);
            if self.by.is_some() {
                self.give_own(worker);
            }
        }
        if self.by.is_none() {
            self.give_in_turn();
        }
    }

    fn give_suspect(&mut self, worker: usize) {
        let Some(hand) = self.hands.get_mut(worker) else { return };
        if hand.open
            && hand.records == 0
            && let Some(id) = hand.suspects.pop_front()
        {
            hand.on_trial = true;
            self.give(worker, id..id + 1);
        }
    }

    fn give_own(&mut self, worker: usize) {
        while let Some(hand) = self.hands.get(worker)
            && hand.takes_any()
            && let Some(&id) = hand.waiting.front()
        {
            let bytes = self.order.line(id).map_or(0, <[u8]>::len);
            if !hand.has_room(self.window, bytes) {
                return;
            }
            self.hands[worker].waiting.pop_front();
            self.give(worker, id..id + 1);
        }
    }

    fn give_in_turn(&mut self) {
        let workers = self.hands.len();
        let mut refused = 0;
        while refused < workers && self.cursor < self.order.next_id() {
            let worker = self.turn;
            self.turn = (self.turn + 1) % workers;
            let count = self.share(worker);
            if count == 0 {
                refused += 1;
                continue;
            }
            refused = 0;
            let ids = self.cursor..self.cursor + count as u64;
            self.cursor = ids.end;
            self.give(worker, ids);
        }
    }

    /// How many of the next records a worker gets: its part of what is there, as far as it has
    /// room. It is not bothered for a few.
    fn share(&self, worker: usize) -> usize {
        let (Some(hand), Some((batch, index, left))) =
            (self.hands.get(worker), self.order.batch(self.cursor))
        else {
            return 0;
        };
        if !hand.takes_any() {
            return 0;
        }
        let workers = self.hands.len();
        let total = index + left;
        let records = self.window.records.saturating_sub(hand.records);
        let bytes = self.window.bytes.saturating_sub(hand.bytes);
        let fair = match self.reply {
            Reply::Lines { .. } => {
                if bytes < CHUNK.min(self.window.bytes) && hand.records > 0 {
                    return 0;
                }
                part(index, total, workers).min(batch.fitting(index, CHUNK).max(1))
            }
            Reply::Records { .. } | Reply::Command { .. } => {
                let few = self.window.records / 4;
                if records == 0 || (records < few && hand.records > 0) {
                    return 0;
                }
                part(index, total, workers)
            }
        };
        let fitting = batch.fitting(index, bytes).min(fair).min(records).min(left);
        if hand.records == 0 { fitting.max(1) } else { fitting }
    }

    fn give(&mut self, worker: usize, ids: Range<u64>) {
        self.order.give(ids.clone(), u32::try_from(worker).unwrap_or(u32::MAX));
        let Some((batch, from, _)) = self.order.batch(ids.start) else { return };
        let count = usize::try_from(ids.end - ids.start).unwrap_or(usize::MAX);
        let (batch, to) = (Arc::clone(batch), from + count);
        let bytes = batch.stretch(from, to).map(<[u8]>::len).sum::<usize>();
        let parcel = match self.reply {
            Reply::Lines { .. } => Parcel::Lines(batch, from, to),
            Reply::Command { .. } => Parcel::Record(ids.start),
            Reply::Records { .. } => {
                let mut requests = Vec::with_capacity(bytes + count * 36);
                let lines = (from..to).filter_map(|index| batch.line(index));
                for (id, line) in ids.clone().zip(lines) {
                    protocol::request(id, without_feed(line), &mut requests);
                }
                Parcel::Requests(requests)
            }
        };
        let Some(hand) = self.hands.get_mut(worker) else { return };
        hand.records += count;
        hand.bytes += bytes;
        hand.with.push_back(ids);
        hand.outbox.push_back(parcel);
    }

    /// Tells a worker's feeder what to do next.
    pub(super) fn next(&mut self, worker: usize) -> Next {
        let all_given = self.ended && self.cursor == self.order.next_id();
        let Some(hand) = self.hands.get_mut(worker) else { return Next::Close };
        if let Some(parcel) = hand.outbox.pop_front() {
            return Next::Parcel(parcel);
        }
        // One that is not ready gets nothing, not even the end.
        let more =
            !hand.manned || !all_given || !hand.waiting.is_empty() || !hand.suspects.is_empty();
        if more { Next::Wait } else { Next::Close }
    }

    /// Tells whether a worker, or one in its place, has something left to do.
    pub(super) fn needs(&self, worker: usize) -> bool {
        let hand = self.hands.get(worker);
        let own = hand.is_some_and(|hand| !hand.waiting.is_empty() || !hand.suspects.is_empty());
        own || !self.ended || self.cursor < self.order.next_id()
    }

    /// Tells whether a worker has something to send to it.
    pub(super) fn has_mail(&self, worker: usize) -> bool {
        self.hands.get(worker).is_some_and(|hand| !hand.outbox.is_empty())
    }

    /// Returns how many workers have records, and whether none that takes records is without.
    pub(super) fn at_work(&self) -> (u32, bool) {
        let busy = self.hands.iter().filter(|hand| hand.records > 0).count();
        let full = !self.hands.iter().any(|hand| hand.open && hand.records == 0);
        (u32::try_from(busy).unwrap_or(u32::MAX), full)
    }

    /// Returns how many records are with a worker.
    pub(super) fn outstanding(&self, worker: usize) -> usize {
        self.hands.get(worker).map_or(0, |hand| hand.records)
    }

    /// Tells whether a worker answered a record and not one that it was given before.
    pub(super) fn has_gap(&self, worker: usize) -> bool {
        self.hands.get(worker).is_some_and(|hand| {
            let given: u64 = hand.with.iter().map(|ids| ids.end - ids.start).sum();
            given > hand.records as u64
        })
    }

    /// Returns the record that a worker must answer next, or has been on for the longest time.
    pub(super) fn oldest(&self, worker: usize) -> Option<u64> {
        self.hands.get(worker)?.with.front().map(|ids| ids.start)
    }

    /// Takes a worker's answer about a record; an error says what is wrong with it.
    pub(super) fn answer(
        &mut self,
        worker: usize,
        id: u64,
        outcome: Outcome<'_>,
    ) -> Result<(), String> {
        match self.order.place(id) {
            Place::With(with) if with as usize == worker => {}
            Place::With(other) => {
                return Err(format!("a reply for id {id}, which worker {other} was given"));
            }
            Place::Waiting => return Err(format!("a reply for id {id}, which it was not given")),
            Place::Settled => return Err(format!("a second reply for id {id}")),
            Place::Never => return Err(format!("a reply for id {id}, which was never given out")),
        }
        let bytes = self.order.line(id).map_or(0, <[u8]>::len);
        self.order.settle(id, outcome);
        if !self.attempts.is_empty() {
            self.attempts.remove(&id);
        }
        let Some(hand) = self.hands.get_mut(worker) else { return Ok(()) };
        hand.records -= 1;
        hand.on_trial &= hand.records > 0;
        hand.bytes = hand.bytes.saturating_sub(bytes);
        let mine = Place::With(u32::try_from(worker).unwrap_or(u32::MAX));
        while let Some(front) = hand.with.front_mut() {
            if front.is_empty() {
                hand.with.pop_front();
            } else if self.order.place(front.start) == mine {
                break;
            } else {
                front.start += 1;
            }
        }
        Ok(())
    }

    /// Takes the answers of a worker that repeats, in order, what it was given: as many as `text`
    /// begins with, where they are known to be what they should be. Returns how many these are,
    /// and how many bytes of the text.
    pub(super) fn echoed(
        &mut self,
        worker: usize,
        text: &[u8],
        lines: usize,
        check: Check,
    ) -> Option<(usize, usize)> {
        let hand = self.hands.get_mut(worker)?;
        let ids = hand.with.front()?.clone();
        let (batch, index, _) = self.order.batch(ids.start)?;
        if !(batch.is_proven() || check == Check::None) {
            return None;
        }
        let to = index + usize::try_from(ids.end - ids.start).ok()?;
        let (piece, records) = batch.piece(index, to)?;
        // Equal bytes have their line feeds in the same places.
        let (bytes, records) =
            if text.len() < piece.len() { (text.len(), lines) } else { (piece.len(), records) };
        if text.get(..bytes) != piece.get(..bytes) {
            return None;
        }
        let end = ids.start + records as u64;
        self.order.keep(ids.start..end);
        hand.records -= records;
        hand.bytes = hand.bytes.saturating_sub(bytes);
        if end == ids.end {
            hand.with.pop_front();
        } else if let Some(front) = hand.with.front_mut() {
            front.start = end;
        }
        Some((records, bytes))
    }

    /// Takes back what was with a worker that is gone. What may be tried again waits for the one
    /// in its place; the rest is refused for the reason that `refusal` gives for so many attempts.
    pub(super) fn crashed(&mut self, worker: usize, refusal: impl Fn(u32) -> Refusal) {
        let Some(hand) = self.hands.get_mut(worker) else { return };
        (hand.open, hand.on_trial) = (false, false);
        hand.outbox.clear();
        (hand.records, hand.bytes) = (0, 0);
        let mine = Place::With(u32::try_from(worker).unwrap_or(u32::MAX));
        let ids: Vec<u64> = std::mem::take(&mut hand.with).into_iter().flatten().collect();
        let mut again = Vec::new();
        for id in ids {
            if self.order.place(id) != mine {
                continue;
            }
            let attempts = self.attempts.entry(id).or_default();
            *attempts += 1;
            if self.on_crash == OnCrash::Reject || *attempts > 1 {
                let refusal = refusal(*attempts);
                self.attempts.remove(&id);
                self.order.settle(id, Outcome::Rejected(refusal));
            } else {
                self.order.take_back(id);
                again.push(id);
            }
        }
        again.sort_unstable();
        if let Some(hand) = self.hands.get_mut(worker) {
            // What waited already was with an earlier one, and so came before.
            hand.suspects.extend(again);
        }
    }

    /// Returns to how many workers a record was given, the present one included.
    pub(super) fn attempts(&self, id: u64) -> u32 {
        1 + self.attempts.get(&id).copied().unwrap_or_default()
    }
}

/// How many of `total` records from `index` on are one worker's part, where all get the same.
fn part(index: usize, total: usize, workers: usize) -> usize {
    let nth = ((index + 1) * workers).div_ceil(total.max(1));
    (nth * total / workers).saturating_sub(index).max(1)
}

impl Parcel {
    /// Returns how many records it holds.
    pub(super) fn records(&self) -> u64 {
        match self {
            Self::Lines(_, from, to) => (to - from) as u64,
            Self::Requests(requests) => memchr::memchr_iter(b'\n', requests).count() as u64,
            Self::Record(_) => 1,
        }
    }

    /// Gives its bytes.
    pub(super) fn slices(&self) -> Vec<&[u8]> {
        match self {
            Self::Lines(batch, from, to) => batch.stretch(*from, *to).collect(),
            Self::Requests(requests) => vec![requests],
            Self::Record(_) => Vec::new(),
        }
    }
}

impl Hand {
    /// Whether it may be given records that are under no suspicion.
    fn takes_any(&self) -> bool {
        self.open && !self.on_trial && self.suspects.is_empty()
    }

    fn has_room(&self, window: InFlight, bytes: usize) -> bool {
        self.records == 0 || (self.records < window.records && self.bytes + bytes <= window.bytes)
    }
}

/// Returns a line without its line feed.
pub(super) fn without_feed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

#[cfg(test)]
mod tests;
