//! Nothing to do, nothing to go on with, nobody else.

use std::fs;

use rustix::process::Signal;

use super::super::harness::{events, strays};
use super::refused::{cut_off, halfway, is_refused};
use super::{GRAPH, POOL, nobody_is_left, resume, run};

/// What the tutorial promises, in one.
#[test]
fn killed_taken_up_taken_up_and_changed() {
    let (place, whole) = (cut_off(POOL), POOL.whole());
    let done = resume(&place).run();
    assert_eq!(events(&place, "taken_up").len(), 1, "{}", done.stderr);
    POOL.is_whole(&place, done, &whole, "taken up");
    for _ in 0..2 {
        let done = resume(&place).run().says("nothing left to do");
        assert_eq!(events(&place, "taken_up")[0]["at"], "the end of `in`");
        POOL.is_whole(&place, done, &whole, "nothing to do");
    }
    let script = place.text("work.pl");
    place.write("work.pl", format!("{script}x"));
    is_refused(&place, &["work.pl"]);
    place.write("work.pl", script);
    drop(resume(&place).run().exits(0).says("nothing left to do"));
    fs::write(place.path("out/plain"), "edited\n").unwrap();
    is_refused(&place, &["the run before ended well", "`out/plain` is not as it was left"]);
    fs::remove_file(place.path("out/plain")).unwrap();
    is_refused(&place, &["the run before ended well", "`out/plain` is not as it was left"]);
}

#[test]
fn with_nothing_kept_it_begins_at_the_beginning() {
    let place = POOL.place();
    let done = resume(&place).run().says("from the beginning");
    POOL.is_whole(&place, done, &POOL.whole(), "nothing kept");
}

#[test]
fn a_plain_run_says_what_it_gives_up_and_leaves_nothing_of_it() {
    for case in [POOL, GRAPH] {
        let place = cut_off(case);
        assert!(strays(place.root()).len() > 1);
        let done = run(&place, &[]).run();
        let done = done.says("discards the unfinished work of run").says("`--resume` would have");
        case.is_whole(&place, done, &case.whole(), "afresh");
    }
}

#[test]
fn one_run_at_a_time() {
    let (place, whole) = (POOL.place(), POOL.whole());
    let running = halfway(&place, &[]);
    for options in [&[][..], &["--resume"]] {
        let done = place.esteira().args(["run", "p.toml"]).args(options).run();
        assert_eq!(done.code(), 5, "{}", done.stderr);
        let done = done.says("is being run already").says(&format!("pid {}", running.pid()));
        drop(done.says("--state-dir"));
    }
    drop(running);
    nobody_is_left(&place, "dropped");
    fs::remove_file(place.path("gate")).unwrap();
    POOL.is_whole(&place, resume(&place).run(), &whole, "after it was killed");
}

/// Of one that is killed, the lock is free.
#[test]
fn who_is_killed_holds_no_lock() {
    let place = cut_off(GRAPH);
    let running = halfway(&place, &["--resume"]);
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code(), 137);
    fs::remove_file(place.path("gate")).unwrap();
    GRAPH.is_whole(&place, resume(&place).run(), &GRAPH.whole(), "twice");
}
