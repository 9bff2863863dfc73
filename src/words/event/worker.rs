//! What is told of a worker that has ended.

use serde::Serialize;

/// What a worker used and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkerEnd {
    /// Its exit code, if it exited.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// CPU time in user mode, in milliseconds.
    pub user_ms: u64,
    /// CPU time in the kernel, in milliseconds.
    pub system_ms: u64,
    /// Peak resident memory, in bytes.
    pub peak_rss: u64,
}

/// A process that outlived its worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leaked {
    /// Its number.
    pub pid: u32,
    /// Its command line, cut short.
    pub command: String,
}

/// What a worker wrote to stderr: the beginning, the end, and how much is missing between.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StderrKept {
    /// The first 16 KiB, escaped, a line each.
    pub head: Vec<String>,
    /// The last 16 KiB behind them, escaped, a line each.
    pub tail: Vec<String>,
    /// Bytes left out between the two.
    pub omitted: u64,
}
