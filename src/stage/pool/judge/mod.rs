//! What the end of a worker of a pool means: pure.

use std::time::Duration;

use crate::plan::{Program, Reply};
use crate::stage::order::Refusal;
use crate::stage::verdict::{Left, has_failed, signal_name, with_stderr};
use crate::words::dead_letter::{Complaint, Trace};
use crate::words::event::StderrKept;
use crate::words::outcome::{Exit, Failure};
use crate::words::text::count;
use crate::words::units::{self, Restarts};

/// How many of its last lines on stderr a dead letter keeps.
const WORDS: usize = 20;

/// What is known at the end of a worker.
pub(super) struct Facts<'a> {
    /// The stage.
    pub(super) plan: &'a Program,
    /// What it was to reply.
    pub(super) reply: Reply,
    /// Its number.
    pub(super) worker: u32,
    /// How it went.
    pub(super) left: Left,
    /// Whether it got everything and its stdin was closed.
    pub(super) all_fed: bool,
    /// Bytes that it did not read, where that could be seen.
    pub(super) unread: Option<u64>,
    /// Records that it did not answer.
    pub(super) outstanding: usize,
    /// The first of them.
    pub(super) oldest: Option<u64>,
    /// Whether it answered one that came later.
    pub(super) gap: bool,
    /// Bytes of a reply whose end never came.
    pub(super) torn: u64,
    /// Lines that it wrote.
    pub(super) lines: u64,
    /// Whether it was killed for being late with a record.
    pub(super) late: bool,
    /// What it wrote to stderr.
    pub(super) stderr: &'a StderrKept,
}

/// What comes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing is left to do, or it went wrong.
    Over(Vec<Failure>),
    /// Another one takes its place, after a wait.
    Again(Duration),
}

/// Judges the end of a worker.
pub(super) fn judge(facts: &Facts<'_>) -> Fate {
    let provisional = matches!(facts.reply, Reply::Lines { .. });
    let failed = has_failed(&facts.plan.exit, facts.left);
    let done = facts.all_fed && facts.outstanding == 0;
    if facts.torn > 0 && !failed && !facts.late {
        let what = format!("ended with a line that has no end ({})", count(facts.torn, "byte"));
        return broken(facts, &what);
    }
    if done && !failed && !(provisional && facts.unread != Some(0)) {
        return Fate::Over(invalid(facts).into_iter().collect());
    }
    if done && matches!(facts.left, Left::Code(_)) && failed {
        return broken(facts, &how(facts));
    }
    if provisional {
        return broken(facts, &loss(facts));
    }
    // One that stopped early may do better when it is asked again; one that left out an answer
    // and went on does not keep the protocol.
    if facts.all_fed && facts.gap && !failed && !facts.late {
        let id = facts.oldest.map_or_else(String::new, |id| format!(", the first with id {id}"));
        let owed = count(facts.outstanding as u64, "record");
        return broken(facts, &format!("{} and never answered {owed}{id}", how(facts)));
    }
    Fate::Again(Duration::ZERO)
}

/// Says how a worker went.
pub(super) fn how(facts: &Facts<'_>) -> String {
    if facts.late {
        return "was killed, as it took longer than `record_timeout` for a record".to_owned();
    }
    match facts.left {
        Left::Code(code) => format!("left with exit code {code}"),
        Left::Signal(signal) => format!("was ended by {}", signal_name(signal)),
        Left::Lost => "lost its guard, which was killed".to_owned(),
    }
}

/// Says why positional replies cannot be trusted.
fn loss(facts: &Facts<'_>) -> String {
    let how = how(facts);
    let (lines, owed) = (count(facts.lines, "line"), count(facts.outstanding as u64, "record"));
    match facts.unread {
        _ if facts.outstanding > 0 => format!("{how} after {lines}, with {owed} not answered"),
        Some(unread @ 1..) => format!("{how}, but left {} unread", count(unread, "byte")),
        _ if !facts.all_fed => format!("{how} before the end of its input"),
        _ => how,
    }
}

/// Says that a worker is one too many to be replaced.
pub(super) fn too_many(facts: &Facts<'_>, limit: Restarts) -> Failure {
    let early = if facts.all_fed { "" } else { " before the end of its input" };
    let message = format!(
        "stage `{}`: worker {} {}{early}, and no more than {} in {} may be replaced",
        facts.plan.stage,
        facts.worker,
        how(facts),
        count(u64::from(limit.count), "worker"),
        units::written(limit.period),
    );
    let failure = Failure::new(Exit::Stage, message);
    // It may be that it never starts, or that each record ends it.
    let failure = if facts.lines == 0 {
        failure.hint("it answered nothing before: run the program by hand to see whether it starts")
    } else {
        failure
    };
    let failure = failure.hint(
        "where the records are at fault and not the program, raise `restarts` of the stage, as in \
         `restarts = \"100/1m\"`",
    );
    with_stderr(failure, facts.stderr)
}

fn invalid(facts: &Facts<'_>) -> Option<Failure> {
    let Left::Code(code) = facts.left else { return None };
    if !facts.plan.exit.invalid.contains(&code) {
        return None;
    }
    let (stage, worker) = (&facts.plan.stage, facts.worker);
    let message =
        format!("stage `{stage}`: worker {worker} says that the data is bad: exit code {code}");
    Some(with_stderr(Failure::new(Exit::Data, message), facts.stderr))
}

fn broken(facts: &Facts<'_>, what: &str) -> Fate {
    let (stage, worker) = (&facts.plan.stage, facts.worker);
    let failure = Failure::new(Exit::Stage, format!("stage `{stage}`: worker {worker} {what}"));
    let failure = match facts.reply {
        Reply::Lines { .. } if facts.outstanding > 0 => failure.hint(
            "`lines` takes one line for each record, in order; a filter that leaves records out \
             speaks `stream`",
        ),
        _ => failure,
    };
    Fate::Over(vec![with_stderr(failure, facts.stderr)])
}

/// Says why a record that ended so many workers is refused.
pub(super) fn refusal(facts: &Facts<'_>, pid: u32, attempts: u32) -> Refusal {
    let code = if facts.late { "worker.timeout" } else { "worker.crashed" };
    let (exit, signal) = match facts.left {
        Left::Code(code) => (Some(code), None),
        Left::Signal(signal) => (None, Some(signal_name(signal))),
        Left::Lost => (None, None),
    };
    let times = if attempts > 1 { format!(", for the {}", nth(attempts)) } else { String::new() };
    let message = if facts.late {
        format!("no answer within `record_timeout`{times}")
    } else {
        format!("a worker {} with this record{times}", how(facts))
    };
    let all: Vec<&String> = facts.stderr.head.iter().chain(&facts.stderr.tail).collect();
    let last = all.get(all.len().saturating_sub(WORDS)..).unwrap_or_default();
    Refusal {
        errors: vec![Complaint::new("", code, message)],
        trace: Trace {
            worker: facts.worker,
            pid,
            exit,
            signal,
            attempts,
            stderr: last.iter().map(|line| (*line).clone()).collect(),
        },
    }
}

fn nth(attempts: u32) -> String {
    match attempts {
        2 => "second time".to_owned(),
        more => format!("{more}th time"),
    }
}

#[cfg(test)]
mod tests;
