//! Runs what README, docs/, tests/cmd/ and validators/ show, and compares what it prints.
//!
//! A block marked `console` is a transcript: `$ COMMAND` (`> ` goes on with it), then all that it
//! prints, stdout and stderr together as a terminal has them, then `[exit N]` unless N is 0. In
//! what it prints a line `...` stands for any lines, `[..]` for any text in a line; how long a
//! run took is not compared. A block with `file=PATH` behind its language is written there
//! first. A document has a folder of its own, which begins as the project's: `fixtures/`,
//! `validators/` and the Makefile, whose `cargo run` is the program built already.

use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::harness::{Place, project};

/// Longer than any command shown may take.
const LIMIT: &str = "60";

#[test]
fn what_the_front_page_shows_is_true() {
    let pages = markdown("");
    assert!(pages.iter().any(|page| page.ends_with("README.md")));
    run_all(&pages);
}

#[test]
fn what_the_documents_show_is_true() {
    run_all(&markdown("docs"));
}

#[test]
fn what_the_transcripts_show_is_true() {
    run_all(&markdown("tests/cmd"));
}

#[test]
fn what_the_contract_shows_is_true() {
    run_all(&markdown("validators"));
}

#[test]
fn links_lead_somewhere() {
    let folders = ["", "docs", "tests/cmd", "validators"];
    for page in folders.into_iter().flat_map(markdown) {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            let found = page.parent().unwrap().join(file);
            let local = !file.contains("://");
            assert!(!local || found.exists(), "{}: {target}", page.display());
        }
    }
}

#[test]
fn every_key_is_described() {
    let keys = fs::read_to_string(project("fixtures/pipelines/valid/every-key.toml")).unwrap();
    let text = fs::read_to_string(project("docs/reference.md")).unwrap();
    let keys = keys.lines().filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
    for (key, _) in keys.filter(|(key, _)| key.bytes().all(|b| b == b'_' || b.is_ascii_lowercase()))
    {
        assert!(text.contains(&format!("`{key}`")), "`{key}` is not described");
    }
}

/// Lists the documents of a folder of the project.
fn markdown(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(project(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.sort();
    pages
}

fn run_all(pages: &[PathBuf]) {
    let wrong: Vec<String> = pages.iter().flat_map(|page| run(page)).collect();
    assert!(wrong.is_empty(), "\n\n{}", wrong.join("\n\n"));
}

/// Runs a document from top to bottom; returns what is not as it says.
fn run(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let place = furnish();
    let mut wrong = Vec::new();
    for block in blocks(&text) {
        let mut words = block.info.split_whitespace();
        let console = words.next() == Some("console");
        if let Some(path) = words.find_map(|word| word.strip_prefix("file=")) {
            place.write(path, block.lines.join("\n") + "\n");
        }
        let calls = if console { calls(&block) } else { Vec::new() };
        for call in calls {
            let printed = play(&place, &call.command);
            if !tells(&call.prints, &printed) {
                let (page, line) = (page.display(), call.line);
                let (shown, printed) = (call.prints.join("\n"), printed.join("\n"));
                let command = call.command;
                wrong.push(format!(
                    "{page}:{line}: $ {command}\n--- shown\n{shown}\n--- printed\n{printed}"
                ));
            }
        }
    }
    wrong
}

/// A fenced block: what stands behind the fence, and where its first line is.
struct Block<'a> {
    info: &'a str,
    line: usize,
    lines: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let inside = lines.by_ref().map(|(_, line)| line);
        found.push(Block {
            info,
            line: number + 1,
            lines: inside.take_while(|line| *line != "```").collect(),
        });
    }
    found
}

/// A command of a transcript and what it is said to print.
struct Call<'a> {
    command: String,
    line: usize,
    prints: Vec<&'a str>,
}

fn calls<'a>(block: &Block<'a>) -> Vec<Call<'a>> {
    let mut calls: Vec<Call<'a>> = Vec::new();
    for (line, text) in (block.line..).zip(&block.lines) {
        if let Some(command) = text.strip_prefix("$ ") {
            calls.push(Call { command: command.to_owned(), line, prints: Vec::new() });
            continue;
        }
        let call = calls.last_mut().expect("a transcript begins with `$ `");
        match text.strip_prefix("> ").filter(|_| call.prints.is_empty()) {
            Some(more) => call.command = format!("{}\n{more}", call.command),
            None => call.prints.push(text),
        }
    }
    calls
}

