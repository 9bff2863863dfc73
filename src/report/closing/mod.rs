//! The closing of a run: the ledger, the worst errors, where everything is, and how it ended.
//!
//! Pure: what the events added up to goes in, text comes out.

mod errors;
mod ledger;
mod time;

use bytesize::ByteSize;

pub(crate) use errors::told;
pub(crate) use ledger::{Books, books, differences};
pub(crate) use time::{lived, percent, sentence};

use crate::report::show::{self, Paint, shown, stretch};
use crate::report::summary::{End, Output, Summary};
use crate::words::outcome::Exit;
use crate::words::text::{count, grouped};

/// How many failures are told beside the one that gave the reason.
const FAILURES: usize = 5;

/// Writes all there is to say at the end, as lines.
pub(crate) fn render(summary: &Summary, end: &End<'_>, paint: Paint) -> Vec<String> {
    let mut lines = ledger::table(summary, &end.finish.ledger, paint);
    lines.extend(ledger::differences(end));
    for part in [errors::errors(summary, end, paint), outputs(summary)] {
        if !part.is_empty() && !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(part);
    }
    lines.extend(baseline(summary, end));
    lines.extend(pace(end, summary.before));
    lines.extend(time::lines(summary, end, paint));
    lines.extend(verdict(end, paint));
    lines
}

/// Writes why a run failed: of bad data, where it is.
pub(crate) fn why(summary: &Summary, end: &End<'_>, paint: Paint) -> Vec<String> {
    let bad = end.finish.exit.code == Exit::Data;
    let mut lines = if bad { errors::errors(summary, end, paint) } else { Vec::new() };
    lines.extend(verdict(end, paint));
    lines
}

/// Writes the exit code with its meaning, the reason and what to try next.
pub(crate) fn verdict(end: &End<'_>, paint: Paint) -> Vec<String> {
    let exit = end.finish.exit.code;
    let code = format!("exit {}, {}", exit.code(), exit.meaning());
    let code = if exit == Exit::Ok { paint.green(&code) } else { paint.red(&code) };
    let reason = shown(&end.finish.exit.reason);
    let mut lines = vec![if reason.is_empty() || reason == exit.meaning() {
        format!("esteira: {code}")
    } else {
        format!("esteira: {code}: {reason}")
    }];
    let others = end.finish.exit.failures.iter().map(|f| shown(&f.message));
    let others: Vec<String> = others.filter(|message| *message != reason).collect();
    lines.extend(others.iter().take(FAILURES).map(|m| format!("also: {m}")));
    if let Some(more @ 1..) = others.len().checked_sub(FAILURES) {
        lines.push(format!("also: {more} more"));
    }
    for hint in &end.finish.exit.hints {
        // Some hints go on over several lines, which hold foreign text.
        let mut parts = hint.split('\n');
        lines.extend(parts.next().map(|first| format!("hint: {}", shown(first))));
        let text = |part: &str| shown(part.strip_prefix("  | ").unwrap_or(part));
        lines.extend(parts.map(|part| format!("  | {}", text(part))));
    }
    lines
}

fn outputs(summary: &Summary) -> Vec<String> {
    summary.outputs.iter().filter_map(|o| output(summary, o)).collect()
}

fn output(summary: &Summary, output: &Output) -> Option<String> {
    let path = shown(&output.path);
    let letters = summary.is_letters(&output.sink);
    match output.published {
        // An empty file of dead letters is written too, and not worth a line.
        Some((0, _)) if letters => None,
        Some((records, _)) if letters => {
            Some(format!("dead letters: {path}, {}", count(records, "record")))
        }
        Some((records, bytes)) => {
            let records = count(records, "record");
            Some(format!("wrote {path}: {records}, {}", ByteSize::b(bytes)))
        }
        None => {
            Some(format!("not published: {path} (what stood there before, if anything, stays)"))
        }
    }
}

/// Says what the baseline was good for.
fn baseline(summary: &Summary, end: &End<'_>) -> Option<String> {
    let used = end.finish.baseline?;
    let known = count(used.known, "rejected record");
    // Of what a run did not come to, or another one did before it, nobody here knows.
    let whole = end.finish.exit.code <= Exit::Data && !summary.cut_short && summary.before == 0;
    let unmet = match used.unmet {
        1.. if whole => {
            let entries = match used.entries {
                1 => "1 entry".to_owned(),
                entries => grouped(entries) + " entries",
            };
            let rest = if used.renewed { "" } else { " (`--write-baseline` leaves them out)" };
            format!("; {} of its {entries} did not occur{rest}", grouped(used.unmet))
        }
        _ => String::new(),
    };
    Some(format!("baseline: {known} known{unmet}"))
}

/// A run that never had tables did not get so far as to take time.
fn pace(end: &End<'_>, before: u64) -> Option<String> {
    if end.finish.ledger.tables.is_empty() {
        return None;
    }
    let lines = end.finish.ledger.lines_read().saturating_sub(before);
    let behind = match before {
        0 => String::new(),
        before => format!(", behind {} of a run before", grouped(before)),
    };
    let took = format!("{} in {}{behind}", count(lines, "line"), stretch(end.seconds));
    // Below a moment a rate says more about the clock than about the run.
    if lines == 0 || end.seconds < 0.05 {
        return Some(took);
    }
    let rate = show::whole(show::float(lines) / end.seconds);
    Some(format!("{took}, {}/s", grouped(rate)))
}

#[cfg(test)]
mod tests;
