//! How the run ended, and what to try next.

use serde::Serialize;

use crate::report::html::{rest, text};
use crate::report::show::{self, shown};
use crate::report::summary::{End, Summary};
use crate::words::outcome::Exit;
use crate::words::text::{clipped, grouped};

/// How many failures and hints are told, and how many bytes of each.
const FAILURES: usize = 10;
const BYTES: usize = 1000;

#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    ok: bool,
    class: &'static str,
    word: &'static str,
    code: u8,
    meaning: &'static str,
    reason: Option<String>,
    failures: Vec<String>,
    more: Option<String>,
    hints: Vec<Hint>,
}

#[derive(Debug, Serialize)]
struct Hint {
    text: String,
    /// What it goes on with, line by line.
    lines: Vec<String>,
}

/// A number that says how the run went.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    name: &'static str,
    value: String,
    bad: bool,
}

/// Says how the run ended.
pub(super) fn verdict(end: &End<'_>) -> Verdict {
    let exit = &end.finish.exit;
    let ok = exit.code == Exit::Ok;
    let (reason, meaning) = (long(&exit.reason), exit.code.meaning());
    let others = exit.failures.iter().filter(|failure| failure.message != exit.reason);
    let others: Vec<String> = others.map(|failure| long(&failure.message)).collect();
    let more = rest(others.len(), FAILURES, "failure");
    Verdict {
        ok,
        class: if ok { "good" } else { "bad" },
        word: match exit.code {
            Exit::Ok => "Passed",
            Exit::Data => "Failed",
            Exit::Signal(_) => "Interrupted",
            _ => "Broken",
        },
        code: exit.code.code(),
        meaning,
        reason: Some(reason).filter(|reason| !reason.is_empty() && reason != meaning),
        failures: others.into_iter().take(FAILURES).collect(),
        more,
        hints: exit.hints.iter().take(FAILURES).map(|hint| hint_of(hint)).collect(),
    }
}

/// Some hints go on over several lines, which hold foreign text.
fn hint_of(hint: &str) -> Hint {
    let mut parts = hint.split('\n');
    let first = parts.next().map(long).unwrap_or_default();
    let line = |part: &str| text(part.strip_prefix("  | ").unwrap_or(part));
    Hint { text: first, lines: parts.take(FAILURES).map(line).collect() }
}

fn long(message: &str) -> String {
    shown(clipped(message, BYTES))
}

/// Says in a few numbers how it went.
pub(super) fn figures(summary: &Summary, end: &End<'_>) -> Vec<Figure> {
    let lines = end.finish.ledger.lines_read().saturating_sub(summary.before);
    let rejected: u64 = end.finish.ledger.tables.iter().map(|(_, counts)| counts.rejected()).sum();
    let figure = |name, value, bad| Figure { name, value, bad };
    let mut figures = vec![
        figure("lines read", grouped(lines), false),
        figure("rejected", grouped(rejected), rejected > 0 && end.finish.exit.code != Exit::Ok),
        figure("took", show::stretch(end.seconds), false),
    ];
    // Below a moment a rate says more about the clock than about the run.
    if lines > 0 && end.seconds >= 0.05 {
        let rate = show::whole(show::float(lines) / end.seconds);
        figures.push(figure("lines a second", grouped(rate), false));
    }
    figures
}
