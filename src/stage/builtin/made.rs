//! What was made of a piece of a batch: the records that go on, and those that do not.

use std::sync::Arc;

use crate::words::buffer::{Buffer, Pool};
use crate::words::dead_letter::Complaint;
use crate::words::marks::Mark;
use crate::words::outcome::Failure;
use crate::words::record::{Batch, Lines, Position, Record};

/// Up to how many bytes get a buffer of their own.
const SMALL: usize = 32 << 10;

/// What was made of a piece.
#[derive(Debug)]
pub(super) struct Made {
    /// The records that go on; none where none does.
    pub(super) batch: Option<Arc<Batch>>,
    /// How many were left out.
    pub(super) dropped: u64,
    /// Those refused.
    pub(super) refused: Vec<Refused>,
    /// Why nothing behind it can be treated.
    pub(super) broken: Option<Failure>,
    /// A mark that was in the place of records.
    pub(super) mark: Option<Mark>,
}

impl Made {
    /// Passes a mark on in its turn.
    pub(super) fn mark(mark: Mark) -> Self {
        Self { batch: None, dropped: 0, refused: Vec::new(), broken: None, mark: Some(mark) }
    }
}

/// A refused record.
#[derive(Debug)]
pub(super) struct Refused {
    /// The batch it came in, for its origin.
    pub(super) batch: Arc<Batch>,
    /// Its bytes.
    pub(super) record: Vec<u8>,
    /// Where it stood.
    pub(super) at: Position,
    /// Whether its bytes are no longer those that stood there.
    pub(super) changed: bool,
    /// Why.
    pub(super) errors: Vec<Complaint>,
}

/// A piece that is being made.
pub(super) struct Making<'a> {
    batch: &'a Arc<Batch>,
    pool: &'a Pool,
    /// Records that went on as they came and stand before all others; nothing of them is copied.
    whole: usize,
    buffer: Option<Buffer>,
    filled: usize,
    lines: Lines,
    from: usize,
    to: usize,
    dropped: u64,
    refused: Vec<Refused>,
    broken: Option<Failure>,
}

impl<'a> Making<'a> {
    /// Starts with the records `from..to` of `batch`.
    pub(super) fn new(batch: &'a Arc<Batch>, (from, to): (usize, usize), pool: &'a Pool) -> Self {
        Self {
            batch,
            pool,
            whole: 0,
            buffer: None,
            filled: 0,
            lines: Lines::default(),
            from,
            to,
            dropped: 0,
            refused: Vec::new(),
            broken: None,
        }
    }

    /// Nothing behind this can be treated.
    pub(super) fn stop(&mut self, failure: Failure) {
        self.broken = Some(failure);
    }

    /// A record goes on as it came.
    pub(super) fn keep(&mut self, record: &Record<'_>) {
        if self.buffer.is_none() {
            self.whole += 1;
        } else {
            self.add(record.bytes, record);
        }
    }

    /// Something goes on in the place of a record.
    pub(super) fn replace(&mut self, record: &Record<'_>, bytes: &[u8]) {
        self.copy_whole();
        self.add(bytes, record);
        if bytes.len() != record.bytes.len() {
            self.lines.gap();
        }
    }

    /// A record is left out.
    pub(super) fn leave_out(&mut self) {
        self.copy_whole();
        self.lines.gap();
        self.dropped += 1;
    }

    /// A record is refused.
    pub(super) fn refuse(&mut self, record: &Record<'_>, errors: Vec<Complaint>) {
        self.copy_whole();
        self.lines.gap();
        let (batch, at, changed) = (Arc::clone(self.batch), record.at, record.changed);
        let record = record.bytes.to_vec();
        self.refused.push(Refused { batch, record, at, changed, errors });
    }

    /// Copies the records that went on as they came, once there is something else, too.
    fn copy_whole(&mut self) {
        if self.buffer.is_some() {
            return;
        }
        self.buffer = Some(self.room());
        let batch = Arc::clone(self.batch);
        for record in batch.iter().skip(self.from).take(self.whole) {
            self.add(record.bytes, &record);
        }
    }

    /// Large pieces share blocks; small ones are better off with just what they need.
    fn room(&self) -> Buffer {
        let bytes: usize = self.batch.stretch(self.from, self.to).map(<[u8]>::len).sum();
        if bytes > SMALL {
            self.pool.take(self.pool.block_len())
        } else {
            let wanted = (bytes + bytes / 2).max(1);
            Pool::new(wanted).take(wanted)
        }
    }

    fn add(&mut self, bytes: &[u8], record: &Record<'_>) {
        let end = self.filled + bytes.len() + 1;
        let Some(buffer) = &mut self.buffer else { return };
        if end > buffer.len() {
            let mut larger = self.pool.take(end.max(2 * buffer.len()));
            larger[..self.filled].copy_from_slice(&buffer[..self.filled]);
            *buffer = larger;
        }
        buffer[self.filled..end - 1].copy_from_slice(bytes);
        buffer[end - 1] = b'\n';
        self.lines.put(self.filled, end, (record.at, record.is_changed_by(bytes)));
        self.filled = end;
    }

    /// Ends the piece.
    pub(super) fn finish(mut self) -> Made {
        if self.whole as u64 == self.batch.records() {
            let batch = Some(Arc::clone(self.batch));
            return Made { batch, dropped: 0, refused: Vec::new(), broken: None, mark: None };
        }
        self.copy_whole();
        let Self { batch, buffer, lines, dropped, refused, broken, .. } = self;
        let made = buffer.filter(|_| !lines.is_empty());
        let batch = made.map(|buffer| Arc::new(batch.with_lines(buffer, lines, true)));
        Made { batch, dropped, refused, broken, mark: None }
    }
}
