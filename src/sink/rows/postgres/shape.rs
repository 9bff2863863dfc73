//! The SQL that a table is made and written with, and whether one that is there fits.

use tokio_postgres::{Client, Error};

use crate::database::postgres::{code, explain};
use crate::plan::database::{Column, Target, quote, quoted};
use crate::sink::rows::fits::{Found, differences};
use crate::sink::rows::postgres::cannot;
use crate::sink::rows::{POSITION, REFUSED};
use crate::words::outcome::Failure;
use crate::words::policy::{ColumnType, OnConflict};

/// The statements.
pub(super) struct Sql {
    /// Takes rows, into the table or into the connection's own.
    pub(super) copy: String,
    /// Makes the connection's own table.
    pub(super) stage: String,
    /// Empties it.
    pub(super) clear: String,
    /// Puts what is in it into the table.
    pub(super) merge: String,
    /// Counts the keys in it.
    pub(super) keys: String,
    /// Whether the tables of positions are there.
    pub(super) is_there: String,
    /// Makes them.
    pub(super) positions: String,
    /// Makes a position that is not there.
    pub(super) first: String,
    /// Reads it, and locks it.
    pub(super) look: String,
    /// Writes it for who claims it.
    pub(super) hold: String,
    /// Moves it on, if it is where it is thought to be.
    pub(super) settle: String,
    /// Notes what was refused.
    pub(super) note: String,
    /// Reads that.
    pub(super) noted: String,
    /// Forgets that.
    pub(super) forget: String,
}

impl Sql {
    /// Writes the statements for a table.
    pub(super) fn new(target: &Target) -> Self {
        let table = quoted(&target.table);
        let names: Vec<String> = target.columns.iter().map(|column| quote(&column.name)).collect();
        let names = names.join(", ");
        let beside = |name: &str| {
            let schema = target.table.split_last().map(|(_, schema)| schema).unwrap_or_default();
            quoted(&[schema, &[name.to_owned()]].concat())
        };
        let (position, refused) = (beside(POSITION), beside(REFUSED));
        let staged = target.on_conflict != OnConflict::Error;
        let copy = if staged {
            format!("COPY pg_temp.esteira_stage ({names}, esteira_n) FROM STDIN")
        } else {
            format!("COPY {table} ({names}) FROM STDIN")
        };
        let key = "pipeline = $1 AND sink = $2";
        Self {
            copy,
            stage: format!(
                "CREATE TEMP TABLE esteira_stage ON COMMIT DELETE ROWS AS SELECT {names} FROM {table} \
                 WITH NO DATA; ALTER TABLE pg_temp.esteira_stage ADD COLUMN esteira_n bigint"
            ),
            clear: "DELETE FROM pg_temp.esteira_stage".to_owned(),
            merge: merge(target, &table, &names),
            keys: format!(
                "SELECT count(*) FROM (SELECT DISTINCT {} FROM pg_temp.esteira_stage) AS s",
                target.key.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
            ),
            is_there: format!(
                "SELECT to_regclass('{position}') IS NOT NULL AND to_regclass('{refused}') IS NOT NULL"
            ),
            positions: format!(
                "CREATE TABLE IF NOT EXISTS {position} (pipeline text NOT NULL, sink text NOT NULL, \
                 run text NOT NULL, holder text NOT NULL, epoch bigint NOT NULL, \
                 records bigint NOT NULL, dropped bigint NOT NULL, PRIMARY KEY (pipeline, sink)); \
                 CREATE TABLE IF NOT EXISTS {refused} (pipeline text NOT NULL, sink text NOT NULL, \
                 record bigint NOT NULL, errors text NOT NULL, PRIMARY KEY (pipeline, sink, record))"
            ),
            first: format!(
                "INSERT INTO {position} VALUES ($1, $2, '', '', 0, 0, 0) ON CONFLICT DO NOTHING"
            ),
            look: format!(
                "SELECT run, holder, epoch, records, dropped FROM {position} WHERE {key} FOR UPDATE"
            ),
            hold: format!(
                "UPDATE {position} SET run = $3, holder = $4, epoch = $5, records = $6, dropped = $7 \
                 WHERE {key}"
            ),
            settle: format!(
                "UPDATE {position} SET records = $1, dropped = $2 WHERE pipeline = $3 AND sink = $4 \
                 AND holder = $5 AND epoch = $6 AND records = $7"
            ),
            note: format!("INSERT INTO {refused} VALUES ($1, $2, $3, $4)"),
            noted: format!("SELECT record, errors FROM {refused} WHERE {key}"),
            forget: format!("DELETE FROM {refused} WHERE {key}"),
        }
    }
}

fn merge(target: &Target, table: &str, names: &str) -> String {
    let key: Vec<String> = target.key.iter().map(|name| quote(name)).collect();
    let key = key.join(", ");
    let others = target.columns.iter().filter(|column| !target.key.contains(&column.name));
    let set: Vec<String> =
        others.map(|column| format!("{0} = excluded.{0}", quote(&column.name))).collect();
    if target.on_conflict == OnConflict::Update && !set.is_empty() {
        // Of several records with one key the last counts.
        return format!(
            "INSERT INTO {table} ({names}) SELECT {names} FROM (SELECT DISTINCT ON ({key}) * \
             FROM pg_temp.esteira_stage ORDER BY {key}, esteira_n DESC) AS s \
             ON CONFLICT ({key}) DO UPDATE SET {}",
            set.join(", ")
        );
    }
    format!(
        "INSERT INTO {table} ({names}) SELECT {names} FROM pg_temp.esteira_stage ORDER BY esteira_n \
         ON CONFLICT ({key}) DO NOTHING"
    )
}

