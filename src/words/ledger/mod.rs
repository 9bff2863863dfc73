//! The ledger: what became of every record, and whether the books balance.
//!
//! Tables count into a [`Tally`] while they run; at the end the tallies become a [`Ledger`],
//! which is checked against the identities of DESIGN.md, section 1. The two sides of an
//! identity are counted at different places, so a lost record shows.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::words::gauge::Gauge;
use crate::words::id::Name;

/// The running counts of one table, shared by the table and whoever looks on.
#[derive(Debug, Default)]
pub struct Tally {
    /// Lines found by a source.
    pub lines: Count,
    /// Blank lines skipped.
    pub blank: Count,
    /// Records that came in.
    pub input: Count,
    /// Records a stage is known to have taken.
    pub accepted: Count,
    /// Records refused, with errors.
    pub rejected: Count,
    /// Of these, those that a baseline accepts.
    pub known: Count,
    /// Records left out on purpose.
    pub dropped: Count,
    /// Records whose fate the run ended before knowing.
    pub in_doubt: Count,
    /// Records handed on.
    pub output: Count,
    /// Records a sink made final.
    pub written: Count,
    /// Bytes read or written, for rates.
    pub bytes: Count,
    /// Workers alive.
    pub alive: Count,
    /// How it spends its time.
    pub gauge: Gauge,
}

/// A counter. What becomes of records only grows, but for [`Count::set`] at the end.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Takes `n` away, of what comes and goes.
    pub fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    /// Replaces the count, where the verdict is only known at the end.
    pub fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    /// Returns the count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What became of a source's lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCounts {
    /// Lines read.
    pub lines: u64,
    /// Blank ones among them.
    pub blank: u64,
    /// Those refused.
    pub rejected: u64,
    /// Those handed on.
    pub out: u64,
}

/// What became of a stage's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageCounts {
    /// Records that came in.
    pub r#in: u64,
    /// Those taken.
    pub accepted: u64,
    /// Those refused, with errors.
    pub rejected: u64,
    /// Those left out on purpose.
    pub dropped: u64,
    /// Those whose fate is not known.
    pub in_doubt: u64,
    /// Records handed on; for `stream` counted apart.
    pub out: u64,
}

/// What became of a sink's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkCounts {
    /// Records that came in.
    pub r#in: u64,
    /// Those that are in the output.
    pub written: u64,
    /// Those refused, with errors.
    pub rejected: u64,
    /// Those left out on purpose: the gate did not open, or the reader went away.
    pub dropped: u64,
    /// Those whose fate is not known.
    pub in_doubt: u64,
}

/// The counts of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counts {
    /// Of a source.
    Source(SourceCounts),
    /// Of a stage.
    Stage(StageCounts),
    /// Of a sink.
    Sink(SinkCounts),
}

impl Tally {
    /// Reads the counts as a source's.
    pub fn source(&self) -> Counts {
        Counts::Source(SourceCounts {
            lines: self.lines.get(),
            blank: self.blank.get(),
            rejected: self.rejected.get(),
            out: self.output.get(),
        })
    }

    /// Reads the counts as a stage's.
    pub fn stage(&self) -> Counts {
        Counts::Stage(StageCounts {
            r#in: self.input.get(),
            accepted: self.accepted.get(),
            rejected: self.rejected.get(),
            dropped: self.dropped.get(),
            in_doubt: self.in_doubt.get(),
            out: self.output.get(),
        })
    }

