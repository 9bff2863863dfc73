//! What programs write to stderr: always taken, kept in part, never in the way.

use serde_json::Value;

use super::super::harness::{events, records};
use super::{call, event, is_in_doubt, place_with};

/// How much memory a run may take, in bytes.
const MEMORY: u64 = 64 << 20;

const FLOOD: u64 = 200_000_000;

/// The lines kept of a worker's stderr, and how many bytes are missing between them.
fn kept(exit: &Value) -> (Vec<&str>, u64) {
    let lines = |part: &str| {
        let lines = exit["stderr"][part].as_array().unwrap().iter();
        lines.map(|line| line.as_str().unwrap()).collect::<Vec<_>>()
    };
    ([lines("head"), lines("tail")].concat(), exit["stderr"]["omitted"].as_u64().unwrap())
}

#[test]
fn a_flood_of_words_costs_neither_memory_nor_the_output() {
    let floods = [
        format!(
            "echo first >&2; yes 'all is well' | head -c {FLOOD} >&2; printf '\\nlast\\n' >&2; cat"
        ),
        format!(
            "echo first >&2; cat; head -c {FLOOD} /dev/zero | tr '\\0' z >&2; printf '\\nlast\\n' >&2"
        ),
    ];
    for script in floods {
        let place = place_with(100_000);
        let done = call(&place, &["sh", "-c", &script]).run().exits(0);
        assert!(place.read("out") == records(100_000), "{}", done.stderr);
        let report = done.report();
        let peak = report["controller"]["peak_rss"].as_u64().unwrap();
        assert!(peak > 0 && peak < MEMORY, "{} MiB at its peak", peak >> 20);
        assert_eq!(report["stages"]["sh"]["accepted"], 100_000);
        assert_eq!(event(&place, "stderr_truncated")["shown"], 16 << 10);
        let exit = event(&place, "worker_exit");
        let (lines, omitted) = kept(&exit);
        assert_eq!((lines.first(), lines.last()), (Some(&"first"), Some(&"last")));
        assert_eq!(omitted, FLOOD + "first\n\nlast\n".len() as u64 - (32 << 10));
        let told = events(&place, "stderr");
        let told: usize = told.iter().map(|event| event["line"].as_str().unwrap().len()).sum();
        assert!(told <= 16 << 10, "{told} bytes are told as they come");
        assert!(done.stderr.len() < 64 << 10, "{} bytes are shown", done.stderr.len());
    }
}

/// The reason stands at the end, whatever came before.
#[test]
fn the_last_words_are_shown_behind_a_flood() {
    let place = place_with(100_000);
    let script = format!("yes silence | head -c {FLOOD} >&2; echo 'the reason' >&2; exit 4");
    let done = call(&place, &["sh", "-c", &script]).run().exits(3);
    let done = done.says("exit code 4").says("  | silence\n  | the reason\n");
    is_in_doubt(&place, &done, "sh");
    event(&place, "stderr_truncated");
}

/// A line is told when it is there, and its end is not waited for at the end.
#[test]
fn what_is_kept_is_what_was_written() {
    let place = place_with(3);
    let script = "printf 'one\\r\\n\\ntwo\\033[1m\\377\\nthree' >&2; cat";
    let done = call(&place, &["sh", "-c", script]).run().exits(0);
    let lines = ["one", "", "two\\u{1b}[1m\\xff", "three"];
    let told = events(&place, "stderr");
    assert_eq!(told.iter().map(|e| &e["line"]).collect::<Vec<_>>(), lines);
    assert_eq!(kept(&event(&place, "worker_exit")), (lines.to_vec(), 0));
    let shown: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("sh |")).collect();
    assert_eq!(shown, ["sh | one", "sh | ", "sh | two\\u{1b}[1m\\xff", "sh | three"]);
    assert_eq!(place.read("out"), records(3));
    assert_eq!(done.report()["stages"]["sh"]["accepted"], 3);
}
