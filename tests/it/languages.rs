//! Validators in many languages: the same records, the same verdicts.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::harness::{Place, here, project};

/// The name of an example stands for its program, which is built first.
const RUST: &str = "examples/validate_user";

/// A program that judges users by the rules of `validators/`.
struct Row {
    name: &'static str,
    /// What must be installed.
    needs: &'static str,
    /// The command; a protocol that it does not serve has none.
    stream: &'static str,
    records: &'static str,
}

const fn row(
    name: &'static str,
    needs: &'static str,
    stream: &'static str,
    records: &'static str,
) -> Row {
    Row { name, needs, stream, records }
}

/// The first is what the others are held against.
const ROWS: &[Row] = &[
    row(
        "Python",
        "python3",
        "python3 validators/python/validate_user.py",
        "python3 validators/python/validate_user.py --records",
    ),
    row("Python, helper", "python3", "", "python3 validators/python/validate_user_worker.py"),
    row(
        "Node",
        "node",
        "node validators/node/validate_user.js",
        "node validators/node/validate_user.js --records",
    ),
    row("Node, helper", "node", "", "node validators/node/validate_user_worker.js"),
    row("jq", "jq", "validators/jq/validate_user", "validators/jq/validate_user --records"),
    row(
        "gawk",
        "gawk",
        "env LC_ALL=C gawk -f validators/awk/validate_user.awk",
        "env LC_ALL=C gawk -v records=1 -f validators/awk/validate_user.awk",
    ),
    row(
        "mawk",
        "mawk",
        "env LC_ALL=C mawk -f validators/awk/validate_user.awk",
        "env LC_ALL=C mawk -W interactive -v records=1 -f validators/awk/validate_user.awk",
    ),
    row("sh", "awk", "sh validators/sh/validate_user.sh", ""),
    row(
        "Perl",
        "perl",
        "perl validators/perl/validate_user.pl",
        "perl validators/perl/validate_user.pl --records",
    ),
    row(
        "Ruby",
        "ruby",
        "ruby validators/ruby/validate_user.rb",
        "ruby validators/ruby/validate_user.rb --records",
    ),
    row("Rust", "cargo", RUST, "examples/validate_user --records"),
];

/// The commands that serve a protocol, where their languages are there; the others are named.
fn commands(protocol: &str) -> impl Iterator<Item = (&'static str, Vec<String>)> {
    let served = ROWS.iter().map(move |row| match protocol {
        "stream" => (row, row.stream),
        _ => (row, row.records),
    });
    let served = served.filter(|(row, command)| !command.is_empty() && here(row.needs));
    served.map(|(row, command)| (row.name, command.split(' ').map(resolved).collect()))
}

fn resolved(word: &str) -> String {
    let path = match word {
        RUST => example(),
        word if word.starts_with("validators/") => project(word),
        word => return word.to_owned(),
    };
    path.into_os_string().into_string().unwrap()
}

/// Builds the validator in Rust, which `cargo test --test it` by itself does not.
fn example() -> PathBuf {
    let profile: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", "validate_user"]).args(profile);
    assert!(build.current_dir(project("")).status().unwrap().success());
    PathBuf::from(env!("CARGO_BIN_EXE_esteira")).with_file_name(RUST)
}

/// All the users there are, good, bad and no users at all.
fn users() -> Vec<u8> {
    let files = ["validators/cases/good", "validators/cases/bad"].into_iter();
    let files = files.chain(["fixtures/records/users", "fixtures/records/dirty"]);
    files.flat_map(|name| fs::read(project(&format!("{name}.ndjson"))).unwrap()).collect()
}

/// What of a dead letter does not depend on who wrote it.
#[derive(Debug, PartialEq, Deserialize)]
struct Letter {
    line: u64,
    errors: Value,
}

/// The records that come out of a program, and the others' dead letters.
fn judge(protocol: &str, workers: &str, argv: &[String], users: &[u8]) -> (Vec<u8>, Vec<Letter>) {
    let place = Place::new();
    place.write("in", users);
    let options = ["-j", workers, "--rejects", "bad", "--max-rejects", "100%"];
    let options = [&["--protocol", protocol], &options[..]].concat();
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let done = place.esteira().pipe("in", "out", &options, &argv).run().exits(0);
    done.report();
    let letters = place.text("bad");
    let letters = letters.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut letters: Vec<Letter> = letters.collect();
    // The source's may stand among the stage's in any way.
    letters.sort_by_key(|letter| letter.line);
    (place.read("out"), letters)
}

