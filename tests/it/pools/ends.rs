//! A run that ends while its pools are at work: nobody is left, and nothing appears.

use rustix::process::Signal;

use super::super::harness::{Place, events, records};
use super::super::workers::{event, no_event, place_with};
use super::{is_broken, letters, pool, until};

/// How many answers were told.
fn told(place: &Place) -> usize {
    std::fs::read(place.path("told")).map_or(0, |told| told.split(|b| *b == b'\n').count())
}

#[test]
fn who_interrupts_a_run_ends_its_pools() {
    for (protocol, signal, code) in [
        ("records", Signal::TERM, 143),
        ("lines", Signal::TERM, 143),
        ("command", Signal::TERM, 143),
        ("records", Signal::INT, 130),
        ("lines", Signal::HUP, 129),
    ] {
        let place = place_with(200_000);
        let args = ["--tell", "told"];
        let running = pool(&place, protocol, "workers = 4", &args).start();
        until("some are answered", || told(&place) > 12);
        running.signal(signal);
        let done = running.wait().exits(code);
        assert_eq!(place.text("out"), "before\n", "{protocol}: {}", done.stderr);
        let report = done.report();
        assert_eq!(report["sinks"]["work.output"]["written"], 0);
        if protocol == "lines" {
            assert_eq!(report["stages"]["work"]["in_doubt"], report["stages"]["work"]["in"]);
        }
        no_event(&place, &["restart", "protocol", "killed_after_grace"]);
    }
}

/// While one is waited for before it is started again, and while one is late.
#[test]
fn who_interrupts_a_run_waits_for_no_restart() {
    let place = place_with(1000);
    let args = ["--do", "exit:1", "--at", "0"];
    let running = pool(&place, "records", "workers = 2\nrestarts = \"1000/1m\"", &args).start();
    until("some restarts", || events(&place, "restart").len() > 6);
    running.signal(Signal::TERM);
    let done = running.wait().exits(143);
    assert_eq!(done.report()["stages"]["work"]["accepted"], 0);
}

#[test]
fn who_does_not_want_to_end_is_killed_when_its_grace_is_over() {
    let place = place_with(1000);
    let args = ["--deaf", "--do", "hang", "--at", "50", "--tell", "told"];
    let running = pool(&place, "records", "workers = 3\ngrace = \"300ms\"", &args).start();
    until("all hang", || told(&place) > 3 * 49);
    running.signal(Signal::TERM);
    let done = running.wait().exits(143);
    assert_eq!(events(&place, "killed_after_grace").len(), 3, "{}", done.stderr);
    done.report();
}

/// One breaks its word; the others, who do not listen, go with it.
#[test]
fn when_one_breaks_the_stage_all_go() {
    let place = place_with(200_000);
    let args = ["--deaf", "--do", "print:hello", "--at", "500", "--once", "said"];
    let done = pool(&place, "records", "workers = 4\ngrace = \"300ms\"", &args).run();
    is_broken(&place, done, &["wrote line 500"]).report();
    no_event(&place, &["restart"]);
}

/// Neither what holds a worker's output nor what hides in a session of its own.
#[test]
fn whom_workers_leave_behind_is_ended() {
    for protocol in ["records", "lines"] {
        for how in ["family:holds", "family:daemon"] {
            let place = place_with(500);
            let args = ["--do", how, "--at", "50"];
            let done = pool(&place, protocol, "workers = 2", &args).run().exits(0);
            assert_eq!(place.read("out"), records(500), "{}", done.stderr);
            let leaks = events(&place, "leak");
            assert_eq!(leaks.len(), 2, "{protocol} {how}: {}", done.stderr);
        }
    }
}

#[test]
fn whom_a_dead_worker_leaves_behind_is_ended_before_it_is_replaced() {
    let place = place_with(500);
    let script = super::super::workers::fake("worker.py");
    let run = format!(
        "sleep 1000000 & exec python3 -S '{script}' records --do kill:KILL --at 50 --once dead"
    );
    let keys = "protocol = \"records\"\nrejects = \"bad\"";
    let done = super::staged(&place, keys, &["sh", "-c", &run]).run();
    super::is_whole(&place, done).report();
    assert_eq!(events(&place, "leak").len(), 2, "of both");
}

/// A pool goes no further than it must where the first reject is the last.
#[test]
fn a_pool_stops_at_a_reject_where_that_is_asked() {
    for (protocol, count) in [("records", 1_000_000), ("command", 200_000)] {
        let place = place_with(count);
        let keys = "workers = 4\non_reject = \"stop\"";
        let done = pool(&place, protocol, keys, &["--reject", "7"]).run().exits(1);
        assert_eq!(place.text("out"), "before\n");
        let stage = &done.report()["stages"]["work"];
        assert_eq!((&stage["rejected"], letters(&place).len()), (&1.into(), 1), "{stage}");
        assert_eq!(letters(&place)[0]["line"], 7);
        assert!(stage["in"].as_u64() < Some(count), "the rest was not even read: {stage}");
        assert_eq!(event(&place, "stopping")["code"], 1);
    }
}

/// Somebody kills a guard: what it guarded is gone, and the record of its worker is tried again,
/// or the stage is broken; but nobody is left.
#[test]
fn a_killed_guard_leaves_nobody() {
    let place = place_with(50_000);
    let running = pool(&place, "records", "workers = 4", &["--tell", "told"]).start();
    until("some are answered", || told(&place) > 20);
    let path = format!("/proc/{0}/task/{0}/children", running.pid());
    let text = std::fs::read_to_string(path).unwrap();
    let guard: i32 = text.split_whitespace().next().unwrap().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(guard).unwrap(), Signal::KILL)
        .unwrap();
    let done = running.wait();
    let code = done.code();
    let done = done.exits(code);
    match code {
        0 => assert!(place.read("out") == records(50_000)),
        _ => assert_eq!((code, place.text("out").as_str()), (3, "before\n"), "{}", done.stderr),
    }
    assert_eq!(events(&place, "supervisor_lost").len(), 1);
    done.report();
}
