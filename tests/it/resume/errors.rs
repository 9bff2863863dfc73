//! A disk that answers with errors, once and for ever, wherever a run changes anything.

use super::super::harness::{events, needs};
use super::calls::{Point, sample, traced};
use super::{Case, GRAPH, POOL, call, nobody_is_left, resume, run, scattered, trials};

/// One that fails at a point ends as the fault is, and tells it; the next one is as if nothing
/// had happened, whether it takes up or not.
fn fails(case: Case, names: &[&str], usual: u64) {
    let whole = case.whole();
    let points = sample(case, u64::MAX);
    let points: Vec<Point> =
        points.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect();
    let (mut failed, mut taken_up) = (0, 0);
    for trial in 0..trials(usual) {
        let chance = scattered(trial);
        let (name, number) = &points[usize::try_from(chance).unwrap() % points.len()];
        let error = ["EIO", "ENOSPC", "EDQUOT", "EINTR"][usize::try_from(trial).unwrap() % 4];
        // What is interrupted for ever is tried for ever; and without any `write` nobody tells.
        let once = error == "EINTR" || name == "write" || (chance / 7).is_multiple_of(2);
        let for_ever = if once { "" } else { "+" };
        let inject = format!("inject={name}:error={error}:when={number}{for_ever}");
        let place = case.place();
        let done = traced(&place, &inject, &[]).run();
        let which = format!("{inject}: {}", done.stderr);
        nobody_is_left(&place, &which);
        whole.or_nothing_is_there(&place, &which);
        // 2, 127: its first calls, by which it is loaded and reads the pipeline. 3: what a
        // program is told goes by `write` as well; and so goes what wakes a thread.
        let early = name.starts_with("open") && [2, 127].contains(&done.code());
        let early = early || done.stderr.contains("failed to wake I/O driver");
        let told = done.stderr.contains("error") || done.stderr.contains("esteira: ");
        match done.code() {
            0 => {}
            4 => assert!(told, "{which}"),
            3 => assert_eq!(name, "write", "{which}"),
            _ => assert!(early, "{} {which}", done.code()),
        }
        if done.code() == 0 {
            for output in case.outputs {
                assert!(place.has(output), "{which}: it said so");
            }
        }
        failed += u32::from(done.code() != 0);
        let next = if (chance / 11).is_multiple_of(3) { run(&place, &[]) } else { resume(&place) };
        let done = next.run();
        taken_up += events(&place, "taken_up").len();
        case.is_whole(&place, done, &whole, &which);
    }
    assert!(failed > 3, "{failed} failed, {taken_up} went on: {points:?}");
}

#[test]
fn what_cannot_be_opened() {
    fails(GRAPH, &["open", "openat", "mkdir", "mkdirat"], 30);
}

#[test]
fn what_cannot_be_written() {
    fails(POOL, &["write", "ftruncate"], 30);
}

/// No file may become larger, so it is for ever; until the next one, which goes on.
#[test]
fn a_disk_that_is_full_until_the_next_run() {
    let (prlimit, whole) = (needs("prlimit", "util-linux"), POOL.whole());
    let mut taken_up = 0;
    for size in [1, 5_000, 40_000, 100_000, 200_000] {
        let place = POOL.place();
        let esteira = place.esteira().under(&prlimit, &[&format!("--fsize={size}")]);
        let done = call(esteira, &place, &[]).run();
        let which = format!("at {size} bytes: {}", done.stderr);
        assert_eq!(done.code(), 4, "{which}");
        whole.or_nothing_is_there(&place, &which);
        let done = resume(&place).run();
        taken_up += events(&place, "taken_up").len();
        POOL.is_whole(&place, done, &whole, &which);
    }
    assert!(taken_up > 0, "nobody went on");
}

#[test]
fn what_cannot_be_synced() {
    fails(GRAPH, &["fsync", "fdatasync"], 30);
}

#[test]
fn what_cannot_be_renamed_or_removed() {
    fails(POOL, &["rename", "renameat", "renameat2", "unlink", "unlinkat"], 30);
}
