//! Where in a line does the value at a JSON Pointer (RFC 6901) stand?
//!
//! The line is known to be one JSON text, so it is walked along, not parsed: strings and what
//! lies off the way are jumped over. Of garbage the answer is any, but there is one.

#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

use crate::json::pointer::text::{decode, is};
use crate::words::dead_letter::Complaint;

/// A path to a value, such as `/address/0/city`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    steps: Vec<Step>,
}

/// One step down: a member of an object, or an element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    key: String,
    /// What it means in an array, if it can mean something there.
    index: Option<usize>,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its bytes.
    pub span: Range<usize>,
    /// Whether a member on the way to it, or itself, has a namesake, so that others who read
    /// the text may take another value for it.
    pub repeated: bool,
}

impl Pointer {
    /// Reads a pointer as it is written. The empty one means the whole text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        if parts.next() != Some("") {
            return None;
        }
        let steps = parts.map(Step::parse).collect::<Option<_>>()?;
        Some(Self { steps })
    }

    /// Finds the value in a line, without the white space around it. Of members with the same
    /// name the last counts, as with most who read JSON.
    pub fn find(&self, line: &[u8]) -> Option<Range<usize>> {
        Some(self.place(line)?.span)
    }

    /// Finds the value in a line, or the last one on the way to it that is there.
    pub fn nearest(&self, line: &[u8]) -> Option<Range<usize>> {
        let mut start = blank(line, 0);
        for step in &self.steps {
            let next = match *line.get(start)? {
                b'{' => member(line, start, step.key.as_bytes()).map(|(value, _)| value),
                b'[' => step.index.and_then(|index| element(line, start, index)),
                _ => None,
            };
            let Some(next) = next else { break };
            start = next;
        }
        let end = skip(line, start)?;
        (start < end).then_some(start..end)
    }

    /// Finds the value in a line, and tells whether another stands there under the same name.
    pub fn place(&self, line: &[u8]) -> Option<Place> {
        let (mut start, mut repeated) = (blank(line, 0), false);
        for step in &self.steps {
            start = match *line.get(start)? {
                b'{' => {
                    let (value, again) = member(line, start, step.key.as_bytes())?;
                    repeated |= again;
                    value
                }
                b'[' => element(line, start, step.index?)?,
                _ => return None,
            };
        }
        let end = skip(line, start)?;
        (start < end).then_some(Place { span: start..end, repeated })
    }

    /// Returns the pointer to what the value lies in and the name that it has there; none for
    /// the whole text.
    pub fn split(&self) -> Option<(Self, &str)> {
        let (last, steps) = self.steps.split_last()?;
        Some((Self { steps: steps.to_vec() }, &last.key))
    }

    /// Returns what tells the value from all others where records are grouped by it: of a string
    /// a quote and the text it stands for, of all else its spelling.
    pub fn key_of<'a>(&self, line: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let value = line.get(self.find(line)?)?;
        // The quote keeps `"1"` and `1` apart.
        let Some(inner) = inside(value) else { return Some(Cow::Borrowed(value)) };
        if memchr::memchr(b'\\', inner).is_none() {
            return value.get(..=inner.len()).map(Cow::Borrowed);
        }
        let mut key = vec![b'"'];
        key.extend_from_slice(&stands_for(inner));
        Some(Cow::Owned(key))
    }
}

/// Finds which bytes of a record each complaint is about: the value at its path, or where that is
/// not there, what it is missing in. A column is one of the line as it stood in its input, so a
/// record that was changed since has none.
pub fn locate(errors: &mut [Complaint], record: &[u8], changed: bool) {
    for error in errors {
        if error.span.is_none() {
            error.span = match error.column {
                Some(column) => span_at(record, column, &error.path),
                None if error.path.is_empty() => None,
                None => Pointer::parse(&error.path).and_then(|path| path.nearest(record)),
            };
        }
        let column = error.span.as_ref().map(|span| span.start as u64 + 1).or(error.column);
        error.column = column.filter(|_| !changed);
    }
}

/// Tells which bytes a column stands for: a value that begins there, or else one byte.
fn span_at(record: &[u8], column: u64, path: &str) -> Option<Range<usize>> {
    let start = usize::try_from(column).ok()?.checked_sub(1)?;
    let value = Pointer::parse(path).and_then(|path| path.find(record));
    let value = value.filter(|span| span.start == start && !path.is_empty());
    value.or_else(|| (start < record.len()).then_some(start..start + 1))
}

/// Returns what is between the quotes of a string; none if the value is none.
pub fn inside(value: &[u8]) -> Option<&[u8]> {
    let inner = value.strip_prefix(b"\"")?;
    Some(inner.strip_suffix(b"\"").unwrap_or(inner))
}

