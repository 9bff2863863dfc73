//! TOML syntax: the parser's own errors, thinned out to one a line and put into our form.
//!
//! The parser goes on after an error, so that mistakes further down show too; what it makes of
//! the broken lines themselves is guesswork and is not judged (see [`Broken::covers`]).

use toml::de::{DeTable, Error};

use crate::config::diagnostic::Diagnostic;
use crate::config::origin::{Origin, Span};
use crate::config::tree::{self, Base, Entry};

/// What the parser made of the file.
pub(super) struct Parsed {
    /// The tree, as far as it could be read.
    pub(super) root: Vec<Entry>,
    /// What is wrong with the syntax.
    pub(super) errors: Vec<Diagnostic>,
    /// Where.
    pub(super) broken: Broken,
}

/// The lines whose syntax is wrong, each as a stretch.
#[derive(Debug, Default)]
pub(super) struct Broken(Vec<Span>);

impl Broken {
    /// Gives the lines.
    pub(super) fn lines(&self) -> impl Iterator<Item = Span> {
        self.0.iter().copied()
    }

    /// Tells whether a mistake stands in a broken line, and so may be no mistake at all.
    pub(super) fn covers(&self, diagnostic: &Diagnostic) -> bool {
        let mut spans = diagnostic.labels.iter().filter_map(|label| label.origin.span());
        spans.any(|span| {
            let overlaps = |line: &Span| span.start <= line.end && line.start <= span.end;
            span.text == 0 && self.0.iter().any(overlaps)
        })
    }
}

/// Parses the file.
pub(super) fn parse(text: &str) -> Parsed {
    let (table, found) = DeTable::parse_recoverable(text);
    let mut broken = Broken::default();
    let mut errors = Vec::new();
    for error in found {
        let span = place(&error, text);
        let line = line_around(text, span);
        // The first error of a line is the cause, the others are what the parser stumbled over.
        if !broken.0.contains(&line) {
            errors.push(explain(&error, text, span));
            broken.0.push(line);
        }
    }
    let base = Base { text: 0, offset: 0 };
    let root = tree::table(table.get_ref(), base);
    Parsed { root, errors, broken }
}

fn place(error: &Error, text: &str) -> Span {
    let range = error.span().unwrap_or(0..0);
    // At the end of the file the last line that holds something is the one to show.
    let end = text.trim_end().len();
    let start = range.start.min(end);
    let end = range.end.clamp(start, end.max(start));
    Span { text: 0, start, end }
}

/// The line around a place; after a broken `[header]` all up to the next one, since the keys
/// below it have lost their table.
fn line_around(text: &str, span: Span) -> Span {
    let (before, after) = text.split_at_checked(span.start).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let header = text.get(start..).is_some_and(|line| line.starts_with('['));
    let until = if header { "\n[" } else { "\n" };
    let end = span.start + after.find(until).unwrap_or(after.len());
    Span { text: 0, start, end }
}

fn explain(error: &Error, text: &str, span: Span) -> Diagnostic {
    let (what, expected) = match error.message().split_once(", expected ") {
        Some((what, expected)) => (what, format!("expected {expected}")),
        None => (error.message(), String::new()),
    };
    let found = text.get(span.start..span.end).unwrap_or_default();
    let bare = found.starts_with(|c: char| c.is_ascii_alphanumeric());
    let origin = Origin::Written(span);
    if what == "duplicate key" {
        return Diagnostic::new("this key stands here twice").at(origin, "the second of them");
    }
    if bare && (what.starts_with("string values") || what.starts_with("invalid boolean")) {
        return Diagnostic::new("invalid TOML: a string stands in quotes")
            .at(origin, "no quotes around this");
    }
    Diagnostic::new(format!("invalid TOML: {what}")).at(origin, expected)
}
