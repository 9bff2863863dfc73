//! What a dead letter tells of a rule that a record breaks.

use std::fmt::{self, Display, Write};

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;

use crate::json::pointer::Pointer;
use crate::stage::builtin::json_schema::tape::Fault;
use crate::words::dead_letter::Complaint;

/// The code of a record that cannot be judged.
const UNREADABLE: &str = "schema.unreadable";

/// How long a message may be, and how much of it may be the value it is about, in bytes.
const MESSAGE: usize = 200;
const VALUE: usize = 80;

/// Tells of a record that cannot be judged.
pub(super) fn unreadable(fault: &Fault) -> Complaint {
    let message = format!("cannot be judged: {}", fault.why);
    Complaint::new("", UNREADABLE, message).at(fault.at as u64 + 1)
}

/// Tells of a record that the schema leads into too deep.
#[cold]
pub(super) fn bottomless() -> Complaint {
    let why = "cannot be judged: its rules lead from one to the next too often for its depth";
    Complaint::new("", UNREADABLE, why)
}

/// Tells of a rule that a record breaks, which stands in the file whose address is `home`, or in
/// one that `$ref`s lead to.
pub(super) fn broken(error: &ValidationError<'_>, record: &[u8], home: &str) -> Complaint {
    let path = error.instance_path().as_str().to_owned();
    let span = Pointer::parse(&path).and_then(|pointer| pointer.find(record));
    let value = span.clone().and_then(|span| record.get(span)).unwrap_or_default();
    let message = message(error, value);
    Complaint {
        schema_path: Some(rule(error, home).to_owned()),
        column: span.as_ref().map(|span| span.start as u64 + 1),
        span,
        ..Complaint::new(path, code(error.kind()), message)
    }
}

/// Tells of a record with more errors than can be told apart.
pub(super) fn crowded() -> Complaint {
    Complaint::new("", "schema.invalid", "breaks the schema in more places than are looked at")
}

/// Tells where a rule stands: in another file by the way that leads to it.
fn rule<'a>(error: &'a ValidationError<'_>, home: &str) -> &'a str {
    let file = error.absolute_keyword_location().and_then(|at| at.as_str().split('#').next());
    let here = file.is_none_or(|file| file == home.trim_end_matches('#'));
    if here { error.schema_path().as_str() } else { error.evaluation_path().as_str() }
}

fn code(kind: &ValidationErrorKind) -> String {
    match kind {
        ValidationErrorKind::FalseSchema => "schema.false".to_owned(),
        ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::RegexEngineFailure { .. } => UNREADABLE.to_owned(),
        kind => format!("schema.{}", kind.keyword()),
    }
}

/// Writes the message with the value as the record spells it.
fn message(error: &ValidationError<'_>, value: &[u8]) -> String {
    let value = cut(&String::from_utf8_lossy(value.get(..4 * VALUE).unwrap_or(value)), VALUE);
    match error.kind() {
        ValidationErrorKind::AdditionalItems { limit } => {
            format!("{value} has more than {limit} item{}", if *limit == 1 { "" } else { "s" })
        }
        ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::RegexEngineFailure { .. } => {
            cut(&format_args!("cannot be judged: {error}"), MESSAGE)
        }
        ValidationErrorKind::PropertyNames { error } => {
            cut(&format_args!("the name of a property: {error}"), MESSAGE)
        }
        _ => cut(&error.masked_with(value), MESSAGE),
    }
}

/// Writes the beginning of a text: at most so many bytes, and a mark if there was more.
pub(super) fn cut(text: &(impl Display + ?Sized), most: usize) -> String {
    let mut out = Cut { text: String::new(), most };
    // It ends early where the text is too long.
    if write!(out, "{text}").is_err() {
        out.text.push('…');
    }
    out.text
}

struct Cut {
    text: String,
    most: usize,
}

impl Write for Cut {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.most - self.text.len();
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        self.text.push_str(more.get(..more.floor_char_boundary(room)).unwrap_or_default());
        Err(fmt::Error)
    }
}
