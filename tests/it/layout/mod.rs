//! The rules of the house, held by reading its files.

mod code;
mod files;
mod rooms;

use std::fs;
use std::path::Path;

use super::harness::project;

/// Reads a file of the project.
fn read(path: &str) -> String {
    fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Lists the files below a folder of the project, by their paths in it.
fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(project(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = Path::new(folder).join(entry.file_name()).to_str().unwrap().to_owned();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Lists those of them that are Rust.
fn rust(folder: &str) -> impl Iterator<Item = String> {
    files(folder)
        .into_iter()
        .filter(|path| Path::new(path).extension().is_some_and(|end| end == "rs"))
}

#[track_caller]
fn none(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}
