//! The JSON Schema of a pipeline file (draft 7, which editors know). What is neither form nor one
//! key's business is left to `esteira check`.

use serde_json::{Map, Value, json};
use toml::de::DeValue;

use crate::config::manual::takes::word;
use crate::config::manual::{KINDS, Key, Kind, Takes, Without, fields};
use crate::config::tree::{self, Base, Node};

/// Returns the schema, as it is written to a file.
pub fn json_schema() -> String {
    let mut properties = Map::new();
    for kind in KINDS {
        properties.entry(kind.table).or_insert_with(|| {
            let kinds: Vec<&Kind> =
                KINDS.into_iter().filter(|other| other.table == kind.table).collect();
            table(&kinds)
        });
    }
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A pipeline file of esteira",
        "description": "`esteira check` knows more of it, such as who feeds whom.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "definitions": {"field": fields::schema(property)},
    });
    // Maps with text as keys can always be written.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// A table of the top: `[pipeline]`, or those below `[sources]` and the like.
fn table(kinds: &[&Kind]) -> Value {
    let mut body = json!({"type": "object", "additionalProperties": false});
    let mut properties = Map::new();
    for key in kinds.iter().flat_map(|kind| kind.keys()) {
        properties.entry(key.key).or_insert_with(|| property(key));
    }
    let rules: Vec<Value> = match kinds {
        [kind] => rules(kind),
        kinds => std::iter::once(one_mark(kinds))
            .chain(kinds.iter().map(|kind| one_kind(kind, &properties)))
            .collect(),
    };
    let says: Vec<&str> = kinds.iter().take(1).map(|kind| kind.says).collect();
    put(&mut body, "description", json!(says.concat()));
    put(&mut body, "properties", Value::Object(properties));
    if !rules.is_empty() {
        put(&mut body, "allOf", Value::Array(rules));
    }
    match kinds {
        [kind] if kind.table == "pipeline" => body,
        [kind, ..] if kind.table == "tests" => json!({"type": "array", "items": body}),
        _ => json!({
            "type": "object",
            "patternProperties": {"^[a-z][a-z0-9_-]*$": body},
            "additionalProperties": false,
        }),
    }
}

/// One of the keys that tell kinds apart is there.
fn one_mark(kinds: &[&Kind]) -> Value {
    let mut marks: Vec<&str> = Vec::new();
    for (mark, _) in kinds.iter().filter_map(|kind| kind.mark) {
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    let marks: Vec<Value> = marks.iter().map(|mark| required(&[mark])).collect();
    json!({ "oneOf": marks })
}

/// What holds for one kind of several.
fn one_kind(kind: &Kind, known: &Map<String, Value>) -> Value {
    let (mark, words) = kind.mark.unwrap_or_default();
    let mut when = required(&[mark]);
    if !words.is_empty() {
        put(&mut when, "properties", json!({ mark: {"enum": words} }));
    }
    let mut properties = Map::new();
    for key in kind.keys() {
        // Only what another kind of table says differently is said again.
        let own = property(key);
        let same = known.get(key.key) == Some(&own);
        properties.insert(key.key.to_owned(), if same { Value::Bool(true) } else { own });
    }
    let mut then = json!({"properties": properties, "additionalProperties": false});
    put(&mut then, "allOf", Value::Array(rules(kind)));
    json!({"if": when, "then": then})
}

/// One key.
fn property(key: &Key) -> Value {
    let mut schema = key.takes.schema();
    if let Takes::Table(keys) = &key.takes {
        let inner: Map<String, Value> =
            keys.iter().map(|key| (key.key.to_owned(), property(key))).collect();
        put(&mut schema, "properties", Value::Object(inner));
    }
    let with = match key.with {
        [] => String::new(),
        words => format!("({}) ", words.join(", ")),
    };
    // Beside a `$ref` nothing counts.
    if schema.get("$ref").is_some() {
        schema = json!({ "allOf": [schema] });
    }
    put(&mut schema, "description", json!(format!("{with}{}", key.says)));
    if let Without::Value(toml) = key.without {
        put(&mut schema, "default", value(toml));
    }
    schema
}

/// What must be there, and what does not go with what.
fn rules(kind: &Kind) -> Vec<Value> {
    let mut rules = needs(kind, &[]);
    let mut told: Vec<&[&str]> = vec![&[]];
    for Key { with, .. } in kind.keys() {
        if told.contains(with) {
            continue;
        }
        told.push(with);
        let strangers = kind.keys().filter(|key| key.with == *with);
        let strangers: Map<String, Value> =
            strangers.map(|key| (key.key.to_owned(), Value::Bool(false))).collect();
        let may_be = chosen(kind, with, &word(with));
        rules.push(json!({"if": may_be, "else": {"properties": strangers}}));
        let needs = needs(kind, with);
        if !needs.is_empty() {
            let is = chosen(kind, with, &json!({ "enum": with }));
            rules.push(json!({"if": is, "then": {"allOf": needs}}));
        }
    }
    rules
}

/// What must be there of the keys that go with some words.
fn needs(kind: &Kind, with: &[&str]) -> Vec<Value> {
    let mut there = Vec::new();
    let mut sets: Vec<&[&[&str]]> = Vec::new();
    for key in kind.keys().filter(|key| key.with == with) {
        match key.without {
            Without::Required => there.push(key.key),
            Without::OneOf(of) if !sets.contains(&of) => sets.push(of),
            _ => {}
        }
    }
    let there = Some(required(&there)).filter(|_| !there.is_empty());
    there.into_iter().chain(sets.into_iter().map(one_set)).collect()
}

/// The kind's chooser is one of some words, or is left out and means one of them.
fn chosen(kind: &Kind, words: &[&str], schema: &Value) -> Value {
    let chooser = kind.chooser.unwrap_or_default();
    let mut when = json!({"properties": { chooser: schema }});
    let means = kind.key(chooser).map(|key| key.without);
    let left_out =
        matches!(means, Some(Without::Value(toml)) if words.contains(&toml.trim_matches('"')));
    if !left_out {
        put(&mut when, "required", json!([chooser]));
    }
    when
}

/// One of these sets has a key that is there.
fn one_set(sets: &[&[&str]]) -> Value {
    let sets: Vec<Value> = sets
        .iter()
        .map(|set| match set {
            [one] => required(&[one]),
            several => {
                let any: Vec<Value> = several.iter().map(|key| required(&[key])).collect();
                json!({ "anyOf": any })
            }
        })
        .collect();
    json!({ "oneOf": sets })
}

fn required(keys: &[&str]) -> Value {
    json!({ "required": keys })
}

fn put(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(schema) = schema {
        schema.insert(key.to_owned(), value);
    }
}

/// Reads a value of TOML.
pub(super) fn value(toml: &str) -> Value {
    let base = Base { text: 0, offset: 0 };
    DeValue::parse(toml).map_or(Value::Null, |parsed| plain(&tree::node(&parsed, base)))
}

fn plain(node: &Node) -> Value {
    match &node.value {
        tree::Value::Text(text) => json!(text),
        tree::Value::Integer(number) => json!(i64::try_from(*number).unwrap_or(i64::MAX)),
        tree::Value::Float(text) => json!(text.parse::<f64>().unwrap_or_default()),
        tree::Value::Boolean(truth) => json!(truth),
        tree::Value::List(items) => items.iter().map(plain).collect(),
        tree::Value::Table(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.clone(), plain(&entry.node)));
            Value::Object(entries.collect())
        }
        tree::Value::Datetime | tree::Value::Broken(_) => Value::Null,
    }
}
