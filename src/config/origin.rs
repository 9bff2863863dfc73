//! Where a value was written, carried with it so that any room can underline it.

use std::fmt;
use std::path::Path;

use crate::words::text;

/// A stretch of one of the texts that messages can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Which text: 0 is the file, the others are the `--set`s in their order.
    pub text: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// It stands there as it is.
    Written(Span),
    /// It was written with `${…}`: what the environment put in is never shown.
    Expanded(Span),
    /// It was an argument: there is no text to underline.
    #[default]
    CommandLine,
}

impl Origin {
    /// Returns the text to underline, if there is one.
    pub fn span(self) -> Option<Span> {
        match self {
            Self::Written(span) | Self::Expanded(span) => Some(span),
            Self::CommandLine => None,
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Located<T> {
    /// Takes a value that was an argument.
    pub fn typed(value: T) -> Self {
        Self { value, origin: Origin::CommandLine }
    }

    /// Returns the value as messages may show it: never what came from the environment.
    fn shown(&self, bytes: &[u8]) -> String {
        match self.origin {
            Origin::Expanded(_) => "${…}".to_owned(),
            Origin::Written(_) | Origin::CommandLine => text::excerpt(bytes),
        }
    }
}

impl fmt::Display for Located<String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(self.value.as_bytes()))
    }
}

impl<T: AsRef<Path>> Located<T> {
    /// Returns a path or an argument as messages may show it.
    pub fn shown_path(&self) -> String {
        self.shown(self.value.as_ref().as_os_str().as_encoded_bytes())
    }
}
