//! Programs that are asked to end, and do not, or in their own way.

use super::super::harness::events;
use super::{event, is_in_doubt, place_with, staged};

/// Each writes a stray line, so that the run stops while the program lives and its input waits.
/// With it, how the program ends: its code or signal, and whether it had to be killed.
const ASKED: [(&str, i32, Option<&str>, bool); 6] = [
    ("echo stray; exec tail -f /dev/null", 15, Some("SIGTERM"), false),
    ("trap 'exit 5' TERM; echo stray; while :; do read -r x; done", 5, None, false),
    ("trap '' TERM; echo stray; exec tail -f /dev/null", 9, Some("SIGKILL"), true),
    // What it still has to say is taken, or it could not even be asked.
    ("trap '' TERM; echo stray; exec yes", 9, Some("SIGKILL"), true),
    ("trap '' TERM; echo stray; yes >&2", 9, Some("SIGKILL"), true),
    // Its children are no better.
    (
        "trap '' TERM; yes >/dev/null & setsid yes >/dev/null & echo stray; wait",
        9,
        Some("SIGKILL"),
        true,
    ),
];

#[test]
fn a_program_that_does_not_end_when_asked_is_killed() {
    for (script, number, signal, killed) in ASKED {
        let place = place_with(400_000);
        let grace = if killed { "grace = \"300ms\"" } else { "grace = \"10m\"" };
        let done = staged(&place, grace, &["sh", "-c", script]).run().exits(3);
        // What came of stopping it is not what it is blamed for.
        let done = done.says("worker 0 wrote line 1").says("stray");
        assert!(!done.stderr.contains("run out of memory"), "{}", done.stderr);
        is_in_doubt(&place, &done, "work");
        assert_eq!(event(&place, "protocol")["line"], 1);
        let exit = event(&place, "worker_exit");
        let how = if signal.is_some() { "signal" } else { "code" };
        assert_eq!(exit[how], number, "{script}: {exit}");
        let signals = events(&place, "worker_signal");
        let names: Vec<&str> = signals.iter().map(|e| e["signal"].as_str().unwrap()).collect();
        assert_eq!(names, signal.into_iter().collect::<Vec<_>>(), "{script}");
        assert_eq!(events(&place, "killed_after_grace").len(), usize::from(killed), "{script}");
        assert_eq!(events(&place, "leak").len(), 0, "{script}");
    }
}
