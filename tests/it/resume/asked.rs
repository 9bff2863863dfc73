//! Asked to end, a run lets arrive what is on its way, keeps it, and says how to go on.

use std::fs;

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;

use super::super::harness::{Place, events, eventually};
use super::refused::halfway;
use super::{Case, LONG, POOL, resume};

/// Lets a worker go on that reads from the FIFO `gate`.
fn open_gate(place: &Place) {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = || rustix::fs::open(place.path("gate"), flags, Mode::empty()).ok();
    drop(eventually(LONG, open).expect("nobody waits at the gate"));
}

#[test]
fn what_is_on_its_way_arrives_and_is_kept() {
    let whole = POOL.whole();
    for (signal, name, code) in
        [(Signal::INT, "INT", 130), (Signal::TERM, "TERM", 143), (Signal::HUP, "HUP", 129)]
    {
        let place = POOL.place();
        let running = halfway(&place, &[]);
        running.signal(signal);
        let stopping = || (!events(&place, "stopping").is_empty()).then_some(());
        assert!(eventually(LONG, stopping).is_some(), "{name}");
        open_gate(&place);
        let done = running.wait();
        let done = done.exits(code).says("is kept up to line").says(name);
        let done = done.says("--resume` goes on from there");
        let balanced = done.report();
        assert_eq!(balanced["exit"]["code"], code);
        // All that was read is settled: nobody was hurried.
        assert_eq!(balanced["stages"]["work"]["in_doubt"], 0, "{balanced}");
        fs::remove_file(place.path("gate")).unwrap();
        let done = resume(&place).run();
        let taken_up = events(&place, "taken_up");
        assert_eq!(taken_up.len(), 1, "{}", done.stderr);
        assert_eq!(taken_up[0]["lines"], balanced["sources"]["in"]["lines"], "{name}");
        POOL.is_whole(&place, done, &whole, name);
    }
}

/// A worker that hangs, and ignores TERM.
const HANGS: Case = Case {
    tables: r#"
        [sources.in]
        type = "file"
        path = "a"
        [stages.work]
        run = ["perl", "work.pl", "1999", "hang"]
        protocol = "records"
        output = "out/plain"
    "#,
    outputs: &["out/plain"],
};

#[test]
fn who_hangs_is_not_waited_for_and_the_rest_is_kept() {
    let (place, whole) = (HANGS.place(), HANGS.whole());
    let running = halfway(&place, &[]);
    running.signal(Signal::TERM);
    let done = running.wait().exits(143).says("is kept up to line").says("--resume`");
    done.report();
    fs::remove_file(place.path("gate")).unwrap();
    let done = resume(&place).run();
    assert_eq!(events(&place, "taken_up").len(), 1, "{}", done.stderr);
    HANGS.is_whole(&place, done, &whole, "hung");
}

#[test]
fn asked_twice_it_ends_now_and_can_be_taken_up() {
    let (place, whole) = (HANGS.place(), HANGS.whole());
    let running = halfway(&place, &[]);
    running.signal(Signal::INT);
    let now = || events(&place, "interrupted").iter().any(|event| event["now"] == true);
    // Two that are very close count as one.
    let told = || {
        running.signal(Signal::INT);
        now().then_some(())
    };
    assert!(eventually(LONG, told).is_some());
    let done = running.wait().exits(130).says("--resume`");
    done.report();
    fs::remove_file(place.path("gate")).unwrap();
    HANGS.is_whole(&place, resume(&place).run(), &whole, "asked twice");
}
