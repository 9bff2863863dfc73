//! Cuts a stream of bytes into pieces of whole lines, in bounded memory.
//!
//! Pure: who reads puts bytes into [`Framer::room`] and says how many. Lines are found as
//! offsets; none is copied but the torn one at the end of a buffer. A line over the limit is
//! never held: its head is kept, its bytes are counted and hashed as they pass.

use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};

use crate::words::buffer::{ALIGN, Buffer, Pool};
use crate::words::dead_letter::HEAD;
use crate::words::record::{Ends, Position};

/// How much one read asks for.
pub const READ: usize = 256 << 10;

/// Room kept before a read for the torn line of the one before.
const CARRY: usize = 32 << 10;

/// The length of a pool's blocks that suits a framer: carry, read, and a page to end a line in.
pub const BLOCK: usize = CARRY + READ + ALIGN;

/// A byte order mark: no part of the first line where a framer is told to leave it out.
pub const BOM: &[u8] = b"\xef\xbb\xbf";

/// Whole lines, or what is left of one that was too long.
#[derive(Debug)]
pub enum Piece {
    /// Consecutive lines in one buffer.
    Lines(Whole),
    /// A line over the limit.
    TooLong(Long),
}

/// Consecutive whole lines in one buffer.
#[derive(Debug)]
pub struct Whole {
    /// Where they lie.
    pub buffer: Buffer,
    /// Where the first one begins.
    pub start: usize,
    /// How many there are, and where each ends: [`Whole::ends`] tells.
    pub counted: Ends,
    /// Where the first one stood.
    pub at: Position,
    /// Whether the last one came without a line feed and was given one.
    pub completed: bool,
}

impl Whole {
    /// Returns where each line ends, behind its line feed.
    pub fn ends(&self) -> &[u32] {
        self.counted.places(&self.buffer, self.start)
    }

    /// Returns where the last of them ends.
    pub fn end(&self) -> usize {
        self.counted.last().map_or(self.start, |end| end as usize)
    }
}

/// What is left of a line that was too long.
#[derive(Debug)]
pub struct Long {
    /// Its first bytes.
    pub head: Vec<u8>,
    /// How long it was, without the line feed.
    pub bytes: u64,
    /// SHA-256 of all of it.
    pub digest: [u8; 32],
    /// Where it stood.
    pub at: Position,
}

#[derive(Debug)]
struct Skip {
    head: Vec<u8>,
    bytes: u64,
    hash: Sha256,
    at: Position,
}

impl Skip {
    fn absorb(&mut self, bytes: &[u8]) {
        let wanted = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..wanted]);
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    fn end(self) -> Piece {
        let Self { head, bytes, hash, at } = self;
        Piece::TooLong(Long { head, bytes, digest: hash.finalize().into(), at })
    }
}

/// The cutter.
#[derive(Debug)]
pub struct Framer {
    pool: Pool,
    max: usize,
    /// How much longer the first line may be for the sake of a byte order mark.
    mark: usize,
    buffer: Buffer,
    /// Where the first line not yet given away begins.
    start: usize,
    /// Behind the last byte read.
    filled: usize,
    ends: Ends,
    /// Where the line at `start` stands.
    at: Position,
    skip: Option<Skip>,
    ready: VecDeque<Piece>,
}

impl Framer {
    /// Makes a framer for lines of at most `max` bytes; buffers come from `pool`.
    pub fn new(pool: Pool, max: usize) -> Self {
        let buffer = pool.take(BLOCK);
        Self {
            pool,
            max,
            mark: 0,
            buffer,
            start: 0,
            filled: 0,
            ends: Ends::default(),
            at: Position { line: 1, offset: 0 },
            skip: None,
            ready: VecDeque::new(),
        }
    }

    /// Begins in the middle of an input.
    #[must_use]
    pub fn from(self, at: Position) -> Self {
        Self { at, ..self }
    }

    /// Tells where the next line begins, once all whole ones were taken; none in the middle of
    /// one that is too long to be held.
    pub fn place(&self) -> Option<Position> {
        debug_assert!(self.ready.is_empty() && self.ends.is_empty(), "whole lines are taken first");
        self.skip.is_none().then_some(self.at)
    }

    /// Leaves a byte order mark at the start out of account; in a line that is held it stays.
    #[must_use]
    pub fn without_mark(self) -> Self {
        Self { mark: BOM.len(), ..self }
    }

    /// Gives the room to read into. It is never empty, and aligned after each [`Framer::take`].
    pub fn room(&mut self) -> &mut [u8] {
        // One byte stays free for the line feed that a last line may lack.
        if self.filled + 1 >= self.buffer.len() {
            if self.ends.is_empty() {
                self.rotate();
            } else {
                // Whole lines stay where they are: their places are known by this buffer.
                let piece = self.cut();
                self.ready.push_back(piece);
            }
        }
        let end = (self.filled + READ).min(self.buffer.len() - 1);
        &mut self.buffer[self.filled..end]
    }

