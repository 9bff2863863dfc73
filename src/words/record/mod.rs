//! Records travelling together: a batch, where its lines lie and where they came from.

mod ends;
mod packed;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::words::buffer::{Buffer, Pool};
use crate::words::id::Name;

/// Where the lines of a batch come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The source or stage that emitted them.
    pub table: Name,
    /// The file as messages show it (`-` for stdin); none behind a `stream` stage.
    pub file: Option<Arc<str>>,
}

/// A range of bytes of one input, which owns each line whose first byte lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Split {
    /// Which of the source's inputs, from 0.
    pub input: u32,
    /// Its first byte.
    pub start: u64,
    /// The byte behind its last; none where the input has no known end.
    pub end: Option<u64>,
}

/// A place in an input or in a stage's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The physical line, from 1.
    pub line: u64,
    /// The offset of the line's first byte.
    pub offset: u64,
}

impl Default for Position {
    /// The beginning.
    fn default() -> Self {
        Self { line: 1, offset: 0 }
    }
}

/// A stretch of consecutive lines in a batch, with nothing left out between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    start: u32,
    first: u32,
    at: Position,
    changed: bool,
}

/// Whole records travelling together. Each ends with a line feed in the buffer.
#[derive(Debug)]
pub struct Batch {
    buffer: Buffer,
    runs: Vec<Run>,
    /// Only counted where all lines lie side by side, in one run.
    ends: Ends,
    first_seq: u64,
    origin: Arc<Origin>,
    split: Split,
    proven: bool,
}

/// One record of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its bytes, without the line feed.
    pub bytes: &'a [u8],
    /// Its number in the order of the emitting table, from 0.
    pub seq: u64,
    /// Where it stood.
    pub at: Position,
    /// Whether its bytes are no longer those that stood there.
    pub changed: bool,
}

impl Record<'_> {
    /// Tells whether `bytes`, which go on in its place, are not those that stood there.
    pub fn is_changed_by(&self, bytes: &[u8]) -> bool {
        self.changed || !(std::ptr::eq(bytes, self.bytes) || bytes == self.bytes)
    }
}

/// Collects the lines of one buffer into a batch.
#[derive(Debug, Default)]
pub struct Lines {
    runs: Vec<Run>,
    ends: Ends,
    /// Where the next line stands if nothing is left out before it, and whether it is changed as
    /// the one before is; none behind a gap.
    next: Option<(Position, bool)>,
}

/// The longest a buffer may be, so that places in it fit 32 bits.
pub const MAX_BUFFER: usize = u32::MAX as usize;

fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

impl Lines {
    /// Adds the line `start..end` (line feed included), which stood at `at` in its input. Whether
    /// it stood right behind the one before shows by that: not every line comes from the input
    /// itself, and what lies side by side here may have been far apart there.
    pub fn push(&mut self, start: usize, end: usize, at: Position) {
        self.put(start, end, (at, false));
    }

    /// Does so with a line that may be changed: it stands for what stood there.
    pub fn put(&mut self, start: usize, end: usize, (at, changed): (Position, bool)) {
        debug_assert!(end <= MAX_BUFFER, "a buffer's places fit 32 bits");
        if self.next != Some((at, changed)) {
            let (start, first) = (narrow(start), narrow(self.ends.len()));
            self.runs.push(Run { start, first, at, changed });
        }
        let offset = at.offset + (end - start) as u64;
        self.next = Some((Position { line: at.line + 1, offset }, changed));
        self.ends.push(narrow(end));
    }

    /// Takes consecutive lines: the first begins at `start` and stood at `at`.
    pub fn whole(start: usize, ends: Ends, at: Position) -> Self {
        let run = Run { start: narrow(start), first: 0, at, changed: false };
        Self { runs: vec![run], ends, next: None }
    }

    /// Notes that something between the last line and the next one is left out.
    pub fn gap(&mut self) {
        self.next = None;
    }

