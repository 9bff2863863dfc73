//! A record as a flat row of cells: read once, judged often, and nothing of it is lost.
//!
//! Numbers stay the text they are written as, strings stay where they stand unless they hold
//! escapes, and the rooms are used again for the next record.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::Cell as Counter;

use crate::json::MAX_DEPTH;

/// Why a record cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The byte where it shows, from 0.
    pub(super) at: usize,
    /// What it is, as a sentence fragment.
    pub(super) why: Cow<'static, str>,
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Number,
    /// A string that stands in the record as it is.
    Plain,
    /// A string with escapes: what it stands for is in the other text.
    Decoded,
    Array,
    Object,
}

/// A value, or the name of a member, which stands before the member's value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// Where its text begins: of strings without the quote; of large objects where their names
    /// begin among the sorted ones.
    pub(super) start: u32,
    /// How long its text is; of arrays and objects how many they hold.
    pub(super) size: u32,
    /// Of arrays and objects the cell behind all that is in them; of names a hash.
    pub(super) more: u32,
    pub(super) kind: Kind,
    /// Another member of the same name follows, which counts in place of this one.
    pub(super) shadowed: bool,
}

/// The rooms for one record after the other.
#[derive(Debug, Default)]
pub(super) struct Tape {
    cells: Vec<Cell>,
    decoded: String,
    /// The names of the objects that are open: hash and cell.
    names: Vec<(u32, u32)>,
    /// Those of large objects, by their hashes.
    sorted: Vec<(u32, u32)>,
}

/// A record that was read.
#[derive(Clone, Debug)]
pub(super) struct Doc<'a> {
    text: &'a str,
    decoded: &'a str,
    pub(super) cells: &'a [Cell],
    sorted: &'a [(u32, u32)],
    /// How many errors may still be made; all that is left is skipped when there are too many.
    left: Counter<u32>,
}

/// How many errors are made of a record at most, those counted that an `anyOf` gives up.
const ERRORS: u32 = 100_000;

impl<'a> Doc<'a> {
    /// Returns the text of a string or a number.
    pub(super) fn text(&self, cell: &Cell) -> &'a str {
        stands(cell, self.text, self.decoded)
    }

    /// Returns the record as it was read.
    pub(super) fn record(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Begins to count the errors that are made.
    pub(super) fn look_for_errors(&self) {
        self.left.set(ERRORS);
    }

    /// Counts an error.
    pub(super) fn count_error(&self) {
        self.left.set(self.left.get().saturating_sub(1));
    }

    /// Tells whether there were so many errors that nothing more is to be looked at.
    pub(super) fn is_enough(&self) -> bool {
        self.left.get() == 0
    }

    /// Returns a member that another of the same name follows, and where its name stands.
    pub(super) fn doubled(&self) -> Option<(&'a str, usize)> {
        let cell = self.cells.iter().find(|cell| cell.shadowed)?;
        Some((self.text(cell), if cell.kind == Kind::Plain { cell.start as usize - 1 } else { 0 }))
    }

    /// Finds the cell of a name in the object at `at`.
    pub(super) fn member(&self, at: u32, hash: u32, wanted: &str) -> Option<u32> {
        let object = &self.cells[at as usize];
        let is = |name: u32| self.text(&self.cells[name as usize]) == wanted;
        let count = object.size as usize;
        if count > FEW {
            let names = self.sorted.get(object.start as usize..)?.get(..count)?;
            let first = names.partition_point(|name| name.0 < hash);
            let mut same = names[first..].iter().take_while(|name| name.0 == hash);
            return same.find(|name| is(name.1)).map(|name| name.1);
        }
        let mut at = at + 1;
        while at < object.more {
            let name = &self.cells[at as usize];
            if name.more == hash && !name.shadowed && is(at) {
                return Some(at);
            }
            at = self.behind(at + 1);
        }
        None
    }

    /// Returns the number of the cell behind the value at `at`.
    pub(super) fn behind(&self, at: u32) -> u32 {
        let cell = &self.cells[at as usize];
        if matches!(cell.kind, Kind::Array | Kind::Object) { cell.more } else { at + 1 }
    }
}

/// How many cells a tape may keep from one record to the next.
const KEEP: usize = 1 << 16;

