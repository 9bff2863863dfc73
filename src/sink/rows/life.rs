//! The life of a sink of rows: takes records, puts them into the table some at a time, and says of
//! each what became of it once that is committed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::database::Own;
use crate::json::pointer::locate;
use crate::plan::Sink as SinkPlan;
use crate::sink::rows::{Fates, Table};
use crate::sink::{Health, Io, Sink as _};
use crate::words::belt::{Notice, Outlet, Taken};
use crate::words::dead_letter::{Complaint, DeadLetter, Kept};
use crate::words::event::{Database, Event};
use crate::words::marks::Mark;
use crate::words::outcome::{Exit, Failure};
use crate::words::record::{Batch, Record};

/// How many bytes of records wait for a transaction at most.
const MOST: usize = 16 << 20;

/// What waits for a transaction.
#[derive(Default)]
struct Waiting {
    batches: Vec<Arc<Batch>>,
    records: usize,
    bytes: usize,
    /// When the first of them came.
    since: Option<Instant>,
    /// Marks that came, and whether a record came behind the last of them.
    marks: Vec<Mark>,
    behind: bool,
}

struct Life<'a> {
    plan: &'a SinkPlan,
    table: &'a mut Table,
    io: Io,
    /// Nobody takes records from a sink.
    nowhere: Outlet,
    waiting: Waiting,
    health: Health,
    /// Whether it stopped because it refused too many.
    stopped: bool,
}

/// Takes everything that comes, to the end of all who send.
pub fn run(plan: &SinkPlan, table: &mut Table, io: Io) -> Health {
    let nowhere = Outlet::new(Arc::clone(&io.tally));
    let (waiting, health) = (Waiting::default(), Health::Whole);
    let mut life = Life { plan, table, io, nowhere, waiting, health, stopped: false };
    match Own::new() {
        Ok(own) => life.take_all(&own),
        Err(error) => {
            let message = format!("sink `{}` cannot wait: {error}", plan.name);
            life.fail(Failure::new(Exit::World, message));
            while let Taken::Batch(batch) = life.io.input.take_blocking() {
                life.io.tally.in_doubt.add(batch.records());
            }
        }
    }
    let Life { io, health, .. } = life;
    io.letters.end();
    health
}

