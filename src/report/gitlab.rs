//! `--report gitlab=PATH`: issues as GitLab's code quality reads them.

use serde_json::{Value, json};

use crate::report::findings::{Around, Told, checks, results, said};
use crate::report::show::shown;
use crate::report::summary::{End, Summary};
use crate::words::dead_letter::hex;
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
    let pipeline = || {
        let file = around.pipeline.as_deref().map(|file| around.place(file));
        file.unwrap_or_else(|| "stdin".to_owned())
    };
    let told = results(&checks, ISSUES);
    let mut issues: Vec<Value> = told.map(|told| issue(&told, around, &pipeline)).collect();
    if end.finish.exit.code > Exit::Data {
        // A run that broke is no issue of a record, and must not look like a run without issues.
        let reason = &end.finish.exit.reason;
        let digits = <sha2::Sha256 as sha2::Digest>::digest(reason.as_bytes());
        issues.push(json!({
            "description": format!("{}: {}", end.finish.exit.code.meaning(), shown(reason)),
            "check_name": format!("exit.{}", end.finish.exit.code.code()),
            "fingerprint": hex(&digits).split_at(32).0,
            "severity": "blocker",
            "location": {"path": pipeline(), "lines": {"begin": 1}},
        }));
    }
    let mut text = serde_json::to_string_pretty(&issues)?;
    text.push('\n');
    Ok(text)
}

fn issue(told: &Told<'_, '_>, around: &Around, pipeline: &impl Fn() -> String) -> Value {
    let Told { check, bad, nth } = *told;
    // In no file of the project it is no line of the pipeline's, either.
    let (path, line) = around.path(bad).map_or_else(|| (pipeline(), 1), |path| (path, bad.line));
    let place = shown(around.stood(bad));
    json!({
        "description": format!("{place}: {} (refused by `{}`)", said(bad), check.table),
        "check_name": check.code,
        "fingerprint": format!("{}{nth:x}", bad.fingerprint),
        "severity": if check.over { "major" } else { "minor" },
        "location": {"path": path, "lines": {"begin": line}},
    })
}
