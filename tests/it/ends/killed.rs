//! The program itself is killed. Its guards see that, and end what they guard.

use std::fs;

use rustix::process::Signal;

use super::super::harness::{Finished, Place, Running, alive, needs, records, strays};
use super::{FAMILY, families, nobody_is_left, number, until, wait_for};

const RECORDS: u64 = 1000;

/// Starts a run as the leader of a group of its own; both families are complete.
fn start(place: &Place) -> Running {
    let setsid = needs("setsid", "util-linux");
    let running = place.esteira().under(&setsid, &[]).pipeline("p.toml", &[]).start();
    wait_for(place, "first", FAMILY);
    wait_for(place, "second", FAMILY);
    running
}

/// Two workers, with a child, a child in a session of its own and one without environment each.
#[track_caller]
fn are_complete(place: &Place) {
    let sleeps = |(_, command): &&(u32, String)| command.contains("/sleep 1000000");
    let complete = || alive(place.root()).iter().filter(sleeps).count() >= 6;
    until("both families are complete", complete);
}

/// Requires the end, and that a further run finds nothing in its way.
#[track_caller]
fn leaves_nothing(place: &Place, done: &Finished, code: i32) {
    assert_eq!(done.code(), code, "stderr:\n{}", done.stderr);
    nobody_is_left(place, &done.stderr);
    assert_eq!(place.text("out/users"), "before\n");
    // The output on its way has a name, so that it can take the place of another in one step.
    // Nobody is left to remove it: the next run does.
    let left = strays(place.root());
    assert_eq!(left.len(), 1, "{left:?}");
    let next = ["pipe", "-i", "in", "-o", "out/users", "--", "cat"];
    let next = place.esteira().args(next).run().exits(0).says("wrote out/users");
    assert_eq!(place.read("out/users"), records(RECORDS), "{}", next.stderr);
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 1);
}

#[test]
fn who_kills_the_program_ends_all_that_it_started() {
    for progress in [0, 1, RECORDS / 2, RECORDS] {
        let place = families(RECORDS);
        let running = start(&place);
        wait_for(&place, "second", FAMILY + progress);
        are_complete(&place);
        running.signal(Signal::KILL);
        leaves_nothing(&place, &running.wait(), 137);
    }
}

#[test]
fn who_kills_its_group_ends_all_that_it_started() {
    for progress in [0, 1, RECORDS / 2, RECORDS] {
        let place = families(RECORDS);
        let running = start(&place);
        wait_for(&place, "second", FAMILY + progress);
        are_complete(&place);
        let group = number(running.pid());
        rustix::process::kill_process_group(group, Signal::KILL).unwrap();
        leaves_nothing(&place, &running.wait(), 137);
    }
}

/// It cannot tell the guards that it goes on no more: they must look for its end only.
#[test]
fn who_stops_and_kills_the_program_ends_all_that_it_started() {
    let place = families(RECORDS);
    let running = start(&place);
    wait_for(&place, "second", FAMILY + 1);
    are_complete(&place);
    running.signal(Signal::STOP);
    running.signal(Signal::KILL);
    leaves_nothing(&place, &running.wait(), 137);
}

#[test]
fn an_abort_ends_all_that_the_program_started() {
    for progress in [0, RECORDS / 2, RECORDS] {
        let place = families(RECORDS);
        let running = start(&place);
        wait_for(&place, "second", FAMILY + progress);
        are_complete(&place);
        running.signal(Signal::ABORT);
        leaves_nothing(&place, &running.wait(), 134);
    }
}
