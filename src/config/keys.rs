//! The keys and words of a pipeline file: what this version knows, and what is known but not
//! there yet. A key belongs in one of these lists before anything can read it.

use crate::config::builtin::{Algorithm, Use};
use crate::config::schema::{Protocol, SinkKind, SourceKind};
use crate::words::policy::{
    Check, ColumnType, Draft, Durability, EarlyExit, Encoding, Expect, Keep, OnConflict, OnCrash,
    OnMissing, OnReject, OnType, Order, Publish, SslMode, Transaction,
};

/// A word and what it stands for.
#[derive(Clone, Copy)]
pub(super) enum Word<T> {
    /// It means this.
    Now(&'static str, T),
    /// It is not in this version; what to do instead.
    Later(&'static str, &'static str),
}

impl<T> Word<T> {
    /// Returns how it is spelt.
    pub(super) fn spelling(&self) -> &'static str {
        match self {
            Self::Now(word, _) | Self::Later(word, _) => word,
        }
    }
}

/// What a kind of table may hold.
pub(super) struct Vocabulary {
    /// The kind, as messages call it.
    pub(super) noun: &'static str,
    /// The keys it has.
    pub(super) keys: &'static [&'static str],
    /// Keys that are not in this version, and what to do instead.
    pub(super) later: &'static [(&'static str, &'static str)],
}

/// `[pipeline]`
pub(super) const PIPELINE: Vocabulary = Vocabulary {
    noun: "`[pipeline]`",
    keys: &["name", "root", "rejects", "max_rejects", "on_reject", "deadline", "watch"],
    later: &[],
};

/// `[sources.NAME]`
pub(super) const SOURCE: Vocabulary = Vocabulary {
    noun: "a source",
    keys: &[
        "type",
        "path",
        "spool",
        "check",
        "max_record",
        "max_unpacked",
        "max_ratio",
        "output",
        "rejects",
        "max_rejects",
        "on_reject",
    ],
    later: &[("order", "leave it out: records stay in input order")],
};

/// `[stages.NAME]`
pub(super) const STAGE: Vocabulary = Vocabulary {
    noun: "a stage with `run`",
    keys: &[
        "run",
        "protocol",
        "inputs",
        "output",
        "expect",
        "check_output",
        "early_exit",
        "per_record",
        "split",
        "exit",
        "env",
        "inherit_env",
        "max_record",
        "workers",
        "dispatch",
        "in_flight",
        "order",
        "restarts",
        "on_crash",
        "record_timeout",
        "ready",
        "grace",
        "stall",
        "deadline",
        "rejects",
        "max_rejects",
        "on_reject",
    ],
    later: &[],
};

/// A stage with `use = "hash"`
pub(super) const HASH: Vocabulary = Vocabulary {
    noun: "a `hash` stage",
    keys: &[
        "use",
        "field",
        "fields",
        "algorithm",
        "encoding",
        "key_env",
        "key_file",
        "memory",
        "iterations",
        "parallelism",
        "into",
        "on_missing",
        "on_type",
        "max_record",
        "inputs",
        "output",
        "workers",
        "order",
        "deadline",
        "rejects",
        "max_rejects",
        "on_reject",
    ],
    later: &[],
};

/// A stage with `use = "json-schema"`
pub(super) const JSON_SCHEMA: Vocabulary = Vocabulary {
    noun: "a `json-schema` stage",
    keys: &[
        "use",
        "schema",
        "draft",
        "formats",
        "max_errors",
        "inputs",
        "output",
        "workers",
        "order",
        "deadline",
        "rejects",
        "max_rejects",
        "on_reject",
    ],
    later: &[],
};

/// A stage with `use = "select"`
pub(super) const SELECT: Vocabulary = Vocabulary {
    noun: "a `select` stage",
    keys: &[
        "use",
        "field",
        "exists",
        "equals",
        "one_of",
        "matches",
        "min",
        "max",
        "keep",
        "inputs",
        "output",
        "workers",
        "order",
        "deadline",
        "rejects",
        "max_rejects",
        "on_reject",
    ],
    later: &[],
};

