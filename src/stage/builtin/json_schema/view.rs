//! A tape as the validator looks at it.

use std::borrow::Cow;
use std::sync::OnceLock;

use jsonschema_value::cmp::equal_numbers;
use jsonschema_value::types::JsonType;
use jsonschema_value::{Array, Json, JsonNumber, LazyInstance, Node, NodeIdentity, Object};
use serde_json::{Map, Number, Value};

use crate::stage::builtin::json_schema::same::all_differ;
use crate::stage::builtin::json_schema::stack;
use crate::stage::builtin::json_schema::tape::{Cell, Doc, Kind, Tape, hash};

/// Records as tapes hold them.
#[derive(Debug)]
pub(super) struct Tapes;

/// A value of a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// It has a cell.
    Of(&'a Doc<'a>, u32),
    /// It is the name of a member, looked at as a string.
    Name(&'a str),
}

/// The name of a member, as it is looked for.
#[derive(Debug)]
pub(super) struct Wanted {
    hash: u32,
    name: Box<str>,
}

impl Json for Tapes {
    type Node<'a> = Part<'a>;
    type PreparedKey = Wanted;
    type StringBuffer = ();

    const ACYCLIC: bool = true;
    const KEYS_PER_LOOKUP: usize = 4;

    fn prepare_key(key: &str) -> Wanted {
        Wanted { hash: hash(key), name: key.into() }
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Part<'_>) -> T) -> T {
        f(Part::Name(string))
    }
}

impl<'a> Part<'a> {
    /// The whole record.
    pub(super) fn whole(doc: &'a Doc<'a>) -> Self {
        Self::Of(doc, 0)
    }

    fn cell(&self) -> Option<(&'a Doc<'a>, &'a Cell, u32)> {
        match *self {
            Part::Of(doc, at) => Some((doc, &doc.cells[at as usize], at)),
            Part::Name(_) => None,
        }
    }

    fn kind(&self) -> Kind {
        self.cell().map_or(Kind::Plain, |(_, cell, _)| cell.kind)
    }

    fn content(&self, kind: Kind) -> Option<Content<'a>> {
        let (doc, cell, at) = self.cell()?;
        (cell.kind == kind).then_some(Content { doc, cell, at })
    }

    fn value(&self) -> Value {
        match self.kind() {
            Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Number => {
                self.as_number().map_or(Value::Null, |n| n.to_number().into_owned().into())
            }
            Kind::Plain | Kind::Decoded => self.as_string().unwrap_or_default().into(),
            Kind::Array => Value::Array(
                self.as_array()
                    .into_iter()
                    .flat_map(|a| a.elements())
                    .map(|part| part.value())
                    .collect(),
            ),
            Kind::Object => {
                let members = self.as_object().into_iter().flat_map(|o| o.members());
                Value::Object(
                    members
                        .map(|(name, part)| (name.to_owned(), part.value()))
                        .collect::<Map<_, _>>(),
                )
            }
        }
    }
}

/// Makes the value of a record that was read before.
fn again(record: &[u8], _tag: u32) -> Value {
    let mut tape = Tape::default();
    tape.read(record).map_or(Value::Null, |doc| Part::whole(&doc).value())
}

