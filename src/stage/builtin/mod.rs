//! Stages that run in this process, on threads of their own.

use crate::words::dead_letter::Complaint;

/// What a built-in stage does with a record. All threads of the stage share one.
pub trait Task: Send + Sync {
    /// Treats one record, without its line feed, which is known to be one JSON text. What is to
    /// stand in its place is appended to `out`.
    fn treat(&self, record: &[u8], out: &mut Vec<u8>) -> Outcome;
}

/// What becomes of a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on as it came.
    Kept,
    /// What was appended goes on in its place.
    Replaced,
    /// It is left out on purpose.
    Dropped,
    /// It is refused.
    Rejected(Vec<Complaint>),
}
