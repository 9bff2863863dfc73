//! The counts of a run: read for the ticks while it goes on, summed up in the ledger at its end.

use std::sync::Arc;

use crate::plan::{Plan, Protocol, Stage};
use crate::run::Opened;
use crate::run::wire::Tallies;
use crate::words::clock::Clock;
use crate::words::event::{Event, Kind, Pace, Usage};
use crate::words::gauge::Spent;
use crate::words::id::Name;
use crate::words::ledger::{Counts, Edge, Ledger, Tally};
use crate::words::register::Register;

/// The counts of all tables, in the order a record meets them.
#[derive(Debug)]
pub struct Stats {
    tables: Vec<Row>,
    edges: Vec<Edge>,
    one_reply: Vec<Name>,
    /// What was refused.
    pub register: Register,
    /// How long the run has been going.
    pub clock: Arc<Clock>,
}

#[derive(Debug)]
struct Row {
    name: Name,
    kind: Kind,
    tally: Arc<Tally>,
    total: Option<u64>,
}

impl Stats {
    /// Prepares the counts of a plan.
    pub fn new(plan: &Plan, opened: &Opened, tallies: &Tallies, register: &Register) -> Self {
        let row = |name: &Name, kind, total| Row {
            name: name.clone(),
            kind,
            tally: tallies.get(name).cloned().unwrap_or_default(),
            total,
        };
        let totals = opened.sources.iter().map(|open| open.source.total());
        let sources = plan.sources.iter().zip(totals);
        let sources = sources.map(|(s, total)| row(&s.name, Kind::Source, total));
        let stages = plan.stages.iter().map(|s| row(&s.name, Kind::Stage, None));
        let sinks = plan.sinks.iter().map(|s| row(&s.name, Kind::Sink, None));
        let tables = sources.chain(stages).chain(sinks).collect();
        let filters =
            |s: &&Stage| s.program().is_some_and(|p| matches!(p.protocol, Protocol::Stream(_)));
        let one_reply =
            plan.stages.iter().filter(|s| !filters(s)).map(|s| s.name.clone()).collect();
        Self {
            tables,
            edges: plan.edges.clone(),
            one_reply,
            register: register.clone(),
            clock: Arc::default(),
        }
    }

    /// Returns the counts of one table.
    pub fn tally(&self, name: &Name) -> Arc<Tally> {
        let row = self.tables.iter().find(|row| row.name == *name);
        row.map(|row| Arc::clone(&row.tally)).unwrap_or_default()
    }

    /// Sums up.
    pub fn ledger(&self) -> Ledger {
        let tables = self.tables.iter().map(|row| (row.name.clone(), row.counts())).collect();
        Ledger { tables, edges: self.edges.clone(), one_reply: self.one_reply.clone() }
    }

    /// Begins to measure how the tables spend their time.
    pub fn begin(&self) {
        for row in &self.tables {
            row.tally.gauge.begin(&self.clock);
        }
    }

    /// Notes that a table has ended.
    pub fn ended(&self, name: &Name) {
        self.tally(name).gauge.end();
    }

    /// Returns how each table spent its time.
    pub fn times(&self) -> Vec<(Name, Spent)> {
        self.tables.iter().map(|row| (row.name.clone(), row.tally.gauge.spent())).collect()
    }

    /// Tells how all tables fare just now.
    pub fn tick(&self) -> Event {
        let pace = |row: &Row| Pace {
            name: row.name.clone(),
            counts: row.counts(),
            bytes: row.tally.bytes.get(),
            total: row.total,
            alive: u32::try_from(row.tally.alive.get()).unwrap_or(u32::MAX),
            spent: row.tally.gauge.spent(),
        };
        Event::Tick { tables: self.tables.iter().map(pace).collect() }
    }

    /// Returns how many records other tables sent to this one.
    pub fn sent_to(&self, name: &Name) -> u64 {
        let only = |edge: &&Edge| edge.to == *name;
        let ledger = self.ledger();
        self.edges.iter().filter(only).map(|edge| ledger.emitted(edge)).sum()
    }
}

impl Row {
    fn counts(&self) -> Counts {
        match self.kind {
            Kind::Source => self.tally.source(),
            Kind::Stage => self.tally.stage(),
            Kind::Sink => self.tally.sink(),
        }
    }
}

/// What this process itself used so far.
pub fn usage() -> Usage {
    let (user, system, peak_rss) = crate::stage::controller_usage();
    Usage { user_s: user.as_secs_f64(), system_s: system.as_secs_f64(), peak_rss }
}
