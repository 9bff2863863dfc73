//! The pipeline files in `fixtures/pipelines`: each valid one compiles, each invalid one is
//! answered by exactly the message beside it. `ESTEIRA_BLESS=1` writes the messages anew.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use esteira::config::Written;
use esteira::config::load::load;
use esteira::plan::Plan;
use esteira::plan::compile::{World, with_tests};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");
const VALID: &str = "fixtures/pipelines/valid";
const INVALID: &str = "fixtures/pipelines/invalid";

#[expect(clippy::disallowed_methods, reason = "the tests stand where the cli stands")]
fn environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// Loads and compiles a file as `esteira check` does in the repository's folder.
fn check(name: &str) -> Result<Plan, String> {
    let root = Path::new(REPOSITORY);
    let text = fs::read_to_string(root.join(name)).unwrap();
    let world = World {
        root_default: root.join(name).parent().unwrap().to_owned(),
        caller: root.to_owned(),
        env: environment(),
    };
    let written = Written { name, text: &text, sets: &[] };
    // No variable is set, so that the messages are the same everywhere.
    load(&written, &|_| None)
        .and_then(|config| with_tests(&config, &world))
        .map(|(plan, _)| plan)
        .map_err(|mistakes| mistakes.render(false))
}

/// The names of the files in a folder that end in `end`, without it.
fn stems(folder: &str, end: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(REPOSITORY).join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(end).map(str::to_owned)).collect()
}

#[test]
fn every_valid_pipeline_compiles() {
    let stems = stems(VALID, ".toml");
    assert!(stems.contains("users"), "the demo is among them");
    for stem in stems {
        if let Err(message) = check(&format!("{VALID}/{stem}.toml")) {
            panic!("{stem} must compile:\n{message}");
        }
    }
}

#[test]
fn the_demo_is_what_it_says() {
    let plan = check(&format!("{VALID}/users.toml")).unwrap();
    assert_eq!(plan.name, "users");
    let target = PathBuf::from(REPOSITORY).join("out/validated-users.ndjson");
    assert_eq!(plan.display(&target), "out/validated-users.ndjson");
    let sink = plan.sinks.first().unwrap();
    assert_eq!(sink.output, esteira::plan::Output::File(target));
    assert_eq!(plan.stages[0].program().unwrap().command.folder, Path::new(REPOSITORY));
}

#[test]
fn every_invalid_pipeline_is_answered_by_its_message() {
    let files = stems(INVALID, ".toml");
    let bless = environment().iter().any(|(name, _)| name == "ESTEIRA_BLESS");
    let mut wrong = Vec::new();
    for stem in &files {
        let message = check(&format!("{INVALID}/{stem}.toml")).unwrap_err();
        assert!(!message.contains(REPOSITORY), "{stem} shows a machine's path:\n{message}");
        let path = Path::new(REPOSITORY).join(format!("{INVALID}/{stem}.txt"));
        if bless {
            fs::write(path, message).unwrap();
        } else if fs::read_to_string(path).unwrap_or_default() != message {
            wrong.push(format!("{stem}:\n{message}"));
        }
    }
    assert!(wrong.is_empty(), "not what is written beside them:\n{}", wrong.join("\n"));
    assert_eq!(files, stems(INVALID, ".txt"), "each has its message and nothing is left over");
}
