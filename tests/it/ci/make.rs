//! The rules for make, by the real one.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use super::super::harness::{Place, needs};
use super::{ends, search_path, spoil};

/// Runs make with the program on its path, and as if no other make ran this test.
pub(super) fn make(folder: &Path, arguments: &[&str]) -> Output {
    let program = Path::new(super::PROGRAM).parent().unwrap();
    let mut command = Command::new(needs("make", "make"));
    command.args(arguments).current_dir(folder).env("LC_ALL", "C").env("NO_COLOR", "1");
    for name in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONUNBUFFERED"] {
        command.env_remove(name);
    }
    command.env("PATH", search_path(&[program.to_owned()])).output().unwrap()
}

/// Makes a file as old as that.
pub(super) fn age(path: &Path, hours: u64) {
    let then = SystemTime::now() - Duration::from_secs(hours * 3600);
    File::options().append(true).open(path).unwrap().set_modified(then).unwrap();
}

/// Makes everything below a folder two hours old, and what was made one.
fn settle(folder: &Path, made: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            settle(&entry.path(), made);
        } else if kind.is_file() {
            age(&entry.path(), if entry.path() == made { 1 } else { 2 });
        }
    }
}

/// Runs make and tells whether it ran the pipeline.
#[track_caller]
fn makes(place: &Place) -> bool {
    let done = make(place.root(), &[]);
    ends(&done, 0);
    let out = String::from_utf8_lossy(&done.stdout);
    let ran = out.contains("esteira run");
    assert!(ran || out.contains("up to date") || out.contains("Nothing to be done"), "{out}");
    settle(place.root(), &place.path("a b/out/valid.ndjson"));
    ran
}

/// A folder with a pipeline that reads `data/*.ndjson`, and a Makefile that includes the rules.
fn users() -> Place {
    let place = Place::new();
    fs::create_dir(place.path(".git")).unwrap();
    drop(place.esteira().args(["init", "a b"]).run().exits(0));
    let text = place.text("a b/esteira.toml");
    let text = text.replace("path = \"users.ndjson\"", "path = \"data/*.ndjson\"");
    place.write("a b/esteira.toml", text);
    place.write("a b/data/1.ndjson", place.read("a b/users.ndjson"));
    place.write("a b/data/2.ndjson", "{\"id\":9,\"email\":\"a@b.c\",\"age\":9}\n");
    let done = place.esteira().args(["init", "--ci", "make", "a b"]).run().exits(0);
    drop(done.says("next: `include esteira.mk`"));
    place.write("Makefile", "all: a\\ b/out/valid.ndjson\n\ninclude esteira.mk\n");
    place
}

#[test]
fn what_is_made_is_made_again_when_something_that_it_was_made_of_has_changed() {
    let place = users();
    assert!(makes(&place), "there is nothing");
    assert_eq!(place.text("a b/out/valid.ndjson").lines().count(), 5);
    assert!(!makes(&place), "nothing has changed");
    let script = if place.has("a b/validate.py") { "validate.py" } else { "validate.sh" };
    for changed in ["data/1.ndjson", script, "esteira.toml"] {
        age(&place.path("a b").join(changed), 0);
        assert!(makes(&place), "{changed} has changed");
        assert!(!makes(&place), "{changed} has not changed again");
    }
    // What make cannot know: this one is none of the files that it was made of.
    age(&place.path("a b/users.ndjson"), 0);
    assert!(!makes(&place));
}

#[test]
fn what_is_removed_does_not_stop_make() {
    let place = users();
    assert!(makes(&place));
    fs::remove_file(place.path("a b/data/2.ndjson")).unwrap();
    assert!(makes(&place), "an input is gone");
    assert_eq!(place.text("a b/out/valid.ndjson").lines().count(), 4);
    assert!(!makes(&place), "and forgotten");
}

#[test]
fn without_a_makefile_the_rules_stand_alone() {
    let place = users();
    let alone = ["-f", "esteira.mk"];
    ends(&make(place.root(), &alone), 0);
    assert!(place.has("a b/out/valid.ndjson"));
    let done = make(place.root(), &alone);
    ends(&done, 0);
    assert!(String::from_utf8_lossy(&done.stdout).contains("up to date"));
}

#[test]
fn a_run_that_fails_leaves_no_target_and_fails_make() {
    for (breaks, code) in [("data", 1), ("script", 3)] {
        let place = users();
        if breaks == "data" {
            spoil(&place, "a b/data/1.ndjson");
        } else {
            place.write("a b/validate.py", "raise SystemExit(9)\n");
            place.write("a b/validate.sh", "kill -9 $$\n");
        }
        for _ in 0..2 {
            let done = make(place.root(), &[]);
            ends(&done, 2);
            let err = String::from_utf8_lossy(&done.stderr);
            assert!(err.contains(&format!("a b/out/valid.ndjson] Error {code}")), "{err}");
            assert!(!place.has("a b/out/valid.ndjson"));
        }
        assert_eq!(place.has("a b/out/valid.ndjson.d"), code == 1, "what a bad run read is known");
    }
}

#[test]
fn what_a_failed_run_published_is_removed() {
    let place = users();
    let text = place.text("a b/esteira.toml");
    let text = text.replace("[sinks.valid]\n", "[sinks.valid]\npublish = \"always\"\n");
    place.write("a b/esteira.toml", text);
    spoil(&place, "a b/data/1.ndjson");
    let done = make(place.root(), &[]);
    ends(&done, 2);
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(err.contains("Deleting file"), "{err}");
    assert!(!place.has("a b/out/valid.ndjson"));
}

#[test]
fn the_target_is_what_a_pipeline_that_is_there_writes() {
    let place = Place::new();
    place.write(
        "checks/p.toml",
        "[pipeline]\nroot = \"..\"\nrejects = \"no.ndjson\"\n\n\
         [sources.a]\ntype = \"file\"\npath = \"in.ndjson\"\n\n\
         [sinks.b]\ntype = \"file\"\npath = \"made/it's #1.ndjson\"\n",
    );
    place.write("in.ndjson", "{}\n");
    fs::create_dir(place.path(".git")).unwrap();
    drop(place.esteira().args(["init", "--ci", "make", "checks/p.toml"]).run().exits(0));
    let makes = || {
        let done = make(place.root(), &["-f", "esteira.mk"]);
        ends(&done, 0);
        String::from_utf8(done.stdout).unwrap()
    };
    assert!(makes().contains("esteira run"));
    assert_eq!(place.text("made/it's #1.ndjson"), "{}\n");
    assert!(makes().contains("up to date"));
}
