//! Keeps how the run stands: collects what all tables noted at a mark, and once in a while makes
//! it durable, on a thread of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::publish::part::Hand;
use crate::publish::state::{Record, State};
use crate::words::belt::{Notice, Post};
use crate::words::event::{Event, Events};
use crate::words::id::Name;
use crate::words::marks::{Noted, TableAt, What};
use crate::words::outcome::{Exit, Failure};

/// How often the state is made durable, unless told.
const EVERY: Duration = Duration::from_secs(1);

/// How many times as long as it takes there must be between two times, so that it costs no more
/// than a fiftieth.
const SPARING: u32 = 50;

/// What the keeper works with.
pub struct Keeper {
    /// Where it is kept.
    pub state: State,
    /// How the run stands at its beginning.
    pub record: Record,
    /// For each source in its turn, the tables that its marks come to.
    pub reach: Vec<Vec<Name>>,
    /// A hand on each output.
    pub outputs: Vec<Hand>,
    /// Where sources are told how long their input is, which shows only while it is read.
    pub lengths: Vec<(Name, Arc<OnceLock<u64>>)>,
    /// How often it is made durable, whatever that costs.
    pub every: Option<Duration>,
    /// The number of the last mark that came to the end of the belt.
    pub passed: Arc<AtomicU64>,
    /// Where its events go.
    pub events: Events,
}

/// What is kept at the end.
#[derive(Debug)]
pub struct Kept {
    pub state: State,
    /// How the run stood at the last mark.
    pub record: Record,
    /// Whether there was one in this run, or in one before that it goes on with.
    pub some: bool,
    /// Whether what is durable goes some way.
    pub saved: bool,
    /// A hand on each output.
    pub outputs: Vec<Hand>,
}

impl Keeper {
    /// Collects notes until nobody is left who makes any, or `over` ends.
    pub async fn keep(
        mut self,
        mut notes: mpsc::Receiver<Noted>,
        (mut over, post): (oneshot::Receiver<()>, Post),
        goes_on: bool,
    ) -> Kept {
        let (mut some, mut saved) = (goes_on, goes_on);
        let mut partial: BTreeMap<u64, Vec<TableAt>> = BTreeMap::new();
        let (mut fresh, mut failed) = (false, false);
        let mut due = Instant::now() + self.every.unwrap_or(EVERY);
        loop {
            let noted = tokio::select! {
                biased;
                () = tokio::time::sleep_until(due.into()), if fresh && !failed => {
                    let began = Instant::now();
                    match self.save() {
                        Ok(()) => saved = true,
                        Err(failure) => {
                            failed = true;
                            // The post closes only with the run.
                            post.send(Notice::Failed(failure)).await.ok();
                        }
                    }
                    fresh = false;
                    let spared = || EVERY.max(began.elapsed() * SPARING);
                    due = Instant::now() + self.every.unwrap_or_else(spared);
                    continue;
                }
                noted = notes.recv() => noted,
                _ = &mut over => break,
            };
            let Some(Noted { mark, table }) = noted else { break };
            let tables = partial.entry(mark.number).or_default();
            tables.push(table);
            if tables.len() < self.reach.get(mark.source as usize).map_or(0, Vec::len) {
                continue;
            }
            let tables = partial.remove(&mark.number).unwrap_or_default();
            // What is not whole by now never will be: marks come to each table in their order.
            partial = partial.split_off(&mark.number);
            self.take(tables);
            self.passed.store(mark.number, Ordering::Relaxed);
            (fresh, some) = (true, true);
            if mark.end {
                post.send(Notice::Through(mark.source)).await.ok();
            }
        }
        self.note_lengths();
        let Self { state, record, outputs, .. } = self;
        Kept { state, record, some, saved, outputs }
    }

    fn take(&mut self, tables: Vec<TableAt>) {
        for table in tables {
            if let Some(known) = self.record.tables.iter_mut().find(|t| t.name == table.name) {
                *known = table;
            }
        }
    }

    /// Notes the lengths of inputs that are known by now.
    fn note_lengths(&mut self) {
        for (name, length) in &self.lengths {
            let table = self.record.tables.iter_mut().find(|table| table.name == *name);
            if let Some(What::Source(at)) = table.map(|table| &mut table.what) {
                at.inputs
                    .iter_mut()
                    .for_each(|input| input.end = input.end.or(length.get().copied()));
            }
        }
    }

    fn save(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        // Before the sync: so all of what is noted is durable.
        self.note_lengths();
        let Self { state, outputs, record, .. } = self;
        state.checkpoint(outputs, record).map_err(|error| cannot_keep(state, &error))?;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.events.emit(Event::Checkpoint { lines: self.record.lines(), ms });
        Ok(())
    }
}

/// Says that the state cannot be kept.
pub(super) fn cannot_keep(state: &State, error: &std::io::Error) -> Failure {
    let folder = crate::words::text::escape(state.folder().as_os_str().as_encoded_bytes());
    Failure::new(Exit::World, format!("cannot keep the state of the run in `{folder}`: {error}"))
        .hint("`--state-dir FOLDER` keeps it elsewhere")
}