impl<'a> Node<'a, Tapes> for Part<'a> {
    type Object = Content<'a>;
    type Array = Content<'a>;
    type Number = Written<'a>;

    fn as_object(&self) -> Option<Content<'a>> {
        stack::look();
        self.content(Kind::Object)
    }

    fn as_array(&self) -> Option<Content<'a>> {
        stack::look();
        self.content(Kind::Array)
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            Part::Name(name) => Some(Cow::Borrowed(name)),
            Part::Of(doc, at) => {
                let cell = &doc.cells[*at as usize];
                let is = matches!(cell.kind, Kind::Plain | Kind::Decoded);
                is.then(|| Cow::Borrowed(doc.text(cell)))
            }
        }
    }

    fn as_number(&self) -> Option<Written<'a>> {
        let (doc, cell, _) = self.cell()?;
        (cell.kind == Kind::Number).then(|| Written(doc.text(cell)))
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    fn is_number(&self) -> bool {
        self.kind() == Kind::Number
    }

    fn json_type(&self) -> JsonType {
        match self.kind() {
            Kind::Null => JsonType::Null,
            Kind::True | Kind::False => JsonType::Boolean,
            Kind::Number => JsonType::Number,
            Kind::Plain | Kind::Decoded => JsonType::String,
            Kind::Array => JsonType::Array,
            Kind::Object => JsonType::Object,
        }
    }

    fn string_length_within(&self, min: u64, max: u64) -> Option<bool> {
        let string = self.as_string()?;
        // A character takes one to four bytes.
        let bytes = string.len() as u64;
        if bytes.div_ceil(4) >= min && bytes <= max {
            return Some(true);
        }
        Some((min..=max).contains(&(string.chars().count() as u64)))
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match expected {
            Value::Null => self.is_null(),
            Value::Bool(expected) => self.as_boolean() == Some(*expected),
            Value::Number(expected) => {
                self.as_number().is_some_and(|number| equal_numbers(&number, expected))
            }
            Value::String(expected) => self.as_string().is_some_and(|string| string == *expected),
            Value::Array(expected) => self.as_array().is_some_and(|array| {
                let pairs = || array.elements().zip(expected);
                Array::len(&array) == expected.len() && pairs().all(|(a, b)| a.equals_value(b))
            }),
            Value::Object(expected) => self.as_object().is_some_and(|object| {
                let same = |(name, value): (&str, Part<'_>)| {
                    expected.get(name).is_some_and(|expected| value.equals_value(expected))
                };
                Object::len(&object) == expected.len() && object.members().all(same)
            }),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(self.value())
    }

    /// An error tells its place, and the place what stands there: nothing is copied, except the
    /// beginning of a name, which has no place. Of the whole, that place is looked for by the
    /// validator itself where a regular expression gave up, so it is made when it is asked for.
    fn lazy_value(&self) -> LazyInstance<'a> {
        let Part::Of(doc, at) = self else { return LazyInstance::Ready(self.to_value()) };
        doc.count_error();
        match at {
            0 => LazyInstance::Deferred {
                bytes: doc.record(),
                tag: 0,
                make: again,
                cell: OnceLock::new(),
            },
            _ => LazyInstance::Ready(Cow::Borrowed(&Value::Null)),
        }
    }

    /// Asked for each time around a circle of references.
    fn identity(&self) -> Option<NodeIdentity> {
        stack::look();
        Some(match self {
            Part::Of(doc, at) => NodeIdentity::tagged(std::ptr::from_ref(*doc).addr(), *at),
            Part::Name(name) => NodeIdentity::tagged(name.as_ptr().addr(), u32::MAX),
        })
    }
}

/// An array or an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    doc: &'a Doc<'a>,
    cell: &'a Cell,
    at: u32,
}

impl<'a> Object<'a, Tapes> for Content<'a> {
    type Node = Part<'a>;
    type MemberName = &'a str;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        self.cell.size as usize
    }

    fn get(&self, key: &Wanted) -> Option<Part<'a>> {
        let name = self.doc.member(self.at, key.hash, &key.name)?;
        Some(Part::Of(self.doc, name + 1))
    }

    fn members(&self) -> Members<'a> {
        Members(Elements { doc: self.doc, at: self.at + 1, end: self.cell.more })
    }
}

impl<'a> Array<'a, Tapes> for Content<'a> {
    type Node = Part<'a>;
    type ElementsIter = Elements<'a>;

    fn len(&self) -> usize {
        self.cell.size as usize
    }

    fn elements(&self) -> Elements<'a> {
        Elements { doc: self.doc, at: self.at + 1, end: self.cell.more }
    }

    fn is_unique(&self) -> bool {
        all_differ(self.elements())
    }
}

/// Walks along an array.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    doc: &'a Doc<'a>,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let at = self.at;
        (at < self.end && !self.doc.is_enough()).then(|| {
            self.at = self.doc.behind(at);
            Part::Of(self.doc, at)
        })
    }
}

/// Walks along an object: names and values take turns.
#[derive(Debug)]
pub(super) struct Members<'a>(Elements<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Part<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let Elements { doc, at, end } = &mut self.0;
        while *at < *end && !doc.is_enough() {
            let name = &doc.cells[*at as usize];
            let value = *at + 1;
            *at = doc.behind(value);
            if !name.shadowed {
                return Some((doc.text(name), Part::Of(doc, value)));
            }
        }
        None
    }
}

/// A number as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a>(&'a str);

impl JsonNumber for Written<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok().filter(|number: &f64| number.is_finite())
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }

    fn to_number(&self) -> Cow<'_, Number> {
        // Whatever a JSON text holds as a number is one.
        Cow::Owned(self.0.parse().unwrap_or_else(|_| Number::from(0)))
    }

    fn is_integer(&self) -> bool {
        self.is_written_as_integer() || JsonNumber::is_integer(&*self.to_number())
    }

    fn is_written_as_integer(&self) -> bool {
        !self.0.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
    }
}
