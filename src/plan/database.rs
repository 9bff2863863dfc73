//! Databases: which one, what is read there, what is written there.

use std::path::PathBuf;
use std::time::Duration;

use crate::words::policy::{ColumnType, Durability, OnConflict, SslMode, Transaction};

/// A database, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// A file of `SQLite`.
    Sqlite(Sqlite),
    /// A server of Postgres.
    Postgres(Box<Postgres>),
}

/// A file of `SQLite`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sqlite {
    /// The file, absolute.
    pub path: PathBuf,
    /// How long to wait while another process holds it.
    pub busy: Duration,
}

/// A server of Postgres.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postgres {
    /// Where it is and who connects; its `Debug` hides the password.
    pub config: tokio_postgres::Config,
    /// How messages name it.
    pub shown: String,
    /// How the connection is encrypted.
    pub ssl: SslMode,
    /// The certificates that the server's is checked with; the system's without it.
    pub ca: Option<PathBuf>,
    /// How long to try again when the connection is lost.
    pub reconnect: Duration,
}

/// What a source reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The database.
    pub server: Server,
    /// Which rows there are.
    pub relation: Relation,
    /// The columns that tell rows apart, in the order that gives the rows theirs; at least one.
    pub key: Vec<String>,
    /// The columns that records have; none are all.
    pub columns: Option<Vec<String>>,
    /// Which rows are read, as SQL.
    pub filter: Option<String>,
    /// How many rows are asked for at a time, at least one.
    pub page: usize,
    /// Whether all pages show the database as it was at the start.
    pub snapshot: bool,
}

/// Which rows there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Those of a table; its name, behind its schema's where that was given.
    Table(Vec<String>),
    /// Those of a query.
    Query(String),
}

/// Where a sink writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The database.
    pub server: Server,
    /// The table's name, behind its schema's where that was given.
    pub table: Vec<String>,
    /// The columns that no two rows may share.
    pub key: Vec<String>,
    /// The columns that are filled, those of the key among them.
    pub columns: Vec<Column>,
    /// What becomes of a record whose key is there already.
    pub on_conflict: OnConflict,
    /// How many rows make a transaction, about.
    pub batch: usize,
    /// How long a row waits for others at most.
    pub linger: Duration,
    /// What a transaction holds.
    pub transaction: Transaction,
    /// When a commit to `SQLite` is durable.
    pub synchronous: Durability,
}

/// A column that a sink fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type; none takes any value as it comes.
    pub kind: Option<ColumnType>,
    /// Which value of a record goes into it, as a JSON Pointer.
    pub from: String,
}

impl Server {
    /// Returns how messages name it.
    pub fn shown(&self, caller: &std::path::Path) -> String {
        match self {
            Self::Sqlite(sqlite) => super::display(caller, &sqlite.path),
            Self::Postgres(postgres) => postgres.shown.clone(),
        }
    }
}

/// Writes a name, behind its schema's, as SQL has it.
pub fn quoted(name: &[String]) -> String {
    name.iter().map(|part| quote(part)).collect::<Vec<_>>().join(".")
}

/// Writes one name as SQL has it.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