    /// Reads the counts of a stage as if no more had come in than has left.
    pub fn settled(&self) -> Counts {
        let (accepted, rejected) = (self.accepted.get(), self.rejected.get());
        let dropped = self.dropped.get();
        let (r#in, out) = (accepted + rejected + dropped, self.output.get());
        Counts::Stage(StageCounts { r#in, accepted, rejected, dropped, in_doubt: 0, out })
    }

    /// Goes on from where a run was cut off.
    pub fn take_up(&self, counts: &Counts, bytes: u64) {
        self.bytes.set(bytes);
        match counts {
            Counts::Source(c) => {
                self.lines.set(c.lines);
                self.blank.set(c.blank);
                self.rejected.set(c.rejected);
                self.output.set(c.out);
            }
            Counts::Stage(c) => {
                self.input.set(c.r#in);
                self.accepted.set(c.accepted);
                self.rejected.set(c.rejected);
                self.dropped.set(c.dropped);
                self.output.set(c.out);
            }
            Counts::Sink(c) => {
                self.input.set(c.r#in);
                self.written.set(c.written);
                self.rejected.set(c.rejected);
                self.dropped.set(c.dropped);
            }
        }
    }

    /// Reads the counts as a sink's.
    pub fn sink(&self) -> Counts {
        Counts::Sink(SinkCounts {
            r#in: self.input.get(),
            written: self.written.get(),
            rejected: self.rejected.get(),
            dropped: self.dropped.get(),
            in_doubt: self.in_doubt.get(),
        })
    }
}

/// Which of a table's outputs an edge takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    /// The records it hands on.
    Out,
    /// Its dead letters.
    Rejects,
}

/// A channel of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The table that emits.
    pub from: Name,
    /// Which of its outputs.
    pub port: Port,
    /// The table that takes.
    pub to: Name,
}

/// The counts of all tables, and how they hang together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Each table with its counts, in the order a record meets them.
    pub tables: Vec<(Name, Counts)>,
    /// The channels between them.
    pub edges: Vec<Edge>,
    /// Stages that hand on just what they accept, one record for each.
    #[serde(skip)]
    pub one_reply: Vec<Name>,
}

/// An identity that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imbalance {
    /// The table or edge.
    pub place: String,
    /// The identity, in words.
    pub identity: &'static str,
    /// Its left side.
    pub left: u64,
    /// Its right side.
    pub right: u64,
}

impl Ledger {
    /// Finds every identity that does not hold; an empty list means the ledger balances.
    pub fn imbalances(&self) -> Vec<Imbalance> {
        let mut found = Vec::new();
        let mut check = |place: String, identity, left, right| {
            if left != right {
                found.push(Imbalance { place, identity, left, right });
            }
        };
        for (name, counts) in &self.tables {
            let (identity, left, right) = match counts {
                Counts::Source(c) => {
                    ("lines = blank + rejected + out", c.lines, c.blank + c.rejected + c.out)
                }
                Counts::Stage(c) => (
                    "in = accepted + rejected + dropped + in_doubt",
                    c.r#in,
                    c.accepted + c.rejected + c.dropped + c.in_doubt,
                ),
                Counts::Sink(c) => (
                    "in = written + rejected + dropped + in_doubt",
                    c.r#in,
                    c.written + c.rejected + c.dropped + c.in_doubt,
                ),
            };
            check(name.to_string(), identity, left, right);
            // One that failed may take back what it has handed on already.
            if let Counts::Stage(c) = counts
                && c.in_doubt == 0
                && self.one_reply.contains(name)
            {
                check(name.to_string(), "out = accepted", c.out, c.accepted);
            }
        }
        for (to, counts) in &self.tables {
            let into = match counts {
                Counts::Source(_) => continue,
                Counts::Stage(c) => c.r#in,
                Counts::Sink(c) => c.r#in,
            };
            let feeding: Vec<&Edge> = self.edges.iter().filter(|e| e.to == *to).collect();
            let sent = feeding.iter().map(|e| self.emitted(e)).sum();
            let from: Vec<&str> = feeding.iter().map(|e| e.from.as_str()).collect();
            check(format!("{} -> {to}", from.join(" + ")), "out(from) = in(to)", sent, into);
        }
        found
    }

    /// Returns how many records an edge's table sent into it.
    pub fn emitted(&self, edge: &Edge) -> u64 {
        let counts = self.tables.iter().find(|(name, _)| *name == edge.from).map(|(_, c)| c);
        match (counts, edge.port) {
            (Some(Counts::Source(c)), Port::Out) => c.out,
            (Some(Counts::Stage(c)), Port::Out) => c.out,
            (Some(Counts::Source(c)), Port::Rejects) => c.rejected,
            (Some(Counts::Stage(c)), Port::Rejects) => c.rejected,
            (Some(Counts::Sink(c)), Port::Rejects) => c.rejected,
            (Some(Counts::Sink(_)), Port::Out) | (None, _) => 0,
        }
    }

    /// Returns the counts of one table.
    pub fn get(&self, name: &Name) -> Option<&Counts> {
        self.tables.iter().find(|(n, _)| n == name).map(|(_, c)| c)
    }

    /// Adds up what all sources read.
    pub fn lines_read(&self) -> u64 {
        let lines = |c: &Counts| {
            if let Counts::Source(c) = c { c.lines } else { 0 }
        };
        self.tables.iter().map(|(_, c)| lines(c)).sum()
    }
}

impl Counts {
    /// Returns how many records were refused here.
    pub fn rejected(&self) -> u64 {
        match self {
            Self::Source(c) => c.rejected,
            Self::Stage(c) => c.rejected,
            Self::Sink(c) => c.rejected,
        }
    }

    /// Returns how many records (for a source: lines) came in: what a share is a share of.
    pub fn taken(&self) -> u64 {
        match self {
            Self::Source(c) => c.lines,
            Self::Stage(c) => c.r#in,
            Self::Sink(c) => c.r#in,
        }
    }
}

#[cfg(test)]
mod tests;
