//! A state that is not as it was written is never gone on with, and never in the way of a plain
//! run.

use std::fs;

use super::POOL;
use super::refused::{cut_off, is_refused};
use super::{resume, run, trials};

/// A state that is damaged at some places, one after the other; the first are all tried.
fn damaged(damage: impl Fn(&[u8], usize) -> Vec<u8>) {
    let place = cut_off(POOL);
    let state = place.read(".esteira/p/state");
    let step = state.len().div_ceil(usize::try_from(trials(25)).unwrap()).max(1);
    for at in (0..20).chain((20..state.len()).step_by(step)) {
        let bytes = damage(&state, at);
        place.write(".esteira/p/state", &bytes);
        let done = resume(&place).run();
        assert_eq!(done.code(), 5, "byte {at}: {}", done.stderr);
        drop(done.says("cannot go on: of the state in `.esteira/p`, it ").says("--resume"));
        assert!(place.read(".esteira/p/state") == bytes, "byte {at}: it was changed");
    }
    // As it was, it is good.
    place.write(".esteira/p/state", state);
    POOL.is_whole(&place, resume(&place).run(), &POOL.whole(), "mended");
}

#[test]
fn each_byte_flipped() {
    damaged(|state, at| {
        let mut bytes = state.to_vec();
        bytes[at] ^= 1 << (at % 8);
        bytes
    });
}

#[test]
fn cut_off_at_each_length() {
    damaged(|state, at| state[..at].to_vec());
}

#[test]
fn a_newer_version_says_so() {
    let place = cut_off(POOL);
    let state = place.text(".esteira/p/state");
    let (_, rest) = state.split_once("esteira-state ").unwrap();
    let (version, rest) = rest.split_once(' ').unwrap();
    let newer = version.parse::<u32>().unwrap() + 1;
    place.write(".esteira/p/state", format!("esteira-state {newer} {rest}"));
    is_refused(&place, &["it was written by another version of esteira"]);
}

#[test]
fn a_damaged_state_is_in_no_plain_runs_way() {
    let place = cut_off(POOL);
    fs::write(place.path(".esteira/p/state"), "").unwrap();
    let done = run(&place, &[]).run();
    POOL.is_whole(&place, done, &POOL.whole(), "afresh");
}