    /// Tells how many lines were added.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether no line was added.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl Batch {
    /// Makes a batch of the given lines of `buffer`.
    pub fn new(
        buffer: Buffer,
        lines: Lines,
        first_seq: u64,
        origin: Arc<Origin>,
        split: Split,
    ) -> Self {
        let Lines { runs, ends, .. } = lines;
        Self { buffer, runs, ends, first_seq, origin, split, proven: false }
    }

    /// Marks every line as known to be one JSON text.
    #[must_use]
    pub fn proven(mut self) -> Self {
        self.proven = true;
        self
    }

    /// Leaves out the records at `indices`, which must be sorted; shares no bytes with the
    /// original, whose numbers are given anew.
    #[must_use]
    pub fn without(&self, indices: &[usize]) -> Self {
        let mut memory = Pool::new(self.len().max(1)).take(self.len().max(1));
        let (mut lines, mut filled, mut skip) = (Lines::default(), 0, indices.iter().peekable());
        for (index, record) in self.iter().enumerate() {
            if skip.next_if(|&&next| next == index).is_some() {
                lines.gap();
                continue;
            }
            let end = filled + record.bytes.len() + 1;
            memory[filled..end - 1].copy_from_slice(record.bytes);
            memory[end - 1] = b'\n';
            lines.put(filled, end, (record.at, record.changed));
            filled = end;
        }
        Self {
            proven: self.proven,
            ..Self::new(memory, lines, self.first_seq, Arc::clone(&self.origin), self.split)
        }
    }

    /// Makes a batch of other bytes in the place of this one's: what became of its records. The
    /// numbers are given anew, from the first one's on.
    #[must_use]
    pub fn with_lines(&self, buffer: Buffer, lines: Lines, proven: bool) -> Self {
        let origin = Arc::clone(&self.origin);
        Self { proven, ..Self::new(buffer, lines, self.first_seq, origin, self.split) }
    }

    /// Counts its records from another number on, and its places behind so many lines and bytes.
    #[must_use]
    pub fn moved(mut self, first_seq: u64, (lines, bytes): (u64, u64)) -> Self {
        self.first_seq = first_seq;
        for run in &mut self.runs {
            run.at = Position { line: run.at.line + lines, offset: run.at.offset + bytes };
        }
        self
    }

    /// Returns the number of its last line, and the offset behind that.
    pub fn behind_last(&self) -> (u64, u64) {
        let last = self.iter().last();
        last.map_or((0, 0), |r| (r.at.line, r.at.offset + r.bytes.len() as u64 + 1))
    }

    /// Returns where the records end, line feeds included.
    fn ends(&self) -> &[u32] {
        let start = self.runs.first().map_or(0, |run| run.start as usize);
        self.ends.places(&self.buffer, start)
    }

    /// Returns where one of them ends; of the last that is always known.
    fn end_of(&self, index: usize) -> Option<u32> {
        match self.ends.last() {
            Some(last) if index + 1 == self.ends.len() => Some(last),
            _ => self.ends().get(index).copied(),
        }
    }

    /// Returns how much memory the batch occupies.
    pub fn held(&self) -> usize {
        self.buffer.len() + self.ends.len() * size_of::<u32>()
    }

    /// Tells whether every line is known to be one JSON text.
    pub fn is_proven(&self) -> bool {
        self.proven
    }

    /// Returns how many records there are.
    pub fn records(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Returns the range of sequence numbers.
    pub fn seqs(&self) -> std::ops::Range<u64> {
        self.first_seq..self.first_seq + self.records()
    }

    /// Returns where the lines come from.
    pub fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// Returns the part of the input that the lines belong to.
    pub fn split(&self) -> Split {
        self.split
    }

    /// Returns how many bytes the records have, line feeds included.
    pub fn len(&self) -> usize {
        self.slices().map(<[u8]>::len).sum()
    }

    /// Tells whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Gives the records' bytes with their line feeds, in as few pieces as there are gaps.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let mut run = 0;
        std::iter::from_fn(move || {
            let start = self.runs.get(run)?.start;
            let (next, end) = self.behind(run, self.ends.len());
            run = next;
            Some(&self.buffer[start as usize..end as usize])
        })
    }

