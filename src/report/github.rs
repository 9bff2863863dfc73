//! `--report github=-`: annotations of a GitHub workflow, as commands in its log.
//!
//! Of each kind ten are shown for a step, so the worst come first and one says how many were cut.

use crate::report::findings::{Around, Check, checks, in_turn, stood};
use crate::report::show::{excerpt, shown};
use crate::report::summary::{End, Summary};
use crate::words::event::BadRecord;
use crate::words::outcome::Exit;
use crate::words::text::{count, grouped};

/// How many annotations of one kind are shown for a step.
const SHOWN: usize = 10;

/// How long a command may be, and the title and the message in it.
const COMMAND: usize = 4096;
const TITLE: usize = 200;

/// Writes the commands, a line each.
pub(super) fn render(summary: &Summary, end: &End<'_>, around: &Around) -> Vec<u8> {
    let checks = checks(summary, end);
    let failed = end.exit.code != Exit::Ok;
    // One error is kept for the run's own.
    let errors = in_turn(&checks).filter(|(check, _)| check.over);
    let errors: Vec<_> = errors.take(SHOWN - 1).collect();
    let warnings = in_turn(&checks).filter(|(check, _)| !check.over);
    let warnings: Vec<_> = warnings.take(SHOWN - 1).collect();
    let mut lines: Vec<String> = Vec::new();
    for (check, bad) in &errors {
        lines.push(annotation("error", check, bad, around));
    }
    for (check, bad) in &warnings {
        lines.push(annotation("warning", check, bad, around));
    }
    let all = |over: bool| checks.iter().filter(|check| check.over == over).map(Check::fresh).sum();
    let (all_errors, all_warnings): (u64, u64) = (all(true), all(false));
    if failed {
        lines.push(of_run(summary, end, around, (errors.len(), all_errors)));
    }
    if all_warnings > warnings.len() as u64 {
        let text = format!(
            "{} of {} within the limits are shown",
            warnings.len(),
            count(all_warnings, "error")
        );
        lines.push(command("warning", &[("title", "esteira".to_owned())], &text));
    }
    lines.concat().into_bytes()
}

fn annotation(kind: &str, check: &Check<'_>, bad: &BadRecord, around: &Around) -> String {
    let mut properties = Vec::new();
    if let Some(path) = around.path(bad) {
        properties.push(("file", path));
        properties.push(("line", bad.line.to_string()));
        if let Some((start, end)) = bad.characters {
            properties.push(("col", start.to_string()));
            // Both on one line: it is refused otherwise.
            properties.push(("endLine", bad.line.to_string()));
            properties.push(("endColumn", end.saturating_sub(1).max(start).to_string()));
        }
    }
    properties.push(("title", format!("{}: {}", check.table, check.code)));
    let stands = match around.path(bad) {
        Some(_) => String::new(),
        None => format!("{}: ", shown(stood(bad))),
    };
    let at = if bad.path.is_empty() { String::new() } else { format!("{} ", excerpt(&bad.path)) };
    command(kind, &properties, &format!("{stands}{at}{}", excerpt(&bad.message)))
}

/// The run's own: why it ended so, and how many annotations were cut.
fn of_run(
    summary: &Summary,
    end: &End<'_>,
    around: &Around,
    (shown_errors, all): (usize, u64),
) -> String {
    let exit = end.exit;
    let mut text = format!("{}: {}", exit.code.meaning(), shown(&exit.reason));
    let cut = format!("{shown_errors} of {} are shown", count(all, "error"));
    let cut = (all > shown_errors as u64).then_some(cut);
    let hints = exit.hints.iter().map(|hint| format!("hint: {}", shown(hint)));
    for line in cut.into_iter().chain(hints) {
        text.push('\n');
        text.push_str(&line);
    }
    let title = format!("{}: exit {}", shown(&summary.pipeline), grouped(exit.code.code().into()));
    let mut properties = vec![("title", title)];
    if let Some(file) = &around.pipeline {
        properties.insert(0, ("file", around.place(file)));
    }
    command("error", &properties, &text)
}

/// Writes a command. No text in it can end it, or begin another one.
fn command(kind: &str, properties: &[(&str, String)], message: &str) -> String {
    let properties: Vec<String> = properties
        .iter()
        .map(|(key, value)| format!("{key}={}", escape(cut(value, TITLE.max(1024)), true)))
        .collect();
    let head = format!("::{kind} {}::", properties.join(","));
    let room = COMMAND.saturating_sub(head.len() + 1);
    let mut message = escape(message, false);
    if message.len() > room {
        let mut end = room.saturating_sub("…".len());
        // An escape is not cut in two.
        while !message.is_char_boundary(end)
            || message.get(end.saturating_sub(2)..end).is_some_and(|tail| tail.contains('%'))
        {
            end -= 1;
        }
        message.truncate(end);
        message.push('…');
    }
    format!("{head}{message}\n")
}

fn escape(text: &str, property: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            ':' if property => out.push_str("%3A"),
            ',' if property => out.push_str("%2C"),
            c => out.push(c),
        }
    }
    out
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at(end).0
}
