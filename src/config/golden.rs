//! `[[tests]]`: what goes into a pipeline and what must come of it, as written, and how it is read.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::keys::{REJECT, TEST, TEST_FOLDER};
use crate::config::manual::phrase;
use crate::config::origin::{Located, Origin};
use crate::config::read::{Field, Read, Reader};
use crate::config::schema::Setting;
use crate::config::tree::{Entry, Node, Value};
use crate::config::values;

/// One of `[[tests]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Where it stands.
    pub at: Origin,
    /// `name`
    pub name: Setting<String>,
    /// `stage`
    pub stage: Setting<String>,
    /// `input`
    pub input: Setting<Parts>,
    /// `output`
    pub output: Setting<Parts>,
    /// `rejects`
    pub rejects: Setting<Rejects>,
    /// `folder`, which stands in the place of all but `stage`
    pub folder: Setting<PathBuf>,
}

/// Lines of one table, or of several by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Of the only one there is.
    One(Lines),
    /// Of each that is named.
    Named(Vec<(Located<String>, Located<Lines>)>),
}

/// Lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Those of a file.
    File(PathBuf),
    /// These.
    Written(Vec<Located<Line>>),
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// As it stands, without its line feed.
    Text(Vec<u8>),
    /// A record as JSON: another that is worth the same is as good.
    Record(String),
}

/// What is expected to be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejects {
    /// As a file says, an object a line.
    File(PathBuf),
    /// These.
    Written(Vec<Located<Reject>>),
}

/// A record that is refused; what is left out may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// The number of its line in the input, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The code of one of its errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The path of that error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A part of the message of that error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Who refused it, if not a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The source that it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Line {
    /// Returns it as it goes into a file.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            Self::Record(json) => json.as_bytes(),
        }
    }
}

