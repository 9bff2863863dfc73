//! Pools of workers: many do what one does, and what they do wrong is told, mended or refused.
//!
//! The worker is `tests/fakes/worker.py`, which can be told to break its protocol in many ways.

mod bytes;
mod cluster;
mod commands;
mod crashes;
mod ends;
mod honest;
mod kills;
mod places;
mod positional;
mod silent;
mod stops;
mod violations;

use std::time::Duration;

use serde_json::Value;

use super::harness::{Esteira, Finished, Place, events, eventually};
use super::workers::{event, fake, staged};

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(30);

/// What `tests/fakes/worker.py` replaces a record with.
fn replaced(id: u64) -> String {
    format!(r#"{{"id":{id}, "x":1.50e1,"x":[ ] ,"big":12345678901234567890123,"s":"\u00e9\/"}}"#)
}

/// A pipeline from `in` to `out` and `bad` through one stage, `work`, of such workers; with more
/// keys, and with more arguments for the workers.
fn pool<'a>(place: &'a Place, protocol: &str, keys: &str, args: &[&str]) -> Esteira<'a> {
    let script = fake("worker.py");
    let program = [&["python3", "-S", &script, protocol], args].concat();
    let keys = format!("protocol = \"{protocol}\"\nrejects = \"bad\"\n{keys}");
    staged(place, &keys, &program)
}

/// Reads the dead letters.
fn letters(place: &Place) -> Vec<Value> {
    place.text("bad").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Requires that a stage broke, was told so by its worker 0, and that nothing new appeared.
#[track_caller]
fn is_broken(place: &Place, done: Finished, words: &[&str]) -> Finished {
    let done = done.exits(3);
    assert_eq!(place.text("out"), "before\n", "{}", done.stderr);
    let report = done.report();
    assert_eq!(report["sinks"]["work.output"]["written"], 0, "{report}");
    assert_eq!(event(place, "run_finished")["exit"]["code"], 3);
    assert_eq!(event(place, "stopping")["code"], 3, "{}", done.stderr);
    assert_eq!(events(place, "withheld").len(), 1);
    words.iter().fold(done.says("stage `work`"), |done, word| done.says(word))
}

/// Requires that a worker was caught at a line of its output, and that nothing new appeared.
#[track_caller]
fn is_caught(place: &Place, done: Finished, line: u64, words: &[&str]) {
    let done = is_broken(place, done, words);
    let protocol = event(place, "protocol");
    assert_eq!((&protocol["stage"], &protocol["worker"]), (&"work".into(), &0.into()));
    assert_eq!(protocol["line"], line, "{protocol}");
    let message = protocol["message"].as_str().unwrap();
    for word in words {
        assert!(message.contains(word), "no {word:?} in {message:?}");
    }
    drop(done.says(&format!("stage `work`: worker 0 wrote line {line}")));
}

/// Requires that all records came through, as they were.
#[track_caller]
fn is_whole(place: &Place, done: Finished) -> Finished {
    let done = done.exits(0);
    assert!(place.read("out") == place.read("in"), "{}", done.stderr);
    assert_eq!(place.text("bad"), "");
    let stage = &done.report()["stages"]["work"];
    assert_eq!((&stage["accepted"], &stage["in_doubt"]), (&stage["in"], &0.into()), "{stage}");
    done
}

/// Waits until something holds.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    assert!(eventually(LONG, || holds().then_some(())).is_some(), "never: {what}");
}
