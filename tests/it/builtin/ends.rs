//! A built-in stage that is asked to end, or has had enough, leaves nothing behind.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use rustix::process::Signal;

use super::super::harness::{Place, events, eventually, records};
use super::super::workers::{await_event, gate};
use super::{built, counts, letters};

/// Each record takes longer than a run waits for anybody: nobody may be kept by it.
const SLOW: &str = "use = \"hash\"\nfield = \"/id\"\non_type = \"text\"\nalgorithm = \"argon2id\"\n\
                    memory = \"1MiB\"\niterations = 65536\nworkers = 2";

/// Waits until the stage was given so many records.
fn await_input(place: &Place, count: u64) {
    let given = |tick: &serde_json::Value| {
        let tables = tick["tables"].as_array().unwrap();
        let work = tables.iter().find(|table| table["name"] == "work").unwrap();
        work["counts"]["stage"]["in"].as_u64().unwrap()
    };
    let told = || events(place, "tick").last().map(given).filter(|n| *n >= count).map(drop);
    assert!(eventually(Duration::from_secs(30), told).is_some(), "never given {count}");
}

/// The source stays open, so the run cannot have ended by itself.
fn open(place: &Place, lines: &[u8]) -> File {
    let mut gate = gate(place);
    gate.write_all(lines).unwrap();
    gate
}

#[test]
fn a_signal_ends_it_in_good_order() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        for keys in [SLOW, "use = \"select\"\nfield = \"/id\"\nexists = true\nworkers = 4"] {
            let place = Place::new();
            place.write("out", "before\n");
            let held = open(&place, &records(2000));
            let running = built(&place, keys).args(["--set", "sources.in.path=gate"]).start();
            await_event(&place, "run_started");
            await_input(&place, 2000);
            running.signal(signal);
            let done = running.wait().exits(code);
            let [read, accepted, rejected, dropped, in_doubt] = counts(&done, "work");
            assert_eq!(accepted + rejected + dropped + in_doubt, read);
            assert_eq!((read, rejected + dropped), (2000, 0));
            assert_eq!((place.text("out"), place.text("bad")), ("before\n".into(), String::new()));
            assert_eq!(events(&place, "withheld").len(), 1);
            drop(held);
        }
    }
}

#[test]
fn so_does_its_deadline() {
    let place = Place::new();
    place.write("out", "before\n");
    place.write("in", records(2000));
    let done = built(&place, &format!("{SLOW}\ndeadline = \"100ms\"")).run().exits(3);
    assert_eq!(place.text("out"), "before\n");
    let [read, accepted, _, _, in_doubt] = counts(&done, "work");
    assert!(accepted + in_doubt == read && in_doubt > 0, "{}", done.stderr);
}

#[test]
fn it_stops_soon_after_the_limit_if_that_is_asked_for() {
    for workers in [1, 4] {
        let place = Place::new();
        place.write("out", "before\n");
        // The input does not end, so only the limit can end the run.
        let held = open(&place, &records(2000));
        let keys = format!(
            "use = \"json-schema\"\nschema = \"s.json\"\non_reject = \"stop\"\nmax_rejects = 2\n\
             workers = {workers}"
        );
        place.write("s.json", r#"{"properties":{"id":{"multipleOf":2}}}"#);
        let done = built(&place, &keys).args(["--set", "sources.in.path=gate"]).run().exits(1);
        let [read, accepted, rejected, dropped, in_doubt] = counts(&done, "work");
        assert_eq!((rejected, dropped, accepted + rejected + in_doubt), (3, 0, read));
        let lines: Vec<u64> = letters(&place).into_iter().map(|letter| letter.line).collect();
        assert_eq!(lines, [1, 3, 5], "{}", done.stderr);
        assert_eq!(place.text("out"), "before\n");
        drop(held);
    }
}

#[test]
fn without_a_limit_for_each_it_goes_on_to_the_end() {
    let place = Place::new();
    place.write("in", records(1000));
    let keys = "use = \"select\"\nfield = \"/id\"\nmax = 3\n";
    drop(built(&place, keys).run().exits(0));
    let done = built(&place, "use = \"hash\"\nfield = \"/id\"").run().exits(1);
    assert_eq!(counts(&done, "work"), [1000, 0, 1000, 0, 0]);
    assert_eq!(letters(&place).len(), 1000);
}