impl Reject {
    /// Tells whether nothing is said of it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads all tests.
pub(super) fn read(entry: Entry, out: &mut Diagnostics) -> Vec<Test> {
    let wrong = |origin, found: &str| {
        Diagnostic::new("`tests` must be an array of tables")
            .at(origin, format!("this is {found}"))
            .hint("write `[[tests]]`, with the keys of one test below")
    };
    let items = match entry.node.value {
        Value::List(items) => items,
        Value::Broken(_) => return Vec::new(),
        other => {
            out.push(wrong(Origin::Written(entry.at), other.kind()));
            return Vec::new();
        }
    };
    let mut tests = Vec::new();
    for Node { value, origin } in items {
        match value {
            Value::Table(entries) => tests.push(test(origin, entries, out)),
            Value::Broken(_) => {}
            other => drop(out.push(wrong(origin, other.kind()))),
        }
    }
    tests
}

fn test(at: Origin, entries: Vec<Entry>, out: &mut Diagnostics) -> Test {
    let of_folder = entries.iter().any(|entry| entry.key == "folder");
    let vocabulary = if of_folder { &TEST_FOLDER } else { &TEST };
    let mut reader = Reader::new(vocabulary, vocabulary.noun.to_owned(), entries, out);
    let mut test = Test {
        at,
        name: Setting::LeftOut,
        stage: reader.read("stage", values::text),
        input: Setting::LeftOut,
        output: Setting::LeftOut,
        rejects: Setting::LeftOut,
        folder: Setting::LeftOut,
    };
    if of_folder {
        test.folder = reader.read("folder", values::path);
    } else {
        test.name = reader.read("name", values::text);
        test.input = reader.read("input", parts);
        test.output = reader.read("output", parts);
        test.rejects = reader.read("rejects", rejects);
    }
    reader.finish();
    test
}

/// Reads lines of one table or of several.
fn parts(field: &mut Field<'_>) -> Read<Parts> {
    if !matches!(field.node.value, Value::Table(_)) {
        return lines(field).map(Parts::One);
    }
    let mut found = Vec::new();
    let mut reported = None;
    for Entry { key, at, node } in field.take_table(phrase::RECORDS)? {
        // `validate.output` is the name of a sink, and to TOML a table in a table.
        let named = match node.value {
            Value::Table(inner) => {
                let name = |inner: &str| format!("{key}.{inner}");
                inner.into_iter().map(|entry| (name(&entry.key), entry.at, entry.node)).collect()
            }
            _ => vec![(key, at, node)],
        };
        for (name, at, node) in named {
            let origin = node.origin;
            field.node = node;
            let name = Located { value: name, origin: Origin::Written(at) };
            match lines(field) {
                Ok(value) => found.push((name, Located { value, origin })),
                Err(mistake) => reported = Some(mistake),
            }
        }
    }
    reported.map_or(Ok(Parts::Named(found)), Err)
}

fn lines(field: &mut Field<'_>) -> Read<Lines> {
    match &mut field.node.value {
        Value::Text(path) => Ok(Lines::File(PathBuf::from(path.as_str()))),
        Value::List(items) => {
            let items = std::mem::take(items);
            values::each(field, items, line).map(Lines::Written)
        }
        _ => Err(field.wrong(phrase::RECORDS, None)),
    }
}

fn line(field: &mut Field<'_>) -> Read<Located<Line>> {
    let origin = field.node.origin;
    let value = match &field.node.value {
        Value::Text(text) if text.contains('\n') => {
            return Err(field.unfit("lines", "a line feed in here", Some("write a string a line")));
        }
        Value::Text(text) => Line::Text(text.clone().into_bytes()),
        Value::Table(_) => {
            let mut json = String::new();
            let node = Node { value: Value::Boolean(true), origin };
            let node = std::mem::replace(&mut field.node, node);
            write(node, field, &mut json)?;
            Line::Record(json)
        }
        _ => {
            let hint = "a table is a record, a string a line as it stands: `'[1, 2]'`";
            return Err(field.wrong("lines", Some(hint)));
        }
    };
    Ok(Located { value, origin })
}

/// Writes a value as JSON, the keys in the order of the file.
fn write(node: Node, field: &mut Field<'_>, out: &mut String) -> Result<(), Reported> {
    match node.value {
        Value::Table(entries) => {
            let mut before = '{';
            for Entry { key, node, .. } in entries {
                out.push(before);
                out.push_str(&quoted(&key));
                out.push(':');
                write(node, field, out)?;
                before = ',';
            }
            out.push_str(if before == '{' { "{}" } else { "}" });
        }
        Value::List(items) => {
            let mut before = '[';
            for item in items {
                out.push(before);
                write(item, field, out)?;
                before = ',';
            }
            out.push_str(if before == '[' { "[]" } else { "]" });
        }
        Value::Text(text) => out.push_str(&quoted(&text)),
        _ => {
            field.node = node;
            out.push_str(&plain(field)?);
        }
    }
    Ok(())
}

/// Writes a number or a truth value as JSON.
fn plain(field: &mut Field<'_>) -> Read<String> {
    const TAKES: &str = "what JSON can hold";
    match &field.node.value {
        Value::Boolean(truth) => Ok(truth.to_string()),
        Value::Integer(i128::MAX) => {
            Err(field.unfit(TAKES, "too large for TOML", Some("write the line as a string")))
        }
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(text) if text.ends_with(|c: char| c.is_ascii_digit()) => {
            Ok(text.replace('_', "").trim_start_matches('+').to_owned())
        }
        Value::Float(_) => Err(field.unfit(TAKES, "no number of JSON", None)),
        _ => Err(field.wrong(TAKES, Some("write a date as a string"))),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn rejects(field: &mut Field<'_>) -> Read<Rejects> {
    match &mut field.node.value {
        Value::Text(path) => Ok(Rejects::File(PathBuf::from(path.as_str()))),
        Value::List(items) => {
            let items = std::mem::take(items);
            values::each(field, items, reject).map(Rejects::Written)
        }
        _ => Err(field.wrong(phrase::REJECTS, None)),
    }
}

fn reject(field: &mut Field<'_>) -> Read<Located<Reject>> {
    let origin = field.node.origin;
    let entries = field.take_table(phrase::REJECTS)?;
    let mut reader = Reader::new(&REJECT, REJECT.noun.to_owned(), entries, field.out);
    let line = reader.read("line", number);
    let [code, path, message, stage, source] =
        ["code", "path", "message", "stage", "source"].map(|key| reader.read(key, values::text));
    let strange = reader.finish();
    let texts = [&code, &path, &message, &stage, &source];
    let unreadable = texts.into_iter().find_map(Setting::unreadable).or(line.unreadable());
    if let Some(reported) = strange.or(unreadable) {
        return Err(reported);
    }
    let value = Reject {
        line: line.value().copied(),
        code: code.value().cloned(),
        path: path.value().cloned(),
        message: message.value().cloned(),
        stage: stage.value().cloned(),
        source: source.value().cloned(),
    };
    if value.is_empty() {
        let hint = "as in `{ line = 2, code = \"missing\", path = \"/id\" }`";
        field.node.origin = origin;
        return Err(field.unfit("something to know each reject by", "this is empty", Some(hint)));
    }
    Ok(Located { value, origin })
}

fn number(field: &mut Field<'_>) -> Read<u64> {
    match field.node.value {
        Value::Integer(number) => match u64::try_from(number) {
            Ok(number @ 1..) => Ok(number),
            _ => Err(field.unfit("the number of a line, from 1", "no such number", None)),
        },
        _ => Err(field.wrong("the number of a line, from 1", None)),
    }
}
