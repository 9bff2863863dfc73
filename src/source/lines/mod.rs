//! Sorts the lines of an input: blank, refused, or a record.

use std::iter::Peekable;
use std::sync::Arc;

use crate::json::{self, Fault, Odd, Odds};
use crate::plan::Source as SourcePlan;
use crate::words::dead_letter::{Complaint, DeadLetter, HEAD, Kept};
use crate::words::frame::{BOM, Long, Piece, Whole};
use crate::words::id::Name;
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::policy::Check;
use crate::words::record::{Batch, Lines, Origin, Position, Split};
use crate::words::text::grouped;

/// Sorts the lines of one split.
#[derive(Debug)]
pub struct Sorter {
    check: Check,
    max_record: usize,
    source: Name,
    origin: Arc<Origin>,
    split: Split,
    seq: u64,
}

impl Sorter {
    /// Makes a sorter whose first record gets the number `seq`.
    pub fn new(plan: &SourcePlan, origin: Arc<Origin>, split: Split, seq: u64) -> Self {
        let (check, max_record) = (plan.check, plan.max_record);
        Self { check, max_record, source: plan.name.clone(), origin, split, seq }
    }

    /// Returns the number that the next record would get.
    pub fn next_seq(&self) -> u64 {
        self.seq
    }

    /// Sorts a piece: counts its lines, refuses the bad ones, returns the good ones.
    pub fn sort(&mut self, piece: Piece, tally: &Tally, letters: &mut Letters) -> Option<Batch> {
        match piece {
            Piece::TooLong(long) => {
                tally.lines.add(1);
                letters.reject(&self.too_long(long));
                None
            }
            Piece::Lines(whole) => {
                tally.lines.add(whole.counted.len() as u64);
                self.sort_lines(whole, tally, letters)
            }
        }
    }

    fn sort_lines(&mut self, piece: Whole, tally: &Tally, letters: &mut Letters) -> Option<Batch> {
        if self.check != Check::None {
            // Whoever looks into records needs to know, and has less time for it than a source.
            piece.ends();
        }
        let end = piece.end();
        let Whole { buffer, mut start, counted, mut at, .. } = piece;
        let first = start;
        let bytes = &buffer[start..end];
        let fits = bytes.len() <= self.max_record;
        if self.check == Check::None && fits {
            return self.batch(buffer, Lines::whole(start, counted, at));
        }
        if self.check != Check::None && at.offset == 0 && bytes.starts_with(BOM) {
            start += BOM.len();
            at.offset += BOM.len() as u64;
        }
        let mut verdicts = Verdicts::new(self.check, &buffer[start..end]);
        if self.check == Check::Json && fits && verdicts.all_good() {
            return self.batch(buffer, Lines::whole(start, counted, at)).map(Batch::proven);
        }
        let base = start;
        let mut lines = Lines::default();
        for end in counted.places(&buffer, first).iter().map(|end| *end as usize) {
            let line = &buffer[start..end - 1];
            match verdicts.next(line, start - base) {
                _ if line.len() > self.max_record => {
                    letters.reject(&self.too_long(long(line, at)));
                    lines.gap();
                }
                Verdict::Good => lines.push(start, end, at),
                Verdict::Blank => {
                    tally.blank.add(1);
                    lines.gap();
                }
                Verdict::Bad(fault) => {
                    letters.reject(&self.letter(Kept::Raw(line.to_vec()), at, complaint(fault)));
                    lines.gap();
                }
            }
            at = Position { line: at.line + 1, offset: at.offset + (end - start) as u64 };
            start = end;
        }
        let batch = self.batch(buffer, lines);
        if self.check == Check::Json { batch.map(Batch::proven) } else { batch }
    }

    fn batch(&mut self, buffer: crate::words::buffer::Buffer, lines: Lines) -> Option<Batch> {
        if lines.is_empty() {
            return None;
        }
        let batch = Batch::new(buffer, lines, self.seq, Arc::clone(&self.origin), self.split);
        self.seq += batch.records();
        Some(batch)
    }

    pub(super) fn too_long(&self, long: Long) -> DeadLetter {
        let Long { head, bytes, digest, at } = long;
        let message = format!(
            "{} bytes, more than the {} of `max_record`",
            grouped(bytes),
            grouped(self.max_record as u64)
        );
        let complaint = Complaint::new("", "json.too_long", message);
        self.letter(Kept::Head { head, bytes, digest }, at, complaint)
    }

    pub(super) fn letter(&self, kept: Kept, at: Position, complaint: Complaint) -> DeadLetter {
        DeadLetter {
            kept,
            source: self.source.clone(),
            file: self.origin.file.clone(),
            at,
            stage: None,
            errors: vec![complaint],
            trace: None,
        }
    }
}

enum Verdict {
    Good,
    Blank,
    Bad(Fault),
}

/// What the lines of a piece are, asked for one after the other.
enum Verdicts<'a> {
    /// Only those that are no JSON are known beforehand.
    Json(Peekable<Odds<'a>>),
    /// Each is looked at for itself, unless all are UTF-8.
    Utf8 { all: bool },
    /// Anything goes.
    Unchecked,
}

impl<'a> Verdicts<'a> {
    fn new(check: Check, lines: &'a [u8]) -> Self {
        match check {
            Check::Json => Self::Json(json::odd(lines).peekable()),
            Check::Utf8 => Self::Utf8 { all: json::is_utf8(lines) },
            Check::None => Self::Unchecked,
        }
    }

    fn all_good(&mut self) -> bool {
        match self {
            Self::Json(odds) => odds.peek().is_none(),
            Self::Utf8 { .. } | Self::Unchecked => false,
        }
    }

    /// Returns what the line is that begins at `start`.
    fn next(&mut self, line: &[u8], start: usize) -> Verdict {
        match self {
            Self::Json(odds) => match odds.next_if(|odd| odd.place.start == start) {
                None => Verdict::Good,
                Some(Odd { fault: None, .. }) => Verdict::Blank,
                Some(Odd { fault: Some(fault), .. }) => Verdict::Bad(fault),
            },
            Self::Utf8 { .. } if json::is_blank(line) => Verdict::Blank,
            Self::Unchecked | Self::Utf8 { all: true } => Verdict::Good,
            Self::Utf8 { all: false } => {
                json::check_utf8(line).map_or_else(Verdict::Bad, |()| Verdict::Good)
            }
        }
    }
}

pub(super) fn complaint(fault: Fault) -> Complaint {
    Complaint::new("", fault.code, fault.message).at(fault.column)
}

/// What is kept of a line that is too long and was held all the same.
pub(super) fn long(line: &[u8], at: Position) -> Long {
    Long {
        head: line[..line.len().min(HEAD)].to_vec(),
        bytes: line.len() as u64,
        digest: <sha2::Sha256 as sha2::Digest>::digest(line).into(),
        at,
    }
}

#[cfg(test)]
mod tests;
