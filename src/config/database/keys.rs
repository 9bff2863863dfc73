//! The keys and words of sources and sinks with a database.

use crate::config::keys::{Vocabulary, Word};
use crate::words::policy::{ColumnType, Durability, OnConflict, SslMode, Transaction};

/// A source with `type = "sqlite"` or `"postgres"`
pub(in crate::config) const SOURCE: Vocabulary = Vocabulary {
    noun: "a source that reads a database",
    keys: &[
        "type",
        "path",
        "busy_timeout",
        "url",
        "host",
        "port",
        "user",
        "dbname",
        "password_file",
        "sslmode",
        "tls_ca",
        "reconnect",
        "table",
        "query",
        "key",
        "columns",
        "where",
        "page",
        "snapshot",
        "max_record",
        "output",
        "rejects",
        "max_rejects",
        "on_reject",
    ],
    later: &[("order", "leave it out: rows come in the order of their key")],
};

/// A sink with `type = "sqlite"` or `"postgres"`
pub(in crate::config) const SINK: Vocabulary = Vocabulary {
    noun: "a sink that writes to a database",
    keys: &[
        "type",
        "path",
        "busy_timeout",
        "synchronous",
        "url",
        "host",
        "port",
        "user",
        "dbname",
        "password_file",
        "sslmode",
        "tls_ca",
        "reconnect",
        "table",
        "columns",
        "record",
        "key",
        "on_conflict",
        "batch",
        "linger",
        "transaction",
        "inputs",
        "order",
        "rejects",
        "max_rejects",
        "on_reject",
    ],
    later: &[("publish", "leave it out: `transaction` says when rows are there")],
};

/// A column in `columns` of such a sink, where it is a table.
pub(in crate::config) const COLUMN: Vocabulary =
    Vocabulary { noun: "a column", keys: &["type", "from"], later: &[] };

/// `on_conflict`
pub(in crate::config) const ON_CONFLICTS: &[Word<OnConflict>] = &[
    Word("error", OnConflict::Error),
    Word("ignore", OnConflict::Ignore),
    Word("update", OnConflict::Update),
];

/// `transaction`
pub(in crate::config) const TRANSACTIONS: &[Word<Transaction>] =
    &[Word("batch", Transaction::Batch), Word("run", Transaction::Run)];

/// `synchronous`
pub(in crate::config) const DURABILITIES: &[Word<Durability>] =
    &[Word("full", Durability::Full), Word("normal", Durability::Normal)];

/// `sslmode`
pub(in crate::config) const SSL_MODES: &[Word<SslMode>] = &[
    Word("disable", SslMode::Disable),
    Word("prefer", SslMode::Prefer),
    Word("require", SslMode::Require),
    Word("verify-full", SslMode::VerifyFull),
];

/// The types of columns.
pub(in crate::config) const COLUMN_TYPES: &[Word<ColumnType>] = &[
    Word("integer", ColumnType::Integer),
    Word("real", ColumnType::Real),
    Word("numeric", ColumnType::Numeric),
    Word("text", ColumnType::Text),
    Word("boolean", ColumnType::Boolean),
    Word("json", ColumnType::Json),
    Word("timestamp", ColumnType::Timestamp),
    Word("date", ColumnType::Date),
    Word("uuid", ColumnType::Uuid),
    Word("blob", ColumnType::Blob),
];
