//! What is kept of a run, and its form on disk: a line that says what it is and what the rest
//! sums up to, then JSON.

use serde::{Deserialize, Serialize};

use crate::words::id::Name;
use crate::words::ledger::Counts;
use crate::words::marks::{Adder, OutputAt, Sum, TableAt, What};

/// The form that is written and understood.
const VERSION: u32 = 1;

/// How the first line begins.
const HEAD: &str = "esteira-state";

/// What is kept of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The run that began it.
    pub run: String,
    /// How far it is.
    pub phase: Phase,
    /// What its results depend on.
    pub facts: Vec<Fact>,
    /// How each table stands, in the plan's order.
    pub tables: Vec<TableAt>,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its records are on the way.
    Running,
    /// It is over, and these outputs are whole and durable: each appears, whatever happens.
    Publishing(Verdict),
    /// These have appeared, and there is nothing left to do.
    Done(Verdict),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Its exit code.
    pub code: u8,
    /// Why.
    pub reason: String,
    /// The outputs that it publishes.
    pub outputs: Vec<(Name, OutputAt)>,
}

/// Something that a run's results depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is, as messages name it.
    pub what: String,
    /// What it was when the run began; a sum where it is long or secret.
    pub value: String,
}

/// Why a record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is not what was written.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// It is of another version.
    #[error(
        "it was written by another version of esteira (its form is {found}, this one knows {VERSION})"
    )]
    Version {
        /// The form's number.
        found: u32,
    },
}

impl Record {
    /// Returns its form on disk.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let body = serde_json::to_vec(self)?;
        let sum = serde_json::to_string(&sum(&body))?;
        let mut bytes = format!("{HEAD} {VERSION} {}\n", sum.trim_matches('"')).into_bytes();
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// Reads that form.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let damaged = RecordError::Damaged;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (head, body) = end.and_then(|end| bytes.split_at_checked(end)).unwrap_or((bytes, b""));
        let head = std::str::from_utf8(head).map_err(|_| damaged("its first line is no text"))?;
        let mut words = head.split(' ');
        if words.next() != Some(HEAD) {
            return Err(damaged("it does not begin as one"));
        }
        let version = words.next().and_then(|word| word.parse().ok());
        let found = version.ok_or(damaged("its first line is not whole"))?;
        if found != VERSION {
            return Err(RecordError::Version { found });
        }
        let body = body.split_first().map_or(&b""[..], |(_, body)| body);
        let wanted = words.next().and_then(|word| u128::from_str_radix(word, 16).ok());
        if wanted != Some(sum(body).0) {
            return Err(damaged("its bytes do not sum up to what was written"));
        }
        serde_json::from_slice(body).map_err(|_| damaged("it is not made as one"))
    }

    /// Adds up the lines that were read.
    pub fn lines(&self) -> u64 {
        let lines = |table: &TableAt| match &table.counts {
            Counts::Source(counts) => counts.lines,
            Counts::Stage(_) | Counts::Sink(_) => 0,
        };
        self.tables.iter().map(lines).sum()
    }

    /// Tells whether what the run still had to read from stdin is lost with it.
    pub fn lacks_input(&self) -> bool {
        self.tables.iter().any(|table| match &table.what {
            What::Source(at) => at.inputs.iter().any(|i| i.name == "-" && i.end.is_none()),
            What::Stage | What::Sink(_) | What::Rows(_) => false,
        })
    }

    /// Finds the first thing that is not as it was: what, how it was, and how it is.
    pub fn differs(&self, facts: &[Fact]) -> Option<(String, Option<String>, Option<String>)> {
        let find = |all: &[Fact], what: &str| {
            all.iter().find(|fact| fact.what == what).map(|fact| fact.value.clone())
        };
        let was = self.facts.iter().chain(facts).map(|fact| fact.what.as_str());
        was.map(|what| (what, find(&self.facts, what), find(facts, what)))
            .find(|(_, before, now)| before != now)
            .map(|(what, before, now)| (what.to_owned(), before, now))
    }
}

fn sum(bytes: &[u8]) -> Sum {
    let mut adder = Adder::default();
    adder.add(bytes);
    adder.sum()
}