    /// Takes the first `count` bytes of [`Framer::room`] as read.
    pub fn filled(&mut self, count: usize) {
        let mut from = self.filled;
        self.filled += count;
        if self.skip.is_some() {
            match self.skip_on(from) {
                Some(behind) => from = behind,
                None => return,
            }
        }
        let fresh = &self.buffer[from..self.filled];
        if let Some(lf) = memchr::memrchr(b'\n', fresh) {
            let lines = memchr::memchr_iter(b'\n', &fresh[..=lf]).count();
            self.ends.count(lines, u32::try_from(from + lf + 1).unwrap_or(u32::MAX));
        }
        let mark = if self.is_first() { self.mark } else { 0 };
        if self.filled - self.torn() > self.max + mark {
            self.begin_skip();
        }
    }

    /// Goes on skipping; returns where the next line begins, once its place is known.
    fn skip_on(&mut self, from: usize) -> Option<usize> {
        let fresh = &self.buffer[from..self.filled];
        let lf = memchr::memchr(b'\n', fresh);
        let long = lf.map_or(fresh, |lf| &fresh[..lf]);
        if let Some(skip) = &mut self.skip {
            skip.absorb(long);
        }
        let Some(lf) = lf else {
            (self.start, self.filled) = (0, 0);
            return None;
        };
        if let Some(skip) = self.skip.take() {
            let at = Position { line: skip.at.line + 1, offset: skip.at.offset + skip.bytes + 1 };
            self.ready.push_back(skip.end());
            self.at = at;
        }
        self.start = from + lf + 1;
        Some(self.start)
    }

    /// Gives up the torn line at the end of the buffer, which is too long already.
    fn begin_skip(&mut self) {
        let mut torn = self.torn();
        if self.is_first() && self.mark > 0 && self.buffer[torn..self.filled].starts_with(BOM) {
            torn += BOM.len();
        }
        let line = self.at.line + self.ends.len() as u64;
        let at = Position { line, offset: self.at.offset + (torn - self.start) as u64 };
        let mut skip = Skip { head: Vec::new(), bytes: 0, hash: Sha256::new(), at };
        skip.absorb(&self.buffer[torn..self.filled]);
        self.filled = torn;
        if !self.ends.is_empty() {
            let piece = self.cut();
            self.ready.push_back(piece);
        }
        (self.start, self.filled) = (0, 0);
        self.skip = Some(skip);
    }

    /// Whether the line at the end of the buffer is the first of all.
    fn is_first(&self) -> bool {
        self.at.offset == 0 && self.ends.is_empty()
    }

    /// Tells which line is over the limit already, its end still to come.
    pub fn overlong(&self) -> Option<u64> {
        self.skip.as_ref().map(|skip| skip.at.line)
    }

    /// Where the last line without its line feed begins.
    fn torn(&self) -> usize {
        self.ends.last().map_or(self.start, |end| end as usize)
    }

    /// Tells how many bytes of whole lines wait to be taken.
    pub fn waiting(&self) -> usize {
        if self.ready.is_empty() { self.torn() - self.start } else { BLOCK }
    }

    /// Takes the whole lines read so far, in order; call until it gives nothing.
    pub fn take(&mut self) -> Option<Piece> {
        self.ready.pop_front().or_else(|| (!self.ends.is_empty()).then(|| self.cut()))
    }

    /// Ends the stream: gives the line that lacked its line feed, if there was one.
    ///
    /// All whole lines must have been taken before.
    pub fn finish(&mut self) -> Option<Piece> {
        debug_assert!(self.ready.is_empty() && self.ends.is_empty(), "whole lines are taken first");
        if let Some(skip) = self.skip.take() {
            return Some(skip.end());
        }
        if self.filled == self.start {
            return None;
        }
        self.buffer[self.filled] = b'\n';
        self.filled += 1;
        self.ends.count(1, u32::try_from(self.filled).unwrap_or(u32::MAX));
        match self.cut() {
            Piece::Lines(whole) => Some(Piece::Lines(Whole { completed: true, ..whole })),
            other @ Piece::TooLong(_) => Some(other),
        }
    }

    /// Gives away the whole lines and carries the torn one over.
    fn cut(&mut self) -> Piece {
        let (start, at) = (self.start, self.at);
        let ends = std::mem::take(&mut self.ends);
        let torn = ends.last().map_or(start, |end| end as usize);
        self.at.line += ends.len() as u64;
        self.at.offset += (torn - start) as u64;
        self.start = torn;
        let buffer = self.rotate();
        Piece::Lines(Whole { buffer, start, counted: ends, at, completed: false })
    }

    /// Moves the torn line to a fresh buffer, so that the next read lands at an aligned place.
    fn rotate(&mut self) -> Buffer {
        let torn = self.filled - self.start;
        let lead = torn.next_multiple_of(ALIGN);
        // A line that outgrows its buffer doubles it, so that its bytes are copied only twice.
        let room = READ.max(torn);
        let mut fresh = self.pool.take((lead + room + ALIGN).min(self.max + 2 * READ + ALIGN));
        fresh[lead - torn..lead].copy_from_slice(&self.buffer[self.start..self.filled]);
        (self.start, self.filled) = (lead - torn, lead);
        std::mem::replace(&mut self.buffer, fresh)
    }
}

#[cfg(test)]
mod tests;
