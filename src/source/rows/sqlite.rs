//! Pages of a file of `SQLite`.

use std::os::fd::OwnedFd;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde_json::json;

use crate::database::sqlite;
use crate::plan::database::{Rows, Sqlite, quote};
use crate::source::Trouble;
use crate::source::rows::{
    Key, Page, Pages, Queries, cannot, json, keyless, no_key, queries, same_key, wanted,
};
use crate::words::outcome::Failure;

/// What a column holds beside what `SQLite` says of each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Declared {
    Plain,
    Boolean,
    Json,
    Decimal,
}

struct Reading {
    db: Connection,
    plan: Rows,
    queries: Queries,
    columns: Vec<(Vec<u8>, Declared)>,
    behind: Option<Vec<Value>>,
    /// The key of the row that the next page should begin with.
    ahead: Option<Vec<Value>>,
    over: bool,
    wake: OwnedFd,
}

/// Opens a database to read it.
pub(super) fn open(
    server: &Sqlite,
    plan: &Rows,
    shown: &str,
    wake: OwnedFd,
) -> Result<Box<dyn Pages>, Failure> {
    let failed = |error: rusqlite::Error| {
        let failure = cannot(shown, &sqlite::explain(&error));
        match sqlite::remedy(&error) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let db = sqlite::open_to_read(server).map_err(failed)?;
    if plan.snapshot {
        db.execute_batch("BEGIN").map_err(failed)?;
    }
    let keys: Vec<String> = plan.key.iter().map(|name| format!("q.{}", quote(name))).collect();
    let behind: Vec<String> = (1..=keys.len()).map(|number| format!("?{number}")).collect();
    let queries = queries(plan, &wanted(plan), &keys, &behind);
    let columns = {
        let statement = db.prepare(&queries.first).map_err(failed)?;
        db.prepare(&queries.next).map_err(failed)?;
        let own = statement.column_count() - keys.len();
        let columns = statement.columns();
        let columns = columns.take(own).enumerate();
        let declared = |kind: Option<&str>| match kind.map(str::to_ascii_uppercase).as_deref() {
            Some("BOOLEAN" | "BOOL") => Declared::Boolean,
            Some("JSON" | "JSON_TEXT") => Declared::Json,
            Some("DECIMAL_TEXT") => Declared::Decimal,
            _ => Declared::Plain,
        };
        columns
            .map(|(index, column)| (json::name(index, column.name()), declared(column.decl_type())))
            .collect()
    };
    if db.prepare(&keyless(plan)).and_then(|mut query| query.exists([])).map_err(failed)? {
        return Err(no_key(plan, shown));
    }
    let plan = plan.clone();
    Ok(Box::new(Reading {
        db,
        plan,
        queries,
        columns,
        behind: None,
        ahead: None,
        over: false,
        wake,
    }))
}

impl Pages for Reading {
    fn seek(&mut self, key: Key) {
        self.behind = Some(key.iter().map(from_json).collect());
    }

    fn next(&mut self, lines: &mut Vec<u8>) -> Result<Page, Trouble> {
        if self.over {
            return Ok(Page::End);
        }
        if crate::source::is_awake(&self.wake) {
            return Ok(Page::Stopped);
        }
        let failed =
            |error: rusqlite::Error| Trouble::Io(std::io::Error::other(sqlite::explain(&error)));
        let Self { db, plan, queries, columns, behind, ahead, over, .. } = self;
        let text = if behind.is_some() { &queries.next } else { &queries.first };
        let mut query = db.prepare_cached(text).map_err(failed)?;
        let bounds = behind.iter().flatten();
        let mut rows = query.query(params_from_iter(bounds)).map_err(failed)?;
        let mut last: Option<Vec<Value>> = None;
        let mut count = 0;
        let (expected, mut first) = (ahead.take(), None);
        while let Some(row) = rows.next().map_err(failed)? {
            let parts = columns.len()..columns.len() + plan.key.len();
            let key: Vec<Value> =
                parts.map(|index| row.get(index)).collect::<Result<_, _>>().map_err(failed)?;
            if let Some(last) = &last
                && *last == key
            {
                return Err(same_key(plan, &key.iter().map(to_json).collect()));
            }
            first.get_or_insert_with(|| key.clone());
            if count == plan.page {
                *ahead = Some(key);
                break;
            }
            for (index, (name, declared)) in columns.iter().enumerate() {
                lines.extend_from_slice(name);
                value(row.get_ref(index).map_err(failed)?, *declared, lines);
            }
            lines.extend_from_slice(b"}\n");
            count += 1;
            last = Some(key);
        }
        drop(rows);
        if let Some(key) = behind.as_ref().filter(|_| first != expected) {
            let mut same = db.prepare_cached(&queries.same).map_err(failed)?;
            let count: i64 =
                same.query_row(params_from_iter(key), |row| row.get(0)).map_err(failed)?;
            if count > 1 {
                return Err(same_key(plan, &key.iter().map(to_json).collect()));
            }
        }
        *over = count < plan.page;
        let Some(key) = last else { return Ok(Page::End) };
        let told = key.iter().map(to_json).collect();
        *behind = Some(key);
        Ok(Page::Rows(told))
    }
}

fn value(value: ValueRef<'_>, declared: Declared, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Integer(number @ (0 | 1)) if declared == Declared::Boolean => {
            out.extend_from_slice(if number == 1 { b"true" } else { b"false" });
        }
        ValueRef::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        ValueRef::Real(number) => json::float(number, out),
        ValueRef::Blob(bytes) => json::bytes(bytes, out),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(whole) if declared == Declared::Json && crate::json::check(text).is_ok() => {
                json::inline(whole, out);
            }
            Ok(whole) if declared == Declared::Decimal && is_number(text) => {
                out.extend_from_slice(whole.as_bytes());
            }
            _ => json::string(text, out),
        },
    }
}

/// Tells whether a text is a number as JSON writes it.
fn is_number(text: &[u8]) -> bool {
    let first = text.first().is_some_and(|byte| *byte == b'-' || byte.is_ascii_digit());
    first && crate::json::check(text).is_ok()
}

/// A part of a key as it is kept.
fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => json!(number),
        // By its bits: no digit of it may be lost.
        Value::Real(number) => json!({ "real": number.to_bits() }),
        Value::Text(text) => json!(text),
        Value::Blob(bytes) => json!({ "blob": bytes }),
    }
}

fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(number) => number.as_i64().map_or(Value::Null, Value::Integer),
        serde_json::Value::Object(object) => {
            let bits = object.get("real").and_then(serde_json::Value::as_u64);
            let blob =
                object.get("blob").and_then(|blob| serde_json::from_value(blob.clone()).ok());
            match (bits, blob) {
                (Some(bits), _) => Value::Real(f64::from_bits(bits)),
                (None, Some(blob)) => Value::Blob(blob),
                (None, None) => Value::Null,
            }
        }
        _ => Value::Null,
    }
}
