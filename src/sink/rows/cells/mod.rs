//! What a record holds for each column: pure.

use std::borrow::Cow;
use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::json::pointer::{Pointer, inside, stands_for};
use crate::plan::database::{Column, Target};
use crate::words::dead_letter::Complaint;
use crate::words::policy::ColumnType;

/// The columns of a table, and where their values stand in records.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    columns: Vec<Place>,
}

#[derive(Clone, Debug)]
struct Place {
    from: Pointer,
    path: String,
    kind: Option<ColumnType>,
    /// Whether it is part of the key, which no NULL is.
    key: bool,
}

/// What goes into a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number in floating point, and how it is written.
    Real(f64, &'a str),
    /// A number as it is written.
    Number(&'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// A truth value.
    Truth(bool),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cells {
    /// Prepares for the columns of a table; none if a pointer is none.
    pub(super) fn new(plan: &Target) -> Option<Self> {
        let place = |column: &Column| {
            let from = Pointer::parse(&column.from)?;
            let (path, key) = (column.from.clone(), plan.key.contains(&column.name));
            Some(Place { from, path, kind: column.kind, key })
        };
        Some(Self { columns: plan.columns.iter().map(place).collect::<Option<_>>()? })
    }

    /// Tells what a record holds for each column; or all that does not fit.
    pub(super) fn of<'a>(&self, record: &'a [u8]) -> Result<Vec<Cell<'a>>, Vec<Complaint>> {
        let mut cells = Vec::with_capacity(self.columns.len());
        let mut wrong = Vec::new();
        for place in &self.columns {
            let found = place.from.find(record).and_then(|span| record.get(span));
            match found.map_or(Ok(Cell::Null), |value| cell(value, place.kind)) {
                Ok(Cell::Null) if place.key => {
                    wrong.push(complaint(
                        place,
                        "column.null",
                        "part of the key, and missing or null",
                    ));
                }
                Ok(cell) => cells.push(cell),
                Err((code, message)) => wrong.push(complaint(place, code, message)),
            }
        }
        if wrong.is_empty() { Ok(cells) } else { Err(wrong) }
    }
}

fn complaint(place: &Place, code: &str, message: &str) -> Complaint {
    Complaint::new(&place.path, code, message)
}

type Unfit = (&'static str, &'static str);

/// Takes a value for a column of some type.
fn cell(value: &[u8], kind: Option<ColumnType>) -> Result<Cell<'_>, Unfit> {
    const NOT_TEXT: Unfit = ("column.type", "not a string");
    if value == b"null" {
        return Ok(Cell::Null);
    }
    let text = || -> Result<Cow<'_, str>, Unfit> {
        let inner = inside(value).ok_or(NOT_TEXT)?;
        match stands_for(inner) {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).ok(),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
        }
        .ok_or(("column.text", "half a surrogate pair, which no text in a database holds"))
    };
    let number = || -> Result<&str, Unfit> {
        let first = value.first().copied().unwrap_or_default();
        let number = (first == b'-' || first.is_ascii_digit()).then_some(value);
        let number = number.and_then(|number| std::str::from_utf8(number).ok());
        number.ok_or(("column.type", "not a number"))
    };
    let Some(kind) = kind else { return any(value, text, number) };
    match kind {
        ColumnType::Integer => {
            let written = number()?;
            if written.contains(['.', 'e', 'E']) {
                return Err(("column.type", "not a whole number as `12` is one"));
            }
            let number = written.parse().map_err(|_| ("column.range", "more than 64 bits hold"))?;
            Ok(Cell::Integer(number))
        }
        ColumnType::Real => {
            let written = number()?;
            let number: f64 = written.parse().map_err(|_| ("column.type", "not a number"))?;
            if number.is_infinite() {
                return Err(("column.range", "more than a number in floating point holds"));
            }
            Ok(Cell::Real(number, written))
        }
        ColumnType::Numeric => Ok(Cell::Number(number()?)),
        ColumnType::Text => Ok(Cell::Text(text()?)),
        ColumnType::Boolean => match value {
            b"true" => Ok(Cell::Truth(true)),
            b"false" => Ok(Cell::Truth(false)),
            _ => Err(("column.type", "not `true` or `false`")),
        },
        ColumnType::Json => json(value),
        ColumnType::Timestamp => {
            let text = text()?;
            let known = jiff::Timestamp::from_str(&text).is_ok();
            checked(
                known,
                text,
                "not a point in time as RFC 3339 writes it: `2024-02-29T12:00:00Z`",
            )
        }
        ColumnType::Date => {
            let text = text()?;
            let known = text.len() == 10 && jiff::civil::Date::from_str(&text).is_ok();
            checked(known, text, "not a date as RFC 3339 writes it: `2024-02-29`")
        }
        ColumnType::Uuid => {
            let text = text()?;
            checked(is_uuid(&text), text, "not a UUID")
        }
        ColumnType::Blob => {
            let bytes = STANDARD.decode(text()?.as_bytes());
            bytes.map(Cell::Bytes).map_err(|_| ("column.type", "not base64"))
        }
    }
}

/// Takes a value as it comes.
fn any<'a>(
    value: &'a [u8],
    text: impl Fn() -> Result<Cow<'a, str>, Unfit>,
    number: impl Fn() -> Result<&'a str, Unfit>,
) -> Result<Cell<'a>, Unfit> {
    match value.first() {
        Some(b'"') => text().map(Cell::Text),
        Some(b't') => Ok(Cell::Truth(true)),
        Some(b'f') => Ok(Cell::Truth(false)),
        Some(b'{' | b'[') => json(value),
        _ => {
            let written = number()?;
            Ok(written.parse().map_or(Cell::Number(written), Cell::Integer))
        }
    }
}

fn json(value: &[u8]) -> Result<Cell<'_>, Unfit> {
    let text = std::str::from_utf8(value);
    text.map(|text| Cell::Text(Cow::Borrowed(text))).map_err(|_| ("column.text", "not UTF-8"))
}

fn checked<'a>(good: bool, text: Cow<'a, str>, wrong: &'static str) -> Result<Cell<'a>, Unfit> {
    if good { Ok(Cell::Text(text)) } else { Err(("column.type", wrong)) }
}

fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| {
            if dashes.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}

#[cfg(test)]
mod tests;
