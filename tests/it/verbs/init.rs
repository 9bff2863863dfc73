//! `esteira init` writes what runs at once, and overwrites nothing.

use std::fs;
use std::os::unix::fs::symlink;

use esteira::config::manual::json_schema;

use super::super::harness::{Place, needs};

/// Runs what was written and looks at what came of it.
fn runs(place: &Place, file: &str, path: Option<&str>) {
    let call = place.esteira().pipeline(file, &[]);
    let call = if let Some(path) = path { call.env("PATH", path) } else { call };
    let report = call.run().exits(0).report();
    assert_eq!(report["sinks"]["valid"]["written"], 4, "{report}");
    assert_eq!(report["stages"]["validate"]["rejected"], 1, "{report}");
    let call = place.esteira().args(["test", file]);
    let call = if let Some(path) = path { call.env("PATH", path) } else { call };
    let done = call.run().exits(0);
    assert!(done.stdout.ends_with(b"1 passed, 0 failed\n"), "{done}", done = done.stderr);
}

#[test]
fn a_new_pipeline_runs_at_once() {
    for (place_of_it, file, folder) in [
        (None, "esteira.toml", ""),
        (Some("users"), "users/esteira.toml", "users/"),
        (Some("a/b/users.toml"), "a/b/users.toml", "a/b/"),
    ] {
        let place = Place::new();
        let done = place.esteira().args(["init"]).args(place_of_it).run().exits(0);
        assert!(done.stdout.is_empty());
        let next = if place_of_it.is_some() { format!(" {file}") } else { String::new() };
        drop(done.says(&format!("next: esteira run{next}\n")));
        runs(&place, file, None);
        let letter = place.text(&format!("{folder}out/rejected.ndjson"));
        assert!(letter.contains("\"line\":3") && letter.contains("is no e-mail"), "{letter}");
        assert_eq!(place.text(&format!("{folder}esteira.schema.json")), json_schema());
    }
}

#[test]
fn without_python_it_runs_as_well() {
    let place = Place::new();
    for program in ["sh", "grep"] {
        fs::create_dir_all(place.path("bin")).unwrap();
        symlink(needs(program, program), place.path("bin").join(program)).unwrap();
    }
    let path = place.path("bin").to_str().unwrap().to_owned();
    drop(place.esteira().args(["init"]).env("PATH", &path).run().exits(0));
    assert!(place.has("validate.sh") && !place.has("validate.py"));
    runs(&place, "esteira.toml", Some(&path));
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::new();
    place.write("esteira.toml", "mine");
    let done = place.esteira().args(["init"]).run().exits(2);
    drop(done.says("`esteira.toml` is there already"));
    assert_eq!(place.text("esteira.toml"), "mine");
    assert!(!place.has("users.ndjson"), "all or nothing");

    // What was written before, and is as it was, stands in nobody's way.
    drop(place.esteira().args(["init", "here.toml"]).run().exits(0));
    fs::remove_file(place.path("users.ndjson")).unwrap();
    drop(place.esteira().args(["init", "here.toml"]).run().exits(0).says("wrote users.ndjson"));

    // A link that leads nowhere may be meant for something.
    let other = Place::new();
    symlink("nowhere", other.path("users.ndjson")).unwrap();
    drop(other.esteira().args(["init"]).run().exits(2).says("`users.ndjson`"));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let place = Place::new();
    place.write("file", "");
    drop(place.esteira().args(["init", "file/below"]).run().exits(2).says("file/below"));
}
