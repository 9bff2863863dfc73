//! What an input can hold, what becomes of it, and what is told about it.

mod dead_letters;
mod deep;
mod examples;
mod exits;
mod gate;
mod lines;
mod long;
mod stray;

use serde_json::Value;

use super::harness::{Finished, Place};

/// How much memory a run may take whatever it reads, in bytes.
const MEMORY: u64 = 64 << 20;

/// Reads a file of dead letters.
fn letters(place: &Place, name: &str) -> Vec<Value> {
    place.text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Takes from each dead letter the line, the code and the column.
fn faults(letters: &[Value]) -> Vec<(u64, &str, Option<u64>)> {
    let mut faults = Vec::new();
    for letter in letters {
        let [error] = &letter["errors"].as_array().unwrap()[..] else { panic!("{letter}") };
        let code = error["code"].as_str().unwrap();
        faults.push((letter["line"].as_u64().unwrap(), code, error["column"].as_u64()));
    }
    faults
}

/// Requires that the run took little memory.
#[track_caller]
fn is_small(done: &Finished) {
    let peak = done.report()["controller"]["peak_rss"].as_u64().unwrap();
    assert!(peak > 0 && peak < MEMORY, "{} MiB at its peak", peak >> 20);
}
