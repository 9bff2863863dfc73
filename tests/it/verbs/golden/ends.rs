//! Tests whose run does not go well, and tests that are cut off.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use super::super::super::harness::eventually;
use super::{BELT, place, prints};

const STREAM: &str = r#"
[sources.users]
type = "stdin"

[stages.filter]
run = ["sh", "filter.sh"]

[sinks.file]
type = "stdout"
"#;

const ONE: &str = "[[tests]]\nname = \"one\"\ninput = [{ id = 1 }]\noutput = [{ id = 1 }]\n";

#[test]
fn a_stage_that_crashes_fails_its_test_with_what_it_said() {
    let place = place(STREAM, &format!("{ONE}{}", ONE.replace("one", "two")));
    let bad = "cat; if [ -e went ]; then exit 0; fi; touch went; \
               printf 'Traceback\\n  in \\033[2Jline 3\\n' >&2; exit 7";
    place.write("filter.sh", bad);
    let printed = prints(&place, &[], 1);
    let told = "FAILED  one\n        the run ended with exit 3, a stage is broken: stage `filter`: \
                worker 0 left with exit code 7";
    assert!(printed.starts_with(told), "{printed}");
    let said = "        filter | Traceback\n        filter |   in \\u{1b}[2Jline 3\nok      two\n";
    assert!(printed.contains(said), "{printed}");
    assert!(printed.ends_with("1 passed, 1 failed\n"), "{printed}");
}

#[test]
fn a_record_that_ends_its_workers_is_refused_as_in_a_run() {
    let tests = "[[tests]]\nname = \"a\"\ninput = [{ id = 1 }, [], { id = 3 }]\noutput = [{ id = 1 }, { id = 3 }]\n\
                 rejects = [{ line = 2, code = \"worker.crashed\" }]\n";
    let place = place(BELT, &tests.replace("[]", "'7'"));
    assert!(prints(&place, &[], 0).starts_with("ok      a\n"));
}

#[test]
fn no_update_takes_what_a_worker_died_of_for_what_is_expected() {
    let place = place(BELT, "[[tests]]\nname = \"a\"\ninput = ['7']\noutput = [{ id = 7 }]\n");
    let before = place.text("esteira.toml");
    let printed = prints(&place, &["--update"], 1);
    assert!(printed.contains("worker.crashed"), "{printed}");
    assert_eq!(place.text("esteira.toml"), before);
}

#[test]
fn no_update_is_made_of_a_run_that_broke() {
    let place = place(STREAM, ONE);
    place.write("filter.sh", "echo '{\"id\":2}'; exit 1");
    let before = place.text("esteira.toml");
    assert!(prints(&place, &["--update"], 1).ends_with("0 passed, 0 updated, 1 failed\n"));
    assert_eq!(place.text("esteira.toml"), before);
}

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    let place = place(STREAM, &format!("{ONE}{}", ONE.replace("one", "two")));
    place.write("filter.sh", "echo >>began; exec sleep 1000");
    let tmp = place.path("tmp");
    let options = ["test", "--report", "junit=j.xml"];
    let call = place.esteira().args(options).env("TMPDIR", tmp.to_str().unwrap());
    let running = call.start();
    let written = || fs::read(place.path("began")).is_ok_and(|bytes| bytes == b"\n");
    let began = || written().then_some(());
    eventually(Duration::from_secs(30), began).expect("the first test begins");
    running.signal(Signal::INT);
    let done = running.wait().exits(130);
    assert!(done.stdout.is_empty(), "{}", String::from_utf8_lossy(&done.stdout));
    assert_eq!(place.text("began"), "\n", "the second test was not begun");
    assert_eq!(fs::read_dir(tmp).unwrap().count(), 0);
    assert!(place.text("j.xml").contains("<testsuite "), "what was done by then is reported");
}

#[test]
fn a_world_that_is_wrong_is_no_failed_test() {
    let place = place(STREAM, ONE);
    place.write("filter.sh", "cat");
    let call = place.esteira().args(["test"]).env("TMPDIR", place.path("gone").to_str().unwrap());
    drop(call.run().exits(4).says("cannot run a test in a temporary folder"));
}
