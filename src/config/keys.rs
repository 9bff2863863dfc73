//! The keys and words of a pipeline file: what this version knows, and what is known but not
//! there yet. A key belongs in one of these lists before anything can read it.

use crate::config::builtin::{Algorithm, Use};
use crate::config::generate::Kind;
use crate::config::schema::{Protocol, SinkKind, SourceKind};
use crate::words::fields::{Locale, Plain};
use crate::words::policy::{
    Check, Draft, EarlyExit, Encoding, Expect, Keep, OnCrash, OnMissing, OnReject, OnType, Order,
    Publish,
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
        "count",
        "seed",
        "locale",
        "dirt",
        "fields",
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

/// A field of made records that is made without a parameter.
pub(super) const PLAIN: Vocabulary =
    Vocabulary { noun: "such a field", keys: &["kind", "nulls"], later: &[] };

/// A field of kind `boolean`.
pub(super) const BOOLEAN: Vocabulary = Vocabulary { keys: &["kind", "share", "nulls"], ..PLAIN };

/// A field of kind `integer`.
pub(super) const INTEGER: Vocabulary =
    Vocabulary { keys: &["kind", "min", "max", "nulls"], ..PLAIN };

/// A field of kind `decimal`.
pub(super) const DECIMAL: Vocabulary =
    Vocabulary { keys: &["kind", "min", "max", "digits", "nulls"], ..PLAIN };

/// A field of kind `date` or `timestamp`.
pub(super) const MOMENT: Vocabulary =
    Vocabulary { keys: &["kind", "from", "to", "nulls"], ..PLAIN };

/// A field of kind `enum`.
pub(super) const ENUM: Vocabulary = Vocabulary { keys: &["kind", "values", "nulls"], ..PLAIN };

/// A field of kind `object`.
pub(super) const OBJECT: Vocabulary = Vocabulary { keys: &["kind", "fields", "nulls"], ..PLAIN };

/// A field of kind `array`.
pub(super) const ARRAY: Vocabulary =
    Vocabulary { keys: &["kind", "of", "min", "max", "unique", "nulls"], ..PLAIN };

/// `[sinks.NAME]`
pub(super) const SINK: Vocabulary = Vocabulary {
    noun: "a sink",
    keys: &["type", "path", "inputs", "order", "publish", "rejects", "max_rejects", "on_reject"],
    later: &[("transaction", "leave it out: files appear whole or not at all")],
};

/// The kinds of table among which a key that stands in the wrong one is looked for.
pub(super) const KINDS: [&Vocabulary; 8] =
    [&PIPELINE, &SOURCE, &STAGE, &HASH, &JSON_SCHEMA, &SELECT, &UNIQUE, &SINK];

/// `type` of a source.
pub(super) const SOURCE_KINDS: &[Word<SourceKind>] = &[
    Word::Now("file", SourceKind::File),
    Word::Now("stdin", SourceKind::Stdin),
    Word::Now("generate", SourceKind::Generate),
    Word::Later(
        "sqlite",
        "pipe it in: `sqlite3 -json FILE QUERY | jq -c '.[]' | esteira run`, with `type = \"stdin\"`",
    ),
    Word::Later(
        "postgres",
        "pipe it in: `psql -Atc 'select row_to_json(t) from t' | esteira run`, with `type = \"stdin\"`",
    ),
];

/// `locale` of a source.
pub(super) const LOCALES: &[Word<Locale>] = &[
    Word::Now("ar_SA", Locale::ArSa),
    Word::Now("cy_GB", Locale::CyGb),
    Word::Now("de_DE", Locale::DeDe),
    Word::Now("en", Locale::En),
    Word::Now("fa_IR", Locale::FaIr),
    Word::Now("fr_FR", Locale::FrFr),
    Word::Now("it_IT", Locale::ItIt),
    Word::Now("ja_JP", Locale::JaJp),
    Word::Now("nl_NL", Locale::NlNl),
    Word::Now("pt_BR", Locale::PtBr),
    Word::Now("pt_PT", Locale::PtPt),
    Word::Now("tr_TR", Locale::TrTr),
    Word::Now("zh_CN", Locale::ZhCn),
    Word::Now("zh_TW", Locale::ZhTw),
];

/// `kind` of a field.
pub(super) const KINDS_OF_FIELD: &[Word<Kind>] = &[
    Word::Now("sequence", Kind::Plain(Plain::Sequence)),
    Word::Now("uuid", Kind::Plain(Plain::Uuid)),
    Word::Now("name", Kind::Plain(Plain::Name)),
    Word::Now("first_name", Kind::Plain(Plain::FirstName)),
    Word::Now("last_name", Kind::Plain(Plain::LastName)),
    Word::Now("username", Kind::Plain(Plain::Username)),
    Word::Now("email", Kind::Plain(Plain::Email)),
    Word::Now("password", Kind::Plain(Plain::Password)),
    Word::Now("company", Kind::Plain(Plain::Company)),
    Word::Now("job", Kind::Plain(Plain::Job)),
    Word::Now("phone", Kind::Plain(Plain::Phone)),
    Word::Now("street", Kind::Plain(Plain::Street)),
    Word::Now("city", Kind::Plain(Plain::City)),
    Word::Now("state", Kind::Plain(Plain::State)),
    Word::Now("zip", Kind::Plain(Plain::Zip)),
    Word::Now("country", Kind::Plain(Plain::Country)),
    Word::Now("country_code", Kind::Plain(Plain::CountryCode)),
    Word::Now("word", Kind::Plain(Plain::Word)),
    Word::Now("sentence", Kind::Plain(Plain::Sentence)),
    Word::Now("ipv4", Kind::Plain(Plain::Ipv4)),
    Word::Now("boolean", Kind::Boolean),
    Word::Now("integer", Kind::Integer),
    Word::Now("decimal", Kind::Decimal),
    Word::Now("date", Kind::Date),
    Word::Now("timestamp", Kind::Timestamp),
    Word::Now("enum", Kind::Enum),
    Word::Now("object", Kind::Object),
    Word::Now("array", Kind::Array),
];

/// `type` of a sink.
pub(super) const SINK_KINDS: &[Word<SinkKind>] = &[
    Word::Now("file", SinkKind::File),
    Word::Now("stdout", SinkKind::Stdout),
    Word::Later("sqlite", "write a file and load it afterwards: `type = \"file\"`"),
    Word::Later("postgres", "write a file and load it afterwards: `type = \"file\"`"),
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
