//! Programs that do nothing while their input waits.

use std::io::Write as _;

use super::super::harness::{events, records};
use super::{
    await_event, await_second, event, fake, gate, grouped, is_in_doubt, no_event, place_with,
    staged,
};

/// Programs, and what `/proc` says of each while it does nothing.
const STUCK: [(&str, &str); 6] = [
    ("exec sleep 600", "S"),
    ("head -n 1000 >/dev/null; sleep 600; true", "S"),
    ("exec <&-; exec sleep 600", "S"),
    ("exec >&-; exec sleep 600", "S"),
    ("kill -STOP $$; exec cat", "T"),
    ("trap '' TERM; kill -STOP $$; exec sleep 600", "T"),
];

#[test]
fn a_program_that_does_nothing_is_ended_after_a_while() {
    for (script, state) in STUCK {
        let place = place_with(400_000);
        let deaf = script.contains("trap");
        let grace = if deaf { "300ms" } else { "10m" };
        let keys = format!("stall = \"1s\"\ngrace = \"{grace}\"");
        let done = staged(&place, &keys, &["sh", "-c", script]).run().exits(3);
        let words = "stage `work`: worker 0 neither read, wrote nor computed for 1 s";
        let done = done.says(words).says("with input waiting").says("raise `stall` of the stage");
        is_in_doubt(&place, &done, "work");
        let stalled = event(&place, "stalled");
        assert_eq!((&stalled["stage"], &stalled["seconds"]), (&"work".into(), &1.into()));
        assert_eq!(stalled["state"], state, "{script}");
        // A pipe is full, unless nobody is left to read it.
        let unread = stalled["unread_bytes"].as_u64();
        let open = !script.contains("<&-");
        assert_eq!(unread.is_some_and(|bytes| bytes >= 4096), open, "{script}: {stalled}");
        assert_eq!(event(&place, "stopping")["code"], 3);
        let signal = if deaf { "SIGKILL" } else { "SIGTERM" };
        assert_eq!(event(&place, "worker_signal")["signal"], signal, "{script}");
        assert_eq!(events(&place, "killed_after_grace").len(), usize::from(deaf), "{script}");
        let cause = if state == "T" { "it is stopped (state T)" } else { "it does not read" };
        assert!(stalled["hint"].as_str().unwrap().contains(cause), "{stalled}");
        drop(done.says(cause));
    }
}

/// Without a limit the likely cause is told after ten seconds, and nothing more comes of it.
#[test]
fn a_program_that_may_do_nothing_for_ever_goes_on_when_it_likes() {
    let place = place_with(400_000);
    let mut gate = gate(&place);
    let script = "read -r go <gate; exec cat";
    let running = staged(&place, "stall = 0", &["sh", "-c", script]).start();
    await_event(&place, "stalled");
    writeln!(gate, "go").unwrap();
    let done = running.wait().exits(0);
    assert!(place.read("out") == records(400_000), "{}", done.stderr);
    assert_eq!(event(&place, "stalled")["seconds"], 10);
    assert_eq!(done.report()["stages"]["work"]["accepted"], 400_000);
    no_event(&place, &["stopping", "worker_signal"]);
}

/// Who has all of its input may think as long as it likes, as `sort` does.
#[test]
fn a_program_that_has_read_everything_is_not_hurried() {
    let place = place_with(10);
    let mut gate = gate(&place);
    let script = "all=$(cat); read -r go <gate; echo \"$all\"";
    let running = staged(&place, "stall = \"1s\"", &["sh", "-c", script]).start();
    await_second(&place, 3.5);
    writeln!(gate, "go").unwrap();
    let done = running.wait().exits(0);
    assert_eq!(place.read("out"), records(10));
    assert_eq!(done.report()["stages"]["work"]["accepted"], 10);
    no_event(&place, &["stalled", "stopping"]);
}

/// All of its input fits into the pipe, and there it stays.
#[test]
fn a_program_that_leaves_a_small_input_unread_is_ended_too() {
    let place = place_with(10);
    let done = staged(&place, "stall = \"1s\"", &["sleep", "600"]).run().exits(3);
    let done = done.says("neither read, wrote nor computed for 1 s, with input waiting");
    is_in_doubt(&place, &done, "work");
    let unread = event(&place, "stalled")["unread_bytes"].clone();
    assert_eq!(unread, u64::try_from(records(10).len()).unwrap());
}

/// It has all of its input, but it does not think.
#[test]
fn a_program_that_is_stopped_at_its_end_is_ended_too() {
    let place = place_with(10);
    let script = "cat; kill -STOP $$; exit 0";
    let done = staged(&place, "stall = \"1s\"", &["sh", "-c", script]).run().exits(3);
    let done = done.says("stage `work`: worker 0 neither read, wrote nor computed for 1 s\n");
    let done = done.says("it is stopped (state T)");
    is_in_doubt(&place, &done, "work");
    assert_eq!(event(&place, "stalled")["state"], "T");
}

/// It may have been given more than it can look at, but it does look.
#[test]
fn a_program_that_computes_is_not_stuck() {
    let place = place_with(400_000);
    let script = fake("think.py");
    let done = staged(&place, "stall = \"2s\"", &["python3", &script, "4"]).run().exits(0);
    assert!(place.read("out") == records(400_000), "{}", done.stderr);
    assert_eq!(done.report()["stages"]["work"]["accepted"], 400_000);
    no_event(&place, &["stalled", "stopping"]);
}

/// A stage that may stall is still bound by its deadline.
#[test]
fn a_deadline_ends_what_may_do_nothing_for_ever() {
    for keys in ["stall = 0\ndeadline = \"1s\"", "stall = \"0\"\ndeadline = \"1s\""] {
        let place = place_with(400_000);
        let done = staged(&place, keys, &["sleep", "600"]).run().exits(3);
        let done = done.says("stage `work` did not end within its deadline");
        let doubt = is_in_doubt(&place, &done, "work");
        assert!(doubt > 0, "{} records", grouped(doubt));
        no_event(&place, &["stalled", "killed_after_grace"]);
        assert_eq!(event(&place, "worker_signal")["signal"], "SIGTERM");
    }
}
