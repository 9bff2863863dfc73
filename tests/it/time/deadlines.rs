//! What a stage, and a run, may take.

use std::io::Write as _;

use super::super::harness::{Finished, records};
use super::super::workers::{event, gate, place_with};
use super::until;

/// A pipeline from `in` to `out` through one stage, `work`.
fn file(path: &str, keys: &str) -> String {
    format!(
        "[sources.in]\ntype = \"file\"\npath = \"{path}\"\n\
         [stages.work]\noutput = \"out\"\n{keys}\n"
    )
}

fn ran(path: &str, keys: &str) -> Finished {
    let place = place_with(400_000);
    place.write("p.toml", file(path, keys));
    let gate = gate(&place);
    let done = place.esteira().pipeline("p.toml", &["--events", "events"]).run().exits(3);
    drop(gate);
    assert_eq!(place.text("out"), "before\n");
    assert_eq!(event(&place, "stopping")["code"], 3);
    drop(done.report());
    done
}

#[test]
fn a_stage_says_how_far_it_was_and_for_whom_it_waited() {
    let done = ran("in", "run = [\"sleep\", \"600\"]\ndeadline = \"1s\"");
    let words = "stage `work` did not end within its deadline of 1s: it had taken ";
    drop(done.says(words).says(" and handed on 0\n").says("hint: raise `deadline`"));
    for stage in ["run = [\"cat\"]", "use = \"select\"\nfield = \"/id\"\nexists = true"] {
        let done = ran("gate", &format!("{stage}\ndeadline = \"1s\""));
        let done = done.says("deadline of 1s: it had taken 0 records and handed on 0\n");
        drop(done.says("hint: most of the time it waited for input: what is above it is too slow"));
    }
}

#[test]
fn a_run_says_how_much_it_had_read() {
    let done = ran("in", "run = [\"sleep\", \"600\"]\n[pipeline]\ndeadline = \"1s\"");
    let words = "the run did not end within its deadline of 1s: `in` had read ";
    drop(done.says(words).says("% of its input\n").says("hint: raise `deadline`"));
}

/// To start so many takes longer than the first look.
#[test]
fn a_start_that_takes_too_long_is_broken_off() {
    let place = place_with(10);
    let keys = "run = [\"cat\"]\nprotocol = \"lines\"\nworkers = 1000\ndeadline = \"1ms\"";
    place.write("p.toml", file("in", keys));
    let done = place.esteira().pipeline("p.toml", &[]).run().exits(3);
    drop(done.says("stage `work` did not ").says(" within its deadline of 1ms"));
    assert_eq!(place.text("out"), "before\n");
}

/// What ends in time is not bound any more, whatever others take.
#[test]
fn a_stage_that_has_ended_has_kept_its_deadline() {
    let place = place_with(10);
    let mut gate = gate(&place);
    let text = file("in", "run = [\"cat\"]\ndeadline = \"10s\"").replace("output = \"out\"\n", "")
        + "[stages.slow]\nrun = [\"sh\", \"-c\", \"read -r go <gate; exec cat\"]\noutput = \"out\"\n";
    place.write("p.toml", text);
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    let late = || super::super::harness::events(&place, "tick").pop();
    until("ten seconds", || late().is_some_and(|tick| tick["t"].as_f64().unwrap() > 10.5));
    gate.write_all(b"go\n").unwrap();
    drop(running.wait().exits(0));
    assert_eq!(place.read("out"), records(10));
}
