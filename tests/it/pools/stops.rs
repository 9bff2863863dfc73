//! Time that is not the workers' own: the program is put aside, and no one is late for it.

use std::process::Command;

use rustix::process::Signal;

use super::super::harness::events;
use super::super::workers::{await_event, no_event, place_with};
use super::{is_whole, pool, until};

/// Lets three seconds pass, by the clock of another program.
fn three_seconds() {
    assert!(Command::new("sleep").arg("3").status().unwrap().success());
}

/// While it is put aside, its workers answer; when it goes on, what they said is there.
#[test]
fn nobody_is_late_while_the_program_is_stopped() {
    let started = ["records", "command"].map(|protocol| {
        let place = place_with(12);
        let keys = "workers = 2\nrecord_timeout = \"2s\"";
        let args = ["--do", "await:go", "--id", "7"];
        let running = pool(&place, protocol, keys, &args).start();
        await_event(&place, "worker_started");
        (place, running)
    });
    for (_, running) in &started {
        running.signal(Signal::STOP);
    }
    three_seconds();
    for (place, running) in started {
        running.signal(Signal::CONT);
        place.write("go", "");
        is_whole(&place, running.wait()).report();
        no_event(&place, &["reply_timeout", "restart", "stalled"]);
    }
}

/// The same where the whole belt is stopped from the terminal, and its workers with it.
#[test]
fn nobody_is_late_while_the_run_is_paused() {
    let place = place_with(20);
    let keys = "workers = 2\nrecord_timeout = \"2s\"";
    let args = ["--do", "await:go", "--id", "7"];
    let running = pool(&place, "records", keys, &args).start();
    await_event(&place, "worker_started");
    running.signal(Signal::TSTP);
    let stopped = || std::fs::read_to_string(format!("/proc/{}/stat", running.pid())).unwrap();
    until("it is stopped", || stopped().contains(") T "));
    three_seconds();
    running.signal(Signal::CONT);
    place.write("go", "");
    is_whole(&place, running.wait()).report();
    assert_eq!((events(&place, "paused").len(), events(&place, "resumed").len()), (1, 1));
    no_event(&place, &["reply_timeout", "restart", "stalled"]);
}
