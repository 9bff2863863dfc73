//! The `records` protocol as bytes: requests out, replies in. Pure.
//!
//! A record is spliced in and out as it is, never parsed into values: its spelling survives.
//! The common replies are recognised by their first bytes; all others are read with care, and
//! whatever the protocol does not allow is named.

use std::io::Write as _;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json;
use crate::json::pointer::{inside, stands_for};
use crate::words::dead_letter::Complaint;
use crate::words::text::{escape, excerpt};

/// How many bytes a reply may have beside its record.
pub const ENVELOPE: usize = 64 << 10;

/// The code of an error that brings none.
const CODE: &str = "rejected";

/// What a worker said in one line.
#[derive(Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// What becomes of the record of a request.
    Reply(u64, Verdict<'a>),
    /// A line for the log, escaped.
    Log {
        /// How important it is, in the worker's words.
        level: String,
        /// What it is.
        message: String,
    },
    /// It is ready to take records.
    Ready,
}

/// What becomes of a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It goes on as it is.
    Kept,
    /// This goes on in its place.
    Replaced(&'a [u8]),
    /// It is refused.
    Rejected(Vec<Complaint>),
    /// It is left out on purpose.
    Dropped,
}

/// Appends the request for a record. A raw CR, white space in JSON, is sent as a space: many
/// readers would end the line there.
pub fn request(id: u64, record: &[u8], out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    write!(out, "{{\"id\":{id},\"record\":").unwrap_or(());
    let start = out.len();
    out.extend_from_slice(record);
    if memchr::memchr(b'\r', record).is_some() {
        for byte in out.iter_mut().skip(start).filter(|byte| **byte == b'\r') {
            *byte = b' ';
        }
    }
    out.extend_from_slice(b"}\n");
}

/// Tells whether `record` is what was sent for `original`, but for white space around it.
pub fn is_echo(original: &[u8], record: &[u8]) -> bool {
    let (original, record) = (original.trim_ascii(), record.trim_ascii());
    original == record
        || (original.len() == record.len()
            && original
                .iter()
                .zip(record)
                .all(|(was, is)| was == is || (*was, *is) == (b'\r', b' ')))
}

/// Reads a line of a worker, without its line feed. `max` is the longest record allowed.
pub fn reply(line: &[u8], max: usize) -> Result<Said<'_>, String> {
    if let Some(said) = common(line, max) {
        return Ok(said);
    }
    any(line, max)
}

/// A place in a line that moves on over what is expected.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn past(&mut self, token: &[u8]) -> Option<()> {
        self.space();
        self.0 = self.0.strip_prefix(token)?;
        Some(())
    }

    /// A name and its colon.
    fn key(&mut self, quoted: &[u8]) -> Option<()> {
        self.past(quoted)?;
        self.past(b":")
    }

    fn number(&mut self) -> Option<u64> {
        self.space();
        let end = self.0.iter().position(|b| !b.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        let canonical = digits.len() == 1 || digits.first() != Some(&b'0');
        // Twenty digits could overflow; whoever sends them is read with care.
        if !canonical || !(1..=19).contains(&digits.len()) {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    }

    fn is_end(&self) -> bool {
        self.0.trim_ascii().is_empty()
    }

    /// All that is left, without the brace that ends it.
    fn body(self) -> Option<&'a [u8]> {
        Some(self.0.trim_ascii().strip_suffix(b"}")?.trim_ascii())
    }
}

/// Recognises `{"id":N,"ok":true}` and `{"id":N,"ok":true,"record":…}`.
fn common(line: &[u8], max: usize) -> Option<Said<'_>> {
    let mut at = Cursor(line);
    at.past(b"{")?;
    at.key(b"\"id\"")?;
    let id = at.number()?;
    at.past(b",")?;
    at.key(b"\"ok\"")?;
    at.past(b"true")?;
    at.space();
    if let [b'}', rest @ ..] = at.0 {
        return Cursor(rest).is_end().then_some(Said::Reply(id, Verdict::Kept));
    }
    at.past(b",")?;
    at.key(b"\"record\"")?;
    let record = at.body()?;
    // If this is one JSON text, nothing can stand behind it but the brace.
    (record.len() <= max && json::check(record).is_ok())
        .then_some(Said::Reply(id, Verdict::Replaced(record)))
}

/// A line as it may be; fields that nobody knows are tolerated.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    ok: Option<&'a RawValue>,
    #[serde(borrow)]
    drop: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    record: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    #[serde(borrow)]
    log: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    ready: Option<&'a RawValue>,
}

/// Reads a field whose `null` is a value like others.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(from).map(Some)
}

