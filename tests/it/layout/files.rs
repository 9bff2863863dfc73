//! What each file must be, and which must be there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::harness::project;
use super::code::{folder_of, plain};
use super::{files, none, read, rust};

#[test]
fn files_are_short() {
    let long = rust("src").chain(rust("tests")).filter_map(|path| {
        let lines = read(&path).lines().count();
        (lines > 500).then(|| format!("{path}: {lines} lines"))
    });
    none(&long.collect::<Vec<_>>(), "500 lines are the limit");
}

#[test]
fn each_file_begins_with_what_it_is_for() {
    let silent = rust("src").filter(|path| !path.ends_with("tests.rs")).filter_map(|path| {
        let text = read(&path);
        (!text.starts_with("//! ")).then(|| format!("{path} does not begin with `//! `"))
    });
    none(&silent.collect::<Vec<_>>(), "a file says what it is for");
}

#[test]
fn every_test_file_is_run() {
    let mut reached = BTreeSet::from(["tests/it/main.rs".to_owned()]);
    let mut open: Vec<String> = reached.iter().cloned().collect();
    while let Some(path) = open.pop() {
        let text = plain(&read(&path));
        let lines = text.lines().filter_map(|line| {
            line.trim().trim_start_matches("pub(crate) ").strip_prefix("mod ")?.strip_suffix(';')
        });
        let folder = folder_of(&path);
        for name in lines {
            for file in [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")] {
                if project(&file).is_file() && reached.insert(file.clone()) {
                    open.push(file);
                }
            }
        }
    }
    assert_eq!(rust("tests/it").collect::<BTreeSet<_>>(), reached);
}

#[test]
fn every_target_of_the_makefile_is_explained() {
    let text = read("Makefile");
    let targets = text.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        let plain = |c: char| c.is_alphanumeric() || "-_./% ".contains(c);
        let assigns = line.split_once(':').is_some_and(|(_, rest)| rest.starts_with('='));
        line.contains(':')
            && !line.starts_with(['\t', ' ', '#', '.'])
            && !assigns
            && !name.is_empty()
            && name.chars().all(plain)
    });
    let targets: Vec<&str> = targets.collect();
    assert!(targets.len() > 3, "{targets:?}");
    let silent = targets.into_iter().filter(|line| !line.contains("## ")).map(str::to_owned);
    none(&silent.collect::<Vec<_>>(), "`make help` shows what stands behind `##`");
}

#[test]
fn each_mistaken_pipeline_has_its_message() {
    let files = files("fixtures/pipelines/invalid");
    let stems = |end: &str| {
        let stems = files.iter().filter_map(|path| path.strip_suffix(end).map(str::to_owned));
        stems.collect::<BTreeSet<_>>()
    };
    assert!(!stems(".toml").is_empty());
    assert_eq!(stems(".toml"), stems(".txt"));
}

#[test]
fn what_a_reader_looks_for_is_there() {
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"] {
        assert!(read(name).lines().count() > 5, "{name}");
    }
    let root = fs::read_dir(project("")).unwrap().map(|entry| entry.unwrap().file_name());
    let licenses: Vec<_> = root.filter(|n| n.to_str().unwrap().starts_with("LICENSE")).collect();
    assert!(!licenses.is_empty(), "there is no LICENSE");
    let lines = read("ARCHITECTURE.md").lines().count();
    assert!(lines <= 150, "ARCHITECTURE.md has {lines} lines");
}

/// What is not the project's: build products, and what `.gitignore` names.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    !["target", "out", ".git", ".esteira"].contains(&name)
}

fn texts(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if !is_ours(&path) {
            continue;
        }
        if kind.is_dir() {
            texts(&path, found);
        } else if let Some(text) = kind.is_file().then(|| fs::read_to_string(&path).ok()).flatten()
        {
            found.push((path, text));
        }
    }
}

#[test]
fn nothing_speaks_of_the_machine_it_was_made_on() {
    // Put together here, so that this file does not hold them itself.
    let banned = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"]];
    let hosts =
        [["artifac", "tory"], ["index.", "crates.io"], ["py", "pi.org"], ["registry.", "npmjs"]];
    let banned: Vec<String> = banned.iter().chain(&hosts).map(|word| word.concat()).collect();
    let mut all = Vec::new();
    texts(&project(""), &mut all);
    assert!(all.len() > 100, "{} files", all.len());
    let mut wrong = Vec::new();
    for (path, text) in all {
        for (number, line) in (1..).zip(text.lines()) {
            let found = banned.iter().filter(|word| line.contains(*word));
            wrong.extend(found.map(|word| format!("{}:{number}: {word}", path.display())));
        }
        if path.ends_with("Cargo.lock") {
            let lines = text.lines().filter(|line| line.starts_with("source = "));
            let official = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
            let other = lines.filter(|line| *line != official);
            wrong.extend(other.map(|line| format!("Cargo.lock: {line}")));
        }
    }
    none(&wrong, "paths and hosts of one machine");
}
