//! The rejects edge of a table: counts what it refuses, tells the first few of each code as
//! events, and sends the dead letters on as batches of NDJSON.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::words::belt::Outlet;
use crate::words::buffer::Pool;
use crate::words::dead_letter::DeadLetter;
use crate::words::event::{CodeCount, Event, Events};
use crate::words::id::{Name, RunId};
use crate::words::ledger::Tally;
use crate::words::record::{Batch, Lines, Origin, Position, Split};

/// How many rejects of one code are told one by one.
const EXAMPLES: u64 = 5;

/// How many bytes of letters travel together.
const LETTERS: usize = 64 << 10;

/// How often each error code occurred in the whole run.
#[derive(Clone, Debug, Default)]
pub struct Codes(Arc<Mutex<BTreeMap<String, u64>>>);

impl Codes {
    /// Counts one more; returns how many there were before.
    fn count(&self, code: &str) -> u64 {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match codes.get_mut(code) {
            Some(count) => {
                *count += 1;
                *count - 1
            }
            None => codes.insert(code.to_owned(), 1).unwrap_or(0),
        }
    }

    /// Lists them, the most frequent first.
    pub fn list(&self) -> Vec<CodeCount> {
        let codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |(code, &count): (&String, &u64)| CodeCount { code: code.clone(), count };
        let mut list: Vec<CodeCount> = codes.iter().map(count).collect();
        drop(codes);
        list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
        list
    }
}

/// Where a table puts what it refuses.
#[derive(Debug)]
pub struct Letters {
    /// The table.
    pub table: Name,
    /// The run, for the letters' trace.
    pub run: RunId,
    /// Its edge to whoever collects the letters; none if nobody does.
    pub to: Option<Outlet>,
    /// Its counts.
    pub tally: Arc<Tally>,
    /// The run's counts by code.
    pub codes: Codes,
    /// Where the first few are told.
    pub events: Events,
    /// Above how many rejects the table stops at once.
    pub stop_above: Option<u64>,
    /// Letters not sent yet.
    pub pending: Pending,
}

/// Letters that wait to travel together.
#[derive(Debug)]
pub struct Pending {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    sent: u64,
    offset: u64,
    pool: Pool,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            sent: 0,
            offset: 0,
            pool: Pool::new(2 * LETTERS),
        }
    }
}

impl Letters {
    /// Refuses a record, on a thread of its own.
    pub fn reject(&mut self, letter: &DeadLetter) {
        self.enter(letter);
        if self.is_due() {
            self.flush();
        }
    }

    /// Enters a refused record; [`Letters::flush`] or [`Letters::deliver`] sends it on.
    pub fn enter(&mut self, letter: &DeadLetter) {
        self.tally.rejected.add(1);
        for error in &letter.errors {
            if self.codes.count(&error.code) < EXAMPLES {
                self.events.emit(Event::BadRecord {
                    source: letter.source.clone(),
                    file: letter.file.clone(),
                    line: letter.at.line,
                    offset: letter.at.offset,
                    stage: letter.stage.clone(),
                    path: error.path.clone(),
                    code: error.code.clone(),
                    message: error.message.clone(),
                    column: error.column,
                });
            }
        }
        if self.to.is_none() {
            return;
        }
        let before = self.pending.bytes.len();
        if letter.write_line(&self.run, &mut self.pending.bytes).is_err() {
            // Only a record that is no JSON text after all cannot be written as one.
            self.pending.bytes.truncate(before);
            return;
        }
        self.pending.ends.push(u32::try_from(self.pending.bytes.len()).unwrap_or(u32::MAX));
    }

    /// Tells whether any wait to be sent on.
    pub fn waits(&self) -> bool {
        !self.pending.ends.is_empty()
    }

    /// Tells whether enough wait to be sent on.
    pub fn is_due(&self) -> bool {
        self.pending.bytes.len() >= LETTERS
    }

    /// Tells whether the table must stop because it refused too many.
    pub fn over_limit(&self) -> bool {
        self.stop_above.is_some_and(|limit| self.tally.rejected.get() > limit)
    }

    /// Sends what waits, from a thread of its own.
    pub fn flush(&mut self) {
        let batch = self.take();
        if let (Some(to), Some(batch)) = (&self.to, batch) {
            to.send_letters_blocking(batch);
        }
    }

    /// Sends what waits.
    pub async fn deliver(&mut self) {
        let batch = self.take();
        if let (Some(to), Some(batch)) = (&self.to, batch) {
            to.send_letters(batch).await;
        }
    }

    /// Makes a batch of what waits.
    fn take(&mut self) -> Option<Arc<Batch>> {
        let pending = &mut self.pending;
        if pending.ends.is_empty() {
            return None;
        }
        let mut buffer = pending.pool.take(pending.bytes.len());
        buffer[..pending.bytes.len()].copy_from_slice(&pending.bytes);
        let at = Position { line: pending.sent + 1, offset: pending.offset };
        let lines = Lines::whole(0, std::mem::take(&mut pending.ends), at);
        let origin = Origin { table: self.table.clone(), file: None };
        let split = Split { input: 0, start: 0, end: None };
        let batch = Batch::new(buffer, lines, pending.sent, Arc::new(origin), split).proven();
        pending.sent += batch.records();
        pending.offset += pending.bytes.len() as u64;
        pending.bytes.clear();
        pending.bytes.shrink_to(2 * LETTERS);
        Some(Arc::new(batch))
    }

    /// Sends what waits and says that no more will come.
    pub fn end(mut self) {
        self.flush();
        if let Some(to) = self.to.take() {
            to.end_blocking();
        }
    }

    /// Does so without a thread of its own.
    pub async fn close(mut self) {
        self.deliver().await;
        if let Some(to) = self.to.take() {
            to.end().await;
        }
    }
}
