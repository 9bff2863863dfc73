//! The program is stopped from outside, for longer than anybody may take. Nobody is late for it.

use std::io::Write as _;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::harness::{Place, Running, events, records};
use super::super::workers::{event, fake, gate, no_event};
use super::{place_with, until};

/// Stops the program for so long; `meanwhile` is done in the middle of it.
fn stop(running: &Running, seconds: u64, meanwhile: impl FnOnce()) {
    running.signal(Signal::STOP);
    meanwhile();
    let stopped = Instant::now();
    until("it was stopped long enough", || stopped.elapsed() > Duration::from_secs(seconds));
    running.signal(Signal::CONT);
}

/// Requires that it was noticed.
#[track_caller]
fn gap(place: &Place, seconds: u64) {
    until("the gap is told", || !events(place, "clock_gap").is_empty());
    let ms = event(place, "clock_gap")["ms"].as_u64().unwrap();
    assert!(ms >= seconds * 1000, "{ms} ms");
}

/// One record at a time is with a worker that takes the first of them to a gate.
fn waiting(place: &Place, keys: &str) -> Running {
    let worker = fake("worker.py");
    let file = format!(
        "[pipeline]\ndeadline = \"5s\"\n[sources.in]\ntype = \"file\"\npath = \"in\"\n\
         [stages.work]\nrun = [\"sh\", \"-c\", \"read -r one; echo >came; read -r go <gate; \
         {{ echo \\\"$one\\\"; cat; }} | python3 -S {worker} records\"]\n\
         protocol = \"records\"\noutput = \"out\"\nstall = \"4s\"\ndeadline = \"5s\"\n{keys}\n"
    );
    place.write("p.toml", file);
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    until("a record is with the worker", || place.has("came"));
    running
}

/// Whether the answer came meanwhile, or only afterwards.
#[test]
fn no_limit_passes_meanwhile() {
    for early in [true, false] {
        let place = place_with(10);
        let mut gate = gate(&place);
        let running = waiting(&place, "record_timeout = \"4s\"");
        stop(&running, 6, || {
            if early {
                gate.write_all(b"go\n").unwrap();
            }
        });
        gap(&place, 6);
        if !early {
            gate.write_all(b"go\n").unwrap();
        }
        drop(running.wait().exits(0));
        assert_eq!(place.read("out"), records(10));
        no_event(&place, &["reply_timeout", "stalled", "restart", "stopping"]);
    }
}

/// What was stopped is no time that anybody waited.
#[test]
fn nobody_waits_meanwhile() {
    let place = place_with(10);
    let mut gate = gate(&place);
    let running = waiting(&place, "");
    stop(&running, 6, || ());
    gap(&place, 6);
    gate.write_all(b"go\n").unwrap();
    let report = running.wait().exits(0).report();
    let life: f64 = super::spent(&report["sinks"]["work.output"]["time"]).iter().sum();
    let whole = report["duration_s"].as_f64().unwrap();
    assert!(life < whole - 5.0, "it lived {life} s of {whole} s");
}

/// The grace of a worker that ends in good order is its own.
#[test]
fn nobody_is_killed_for_it() {
    let place = place_with(10);
    let mut gate = gate(&place);
    let script = "trap 'echo >asked; read -r go <gate; exit 0' TERM; echo >ready; \
                  while :; do tail -f /dev/null & wait $!; done";
    let file = format!(
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.work]\n\
         run = [\"sh\", \"-c\", '''{script}''']\ngrace = \"4s\"\noutput = \"out\"\n"
    );
    place.write("p.toml", file);
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    until("its worker is ready", || place.has("ready"));
    running.signal(Signal::TERM);
    until("its worker was asked", || place.has("asked"));
    stop(&running, 6, || ());
    gap(&place, 6);
    gate.write_all(b"go\n").unwrap();
    drop(running.wait().exits(143));
    no_event(&place, &["killed_after_grace", "worker_signal"]);
}
