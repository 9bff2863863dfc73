//! Belts in which one table holds up all others until the test lets it go.

use std::fs::File;
use std::io::{Read as _, Write as _};

use super::super::harness::{Finished, Place, records};
use super::super::workers::{fake, gate};
use super::{place_with, spent, times, until};

/// What may stand between a source and a sink, and hurries.
const QUICK: [&str; 3] = [
    "run = [\"cat\"]",
    "run = [\"cat\"]\nprotocol = \"lines\"\nworkers = 2",
    "use = \"select\"\nfield = \"/id\"\nexists = true\nworkers = 2",
];

/// Waits until it is plain that a table holds up the run: by what it does, or waits for.
#[track_caller]
fn await_doubtless(place: &Place, slow: &str, waits: bool) {
    until(&format!("`{slow}` holds up the run: {:?}", times(place)), || {
        let times = times(place);
        let others = times.iter().filter(|(name, _)| name != slow).map(|(_, time)| time[0]);
        let others = others.fold(0.0, f64::max);
        let slow = times.iter().find(|(name, _)| name == slow);
        slow.is_some_and(|(_, time)| time[usize::from(waits)] > 2.0_f64.max(4.0 * others))
    });
}

/// Requires that the run ended well and says who held it up, and how.
#[track_caller]
fn is_held_up_by(done: Finished, slow: &str, how: &str) {
    let done = done.exits(0).says(&format!("`{slow}` held up the run: ")).says(how);
    let report = done.report();
    assert_eq!(report["bottleneck"], slow, "{report}");
    for kind in ["sources", "stages", "sinks"] {
        for (name, table) in report[kind].as_object().unwrap() {
            let life: f64 = spent(&table["time"]).iter().sum();
            let whole = report["duration_s"].as_f64().unwrap();
            assert!(life <= whole + 0.01, "{name} lived {life} s of {whole} s");
        }
    }
}

fn started(place: &Place, file: &str) -> super::super::harness::Running {
    place.write("p.toml", file);
    place.esteira().pipeline("p.toml", &["--events", "events"]).start()
}

#[test]
fn a_program_that_takes_its_time_is_the_one_to_speed_up() {
    let records = fake("worker.py");
    for (keys, go, how) in [
        (
            String::from("run = [\"sh\", \"-c\", \"read -r go <gate; exec cat\"]"),
            1,
            "a faster program would help, or one that answers each record",
        ),
        (
            String::from(
                "run = [\"sh\", \"-c\", \"read -r go <gate; exec cat\"]\nprotocol = \"lines\"\nworkers = 2",
            ),
            2,
            "with 2 workers",
        ),
        (
            format!(
                "run = [\"sh\", \"-c\", \"read -r go <gate; exec python3 -S {records} records\"]\nprotocol = \"records\""
            ),
            1,
            "with 1 worker",
        ),
    ] {
        for count in [10, 30_000] {
            let place = place_with(count);
            let mut gate = gate(&place);
            let file = format!(
                "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.before]\nrun = [\"cat\"]\n\
                 [stages.work]\n{keys}\n[stages.behind]\n{}\noutput = \"out\"\n",
                QUICK[2]
            );
            let running = started(&place, &file);
            await_doubtless(&place, "work", false);
            gate.write_all("go\n".repeat(go).as_bytes()).unwrap();
            is_held_up_by(running.wait(), "work", how);
            assert!(place.read("out") == place.read("in"));
        }
    }
}

#[test]
fn an_input_that_comes_slowly_is_told_whatever_stands_behind_it() {
    for stage in QUICK {
        let place = Place::new();
        let mut input = gate(&place);
        input.write_all(&records(10)).unwrap();
        let running = started(
            &place,
            &format!(
                "[sources.in]\ntype = \"file\"\npath = \"gate\"\n\
                 [stages.work]\n{stage}\noutput = \"out\"\n"
            ),
        );
        await_doubtless(&place, "in", true);
        drop(input);
        is_held_up_by(running.wait(), "in", "of the time for its input");
        assert_eq!(place.read("out"), records(10));
    }
}

#[test]
fn an_output_that_is_read_slowly_is_told_whatever_stands_before_it() {
    for stage in QUICK {
        let place = place_with(400_000);
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path("slow"), 0o600.into()).unwrap();
        let running = started(
            &place,
            &format!(
                "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.work]\n{stage}\n\
                 [sinks.out]\ntype = \"file\"\npath = \"slow\"\n"
            ),
        );
        // Opened, and not read.
        let mut output = File::open(place.path("slow")).unwrap();
        await_doubtless(&place, "out", false);
        let mut all = Vec::new();
        output.read_to_end(&mut all).unwrap();
        is_held_up_by(running.wait(), "out", "whoever reads `slow` sets the pace");
        assert!(all == records(400_000));
    }
}

/// A short run says nothing of it.
#[test]
fn who_was_done_at_once_was_held_up_by_nobody() {
    let place = Place::new();
    let done = place.esteira().stdin("{}\n").args(["pipe", "--report", "json=r", "--", "cat"]);
    let done = done.run().exits(0);
    let report: serde_json::Value = serde_json::from_slice(&place.read("r")).unwrap();
    let long = report["duration_s"].as_f64().unwrap() >= 1.0;
    assert!(long || report["bottleneck"].is_null(), "{report}");
    assert!(long || !done.stderr.contains("starved"), "{}", done.stderr);
}
