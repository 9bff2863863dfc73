//! Marks: places in the flow of records from which a run can be taken up again. A source sends
//! one between two records; each table passes it on once all before it is settled, and notes how
//! it stands. What all tables noted at one mark is a state of the whole run: as if the input had
//! ended there.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::sync::mpsc;

use crate::words::dead_letter::Complaint;
use crate::words::event::BadRecord;
use crate::words::id::Name;
use crate::words::kinds::Kinds;
use crate::words::ledger::Counts;
use crate::words::record::Position;

/// A mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its number, from 1; later ones have greater numbers.
    pub number: u64,
    /// Which source it comes from, in the order in which they are read.
    pub source: u32,
    /// Whether nothing more comes from that source.
    pub end: bool,
    /// Whether those note how they stand, too, who have much to say about it. Such marks are some
    /// way apart, and they are the same ones for all.
    pub full: bool,
}

/// How one table stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableAt {
    /// The table.
    pub name: Name,
    /// Its counts.
    pub counts: Counts,
    /// Bytes it has read or written, for rates.
    pub bytes: u64,
    /// What it refused.
    pub refusals: Refusals,
    /// What is its own.
    pub what: What,
}

/// What a table refused, by code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// How often each thing was wrong.
    pub kinds: Kinds,
    /// How many of the records a baseline knows.
    pub known: u64,
    /// Those that were told one by one.
    pub examples: Vec<BadRecord>,
}

/// How many refused records are kept one by one.
const EXAMPLES: usize = 100;

impl Refusals {
    /// Adds an error of a record; `told` if it was told by itself.
    pub fn add(&mut self, error: &Complaint, known: bool, told: Option<&BadRecord>) {
        self.kinds.add(&error.code, &error.path, known);
        if self.examples.len() < EXAMPLES {
            self.examples.extend(told.cloned());
        }
    }
}

/// What only one kind of table knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Where a source is.
    Source(SourceAt),
    /// A stage keeps nothing.
    Stage,
    /// How far a sink's output goes.
    Sink(OutputAt),
    /// How many records a sink of rows has settled.
    Rows(RowsAt),
}

/// How far a table of a database was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsAt {
    /// The run that began to.
    pub run: String,
    /// How many records are settled: they are in the table, or refused, or dropped.
    pub records: u64,
    /// How many of these were dropped.
    pub dropped: u64,
}

/// Where a source is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceAt {
    /// All its inputs, in order.
    pub inputs: Vec<InputAt>,
    /// The one that is read next.
    pub input: u32,
    /// Where the next line of it begins.
    pub at: Position,
    /// The number of the next record.
    pub seq: u64,
}

/// How far an input was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputAt {
    /// Its name in messages.
    pub name: String,
    /// Where it ended when the run began, where that is known.
    pub end: Option<u64>,
    /// How many bytes of it were read, unpacked ones if it is packed.
    pub read: u64,
    /// What they sum up to.
    pub sum: Sum,
    /// The key of the last row that was read, if it is made of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
}

/// How far an output was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputAt {
    /// The name of its temporary file, which lies beside the target.
    pub part: String,
    /// How many bytes of it count.
    pub bytes: u64,
    /// What they sum up to, where the run could be taken up again.
    pub sum: Option<Sum>,
    /// Lines that belong behind them but are not packed yet.
    #[serde(with = "base64_bytes")]
    pub pending: Vec<u8>,
}

/// A sum of bytes (XXH3, 128 bits): it tells what was changed by accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum(pub u128);

impl Default for Sum {
    fn default() -> Self {
        Adder::default().sum()
    }
}

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Sums up bytes as they pass.
#[derive(Clone, Default)]
pub struct Adder {
    hash: xxhash_rust::xxh3::Xxh3,
    bytes: u64,
}

impl Adder {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Returns the sum so far.
    pub fn sum(&self) -> Sum {
        Sum(self.hash.digest128())
    }

    /// Tells how many bytes were added.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl std::fmt::Debug for Adder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Adder({} bytes)", self.bytes)
    }
}

mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// What a table notes at a mark.
#[derive(Clone, Debug)]
pub struct Noted {
    /// The mark.
    pub mark: Mark,
    /// How it stands there.
    pub table: TableAt,
}

/// Where tables note it.
pub type Notes = mpsc::Sender<Noted>;
