//! `--report github=-`: annotations of a GitHub workflow, as commands in its log.
//!
//! Of each kind ten are shown for a step, so the worst come first and one says how many were cut.

use crate::report::findings::{Around, Check, checks, in_turn, said, stood};
use crate::report::show::shown;
use crate::report::summary::{End, Summary};
use crate::words::event::BadRecord;
use crate::words::outcome::Exit;
use crate::words::text::{count, grouped};

/// How many annotations of one kind are shown for a step.
const SHOWN: usize = 10;

/// How many bytes a command may have, and one of its properties.
const COMMAND: usize = 4096;
const PROPERTY: usize = 1000;

/// Writes the commands, a line each.
pub(super) fn render(summary: &Summary, end: &End<'_>, around: &Around) -> Vec<u8> {
    let checks = checks(summary, end);
    let failed = end.finish.exit.code != Exit::Ok;
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
    command(kind, &properties, &format!("{stands}{}", said(bad)))
}

/// The run's own: why it ended so, and how many annotations were cut.
fn of_run(
    summary: &Summary,
    end: &End<'_>,
    around: &Around,
    (shown_errors, all): (usize, u64),
) -> String {
    let exit = &end.finish.exit;
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
    let property = |(key, value): &(&str, String)| {
        let value = cut(escape(value, true), PROPERTY);
        format!("{key}={value}")
    };
    let properties: Vec<String> = properties.iter().map(property).collect();
    let head = format!("::{kind} {}::", properties.join(","));
    let room = COMMAND.saturating_sub(head.len() + 1);
    format!("{head}{}\n", cut(escape(message, false), room))
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

/// Cuts an escaped text to so many bytes, and no escape in two.
fn cut(mut text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let mut end = most.saturating_sub("…".len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let is_sign = |back: &usize| text.as_bytes().get(end.wrapping_sub(*back)) == Some(&b'%');
    let open = (1..=2).find(is_sign);
    end -= open.unwrap_or(0);
    text.truncate(end);
    text.push('…');
    text
}

#[cfg(test)]
mod tests {
    use super::{cut, escape};

    #[test]
    fn no_escape_and_no_letter_is_cut_in_two() {
        let text = escape("a%é:", true);
        assert_eq!(text, "a%25é%3A");
        assert_eq!(cut(text.clone(), text.len()), text);
        let cuts: Vec<String> = (3..9).map(|most| cut(text.clone(), most)).collect();
        assert_eq!(cuts, ["…", "a…", "a…", "a…", "a%25…", "a%25…"]);
    }
}
