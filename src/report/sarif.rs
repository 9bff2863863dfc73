//! `--report sarif=PATH`: SARIF 2.1.0, for code scanning services and editors. A rule for each
//! error code, a result for each record that is told one by one.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::report::findings::{Around, Check, Told, checks, results, said, table};
use crate::report::show::{excerpt, shown};
use crate::report::summary::{End, Summary};
use crate::words::event::BadRecord;
use crate::words::outcome::Exit;
use crate::words::text::count;

/// The most results that GitHub keeps of a run.
const RESULTS: usize = 5000;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the report.
pub(super) fn render(
    summary: &Summary,
    end: &End<'_>,
    around: &Around,
) -> serde_json::Result<String> {
    let checks = checks(summary, end);
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for check in &checks {
        rules.entry(check.code.as_str()).or_insert_with(|| rule(check));
    }
    let index: HashMap<&str, usize> =
        rules.keys().enumerate().map(|(index, code)| (*code, index)).collect();
    let results: Vec<Value> = results(&checks, RESULTS)
        .map(|told| result(&told, index.get(told.check.code.as_str()).copied(), around))
        .collect();
    let told = results.len() as u64;
    let all: u64 = checks.iter().map(Check::fresh).sum();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "esteira",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("esteira/{}/", escaped(&summary.pipeline))},
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation(end, all.saturating_sub(told))],
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log)?;
    text.push('\n');
    Ok(text)
}

fn rule(check: &Check<'_>) -> Value {
    let text = check.examples.first().map_or(check.code.as_str(), |bad| bad.message.as_str());
    json!({
        "id": check.code,
        "name": check.code,
        "shortDescription": {"text": check.code},
        "fullDescription": {"text": format!("Such as: {}", excerpt(text))},
    })
}

fn result(told: &Told<'_, '_>, index: Option<usize>, around: &Around) -> Value {
    let Told { check, bad, nth } = *told;
    let mut location = json!({
        "logicalLocations": [{
            "name": table(bad).as_str(),
            "fullyQualifiedName": format!("{}{}", table(bad), excerpt(&bad.path)),
        }],
    });
    if let Some(path) = around.path(bad) {
        location["physicalLocation"] = physical(bad, &path);
    }
    let mut result = json!({
        "ruleId": check.code,
        "level": if check.over { "error" } else { "warning" },
        "message": {"text": format!("{} (refused by `{}`)", said(bad), check.table)},
        "locations": [location],
        // Of records that are the same, the second is another result than the first.
        "partialFingerprints": {"esteiraRecord/v1": format!("{}:{nth}", bad.fingerprint)},
        "properties": {"source": bad.source.as_str(), "offset": bad.offset, "pointer": shown(&bad.path)},
    });
    if let Some(index) = index {
        result["ruleIndex"] = index.into();
    }
    result
}

fn physical(bad: &BadRecord, path: &str) -> Value {
    let mut region = json!({"startLine": bad.line});
    if let Some((start, end)) = bad.characters {
        region["startColumn"] = start.into();
        region["endColumn"] = end.into();
    }
    if let Some(sample) = bad.sample.as_ref().filter(|sample| !sample.value.is_empty()) {
        region["snippet"] = json!({"text": shown(&sample.value)});
    }
    let uri = match path.strip_prefix('/') {
        Some(absolute) => json!({"uri": format!("file:///{}", escaped(absolute))}),
        None => json!({"uri": escaped(path), "uriBaseId": "%SRCROOT%"}),
    };
    json!({"artifactLocation": uri, "region": region})
}

fn invocation(end: &End<'_>, cut: u64) -> Value {
    let exit = &end.finish.exit;
    let mut notifications = Vec::new();
    if exit.code > Exit::Data {
        let reasons = exit.failures.iter().map(|failure| failure.message.as_str());
        let reasons: Vec<&str> = reasons.collect();
        let reasons = if reasons.is_empty() { vec![exit.reason.as_str()] } else { reasons };
        notifications.extend(
            reasons
                .into_iter()
                .map(|reason| json!({"level": "error", "message": {"text": shown(reason)}})),
        );
    }
    if cut > 0 {
        let text = format!("{} are not listed one by one", count(cut, "error"));
        notifications.push(json!({"level": "note", "message": {"text": text}}));
    }
    json!({
        "executionSuccessful": exit.code <= Exit::Data,
        "exitCode": exit.code.code(),
        "exitCodeDescription": exit.code.meaning(),
        "toolExecutionNotifications": notifications,
    })
}

/// Writes a path as a part of a URI: all but letters, digits and `/-._~` as `%` and two digits.
fn escaped(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(uri, "%{byte:02X}").ok();
        }
    }
    uri
}