/// Makes the folder that a document's commands run in.
fn furnish() -> Place {
    let place = Place::new();
    for name in ["Makefile", "fixtures", "validators"] {
        let copied = Command::new("cp").arg("-R").args([project(name), place.path(name)]).status();
        assert!(copied.unwrap().success(), "{name}");
    }
    place.script(
        ".bin/cargo",
        "#!/bin/sh\n# Stands in for `cargo run --quiet -- ARGUMENTS`.\nshift 3\nexec esteira \"$@\"\n",
    );
    place
}

/// Runs a command and returns the lines it printed, its exit code behind them.
fn play(place: &Place, command: &str) -> Vec<String> {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut child = Command::new("timeout")
        .args([LIMIT, "sh", "-c", command])
        .current_dir(place.root())
        .env("PATH", search_path(place))
        .env("NO_COLOR", "1")
        .env_remove("PYTHONUNBUFFERED")
        // `make test` runs this test: its own `make` must not take itself for a part of that.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .stdin(Stdio::null())
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .spawn()
        .unwrap();
    let mut printed = Vec::new();
    reader.read_to_end(&mut printed).unwrap();
    let code = child.wait().unwrap().code();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let mut lines: Vec<String> = printed.lines().map(str::to_owned).collect();
    if code != Some(0) {
        lines.push(code.map_or("[no exit code]".to_owned(), |code| format!("[exit {code}]")));
    }
    lines
}

/// The program's folder first, then the stand-ins, then the machine's.
fn search_path(place: &Place) -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_esteira")).parent().unwrap();
    let all = std::env::var_os("PATH").unwrap_or_default();
    let folders = [program.to_owned(), place.path(".bin")];
    std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&all))).unwrap()
}

/// Tells whether what was printed is what is shown, but for how the time was spent.
fn tells(shown: &[&str], printed: &[String]) -> bool {
    let shown: Vec<&str> = shown.iter().copied().filter(|line| !of_time(line)).collect();
    let printed: Vec<String> = printed.iter().filter(|line| !of_time(line)).cloned().collect();
    fits(&shown, &printed)
}

/// Tells whether a line is about how the time was spent: only a long run has them.
fn of_time(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let shares = words.len() > 4 && words[words.len() - 3..].iter().all(|word| word.ends_with('%'));
    shares
        || words == ["lived", "busy", "starved", "blocked"]
        || line.contains("` held up the run: ")
}

fn fits(shown: &[&str], printed: &[String]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=printed.len()).any(|skip| fits(rest, &printed[skip..])),
        (Some((first, rest)), Some((line, more))) => fits_line(first, line) && fits(rest, more),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn fits_line(shown: &str, printed: &str) -> bool {
    let (shown, printed) = (timeless(shown), timeless(printed));
    let mut parts = shown.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        rest = behind;
    }
    rest.ends_with(last)
}

/// Leaves out how long a run took: of `5,000 lines in 0.67 s, 7,519/s` only `5,000` stays.
fn timeless(line: &str) -> &str {
    let counted = line.starts_with(|c: char| c.is_ascii_digit());
    let times = [" lines in ", " line in "].iter().find_map(|word| line.split_once(word));
    times.filter(|_| counted).map_or(line, |(count, _)| count)
}

#[test]
fn dots_stand_for_lines_and_brackets_for_text() {
    let printed = ["one 1", "two", "3 lines in 0.1 s", "four"].map(str::to_owned);
    for shown in [
        &["one 1", "two", "3 lines in 7 s, 1/s", "four"][..],
        &["one [..]", "...", "four"],
        &["...", "two", "...", "f[..]r"],
        &["..."],
    ] {
        assert!(fits(shown, &printed), "{shown:?}");
    }
    for shown in [
        &["one 1", "two", "3 lines in 0.1 s"][..],
        &["...", "one", "..."],
        &["one 1", "two", "4 lines in 0.1 s", "four"],
        &["one 1[..]x", "..."],
        &[],
    ] {
        assert!(!fits(shown, &printed), "{shown:?}");
    }
    let long = [
        "1 line in 2 s",
        "    lived   busy   starved   blocked",
        "a   2.0 s    12%        0%       88%",
    ]
    .map(str::to_owned);
    assert!(tells(&["1 line in 0.2 s"], &long) && !tells(&["2 lines in 2 s"], &long));
}
