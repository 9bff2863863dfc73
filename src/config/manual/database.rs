//! Sources and sinks with `type = "sqlite"` or `"postgres"`: their keys, explained.

use crate::config::database::keys;
use crate::config::keys::{SINK_KINDS, SOURCE_KINDS};
use crate::config::manual::Without::{Means, OneOf, Required, Value};
use crate::config::manual::tables::{INPUTS, OUTPUT, RULES, SINK_ORDER, max_record};
use crate::config::manual::takes::now;
use crate::config::manual::{Key, Kind, Takes};

const SOURCE_TYPE: Key = Key::new(
    "type",
    Takes::Word(|| now(SOURCE_KINDS)),
    Required,
    "Which database: a file of SQLite, or a server of Postgres.",
);

const SINK_TYPE: Key = Key::new(
    "type",
    Takes::Word(|| now(SINK_KINDS)),
    Required,
    "Which database: a file of SQLite, or a server of Postgres.",
);

/// A server is given as a whole, or by its parts.
const SERVERS: &[&[&str]] = &[&["url"], &["dbname", "host", "port", "user"]];

/// How the database is reached.
const SERVER: &[Key] = &[
    Key::new("path", Takes::Path, Required, "The database's file.").with(&["sqlite"]),
    Key::new(
        "busy_timeout",
        Takes::Duration,
        Value("\"10s\""),
        "How long to wait while another process holds the database.",
    )
    .with(&["sqlite"]),
    Key::new(
        "url",
        Takes::Text,
        OneOf(SERVERS),
        "`postgres://USER:PASSWORD@HOST:PORT/DBNAME`; best from the environment: `\"${DATABASE_URL}\"`. \
         It is never shown.",
    )
    .with(&["postgres"]),
    Key::new(
        "dbname",
        Takes::Text,
        OneOf(SERVERS),
        "The database's name, with the other parts in the place of `url`.",
    )
    .with(&["postgres"]),
    Key::new(
        "host",
        Takes::Text,
        OneOf(SERVERS),
        "With `dbname`: a host, or the folder of a socket; `localhost` if left out.",
    )
    .with(&["postgres"]),
    Key::new(
        "port",
        Takes::Port,
        OneOf(SERVERS),
        "With `dbname`: the server's port; 5432 if left out.",
    )
    .with(&["postgres"]),
    Key::new(
        "user",
        Takes::Text,
        OneOf(SERVERS),
        "With `dbname`: who connects; the system's user if left out.",
    )
    .with(&["postgres"]),
    Key::new(
        "password_file",
        Takes::Path,
        Means("none"),
        "A file that holds nothing but the password.",
    )
    .with(&["postgres"]),
    Key::new(
        "sslmode",
        Takes::Word(|| now(keys::SSL_MODES)),
        Means("`prefer`; with `tls_ca`, `verify-full`"),
        "Whether the connection is encrypted (TLS), and whether the server's certificate must be \
         good for its host; `prefer` and `require` do not look at it.",
    )
    .with(&["postgres"]),
    Key::new(
        "tls_ca",
        Takes::Path,
        Means("the system's certificates"),
        "A file of the certificates (PEM) that the server's is checked with.",
    )
    .with(&["postgres"]),
    Key::new(
        "reconnect",
        Takes::Duration,
        Value("\"30s\""),
        "How long to try again when the connection is lost.",
    )
    .with(&["postgres"]),
];

/// `[sources.NAME]` with a database
pub(super) static SOURCE: Kind = Kind {
    table: "sources",
    mark: Some(("type", &["sqlite", "postgres"])),
    chooser: Some("type"),
    says: "Rows of a database, read page by page in the order of a unique key.",
    keys: &[
        &[SOURCE_TYPE],
        SERVER,
        &[
            Key::new(
                "table",
                Takes::Text,
                OneOf(&[&["table"], &["query"]]),
                "The table (`SCHEMA.TABLE` in Postgres).",
            ),
            Key::new(
                "query",
                Takes::Text,
                OneOf(&[&["table"], &["query"]]),
                "A query in the place of a table; it needs no order and no limit.",
            ),
            Key::new(
                "key",
                Takes::Names,
                Required,
                "The column, or columns, that tell rows apart and give their order.",
            ),
            Key::new("columns", Takes::Names, Means("all"), "Which columns a record has."),
            Key::new(
                "where",
                Takes::Text,
                Means("all rows"),
                "Which rows: an SQL expression. It is put into the query as it is.",
            ),
            Key::new("page", Takes::Count, Value("100"), "How many rows are asked for at a time."),
            Key::new(
                "snapshot",
                Takes::Truth,
                Value("false"),
                "`true`: all pages show the database as it was at the start, in one transaction.",
            ),
            max_record("A longer row is rejected."),
            OUTPUT,
        ],
        RULES,
    ],
};

/// `[sinks.NAME]` with a database
pub(super) static SINK: Kind = Kind {
    table: "sinks",
    mark: Some(("type", &["sqlite", "postgres"])),
    chooser: Some("type"),
    says: "A table of a database. It is made if it is not there; one that is must fit.",
    keys: &[
        &[SINK_TYPE],
        SERVER,
        &[
            Key::new(
                "synchronous",
                Takes::Word(|| now(keys::DURABILITIES)),
                Value("\"full\""),
                "`\"normal\"`: faster, but a power loss may take the last commits away.",
            )
            .with(&["sqlite"]),
            Key::new("table", Takes::Text, Required, "The table (`SCHEMA.TABLE` in Postgres)."),
            Key::new(
                "columns",
                Takes::Columns,
                Means("those of `key`, and `record`"),
                "What goes where: each column with its type, filled from the record's field of \
                 that name, or from the JSON Pointer `from`. What a record lacks is NULL.",
            ),
            Key::new(
                "record",
                Takes::Text,
                Means("`record` without `columns`, else none"),
                "A column for the whole record, as JSON.",
            ),
            Key::new(
                "key",
                Takes::Names,
                Means("none"),
                "The column, or columns, that no two rows may share: the primary key of a table that \
                 is made.",
            ),
            Key::new(
                "on_conflict",
                Takes::Word(|| now(keys::ON_CONFLICTS)),
                Value("\"error\""),
                "What becomes of a record whose key is there already: rejected, dropped \
                 (`\"ignore\"`), or put in the row's place (`\"update\"`).",
            ),
            Key::new(
                "batch",
                Takes::Count,
                Value("1000"),
                "How many rows make a transaction, about: it ends where the run could be taken up \
                 again.",
            ),
            Key::new(
                "linger",
                Takes::Limited,
                Value("\"200ms\""),
                "How long a row waits for others at most.",
            ),
            Key::new(
                "transaction",
                Takes::Word(|| now(keys::TRANSACTIONS)),
                Means("`batch`; behind `stream` and `lines`, `run`"),
                "`\"run\"`: all rows in one transaction, which is committed only if the run ends \
                 within its limits.",
            ),
            INPUTS,
            SINK_ORDER,
        ],
        RULES,
    ],
};
