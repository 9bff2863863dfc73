//! `[[tests]]`: their keys, explained.

use serde_json::{Map, Value, json};

use crate::config::manual::Without::{Means, OneOf, Required};
use crate::config::manual::{Key, Kind, Takes, Without};

/// What must be said of what comes out.
const ASSERTED: &[&[&str]] = &[&["output", "rejects"]];

/// `stage`
const STAGE: Key = Key::new(
    "stage",
    Takes::Text,
    Means("all of the pipeline"),
    "The one stage to test: the input goes straight into it.",
);

/// `[[tests]]`
pub(super) static TEST: Kind = Kind {
    table: "tests",
    mark: Some(("input", &[])),
    chooser: None,
    says: "What goes in, and what must come of it: `esteira test` runs them. Paths begin at `root`; \
           `${NAME}` stands for itself here.",
    keys: &[&[
        Key::new("name", Takes::Text, Required, "What the test is called; unique."),
        STAGE,
        Key::new(
            "input",
            Takes::Records,
            Required,
            "What goes in. With several sources a table: lines for each, nothing for those left out.",
        ),
        Key::new(
            "output",
            Takes::Records,
            OneOf(ASSERTED),
            "What is handed on, in order: a record is compared as a value, a line byte by byte. \
             With several outputs a table; one that is left out is not looked at.",
        ),
        Key::new(
            "rejects",
            Takes::Rejects(REJECT),
            OneOf(ASSERTED),
            "What is refused, in input order; none where it is left out.",
        ),
    ]],
};

/// One of `rejects`.
const REJECT: &[Key] = &[
    Key::new("line", Takes::Ratio, ANY, "The number of its line in the input, from 1."),
    Key::new("code", Takes::Text, ANY, "The code of one of its errors."),
    Key::new("path", Takes::Text, ANY, "The path of that error."),
    Key::new("message", Takes::Text, ANY, "A part of the message of that error."),
    Key::new("stage", Takes::Text, ANY, "Who refused it, if no source did."),
    Key::new("source", Takes::Text, ANY, "The source that it came from."),
];

/// What holds for what is not said of a reject.
const ANY: Without = Means("anything");

/// `[[tests]]` with `folder`
pub(super) static TEST_FOLDER: Kind = Kind {
    table: "tests",
    mark: Some(("folder", &[])),
    chooser: None,
    says: "Tests as files: a test for each folder, called as the folder is.",
    keys: &[&[
        Key::new(
            "folder",
            Takes::Path,
            Required,
            "A folder, or a pattern of folders, with `input.ndjson`, and `output.ndjson` or \
             `rejects.ndjson` or both.",
        ),
        STAGE,
    ]],
};

/// Says in JSON Schema what lines of a test are.
pub(super) fn records() -> Value {
    let lines = json!({"type": "array", "items": {"type": ["object", "string"]}});
    let lines = json!({"anyOf": [Takes::Path.schema(), lines]});
    let named = json!({"type": "object", "additionalProperties": lines});
    let parts = json!({"anyOf": [lines, named]});
    json!({"anyOf": [lines, {"type": "object", "additionalProperties": parts}]})
}

/// Says in JSON Schema what a test expects to be refused.
pub(super) fn rejects(keys: &[Key]) -> Value {
    let keys = keys.iter().map(|key| (key.key.to_owned(), key.takes.schema()));
    let table = json!({
        "type": "object",
        "minProperties": 1,
        "properties": keys.collect::<Map<_, _>>(),
        "additionalProperties": false,
    });
    json!({"anyOf": [Takes::Path.schema(), {"type": "array", "items": table}]})
}