/// A stage with `use = "unique"`
pub(super) const UNIQUE: Vocabulary = Vocabulary {
    noun: "a `unique` stage",
    keys: &[
        "use",
        "field",
        "fields",
        "on_missing",
        "max_keys",
        "inputs",
        "output",
        "workers",
        "order",
        "deadline",
        "rejects",
        "max_rejects",
        "on_reject",
    ],
    later: &[],
};

/// `in_flight` in a stage.
pub(super) const IN_FLIGHT: Vocabulary =
    Vocabulary { noun: "`in_flight`", keys: &["records", "bytes"], later: &[] };

/// `dispatch` in a stage, where it is a table.
pub(super) const DISPATCH: Vocabulary =
    Vocabulary { noun: "`dispatch`", keys: &["by"], later: &[] };

/// `exit` in a stage.
pub(super) const EXIT: Vocabulary =
    Vocabulary { noun: "`exit`", keys: &["ok", "invalid"], later: &[] };

/// `[sinks.NAME]`
pub(super) const SINK: Vocabulary = Vocabulary {
    noun: "a sink",
    keys: &["type", "path", "inputs", "order", "publish", "rejects", "max_rejects", "on_reject"],
    later: &[("transaction", "leave it out: files appear whole or not at all")],
};

/// A source with `type = "sqlite"` or `"postgres"`
pub(super) const DATABASE_SOURCE: Vocabulary = Vocabulary {
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
pub(super) const DATABASE_SINK: Vocabulary = Vocabulary {
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
pub(super) const COLUMN: Vocabulary =
    Vocabulary { noun: "a column", keys: &["type", "from"], later: &[] };

/// The kinds of table among which a key that stands in the wrong one is looked for.
pub(super) const KINDS: [&Vocabulary; 10] = [
    &PIPELINE,
    &SOURCE,
    &DATABASE_SOURCE,
    &STAGE,
    &HASH,
    &JSON_SCHEMA,
    &SELECT,
    &UNIQUE,
    &SINK,
    &DATABASE_SINK,
];

/// `type` of a source.
pub(super) const SOURCE_KINDS: &[Word<SourceKind>] = &[
    Word::Now("file", SourceKind::File),
    Word::Now("stdin", SourceKind::Stdin),
    Word::Later("generate", "pipe it in: `PROGRAM | esteira run`, with `type = \"stdin\"`"),
    Word::Now("sqlite", SourceKind::Sqlite),
    Word::Now("postgres", SourceKind::Postgres),
];

/// `type` of a sink.
pub(super) const SINK_KINDS: &[Word<SinkKind>] = &[
    Word::Now("file", SinkKind::File),
    Word::Now("stdout", SinkKind::Stdout),
    Word::Now("sqlite", SinkKind::Sqlite),
    Word::Now("postgres", SinkKind::Postgres),
];

/// `use`
pub(super) const USES: &[Word<Use>] = &[
    Word::Now("hash", Use::Hash),
    Word::Now("json-schema", Use::JsonSchema),
    Word::Now("select", Use::Select),
    Word::Now("unique", Use::Unique),
];

/// `algorithm` of `hash`
pub(super) const ALGORITHMS: &[Word<Algorithm>] = &[
    Word::Now("sha256", Algorithm::Sha256),
    Word::Now("sha512", Algorithm::Sha512),
    Word::Now("hmac-sha256", Algorithm::HmacSha256),
    Word::Now("argon2id", Algorithm::Argon2id),
];

/// `encoding` of `hash`
pub(super) const ENCODINGS: &[Word<Encoding>] =
    &[Word::Now("hex", Encoding::Hex), Word::Now("base64", Encoding::Base64)];

/// `on_missing`
pub(super) const ON_MISSINGS: &[Word<OnMissing>] =
    &[Word::Now("reject", OnMissing::Reject), Word::Now("skip", OnMissing::Skip)];

/// `on_type` of `hash`
pub(super) const ON_TYPES: &[Word<OnType>] =
    &[Word::Now("reject", OnType::Reject), Word::Now("text", OnType::Text)];

/// `draft` of `json-schema`
pub(super) const DRAFTS: &[Word<Draft>] = &[
    Word::Now("4", Draft::Draft4),
    Word::Now("6", Draft::Draft6),
    Word::Now("7", Draft::Draft7),
    Word::Now("2019-09", Draft::Draft201909),
    Word::Now("2020-12", Draft::Draft202012),
];

/// `keep` of `select`
pub(super) const KEEPS: &[Word<Keep>] =
    &[Word::Now("matching", Keep::Matching), Word::Now("others", Keep::Others)];

/// `protocol`
pub(super) const PROTOCOLS: &[Word<Protocol>] = &[
    Word::Now("stream", Protocol::Stream),
    Word::Now("lines", Protocol::Lines),
    Word::Now("records", Protocol::Records),
    Word::Now("command", Protocol::Command),
];

/// `order` in a stage
pub(super) const ORDERS: &[Word<Order>] =
    &[Word::Now("input", Order::Input), Word::Now("none", Order::None)];

/// `on_crash`
pub(super) const ON_CRASHES: &[Word<OnCrash>] =
    &[Word::Now("retry", OnCrash::Retry), Word::Now("reject", OnCrash::Reject)];

/// `check` and `check_output`
pub(super) const CHECKS: &[Word<Check>] = &[
    Word::Now("json", Check::Json),
    Word::Now("utf8", Check::Utf8),
    Word::Now("none", Check::None),
];

/// `expect`
pub(super) const EXPECTS: &[Word<Expect>] = &[
    Word::Now("any", Expect::Any),
    Word::Now("at-most-one", Expect::AtMostOne),
    Word::Now("one-to-one", Expect::OneToOne),
];

/// `early_exit`
pub(super) const EARLY_EXITS: &[Word<EarlyExit>] =
    &[Word::Now("fail", EarlyExit::Fail), Word::Now("ok", EarlyExit::Ok)];

/// `on_reject`
pub(super) const ON_REJECTS: &[Word<OnReject>] =
    &[Word::Now("continue", OnReject::Continue), Word::Now("stop", OnReject::Stop)];

/// `publish`
pub(super) const PUBLISHES: &[Word<Publish>] =
    &[Word::Now("ok", Publish::Gate), Word::Now("always", Publish::Always)];

/// `on_conflict`
pub(super) const ON_CONFLICTS: &[Word<OnConflict>] = &[
    Word::Now("error", OnConflict::Error),
    Word::Now("ignore", OnConflict::Ignore),
    Word::Now("update", OnConflict::Update),
];

/// `transaction`
pub(super) const TRANSACTIONS: &[Word<Transaction>] =
    &[Word::Now("batch", Transaction::Batch), Word::Now("run", Transaction::Run)];

/// `synchronous`
pub(super) const DURABILITIES: &[Word<Durability>] =
    &[Word::Now("full", Durability::Full), Word::Now("normal", Durability::Normal)];

/// `sslmode`
pub(super) const SSL_MODES: &[Word<SslMode>] = &[
    Word::Now("disable", SslMode::Disable),
    Word::Now("prefer", SslMode::Prefer),
    Word::Now("require", SslMode::Require),
    Word::Now("verify-full", SslMode::VerifyFull),
];

/// The types of columns.
pub(super) const COLUMN_TYPES: &[Word<ColumnType>] = &[
    Word::Now("integer", ColumnType::Integer),
    Word::Now("real", ColumnType::Real),
    Word::Now("numeric", ColumnType::Numeric),
    Word::Now("text", ColumnType::Text),
    Word::Now("boolean", ColumnType::Boolean),
    Word::Now("json", ColumnType::Json),
    Word::Now("timestamp", ColumnType::Timestamp),
    Word::Now("date", ColumnType::Date),
    Word::Now("uuid", ColumnType::Uuid),
    Word::Now("blob", ColumnType::Blob),
];
