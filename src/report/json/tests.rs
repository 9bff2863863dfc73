//! Tests of the report's shape.

use std::fs;

use serde_json::{Value, json};

use crate::report::fixtures::{
    bad, ended, every_event, finished, stamped, started, times, worker_exit,
};
use crate::report::{Around, Format, Listener as _, Reports};
use crate::words::event::{CodeCount, Event, Finish, StderrKept};
use crate::words::outcome::Exit;

fn report(events: impl IntoIterator<Item = Event>) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out/r.json");
    let mut report = Reports::new(Around::default());
    report.to_file(Format::Json, &path).unwrap();
    for event in events {
        report.on(&stamped(1.2344, event)).unwrap();
    }
    assert!(report.finish().is_empty());
    fs::read_to_string(&path).ok()
}

fn run(exit: Exit) -> Option<String> {
    let worker = |worker| Event::WorkerStarted {
        stage: crate::report::fixtures::name("validate"),
        worker,
        pid: 7,
    };
    report([
        started(),
        worker(0),
        bad(Some("data/users.ndjson"), 3, "json.syntax", "expected value"),
        worker_exit(Some(0), 0, StderrKept::default()),
        finished(ended(exit, "why"), 5, 2, 3),
    ])
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_shape_is_the_published_one() {
    let text = run(Exit::Data).unwrap();
    let found: Value = serde_json::from_str(&text).unwrap();
    let sink = |n: u64, time| {
        json!({
            "in": n, "written": n, "rejected": 0, "dropped": 0, "in_doubt": 0, "time": time,
        })
    };
    let time =
        |busy, starved, blocked| json!({"busy": busy, "starved": starved, "blocked": blocked});
    assert_eq!(
        found,
        json!({
            "schema": "esteira.report/1",
            "run": "10-2a",
            "pipeline": "users",
            "exit": {"code": 1, "reason": "why"},
            "sources": {"users": {
                "lines": 5, "blank": 0, "rejected": 2, "out": 3, "time": time(0.1, 0.0, 0.4),
            }},
            "stages": {"validate": {
                "in": 3, "accepted": 3, "rejected": 0, "dropped": 0, "in_doubt": 0, "out": 3,
                "time": time(0.45, 0.05, 0.0),
                "workers": [{
                    "worker": 0, "starts": 1, "code": 0, "signal": null, "outstanding": 0,
                    "user_ms": 120, "system_ms": 8, "peak_rss": 9_000_000,
                }],
            }},
            "sinks": {
                "file": sink(3, time(0.025, 0.475, 0.0)),
                "users.rejects": sink(2, time(0.5, 0.0, 0.0)),
            },
            "bottleneck": null,
            "errors": [{"code": "json.syntax", "count": 2, "examples": [{
                "source": "users", "file": "data/users.ndjson", "line": 3, "offset": 300,
                "stage": null, "path": "", "message": "expected value", "column": 5,
            }]}],
            "duration_s": 1.234,
            "controller": {"user_s": 0.25, "system_s": 0.5, "peak_rss": 4096},
        })
    );
    // `Value` sorts its keys; the order in the text is the order of the page.
    let order = ["schema", "run", "pipeline", "exit", "sources", "stages", "sinks", "errors"];
    let places = order.map(|key| text.find(&format!("\n  \"{key}\": ")).unwrap());
    assert!(places.is_sorted(), "{text}");
    assert!(text.ends_with("}\n"));
}

#[test]
fn a_refused_start_leaves_no_report_and_every_other_end_does() {
    for exit in [Exit::Config, Exit::Locked] {
        assert_eq!(run(exit), None, "{exit:?}");
    }
    for exit in [Exit::Ok, Exit::Stage, Exit::World, Exit::Ledger, Exit::Bug, Exit::Signal(15)] {
        let found: Value = serde_json::from_str(&run(exit).unwrap()).unwrap();
        assert_eq!(found["exit"]["code"], exit.code(), "{exit:?}");
    }
}

#[test]
fn codes_stand_worst_first_with_few_examples_each() {
    let mut last = finished(ended(Exit::Data, "why"), 100, 50, 50);
    if let Event::RunFinished(finish) = &mut last {
        let Finish { errors, .. } = finish.as_mut();
        let count = |code: &str, n| CodeCount { code: code.into(), times: times(n) };
        *errors = vec![count("b", 1), count("c", 9), count("a", 1)];
    }
    let bad = (0..20).map(|line| bad(None, line, "c", &"é".repeat(2000)));
    let events = std::iter::once(started()).chain(bad).chain([last]);
    let found: Value = serde_json::from_str(&report(events).unwrap()).unwrap();
    let codes: Vec<&str> =
        found["errors"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["c", "a", "b"]);
    let examples = found["errors"][0]["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 5);
    assert_eq!(examples[0]["message"].as_str().unwrap().len(), 1024);
    assert_eq!(
        keys(&examples[0]),
        ["column", "file", "line", "message", "offset", "path", "source", "stage"]
    );
}

#[test]
fn hostile_text_is_only_ever_a_string() {
    let text = report(every_event()).unwrap();
    assert!(!text.contains('\u{1b}'), "{text}");
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        found["exit"]["reason"], "\u{1b}[2J\n::error::x ##[set-env]",
        "a JSON reader gets what was meant"
    );
    let starts = text.lines().map(str::trim_start);
    assert!(starts.clone().all(|line| !line.starts_with("::")), "{text}");
}
