//! The rejects edge of a table: counts what it refuses, tells the first few of each code as
//! events, and sends the dead letters on as batches of NDJSON, each letter at the place where its
//! record stood first.

use std::collections::VecDeque;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::words::baseline::Digest;
use crate::words::belt::Outlet;
use crate::words::buffer::Pool;
use crate::words::dead_letter::{Complaint, DeadLetter, hex};
use crate::words::event::{BadRecord, Event, Events};
use crate::words::id::{Name, RunId};
use crate::words::kinds::{CODE, PATH, brief};
use crate::words::ledger::{Counts, Tally};
use crate::words::marks::{Mark, Noted, Notes, Refusals, TableAt, What};
use crate::words::record::{Batch, Lines, Origin, Split};
use crate::words::register::Register;
use crate::words::sample::Sample;
use crate::words::text::clipped;

/// How many bytes of a message are told; the letter has all of it.
const MESSAGE: usize = 1024;

/// How many bytes of letters travel together.
const LETTERS: usize = 64 << 10;

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
    /// What the whole run refused.
    pub register: Register,
    /// Where the first few are told.
    pub events: Events,
    /// Above how many rejects the table stops at once.
    pub stop_above: Option<u64>,
    /// Letters not sent yet.
    pub pending: Pending,
    /// What the table refused so far, where that is noted at marks.
    pub refusals: Refusals,
    /// Where that is noted; none in a run that cannot be taken up again.
    pub notes: Option<Notes>,
}

