//! Who may know whom, and what only some may do.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{Code, behind, plain, program};
use super::{none, read, rust};

/// Which rooms each room may name (DESIGN.md, section 10).
const MAY_NAME: [(&str, &[&str]); 13] = [
    // `words` holds the belt, buffers, frames, letters, dead letters, policy and text, too: they
    // are shared by sources, stages and sinks, which must not know each other.
    ("words", &[]),
    ("json", &["words"]),
    ("config", &["words"]),
    ("plan", &["words", "config"]),
    ("child", &["words"]),
    ("publish", &["words"]),
    ("report", &["words"]),
    // What both sides of a belt need of a database; of `plan`, how one is reached.
    ("database", &["words", "plan"]),
    ("source", &["words", "json", "plan", "publish", "database"]),
    ("stage", &["words", "json", "plan", "publish", "child"]),
    ("sink", &["words", "json", "plan", "publish", "database"]),
    // Of `child`, `run` knows the nursery only: it hands it to the stages and tells it to pause.
    ("run", &["words", "plan", "source", "stage", "sink", "publish", "child"]),
    (
        "cli",
        &[
            "words", "json", "config", "plan", "child", "publish", "report", "source", "stage",
            "sink", "run",
        ],
    ),
];

#[test]
fn each_room_names_only_those_it_may_know() {
    let table: BTreeMap<&str, &[&str]> = MAY_NAME.into_iter().collect();
    let mut wrong = Vec::new();
    for Code { path, room, text } in program() {
        if matches!(path.as_str(), "src/lib.rs" | "src/main.rs") {
            continue;
        }
        let Some(may) = table.get(room.as_str()) else {
            wrong.push(format!("{path}: `{room}` is no room of the house"));
            continue;
        };
        let named: BTreeSet<&str> = behind(&text, "crate::").collect();
        let others = named.into_iter().filter(|name| *name != room && !may.contains(name));
        wrong.extend(others.map(|name| format!("{path}: `{room}` may not name `{name}`")));
    }
    none(&wrong, "who may know whom");
}

#[test]
fn what_a_file_knows_is_shown_by_its_first_lines() {
    let mut wrong = Vec::new();
    for Code { path, text, .. } in program() {
        let grouped = text.contains("crate::{");
        wrong.extend(grouped.then(|| format!("{path}: `crate::{{…}}`")));
        let everything = text.contains("::*;") || text.contains("use super::");
        wrong.extend(everything.then(|| format!("{path}: `use super::…` or `…::*`")));
    }
    none(&wrong, "imports are written as `crate::room::…`, never as a group");
}

#[test]
fn rooms_do_only_what_is_theirs() {
    let io =
        ["std::fs", "std::net", "std::process", "std::env", "rustix::", "tokio::net", "libc::"];
    let environment = ["std::env::", "println!", "eprintln!", "process::exit"];
    let mut wrong = Vec::new();
    for Code { path, room, text } in program() {
        let mut forbid = |words: &[&str], why: &str| {
            let found = words.iter().filter(|word| text.contains(**word));
            wrong.extend(found.map(|word| format!("{path}: `{word}` {why}")));
        };
        match room.as_str() {
            "words" | "json" => forbid(&io, "in a room that does no I/O"),
            "config" => forbid(&["std::fs", "std::env"], "in a room that reads text, not files"),
            _ => {}
        }
        if room != "cli" && room != "main" {
            forbid(&environment, "outside `cli`, which alone prints and reads the environment");
        }
        if room != "child" {
            forbid(
                &["Command::new", "CommandExt"],
                "outside `child`, which alone starts processes",
            );
        }
    }
    none(&wrong, "what a room does");
}

#[test]
fn one_place_starts_processes() {
    let builds = |code: &&Code| code.text.contains("Command::new");
    let places: Vec<String> = program().iter().filter(builds).map(|c| c.path.clone()).collect();
    assert_eq!(places, ["src/child/spawn.rs"]);
}

#[test]
fn two_small_places_are_unsafe() {
    let all = rust("src").chain(rust("tests"));
    let is_unsafe = |path: &String| {
        let text = plain(&read(path));
        ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"].iter().any(|u| text.contains(u))
    };
    // System calls that no safe wrapper covers, and the loads of the JSON filter's vectors.
    let places = ["src/child/sys.rs", "src/json/filter/avx2.rs"];
    let mut found: Vec<String> = all.filter(is_unsafe).collect();
    found.sort();
    assert_eq!(found, places);
    for place in places {
        let lines = read(place).lines().count();
        assert!(lines <= 150, "{place} has {lines} lines");
    }
}

#[test]
fn the_map_shows_every_room() {
    let text = read("src/lib.rs");
    let rooms: BTreeSet<&str> = behind(&text, "pub mod ").collect();
    let known: BTreeSet<&str> = MAY_NAME.iter().map(|(room, _)| *room).collect();
    assert_eq!(rooms, known, "the table of this test and the rooms");
    for room in rooms {
        assert!(text.contains(&format!("//! - [`{room}`]: ")), "`{room}` is not on the map");
    }
}
