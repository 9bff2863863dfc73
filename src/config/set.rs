//! `--set KEY=VALUE`: one setting of the command line over the file.
//!
//! KEY is a dotted path as in TOML; VALUE is TOML, or a string where it is none.

use toml::de::{DeTable, DeValue};

use crate::config::diagnostic::{Diagnostic, Diagnostics};
use crate::config::origin::{Origin, Span};
use crate::config::tree::{self, Base, Entry, Node, Value};

/// A step of a dotted path and where it was written.
struct Step {
    key: String,
    at: Span,
}

/// Puts the setting `text`, which is text number `index`, into the tree.
pub(super) fn apply(root: &mut Vec<Entry>, text: &str, index: usize, out: &mut Diagnostics) {
    let whole = Span { text: index, start: 0, end: text.len() };
    let hint = "as in `--set pipeline.max_rejects=3`";
    let Some((key, value)) = text.split_once('=') else {
        let mistake = Diagnostic::new("`--set` takes `KEY=VALUE`");
        out.push(mistake.at(Origin::Written(whole), "no `=`").hint(hint));
        return;
    };
    let end = key.len();
    let Some(path) = path(key, index) else {
        let mistake = Diagnostic::new("`--set` takes a dotted path before the `=`");
        let origin = Origin::Written(Span { end, ..whole });
        out.push(mistake.at(origin, "no path of keys").hint(hint));
        return;
    };
    let node = node(value, index, end + 1);
    if let Err(step) = put(root, &path, node) {
        let name = &step.key;
        let mistake = Diagnostic::new(format!("`{name}` is no table, it holds a value"));
        out.push(mistake.at(Origin::Written(step.at), "nothing can stand below it"));
    }
}

/// Reads a dotted path by letting the TOML parser read it as a key.
fn path(key: &str, index: usize) -> Option<Vec<Step>> {
    if key.contains(['\n', '\r', '#']) || key.trim_start().starts_with('[') {
        return None;
    }
    let document = format!("{key}=0");
    let parsed = DeTable::parse(&document).ok()?;
    let base = Base { text: index, offset: 0 };
    let mut path = Vec::new();
    let mut level = tree::table(parsed.get_ref(), base);
    while let Some(entry) = level.pop() {
        let (key, at) = (entry.key, entry.at);
        path.push(Step { key, at });
        if let Value::Table(below) = entry.node.value {
            level = below;
        }
    }
    Some(path)
}

fn node(value: &str, index: usize, offset: usize) -> Node {
    let trimmed = value.trim();
    let start = offset + (value.len() - value.trim_start().len());
    let base = Base { text: index, offset: start };
    DeValue::parse(trimmed).map_or_else(
        |_| Node {
            value: Value::Text(trimmed.to_owned()),
            origin: Origin::Written(Span { text: index, start, end: start + trimmed.len() }),
        },
        |parsed| tree::node(&parsed, base),
    )
}

/// Creates or replaces the value at `path`; what is replaced keeps its place in the order.
fn put<'p>(level: &mut Vec<Entry>, path: &'p [Step], node: Node) -> Result<(), &'p Step> {
    let Some((step, below)) = path.split_first() else {
        return Ok(());
    };
    let found = level.iter().position(|entry| entry.key == step.key);
    if below.is_empty() {
        if let Some(entry) = found.and_then(|index| level.get_mut(index)) {
            entry.node = node;
        } else {
            level.push(entry(step, node));
        }
        return Ok(());
    }
    let index = found.unwrap_or_else(|| {
        let value = Value::Table(Vec::new());
        let origin = Origin::Written(step.at);
        level.push(entry(step, Node { value, origin }));
        level.len() - 1
    });
    match level.get_mut(index).map(|entry| &mut entry.node.value) {
        Some(Value::Table(entries)) => put(entries, below, node),
        _ => Err(step),
    }
}

fn entry(step: &Step, node: Node) -> Entry {
    Entry { key: step.key.clone(), at: step.at, node }
}
