//! Nobody survives, whoever is killed and when: the same few ends again and again, each time at
//! another moment. `ESTEIRA_TRIALS` sets how often.

use rustix::process::Signal;

use super::super::harness::{Finished, Place, Running, eventually, needs, strays};
use super::{FAMILY, LONG, children, families, nobody_is_left, number, signal};

/// How many records the workers see at most.
const RECORDS: u64 = 200;

/// How often each end is tried, at least.
const TRIALS: u64 = 20;

/// Tries an end that the program does not see.
fn unseen(code: i32, end: impl Fn(&Running)) {
    trials(0, end, |place, done, which| {
        assert_eq!(done.code(), code, "{which}: {}", done.stderr);
        nobody_is_left(place, which);
        let left = strays(place.root());
        assert!(left.len() <= 1, "{which}: more than the output on its way: {left:?}");
    });
}

/// Tries an end that the program sees, from some step on. It may leave with one of `codes`.
fn seen(codes: &[i32], earliest: u64, end: impl Fn(&Running)) {
    trials(earliest, end, |_, done, which| {
        let code = done.code();
        assert!(codes.contains(&code), "{which}: {code}: {}", done.stderr);
        assert_eq!(done.exits(code).report()["exit"]["code"], code);
    });
}

fn trials(earliest: u64, end: impl Fn(&Running), check: impl Fn(&Place, Finished, &str)) {
    let wanted = std::env::var("ESTEIRA_TRIALS").ok().map(|text| text.parse::<u64>().unwrap());
    for trial in 0..wanted.unwrap_or(TRIALS).max(TRIALS) {
        // Half of them while the families come into being, which is when most can go wrong.
        let last = if trial % 2 == 0 { FAMILY + 2 } else { FAMILY + RECORDS };
        let moment = earliest + scattered(trial) % (last - earliest + 1);
        let which = format!("trial {trial}, at step {moment}");
        let place = families(RECORDS);
        let done = ended(&place, moment, &end);
        assert_eq!(place.text("out/users"), "before\n", "{which}: {}", done.stderr);
        check(&place, done, &which);
    }
}

/// Starts a run and ends it as soon as the first worker took `moment` steps.
fn ended(place: &Place, moment: u64, end: impl Fn(&Running)) -> Finished {
    let setsid = needs("setsid", "util-linux");
    let running = place.esteira().under(&setsid, &[]).pipeline("p.toml", &[]).start();
    let steps = || std::fs::metadata(place.path("first")).map_or(0, |file| file.len());
    let there = || !children(running.pid()).is_empty() && steps() >= moment;
    assert!(eventually(LONG, || there().then_some(())).is_some(), "never at step {moment}");
    end(&running);
    running.wait()
}

/// Numbers without a pattern, but the same each time.
fn scattered(trial: u64) -> u64 {
    let mixed = (trial + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

/// The first record has come: both guards have told that their workers run.
const STARTED: u64 = FAMILY + 1;

fn kill_guards(running: &Running, count: usize) {
    for guard in children(running.pid()).into_iter().take(count) {
        signal(guard, Signal::KILL);
    }
}

#[test]
fn killed() {
    unseen(137, |running| running.signal(Signal::KILL));
}

#[test]
fn killed_with_its_group() {
    unseen(137, |running| {
        rustix::process::kill_process_group(number(running.pid()), Signal::KILL).unwrap();
    });
}

#[test]
fn aborted() {
    unseen(134, |running| running.signal(Signal::ABORT));
}

#[test]
fn stopped_and_killed() {
    unseen(137, |running| {
        running.signal(Signal::STOP);
        running.signal(Signal::KILL);
    });
}

#[test]
fn asked_to_end() {
    seen(&[143], 0, |running| running.signal(Signal::TERM));
}

#[test]
fn interrupted() {
    seen(&[130], 0, |running| running.signal(Signal::INT));
}

/// The request may come when the loss has ended the run already.
#[test]
fn one_guard_killed_and_asked_to_end() {
    seen(&[143, 3], STARTED, |running| {
        kill_guards(running, 1);
        signal(running.pid(), Signal::TERM);
    });
}

#[test]
fn all_guards_killed_and_asked_to_end() {
    seen(&[143, 3], STARTED, |running| {
        kill_guards(running, 2);
        signal(running.pid(), Signal::TERM);
    });
}
