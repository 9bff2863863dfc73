//! What the programs of a stage can do to a run: end, hang, lie, flood, look around.

mod chains;
mod descriptors;
mod environment;
mod exit_codes;
mod exits;
mod lies;
mod pipes;
mod signals;
mod stalls;
mod standard_streams;
mod starts;
mod stderr;
mod stops;
mod terminal;

use std::fs::File;
use std::time::Duration;

use serde_json::Value;

use super::harness::{Esteira, Finished, Place, events, eventually, project, records};

/// A folder with so many records to read and an output of before.
pub(super) fn place_with(count: u64) -> Place {
    let place = Place::new();
    place.write("in", records(count));
    place.write("out", "before\n");
    place
}

/// A call that sends `in` through a program to `out` and tells what happens in `events`.
fn call<'a>(place: &'a Place, program: &[&str]) -> Esteira<'a> {
    place.esteira().pipe("in", "out", &["--events", "events"], program)
}

/// The same by a pipeline file, whose one stage, `work`, has more keys.
pub(super) fn staged<'a>(place: &'a Place, keys: &str, program: &[&str]) -> Esteira<'a> {
    // What JSON calls a string is one in TOML, too.
    let run = serde_json::to_string(program).unwrap();
    let file = format!(
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\
         [stages.work]\nrun = {run}\noutput = \"out\"\n{keys}\n"
    );
    place.write("p.toml", file);
    place.esteira().pipeline("p.toml", &["--events", "events"])
}

/// A program of `tests/fakes`, as an argument.
pub(super) fn fake(name: &str) -> String {
    project("tests/fakes").join(name).into_os_string().into_string().unwrap()
}

/// Reads the one event of a kind.
#[track_caller]
pub(super) fn event(place: &Place, kind: &str) -> Value {
    let mut found = events(place, kind);
    assert_eq!(found.len(), 1, "of `{kind}`: {}", place.text("events"));
    found.remove(0)
}

/// Requires that there is no event of these kinds.
#[track_caller]
pub(super) fn no_event(place: &Place, kinds: &[&str]) {
    for kind in kinds {
        assert_eq!(events(place, kind), Vec::<Value>::new(), "`{kind}` was told");
    }
}

/// Waits until an event of a kind is told.
#[track_caller]
pub(super) fn await_event(place: &Place, kind: &str) {
    let told = || (!events(place, kind).is_empty()).then_some(());
    assert!(eventually(Duration::from_secs(30), told).is_some(), "`{kind}` is never told");
}

/// Waits until a run has gone on for so many seconds by its own clock.
fn await_second(place: &Place, second: f64) {
    let late = || events(place, "tick").last().and_then(|tick| tick["t"].as_f64());
    let passed = || late().filter(|t| *t > second);
    assert!(eventually(Duration::from_secs(30), passed).is_some(), "the clock stands still");
}

/// A FIFO that a program can wait at, and its end here: what it waits for is written there.
pub(super) fn gate(place: &Place) -> File {
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("gate"), 0o600.into()).unwrap();
    // For both, so that opening it waits for nobody.
    File::options().read(true).write(true).open(place.path("gate")).unwrap()
}

/// Requires that a stage broke: nothing new appeared, and all that it took is in doubt.
/// Returns how many records that is.
#[track_caller]
fn is_in_doubt(place: &Place, done: &Finished, stage: &str) -> u64 {
    assert_eq!(place.text("out"), "before\n", "{}", done.stderr);
    let report = done.report();
    let table = &report["stages"][stage];
    assert_eq!(table["in_doubt"], table["in"], "{table}");
    let (_, sink) = report["sinks"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(sink["written"], 0, "{sink}");
    assert_eq!(event(place, "run_finished")["exit"]["code"], 3);
    assert_eq!(events(place, "withheld").len(), 1);
    table["in_doubt"].as_u64().unwrap()
}

/// Writes a number as messages do.
fn grouped(number: u64) -> String {
    esteira::words::text::grouped(number)
}