/// Returns what the inside of a string stands for. Half a surrogate pair becomes three bytes that
/// stand in no UTF-8.
pub fn stands_for(inner: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = Vec::with_capacity(inner.len());
    decode(inner, |bytes| {
        text.extend_from_slice(bytes);
        true
    });
    Cow::Owned(text)
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        let mut key = String::with_capacity(text.len());
        let mut parts = text.split('~');
        key.push_str(parts.next()?);
        for part in parts {
            let (plain, rest) = match (part.strip_prefix('0'), part.strip_prefix('1')) {
                (Some(rest), _) => ('~', rest),
                (_, Some(rest)) => ('/', rest),
                _ => return None,
            };
            key.push(plain);
            key.push_str(rest);
        }
        let digits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
        let index = (digits && (key == "0" || !key.starts_with('0'))).then(|| key.parse().ok());
        Some(Self { index: index.flatten(), key })
    }
}

/// Finds where a member's value begins in the object that begins at `open`, and tells whether
/// there is more than one of that name.
fn member(line: &[u8], open: usize, wanted: &[u8]) -> Option<(usize, bool)> {
    let mut found = None;
    let mut at = blank(line, open + 1);
    while line.get(at) == Some(&b'"') {
        let (end, escaped) = string(line, at)?;
        let key = line.get(at + 1..end - 1)?;
        let value = blank(line, after(line, blank(line, end), b':')?);
        if key == wanted && !escaped || escaped && is(key, wanted) {
            found = Some((value, found.is_some()));
        }
        match after(line, blank(line, skip(line, value)?), b',') {
            Some(next) => at = blank(line, next),
            None => break,
        }
    }
    found
}

/// Finds where an element begins in the array that begins at `open`.
fn element(line: &[u8], open: usize, index: usize) -> Option<usize> {
    let mut at = blank(line, open + 1);
    for _ in 0..index {
        at = blank(line, after(line, blank(line, skip(line, at)?), b',')?);
    }
    (*line.get(at)? != b']').then_some(at)
}

/// Returns the place behind a byte that must stand at `at`.
fn after(line: &[u8], at: usize, byte: u8) -> Option<usize> {
    (line.get(at) == Some(&byte)).then_some(at + 1)
}

/// Returns the first place from `at` on that is no white space.
fn blank(line: &[u8], at: usize) -> usize {
    // Most often there is none.
    if line.get(at).is_none_or(|byte| *byte > b' ') {
        return at;
    }
    let rest = line.get(at..).unwrap_or_default();
    let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
    at + blanks.count()
}

/// Returns the end of the value that begins at `start`.
fn skip(line: &[u8], start: usize) -> Option<usize> {
    match *line.get(start)? {
        b'"' => string(line, start).map(|(end, _)| end),
        b'{' | b'[' => nested(line, start),
        _ => {
            let plain = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
            Some(start + line.get(start..)?.iter().take_while(plain).count())
        }
    }
}

/// Returns the end of the string that begins at `start`, behind its closing quote, and whether
/// there is an escape in it.
fn string(line: &[u8], start: usize) -> Option<(usize, bool)> {
    let (mut at, mut escaped) = (start + 1, false);
    loop {
        at = quote_or_escape(line, at)?;
        if line.get(at) == Some(&b'"') {
            return Some((at + 1, escaped));
        }
        // Whatever is escaped, it is not the end.
        at += 2;
        escaped = true;
    }
}

/// Finds the next quote or backslash. Most strings are short: their words are looked at one by
/// one, and only then is it worth while to look for long.
fn quote_or_escape(line: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..NEAR {
        let Some(word) = line.get(at..)?.first_chunk() else { break };
        let word = u64::from_le_bytes(*word);
        let marks = is_byte(word, b'"') | is_byte(word, b'\\');
        if marks != 0 {
            return Some(at + marks.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr2(b'"', b'\\', line.get(at..)?)?)
}

/// How many words are looked at one by one.
const NEAR: usize = 4;

/// Marks the bytes of a word that are `byte` by their top bits; of the marks only the lowest is
/// sure to be right.
fn is_byte(word: u64, byte: u8) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let zero = word ^ (ONES * u64::from(byte));
    zero.wrapping_sub(ONES) & !zero & (ONES * 0x80)
}

/// Returns the end of the object or array that begins at `start`.
fn nested(line: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0usize);
    loop {
        match *line.get(at)? {
            b'"' => {
                at = string(line, at)?.0;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return Some(at + 1),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}