impl Tape {
    /// Reads a record, which is known to be one JSON text.
    pub(super) fn read<'a>(&'a mut self, record: &'a [u8]) -> Result<Doc<'a>, Fault> {
        self.cells.clear();
        self.cells.shrink_to(KEEP);
        self.decoded.clear();
        self.decoded.shrink_to(KEEP);
        self.names.clear();
        self.names.shrink_to(KEEP);
        self.sorted.clear();
        self.sorted.shrink_to(KEEP);
        let fault = |at, why: &'static str| Fault { at, why: why.into() };
        if u32::try_from(record.len()).is_err() {
            return Err(fault(0, "longer than 4 GiB"));
        }
        let text = simdutf8::compat::from_utf8(record)
            .map_err(|error| fault(error.valid_up_to(), "invalid UTF-8"))?;
        let mut reader = Reader { bytes: record, text, at: 0, tape: self };
        reader.blank();
        reader.value(MAX_DEPTH)?;
        reader.blank();
        if reader.at < record.len() {
            return Err(reader.broken());
        }
        let Self { cells, decoded, sorted, .. } = self;
        Ok(Doc { text, decoded, cells, sorted, left: Counter::new(ERRORS) })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    tape: &'a mut Tape,
}

impl Reader<'_> {
    fn broken(&self) -> Fault {
        Fault { at: self.at, why: "not a JSON text".into() }
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Steps over a byte, if it is that one, and over the white space behind it.
    fn takes(&mut self, byte: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&byte);
        if found {
            self.at += 1;
            self.blank();
        }
        found
    }

    fn push(&mut self, kind: Kind, start: usize, size: usize) -> u32 {
        let cell =
            Cell { start: narrow(start), size: narrow(size), more: 0, kind, shadowed: false };
        self.tape.cells.push(cell);
        narrow(self.tape.cells.len() - 1)
    }

    /// Reads the value that begins here, with at most `depth` levels.
    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        let start = self.at;
        let word = match self.bytes.get(start) {
            Some(b'"') => return self.string().map(|_| ()),
            Some(b'{') if depth > 0 => return self.object(depth - 1),
            Some(b'[') if depth > 0 => return self.array(depth - 1),
            Some(b'-' | b'0'..=b'9') => {
                self.number();
                return Ok(());
            }
            Some(b't') => (Kind::True, &b"true"[..]),
            Some(b'f') => (Kind::False, &b"false"[..]),
            Some(b'n') => (Kind::Null, &b"null"[..]),
            _ => return Err(self.broken()),
        };
        let (kind, word) = word;
        if !self.bytes.get(start..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.broken());
        }
        self.at += word.len();
        self.push(kind, start, word.len());
        Ok(())
    }

    fn number(&mut self) {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.push(Kind::Number, start, self.at - start);
    }

    fn array(&mut self, depth: usize) -> Result<(), Fault> {
        let open = self.push(Kind::Array, self.at, 0);
        self.takes(b'[');
        let mut count = 0;
        while self.bytes.get(self.at) != Some(&b']') {
            self.value(depth)?;
            count += 1;
            self.blank();
            if !self.takes(b',') {
                break;
            }
        }
        self.close(open, b']', count)
    }

    fn object(&mut self, depth: usize) -> Result<(), Fault> {
        let open = self.push(Kind::Object, self.at, 0);
        let outer = self.tape.names.len();
        self.takes(b'{');
        while self.bytes.get(self.at) == Some(&b'"') {
            let name = self.string()?;
            let hash = hash(self.name(name));
            self.tape.cells[name as usize].more = hash;
            self.tape.names.push((hash, name));
            self.blank();
            if !self.takes(b':') {
                return Err(self.broken());
            }
            self.value(depth)?;
            self.blank();
            if !self.takes(b',') {
                break;
            }
        }
        let count = self.settle(open, outer);
        self.tape.names.truncate(outer);
        self.close(open, b'}', count)
    }

    fn close(&mut self, open: u32, byte: u8, count: usize) -> Result<(), Fault> {
        if self.bytes.get(self.at) != Some(&byte) {
            return Err(self.broken());
        }
        self.at += 1;
        let behind = narrow(self.tape.cells.len());
        let cell = &mut self.tape.cells[open as usize];
        (cell.size, cell.more) = (narrow(count), behind);
        Ok(())
    }

    fn name(&self, at: u32) -> &str {
        let cell = &self.tape.cells[at as usize];
        stands(cell, self.text, &self.tape.decoded)
    }

    /// Marks the members of an object that others of the same name follow, and sorts the names of
    /// a large one. Returns how many members count.
    fn settle(&mut self, open: u32, outer: usize) -> usize {
        let names = &self.tape.names[outer..];
        if names.len() <= FEW && !twice(names) {
            return names.len();
        }
        let mut names = self.tape.names.split_off(outer);
        let text = |at: u32| self.name(at);
        names.sort_unstable_by(|a, b| (a.0, text(a.1), a.1).cmp(&(b.0, text(b.1), b.1)));
        let same = |a: (u32, u32), b: (u32, u32)| a.0 == b.0 && text(a.1) == text(b.1);
        let follows = |at: usize| names.get(at + 1).is_some_and(|&next| same(names[at], next));
        let (shadowed, counting): (Vec<usize>, Vec<usize>) =
            (0..names.len()).partition(|&at| follows(at));
        for at in shadowed {
            self.tape.cells[names[at].1 as usize].shadowed = true;
        }
        self.tape.cells[open as usize].start = narrow(self.tape.sorted.len());
        self.tape.sorted.extend(counting.iter().map(|&at| names[at]));
        counting.len()
    }

    /// Reads the string that begins here, and returns the number of its cell.
    fn string(&mut self) -> Result<u32, Fault> {
        let start = self.at + 1;
        let end = self.plain_end(start)?;
        if self.bytes[end] == b'"' {
            self.at = end + 1;
            return Ok(self.push(Kind::Plain, start, end - start));
        }
        let from = self.tape.decoded.len();
        let (mut plain, mut at) = (start, end);
        loop {
            let run = self.text.get(plain..at).ok_or_else(|| self.broken())?;
            self.tape.decoded.push_str(run);
            if self.bytes[at] == b'"' {
                break;
            }
            self.at = at;
            plain = self.escape()?;
            at = self.plain_end(plain)?;
        }
        self.at = at + 1;
        Ok(self.push(Kind::Decoded, from, self.tape.decoded.len() - from))
    }

    /// Finds the first quote or backslash from `from` on.
    fn plain_end(&self, from: usize) -> Result<usize, Fault> {
        let mut at = from;
        // Most strings are short: eight bytes at a time cost less than a call.
        while let Some(&eight) = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let found = among(eight, b'"') | among(eight, b'\\');
            if found != 0 {
                return Ok(at + found.trailing_zeros() as usize / 8);
            }
            at += 8;
        }
        let rest = self.bytes.get(at..).unwrap_or_default();
        let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
        found.map(|more| at + more).ok_or_else(|| self.broken())
    }

    /// Decodes the escape that begins here, and returns the place behind it.
    fn escape(&mut self) -> Result<usize, Fault> {
        let (decoded, length) = match self.bytes.get(self.at + 1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(&byte @ (b'"' | b'\\' | b'/')) => (char::from(byte), 2),
            Some(b'u') => {
                let unit = self.unit(self.at).ok_or_else(|| self.broken())?;
                let low = self.unit(self.at + 6).filter(|low| (0xdc00..0xe000).contains(low));
                let pair = low.and_then(|low| char::decode_utf16([unit, low]).next()?.ok());
                match (char::from_u32(u32::from(unit)), pair) {
                    (Some(whole), _) => (whole, 6),
                    (None, Some(whole)) => (whole, 12),
                    (None, None) => {
                        let why = format!("`\\u{unit:04x}` is half of a surrogate pair");
                        return Err(Fault { at: self.at, why: why.into() });
                    }
                }
            }
            _ => return Err(self.broken()),
        };
        self.tape.decoded.push(decoded);
        Ok(self.at + length)
    }

    /// Reads `\uXXXX`.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.bytes.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
        digits.iter().try_fold(0, |unit, &digit| {
            let digit = char::from(digit).to_digit(16)?;
            Some(unit << 4 | u16::try_from(digit).ok()?)
        })
    }
}

