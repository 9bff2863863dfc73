//! Spares a second check: a line that a stage wrote and that equals, byte for byte, a line that
//! it was sent is known to be one JSON text. Which of equal lines it is does not matter here:
//! this is about form, never about which record was meant.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::words::record::Batch;

/// How many bytes of sent records are remembered: what both pipes hold, and what is in the hands
/// of a child and in ours.
const MEMORY: usize = (2 << 20) + (768 << 10);

/// How many lines are skipped when looking for a line again after some were left out.
const AHEAD: usize = 16;

/// What was sent, shared by who sends and who looks.
#[derive(Clone, Debug, Default)]
pub struct Sent(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
    /// How many batches were forgotten or used up.
    gone: u64,
}

impl Memory {
    fn forget_oldest(&mut self) {
        if let Some(batch) = self.batches.pop_front() {
            self.bytes -= batch.len();
            self.gone += 1;
        }
    }
}

impl Sent {
    /// Remembers a batch whose lines are known to be good; forgets the oldest beyond measure.
    pub fn remember(&self, batch: &Arc<Batch>) {
        if !batch.is_proven() {
            return;
        }
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.bytes += batch.len();
        memory.batches.push_back(Arc::clone(batch));
        while memory.bytes > MEMORY && memory.batches.len() > 1 {
            memory.forget_oldest();
        }
    }
}

/// The place among the sent lines where the next written one is looked for.
#[derive(Debug)]
pub struct Twin {
    sent: Sent,
    batch: Option<Arc<Batch>>,
    /// Which batch it is, counted from the first ever sent.
    number: u64,
    line: usize,
}

impl Twin {
    /// Starts at the first line sent.
    pub fn new(sent: Sent) -> Self {
        Self { sent, batch: None, number: 0, line: 0 }
    }

    /// Tells whether `line`, line feed included, equals the next line sent, or one soon after.
    pub fn knows(&mut self, line: &[u8]) -> bool {
        for ahead in 0..=AHEAD {
            let Some((batch, index)) = self.peek(ahead) else {
                return false;
            };
            if batch.line(index) == Some(line) {
                self.advance(ahead + 1);
                return true;
            }
        }
        false
    }

    /// Finds the line `ahead` of the place; only within the current batch and the next.
    fn peek(&mut self, ahead: usize) -> Option<(Arc<Batch>, usize)> {
        let batch = self.current()?;
        let left = usize::try_from(batch.records()).ok()? - self.line;
        if ahead < left {
            return Some((batch, self.line + ahead));
        }
        let memory = self.sent.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = usize::try_from(self.number.checked_sub(memory.gone)?).ok()? + 1;
        memory.batches.get(next).map(|batch| (Arc::clone(batch), ahead - left))
    }

    fn advance(&mut self, lines: usize) {
        self.line += lines;
        while let Some(batch) = &self.batch {
            let records = usize::try_from(batch.records()).unwrap_or(usize::MAX);
            if self.line < records {
                return;
            }
            self.line -= records;
            self.batch = None;
            self.number += 1;
            let rest = self.line;
            if self.current().is_none() {
                return;
            }
            self.line = rest;
        }
    }

    /// Returns the batch at the place, going on to the oldest remembered if it was forgotten.
    fn current(&mut self) -> Option<Arc<Batch>> {
        if let Some(batch) = &self.batch {
            return Some(Arc::clone(batch));
        }
        let mut memory = self.sent.0.lock().unwrap_or_else(PoisonError::into_inner);
        while memory.gone < self.number && !memory.batches.is_empty() {
            memory.forget_oldest();
        }
        if memory.gone > self.number {
            (self.number, self.line) = (memory.gone, 0);
        }
        let batch = memory.batches.front().filter(|_| memory.gone == self.number);
        self.batch = batch.cloned();
        self.batch.clone()
    }
}

#[cfg(test)]
mod tests;
