//! The SQL that a table is made and written with, and whether one that is there fits.

use rusqlite::{Connection, Error};

use crate::plan::database::{Column, Target, quote, quoted};
use crate::sink::rows::fits::{Found, differences};
use crate::sink::rows::sqlite::failure;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::{ColumnType, OnConflict};

/// Lists the columns of a table; none if it is not there.
pub(super) fn columns(db: &Connection, target: &Target) -> rusqlite::Result<Vec<Found>> {
    let mut query =
        db.prepare("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info(?1)")?;
    let rows = query.query_map([target.table.concat()], |row| {
        let kind: String = row.get(1)?;
        let (strict, fallback): (bool, Option<String>) = (row.get(2)?, row.get(3)?);
        // Such a key is given by the database where it is not brought.
        let own = row.get::<_, i64>(4)? == 1 && kind.eq_ignore_ascii_case("INTEGER");
        let required = strict && fallback.is_none() && !own;
        Ok(Found { name: row.get(0)?, kind, required })
    })?;
    rows.collect()
}

/// Tells whether it is a view.
pub(super) fn is_view(db: &Connection, target: &Target) -> rusqlite::Result<bool> {
    let view = "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ?1 COLLATE NOCASE";
    db.prepare(view)?.exists([target.table.concat()])
}

/// Sees whether a table that is there fits.
pub(super) fn fits(db: &Connection, target: &Target, shown: &str) -> Result<(), Failure> {
    let failed = |error: Error| failure(shown, &error);
    let found = columns(db, target).map_err(failed)?;
    let unique = unique(db, target).map_err(failed)?;
    let differences = differences(target, &found, &unique, |column, kind| takes(column.kind, kind));
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!("the table of `{shown}` does not fit: {}", differences.join("; "));
    Err(Failure::new(Exit::World, message)
        .hint("`columns` says what goes where; a table that is not there is made"))
}

/// Lists the sets of columns that no two rows share.
fn unique(db: &Connection, target: &Target) -> rusqlite::Result<Vec<Vec<String>>> {
    let table = target.table.concat();
    let mut primary =
        db.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    let primary: Vec<String> =
        primary.query_map([&table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut sets = vec![primary];
    let text = "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1 AND partial = 0";
    let mut indexes = db.prepare(text)?;
    let indexes: Vec<String> =
        indexes.query_map([&table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for index in indexes {
        let mut columns = db.prepare("SELECT name FROM pragma_index_info(?1)")?;
        let columns = columns.query_map([&index], |row| row.get::<_, Option<String>>(0))?;
        let columns: Vec<Option<String>> = columns.collect::<Result<_, _>>()?;
        // One of an expression has no name.
        sets.extend(columns.into_iter().collect::<Option<Vec<String>>>());
    }
    Ok(sets)
}

/// Tells whether a column of a declared type keeps what it gets as it is: by its affinity, as the
/// documentation of `SQLite` determines it.
fn takes(kind: Option<ColumnType>, declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    let (number, text) = if has(&["INT"]) {
        (true, false)
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        (false, true)
    } else if declared.is_empty() || has(&["BLOB"]) {
        (true, true)
    } else {
        // What looks like a number becomes one there: dates and times do not.
        (true, has(&["DATE", "TIME"]))
    };
    match kind {
        None => true,
        Some(ColumnType::Blob) => !has(&["INT"]),
        Some(ColumnType::Integer | ColumnType::Real | ColumnType::Boolean) => number,
        Some(_) => text,
    }
}

/// Writes what makes a table.
pub(super) fn create(target: &Target) -> String {
    let column = |column: &Column| {
        let kind = match column.kind {
            None => "",
            Some(ColumnType::Integer) => "INTEGER",
            Some(ColumnType::Real) => "REAL",
            // These say what a text is, for who reads it, and keep it as it is.
            Some(ColumnType::Numeric) => "DECIMAL_TEXT",
            Some(ColumnType::Json) => "JSON_TEXT",
            Some(ColumnType::Uuid) => "UUID_TEXT",
            Some(ColumnType::Boolean) => "BOOLEAN",
            Some(ColumnType::Timestamp) => "TIMESTAMP",
            Some(ColumnType::Date) => "DATE",
            Some(ColumnType::Blob) => "BLOB",
            Some(ColumnType::Text) => "TEXT",
        };
        let key = if target.key.contains(&column.name) { " NOT NULL" } else { "" };
        format!("{} {kind}{key}", quote(&column.name))
    };
    let mut parts: Vec<String> = target.columns.iter().map(column).collect();
    if !target.key.is_empty() {
        let key: Vec<String> = target.key.iter().map(|name| quote(name)).collect();
        parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    format!("CREATE TABLE {} ({})", quoted(&target.table), parts.join(", "))
}

/// Writes what puts a row into it.
pub(super) fn insert(target: &Target) -> String {
    let names: Vec<String> = target.columns.iter().map(|column| quote(&column.name)).collect();
    let values: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
    let key: Vec<String> = target.key.iter().map(|name| quote(name)).collect();
    let others = target.columns.iter().filter(|column| !target.key.contains(&column.name));
    let set: Vec<String> =
        others.map(|column| format!("{0} = excluded.{0}", quote(&column.name))).collect();
    let conflict = match target.on_conflict {
        OnConflict::Error => String::new(),
        OnConflict::Update if !set.is_empty() => {
            format!(" ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", "))
        }
        // A row that is nothing but its key is the same already.
        OnConflict::Ignore | OnConflict::Update => {
            format!(" ON CONFLICT ({}) DO NOTHING", key.join(", "))
        }
    };
    let (names, values) = (names.join(", "), values.join(", "));
    format!("INSERT INTO {} ({names}) VALUES ({values}){conflict}", quoted(&target.table))
}
