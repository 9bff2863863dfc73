//! What values there are: in words, for messages and the reference, and as JSON Schema.

use serde_json::{Value, json};

use crate::config::database::keys::COLUMN_TYPES;
use crate::config::keys::Word;
use crate::config::manual::{Key, golden};
use crate::config::suggest::one_of;

/// Lists the words that a key takes.
pub type Words = fn() -> Vec<&'static str>;

/// What a key takes. `values` has a function that reads each of them.
#[derive(Debug)]
pub enum Takes {
    /// A string.
    Text,
    /// A path.
    Path,
    /// A path or several.
    Paths,
    /// A program and its arguments.
    Arguments,
    /// Names of tables.
    Inputs,
    /// Exit codes.
    ExitCodes,
    /// Names of variables, or beginnings of names.
    Patterns,
    /// Variables and their values.
    Variables,
    /// A size of records, in bytes.
    Size,
    /// A size of memory.
    Memory,
    /// A size of what comes out of packed files.
    Unpacked,
    /// A number of times.
    Ratio,
    /// A number from nothing on.
    Whole,
    /// A share.
    Share,
    /// Fields of made records.
    Fields,
    /// A kind of field, or a table that describes one.
    Field,
    /// A number, as TOML writes it.
    Number,
    /// A whole number, less than nothing too.
    Integer,
    /// How many digits there are behind a point.
    Digits,
    /// How many values an array holds.
    Length,
    /// A date.
    Date,
    /// A point in time.
    Timestamp,
    /// Values to choose from, with weights or without.
    Choices,
    /// A duration, or 0.
    Duration,
    /// A duration that is more than nothing.
    Limited,
    /// A limit for rejects.
    Limit,
    /// A number of workers.
    Workers,
    /// A count from one up.
    Count,
    /// A count of keys.
    Keys,
    /// A truth value.
    Truth,
    /// A number of restarts in a stretch of time.
    Restarts,
    /// How records are handed to workers.
    Dispatch,
    /// A JSON Pointer.
    Pointer,
    /// JSON Pointers.
    Pointers,
    /// A value to compare with.
    Scalar,
    /// Values to compare with.
    Scalars,
    /// A bound.
    Bound,
    /// A regular expression.
    Regex,
    /// A port.
    Port,
    /// The name of a column, or names.
    Names,
    /// Columns and their types.
    Columns,
    /// Lines of a test.
    Records,
    /// What a test expects to be refused, each a table of these keys.
    Rejects(&'static [Key]),
    /// One of some words.
    Word(Words),
    /// A table with keys of its own.
    Table(&'static [Key]),
}

/// How messages and the reference call what a key takes.
pub(in crate::config) mod phrase {
    /// A string.
    pub(in crate::config) const TEXT: &str = "a string";
    /// A path or several.
    pub(in crate::config) const PATHS: &str = "a path or an array of paths";
    /// Strings.
    pub(in crate::config) const STRINGS: &str = "an array of strings";
    /// Exit codes.
    pub(in crate::config) const EXIT_CODES: &str = "an array of exit codes from 0 to 255";
    /// Names of variables.
    pub(in crate::config) const PATTERNS: &str = "an array of names such as `PATH` or `LC_*`";
    /// Variables.
    pub(in crate::config) const VARIABLES: &str = "a table of strings";
    /// Lines of a test.
    pub(in crate::config) const RECORDS: &str = "an array of records (tables) and lines (strings), the path of a file of lines, or a table of \
         these by name";
    /// What a test expects to be refused.
    pub(in crate::config) const REJECTS: &str = "an array of tables such as `{ line = 2, code = \"missing\" }`, or the path of a file of such \
         objects";
    /// A size of records.
    pub(in crate::config) const SIZE: &str = "a size from `1B` to `1GiB`, as in `64KiB`";
    /// A size of memory.
    pub(in crate::config) const MEMORY: &str = "a size from `8KiB` to `4GiB`, as in `64MiB`";
    /// A size of what comes out of packed files.
    pub(in crate::config) const UNPACKED: &str = "a size such as `1TiB`";
    /// A number of times.
    pub(in crate::config) const RATIO: &str = "a number from 1 on, as in `500`";
    /// A number from nothing on.
    pub(in crate::config) const WHOLE: &str = "a number from 0 on, as in `1_000_000`";
    /// A share.
    pub(in crate::config) const SHARE: &str = "a share such as `\"0.1%\"`";
    /// Fields.
    pub(in crate::config) const FIELDS: &str =
        "a table of fields, as in `{ id = \"sequence\", name = \"name\" }`";
    /// A field.
    pub(in crate::config) const FIELD: &str = "a kind, or a table with `kind`";
    /// A kind of field.
    pub(in crate::config) const KIND: &str = "a kind such as `\"name\"`";
    /// A number.
    pub(in crate::config) const NUMBER: &str = "a number with up to 9 digits behind the point";
    /// A whole number.
    pub(in crate::config) const INTEGER: &str = "a whole number of 64 bits";
    /// Digits behind a point.
    pub(in crate::config) const DIGITS: &str = "a number from 0 to 9";
    /// The length of an array.
    pub(in crate::config) const LENGTH: &str = "a number from 0 to 1000";
    /// A date.
    pub(in crate::config) const DATE: &str = "a date such as `\"2000-12-31\"`";
    /// A point in time.
    pub(in crate::config) const TIMESTAMP: &str = "a time such as `\"2000-12-31T23:59:59Z\"`";
    /// Values to choose from.
    pub(in crate::config) const CHOICES: &str =
        "an array of values, or a table of weights such as `{ free = 80, pro = 20 }`";
    /// A duration.
    pub(in crate::config) const DURATION: &str = "a duration such as `30s` or `1h 5m`";
    /// A limit for rejects.
    pub(in crate::config) const LIMIT: &str = "a count such as `3` or a share such as `\"0.1%\"`";
    /// A number of workers.
    pub(in crate::config) const WORKERS: &str = "a number from 1 to 1024, or `\"auto\"`";
    /// A count.
    pub(in crate::config) const COUNT: &str = "a number from 1 to 65536";
    /// A count of keys.
    pub(in crate::config) const KEYS: &str = "a number from 1 to 4294967296";
    /// A truth value.
    pub(in crate::config) const TRUTH: &str = "`true` or `false`";
    /// Restarts.
    pub(in crate::config) const RESTARTS: &str = "a number and a duration such as `\"3/1m\"`";
    /// How records are handed to workers.
    pub(in crate::config) const DISPATCH: &str = "`\"round-robin\"` or `{ by = \"/POINTER\" }`";
    /// A JSON Pointer.
    pub(in crate::config) const POINTER: &str = "a JSON Pointer such as `/customer/id`";
    /// JSON Pointers.
    pub(in crate::config) const POINTERS: &str = "an array of JSON Pointers";
    /// A value to compare with.
    pub(in crate::config) const SCALAR: &str = "a string, a number, `true` or `false`";
    /// Values to compare with.
    pub(in crate::config) const SCALARS: &str = "an array of strings, numbers, `true` or `false`";
    /// A bound.
    pub(in crate::config) const BOUND: &str = "a number or a string";
    /// A regular expression.
    pub(in crate::config) const REGEX: &str = "a regular expression";
    /// A port.
    pub(in crate::config) const PORT: &str = "a port from 1 to 65535";
    /// Names of columns.
    pub(in crate::config) const NAMES: &str = "a name or an array of names";
    /// Columns and their types.
    pub(in crate::config) const COLUMNS: &str =
        "a table of columns: a type each, or `{ type = …, from = \"/POINTER\" }`";
    /// A table.
    pub(in crate::config) const TABLE: &str = "a table";
}

impl Takes {
    /// Says it in words.
    pub fn phrase(&self) -> String {
        let phrase = match self {
            Self::Text => phrase::TEXT,
            Self::Path => "a path",
            Self::Paths => phrase::PATHS,
            Self::Arguments => phrase::STRINGS,
            Self::Inputs => "an array of names",
            Self::ExitCodes => phrase::EXIT_CODES,
            Self::Patterns => phrase::PATTERNS,
            Self::Variables => phrase::VARIABLES,
            Self::Size => phrase::SIZE,
            Self::Memory => phrase::MEMORY,
            Self::Unpacked => phrase::UNPACKED,
            Self::Ratio => phrase::RATIO,
            Self::Whole => phrase::WHOLE,
            Self::Share => phrase::SHARE,
            Self::Fields => phrase::FIELDS,
            Self::Field => phrase::FIELD,
            Self::Number => phrase::NUMBER,
            Self::Integer => phrase::INTEGER,
            Self::Digits => phrase::DIGITS,
            Self::Length => phrase::LENGTH,
            Self::Date => phrase::DATE,
            Self::Timestamp => phrase::TIMESTAMP,
            Self::Choices => phrase::CHOICES,
            Self::Duration => return format!("{}, or `0`", phrase::DURATION),
            Self::Limited => phrase::DURATION,
            Self::Limit => phrase::LIMIT,
            Self::Workers => phrase::WORKERS,
            Self::Count => phrase::COUNT,
            Self::Keys => phrase::KEYS,
            Self::Truth => phrase::TRUTH,
            Self::Restarts => phrase::RESTARTS,
            Self::Dispatch => phrase::DISPATCH,
            Self::Pointer => phrase::POINTER,
            Self::Pointers => phrase::POINTERS,
            Self::Scalar => phrase::SCALAR,
            Self::Scalars => phrase::SCALARS,
            Self::Bound => phrase::BOUND,
            Self::Regex => phrase::REGEX,
            Self::Port => phrase::PORT,
            Self::Names => phrase::NAMES,
            Self::Columns => phrase::COLUMNS,
            Self::Records => phrase::RECORDS,
            Self::Rejects(_) => phrase::REJECTS,
            Self::Word(words) => {
                let quoted: Vec<String> =
                    words().iter().map(|word| format!("\"{word}\"")).collect();
                return one_of(quoted.iter().map(String::as_str));
            }
            Self::Table(_) => phrase::TABLE,
        };
        phrase.to_owned()
    }

    /// Says it in JSON Schema. Tables with keys of their own are said by who asks.
    pub(super) fn schema(&self) -> Value {
        let list = |items: Value| json!({"type": "array", "minItems": 1, "items": items});
        let whole = |from: u64, to: u64| json!({"type": "integer", "minimum": from, "maximum": to});
        let any_text = || json!({"type": "string"});
        match self {
            Self::Text | Self::Regex => any_text(),
            Self::Path => json!({"type": "string", "minLength": 1}),
            Self::Paths => json!({"anyOf": [Self::Path.schema(), list(Self::Path.schema())]}),
            Self::Arguments => list(any_text()),
            Self::Inputs => list(text(r"[a-z][a-z0-9_-]*(\.rejects)?")),
            Self::ExitCodes => json!({"type": "array", "items": whole(0, 255)}),
            Self::Patterns => json!({"type": "array", "items": text(r"[^*=]+\*?|\*")}),
            Self::Variables => json!({
                "type": "object",
                "propertyNames": {"pattern": "^[^=]+$"},
                "additionalProperties": any_text(),
            }),
            Self::Size | Self::Memory | Self::Unpacked => text(SIZE),
            Self::Ratio => json!({"type": "integer", "minimum": 1}),
            Self::Whole => json!({"type": "integer", "minimum": 0}),
            Self::Share => text(SHARE),
            Self::Fields => json!({
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"$ref": "#/definitions/field"},
            }),
            Self::Field => json!({"$ref": "#/definitions/field"}),
            Self::Number => json!({"type": "number"}),
            Self::Integer => json!({"type": "integer"}),
            Self::Digits => whole(0, 9),
            Self::Length => whole(0, 1000),
            Self::Date => text("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
            Self::Timestamp => text("[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*"),
            Self::Choices => json!({"anyOf": [Self::Scalars.schema(), {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": whole(0, u32::MAX.into()),
            }]}),
            Self::Duration => json!({"anyOf": [{"const": 0}, text(&format!("0|{DURATION}"))]}),
            Self::Limited => text(DURATION),
            Self::Limit => {
                let text = text(&format!("[0-9]+|{SHARE}"));
                json!({"anyOf": [{"type": "integer", "minimum": 0}, text]})
            }
            Self::Workers => json!({"anyOf": [whole(1, 1024), text("auto")]}),
            Self::Count => whole(1, 1 << 16),
            Self::Keys => whole(1, 1 << 32),
            Self::Truth => json!({"type": "boolean"}),
            Self::Restarts => text(&format!(r"\s*[0-9]+\s*/\s*({DURATION})\s*")),
            Self::Dispatch => json!({"anyOf": [word(&["round-robin"]), {
                "type": "object",
                "properties": {"by": Self::Pointer.schema()},
                "required": ["by"],
                "additionalProperties": false,
            }]}),
            Self::Pointer => text("(/([^~]|~[01])*)?"),
            Self::Pointers => list(Self::Pointer.schema()),
            Self::Scalar => json!({"type": ["string", "number", "boolean"]}),
            Self::Scalars => list(Self::Scalar.schema()),
            Self::Bound => json!({"type": ["string", "number"]}),
            Self::Port => json!({"anyOf": [whole(1, 65535), text("[0-9]{1,5}")]}),
            Self::Names => {
                let name = json!({"type": "string", "minLength": 1});
                json!({"anyOf": [name, list(name.clone())]})
            }
            Self::Columns => {
                let kind = word(&now(COLUMN_TYPES));
                let table = json!({
                    "type": "object",
                    "properties": {"type": kind, "from": Self::Pointer.schema()},
                    "required": ["type"],
                    "additionalProperties": false,
                });
                json!({"type": "object", "additionalProperties": {"anyOf": [kind, table]}})
            }
            Self::Records => golden::records(),
            Self::Rejects(keys) => golden::rejects(keys),
            Self::Word(words) => word(&words()),
            Self::Table(_) => json!({"type": "object", "additionalProperties": false}),
        }
    }
}

/// A share as people write it.
const SHARE: &str = r"[0-9]+(\.[0-9]{1,9})?%";

/// A size as people write it.
const SIZE: &str = r"[0-9]+|[0-9.]+\s*([KkMmGgTtPpEe][Ii]?[Bb]?|[Bb])";

/// A duration as people write it, or as ISO 8601 does.
const DURATION: &str = r"([0-9]+([.,][0-9]+)?\s*[A-Za-zµμ]+[\s,]*)+|[Pp][0-9A-Za-z.,]+";

/// What the environment fills in is known only when the file is read.
const VARIABLE: &str = r"\$\{";

/// A string that as a whole is of a pattern, or that the environment makes one.
fn text(pattern: &str) -> Value {
    json!({"type": "string", "pattern": format!("^({pattern})$|{VARIABLE}")})
}

/// One of some words, or what the environment makes one.
pub(super) fn word(words: &[&str]) -> Value {
    json!({"anyOf": [{"enum": words}, {"type": "string", "pattern": VARIABLE}]})
}

/// Returns how words are spelt.
pub(super) fn now<T>(words: &[Word<T>]) -> Vec<&'static str> {
    words.iter().map(Word::spelling).collect()
}
