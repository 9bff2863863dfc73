//! The kinds of field of made records, explained.

use serde_json::{Map, Value, json};

use crate::config::keys::KINDS_OF_FIELD;
use crate::config::manual::Without::{Required, Value as Default};
use crate::config::manual::takes::{now, word};
use crate::config::manual::{Key, Takes};

/// Some kinds of field.
pub struct Made {
    /// The kinds that are alike.
    pub kinds: &'static [&'static str],
    /// What they make, in a few words; Markdown.
    pub says: &'static str,
    /// Their keys, but for `kind` and `nulls`, which all have.
    pub keys: &'static [Key],
}

const fn plain(kinds: &'static [&'static str], says: &'static str) -> Made {
    Made { kinds, says, keys: &[] }
}

/// `nulls`, which all fields may have.
pub static NULLS: Key =
    Key::new("nulls", Takes::Share, Default("\"0%\""), "How often it is `null` instead.");

const FROM_DAY: Key = Key::new("from", Takes::Date, Default("\"2000-01-01\""), "The first.");
const TO_DAY: Key = Key::new("to", Takes::Date, Default("\"2025-12-31\""), "The last.");
const FROM: Key =
    Key::new("from", Takes::Timestamp, Default("\"2000-01-01T00:00:00Z\""), "The first.");
const TO: Key = Key::new("to", Takes::Timestamp, Default("\"2025-12-31T23:59:59Z\""), "The last.");

/// All kinds, in the order of `keys::KINDS_OF_FIELD`.
pub static FIELDS: &[Made] = &[
    plain(&["sequence"], "The number of the record: 1, 2, 3"),
    plain(&["uuid"], "A UUID, version 4"),
    plain(&["name", "first_name", "last_name"], "A person's"),
    plain(&["username"], "As in `ana_souza17`; no other record has it"),
    plain(
        &["email"],
        "As in `ana.souza17@example.com`; no other record has it, and no mail to it gets anywhere",
    ),
    plain(&["password"], "12 to 16 letters and digits"),
    plain(&["company", "job"], "A company, what somebody does there"),
    plain(&["phone"], "A telephone number"),
    plain(&["street", "city", "state", "zip", "country"], "Parts of an address"),
    plain(&["country_code"], "As in `BR`"),
    plain(&["word", "sentence"], "Text without a meaning"),
    plain(&["ipv4"], "An IP address"),
    Made {
        kinds: &["boolean"],
        says: "`true` or `false`",
        keys: &[Key::new("share", Takes::Share, Default("\"50%\""), "How often it is `true`.")],
    },
    Made {
        kinds: &["integer"],
        says: "A whole number",
        keys: &[
            Key::new("min", Takes::Integer, Default("0"), "The least."),
            Key::new("max", Takes::Integer, Default("1_000_000"), "The greatest."),
        ],
    },
    Made {
        kinds: &["decimal"],
        says: "A number with a point",
        keys: &[
            Key::new("min", Takes::Number, Default("0"), "The least."),
            Key::new("max", Takes::Number, Default("1"), "The greatest."),
            Key::new("digits", Takes::Digits, Default("2"), "Digits behind the point."),
        ],
    },
    Made { kinds: &["date"], says: "As in `2000-12-31`", keys: &[FROM_DAY, TO_DAY] },
    Made { kinds: &["timestamp"], says: "As in `2000-12-31T23:59:59Z`, in UTC", keys: &[FROM, TO] },
    Made {
        kinds: &["enum"],
        says: "One of some values",
        keys: &[Key::new("values", Takes::Choices, Required, "Which; weights say how often each.")],
    },
    Made {
        kinds: &["object"],
        says: "An object",
        keys: &[Key::new("fields", Takes::Fields, Required, "What is in it, in this order.")],
    },
    Made {
        kinds: &["array"],
        says: "An array",
        keys: &[
            Key::new("of", Takes::Field, Required, "What is in it."),
            Key::new("min", Takes::Length, Default("0"), "The fewest values."),
            Key::new("max", Takes::Length, Default("3"), "The most."),
            Key::new(
                "unique",
                Takes::Truth,
                Default("true"),
                "Whether no two are equal; where there are too few different ones, it has fewer.",
            ),
        ],
    },
];

/// Says in JSON Schema what a field may be.
pub(super) fn schema(property: impl Fn(&Key) -> Value) -> Value {
    let mut properties = Map::new();
    let all = now(KINDS_OF_FIELD);
    properties.insert("kind".to_owned(), word(&all));
    let mut rules = Vec::new();
    for made in FIELDS {
        let mut own = Map::new();
        for key in made.keys.iter().chain([&NULLS]) {
            own.insert(key.key.to_owned(), property(key));
            properties.entry(key.key).or_insert(Value::Bool(true));
        }
        own.insert("kind".to_owned(), Value::Bool(true));
        let needed = made.keys.iter().filter(|key| key.without == Required);
        let needed: Vec<&str> = needed.map(|key| key.key).collect();
        let when = json!({"properties": {"kind": {"enum": made.kinds}}, "required": ["kind"]});
        let then = json!({"properties": own, "required": needed, "additionalProperties": false});
        rules.push(json!({"if": when, "then": then}));
    }
    let complete = |word: &&str| {
        let made = FIELDS.iter().find(|made| made.kinds.contains(word));
        made.is_some_and(|made| made.keys.iter().all(|key| key.without != Required))
    };
    let short: Vec<&str> = all.iter().copied().filter(complete).collect();
    json!({"anyOf": [word(&short), {
        "type": "object",
        "properties": properties,
        "required": ["kind"],
        "additionalProperties": false,
        "allOf": rules,
    }]})
}
