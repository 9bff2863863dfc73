//! Refused records, one by one: as many as a page can hold.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::findings::{Check, in_turn, stood, table};
use crate::report::html::text;
use crate::report::show::{shown, size};
use crate::words::event::BadRecord;
use crate::words::id::Name;
use crate::words::sample::Sample;
use crate::words::text::{clipped, count, grouped};

/// How many there are at most, and how many bytes of the page they take at most.
const ROWS: usize = 1000;
const BYTES: usize = 1_000_000;

/// How many codes may be picked from. (What is behind these is found by searching.)
const CODES: usize = 200;

/// How many bytes of a message are shown.
const MESSAGE: usize = 500;

/// What a row takes beside what is written in it.
const FRAME: usize = 420;

#[derive(Debug, Default, Serialize)]
pub(super) struct Samples<'a> {
    rows: Vec<Row<'a>>,
    codes: Vec<String>,
    tables: Vec<String>,
    shown: String,
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    code_number: usize,
    table_number: usize,
    place: String,
    offset: String,
    table: String,
    code: String,
    path: String,
    message: String,
    sample: Option<Marked>,
    #[serde(skip)]
    of: (&'a str, &'a Name),
}

#[derive(Debug, Serialize)]
struct Marked {
    before: String,
    value: String,
    after: String,
    begins_before: bool,
    goes_on: bool,
}

/// Takes them, the worst checks in turn.
pub(super) fn samples<'a>(checks: &'a [Check<'_>]) -> Samples<'a> {
    let mut room = BYTES;
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (check, bad) in in_turn(checks).take(ROWS) {
        let row = row(check, bad);
        match room.checked_sub(row.weight()) {
            Some(rest) => room = rest,
            None => break,
        }
        rows.push(row);
    }
    let codes = numbered(rows.iter().map(|row| row.of.0));
    let tables = numbered(rows.iter().map(|row| row.of.1.as_str()));
    for row in &mut rows {
        let (code, table) = row.of;
        row.code_number = codes.get(code).copied().unwrap_or_default();
        row.table_number = tables.get(table.as_str()).copied().unwrap_or_default();
    }
    let all: u64 = checks.iter().map(Check::fresh).sum();
    let more = all.saturating_sub(size(rows.len()));
    let more = (more > 0).then(|| format!("{} more are not shown here.", grouped(more)));
    Samples {
        shown: format!("{} shown.", count(size(rows.len()), "error")),
        codes: codes.keys().take(CODES).map(|code| text(code)).collect(),
        tables: tables.keys().map(|name| text(name)).collect(),
        rows,
        more,
    }
}

/// Numbers what there is in the order of the alphabet.
fn numbered<'a>(all: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut numbers: BTreeMap<&str, usize> = all.map(|text| (text, 0)).collect();
    numbers.values_mut().enumerate().for_each(|(number, of)| *of = number);
    numbers
}

fn row<'a>(check: &'a Check<'_>, bad: &'a BadRecord) -> Row<'a> {
    Row {
        code_number: 0,
        table_number: 0,
        place: text(&stood(bad)),
        offset: format!("byte {}", grouped(bad.offset)),
        table: text(table(bad).as_str()),
        code: text(&bad.code),
        path: text(&bad.path),
        message: shown(clipped(&bad.message, MESSAGE)),
        sample: bad.sample.as_ref().map(marked),
        of: (check.code.as_str(), check.table),
    }
}

fn marked(sample: &Sample) -> Marked {
    let Sample { before, value, after, begins_before, goes_on } = sample;
    let (begins_before, goes_on) = (*begins_before, *goes_on);
    Marked {
        before: shown(before),
        value: shown(value),
        after: shown(after),
        begins_before,
        goes_on,
    }
}

impl Row<'_> {
    /// Returns how many bytes of the page it takes at most.
    fn weight(&self) -> usize {
        let Self { place, offset, table, code, path, message, sample, .. } = self;
        let parts = sample.as_ref().map(|s| [&s.before, &s.value, &s.after]);
        let texts = [place, offset, table, code, path, message].into_iter();
        FRAME + texts.chain(parts.into_iter().flatten()).map(|text| escaped(text)).sum::<usize>()
    }
}

/// Returns how many bytes a text takes in the page at most.
fn escaped(text: &str) -> usize {
    let markup = |byte: &u8| matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'' | b'/');
    text.len() + 5 * text.bytes().filter(markup).count()
}
