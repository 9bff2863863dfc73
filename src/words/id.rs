//! Names of tables and runs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a source, stage or sink: `[a-z][a-z0-9_-]*`, unique over all kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(Arc<str>);

impl Name {
    /// Takes `text` as a name, or says that it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = text.bytes();
        let first = bytes.next()?;
        let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        (first.is_ascii_lowercase() && bytes.all(rest)).then(|| Self(text.into()))
    }

    /// Names a table the program itself makes (a rejects file, `pipe`'s one stage).
    /// Such a name may hold a dot, which no table in a file can have.
    pub fn internal(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Identifies one run; children see it as `ESTEIRA_RUN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RunId(Arc<str>);

impl RunId {
    /// Composes the id from the start time (seconds since 1970) and the process number.
    pub fn new(epoch_seconds: u64, pid: u32) -> Self {
        Self(format!("{epoch_seconds:x}-{pid:x}").into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_name_is_lower_case_and_starts_with_a_letter() {
        for good in ["a", "users", "a-b_9"] {
            assert_eq!(Name::parse(good).map(|n| n.to_string()).as_deref(), Some(good));
        }
        for bad in ["", "9a", "_a", "Users", "a.b", "a b", "é"] {
            assert!(Name::parse(bad).is_none(), "{bad:?} must be no name");
        }
    }
}
