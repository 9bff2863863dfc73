//! The parsed file as an owned tree in file order, each node with its place.

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::config::diagnostic::Reported;
use crate::config::origin::{Origin, Span};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The value.
    pub(super) value: Value,
    /// Where it stands.
    pub(super) origin: Origin,
}

/// What can be written.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A string.
    Text(String),
    /// An integer; what does not fit is as large as can be.
    Integer(i128),
    /// A float, as it is written.
    Float(String),
    /// A boolean.
    Boolean(bool),
    /// A date: no key takes one.
    Datetime,
    /// An array.
    List(Vec<Node>),
    /// A table, inline or not.
    Table(Vec<Entry>),
    /// Something that is wrong and was reported.
    Broken(Reported),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// Where the key was first written; file order is the order of these.
    pub(super) at: Span,
    /// The value.
    pub(super) node: Node,
}

impl Value {
    /// Names the kind of value, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Datetime => "a date",
            Self::List(_) => "an array",
            Self::Table(_) => "a table",
            Self::Broken(_) => "something unreadable",
        }
    }
}

/// Where parsed text lies: which text, and how far into it the parser's zero is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base {
    /// Which text.
    pub(super) text: usize,
    /// The parser's zero.
    pub(super) offset: usize,
}

impl Base {
    fn span<T>(self, spanned: &Spanned<T>) -> Span {
        let range = spanned.span();
        Span { text: self.text, start: self.offset + range.start, end: self.offset + range.end }
    }
}

/// Copies a parsed table, its entries in file order (the parser sorts them by name).
pub(super) fn table(parsed: &DeTable<'_>, base: Base) -> Vec<Entry> {
    let mut entries: Vec<Entry> = parsed
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            at: base.span(key),
            node: node(value, base),
        })
        .collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// Copies a parsed value.
pub(super) fn node(parsed: &Spanned<DeValue<'_>>, base: Base) -> Node {
    let value = match parsed.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => Value::Integer(whole(integer)),
        DeValue::Float(float) => Value::Float(float.as_str().to_owned()),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, base)).collect()),
        DeValue::Table(entries) => Value::Table(table(entries, base)),
    };
    let origin = Origin::Written(base.span(parsed));
    Node { value, origin }
}

fn whole(integer: &DeInteger<'_>) -> i128 {
    i128::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i128::MAX)
}
