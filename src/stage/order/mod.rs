//! The records that a pool has taken and not yet handed on, in the order they came: pure.
//!
//! Each batch that comes in is a frame. Its records get their numbers (ids), wait, are with a
//! worker, and are settled in any order; what is settled leaves in the order of the input, or as
//! it is settled where that was chosen. A frame whose records all leave as they came is handed on
//! as the batch that it was, not a byte copied.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::words::buffer::Pool;
use crate::words::dead_letter::{Complaint, Trace};
use crate::words::frame::BLOCK;
use crate::words::marks::Mark;
use crate::words::policy;
use crate::words::record::{Batch, Lines, Position};

/// Up to how many bytes leave in a buffer of their own.
const SMALL: usize = 32 << 10;

/// What becomes of a record.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// It goes on as it came.
    Kept,
    /// This goes on in its place.
    Replaced(&'a [u8]),
    /// It is left out on purpose.
    Dropped,
    /// It is refused.
    Rejected(Refusal),
}

/// Why a record was refused, and by whom.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub errors: Vec<Complaint>,
    /// By whom.
    pub trace: Trace,
}

/// Where a record is. There is one for each record in hand, so it is kept small.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Waiting,
    With(u32),
    Kept,
    /// Which of the frame's replacements.
    Replaced(u32),
    Dropped,
    /// Which of the frame's refusals.
    Rejected(u32),
    /// It has left.
    Gone,
}

/// Where a record is, as others may know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nobody has it yet.
    Waiting,
    /// This worker has it.
    With(u32),
    /// It was answered.
    Settled,
    /// There is no such record yet.
    Never,
}

#[derive(Debug)]
struct Frame {
    batch: Arc<Batch>,
    first: u64,
    fates: Vec<Fate>,
    /// Records that are not settled.
    open: usize,
    /// Records that have left.
    left: usize,
    /// Those of them at the beginning.
    gone: usize,
    /// Whether some left that stood behind others.
    torn: bool,
    /// Records that leave as they came.
    kept: usize,
    /// What is to leave in the place of others: all of it, and where each stretch ends.
    bytes: Vec<u8>,
    replaced: Vec<usize>,
    refused: Vec<Option<Refusal>>,
}

/// A refused record on its way out.
#[derive(Debug)]
pub struct Refused {
    /// The batch it came in, for its origin.
    pub batch: Arc<Batch>,
    /// Its bytes.
    pub record: Vec<u8>,
    /// Where it stood.
    pub at: Position,
    /// Whether its bytes are no longer those that stood there.
    pub changed: bool,
    /// Why, and by whom.
    pub refusal: Refusal,
}

/// What leaves.
#[derive(Debug, Default)]
pub struct Leaving {
    /// The records that go on; none where all of them were dropped or refused.
    pub batch: Option<Arc<Batch>>,
    /// How many were left out.
    pub dropped: u64,
    /// Those refused.
    pub refused: Vec<Refused>,
    /// A mark that stands behind all that has left, then nothing else.
    pub mark: Option<Mark>,
}

/// The records in hand.
#[derive(Debug)]
pub struct Order {
    frames: VecDeque<Frame>,
    /// Marks, each with the record that it stands before.
    marks: VecDeque<(u64, Mark)>,
    next: u64,
    held: usize,
    policy: policy::Order,
    /// Whether what comes in the place of a record is known to be one JSON text.
    checked: bool,
    pool: Pool,
}

impl Order {
    /// Starts with none; `checked` says that replies are known to be JSON.
    pub fn new(policy: policy::Order, checked: bool) -> Self {
        let (frames, marks, pool) = (VecDeque::new(), VecDeque::new(), Pool::new(BLOCK));
        Self { frames, marks, next: 0, held: 0, policy, checked, pool }
    }

    /// Takes a mark in: it leaves behind all records that came before it.
    pub fn mark(&mut self, mark: Mark) {
        self.marks.push_back((self.next, mark));
    }

    /// Takes a batch in; returns the ids of its records.
    pub fn admit(&mut self, batch: Arc<Batch>) -> std::ops::Range<u64> {
        let count = usize::try_from(batch.records()).unwrap_or(usize::MAX);
        let ids = self.next..self.next + batch.records();
        self.next = ids.end;
        self.held += batch.held() + count * size_of::<Fate>();
        self.frames.push_back(Frame {
            batch,
            first: ids.start,
            fates: vec![Fate::Waiting; count],
            open: count,
            left: 0,
            gone: 0,
            torn: false,
            kept: 0,
            bytes: Vec::new(),
            replaced: Vec::new(),
            refused: Vec::new(),
        });
        ids
    }

