//! `type = "sqlite"` and `type = "postgres"`: what sources and sinks take then, as written, and how
//! it is read.

pub(super) mod keys;

use std::path::PathBuf;
use std::time::Duration;

use crate::config::database::keys::{
    COLUMN, COLUMN_TYPES, DURABILITIES, ON_CONFLICTS, SINK, SOURCE, SSL_MODES, TRANSACTIONS,
};
use crate::config::keys::{ORDERS, Vocabulary};
use crate::config::manual::phrase;
use crate::config::origin::{Located, Origin};
use crate::config::read::{Field, Read, Reader};
use crate::config::schema::{Setting, Sink, SinkKind, Source, SourceKind};
use crate::config::tables::word;
use crate::config::tree::{Entry, Value};
use crate::config::values;
use crate::words::policy::{ColumnType, Durability, OnConflict, SslMode, Transaction};

/// Which database, and how it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// `path`
    pub path: Setting<PathBuf>,
    /// `busy_timeout`
    pub busy_timeout: Setting<Duration>,
    /// `url`
    pub url: Setting<String>,
    /// `host`
    pub host: Setting<String>,
    /// `port`
    pub port: Setting<u16>,
    /// `user`
    pub user: Setting<String>,
    /// `dbname`
    pub dbname: Setting<String>,
    /// `password_file`
    pub password_file: Setting<PathBuf>,
    /// `sslmode`
    pub sslmode: Setting<SslMode>,
    /// `tls_ca`
    pub tls_ca: Setting<PathBuf>,
    /// `reconnect`
    pub reconnect: Setting<Duration>,
}

/// What a source reads there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// How the database is reached.
    pub server: Server,
    /// `table`
    pub table: Setting<String>,
    /// `query`
    pub query: Setting<String>,
    /// `key`
    pub key: Setting<Vec<Located<String>>>,
    /// `columns`
    pub columns: Setting<Vec<Located<String>>>,
    /// `where`
    pub filter: Setting<String>,
    /// `page`
    pub page: Setting<usize>,
    /// `snapshot`
    pub snapshot: Setting<bool>,
}

/// Where a sink writes there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// How the database is reached.
    pub server: Server,
    /// `table`
    pub table: Setting<String>,
    /// `key`
    pub key: Setting<Vec<Located<String>>>,
    /// `columns`
    pub columns: Setting<Vec<Column>>,
    /// `record`
    pub record: Setting<String>,
    /// `on_conflict`
    pub on_conflict: Setting<OnConflict>,
    /// `batch`
    pub batch: Setting<usize>,
    /// `linger`
    pub linger: Setting<Duration>,
    /// `transaction`
    pub transaction: Setting<Transaction>,
    /// `synchronous`
    pub synchronous: Setting<Durability>,
}

/// A column that a sink fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Located<String>,
    /// Its type.
    pub kind: ColumnType,
    /// Which value of a record goes into it, as a JSON Pointer; the field of its name if left out.
    pub from: Option<String>,
}

/// Tells whether the type of a table that is written so is a database.
pub(super) fn is_one(entries: &[Entry]) -> bool {
    let kind = entries.iter().find(|entry| entry.key == "type");
    kind.is_some_and(|entry| {
        matches!(&entry.node.value, Value::Text(text) if text == "sqlite" || text == "postgres")
    })
}

/// Returns the keys of a source that reads a database.
pub(super) fn source_keys() -> &'static Vocabulary {
    &SOURCE
}

/// Returns the keys of a sink that writes to a database.
pub(super) fn sink_keys() -> &'static Vocabulary {
    &SINK
}

/// Reads a source, but for what all tables have.
pub(super) fn source(kind: Setting<SourceKind>, reader: &mut Reader<'_>) -> Source {
    let rows = Rows {
        server: server(reader),
        table: reader.read("table", values::text),
        query: reader.read("query", values::text),
        key: reader.read("key", names),
        columns: reader.read("columns", names),
        filter: reader.read("where", values::text),
        page: reader.read("page", values::count),
        snapshot: reader.read("snapshot", values::truth),
    };
    Source {
        kind,
        max_record: reader.read("max_record", values::record_size),
        output: reader.read("output", values::path),
        rows: Some(Box::new(rows)),
        ..Source::default()
    }
}