/// Returns the text of a string or a number.
fn stands<'a>(cell: &Cell, text: &'a str, decoded: &'a str) -> &'a str {
    let whole = if cell.kind == Kind::Decoded { decoded } else { text };
    let start = cell.start as usize;
    whole.get(start..start + cell.size as usize).unwrap_or_default()
}

/// So few names are compared with each other and looked through: that is faster than to sort them.
const FEW: usize = 32;

fn twice(names: &[(u32, u32)]) -> bool {
    (1..names.len()).any(|at| names[..at].iter().any(|other| other.0 == names[at].0))
}

/// A record is at most 4 GiB long, which was asked first.
fn narrow(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// Sets the upper bit of the first byte that is `byte`, counted from below; those above it mean
/// nothing.
fn among(eight: [u8; 8], byte: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let differs = u64::from_le_bytes(eight) ^ (ONES * u64::from(byte));
    differs.wrapping_sub(ONES) & !differs & (ONES << 7)
}

/// Tells most names apart.
pub(super) fn hash(name: &str) -> u32 {
    let mut hash = name.len() as u64;
    let mut chunks = name.as_bytes().chunks_exact(8);
    let mix =
        |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    for chunk in &mut chunks {
        hash = mix(hash, chunk.try_into().map_or(0, u64::from_le_bytes));
    }
    let rest = chunks.remainder().iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    narrow((mix(hash, rest) >> 32) as usize)
}
