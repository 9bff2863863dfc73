//! How a run ended.

use serde::Serialize;

use crate::words::gauge::Spent;
use crate::words::id::Name;
use crate::words::kinds::Times;
use crate::words::ledger::{Imbalance, Ledger};
use crate::words::outcome::{Exit, Failure};

/// How often one error code occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CodeCount {
    /// The code.
    pub code: String,
    /// How often.
    #[serde(flatten)]
    pub times: Times,
}

/// How often one table refused records with one code for what stands at one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindCount {
    /// The table.
    pub table: Name,
    /// The code.
    pub code: String,
    /// The path, with `*` for any place in an array; empty for the whole record.
    pub path: String,
    /// How often.
    #[serde(flatten)]
    pub times: Times,
}

/// What a baseline was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BaselineUse {
    /// How many entries it has.
    pub entries: u64,
    /// How many of them did not occur.
    pub unmet: u64,
    /// How many records it accepted.
    pub known: u64,
    /// Whether a new one is written, which leaves out those that did not occur.
    #[serde(skip)]
    pub renewed: bool,
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

/// How everything stands when a run is over.
#[derive(Clone, Debug, Serialize)]
pub struct Finish {
    /// How it ended.
    pub exit: Ended,
    /// The books.
    pub ledger: Ledger,
    /// Identities that do not hold.
    pub imbalances: Vec<Imbalance>,
    /// How many errors there were of each code, worst first.
    pub errors: Vec<CodeCount>,
    /// The same by table and path.
    pub kinds: Vec<KindCount>,
    /// The tables that refused more than they may.
    pub over: Vec<Name>,
    /// What a baseline was good for, if there is one.
    pub baseline: Option<BaselineUse>,
    /// How each table spent its time.
    pub times: Vec<(Name, Spent)>,
    /// What this process itself used.
    pub controller: Usage,
}

impl Finish {
    /// Finishes a run in which nothing was counted.
    pub fn new(exit: Ended, controller: Usage) -> Self {
        Self {
            exit,
            ledger: Ledger::default(),
            imbalances: Vec::new(),
            errors: Vec::new(),
            kinds: Vec::new(),
            over: Vec::new(),
            baseline: None,
            times: Vec::new(),
            controller,
        }
    }
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