/// Reads a sink, but for what all tables have.
pub(super) fn sink(kind: Setting<SinkKind>, reader: &mut Reader<'_>) -> Sink {
    let target = Target {
        server: server(reader),
        table: reader.read("table", values::text),
        key: reader.read("key", names),
        columns: reader.read("columns", columns),
        record: reader.read("record", values::text),
        on_conflict: word(reader, "on_conflict", ON_CONFLICTS),
        batch: reader.read("batch", values::count),
        linger: reader.read("linger", values::limited),
        transaction: word(reader, "transaction", TRANSACTIONS),
        synchronous: word(reader, "synchronous", DURABILITIES),
    };
    Sink {
        kind,
        inputs: reader.read("inputs", values::strings),
        order: word(reader, "order", ORDERS),
        target: Some(Box::new(target)),
        ..Sink::default()
    }
}

fn server(reader: &mut Reader<'_>) -> Server {
    Server {
        path: reader.read("path", values::path),
        busy_timeout: reader.read("busy_timeout", values::duration),
        url: reader.read("url", values::text),
        host: reader.read("host", values::text),
        port: reader.read("port", port),
        user: reader.read("user", values::text),
        dbname: reader.read("dbname", values::text),
        password_file: reader.read("password_file", values::path),
        sslmode: word(reader, "sslmode", SSL_MODES),
        tls_ca: reader.read("tls_ca", values::path),
        reconnect: reader.read("reconnect", values::duration),
    }
}

fn port(field: &mut Field<'_>) -> Read<u16> {
    let takes = phrase::PORT;
    match &field.node.value {
        Value::Integer(port) => match u16::try_from(*port) {
            Ok(port @ 1..) => Ok(port),
            _ => Err(field.unfit(takes, "no port", None)),
        },
        // As the environment fills it in.
        Value::Text(text) => match text.parse() {
            Ok(port @ 1..) => Ok(port),
            _ => Err(field.unfit(takes, "no port", None)),
        },
        _ => Err(field.wrong(takes, None)),
    }
}

/// Reads the name of a column, or names.
fn names(field: &mut Field<'_>) -> Read<Vec<Located<String>>> {
    let takes = phrase::NAMES;
    let origin = field.node.origin;
    let found = match &field.node.value {
        Value::Text(text) => vec![Located { value: text.clone(), origin }],
        Value::List(items) if items.is_empty() => {
            return Err(field.unfit(takes, "this is empty", None));
        }
        Value::List(_) => values::strings(field)?,
        _ => return Err(field.wrong(takes, None)),
    };
    for (index, name) in found.iter().enumerate() {
        let before = found.iter().take(index);
        if name.value.is_empty() || before.clone().any(|other| other.value == name.value) {
            field.node.origin = name.origin;
            let what = if name.value.is_empty() { "an empty name" } else { "named twice" };
            return Err(field.unfit(takes, what, None));
        }
    }
    Ok(found)
}

/// Reads columns: a type each, or a table of the type and the place in the record.
fn columns(field: &mut Field<'_>) -> Read<Vec<Column>> {
    let takes = phrase::COLUMNS;
    let hint = Some(
        "as in `columns = { id = \"integer\", city = { type = \"text\", from = \"/address/city\" } }`",
    );
    let mut reported = None;
    let mut found = Vec::new();
    if !matches!(field.node.value, Value::Table(_)) {
        return Err(field.wrong(takes, hint));
    }
    for Entry { key, at, node } in field.take_table(takes)? {
        let name = Located { value: key, origin: Origin::Written(at) };
        field.node = node;
        match column(field, name) {
            Ok(column) => found.push(column),
            Err(mistake) => reported = Some(mistake),
        }
    }
    reported.map_or(Ok(found), Err)
}

fn column(field: &mut Field<'_>, name: Located<String>) -> Read<Column> {
    if !matches!(field.node.value, Value::Table(_)) {
        let kind = values::choice(field, COLUMN_TYPES)?;
        return Ok(Column { name, kind, from: None });
    }
    let at = field.node.origin;
    let entries = field.take_table(phrase::TABLE)?;
    let mut reader = Reader::new(&COLUMN, format!("column `{}`", name.value), entries, field.out);
    let kind = word(&mut reader, "type", COLUMN_TYPES);
    let from = reader.read("from", values::pointer);
    let strange = reader.finish();
    match (kind, from, strange) {
        (Setting::Unreadable(reported), _, _)
        | (_, Setting::Unreadable(reported), _)
        | (_, _, Some(reported)) => Err(reported),
        (Setting::Given(kind), from, None) => {
            Ok(Column { name, kind: kind.value, from: from.value().cloned() })
        }
        (Setting::LeftOut, _, None) => {
            field.node.origin = at;
            Err(field.unfit(phrase::COLUMNS, "`type` is missing", None))
        }
    }
}
