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

const PROGRAM: &str = env!("CARGO_BIN_EXE_esteira");

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

/// Makes a folder with the program in it.
fn program(place: &Place) -> PathBuf {
    let folder = place.path("programs");
    std::fs::create_dir_all(&folder).unwrap();
    let link = folder.join("esteira");
    if !link.exists() {
        std::os::unix::fs::symlink(PROGRAM, link).unwrap();
    }
    folder
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

/// Requires reports.
#[track_caller]
fn reported(place: &Place, reports: &[(&str, &str)]) {
    for (format, path) in reports {
        assert!(!place.read(path).is_empty(), "{format}: {path} is empty");
    }
}
