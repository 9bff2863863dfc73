//! Hooks for pre-commit, really run in repositories of their own.

use std::path::Path;
use std::process::{Command, Output};

use super::super::harness::{Place, needs, project};
use super::{git, git_call, program, search_path, spoil};

/// Runs `pre-commit` with a cache of its own.
fn pre_commit(place: &Place, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(needs("pre-commit", "pre-commit"));
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    with_program(place, &mut command).output().unwrap()
}

fn with_program<'a>(place: &Place, command: &'a mut Command) -> &'a mut Command {
    command.env("PATH", search_path(&[program(place)])).env_remove("PYTHONUNBUFFERED");
    command.env("PRE_COMMIT_HOME", place.path("cache"))
}

#[track_caller]
fn passes(done: &Output, passes: bool, says: &str) {
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.success(), passes, "{out}\n{err}");
    assert!(out.contains(says), "no {says:?} in:\n{out}\n{err}");
}

#[test]
fn a_commit_of_bad_records_is_refused() {
    let place = Place::new();
    let root = place.path("repository");
    std::fs::create_dir(&root).unwrap();
    git(&root, &["init", "-q"]);
    let script = "cd repository && exec \"$0\" init --ci pre-commit \"data/it's\"";
    let done = place.esteira().under("sh", &["-c", script]).run().exits(0);
    drop(done.says("next: pre-commit install\n"));
    place.write("repository/.gitignore", ".esteira/\nout/\n");
    git(&root, &["add", "-A"]);
    let run = || pre_commit(&place, &root, &["run"]);
    let done = run();
    passes(&done, true, "Passed");
    assert_eq!(String::from_utf8_lossy(&done.stdout).lines().count(), 1, "it is quiet");
    assert!(place.has("repository/data/it's/out/valid.ndjson"), "it ran");
    git(&root, &["commit", "-q", "-m", "one"]);

    // What changes no records is let through without a run.
    place.write("repository/README", "");
    git(&root, &["add", "-A"]);
    passes(&run(), true, "Skipped");

    spoil(&place, "repository/data/it's/users.ndjson");
    git(&root, &["add", "-A"]);
    passes(&run(), false, "the data is bad");

    // As `git commit` finds it, where it is installed.
    passes(&pre_commit(&place, &root, &["install"]), true, "pre-commit installed");
    let commit = || {
        let mut call = git_call(&root, &["commit", "-q", "-m", "two"]);
        with_program(&place, &mut call).output().unwrap().status.success()
    };
    assert!(!commit(), "bad records");
    place.write("repository/data/it's/users.ndjson", "{\"email\":\"a@b.c\",\"age\":1}\n");
    git(&root, &["add", "-A"]);
    assert!(commit(), "good records");
}

#[test]
fn the_hooks_of_this_repository_are_valid() {
    let place = Place::new();
    let file = project(".pre-commit-hooks.yaml");
    let file = file.to_str().unwrap();
    passes(&pre_commit(&place, place.root(), &["validate-manifest", file]), true, "");
    // It does find mistakes.
    let text = std::fs::read_to_string(file).unwrap().replace("entry:", "entrance:");
    let wrong = place.write("wrong.yaml", text);
    let done = pre_commit(&place, place.root(), &["validate-manifest", wrong.to_str().unwrap()]);
    passes(&done, false, "entry");
}

#[test]
fn the_hooks_of_this_repository_run_and_check() {
    let place = Place::new();
    // As published, but that nothing is built: the program is there.
    let hooks = std::fs::read_to_string(project(".pre-commit-hooks.yaml")).unwrap();
    assert_eq!(hooks.matches("language: rust").count(), 2);
    place
        .write("hooks/.pre-commit-hooks.yaml", hooks.replace("language: rust", "language: system"));
    let source = place.path("hooks");
    git(&source, &["init", "-q"]);
    git(&source, &["add", "-A"]);
    git(&source, &["commit", "-q", "-m", "one"]);
    let revision = String::from_utf8(git(&source, &["rev-parse", "HEAD"]).stdout).unwrap();

    let root = place.path("repository");
    for name in ["esteira.toml", "b c/esteira.toml"] {
        let path = format!("repository/{name}");
        drop(place.esteira().args(["init", path.as_str()]).run().exits(0));
    }
    let config = format!(
        "repos:\n  - repo: {}\n    rev: {}\n    hooks:\n      - id: esteira\n        \
         args: ['b c/esteira.toml']\n      - id: esteira-check\n",
        source.display(),
        revision.trim()
    );
    place.write("repository/.pre-commit-config.yaml", config);
    git(&root, &["init", "-q"]);
    git(&root, &["add", "-A"]);
    let run = |hook: &str| pre_commit(&place, &root, &["run", "--all-files", hook]);
    passes(&run("esteira"), true, "Passed");
    passes(&run("esteira-check"), true, "Passed");

    spoil(&place, "repository/b c/users.ndjson");
    git(&root, &["add", "-A"]);
    passes(&run("esteira"), false, "the data is bad");
    // The first of two is wrong, and the second is not.
    place.write("repository/b c/esteira.toml", "[sources.a]\ntipe = \"file\"\n");
    git(&root, &["add", "-A"]);
    let done = run("esteira-check");
    passes(&done, false, "tipe");
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(out.contains("pipeline `esteira` is well-formed"), "{out}");
}
