//! Records as rows of a database, transaction by transaction. With the rows of each goes a note of
//! how many records are settled (`esteira_position`), so that a run that is taken up again knows
//! exactly what is there; whoever was replaced meanwhile finds the note changed, and stops.

mod cells;
mod fits;
mod life;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::io;

use crate::plan::Sink as SinkPlan;
use crate::plan::database::{Server, Target};
use crate::sink::{Begin, Durable, Sink};
use crate::words::dead_letter::Complaint;
use crate::words::event::Events;
use crate::words::id::Name;
use crate::words::marks::{RowsAt, What};
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::{Publish, Transaction};
use crate::words::record::Batch;

pub use life::run;

/// Where the position of each sink is kept.
const POSITION: &str = "esteira_position";

/// Where it is kept what the database refused, until the run is over: a run that is taken up again
/// has to tell it once more.
const REFUSED: &str = "esteira_refused";

/// Who writes.
#[derive(Clone, Debug)]
pub struct Whose {
    /// The pipeline.
    pub pipeline: String,
    /// The run.
    pub run: String,
}

/// How far a table is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Position {
    /// Counts those who claimed it.
    epoch: i64,
    /// How many records are settled.
    records: u64,
    /// How many of these were dropped.
    dropped: u64,
}

/// What became of some records.
#[derive(Debug, Default)]
struct Fates {
    /// Those left out because their key was there.
    dropped: u64,
    /// Those refused, by their places, in order.
    refused: Vec<(usize, Vec<Complaint>)>,
}

/// A table that takes records.
trait Store: Send {
    /// Puts records into the table, and commits; of a run in one transaction, at its end only.
    fn put(&mut self, records: &[&[u8]], events: &Events) -> Result<Fates, Failure>;

    /// Commits what is held back.
    fn commit(&mut self, events: &Events) -> Result<(), Failure>;

    /// Takes back what is held back.
    fn roll_back(&mut self);
}

/// What a run that is taken up again finds settled already.
#[derive(Debug, Default)]
struct Settled {
    /// How many records are.
    records: u64,
    /// How many were dropped that the run has not come to again.
    dropped: u64,
    /// Those refused, by their number among all records.
    refused: BTreeMap<u64, Vec<Complaint>>,
}

/// A sink that writes rows.
pub struct Table {
    store: Box<dyn Store>,
    /// The run that began to write.
    run: String,
    /// Records that are in the table though the run has not come to them again.
    settled: Settled,
    /// How many records have come, and how many of these were dropped.
    came: u64,
    dropped: u64,
    whole: bool,
    batch: usize,
    linger: std::time::Duration,
    bytes: u64,
}

impl Table {
    /// Opens the table, makes it if need be, and claims it for this run.
    pub fn open(
        plan: &SinkPlan,
        target: &Target,
        shown: &str,
        (whose, begin): (&Whose, Begin<'_>),
    ) -> Result<Self, Failure> {
        let from = match begin {
            Begin::GoOn(at) => Some(at),
            Begin::Anew | Begin::Noted | Begin::Kept | Begin::TakeUp(_) => None,
        };
        // What goes back in is no part of the run, which may be taken up yet.
        let replay = Name::internal(&format!("{}.replay", plan.name));
        let sink = if plan.publish == Publish::Sound { &replay } else { &plan.name };
        let claim = Claim {
            pipeline: &whose.pipeline,
            sink,
            run: from.map_or(&whose.run, |at| &at.run),
            holder: &whose.run,
            from,
            noted: matches!(begin, Begin::Kept | Begin::GoOn(_)),
        };
        let (store, mut settled): (Box<dyn Store>, Settled) = match &target.server {
            Server::Sqlite(server) => {
                let (store, settled) = sqlite::Store::open(server, target, shown, &claim)?;
                (Box::new(store), settled)
            }
            Server::Postgres(server) => {
                let (store, settled) = postgres::Store::open(server, target, shown, &claim)?;
                (Box::new(store), settled)
            }
        };
        settled.dropped -= from.map_or(0, |at| at.dropped).min(settled.dropped);
        Ok(Self {
            store,
            run: from.map_or_else(|| whose.run.clone(), |at| at.run.clone()),
            settled,
            came: from.map_or(0, |at| at.records),
            dropped: from.map_or(0, |at| at.dropped),
            whole: target.transaction == Transaction::Run,
            batch: target.batch,
            linger: target.linger,
            bytes: 0,
        })
    }

    /// Commits what is held back to the end of the run.
    pub fn commit(&mut self, events: &Events) -> Result<(), Failure> {
        let Self { store, .. } = self;
        crate::database::aside(|| store.commit(events))
            .unwrap_or_else(|| Err(Failure::new(Exit::Bug, "a commit panicked")))
    }
}

/// Sees whether a database can be reached and its table fits; changes nothing.
pub fn probe(target: &Target, shown: &str) -> Result<(), Failure> {
    match &target.server {
        Server::Sqlite(server) => sqlite::probe(server, target, shown),
        Server::Postgres(server) => postgres::probe(server, target, shown),
    }
}

/// Who claims a table.
struct Claim<'a> {
    pipeline: &'a str,
    sink: &'a Name,
    /// The run that began to write.
    run: &'a str,
    /// The run that claims it.
    holder: &'a str,
    /// Where a run stands that is taken up again.
    from: Option<&'a RowsAt>,
    /// Whether it can be taken up again.
    noted: bool,
}

impl Claim<'_> {
    /// Judges what is found of the run that is taken up: its name, and how far it came.
    fn goes_on(&self, found: Option<(&str, u64)>, shown: &str) -> Result<(), Failure> {
        let Some(at) = self.from else { return Ok(()) };
        let why = match found {
            None => "nothing is known there of the run".to_owned(),
            Some((run, _)) if run != at.run => format!("run {run} has written there since"),
            Some((_, records)) if records < at.records => format!(
                "{records} records are settled there, and {} were: it is an older copy, or has lost \
                 commits",
                at.records
            ),
            Some(_) => return Ok(()),
        };
        Err(Failure::new(Exit::Locked, format!("cannot go on with `{shown}`: {why}"))
            .hint("without `--resume` the run starts afresh; what is in the table stays there"))
    }
}

/// Says that another run has taken a table over.
fn fenced(shown: &str) -> Failure {
    Failure::new(Exit::Locked, format!("another run writes to `{shown}` now, and this one stops"))
        .hint("what this one had committed is there; `--resume` is for one run at a time")
}

impl Sink for Table {
    fn write(&mut self, _batch: &Batch) -> io::Result<()> {
        // It has a life of its own.
        Err(io::Error::other("rows are not written as bytes"))
    }

    fn persist(&mut self) -> io::Result<Durable> {
        Ok(Durable::UpTo(self.came))
    }

    fn is_through(&self) -> bool {
        !self.whole
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn stands(&self) -> Option<What> {
        let (run, records, dropped) = (self.run.clone(), self.came, self.dropped);
        let at = RowsAt { run, records, dropped };
        (!self.whole).then_some(What::Rows(at))
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }

    fn discard(mut self: Box<Self>) {
        if self.whole {
            crate::database::aside(|| self.store.roll_back());
        }
    }

    fn table(&mut self) -> Option<&mut Self> {
        Some(self)
    }
}
