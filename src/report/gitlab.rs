//! `--report gitlab=PATH`: issues as GitLab's code quality reads them.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::report::findings::{Around, Check, checks, in_turn};
use crate::report::show::{excerpt, shown};
use crate::report::summary::{End, Summary};
use crate::words::dead_letter::hex;
use crate::words::event::BadRecord;
use crate::words::outcome::Exit;

/// How many issues there are at most.
const ISSUES: usize = 5000;

/// Writes the report.
pub(super) fn render(
    summary: &Summary,
    end: &End<'_>,
    around: &Around,
) -> serde_json::Result<String> {
    let checks = checks(summary, end);
    let mut salts: HashMap<&str, u64> = HashMap::new();
    let pipeline = || {
        let file = around.pipeline.as_deref().map(|file| around.place(file));
        file.unwrap_or_else(|| "stdin".to_owned())
    };
    let mut issues: Vec<Value> = Vec::new();
    for (check, bad) in in_turn(&checks).take(ISSUES) {
        let salt = salts.entry(&bad.fingerprint).or_default();
        *salt += 1;
        // In no file of the project it is no line of the pipeline's, either.
        let (path, line) =
            around.path(bad).map_or_else(|| (pipeline(), 1), |path| (path, bad.line));
        issues.push(issue(check, bad, around, (path, line, *salt)));
    }
    if end.exit.code > Exit::Data {
        // A run that broke is no issue of a record, and must not look like a run without issues.
        let reason = &end.exit.reason;
        let digits = <sha2::Sha256 as sha2::Digest>::digest(reason.as_bytes());
        issues.push(json!({
            "description": format!("{}: {}", end.exit.code.meaning(), shown(reason)),
            "check_name": format!("exit.{}", end.exit.code.code()),
            "fingerprint": hex(&digits).split_at(32).0,
            "severity": "blocker",
            "location": {"path": pipeline(), "lines": {"begin": 1}},
        }));
    }
    let mut text = serde_json::to_string_pretty(&issues)?;
    text.push('\n');
    Ok(text)
}

fn issue(
    check: &Check<'_>,
    bad: &BadRecord,
    around: &Around,
    (path, line, salt): (String, u64, u64),
) -> Value {
    let at = if bad.path.is_empty() { String::new() } else { format!("{} ", excerpt(&bad.path)) };
    let place = shown(around.stood(bad));
    json!({
        "description": format!("{place}: {at}{} (refused by `{}`)", excerpt(&bad.message), check.table),
        "check_name": check.code,
        "fingerprint": format!("{}{salt:x}", bad.fingerprint),
        "severity": if check.over { "major" } else { "minor" },
        "location": {"path": path, "lines": {"begin": line}},
    })
}