/// Says what a command does otherwise than the first.
fn differs(first: &(Vec<u8>, Vec<Letter>), found: &(Vec<u8>, Vec<Letter>)) -> Option<String> {
    let lines =
        |out: &[u8]| out.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    if let Some((wanted, other)) =
        lines(&first.0).iter().zip(&lines(&found.0)).find(|(a, b)| a != b)
    {
        let [wanted, other] =
            [wanted, other].map(|line| String::from_utf8_lossy(line).into_owned());
        return Some(format!("{other}\n  comes instead of {wanted}"));
    }
    let letters = first.1.iter().zip(&found.1).find(|(a, b)| a != b);
    let letters = letters.map(|(wanted, other)| format!("{other:?}\n  instead of {wanted:?}"));
    letters.or_else(|| (first != found).then(|| "there are more or fewer".to_owned()))
}

#[track_caller]
fn all_agree(protocol: &str, workers: &str) {
    let users = users();
    let mut commands = commands(protocol);
    let (_, first) = commands.next().unwrap();
    let first = judge(protocol, workers, &first, &users);
    assert!(first.0.len() > 1_000_000 && first.1.len() > 100);
    let wrong = commands.filter_map(|(name, argv)| {
        let found = judge(protocol, workers, &argv, &users);
        differs(&first, &found).map(|how| format!("{name}: {how}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn filters_in_all_languages_let_the_same_records_pass() {
    all_agree("stream", "1");
}

#[test]
fn workers_in_all_languages_give_the_same_verdicts() {
    all_agree("records", "2");
}

/// A process for each record says no more than its exit code and what it prints.
#[test]
fn a_process_for_each_record_comes_to_the_same() {
    let users = users();
    let few: Vec<u8> =
        users.split_inclusive(|b| *b == b'\n').take(150).flatten().copied().collect();
    let python: Vec<String> = ROWS[0].stream.split(' ').map(resolved).collect();
    let (wanted, _) = judge("stream", "1", &python, &few);
    let sh = ["sh".to_owned(), resolved("validators/sh/check_user.sh")];
    let (found, letters) = judge("command", "2", &sh, &few);
    assert!(found == wanted && letters.iter().any(|letter| letter.errors[0]["code"] == "exit.1"));
}

/// Runs a test that stands beside what it tests, and shows what it says if it fails.
#[track_caller]
fn passes(program: &str, arguments: &[String]) {
    let mut test = Command::new(program);
    test.args(arguments).env_remove("PYTHONUNBUFFERED");
    let done = test.output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "{program} {arguments:?}\n{}", String::from_utf8_lossy(&said));
}

/// Replies at once, any ids, narrow pipes, long records, ends of all kinds.
#[test]
fn workers_in_all_languages_keep_the_contract() {
    for (_, argv) in commands("records") {
        let contract = [vec![resolved("validators/cases/records.py")], argv].concat();
        passes("python3", &contract);
    }
}

/// A folder without a test of its own fails, too.
#[test]
fn each_language_passes_its_own_test() {
    for folder in fs::read_dir(project("validators")).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        let missing = ["jq", "perl", "ruby"].contains(&&*name) && !here(&name);
        if name == "cases" || folder.path().is_file() || missing {
            continue;
        }
        let path = |name: &str| folder.path().join(name).into_os_string().into_string().unwrap();
        match &*name {
            "python" => {
                let files = fs::read_dir(folder.path()).unwrap();
                let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
                for test in files.filter(|file| file.starts_with("test_")) {
                    passes("python3", &[path(&test)]);
                }
            }
            "awk" => {
                for awk in ["gawk", "mawk"].into_iter().filter(|awk| here(awk)) {
                    passes("sh", &[path("test.sh"), awk.to_owned()]);
                }
            }
            "rust" => passes("sh", &[path("test.sh"), resolved(RUST)]),
            _ => passes("sh", &[path("test.sh")]),
        }
    }
}
