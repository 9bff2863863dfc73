//! Stages that run in this process, as their users run them.

mod argon2;
mod chains;
mod ends;
mod examples;
mod hash;
mod json_schema;
mod keys;
mod select;
mod threads;
mod unique;

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::harness::{Esteira, Finished, Place, needs, project};

/// A dead letter. What it keeps of the record is not looked into: it may hold half a surrogate
/// pair, which Rust has no text for.
#[derive(Debug, Deserialize)]
struct Letter {
    source: String,
    file: Option<String>,
    line: u64,
    offset: u64,
    stage: Option<String>,
    errors: Vec<Fault>,
}

/// What is wrong with a record.
#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Fault {
    path: String,
    code: String,
    message: String,
    schema_path: Option<String>,
    column: Option<u64>,
}

/// A pipeline from `in` to `out` and `bad` through one stage, `work`, of these keys.
fn built<'a>(place: &'a Place, keys: &str) -> Esteira<'a> {
    let file = format!(
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\
         [stages.work]\nrejects = \"bad\"\noutput = \"out\"\n{keys}\n"
    );
    place.write("p.toml", file);
    place.esteira().pipeline("p.toml", &["--events", "events", "--progress", "none"])
}

/// Puts some lines together.
fn text(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

/// Runs such a pipeline over some lines; returns what came out.
#[track_caller]
fn through(keys: &str, lines: &[&str]) -> (Place, String) {
    let place = Place::new();
    place.write("in", text(lines));
    let done = built(&place, &format!("max_rejects = \"100%\"\n{keys}")).run().exits(0);
    drop(done.report());
    let out = place.text("out");
    (place, out)
}

/// Reads the dead letters.
fn letters(place: &Place) -> Vec<Letter> {
    place.text("bad").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Takes from each dead letter the line, and of each of its errors the code and the path.
fn told(place: &Place) -> Vec<(u64, Vec<(String, String)>)> {
    let faults = |letter: Letter| {
        let faults = letter.errors.into_iter().map(|fault| (fault.code, fault.path));
        (letter.line, faults.collect())
    };
    letters(place).into_iter().map(faults).collect()
}

/// The same where each has one error.
fn told_once(place: &Place) -> Vec<(u64, String, String)> {
    let one = |(line, mut faults): (u64, Vec<(String, String)>)| {
        assert_eq!(faults.len(), 1, "{faults:?}");
        let (code, path) = faults.remove(0);
        (line, code, path)
    };
    told(place).into_iter().map(one).collect()
}

/// What is wanted of [`told_once`], written shortly.
fn faults(wanted: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    let own =
        |(line, code, path): &(u64, &str, &str)| (*line, (*code).to_owned(), (*path).to_owned());
    wanted.iter().map(own).collect()
}

/// Takes from the report what a stage was given, and what became of it.
#[track_caller]
fn counts(done: &Finished, stage: &str) -> [u64; 5] {
    let table = &done.report()["stages"][stage];
    ["in", "accepted", "rejected", "dropped", "in_doubt"].map(|key| table[key].as_u64().unwrap())
}

/// A folder with the project's fixtures in it.
fn furnished() -> Place {
    let place = Place::new();
    let copied =
        Command::new("cp").arg("-R").args([project("fixtures"), place.path("fixtures")]).status();
    assert!(copied.unwrap().success());
    place
}

/// Runs a script of this folder, which judges what came out; returns what it prints.
#[track_caller]
fn judged(script: &str, arguments: &[&Path]) -> String {
    let python = needs("python3", "python3");
    let script = project("tests/it/builtin").join(script);
    let done = Command::new(python).arg(script).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}
