//! Workers killed from outside, again and again: what comes out does not show it.

use rustix::process::{Pid, Signal};
use sha2::{Digest as _, Sha256};

use super::super::harness::{Place, Running, events, eventually, records, without_trace};
use super::super::workers::place_with;
use super::{LONG, pool};

/// How much may be with one worker; each of these is tried alone after a death.
const WINDOW: u64 = 16;

/// How many records there are, and how many deaths at most.
const RECORDS: u64 = 10_000;
const DEATHS: u64 = 8;

/// The process at a place: the one that was started last.
fn process(place: &Place, worker: u64) -> Option<u64> {
    let starts = events(place, "worker_started");
    starts.iter().rev().find(|start| start["worker"] == worker)?["pid"].as_u64()
}

/// Who answered what, a line each.
fn told(place: &Place) -> String {
    std::fs::read_to_string(place.path("told")).unwrap_or_default()
}

/// How many records a process has answered.
fn answers(place: &Place, pid: u64) -> u64 {
    let by = format!(" {pid} ");
    told(place).lines().filter(|line| line.contains(&by)).count() as u64
}

/// Numbers without a pattern, but the same each time.
fn scattered(trial: u64) -> u64 {
    let mixed = (trial + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

/// Kills workers until the run is over; each new one has shown before that all the records of
/// its predecessor are settled, so that none of them is blamed for what comes from outside.
fn kill(place: &Place, running: &Running, workers: u64) -> u64 {
    let over = || !events(place, "run_finished").is_empty() || !running.lives();
    let mut deaths = 0;
    // Whoever lives while so many are open has not been told to end.
    let open = || told(place).lines().count() as u64 + 2 * WINDOW * workers < RECORDS;
    while deaths < DEATHS && open() {
        let worker = scattered(deaths * 31 + workers) % workers;
        let settled = |pid: u64| answers(place, pid) > WINDOW + 2;
        let ready = || match process(place, worker).filter(|pid| settled(*pid)) {
            Some(pid) => Some(Some(pid)),
            None => over().then_some(None),
        };
        let Some(pid) = eventually(LONG, ready).expect("a worker makes no progress") else { break };
        let process = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        // Stopped first, it cannot come to its end between the look at what is open and its death:
        // a process that has ended and is not yet waited for can be killed too, and nobody sees it.
        if rustix::process::kill_process(process, Signal::STOP).is_err() || !open() {
            rustix::process::kill_process(process, Signal::CONT).ok();
            break;
        }
        rustix::process::kill_process(process, Signal::KILL).expect("a stopped worker is there");
        deaths += 1;
        let starts = || events(place, "worker_started").len() as u64;
        let replaced = || (starts() >= workers + deaths || over()).then_some(());
        assert!(eventually(LONG, replaced).is_some(), "a killed worker is not replaced");
    }
    deaths
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// The same run by so many workers, whoever of them is killed.
fn run(workers: u64, kills: bool) -> (Vec<u8>, Vec<u8>, u64) {
    let place = place_with(0);
    place.write("in", records(RECORDS));
    let keys = format!(
        "workers = {workers}\nrestarts = \"1000/1m\"\nmax_rejects = \"100%\"\n\
         in_flight = {{ records = {WINDOW}, bytes = \"64KiB\" }}"
    );
    let args = [
        "--reject",
        "700",
        "--drop",
        "11",
        "--replace",
        "5",
        "--tell",
        "told",
        "--order",
        "shuffle",
    ];
    let running = pool(&place, "records", &keys, &args).start();
    let deaths = if kills { kill(&place, &running, workers) } else { 0 };
    let done = running.wait().exits(0);
    let stage = done.report()["stages"]["work"].clone();
    assert_eq!((&stage["in"], &stage["in_doubt"]), (&RECORDS.into(), &0.into()), "{stage}");
    assert_eq!(events(&place, "worker_signal").len() as u64, deaths, "{}", done.stderr);
    (digest(&place.read("out")), digest(without_trace(&place.text("bad")).as_bytes()), deaths)
}

#[test]
fn who_is_killed_cannot_be_seen_in_the_output() {
    let (out, bad, _) = run(1, false);
    let mut all = 0;
    for workers in [1, 2, 4, 8] {
        let (seen, refused, deaths) = run(workers, true);
        assert!(
            seen == out && refused == bad,
            "by {workers} workers, {deaths} of which were killed"
        );
        all += deaths;
    }
    assert!(all >= DEATHS, "only {all} were killed in time");
}