fn any(line: &[u8], max: usize) -> Result<Said<'_>, String> {
    let shown = || excerpt(line);
    let text = std::str::from_utf8(line).map_err(|_| format!("no UTF-8: {}", shown()))?;
    let parsed: Line<'_> = serde_json::from_str(text).map_err(|error| {
        let fault = json::check(line).err().filter(|fault| fault.code == "json.syntax");
        match fault {
            Some(fault) => {
                format!("no JSON text (column {}: {}): {}", fault.column, fault.message, shown())
            }
            None if line.trim_ascii_start().starts_with(b"{") => {
                format!("no reply ({error}): {}", shown())
            }
            None => format!("JSON, but no reply object: {}", shown()),
        }
    })?;
    // A list of all fields in their order would be taken for them.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(format!("JSON, but no reply object: {}", shown()));
    }
    if parsed.id.is_none() {
        return without_id(&parsed).ok_or_else(|| format!("a reply without an `id`: {}", shown()));
    }
    let id = parsed.id.and_then(|id| id.get().parse().ok());
    let id = id.ok_or_else(|| format!("a reply whose `id` is no id of a request: {}", shown()))?;
    let verdict = verdict(&parsed, max).map_err(|what| format!("{what}: {}", shown()))?;
    Ok(Said::Reply(id, verdict))
}

fn without_id<'a>(line: &Line<'_>) -> Option<Said<'a>> {
    let text = |raw: &RawValue| {
        let text = serde_json::from_str::<String>(raw.get());
        escape(text.unwrap_or_else(|_| raw.get().to_owned()).as_bytes())
    };
    if let Some(level) = line.log {
        let message = line.message.map(text).unwrap_or_default();
        return Some(Said::Log { level: text(level), message });
    }
    (line.ready.is_some_and(|ready| ready.get() == "true")).then_some(Said::Ready)
}

fn verdict<'a>(line: &Line<'a>, max: usize) -> Result<Verdict<'a>, String> {
    let truth = |name: &str, raw: Option<&RawValue>| match raw.map(RawValue::get) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(format!("a reply whose `{name}` is neither true nor false")),
    };
    match (truth("ok", line.ok)?, truth("drop", line.drop)?) {
        (None, Some(true)) => Ok(Verdict::Dropped),
        (Some(_), Some(true)) => Err("a reply with both `ok` and `drop`".to_owned()),
        (None, _) => Err("a reply with neither `ok` nor `drop`".to_owned()),
        (Some(true), _) if line.errors.is_some_and(|errors| !is_empty(errors)) => {
            Err("a reply with `errors` that is `ok` all the same".to_owned())
        }
        (Some(true), _) => line.record.map_or(Ok(Verdict::Kept), |record| {
            let record = record.get().as_bytes();
            if record.len() > max {
                let bytes = record.len();
                return Err(format!(
                    "a record of {bytes} bytes, more than the {max} of `max_record`"
                ));
            }
            json::check(record)
                .map(|()| Verdict::Replaced(record))
                .map_err(|fault| format!("a record that is no JSON text ({})", fault.message))
        }),
        (Some(false), _) => complaints(line.errors).map(Verdict::Rejected),
    }
}

fn is_empty(list: &RawValue) -> bool {
    serde_json::from_str::<Vec<&RawValue>>(list.get()).is_ok_and(|list| list.is_empty())
}

/// An error that is no mere string.
#[derive(Deserialize)]
struct Table<'a> {
    #[serde(borrow)]
    path: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

fn complaints(errors: Option<&RawValue>) -> Result<Vec<Complaint>, String> {
    let errors = errors.ok_or("a reply that rejects without `errors`")?;
    let list = serde_json::from_str::<Vec<&RawValue>>(errors.get()).ok();
    let complaints: Option<Vec<_>> = list.and_then(|l| l.into_iter().map(complaint).collect());
    match complaints {
        None => Err("a reply whose `errors` are neither strings nor objects of strings".to_owned()),
        Some(list) if list.is_empty() => {
            Err("a reply that rejects and has no error in `errors`".to_owned())
        }
        Some(list) => Ok(list),
    }
}

fn complaint(written: &RawValue) -> Option<Complaint> {
    let (path, code, message) = match written.get().as_bytes().first()? {
        b'"' => (None, None, Some(string(written)?)),
        b'{' => {
            let table: Table<'_> = serde_json::from_str(written.get()).ok()?;
            let read =
                |text: Option<&RawValue>| text.map_or(Some(None), |text| string(text).map(Some));
            (read(table.path)?, read(table.code)?, read(table.message)?)
        }
        _ => return None,
    };
    let code = code.filter(|code| !code.is_empty()).unwrap_or_else(|| CODE.to_owned());
    let message = message.unwrap_or_else(|| code.clone());
    Some(Complaint::new(path.unwrap_or_default(), code, message))
}

/// Reads a string. A record may hold half a surrogate pair, and whoever complains may quote it.
fn string(written: &RawValue) -> Option<String> {
    let inner = inside(written.get().as_bytes())?;
    Some(String::from_utf8_lossy(&stands_for(inner)).into_owned())
}

#[cfg(test)]
mod tests;
