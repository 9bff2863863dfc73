//! The verbs beside `run`, `pipe` and `doctor`: what they print and write is right as it stands.

mod golden;
mod graph;
mod init;
mod reference;
mod shell;

use std::fs;

use esteira::config::manual::json_schema;
use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use super::harness::{Place, project};

/// Returns the schema of pipeline files, ready to judge.
fn judge() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(&json_schema()).unwrap()).unwrap()
}

/// Reads a pipeline file as an editor does; nothing if it is no TOML.
fn parse(text: &str) -> Option<Value> {
    let table = DeTable::parse(text).ok()?;
    Some(plain(&DeValue::Table(table.into_inner())))
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            json!(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(i64::MAX))
        }
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().unwrap()),
        DeValue::Boolean(truth) => json!(truth),
        DeValue::Datetime(_) => Value::Null,
        DeValue::Array(items) => items.iter().map(|item| plain(item.get_ref())).collect(),
        DeValue::Table(entries) => {
            let entries = entries.iter();
            let entries =
                entries.map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref())));
            Value::Object(entries.collect())
        }
    }
}

/// Reads the files of a folder of the project that end in `.toml`: name and text.
fn pipelines(folder: &str) -> Vec<(String, String)> {
    let files = fs::read_dir(project(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let name = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let files: Vec<_> =
        files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect();
    assert!(!files.is_empty(), "{folder}");
    files
}

#[test]
fn what_was_asked_for_and_cannot_be_written_is_an_error() {
    for verb in ["schema", "man", "completions bash"] {
        let place = Place::new();
        let script = format!("\"$0\" {verb} >/dev/full");
        let done = place.esteira().under("sh", &["-c", &script]).run().exits(4);
        drop(done.says("cannot write to stdout: No space left on device"));
    }
}
