//! The keys and words of a pipeline file. A key belongs in one of these lists before anything can read it.

use crate::config::builtin::{Algorithm, Use};
use crate::config::database::keys as database;
use crate::config::generate::Kind;
use crate::config::schema::{Protocol, SinkKind, SourceKind};
use crate::words::fields::{Locale, Plain};
use crate::words::policy::{
    Check, Draft, EarlyExit, Encoding, Expect, Keep, OnCrash, OnMissing, OnReject, OnType, Order,
    Publish,
};

/// A word and what it stands for.
#[derive(Clone, Copy)]
pub(super) struct Word<T>(pub(super) &'static str, pub(super) T);

impl<T> Word<T> {
    /// Returns how it is spelt.
    pub(super) fn spelling(&self) -> &'static str {
        self.0
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

/// `[[tests]]`
pub(super) const TEST: Vocabulary = Vocabulary {
    noun: "`[[tests]]`",
    keys: &["name", "stage", "input", "output", "rejects"],
    later: &[],
};

/// `[[tests]]` with `folder`
pub(super) const TEST_FOLDER: Vocabulary =
    Vocabulary { noun: "`[[tests]]` with `folder`", keys: &["folder", "stage"], later: &[] };

/// One of the `rejects` of `[[tests]]`.
pub(super) const REJECT: Vocabulary = Vocabulary {
    noun: "a reject",
    keys: &["line", "code", "path", "message", "stage", "source"],
    later: &[],
};

/// The kinds of table among which a key that stands in the wrong one is looked for.
pub(super) const KINDS: [&Vocabulary; 12] = [
    &PIPELINE,
    &SOURCE,
    &database::SOURCE,
    &STAGE,
    &HASH,
    &JSON_SCHEMA,
    &SELECT,
    &UNIQUE,
    &SINK,
    &database::SINK,
    &TEST,
    &TEST_FOLDER,
];

/// `type` of a source.
pub(super) const SOURCE_KINDS: &[Word<SourceKind>] = &[
    Word("file", SourceKind::File),
    Word("stdin", SourceKind::Stdin),
    Word("generate", SourceKind::Generate),
    Word("sqlite", SourceKind::Sqlite),
    Word("postgres", SourceKind::Postgres),
];

/// `locale` of a source.
pub(super) const LOCALES: &[Word<Locale>] = &[
    Word("ar_SA", Locale::ArSa),
    Word("cy_GB", Locale::CyGb),
    Word("de_DE", Locale::DeDe),
    Word("en", Locale::En),
    Word("fa_IR", Locale::FaIr),
    Word("fr_FR", Locale::FrFr),
    Word("it_IT", Locale::ItIt),
    Word("ja_JP", Locale::JaJp),
    Word("nl_NL", Locale::NlNl),
    Word("pt_BR", Locale::PtBr),
    Word("pt_PT", Locale::PtPt),
    Word("tr_TR", Locale::TrTr),
    Word("zh_CN", Locale::ZhCn),
    Word("zh_TW", Locale::ZhTw),
];

/// `kind` of a field.
pub(super) const KINDS_OF_FIELD: &[Word<Kind>] = &[
    Word("sequence", Kind::Plain(Plain::Sequence)),
    Word("uuid", Kind::Plain(Plain::Uuid)),
    Word("name", Kind::Plain(Plain::Name)),
    Word("first_name", Kind::Plain(Plain::FirstName)),
    Word("last_name", Kind::Plain(Plain::LastName)),
    Word("username", Kind::Plain(Plain::Username)),
    Word("email", Kind::Plain(Plain::Email)),
    Word("password", Kind::Plain(Plain::Password)),
    Word("company", Kind::Plain(Plain::Company)),
    Word("job", Kind::Plain(Plain::Job)),
    Word("phone", Kind::Plain(Plain::Phone)),
    Word("street", Kind::Plain(Plain::Street)),
    Word("city", Kind::Plain(Plain::City)),
    Word("state", Kind::Plain(Plain::State)),
    Word("zip", Kind::Plain(Plain::Zip)),
    Word("country", Kind::Plain(Plain::Country)),
    Word("country_code", Kind::Plain(Plain::CountryCode)),
    Word("word", Kind::Plain(Plain::Word)),
    Word("sentence", Kind::Plain(Plain::Sentence)),
    Word("ipv4", Kind::Plain(Plain::Ipv4)),
    Word("boolean", Kind::Boolean),
    Word("integer", Kind::Integer),
    Word("decimal", Kind::Decimal),
    Word("date", Kind::Date),
    Word("timestamp", Kind::Timestamp),
    Word("enum", Kind::Enum),
    Word("object", Kind::Object),
    Word("array", Kind::Array),
];

/// `type` of a sink.
pub(super) const SINK_KINDS: &[Word<SinkKind>] = &[
    Word("file", SinkKind::File),
    Word("stdout", SinkKind::Stdout),
    Word("sqlite", SinkKind::Sqlite),
    Word("postgres", SinkKind::Postgres),
];

/// `use`
pub(super) const USES: &[Word<Use>] = &[
    Word("hash", Use::Hash),
    Word("json-schema", Use::JsonSchema),
    Word("select", Use::Select),
    Word("unique", Use::Unique),
];

/// `algorithm` of `hash`
pub(super) const ALGORITHMS: &[Word<Algorithm>] = &[
    Word("sha256", Algorithm::Sha256),
    Word("sha512", Algorithm::Sha512),
    Word("hmac-sha256", Algorithm::HmacSha256),
    Word("argon2id", Algorithm::Argon2id),
];

/// `encoding` of `hash`
pub(super) const ENCODINGS: &[Word<Encoding>] =
    &[Word("hex", Encoding::Hex), Word("base64", Encoding::Base64)];

/// `on_missing`
pub(super) const ON_MISSINGS: &[Word<OnMissing>] =
    &[Word("reject", OnMissing::Reject), Word("skip", OnMissing::Skip)];

/// `on_type` of `hash`
pub(super) const ON_TYPES: &[Word<OnType>] =
    &[Word("reject", OnType::Reject), Word("text", OnType::Text)];

/// `draft` of `json-schema`
pub(super) const DRAFTS: &[Word<Draft>] = &[
    Word("4", Draft::Draft4),
    Word("6", Draft::Draft6),
    Word("7", Draft::Draft7),
    Word("2019-09", Draft::Draft201909),
    Word("2020-12", Draft::Draft202012),
];

/// `keep` of `select`
pub(super) const KEEPS: &[Word<Keep>] =
    &[Word("matching", Keep::Matching), Word("others", Keep::Others)];

/// `protocol`
pub(super) const PROTOCOLS: &[Word<Protocol>] = &[
    Word("stream", Protocol::Stream),
    Word("lines", Protocol::Lines),
    Word("records", Protocol::Records),
    Word("command", Protocol::Command),
];

/// `order` in a stage
pub(super) const ORDERS: &[Word<Order>] = &[Word("input", Order::Input), Word("none", Order::None)];

/// `on_crash`
pub(super) const ON_CRASHES: &[Word<OnCrash>] =
    &[Word("retry", OnCrash::Retry), Word("reject", OnCrash::Reject)];

/// `check` and `check_output`
pub(super) const CHECKS: &[Word<Check>] =
    &[Word("json", Check::Json), Word("utf8", Check::Utf8), Word("none", Check::None)];

/// `expect`
pub(super) const EXPECTS: &[Word<Expect>] = &[
    Word("any", Expect::Any),
    Word("at-most-one", Expect::AtMostOne),
    Word("one-to-one", Expect::OneToOne),
];

/// `early_exit`
pub(super) const EARLY_EXITS: &[Word<EarlyExit>] =
    &[Word("fail", EarlyExit::Fail), Word("ok", EarlyExit::Ok)];

/// `on_reject`
pub(super) const ON_REJECTS: &[Word<OnReject>] =
    &[Word("continue", OnReject::Continue), Word("stop", OnReject::Stop)];

/// `publish`
pub(super) const PUBLISHES: &[Word<Publish>] =
    &[Word("ok", Publish::Gate), Word("always", Publish::Always)];
