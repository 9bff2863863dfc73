//! The keys and words of a pipeline file: what this version knows, and what is known but not
//! there yet. A key belongs in one of these lists before anything can read it.

use crate::config::schema::{Protocol, SinkKind, SourceKind};
use crate::words::policy::{Check, EarlyExit, Expect, OnCrash, OnReject, Order, Publish};

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

const ORDER: (&str, &str) = ("order", "leave it out: records stay in input order");

/// `[pipeline]`
pub(super) const PIPELINE: Vocabulary = Vocabulary {
    noun: "`[pipeline]`",
    keys: &["name", "root", "rejects", "max_rejects", "on_reject", "deadline"],
    later: &[],
};

/// `[sources.NAME]`
pub(super) const SOURCE: Vocabulary = Vocabulary {
    noun: "a source",
    keys: &["type", "path", "check", "max_record", "output", "rejects", "max_rejects", "on_reject"],
    later: &[ORDER],
};

/// `[stages.NAME]`
pub(super) const STAGE: Vocabulary = Vocabulary {
    noun: "a stage",
    keys: &[
        "run",
        "protocol",
        "inputs",
        "output",
        "expect",
        "check_output",
        "early_exit",
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
    later: &[
        ("use", "run a program that does it: `run = [\"PROGRAM\", …]`"),
        (
            "per_record",
            "leave it out: a `stream` stage has one worker; `lines` and `records` have pools",
        ),
        ("split", "leave it out: a `stream` stage has one worker"),
    ],
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
    keys: &["type", "path", "inputs", "publish", "rejects", "max_rejects", "on_reject"],
    later: &[("transaction", "leave it out: files appear whole or not at all"), ORDER],
};

/// The kinds of table among which a key that stands in the wrong one is looked for.
pub(super) const KINDS: [&Vocabulary; 4] = [&PIPELINE, &SOURCE, &STAGE, &SINK];

/// `type` of a source.
pub(super) const SOURCE_KINDS: &[Word<SourceKind>] = &[
    Word::Now("file", SourceKind::File),
    Word::Now("stdin", SourceKind::Stdin),
    Word::Later("generate", "pipe it in: `PROGRAM | esteira run`, with `type = \"stdin\"`"),
    Word::Later(
        "sqlite",
        "pipe it in: `sqlite3 -json FILE QUERY | jq -c '.[]' | esteira run`, with `type = \"stdin\"`",
    ),
    Word::Later(
        "postgres",
        "pipe it in: `psql -Atc 'select row_to_json(t) from t' | esteira run`, with `type = \"stdin\"`",
    ),
];

/// `type` of a sink.
pub(super) const SINK_KINDS: &[Word<SinkKind>] = &[
    Word::Now("file", SinkKind::File),
    Word::Now("stdout", SinkKind::Stdout),
    Word::Later("sqlite", "write a file and load it afterwards: `type = \"file\"`"),
    Word::Later("postgres", "write a file and load it afterwards: `type = \"file\"`"),
];

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