    /// Returns how much memory the records in hand occupy.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Tells whether nothing is in hand.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.marks.is_empty()
    }

    /// Returns the id that the next record will get.
    pub fn next_id(&self) -> u64 {
        self.next
    }

    fn frame(&self, id: u64) -> Option<usize> {
        let index = self.frames.partition_point(|frame| frame.first <= id).checked_sub(1)?;
        let frame = self.frames.get(index)?;
        (id - frame.first < frame.batch.records()).then_some(index)
    }

    fn at(&self, id: u64) -> Option<(&Frame, usize)> {
        let frame = self.frames.get(self.frame(id)?)?;
        Some((frame, usize::try_from(id - frame.first).ok()?))
    }

    /// Tells where a record is.
    pub fn place(&self, id: u64) -> Place {
        if id >= self.next {
            return Place::Never;
        }
        match self.at(id).and_then(|(frame, index)| frame.fates.get(index)) {
            Some(Fate::Waiting) => Place::Waiting,
            Some(Fate::With(worker)) => Place::With(*worker),
            Some(_) | None => Place::Settled,
        }
    }

    /// Returns the line of a record, line feed included, while it is in hand.
    pub fn line(&self, id: u64) -> Option<&[u8]> {
        let (frame, index) = self.at(id)?;
        frame.batch.line(index)
    }

    /// Returns the batch that a record is in, its index there, and how many follow it.
    pub fn batch(&self, id: u64) -> Option<(&Arc<Batch>, usize, usize)> {
        let (frame, index) = self.at(id)?;
        Some((&frame.batch, index, frame.fates.len() - index))
    }

    /// Notes that a worker has these records, all of one frame.
    pub fn give(&mut self, ids: std::ops::Range<u64>, worker: u32) {
        self.each(ids, |fate| {
            if matches!(fate, Fate::Waiting) {
                *fate = Fate::With(worker);
            }
        });
    }

    /// Notes that nobody has a record any more.
    pub fn take_back(&mut self, id: u64) {
        self.each(id..id + 1, |fate| {
            if matches!(fate, Fate::With(_)) {
                *fate = Fate::Waiting;
            }
        });
    }

    fn each(&mut self, ids: std::ops::Range<u64>, change: impl Fn(&mut Fate)) {
        let Some(frame) = self.frame(ids.start).and_then(|index| self.frames.get_mut(index)) else {
            return;
        };
        let place = |id: u64| usize::try_from(id - frame.first).unwrap_or(usize::MAX);
        let stretch = place(ids.start)..place(ids.end).min(frame.fates.len());
        if let Some(fates) = frame.fates.get_mut(stretch) {
            fates.iter_mut().for_each(change);
        }
    }

    /// Settles a record that is not settled yet.
    pub fn settle(&mut self, id: u64, outcome: Outcome<'_>) {
        let Some(frame) = self.frame(id).and_then(|index| self.frames.get_mut(index)) else {
            return;
        };
        let index = usize::try_from(id - frame.first).unwrap_or(usize::MAX);
        let Some(fate) = frame.fates.get_mut(index) else { return };
        if !matches!(fate, Fate::Waiting | Fate::With(_)) {
            return;
        }
        frame.open -= 1;
        *fate = match outcome {
            Outcome::Kept => {
                frame.kept += 1;
                Fate::Kept
            }
            Outcome::Replaced(bytes) => {
                frame.bytes.extend_from_slice(bytes);
                self.held += bytes.len();
                frame.replaced.push(frame.bytes.len());
                Fate::Replaced(last(frame.replaced.len()))
            }
            Outcome::Dropped => Fate::Dropped,
            Outcome::Rejected(refusal) => {
                frame.refused.push(Some(refusal));
                Fate::Rejected(last(frame.refused.len()))
            }
        };
    }

    /// Settles records of one frame, none of which is settled yet: they go on as they came.
    pub fn keep(&mut self, ids: std::ops::Range<u64>) {
        let Some(frame) = self.frame(ids.start).and_then(|index| self.frames.get_mut(index)) else {
            return;
        };
        let place = |id: u64| usize::try_from(id - frame.first).unwrap_or(usize::MAX);
        let stretch = place(ids.start)..place(ids.end).min(frame.fates.len());
        let fates = frame.fates.get_mut(stretch).unwrap_or_default();
        frame.open -= fates.len();
        frame.kept += fates.len();
        fates.fill(Fate::Kept);
    }

    /// Tells whether something is settled that waits for the rest of its frame.
    pub fn waits(&self) -> bool {
        self.frames.iter().any(|frame| frame.fates.len() - frame.open > frame.left)
    }

    /// Takes what may leave. Whole frames leave as soon as they can; with `all`, settled records
    /// leave without waiting for the rest of their frame.
    pub fn take(&mut self, all: bool) -> Option<Leaving> {
        let checked = self.checked;
        let first = self.frames.front().map_or(self.next, |frame| frame.first);
        if self.marks.front().is_some_and(|(before, _)| *before <= first) {
            let mark = self.marks.pop_front().map(|(_, mark)| mark);
            return Some(Leaving { mark, ..Leaving::default() });
        }
        match self.policy {
            policy::Order::Input => {
                let frame = self.frames.front_mut()?;
                if frame.open == 0 {
                    return self.remove(0);
                }
                let end = frame.settled_from(frame.gone);
                (all && end > frame.gone).then(|| frame.leave(end, checked, &self.pool))
            }
            policy::Order::None => {
                if let Some(index) = self.frames.iter().position(|frame| frame.open == 0) {
                    return self.remove(index);
                }
                let has_some =
                    |frame: &&mut Frame| frame.fates.iter().any(|fate| fate.is_settled());
                let frame = self.frames.iter_mut().filter(|_| all).find(has_some)?;
                frame.torn = true;
                Some(frame.leave(frame.fates.len(), checked, &self.pool))
            }
        }
    }

    fn remove(&mut self, index: usize) -> Option<Leaving> {
        let mut frame = self.frames.remove(index)?;
        let fates = frame.fates.len() * size_of::<Fate>();
        self.held = self.held.saturating_sub(frame.batch.held() + fates + frame.bytes.len());
        if frame.gone == 0 && !frame.torn && frame.kept == frame.fates.len() {
            return Some(Leaving { batch: Some(frame.batch), ..Leaving::default() });
        }
        Some(frame.leave(frame.fates.len(), self.checked, &self.pool))
    }
}

