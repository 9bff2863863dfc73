//! Mistakes in what was written, each with its place, and how they are drawn.
//!
//! Whoever finds a mistake pushes it and gets a [`Reported`]: the proof that lets a reader go on
//! without the value, so that all mistakes are shown at once and none twice.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::config::origin::{Origin, Span};
use crate::words::text::{escape, shown};

/// A text that messages can show; secrets in it are masked before it comes here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// What it is called: the file's name, or `--set`.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) text: String,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, naming key and table.
    pub message: String,
    /// The places that show it, the one that matters most first.
    pub labels: Vec<Label>,
    /// What to write instead, a sentence each.
    pub hints: Vec<String>,
}

/// A place and what is to be seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub origin: Origin,
    /// What is to be seen; may be empty.
    pub text: String,
}

impl Diagnostic {
    /// Makes a diagnostic without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), labels: Vec::new(), hints: Vec::new() }
    }

    /// Adds a place and what is to be seen there.
    #[must_use]
    pub fn at(mut self, origin: Origin, text: impl Into<String>) -> Self {
        self.labels.push(Label { origin, text: text.into() });
        self
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The stretches that can be underlined.
    fn spans(&self) -> impl Iterator<Item = (Span, &str)> {
        let drawn = |label: &Label| label.origin.span();
        let labels = self.labels.iter();
        labels.filter_map(move |label| Some((drawn(label)?, label.text.as_str())))
    }

    /// The message of what stands in no text: what a label would show is put behind it.
    fn bare(&self) -> String {
        match self.labels.first() {
            Some(label) if !label.text.is_empty() => format!("{}: {}", self.message, label.text),
            _ => self.message.clone(),
        }
    }

    /// The place to sort by; what has none comes last.
    fn place(&self) -> (usize, usize) {
        let first = self.spans().next();
        first.map_or((usize::MAX, 0), |(span, _)| (span.text, span.start))
    }
}

/// Proof that a mistake was reported: what depends on the value may be left out in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported(());

/// All mistakes of what was written, in the order of their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    texts: Vec<Text>,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Starts without mistakes, over the texts that spans point into.
    pub(crate) fn new(mut texts: Vec<Text>) -> Self {
        for text in &mut texts {
            text.name = shown(&text.name);
            text.text = text.text.split_inclusive('\n').map(harmless).collect();
        }
        let list = Vec::new();
        Self { texts, list }
    }

    /// Adds a mistake behind those before its place.
    pub fn push(&mut self, diagnostic: Diagnostic) -> Reported {
        let place = diagnostic.place();
        let index = self.list.partition_point(|other| other.place() <= place);
        self.list.insert(index, diagnostic);
        Reported(())
    }

    /// Adds the mistakes that explain away those `covered` by them.
    pub(crate) fn beside(
        mut self,
        causes: Vec<Diagnostic>,
        covered: impl Fn(&Diagnostic) -> bool,
    ) -> Self {
        self.list.retain(|diagnostic| !covered(diagnostic));
        for cause in causes {
            self.push(cause);
        }
        self
    }

    /// Tells whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the number of mistakes.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns the mistakes in the order of their places.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Draws all of them, an empty line between each two.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let drawn: Vec<String> = self.iter().map(|d| self.draw(&renderer, d)).collect();
        drawn.join("\n\n") + "\n"
    }

    fn draw(&self, renderer: &Renderer, diagnostic: &Diagnostic) -> String {
        let snippets = self.snippets(diagnostic);
        if !snippets.is_empty() {
            // The library takes these as they are: what a file wrote must not steer a terminal.
            let help = |hint: &String| Level::HELP.message(shown(hint));
            let group = Level::ERROR
                .primary_title(shown(&diagnostic.message))
                .elements(snippets)
                .elements(diagnostic.hints.iter().map(help));
            return renderer.render(&[group]);
        }
        // Without a snippet there is no gutter for the hints to hang on: a line each instead.
        let title = Level::ERROR.primary_title(shown(diagnostic.bare()));
        let mut lines = vec![renderer.render(&[Group::with_title(title)])];
        for hint in &diagnostic.hints {
            let hint = shown(hint);
            let help = Group::with_title(Level::HELP.secondary_title(hint));
            lines.push(renderer.render(&[help]));
        }
        lines.join("\n")
    }

    /// One snippet a text, in the order of the labels.
    fn snippets<'a>(
        &'a self,
        diagnostic: &'a Diagnostic,
    ) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
        let mut order: Vec<usize> = Vec::new();
        for (span, _) in diagnostic.spans() {
            if !order.contains(&span.text) {
                order.push(span.text);
            }
        }
        let mut kind = AnnotationKind::Primary;
        let mut snippets = Vec::new();
        for (index, text) in order.iter().filter_map(|i| Some((*i, self.texts.get(*i)?))) {
            let mut snippet = Snippet::source(&text.text).path(text.name.as_str());
            for (span, label) in diagnostic.spans().filter(|(span, _)| span.text == index) {
                let label = (!label.is_empty()).then(|| shown(label));
                snippet = snippet.annotation(kind.span(within(&text.text, span)).label(label));
                kind = AnnotationKind::Context;
            }
            snippets.push(snippet);
        }
        snippets
    }
}

/// Replaces what steers a terminal or a CI service and what the library would let through (it
/// replaces ASCII controls by itself) in a line, every byte at its place.
fn harmless(line: &str) -> String {
    let mut buffer = [0; 4];
    let (last_bracket, mut behind_hash) = (line.rfind('[').unwrap_or(0), false);
    let calm = |(index, c): (usize, char)| {
        let command = c == '#' && behind_hash && index < last_bracket;
        behind_hash = c == '#' || (behind_hash && !c.is_ascii());
        if command {
            return '%';
        }
        let encoded = c.encode_utf8(&mut buffer);
        let mark = index == 0 && c == '\u{feff}';
        if c.is_ascii() || mark || escape(encoded.as_bytes()) == *encoded {
            return c;
        }
        if encoded.len() == 2 { '·' } else { '\u{fffd}' }
    };
    line.char_indices().map(calm).collect()
}

/// Keeps a span inside its text: a wrong underline is better than none of the message.
fn within(text: &str, span: Span) -> Range<usize> {
    let floor = |index: usize| {
        let mut below = (0..=index.min(text.len())).rev();
        below.find(|i| text.is_char_boundary(*i)).unwrap_or(0)
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
