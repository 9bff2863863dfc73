//! Which worker gets which key: pure.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::json::pointer::Pointer;

/// Returns the worker, of so many, that all records with this key go to. A key that is missing
/// is one like the others.
pub(super) fn worker_for(by: &Pointer, line: &[u8], workers: usize) -> usize {
    // Its keys are fixed: the same record goes to the same worker in each run.
    let mut hasher = DefaultHasher::new();
    by.key_of(line).hash(&mut hasher);
    let workers = workers.max(1) as u64;
    usize::try_from(hasher.finish() % workers).unwrap_or(0)
}
