//! Is this line one JSON text? RFC 8259 to the letter: UTF-8, one value, white space around it;
//! escaped lone surrogates, numbers of any size and repeated keys pass, 128 levels do.
//!
//! A filter goes over many lines at once and only says which may be wrong; the judge reads those
//! byte by byte, alone decides, and says where.

mod filter;
pub mod number;
pub mod pointer;
mod scalar;

use std::ops::Range;

use crate::json::filter::Way;

/// How many levels of arrays and objects may stand in each other.
pub const MAX_DEPTH: usize = 128;

/// Why a line is no JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A stable word: `json.syntax`, `json.utf8` or `json.too_deep`.
    pub code: &'static str,
    /// What is wrong, as a sentence fragment.
    pub message: String,
    /// The byte where it shows, from 1.
    pub column: u64,
}

impl Fault {
    fn utf8(at: usize) -> Self {
        Self { code: "json.utf8", message: "invalid UTF-8".to_owned(), column: at as u64 + 1 }
    }
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Where it lies, without its line feed.
    pub place: Range<usize>,
    /// Why it is none; nothing if it is blank.
    pub fault: Option<Fault>,
}

/// Tells whether `line` is white space only, as JSON sees it.
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Checks that `line` is one JSON text.
pub fn check(line: &[u8]) -> Result<(), Fault> {
    // To the filter a line feed ends a text; to who asks this it is white space.
    let one = !line.is_empty() && memchr::memchr(b'\n', line).is_none();
    if one && is_utf8(line) && Way::fastest().suspect(line).is_none() {
        return Ok(());
    }
    scalar::judge(line)
}

/// Finds the lines that are no records, in their order. Each line ends with a line feed.
pub fn odd(lines: &[u8]) -> Odds<'_> {
    Odds::new(Way::fastest(), lines)
}

/// Checks that `line` is UTF-8.
pub fn check_utf8(line: &[u8]) -> Result<(), Fault> {
    match std::str::from_utf8(line) {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::utf8(error.valid_up_to())),
    }
}

/// Tells whether all of `bytes`, one line or many, is UTF-8: a fast answer without the place.
pub fn is_utf8(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// The lines that are no records.
#[derive(Debug)]
pub struct Odds<'a> {
    way: Way,
    lines: &'a [u8],
    /// Where the next line to look at begins.
    at: usize,
    /// Up to where the lines are UTF-8.
    utf8: usize,
}

impl<'a> Odds<'a> {
    fn new(way: Way, lines: &'a [u8]) -> Self {
        let utf8 = if is_utf8(lines) { lines.len() } else { valid_up_to(lines, 0) };
        Self { way, lines, at: 0, utf8 }
    }

    /// Goes to the next line that may be odd.
    fn suspect(&self) -> Option<Range<usize>> {
        let rest = self.lines.get(self.at..).filter(|rest| !rest.is_empty())?;
        // Whole lines of UTF-8; the line that is none is for the judge.
        let text = if self.utf8 == self.lines.len() {
            rest
        } else {
            let valid = rest.get(..self.utf8.saturating_sub(self.at)).unwrap_or_default();
            let end = memchr::memrchr(b'\n', valid).map_or(0, |feed| feed + 1);
            valid.get(..end).unwrap_or_default()
        };
        let place = match self.way.suspect(text) {
            Some(place) => place,
            None if text.len() == rest.len() => return None,
            None => text.len(),
        };
        let start = memchr::memrchr(b'\n', rest.get(..place)?).map_or(0, |feed| feed + 1);
        let length = memchr::memchr(b'\n', rest.get(start..)?).unwrap_or(rest.len() - start);
        Some(self.at + start..self.at + start + length)
    }
}

impl Iterator for Odds<'_> {
    type Item = Odd;

    fn next(&mut self) -> Option<Odd> {
        loop {
            let place = self.suspect()?;
            self.at = place.end + 1;
            if self.utf8 < self.at {
                self.utf8 = valid_up_to(self.lines, self.at);
            }
            let line = self.lines.get(place.clone()).unwrap_or_default();
            match scalar::judge(line) {
                Ok(()) => {}
                Err(_) if is_blank(line) => return Some(Odd { place, fault: None }),
                Err(fault) => return Some(Odd { place, fault: Some(fault) }),
            }
        }
    }
}

/// Finds the end of the UTF-8 that begins at `from`.
fn valid_up_to(lines: &[u8], from: usize) -> usize {
    let rest = lines.get(from..).unwrap_or_default();
    simdutf8::compat::from_utf8(rest).map_or_else(|e| from + e.valid_up_to(), |_| lines.len())
}

#[cfg(test)]
mod tests;
