//! The examples of the project, and the oracles beside them.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::super::harness::{Place, project};
use super::{faults, letters};

/// What is said of a fixture: the lines that are blank, and those that are refused, with why.
fn expected(name: &str) -> (Value, Vec<(u64, Value)>) {
    let text = fs::read(project(&format!("fixtures/records/{name}.expect.json"))).unwrap();
    let expected: Value = serde_json::from_slice(&text).unwrap();
    let reject = expected["reject"].as_object().unwrap();
    let mut reject: Vec<(u64, Value)> =
        reject.iter().map(|(line, why)| (line.parse().unwrap(), why.clone())).collect();
    reject.sort_by_key(|(line, _)| *line);
    (expected, reject)
}

/// The lines of a fixture that are neither refused nor blank, as they are in the file.
fn good(bytes: &[u8], out: &BTreeSet<u64>) -> Vec<u8> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = (1..).zip(text.split(|byte| *byte == b'\n'));
    let kept = lines.filter(|(line, _)| !out.contains(line));
    kept.flat_map(|(_, bytes)| [bytes, b"\n"].concat()).collect()
}

#[test]
fn of_a_dirty_file_exactly_the_good_lines_come_out() {
    let (expected, reject) = expected("dirty");
    let dirty = project("fixtures/records/dirty.ndjson");
    let place = Place::new();
    let options = ["--rejects", "bad", "--max-rejects", "100%"];
    let done =
        place.esteira().pipe(dirty.to_str().unwrap(), "out", &options, &["cat"]).run().exits(0);
    let blank = expected["blank"].as_array().unwrap().iter().map(|line| line.as_u64().unwrap());
    let out: BTreeSet<u64> = blank.clone().chain(reject.iter().map(|(line, _)| *line)).collect();
    assert!(place.read("out") == good(&fs::read(dirty).unwrap(), &out), "byte for byte");
    let bad = letters(&place, "bad");
    let seen: Vec<(u64, Value)> =
        faults(&bad).into_iter().map(|(line, code, _)| (line, code.into())).collect();
    assert_eq!(seen, reject);
    let source = &done.report()["sources"]["input"];
    assert_eq!(source["lines"], expected["lines"]);
    assert_eq!(source["out"], expected["good"]);
    assert_eq!(source["blank"], blank.count());
}

#[test]
fn a_dirty_file_is_bad_data_unless_it_is_said_otherwise() {
    let dirty = project("fixtures/records/dirty.ndjson");
    let place = Place::new();
    let done = place.esteira().pipe(dirty.to_str().unwrap(), "out", &[], &["cat"]).run().exits(1);
    done.says("167 of 315 lines rejected by `input`, more than the limit of 0").report();
    assert!(!place.has("out"));
}

#[test]
fn the_tutorials_job_keeps_the_valid_users() {
    let (expected, reject) = expected("users");
    let users = project("fixtures/records/users.ndjson");
    let validator = project("validators/python/validate_user.py");
    let place = Place::new();
    let program = ["python3", validator.to_str().unwrap()];
    let done = place.esteira().pipe(users.to_str().unwrap(), "out", &[], &program).run().exits(0);
    let out: BTreeSet<u64> = reject.iter().map(|(line, _)| *line).collect();
    assert!(place.read("out") == good(&fs::read(users).unwrap(), &out), "byte for byte");
    let report = done.report();
    assert_eq!(report["stages"]["python3"]["accepted"], expected["lines"]);
    assert_eq!(report["sinks"]["output"]["written"], expected["good"]);
    let refused = reject.len();
    assert_eq!(
        done.stderr.lines().filter(|line| line.starts_with("python3 | line ")).count(),
        refused
    );
    for (line, paths) in reject {
        let told = paths.as_array().unwrap().iter().all(|path| {
            let of_line = |told: &&str| told.starts_with(&format!("python3 | line {line}: "));
            done.stderr
                .lines()
                .find(of_line)
                .is_some_and(|told| told.contains(path.as_str().unwrap()))
        });
        assert!(told, "{line}: {paths}");
    }
}

#[test]
fn the_demo_of_a_pipeline_file_does_the_same() {
    let (expected, _) = expected("users");
    let file = project("fixtures/pipelines/valid/users.toml");
    let place = Place::new();
    let target = place.path("out.ndjson");
    let set = format!("sinks.file.path={}", target.display());
    let rejects = format!("stages.validate.rejects={}", place.path("bad.ndjson").display());
    let call = place.esteira().args(["run", file.to_str().unwrap()]);
    drop(call.args(["--set", &set, "--set", &rejects]).run().exits(0));
    let written = expected["good"].as_u64().unwrap();
    assert_eq!(place.text("out.ndjson").lines().count() as u64, written);
    assert_eq!(place.text("bad.ndjson").lines().count() as u64, 5000 - written);
}