/// The index of the last of so many; a frame has no more records than fit 32 bits.
fn last(count: usize) -> u32 {
    u32::try_from(count - 1).unwrap_or(u32::MAX)
}

/// Returns one of the stretches that end where `ends` says.
fn stretch<'a>(bytes: &'a [u8], ends: &[usize], which: u32) -> &'a [u8] {
    let which = which as usize;
    let start = which.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(which).and_then(|&end| bytes.get(start..end)).unwrap_or_default()
}

impl Fate {
    /// Whether it is known what becomes of the record, which is still here.
    fn is_settled(self) -> bool {
        !matches!(self, Self::Waiting | Self::With(_) | Self::Gone)
    }
}

impl Frame {
    /// Finds the end of the settled records that begin at `from`.
    fn settled_from(&self, from: usize) -> usize {
        let settled = self.fates.iter().skip(from).take_while(|fate| fate.is_settled());
        from + settled.count()
    }

    /// Lets the settled records before `end` leave.
    fn leave(&mut self, end: usize, checked: bool, pool: &Pool) -> Leaving {
        let mut leaving = Leaving::default();
        let room = self.room(end);
        // Large ones share blocks; small ones are better off with just what they need.
        let mut memory =
            if room > SMALL { pool.take(room) } else { Pool::new(room.max(1)).take(room.max(1)) };
        let (mut lines, mut filled, mut replaced) = (Lines::default(), 0, false);
        let batch = Arc::clone(&self.batch);
        for (record, fate) in batch.iter().zip(&mut self.fates).take(end) {
            if !fate.is_settled() {
                lines.gap();
                continue;
            }
            self.left += 1;
            let bytes = match std::mem::replace(fate, Fate::Gone) {
                Fate::Kept => record.bytes,
                Fate::Replaced(which) => {
                    replaced = true;
                    stretch(&self.bytes, &self.replaced, which)
                }
                other => {
                    lines.gap();
                    match other {
                        Fate::Dropped => leaving.dropped += 1,
                        Fate::Rejected(which) => {
                            let refusal = self.refused.get_mut(which as usize);
                            let refused = refusal.and_then(Option::take).map(|refusal| Refused {
                                batch: Arc::clone(&batch),
                                record: record.bytes.to_vec(),
                                at: record.at,
                                changed: record.changed,
                                refusal,
                            });
                            leaving.refused.extend(refused);
                        }
                        _ => {}
                    }
                    continue;
                }
            };
            let behind = filled + bytes.len();
            memory[filled..behind].copy_from_slice(bytes);
            memory[behind] = b'\n';
            lines.put(filled, behind + 1, (record.at, record.is_changed_by(bytes)));
            if bytes.len() != record.bytes.len() {
                lines.gap();
            }
            filled = behind + 1;
        }
        self.gone = self.gone.max(if self.torn { 0 } else { end });
        if !lines.is_empty() {
            let proven = batch.is_proven() && (checked || !replaced);
            leaving.batch = Some(Arc::new(batch.with_lines(memory, lines, proven)));
        }
        leaving
    }

    /// Returns how many bytes the records before `end` that go on need.
    fn room(&self, end: usize) -> usize {
        let lines = self.batch.iter().zip(&self.fates).take(end);
        lines
            .map(|(record, fate)| match fate {
                Fate::Kept => record.bytes.len() + 1,
                Fate::Replaced(which) => stretch(&self.bytes, &self.replaced, *which).len() + 1,
                _ => 0,
            })
            .sum()
    }
}

#[cfg(test)]
mod tests;