    /// Returns the next run behind this one that does not go on where the one before it ends in
    /// the buffer, and where that is: lines of other places in the input may lie side by side.
    /// Runs from the record `to` on are not looked at.
    fn behind(&self, run: usize, to: usize) -> (usize, u32) {
        let mut next = run;
        loop {
            next += 1;
            let behind = self.runs.get(next).map_or(self.ends.len(), |r| r.first as usize);
            let end = behind.checked_sub(1).and_then(|last| self.end_of(last));
            let end = end.unwrap_or_default();
            if self.runs.get(next).is_none_or(|r| r.start != end || r.first as usize >= to) {
                return (next, end);
            }
        }
    }

    /// Returns the line of the record at `index`, line feed included.
    pub fn line(&self, index: usize) -> Option<&[u8]> {
        let ends = self.ends();
        let end = *ends.get(index)? as usize;
        let run = &self.runs[self.runs.partition_point(|r| r.first as usize <= index) - 1];
        let behind = index.checked_sub(1).filter(|_| index > run.first as usize);
        let start = behind.map_or(run.start, |before| ends[before]) as usize;
        Some(&self.buffer[start..end])
    }

    /// Gives the bytes of the records `from..to`, line feeds included, in as few pieces as there
    /// are gaps.
    pub fn stretch(&self, from: usize, to: usize) -> impl Iterator<Item = &[u8]> {
        let mut next = from;
        std::iter::from_fn(move || {
            let (piece, records) = self.piece(next, to)?;
            next += records;
            Some(piece)
        })
    }

    /// Returns the bytes from the record `from` to the next gap, or to `to`, and how many records
    /// these are; none where there is none.
    pub fn piece(&self, from: usize, to: usize) -> Option<(&[u8], usize)> {
        let to = to.min(self.ends.len());
        if from >= to {
            return None;
        }
        let run = self.runs.partition_point(|r| r.first as usize <= from) - 1;
        let (next, _) = self.behind(run, to);
        let behind = self.runs.get(next).map_or(to, |r| (r.first as usize).min(to));
        let start = self.line(from)?.as_ptr() as usize - self.buffer.as_ptr() as usize;
        let end = self.end_of(behind - 1)? as usize;
        Some((self.buffer.get(start..end)?, behind - from))
    }

    /// Returns how many records from `from` on take at most `bytes` together.
    pub fn fitting(&self, from: usize, bytes: usize) -> usize {
        let Some(line) = self.line(from) else { return 0 };
        let start = line.as_ptr() as usize - self.buffer.as_ptr() as usize;
        let rest = self.ends().get(from..).unwrap_or_default();
        rest.partition_point(|&end| end as usize - start <= bytes)
    }

    /// Gives the records one by one.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let mut run = 0;
        let mut start = 0usize;
        let (mut at, mut changed) = (Position { line: 0, offset: 0 }, false);
        self.ends().iter().enumerate().map(move |(index, &end)| {
            if let Some(r) = self.runs.get(run)
                && r.first as usize == index
            {
                (start, at, changed) = (r.start as usize, r.at, r.changed);
                run += 1;
            }
            let end = end as usize;
            let record = Record {
                bytes: &self.buffer[start..end - 1],
                seq: self.first_seq + index as u64,
                at,
                changed,
            };
            at = Position { line: at.line + 1, offset: at.offset + (end - start) as u64 };
            start = end;
            record
        })
    }
}

