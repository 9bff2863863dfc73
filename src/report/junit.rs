//! `--report junit=PATH`: a suite for each table, a case for each error code, as GitLab, Jenkins
//! and GitHub read them.
//!
//! A case is a check, never a record: a run of millions stays a small file.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::report::findings::{Around, Check, checks, said};
use crate::report::show::shown;
use crate::report::summary::{End, Summary};
use crate::words::event::{Kind, Table};
use crate::words::outcome::Exit;
use crate::words::tested::Tested;
use crate::words::text::{count, grouped};

/// How many records of a check are listed.
pub(super) const RECORDS: u64 = 100;

/// How much text the lists of all checks may have together: readers refuse files of 30 MB.
const TEXT: usize = 16 << 20;

/// Writes the report.
pub(super) fn render(summary: &Summary, end: &End<'_>, around: &Around) -> io::Result<Vec<u8>> {
    let mut report = Report::new(xml(&shown(&summary.pipeline)));
    report.set_time(seconds(end.seconds));
    let checks = checks(summary, end);
    let mut room = TEXT;
    for table in summary.tables.iter().filter(|table| !table.letters) {
        let own = checks.iter().filter(|check| *check.table == table.name);
        report.add_test_suite(suite(table, own, end, around, &mut room));
    }
    let mut suite = TestSuite::new("esteira");
    suite.add_test_case(whole(end));
    report.add_test_suite(suite);
    let mut text = Vec::new();
    report.serialize(&mut text).map_err(io::Error::other)?;
    Ok(text)
}

/// Writes what became of the tests of a pipeline: a case for each test.
pub fn tested(pipeline: &str, results: &[Tested]) -> io::Result<Vec<u8>> {
    let name = xml(&shown(pipeline));
    let mut suite = TestSuite::new(name.clone());
    for result in results {
        let mut status = TestCaseStatus::success();
        if let Some(failure) = &result.failure {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let first = failure.lines().next().unwrap_or_default().trim();
            let message = match first.strip_suffix(':') {
                Some(what) => format!("{what} is not what is expected"),
                None => first.to_owned(),
            };
            status.set_message(xml(&message));
            status.set_description(xml(failure));
        }
        let mut case = named(&shown(&result.name), &name, status);
        case.set_time(seconds(result.seconds));
        suite.add_test_case(case);
    }
    suite.set_time(seconds(results.iter().map(|result| result.seconds).sum()));
    let mut report = Report::new(name);
    report.add_test_suite(suite);
    let mut text = Vec::new();
    report.serialize(&mut text).map_err(io::Error::other)?;
    Ok(text)
}

fn suite<'c, 'a: 'c>(
    table: &Table,
    checks: impl Iterator<Item = &'c Check<'a>>,
    end: &End<'_>,
    around: &Around,
    room: &mut usize,
) -> TestSuite {
    let mut suite = TestSuite::new(table.name.as_str());
    suite.set_time(end.spent(&table.name).busy);
    for check in checks {
        suite.add_test_case(case(check, around, room));
    }
    if suite.test_cases.is_empty() {
        let name = match table.kind {
            Kind::Source => "every line is a record",
            Kind::Stage => "every record is accepted",
            Kind::Sink => "every record is written",
        };
        suite.add_test_case(named(name, table.name.as_str(), TestCaseStatus::success()));
    }
    suite
}

fn case(check: &Check<'_>, around: &Around, room: &mut usize) -> TestCase {
    let new = check.fresh();
    let known = (check.times.known > 0).then(|| count(check.times.known, "known one"));
    let mut status = if check.over && new > 0 {
        TestCaseStatus::non_success(NonSuccessKind::Failure)
    } else {
        TestCaseStatus::skipped()
    };
    let what = if new == 0 { "nothing new".to_owned() } else { count(new, "error") };
    let known = known.map(|known| format!(" beside {known}")).unwrap_or_default();
    let within = if check.over { "" } else { ", within the limit" };
    status.set_message(format!("{what}{known}{within}"));
    if check.over && new > 0 {
        status.set_type(xml(&check.code));
        let text = list(check, around, *room);
        *room = room.saturating_sub(text.len());
        status.set_description(text);
    }
    let mut case = named(&check.code, check.table.as_str(), status);
    if let Some(first) = check.examples.first()
        && let Some(path) = around.path(first)
    {
        case.extra.insert("file".into(), xml(&path).into());
        case.extra.insert("line".into(), first.line.to_string().into());
    }
    case
}

/// A line for each record.
fn list(check: &Check<'_>, around: &Around, room: usize) -> String {
    let mut text = String::new();
    let mut listed = 0_u64;
    for bad in check.examples.iter().take(usize::try_from(RECORDS).unwrap_or(usize::MAX)) {
        let line = format!("{}: {}", shown(around.stood(bad)), said(bad));
        if text.len() + line.len() > room {
            break;
        }
        listed += 1;
        // Writing to a String cannot fail.
        writeln!(text, "{}", xml(&line)).ok();
    }
    if let Some(more @ 1..) = check.fresh().checked_sub(listed) {
        writeln!(text, "and {} more", grouped(more)).ok();
    }
    text
}

/// The run itself: did it come to its end?
fn whole(end: &End<'_>) -> TestCase {
    let exit = &end.finish.exit;
    let mut status = match exit.code {
        Exit::Ok => TestCaseStatus::success(),
        Exit::Data => TestCaseStatus::non_success(NonSuccessKind::Failure),
        _ => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if exit.code != Exit::Ok {
        status.set_type(format!("exit {}", exit.code.code()));
        status.set_message(xml(&format!("{}: {}", exit.code.meaning(), shown(&exit.reason))));
        let others = exit.failures.iter().map(|failure| &failure.message);
        let others = others.filter(|message| **message != exit.reason);
        let lines: Vec<String> = others.chain(&exit.hints).map(|line| xml(&shown(line))).collect();
        status.set_description(lines.join("\n"));
    }
    named("the run ends well", "esteira", status)
}

/// Readers tell cases apart by name and class name together.
fn named(name: &str, class: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(xml(name), status);
    case.set_classname(class);
    case
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// Returns what XML can hold: the library leaves out control characters, but not these two, and
/// readers refuse the whole file for them.
pub(super) fn xml(text: &str) -> String {
    let kept = |c: char| if matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
    text.chars().map(kept).collect()
}
