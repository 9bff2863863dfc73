//! Killed at any moment: no row is lost, and none is there twice.

use std::fs;

use rustix::process::Signal;

use super::super::harness::{alive, events, eventually, needs};
use super::resumed::{Case, LONG, undisturbed};
use super::{KINDS, Kind};

/// Numbers without a pattern, but the same each time.
fn scattered(trial: u64) -> usize {
    let mixed = (trial + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from((mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33).unwrap()
}

/// How often something is tried: `ESTEIRA_TRIALS`, or as often as there is time for.
pub(super) fn trials(usual: u64) -> u64 {
    std::env::var("ESTEIRA_TRIALS").map_or(usual, |text| text.parse().unwrap()).max(usual)
}

fn killed_at_random(kind: Kind, more: &str) {
    let whole = undisturbed(kind, more);
    let mut died = 0;
    let mut trial = 0;
    while died < trials(50) {
        let case = Case::new(kind, more);
        let mut which = format!("{kind:?} trial {trial}:");
        for again in 0..3 {
            let moment = scattered(trial * 3 + again);
            fs::remove_file(case.place.path("events")).ok();
            let options: &[&str] = if again > 0 { &["--resume"] } else { &[] };
            let running = case.run(options).start();
            let there = || {
                let over = !events(&case.place, "run_finished").is_empty() || !running.lives();
                let enough = events(&case.place, "checkpoint").len() >= moment % 9;
                (over || enough).then_some(())
            };
            assert!(eventually(LONG, there).is_some(), "{which}: never so far");
            if running.lives() {
                running.signal(Signal::KILL);
            }
            let done = running.wait();
            which = format!("{which} {} after {}", done.code(), moment % 9);
            assert!([0, 137].contains(&done.code()), "{which}: {}", done.stderr);
            died += u64::from(done.code() == 137);
            case.nobody_is_left();
        }
        let done = case.run(&["--resume"]).run();
        assert_eq!(done.code(), 0, "{which}: {}", done.stderr);
        case.whole(&done).is(&whole, &which);
        drop(done);
        trial += 1;
    }
}

#[test]
fn a_file_of_rows_whose_writer_is_killed() {
    killed_at_random(Kind::Sqlite, "");
    killed_at_random(Kind::Sqlite, "on_conflict = \"ignore\"\nsynchronous = \"normal\"");
}

#[test]
fn a_server_whose_client_is_killed() {
    killed_at_random(Kind::Postgres, "");
    killed_at_random(Kind::Postgres, "on_conflict = \"ignore\"");
}

/// Killed before each of the system calls that change the file, or as many as there is time for.
#[test]
fn a_writer_that_is_killed_before_each_call() {
    let strace = needs("strace", "strace");
    let whole = undisturbed(Kind::Sqlite, "");
    let calls = ["pwrite64", "fdatasync", "fsync", "ftruncate", "unlink"];
    let log = |case: &Case| case.place.path("trace").display().to_string();
    let case = Case::new(Kind::Sqlite, "");
    let trace = format!("trace={}", calls.join(","));
    let path = log(&case);
    let arguments = ["-f", "-qq", "-b", "execve", "-o", &path, "-e", &trace];
    let options = ["--events", "events", "--checkpoint-every", "0"];
    let traced = case.place.esteira().under(&strace, &arguments);
    drop(traced.pipeline("p.toml", &options).run().exits(0));
    let text = case.place.text("trace");
    let mut died = 0;
    for call in calls {
        let made = text.lines().filter(|line| line.contains(&format!(" {call}("))).count();
        let tried = usize::try_from(trials(8)).unwrap();
        for number in (1..=made).step_by(made.div_ceil(tried).max(1)) {
            let which = format!("{call} {number} of {made}");
            let case = Case::new(Kind::Sqlite, "");
            let path = log(&case);
            let inject = format!("inject={call}:signal=SIGKILL:when={number}");
            let arguments = ["-f", "-qq", "-b", "execve", "-o", &path, "-e", &inject];
            let traced = case.place.esteira().under(&strace, &arguments);
            let done = traced.pipeline("p.toml", &options).run();
            assert!([0, 137].contains(&done.code()), "{which}: {}", done.stderr);
            died += u32::from(done.code() == 137);
            drop(done);
            case.nobody_is_left();
            let done = case.run(&["--resume"]).run();
            assert_eq!(done.code(), 0, "{which}: {}", done.stderr);
            case.whole(&done).is(&whole, &which);
            drop(done);
        }
    }
    assert!(died > 10, "{died}");
}

/// One that is asked to end commits what it has, and goes on from there.
#[test]
fn a_writer_that_is_asked_to_end_goes_on_later() {
    for kind in KINDS {
        let whole = undisturbed(kind, "");
        let case = Case::new(kind, "");
        let gate = case.place.path("gate");
        rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
        let running = case.run(&[]).start();
        let some = || (!events(&case.place, "checkpoint").is_empty()).then_some(());
        assert!(eventually(LONG, some).is_some(), "no checkpoint");
        running.signal(Signal::TERM);
        case.let_go(&running);
        let done = running.wait();
        assert_eq!(done.code(), 143, "{}", done.stderr);
        assert!(done.stderr.contains("--resume"), "{}", done.stderr);
        drop(done);
        fs::remove_file(gate).unwrap();
        assert!(alive(case.place.root()).is_empty());
        let done = case.run(&["--resume"]).run().exits(0);
        case.whole(&done).is(&whole, &format!("{kind:?}"));
    }
}
