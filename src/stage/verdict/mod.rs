//! What the end of a `stream` worker means: pure, so that every case is a line in a table.

use crate::plan::Stream;
use crate::words::event::StderrKept;
use crate::words::id::Name;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::{EarlyExit, ExitPolicy, Expect};
use crate::words::text::{count, grouped};

/// How a worker went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It exited.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// Its guard died, and it with it.
    Lost,
}

/// How its input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed {
    /// It got everything and its stdin was closed; so many bytes were never read.
    All {
        /// Bytes left in the pipe.
        unread: u64,
    },
    /// It closed its stdin, or ended, before it had everything.
    Part,
    /// The run was being stopped.
    Stopped,
}

/// Everything that is known at the end.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The stage.
    pub stage: &'a Name,
    /// The worker's number.
    pub worker: u32,
    /// What is expected of it.
    pub expected: Stream,
    /// What its exit codes mean.
    pub exit: &'a ExitPolicy,
    /// How it went.
    pub left: Left,
    /// How its input ended.
    pub fed: Fed,
    /// Records handed to its pipe.
    pub sent: u64,
    /// Records that came in in all.
    pub taken: u64,
    /// Lines it wrote.
    pub wrote: u64,
    /// What it wrote to stderr.
    pub stderr: &'a StderrKept,
    /// Whether the run was being stopped when it went: then nothing here is its fault.
    pub stopping: bool,
    /// Whether it broke its protocol, which was told already.
    pub broke_protocol: bool,
}

/// What becomes of the records, and what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Records taken.
    pub accepted: u64,
    /// Records left out on purpose.
    pub dropped: u64,
    /// Records whose fate is not known.
    pub in_doubt: u64,
    /// Why the stage failed, if it did.
    pub failure: Option<Failure>,
    /// Whether what it wrote is good.
    pub clean: bool,
}

/// Tells whether the way a worker went is a failure whatever it had read.
pub fn has_failed(exit: &ExitPolicy, left: Left) -> bool {
    match left {
        Left::Code(code) => !(exit.ok.contains(&code) || exit.invalid.contains(&code)),
        Left::Signal(_) | Left::Lost => true,
    }
}

/// Judges the end of a worker.
pub fn judge(facts: &Facts<'_>) -> Verdict {
    let all_in_doubt = Verdict { in_doubt: facts.taken, ..Verdict::default() };
    if facts.stopping || facts.broke_protocol || facts.fed == Fed::Stopped {
        return all_in_doubt;
    }
    match judge_exit(facts).or_else(|| judge_reading(facts)).or_else(|| judge_lines(facts)) {
        Some(failure) => Verdict { failure: Some(failure), ..all_in_doubt },
        None => settle(facts),
    }
}

/// All is well: what became of each record?
fn settle(facts: &Facts<'_>) -> Verdict {
    let invalid = matches!(facts.left, Left::Code(code) if facts.exit.invalid.contains(&code));
    let failure = invalid.then(|| {
        let code = if let Left::Code(code) = facts.left { code } else { 0 };
        let message =
            format!("stage `{}` says that the data is bad: exit code {code}", facts.stage);
        with_stderr(Failure::new(Exit::Data, message), facts.stderr)
    });
    let verdict = Verdict { clean: true, failure, ..Verdict::default() };
    match facts.fed {
        Fed::All { unread: 0 } => Verdict { accepted: facts.taken, ..verdict },
        // It had what it wanted. Which of the records in the pipe it looked at is not known.
        _ => Verdict {
            in_doubt: facts.sent,
            dropped: facts.taken.saturating_sub(facts.sent),
            ..verdict
        },
    }
}

fn judge_exit(facts: &Facts<'_>) -> Option<Failure> {
    let (doubt, worker) = (doubt(facts.taken), facts.worker);
    let (message, hint) = match facts.left {
        Left::Code(code) if facts.exit.ok.contains(&code) => return None,
        Left::Code(code) if facts.exit.invalid.contains(&code) => return None,
        Left::Code(code) => (
            format!("stage `{}`: worker {worker} left with exit code {code}{doubt}", facts.stage),
            Some(format!(
                "if code {code} says that the data is bad, declare `exit = {{ ok = [0], invalid = [{code}] }}` in a pipeline file"
            )),
        ),
        Left::Signal(signal) => (
            format!(
                "stage `{}`: worker {worker} was ended by {}{doubt}",
                facts.stage,
                signal_name(signal)
            ),
            (signal == libc::SIGKILL)
                .then(|| "nobody here sent it: the kernel may have run out of memory".to_owned()),
        ),
        Left::Lost => (
            format!("stage `{}`: the guard of worker {worker} was killed{doubt}", facts.stage),
            None,
        ),
    };
    let failure = with_stderr(Failure::new(Exit::Stage, message), facts.stderr);
    Some(match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

fn judge_reading(facts: &Facts<'_>) -> Option<Failure> {
    let rest = match facts.fed {
        Fed::All { unread: 0 } => return None,
        _ if facts.expected.early_exit == EarlyExit::Ok => return None,
        Fed::All { unread } => format!("left {} unread", count(unread, "byte")),
        Fed::Part | Fed::Stopped => "stopped reading before the end of its input".to_owned(),
    };
    let doubt = doubt(facts.taken);
    let how = match facts.left {
        Left::Code(code) if facts.exit.invalid.contains(&code) => format!("exit code {code}"),
        Left::Code(_) | Left::Signal(_) | Left::Lost => "success".to_owned(),
    };
    let (stage, worker) = (facts.stage, facts.worker);
    let message = format!("stage `{stage}`: worker {worker} left with {how}, but {rest}{doubt}");
    let failure = Failure::new(Exit::Stage, message).hint(
        "a filter reads to the end of its input; if it may end early, as `head` does, declare `early_exit = \"ok\"` in a pipeline file",
    );
    Some(with_stderr(failure, facts.stderr))
}

fn judge_lines(facts: &Facts<'_>) -> Option<Failure> {
    let (fits, wanted) = match facts.expected.expect {
        Expect::Any => return None,
        Expect::AtMostOne => (facts.wrote <= facts.taken, "at most one line for each record"),
        Expect::OneToOne => (facts.wrote == facts.taken, "one line for each record"),
    };
    let early = facts.fed != Fed::All { unread: 0 };
    if fits || (early && facts.wrote <= facts.taken) {
        return None;
    }
    let message = format!(
        "stage `{}` wrote {} for {}, where {wanted} is expected",
        facts.stage,
        count(facts.wrote, "line"),
        count(facts.taken, "record"),
    );
    Some(Failure::new(Exit::Stage, message).hint("see `expect` of the stage"))
}

fn doubt(records: u64) -> String {
    if records == 0 { String::new() } else { format!("; {} in doubt", count(records, "record")) }
}

/// Adds the last lines of stderr, where the cause usually stands.
pub fn with_stderr(failure: Failure, stderr: &StderrKept) -> Failure {
    const LINES: usize = 5;
    let all: Vec<&String> = stderr.head.iter().chain(&stderr.tail).collect();
    if all.is_empty() {
        return failure;
    }
    let last = all[all.len().saturating_sub(LINES)..].iter().map(|line| format!("\n  | {line}"));
    failure.hint(format!("its last words on stderr:{}", last.collect::<String>()))
}

/// Names a signal as the manual does.
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGALRM => "SIGALRM",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGHUP => "SIGHUP",
        libc::SIGILL => "SIGILL",
        libc::SIGINT => "SIGINT",
        libc::SIGKILL => "SIGKILL",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        other => return format!("signal {}", grouped(u64::from(other.unsigned_abs()))),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests;
