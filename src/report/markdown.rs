//! `--report markdown=PATH`: a page or a comment; also the summary of a GitHub job.

use std::fmt::Write as _;

use crate::report::closing::{Books, books};
use crate::report::findings::{Check, checks, stood};
use crate::report::show::{shown, stretch};
use crate::report::summary::{End, Summary};
use crate::words::outcome::Exit;
use crate::words::text::{count, excerpt, grouped};

/// How large it may be: a GitHub job's summary has to stay below 1 MiB.
const BYTES: usize = 900 << 10;

/// How many checks are listed, and how many records of each.
const CHECKS: usize = 100;
const RECORDS: usize = 10;

/// Writes the report.
pub(super) fn render(summary: &Summary, end: &End<'_>) -> Vec<u8> {
    let mut text = String::new();
    verdict(&mut text, summary, end);
    ledger(&mut text, summary, end);
    let checks = checks(summary, end);
    overview(&mut text, &checks);
    for (index, check) in checks.iter().enumerate().take(CHECKS) {
        if text.len() > BYTES {
            let more = count((checks.len() - index) as u64, "code");
            writeln!(text, "\nThe records of {more} more are left out.").ok();
            break;
        }
        records(&mut text, check);
    }
    text.into_bytes()
}

// Writing to a String cannot fail.

fn verdict(text: &mut String, summary: &Summary, end: &End<'_>) {
    let exit = &end.finish.exit;
    let mark = if exit.code == Exit::Ok { "✅" } else { "❌" };
    let (code, meaning) = (exit.code.code(), exit.code.meaning());
    writeln!(text, "### {mark} {}: exit {code}, {meaning}\n", code_span(&summary.pipeline)).ok();
    if exit.reason != meaning {
        writeln!(text, "{}\n", code_span(&exit.reason)).ok();
    }
    for failure in exit.failures.iter().filter(|f| f.message != exit.reason).take(10) {
        writeln!(text, "- {}", code_span(&failure.message)).ok();
    }
    for hint in &exit.hints {
        writeln!(text, "- hint: {}", code_span(hint)).ok();
    }
    let lines = count(end.finish.ledger.lines_read(), "line");
    writeln!(text, "\n{lines} in {}.\n", stretch(end.seconds)).ok();
}

fn ledger(text: &mut String, summary: &Summary, end: &End<'_>) {
    if end.finish.ledger.tables.is_empty() {
        return;
    }
    let Books { heads, rows } = books(summary, &end.finish.ledger);
    writeln!(text, "| | {} |", heads.join(" | ")).ok();
    writeln!(text, "|---|{}", "---:|".repeat(heads.len())).ok();
    for (name, row) in rows {
        let cells: Vec<String> =
            row.into_iter().map(|cell| cell.map_or_else(String::new, grouped)).collect();
        writeln!(text, "| {} | {} |", cell(name.as_str()), cells.join(" | ")).ok();
    }
}

fn overview(text: &mut String, checks: &[Check<'_>]) {
    if checks.is_empty() {
        return;
    }
    writeln!(text, "\n| code | refused by | errors | |\n|---|---|---:|---|").ok();
    for check in checks.iter().take(CHECKS) {
        let mut words = Vec::new();
        if check.times.known > 0 {
            words.push(format!("{} known", grouped(check.times.known)));
        }
        if !check.over {
            words.push("within the limit".to_owned());
        }
        let (code, table) = (cell(&check.code), cell(check.table.as_str()));
        let errors = grouped(check.times.count);
        writeln!(text, "| {code} | {table} | {errors} | {} |", words.join(", ")).ok();
    }
    if let Some(more @ 1..) = checks.len().checked_sub(CHECKS) {
        writeln!(text, "\n{} more.", count(more as u64, "code")).ok();
    }
}

fn records(text: &mut String, check: &Check<'_>) {
    if check.examples.is_empty() {
        return;
    }
    let (code, table) = (code_span(&check.code), code_span(check.table.as_str()));
    writeln!(text, "\n**{code}** ({table})\n").ok();
    for bad in check.examples.iter().take(RECORDS) {
        let path =
            if bad.path.is_empty() { String::new() } else { format!("{} ", code_span(&bad.path)) };
        writeln!(text, "- {}: {path}{}", code_span(&stood(bad)), code_span(&bad.message)).ok();
    }
    let shown = check.examples.len().min(RECORDS) as u64;
    if let Some(more @ 1..) = check.fresh().checked_sub(shown) {
        writeln!(text, "- and {} more", grouped(more)).ok();
    }
}

/// Writes foreign text as a code span: nothing in it is markup, a link, or somebody's name.
fn code_span(foreign: &str) -> String {
    let foreign = shown(excerpt(foreign.as_bytes())).replace('\t', " ");
    let longest = foreign.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if foreign.starts_with('`') || foreign.ends_with('`') { " " } else { "" };
    if foreign.trim().is_empty() {
        return format!("{fence} {fence}");
    }
    format!("{fence}{space}{foreign}{space}{fence}")
}

/// The same in a table, where a bar would end the cell even here.
fn cell(foreign: &str) -> String {
    code_span(foreign).replace('|', "\\|")
}
