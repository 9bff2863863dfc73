//! What runs a pipeline in CI: templates, the action and the hooks, read by others' parsers, their
//! steps really run in the environment that the service gives.

mod action;
mod depfile;
mod escapes;
mod github;
mod gitlab;
mod hooks;
mod init;
mod make;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::harness::{Place, needs, project};

/// The formats of `--report` and the verbs that the steps call and this version has. What is not
/// listed here is left out of their calls; a test holds the list to what the program says.
const REPORTS: &[&str] = &["json", "junit", "sarif", "github", "gitlab"];
const VERBS: &[&str] = &["run", "check", "test"];

/// All that they call.
const ALL_REPORTS: [&str; 6] = ["json", "junit", "sarif", "github", "gitlab", "html"];
const ALL_VERBS: [&str; 3] = ["run", "check", "test"];

const PROGRAM: &str = env!("CARGO_BIN_EXE_esteira");

#[test]
fn what_is_left_out_of_calls_is_what_this_version_lacks() {
    let place = Place::new();
    for format in ALL_REPORTS {
        let asked = format!("{format}=x");
        let done = place.esteira().args(["run", "--report", &asked, "none.toml"]).run().exits(2);
        let known = !done.stderr.contains("is no report format");
        assert_eq!(known, REPORTS.contains(&format), "bring `REPORTS` up to date: {format}");
    }
    for verb in ALL_VERBS {
        let done = place.esteira().args([verb, "--help"]).run();
        let known = done.code() == 0;
        assert_eq!(known, VERBS.contains(&verb), "bring `VERBS` up to date: {verb}");
    }
}

/// Reads YAML by a parser that is not ours.
fn yaml(path: &Path) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let run = |python: &str| {
        let done = Command::new(python).args(["-c", script]).arg(path).output();
        done.ok().filter(|done| done.status.success())
    };
    // The system's knows the packages of the system.
    let done = [&needs("python3", "python3"), "/usr/bin/python3"].into_iter().find_map(run);
    let done = done.unwrap_or_else(|| panic!("{}: or install python3-yaml", path.display()));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Reads a text that must be there.
#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// Makes a folder with the program in it, as far as this version has what is called.
fn program(place: &Place) -> PathBuf {
    let lacks = |all: &[&str], has: &[&str], end: &str| {
        let lacking = all.iter().filter(|word| !has.contains(word));
        lacking.fold("-".to_owned(), |words, word| format!("{words}|{word}{end}"))
    };
    let script = include_str!("lacking.sh")
        .replace("@VERBS@", &lacks(&ALL_VERBS, VERBS, ""))
        .replace("@REPORTS@", &lacks(&ALL_REPORTS, REPORTS, "=*"))
        .replace("@PROGRAM@", PROGRAM);
    place.script("programs/esteira", &script);
    place.path("programs")
}

/// Returns the machine's search path behind some folders, without an `esteira` of the machine's.
fn search_path(folders: &[PathBuf]) -> OsString {
    let all = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&all).filter(|folder| !folder.join("esteira").exists());
    std::env::join_paths(folders.iter().cloned().chain(others)).unwrap()
}

/// Runs a script as services do, in a folder.
fn bash(folder: &Path, script: &str, path: &OsString, variables: &[(&str, &str)]) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let mut command = Command::new(needs("bash", "bash"));
    command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(file.path());
    command.current_dir(folder).env("PATH", path).env("CI", "true").env("NO_COLOR", "1");
    command.env_remove("PYTHONUNBUFFERED").envs(variables.iter().copied());
    command.output().unwrap()
}

/// Requires an exit code.
#[track_caller]
fn ends(done: &Output, code: i32) {
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(code), "stdout:\n{out}\nstderr:\n{err}");
}

/// Puts together a call of git, without whatever it is told elsewhere on this machine.
fn git_call(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(needs("git", "git"));
    let settings = ["user.name=t", "user.email=t@example.com", "init.defaultBranch=main"];
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    // A hook that runs these tests tells git where it is.
    command.env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE").env_remove("GIT_WORK_TREE");
    command.args(arguments).current_dir(folder);
    command
}

/// Runs git.
fn git(folder: &Path, arguments: &[&str]) -> Output {
    let done = git_call(folder, arguments).output().unwrap();
    ends(&done, 0);
    done
}

/// Makes it one record too many that is bad: the templates' pipeline allows one.
fn spoil(place: &Place, users: &str) {
    let text = place.text(users) + "{\"id\":6,\"email\":\"none\",\"age\":6}\n";
    place.write(users, text);
}

/// Reads a template.
fn template(path: &str) -> String {
    std::fs::read_to_string(project("fixtures/init/ci").join(path)).unwrap()
}

/// Requires reports, as far as this version has them.
#[track_caller]
fn reported(place: &Place, reports: &[(&str, &str)]) {
    for (format, path) in reports.iter().filter(|(format, _)| REPORTS.contains(format)) {
        assert!(!place.read(path).is_empty(), "{format}: {path} is empty");
    }
}