pub use ends::Ends;
pub use packed::Packed;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Batch, Lines, Origin, Position, Split};
    use crate::words::buffer::Pool;
    use crate::words::id::Name;

    #[test]
    fn gaps_split_the_bytes_and_positions_follow() {
        let mut buffer = Pool::new(64).take(64);
        buffer[..15].copy_from_slice(b"a\nbb\n\nccc\ndddd\n");
        let mut lines = Lines::default();
        lines.push(0, 2, Position { line: 1, offset: 100 });
        lines.push(2, 5, Position { line: 2, offset: 102 });
        lines.gap();
        lines.push(6, 10, Position { line: 4, offset: 106 });
        lines.push(10, 15, Position { line: 5, offset: 110 });
        let origin =
            Arc::new(Origin { table: Name::internal("s"), file: Some("users.ndjson".into()) });
        let split = Split { input: 0, start: 0, end: None };
        let batch = Batch::new(buffer, lines, 7, origin, split);
        let pieces: Vec<&[u8]> = batch.slices().collect();
        assert_eq!(pieces, [&b"a\nbb\n"[..], b"ccc\ndddd\n"]);
        assert_eq!((batch.records(), batch.len(), batch.seqs()), (4, 14, 7..11));
        let lines: Vec<&[u8]> = (0..5).filter_map(|index| batch.line(index)).collect();
        assert_eq!(lines, [&b"a\n"[..], b"bb\n", b"ccc\n", b"dddd\n"]);
        let seen: Vec<(&[u8], u64, u64, u64)> =
            batch.iter().map(|r| (r.bytes, r.seq, r.at.line, r.at.offset)).collect();
        let want: [(&[u8], u64, u64, u64); 4] =
            [(b"a", 7, 1, 100), (b"bb", 8, 2, 102), (b"ccc", 9, 4, 106), (b"dddd", 10, 5, 110)];
        assert_eq!(seen, want);
    }

    /// What a batch is made of may have gaps, and lines that are longer than they were.
    #[test]
    fn who_adds_lines_need_not_know_of_gaps_before() {
        let places = [(1, 100), (2, 110), (3, 112), (7, 200), (8, 202)];
        let mut buffer = Pool::new(64).take(64);
        buffer[..10].copy_from_slice(b"a\nb\nc\nd\ne\n");
        let mut lines = Lines::default();
        for (index, (line, offset)) in places.into_iter().enumerate() {
            lines.put(2 * index, 2 * index + 2, (Position { line, offset }, index % 2 == 1));
        }
        let origin = Arc::new(Origin { table: Name::internal("s"), file: None });
        let batch = Batch::new(buffer, lines, 0, origin, Split { input: 0, start: 0, end: None });
        let seen =
            |batch: &Batch| batch.iter().map(|r| (r.at.line, r.at.offset)).collect::<Vec<_>>();
        assert_eq!(seen(&batch), places);
        let changed = |batch: &Batch| batch.iter().map(|r| r.changed).collect::<Vec<_>>();
        assert_eq!(changed(&batch), [false, true, false, true, false]);
        assert_eq!(changed(&batch.without(&[0, 3])), [true, false, false]);
        assert_eq!(seen(&batch.without(&[0])), places[1..]);
        assert_eq!(seen(&batch.without(&[3])), [places[0], places[1], places[2], places[4]]);
    }

    #[test]
    fn lines_side_by_side_are_one_piece_wherever_they_come_from() {
        let mut buffer = Pool::new(64).take(64);
        buffer[..12].copy_from_slice(b"a\nbb\n\nccc\nd\n");
        let mut lines = Lines::default();
        for (start, end, line) in [(0, 2, 1), (2, 5, 9), (6, 10, 12), (10, 12, 20)] {
            lines.push(start, end, Position { line, offset: 10 * line });
            lines.gap();
        }
        let origin = Arc::new(Origin { table: Name::internal("s"), file: None });
        let split = Split { input: 0, start: 0, end: None };
        let batch = Batch::new(buffer, lines, 0, origin, split);
        assert_eq!(batch.slices().collect::<Vec<_>>(), [&b"a\nbb\n"[..], b"ccc\nd\n"]);
        assert_eq!(batch.stretch(1, 3).collect::<Vec<_>>(), [&b"bb\n"[..], b"ccc\n"]);
        assert_eq!(batch.piece(0, 4), Some((&b"a\nbb\n"[..], 2)));
        assert_eq!(batch.piece(0, 1), Some((&b"a\n"[..], 1)));
        assert_eq!(batch.iter().map(|r| r.at.line).collect::<Vec<_>>(), [1, 9, 12, 20]);
    }
}
