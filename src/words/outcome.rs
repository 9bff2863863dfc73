//! How a run can end, and which end wins when there are several.

use std::fmt;

use serde::Serialize;

use crate::words::id::Name;

/// The end of a run, mildest first: with several, the greatest wins (DESIGN.md, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// All accounted for, within the limits.
    Ok,
    /// More rejects than allowed, or an exit code that says the data is invalid.
    Data,
    /// Command line, pipeline file, a missing program, an unsafe target. Nothing was consumed.
    Config,
    /// A stage crashed, broke its protocol, timed out or left with an unexpected code.
    Stage,
    /// Input missing or unreadable, folder unwritable, disk full.
    World,
    /// Another run holds the lock, or resuming was refused.
    Locked,
    /// The ledger does not balance.
    Ledger,
    /// A bug in this program.
    Bug,
    /// Ended by a signal, which is raised again.
    Signal(i32),
}

impl Exit {
    /// Returns the code a shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Data => 1,
            Self::Config => 2,
            Self::Stage => 3,
            Self::World => 4,
            Self::Locked => 5,
            Self::Ledger => 6,
            Self::Bug => 70,
            Self::Signal(number) => 128u8.wrapping_add(u8::try_from(number).unwrap_or(0)),
        }
    }

    /// Returns the code's meaning in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "all accounted for",
            Self::Data => "the data is bad",
            Self::Config => "what was written is wrong",
            Self::Stage => "a stage is broken",
            Self::World => "the world is wrong",
            Self::Locked => "locked, or cannot be resumed",
            Self::Ledger => "the ledger does not balance",
            Self::Bug => "a bug in esteira",
            Self::Signal(_) => "ended by a signal",
        }
    }
}

impl Serialize for Exit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

/// One thing that went wrong: which end it leads to, what it is, and what to try next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The end this leads to.
    #[serde(rename = "code")]
    pub exit: Exit,
    /// What went wrong, naming the thing and the place.
    pub message: String,
    /// What to try next, a sentence each.
    pub hints: Vec<String>,
}

impl Failure {
    /// Makes a failure without hints.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hints: Vec::new() }
    }

    /// Says in which stage it is.
    #[must_use]
    pub fn within(self, stage: &Name) -> Self {
        Self { message: format!("stage `{stage}`: {}", self.message), ..self }
    }

    /// Adds what to try next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_row_further_down_wins() {
        let rows = [
            Exit::Ok,
            Exit::Data,
            Exit::Config,
            Exit::Stage,
            Exit::World,
            Exit::Locked,
            Exit::Ledger,
            Exit::Bug,
            Exit::Signal(2),
        ];
        assert!(rows.is_sorted());
        let codes: Vec<u8> = rows.iter().map(|e| e.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 70, 130]);
    }
}
