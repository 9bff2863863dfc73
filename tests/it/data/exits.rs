//! When dead letters are written: at every end but a refused start, also when there are none.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use super::super::harness::{Esteira, Place, eventually};
use super::letters;

/// Two good lines, two bad ones, and files that say so already.
fn dirty() -> Place {
    let place = Place::new();
    place.write("in", "{\"a\":1}\nbad\n{\"a\":2}\n[\n");
    place.write("bad", "of another run\n");
    place.write("out", "before\n");
    place
}

fn call<'a>(place: &'a Place, limit: &str, program: &[&str]) -> Esteira<'a> {
    place.esteira().pipe("in", "out", &["--rejects", "bad", "--max-rejects", limit], program)
}

/// Requires both dead letters, and the old output.
#[track_caller]
fn is_explained(place: &Place) {
    let lines: Vec<u64> =
        letters(place, "bad").iter().map(|letter| letter["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [2, 4]);
    assert_eq!(place.text("out"), "before\n");
}

#[test]
fn an_empty_file_of_dead_letters_is_written_too() {
    let place = dirty();
    place.write("in", "{\"a\":1}\n");
    let done = call(&place, "0", &["cat"]).run().exits(0);
    assert_eq!(place.text("bad"), "");
    assert!(!done.stderr.contains("dead letters"), "{}", done.stderr);
    assert_eq!(place.text("out"), "{\"a\":1}\n");
}

#[test]
fn bad_data_is_explained() {
    let place = dirty();
    let report = call(&place, "1", &["cat"]).run().exits(1).report();
    is_explained(&place);
    assert_eq!(report["sinks"]["output"]["dropped"], 2);
    assert_eq!(report["exit"]["code"], 1);
}

#[test]
fn a_broken_stage_leaves_the_dead_letters() {
    let place = dirty();
    let program = ["sh", "-c", "cat; exit 9"];
    call(&place, "100%", &program).run().exits(3).says("exit code 9").report();
    is_explained(&place);
}

#[test]
fn a_full_disk_leaves_the_dead_letters_that_lie_elsewhere() {
    let place = dirty();
    let options = ["--rejects", "bad", "--max-rejects", "100%"];
    let done = place.esteira().pipe("in", "/dev/full", &options, &["cat"]).run().exits(4);
    done.says("`/dev/full`: No space left on device").report();
    is_explained(&place);
}

#[test]
fn a_signal_leaves_the_dead_letters() {
    let place = dirty();
    // At the end of its input the stage has all there is, and so have the dead letters.
    let program = ["sh", "-c", "cat >/dev/null; : >ready; exec tail -f /dev/null"];
    let running = call(&place, "100%", &program).start();
    let ready = eventually(Duration::from_secs(30), || place.has("ready").then_some(()));
    assert!(ready.is_some(), "the stage never saw the end of its input");
    running.signal(Signal::TERM);
    let report = running.wait().exits(143).report();
    is_explained(&place);
    assert_eq!(report["exit"]["code"], 143);
}

#[test]
fn a_start_that_is_refused_leaves_what_was_there() {
    let place = dirty();
    place.script("interpreted", "#!/nowhere/sh\n");
    let refused =
        [("nosuchprogram", "0"), ("./interpreted", "0"), ("cat", "many"), ("cat", "101%")];
    for (program, limit) in refused {
        let done = call(&place, limit, &[program]).run().exits(2);
        assert_eq!(place.text("bad"), "of another run\n", "{}", done.stderr);
        assert_eq!(place.text("out"), "before\n", "{}", done.stderr);
        assert!(!place.has("report.json"), "{}", done.stderr);
    }
}

/// Nothing was read, so there is nothing to explain; letters of another run would mislead.
#[test]
fn a_missing_input_leaves_an_empty_file_of_dead_letters() {
    let place = dirty();
    fs::remove_file(place.path("in")).unwrap();
    call(&place, "0", &["cat"]).run().exits(4).says("cannot read input `in`").report();
    assert_eq!(place.text("bad"), "");
    assert_eq!(place.text("out"), "before\n");
}