/// Letters that wait to travel together.
#[derive(Debug)]
pub struct Pending {
    bytes: Vec<u8>,
    lines: Lines,
    /// Where the records of these come from: only such letters travel together.
    origin: Option<Arc<Origin>>,
    /// Those of other origins before them.
    ready: VecDeque<Arc<Batch>>,
    sent: u64,
    pool: Pool,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            lines: Lines::default(),
            origin: None,
            ready: VecDeque::new(),
            sent: 0,
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
        let compared = self.register.compares() || self.to.is_some();
        let digest = compared.then(|| letter.digest());
        let entered = self.register.enter(&self.table, letter, digest.as_ref());
        self.tally.rejected.add(1);
        if entered.known {
            self.tally.known.add(1);
            self.refusals.known += 1;
        }
        for (error, told) in letter.errors.iter().zip(entered.told) {
            let bad = told.then(|| bad_record(letter, error, digest));
            if self.notes.is_some() {
                self.refusals.add(error, entered.known, bad.as_ref());
            }
            if let Some(bad) = bad {
                self.events.emit(Event::BadRecord(bad));
            }
        }
        let (Some(_), Some(digest)) = (&self.to, digest) else { return };
        self.pending.come_from(&letter.source, letter.file.as_ref());
        let before = self.pending.bytes.len();
        if letter.write_line(&self.run, &digest, &mut self.pending.bytes).is_err() {
            // Only a record that is no JSON text after all cannot be written as one.
            self.pending.bytes.truncate(before);
            return;
        }
        // A letter stands at the place of its record, and is another text.
        self.pending.lines.put(before, self.pending.bytes.len(), (letter.at, true));
    }

    /// Tells whether any wait to be sent on.
    pub fn waits(&self) -> bool {
        !(self.pending.lines.is_empty() && self.pending.ready.is_empty())
    }

    /// Tells whether enough wait to be sent on.
    pub fn is_due(&self) -> bool {
        self.pending.bytes.len() >= LETTERS || !self.pending.ready.is_empty()
    }

    /// Tells whether the table must stop because it refused too many.
    pub fn over_limit(&self) -> bool {
        let new = self.tally.rejected.get().saturating_sub(self.tally.known.get());
        self.stop_above.is_some_and(|limit| new > limit)
    }

    /// Sends what waits, from a thread of its own.
    pub fn flush(&mut self) {
        let Some(to) = &self.to else { return };
        while let Some(batch) = self.pending.take() {
            to.send_letters_blocking(batch);
        }
    }

    /// Sends what waits.
    pub async fn deliver(&mut self) {
        let Some(to) = &self.to else { return };
        while let Some(batch) = self.pending.take() {
            to.send_letters(batch).await;
        }
    }

    /// Passes a mark on, behind all that the table handed on and refused before it, and notes how
    /// the table stands; from a thread of its own.
    pub fn pass(&mut self, mark: Mark, output: &Outlet, counts: Counts, what: What) {
        self.flush();
        output.mark_blocking(mark);
        if let Some(to) = &self.to {
            to.mark_blocking(mark);
        }
        let noted = self.noted(mark, counts, what);
        if let Some(notes) = &self.notes {
            // Whoever keeps the notes ends with the run.
            notes.blocking_send(noted).ok();
        }
    }

    /// Passes a mark on at which the table does not note how it stands.
    pub fn skip(&mut self, mark: Mark) {
        self.flush();
        if let Some(to) = &self.to {
            to.mark_blocking(mark);
        }
    }

    /// Passes a mark on without a thread of its own.
    pub async fn hand_on(&mut self, mark: Mark, output: &Outlet, counts: Counts, what: What) {
        self.deliver().await;
        output.mark(mark).await;
        if let Some(to) = &self.to {
            to.mark(mark).await;
        }
        let noted = self.noted(mark, counts, what);
        if let Some(notes) = &self.notes {
            // As in `pass`.
            notes.send(noted).await.ok();
        }
    }

    fn noted(&self, mark: Mark, counts: Counts, what: What) -> Noted {
        let (name, bytes) = (self.table.clone(), self.tally.bytes.get());
        let refusals = self.refusals.clone();
        Noted { mark, table: TableAt { name, counts, bytes, refusals, what } }
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

fn bad_record(letter: &DeadLetter, error: &Complaint, digest: Option<Digest>) -> BadRecord {
    let digest = digest.unwrap_or_else(|| letter.digest());
    let (bytes, whole) = letter.kept.bytes();
    BadRecord {
        source: letter.source.clone(),
        file: letter.file.clone(),
        line: letter.at.line,
        offset: letter.at.offset,
        stage: letter.stage.clone(),
        path: brief(&error.path, PATH).into_owned(),
        code: brief(&error.code, CODE).into_owned(),
        message: clipped(&error.message, MESSAGE).to_owned(),
        column: error.column,
        characters: characters(error, bytes),
        sample: Some(Sample::of(bytes, error.span.clone(), whole)),
        fingerprint: fingerprint(error, &digest),
    }
}

/// Counts characters up to the value and through it, where a column of the line is known.
fn characters(error: &Complaint, bytes: &[u8]) -> Option<(u64, u64)> {
    let span = error.span.clone().filter(|_| error.column.is_some())?;
    let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64;
    let start = count(bytes.get(..span.start)?) + 1;
    Some((start, start + count(bytes.get(span)?)))
}

/// Two errors of one record differ in code or path, and where it stands is no part of it: lines
/// move.
fn fingerprint(error: &Complaint, digest: &Digest) -> String {
    let mut hash = Sha256::new();
    for part in [error.code.as_bytes(), error.path.as_bytes(), digest] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut digits = hex(&hash.finalize());
    digits.truncate(32);
    digits
}

impl Pending {
    /// Makes sure that what is entered next travels with its like only.
    fn come_from(&mut self, source: &Name, file: Option<&Arc<str>>) {
        let same = |origin: &Arc<Origin>| {
            origin.table == *source && origin.file.as_deref() == file.map(AsRef::as_ref)
        };
        if self.origin.as_ref().is_some_and(same) {
            return;
        }
        let closed = self.close();
        self.ready.extend(closed);
        self.origin = Some(Arc::new(Origin { table: source.clone(), file: file.cloned() }));
    }

    /// Gives the first batch of what waits.
    fn take(&mut self) -> Option<Arc<Batch>> {
        self.ready.pop_front().or_else(|| self.close())
    }

    /// Makes a batch of the last letters, which are of one origin.
    fn close(&mut self) -> Option<Arc<Batch>> {
        let origin = self.origin.clone().filter(|_| !self.lines.is_empty())?;
        let mut buffer = self.pool.take(self.bytes.len());
        buffer[..self.bytes.len()].copy_from_slice(&self.bytes);
        let lines = std::mem::take(&mut self.lines);
        let split = Split { input: 0, start: 0, end: None };
        let batch = Batch::new(buffer, lines, self.sent, origin, split).proven();
        self.sent += batch.records();
        self.bytes.clear();
        self.bytes.shrink_to(2 * LETTERS);
        Some(Arc::new(batch))
    }
}