impl Life<'_> {
    fn take_all(&mut self, own: &Own) {
        loop {
            let patience = self.patience();
            let input = &mut self.io.input;
            let taken = own.wait(async {
                match patience {
                    Some(patience) => tokio::time::timeout(patience, input.take()).await.ok(),
                    None => Some(input.take().await),
                }
            });
            match taken.flatten() {
                // It has waited long enough for others.
                None => self.put(),
                Some(Taken::Batch(batch)) => self.take(batch),
                Some(Taken::Mark(mark)) => self.mark(mark),
                Some(Taken::End) => break,
                Some(Taken::Broken) => {
                    // What came is good, though more should have come.
                    self.put();
                    if self.health == Health::Whole {
                        self.health = Health::Broken;
                    }
                    return;
                }
            }
        }
        self.put();
    }

    /// How long the first that waits may still wait.
    fn patience(&self) -> Option<Duration> {
        let since = self.waiting.since.filter(|_| !self.table.whole)?;
        Some(self.table.linger.saturating_sub(since.elapsed()))
    }

    fn take(&mut self, batch: Arc<Batch>) {
        if self.health != Health::Whole {
            let count = if self.stopped { &self.io.tally.dropped } else { &self.io.tally.in_doubt };
            return count.add(batch.records());
        }
        self.waiting.behind = true;
        self.waiting.records += usize::try_from(batch.records()).unwrap_or(usize::MAX);
        self.waiting.bytes += batch.len();
        self.waiting.since.get_or_insert_with(Instant::now);
        self.waiting.batches.push(batch);
        // A transaction ends best where the run can be taken up, if there are such places.
        let enough = self.table.batch * if self.io.notes.is_some() { 2 } else { 1 };
        if self.waiting.records >= enough || self.waiting.bytes >= MOST {
            self.put();
        }
    }

    fn mark(&mut self, mark: Mark) {
        self.waiting.marks.push(mark);
        self.waiting.behind = false;
        let late = self.waiting.since.is_some_and(|since| since.elapsed() >= self.table.linger);
        let enough = self.waiting.records >= self.table.batch;
        if self.waiting.records == 0 || mark.end || late || enough {
            self.put();
        }
    }

    /// Puts what waits into the table, says what became of it, and passes the marks on.
    fn put(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if self.health == Health::Whole {
            self.put_all(&waiting.batches);
        } else {
            self.io.tally.in_doubt.add(waiting.records as u64);
        }
        let Some((last, before)) = waiting.marks.split_last() else { return };
        if self.health != Health::Whole {
            return;
        }
        for mark in before {
            self.io.letters.skip(*mark);
        }
        match self.table.stands() {
            // What came behind it is settled, too: how it stood at the mark is not known.
            Some(what) if !waiting.behind => {
                let counts = self.io.tally.sink();
                self.io.letters.pass(*last, &self.nowhere, counts, what);
            }
            _ => self.io.letters.skip(*last),
        }
    }

    fn put_all(&mut self, batches: &[Arc<Batch>]) {
        let all = batches.iter().flat_map(|batch| batch.iter().map(move |record| (batch, record)));
        let mut records: Vec<(&Arc<Batch>, Record<'_>)> = all.collect();
        self.table.bytes += records.iter().map(|(_, r)| r.bytes.len() as u64 + 1).sum::<u64>();
        self.io.tally.bytes.set(self.table.bytes);
        records.drain(..self.know(&records));
        let mut left = records.as_slice();
        while !left.is_empty() {
            let (some, rest) = left.split_at(left.len().min(self.table.batch.max(1) * 2));
            let bytes: Vec<&[u8]> = some.iter().map(|(_, record)| record.bytes).collect();
            match self.table.store.put(&bytes, &self.io.events) {
                Ok(fates) => self.enter(some, fates),
                Err(failure) => {
                    self.io.tally.in_doubt.add(left.len() as u64);
                    return self.fail(failure);
                }
            }
            left = rest;
        }
        if self.io.letters.over_limit() {
            let limit = self.io.letters.stop_above.unwrap_or_default();
            let message = format!("`{}` stopped: more than {limit} rejects", self.plan.name);
            self.stopped = true;
            self.fail(Failure::new(Exit::Data, message));
        }
    }

    /// Settles what a run before had settled, and tells how many records that is.
    fn know(&mut self, records: &[(&Arc<Batch>, Record<'_>)]) -> usize {
        let left = self.table.settled.records.saturating_sub(self.table.came);
        let known = records.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        for (batch, record) in records.iter().take(known) {
            let settled = &mut self.table.settled;
            if let Some(errors) = settled.refused.remove(&self.table.came) {
                self.refuse(batch, record, errors);
            } else if self.table.settled.dropped > 0 {
                self.table.settled.dropped -= 1;
                self.table.dropped += 1;
                self.io.tally.dropped.add(1);
            } else {
                self.io.tally.written.add(1);
            }
            self.table.came += 1;
        }
        known
    }

    /// Enters what became of records.
    fn enter(&mut self, records: &[(&Arc<Batch>, Record<'_>)], fates: Fates) {
        let Fates { dropped, refused } = fates;
        let written = records.len() as u64 - dropped - refused.len() as u64;
        for (index, errors) in refused {
            if let Some((batch, record)) = records.get(index) {
                self.refuse(batch, record, errors);
            }
        }
        self.table.came += records.len() as u64;
        self.table.dropped += dropped;
        self.io.tally.dropped.add(dropped);
        if !self.table.whole {
            self.io.tally.written.add(written);
        }
    }

    fn refuse(&mut self, batch: &Batch, record: &Record<'_>, mut errors: Vec<Complaint>) {
        locate(&mut errors, record.bytes, record.changed);
        self.io.letters.reject(&DeadLetter {
            kept: Kept::Json(record.bytes.to_vec()),
            source: batch.origin().table.clone(),
            file: batch.origin().file.clone(),
            at: record.at,
            stage: Some(self.plan.name.clone()),
            errors,
            trace: None,
        });
    }

    fn fail(&mut self, failure: Failure) {
        self.health = Health::Failed;
        let (table, message) = (self.plan.name.clone(), failure.message.clone());
        self.io.events.emit(Event::Database(Database { table, what: "failed", message }));
        // The post is closed only when the run is over, which it is not before we are.
        self.io.post.blocking_send(Notice::Failed(failure)).ok();
    }
}
