//! Built-in stages: their keys, explained.

use crate::config::keys;
use crate::config::manual::Without::{Means, OneOf, Required, Value};
use crate::config::manual::tables::{DEADLINE, INPUTS, ORDER, OUTPUT, RULES, WORKERS, max_record};
use crate::config::manual::takes::now;
use crate::config::manual::{Key, Kind, Takes, Without};

const USE: Key =
    Key::new("use", Takes::Word(|| now(keys::USES)), Required, "Which built-in stage it is.");

/// What all of them have.
const SHARED: &[Key] = &[
    INPUTS,
    OUTPUT,
    Key::new(
        "workers",
        WORKERS,
        Value("1"),
        "How many threads it has; `\"auto\"`: as many as the machine has cores. `unique` has one.",
    ),
    ORDER,
    DEADLINE,
];

const FIELD_OR_FIELDS: Without = OneOf(&[&["field"], &["fields"]]);

const fn field(without: Without, says: &'static str) -> Key {
    Key::new("field", Takes::Pointer, without, says)
}

const fn fields(says: &'static str) -> Key {
    Key::new("fields", Takes::Pointers, FIELD_OR_FIELDS, says)
}

const fn on_missing(says: &'static str) -> Key {
    Key::new("on_missing", Takes::Word(|| now(keys::ON_MISSINGS)), Value("\"reject\""), says)
}

const KEY: Without = OneOf(&[&["key_env"], &["key_file"]]);

/// `use = "hash"`
pub(super) static HASH: Kind = Kind {
    table: "stages",
    mark: Some(("use", &["hash"])),
    chooser: Some("algorithm"),
    says: "A digest takes the place of a string: of the text it stands for, escapes resolved, in \
           UTF-8.",
    keys: &[
        &[
            USE,
            field(FIELD_OR_FIELDS, "Which value."),
            fields("Which values."),
            Key::new(
                "algorithm",
                Takes::Word(|| now(keys::ALGORITHMS)),
                Value("\"sha256\""),
                "How it is hashed. `\"argon2id\"` is for passwords: slow, and salted.",
            ),
            Key::new(
                "encoding",
                Takes::Word(|| now(keys::ENCODINGS)),
                Value("\"hex\""),
                "How the digest is written. (What `argon2id` makes is a PHC string.)",
            )
            .with(&["sha256", "sha512", "hmac-sha256"]),
            Key::new("key_env", Takes::Text, KEY, "The variable that holds the key.")
                .with(&["hmac-sha256"]),
            Key::new(
                "key_file",
                Takes::Path,
                KEY,
                "The file, of 64 KiB at most, that holds the key; a line end behind it is left out.",
            )
            .with(&["hmac-sha256"]),
            Key::new(
                "memory",
                Takes::Memory,
                Value("\"19MiB\""),
                "What each of the `workers` takes.",
            )
            .with(&["argon2id"]),
            Key::new("iterations", Takes::Count, Value("2"), "Passes over it.")
                .with(&["argon2id"]),
            Key::new("parallelism", Takes::Count, Value("1"), "Lanes.").with(&["argon2id"]),
            Key::new(
                "into",
                Takes::Pointer,
                Means("the value's own place"),
                "Another field for the digest, of an object that is there; the value stays. Only \
                 with one `field`.",
            ),
            on_missing("`\"skip\"`: a record without the field goes on as it is."),
            Key::new(
                "on_type",
                Takes::Word(|| now(keys::ON_TYPES)),
                Value("\"reject\""),
                "`\"text\"`: what is no string counts as it is spelt: `1.0` and `1` differ.",
            ),
            max_record("The longest record that may come of it; what is longer is rejected."),
        ],
        SHARED,
        RULES,
    ],
};

/// `use = "json-schema"`
pub(super) static JSON_SCHEMA: Kind = Kind {
    table: "stages",
    mark: Some(("use", &["json-schema"])),
    chooser: None,
    says: "A record that breaks a JSON Schema is rejected, with all its errors.",
    keys: &[
        &[
            USE,
            Key::new(
                "schema",
                Takes::Path,
                Required,
                "The schema's file; it is read and compiled once, by `check` as well.",
            ),
            Key::new(
                "draft",
                Takes::Word(|| now(keys::DRAFTS)),
                Value("\"2020-12\""),
                "Of which draft a schema without `$schema` is.",
            ),
            Key::new(
                "formats",
                Takes::Truth,
                Value("false"),
                "`true`: `format` is asserted, whatever the draft says of it; formats that are not \
                 known are ignored.",
            ),
            Key::new(
                "max_errors",
                Takes::Count,
                Value("10"),
                "How many errors of a record are told.",
            ),
        ],
        SHARED,
        RULES,
    ],
};

const TEST: Without =
    OneOf(&[&["exists"], &["equals"], &["one_of"], &["matches"], &["min", "max"]]);

/// `use = "select"`
pub(super) static SELECT: Kind = Kind {
    table: "stages",
    mark: Some(("use", &["select"])),
    chooser: None,
    says: "What compares goes on, the rest is left out: it counts as `dropped`, and nothing is \
           wrong with it.",
    keys: &[
        &[
            USE,
            field(Required, "Which value."),
            Key::new("exists", Takes::Truth, TEST, "Whether it is there (`null` is)."),
            Key::new("equals", Takes::Scalar, TEST, "What it must be."),
            Key::new("one_of", Takes::Scalars, TEST, "What it may be."),
            Key::new(
                "matches",
                Takes::Regex,
                TEST,
                "What must be found somewhere in it, a string.",
            ),
            Key::new(
                "min",
                Takes::Bound,
                TEST,
                "The least it may be, included; with `max` or alone.",
            ),
            Key::new(
                "max",
                Takes::Bound,
                TEST,
                "The most it may be, included; with `min` or alone.",
            ),
            Key::new(
                "keep",
                Takes::Word(|| now(keys::KEEPS)),
                Value("\"matching\""),
                "`\"others\"`: the other way round.",
            ),
        ],
        SHARED,
        RULES,
    ],
};

/// `use = "unique"`
pub(super) static UNIQUE: Kind = Kind {
    table: "stages",
    mark: Some(("use", &["unique"])),
    chooser: None,
    says: "A record whose key another had before is rejected.",
    keys: &[
        &[
            USE,
            field(FIELD_OR_FIELDS, "The value that is the key."),
            fields("The values that make the key together."),
            on_missing("`\"skip\"`: a record without one of them goes on."),
            Key::new(
                "max_keys",
                Takes::Keys,
                Value("1000000"),
                "How many different keys may come; one more fails the stage.",
            ),
        ],
        SHARED,
        RULES,
    ],
};
