//! Checks what a stage writes, on a thread of its own: the pump must not wait for it.

use std::sync::Arc;

use crate::json;
use crate::words::belt::{Inlet, Outlet, Taken};
use crate::words::policy::Check;
use crate::words::record::Batch;
use crate::words::text::excerpt;

/// A line that the protocol does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Which line of the output, from 1.
    pub line: u64,
    /// What is wrong with it, the line shown.
    pub message: String,
}

/// A check that is through.
#[derive(Debug)]
pub struct Done {
    /// Where the good lines went; ending it is for who knows how the worker left.
    pub output: Outlet,
    /// Blank lines skipped.
    pub blank: u64,
}

/// Passes on what is good, until the input ends; tells the first stray line and from then on
/// only takes, so that the worker can end.
pub fn run(check: Check, mut input: Inlet, output: Outlet, tell: impl FnOnce(Stray)) -> Done {
    let mut checker = Checker { check, blank: 0 };
    let mut tell = Some(tell);
    loop {
        match input.take_blocking() {
            Taken::Batch(_) if tell.is_none() => {}
            Taken::Mark(_) => {}
            Taken::Batch(batch) => match checker.pass(batch) {
                Ok(Some(batch)) => output.send_blocking(batch),
                Ok(None) => {}
                Err(stray) => {
                    if let Some(tell) = tell.take() {
                        tell(stray);
                    }
                }
            },
            Taken::End | Taken::Broken => {
                return Done { output, blank: checker.blank };
            }
        }
    }
}

struct Checker {
    check: Check,
    blank: u64,
}

impl Checker {
    /// Checks a batch; blank lines are left out.
    fn pass(&mut self, batch: Arc<Batch>) -> Result<Option<Arc<Batch>>, Stray> {
        // All at once, as long as nothing is odd.
        if self.check == Check::Json
            && batch.slices().all(|lines| json::odd(lines).next().is_none())
        {
            return Ok(Some(prove(batch)));
        }
        let mut blanks = Vec::new();
        for index in 0.. {
            let Some(line) = batch.line(index) else { break };
            if !self.is_good(&batch, index, line)? {
                blanks.push(index);
            }
        }
        if blanks.is_empty() {
            return Ok(Some(batch));
        }
        self.blank += blanks.len() as u64;
        let batch = batch.without(&blanks);
        let batch = if self.check == Check::Json { batch.proven() } else { batch };
        Ok((!batch.is_empty()).then(|| Arc::new(batch)))
    }

    /// Checks one line; false if it is blank.
    fn is_good(&self, batch: &Batch, index: usize, line: &[u8]) -> Result<bool, Stray> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.first().is_none_or(|&b| b <= b' ') && json::is_blank(line) {
            return Ok(false);
        }
        let checked = match self.check {
            Check::Json => json::check(line),
            Check::Utf8 => json::check_utf8(line),
            Check::None => Ok(()),
        };
        let Err(fault) = checked else { return Ok(true) };
        let at = batch.iter().nth(index).map_or(0, |record| record.at.line);
        let what = if self.check == Check::Json { "no JSON text" } else { "no UTF-8" };
        let message =
            format!("{what} (column {}: {}): {}", fault.column, fault.message, excerpt(line));
        Err(Stray { line: at, message })
    }
}

/// Marks a batch as checked; nobody else holds one that comes straight from the pump.
fn prove(batch: Arc<Batch>) -> Arc<Batch> {
    match Arc::try_unwrap(batch) {
        Ok(batch) => Arc::new(batch.proven()),
        Err(shared) => shared,
    }
}

#[cfg(test)]
mod tests;
