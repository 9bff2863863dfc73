//! How a run ended.

use serde::Serialize;

use crate::words::outcome::{Exit, Failure};

/// How often one error code occurred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeCount {
    /// The code.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub struct Ended {
    /// The exit code.
    pub code: Exit,
    /// Why, in a sentence.
    pub reason: String,
    /// What to try next.
    pub hints: Vec<String>,
    /// All that went wrong before the stop began, worst first.
    pub failures: Vec<Failure>,
}

/// What the controller itself used, its children not counted.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Usage {
    /// CPU time in user mode, in seconds.
    pub user_s: f64,
    /// CPU time in the kernel, in seconds.
    pub system_s: f64,
    /// Peak resident memory, in bytes.
    pub peak_rss: u64,
}
