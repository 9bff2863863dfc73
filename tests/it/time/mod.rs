//! Time: what a run may take, what stands still while the program does, and who holds up whom.

mod bottleneck;
mod deadlines;
mod stopped;

use std::time::Duration;

use serde_json::Value;

use super::harness::{Place, events, eventually, records};

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(30);

/// Waits until something holds.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    assert!(eventually(LONG, || holds().then_some(())).is_some(), "never: {what}");
}

/// A folder with so many records to read.
fn place_with(count: u64) -> Place {
    let place = Place::new();
    place.write("in", records(count));
    place
}

/// Reads from the last tick how each table spent its time.
fn times(place: &Place) -> Vec<(String, [f64; 3])> {
    let Some(tick) = events(place, "tick").pop() else { return Vec::new() };
    let tables = tick["tables"].as_array().unwrap().iter();
    tables.map(|table| (table["name"].as_str().unwrap().to_owned(), spent(table))).collect()
}

/// How long a table was busy, starved and blocked, in seconds.
fn spent(table: &Value) -> [f64; 3] {
    ["busy", "starved", "blocked"].map(|key| table[key].as_f64().unwrap())
}
