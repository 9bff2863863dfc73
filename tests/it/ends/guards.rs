//! A guard is killed: its worker dies with it, and the program sweeps up what the worker started.

use rustix::process::Signal;

use super::super::harness::{Finished, Place, alive};
use super::{FAMILY, children, families, is_withheld, signal, told, wait_for};

/// Runs the two families until `progress` records are through, and kills `count` guards.
fn killed(place: &Place, progress: u64, count: usize) -> Finished {
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    wait_for(place, "first", FAMILY + progress);
    wait_for(place, "second", FAMILY + progress);
    let guards = children(running.pid());
    assert_eq!(guards.len(), 2, "{:?}", alive(place.root()));
    for guard in guards.into_iter().take(count) {
        signal(guard, Signal::KILL);
    }
    running.wait().exits(3)
}

#[test]
fn a_stage_that_lost_its_guard_has_failed() {
    for progress in [1, 500, 1000] {
        let place = families(1000);
        let done = killed(&place, progress, 1);
        let done = done.says("stage `first`: the guard of worker 0 was killed");
        let done = done.says("in doubt").says("first, worker 0, lost its guard");
        is_withheld(&place, &done);
        let [lost] = &told(&place, "supervisor_lost")[..] else { panic!("{}", done.stderr) };
        assert_eq!(lost["stage"], "first");
        let report = done.report();
        let stages = &report["stages"];
        for stage in ["first", "second"] {
            assert_eq!(stages[stage]["in_doubt"], stages[stage]["in"], "{report}");
        }
    }
}

#[test]
fn all_stages_may_lose_their_guards_at_once() {
    for progress in [1, 500, 1000] {
        let place = families(1000);
        let done = killed(&place, progress, 2).says("the guard of worker 0 was killed");
        is_withheld(&place, &done);
        let mut lost: Vec<String> = told(&place, "supervisor_lost")
            .iter()
            .map(|event| event["stage"].as_str().unwrap().to_owned())
            .collect();
        lost.sort();
        assert_eq!(lost, ["first", "second"], "{}", done.stderr);
    }
}