/// Makes the table if it is not there; else it must fit.
pub(super) async fn ensure(client: &Client, target: &Target, shown: &str) -> Result<(), Failure> {
    if fits(client, target, shown).await? {
        return Ok(());
    }
    match client.batch_execute(&create(target)).await {
        // Another run has just made it.
        Err(error) if matches!(code(&error), Some("23505" | "42P07")) => {
            fits(client, target, shown).await.map(|_| ())
        }
        made => made.map_err(|error| cannot(shown, &explain(&error))),
    }
}

/// Tells whether the table is there; it must fit if it is.
pub(super) async fn fits(client: &Client, target: &Target, shown: &str) -> Result<bool, Failure> {
    let failed = |error: Error| cannot(shown, &explain(&error));
    let name = quoted(&target.table);
    let there = client.query_one("SELECT to_regclass($1::text) IS NOT NULL", &[&name]).await;
    let there: bool = there.and_then(|row| row.try_get(0)).map_err(failed)?;
    if !there {
        return Ok(false);
    }
    let columns = "SELECT a.attname::text, t.typname::text, a.attnotnull AND NOT a.atthasdef \
                   AND a.attidentity = '' AND a.attgenerated = '' \
                   FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
                   WHERE a.attrelid = ($1::text)::regclass AND a.attnum > 0 AND NOT a.attisdropped \
                   ORDER BY a.attnum";
    let mut found = Vec::new();
    for row in client.query(columns, &[&name]).await.map_err(failed)? {
        found.push(Found {
            name: row.try_get(0).map_err(failed)?,
            kind: row.try_get(1).map_err(failed)?,
            required: row.try_get(2).map_err(failed)?,
        });
    }
    let unique = "SELECT array(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY \
                  AS k (number, place) JOIN pg_attribute a ON a.attrelid = i.indrelid \
                  AND a.attnum = k.number WHERE k.place <= i.indnkeyatts) \
                  FROM pg_index i WHERE i.indrelid = ($1::text)::regclass AND i.indisunique \
                  AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL";
    let mut sets: Vec<Vec<String>> = Vec::new();
    for row in client.query(unique, &[&name]).await.map_err(failed)? {
        sets.push(row.try_get(0).map_err(failed)?);
    }
    let differences = differences(target, &found, &sets, |column, kind| takes(column.kind, kind));
    if differences.is_empty() {
        return Ok(true);
    }
    let why = format!("the table does not fit: {}", differences.join("; "));
    Err(cannot(shown, &why)
        .hint("`columns` says what goes where; a table that is not there is made"))
}

/// Tells whether a column of a type of Postgres takes what is of ours.
fn takes(kind: Option<ColumnType>, found: &str) -> bool {
    let Some(kind) = kind else { return true };
    let whole = matches!(found, "int2" | "int4" | "int8" | "numeric");
    let texts = matches!(found, "text" | "varchar" | "bpchar" | "citext" | "name");
    match kind {
        ColumnType::Integer => whole || found == "oid",
        ColumnType::Real => matches!(found, "float4" | "float8" | "numeric"),
        ColumnType::Numeric => found == "numeric",
        ColumnType::Boolean => found == "bool",
        ColumnType::Json => matches!(found, "json" | "jsonb") || texts,
        ColumnType::Timestamp => matches!(found, "timestamptz" | "timestamp") || texts,
        ColumnType::Date => matches!(found, "date" | "timestamptz" | "timestamp") || texts,
        ColumnType::Uuid => found == "uuid" || texts,
        ColumnType::Blob => found == "bytea",
        // There are types without number that are written as text: enums, addresses, ranges …
        ColumnType::Text => {
            !whole && !matches!(found, "float4" | "float8" | "bool" | "bytea" | "json" | "jsonb")
        }
    }
}

fn create(target: &Target) -> String {
    let column = |column: &Column| {
        let kind = match column.kind {
            None | Some(ColumnType::Text) => "text",
            Some(ColumnType::Integer) => "bigint",
            Some(ColumnType::Real) => "double precision",
            Some(ColumnType::Numeric) => "numeric",
            Some(ColumnType::Boolean) => "boolean",
            // `jsonb` would not keep it as it is written.
            Some(ColumnType::Json) => "json",
            Some(ColumnType::Timestamp) => "timestamptz",
            Some(ColumnType::Date) => "date",
            Some(ColumnType::Uuid) => "uuid",
            Some(ColumnType::Blob) => "bytea",
        };
        format!("{} {kind}", quote(&column.name))
    };
    let mut parts: Vec<String> = target.columns.iter().map(column).collect();
    if !target.key.is_empty() {
        let key: Vec<String> = target.key.iter().map(|name| quote(name)).collect();
        parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    format!("CREATE TABLE {} ({})", quoted(&target.table), parts.join(", "))
}
