//! Programs that end before their time, or with a code that says no.

use std::fs::File;

use super::{call, event, fake, grouped, is_in_doubt, no_event, place_with, staged};

/// It was given every line up to that one, and had written most of them.
#[test]
fn a_program_that_fails_in_mid_stream_leaves_all_in_doubt() {
    let script = fake("die_at.py");
    for (count, at, code) in [
        (1, 1, 1),
        (10, 1, 7),
        (10, 10, 255),
        (200_000, 1, 9),
        (200_000, 99_999, 126),
        (200_000, 200_000, 127),
    ] {
        let place = place_with(count);
        let program = ["python3", &script, &at.to_string(), "exit", &code.to_string()];
        let done = call(&place, &program).run().exits(3);
        let doubt = is_in_doubt(&place, &done, "python3");
        assert!((at..=count).contains(&doubt), "{doubt} of {count}, at {at}");
        let noun = if doubt == 1 { "record" } else { "records" };
        let message = format!(
            "stage `python3`: worker 0 left with exit code {code}; {} {noun} in doubt",
            grouped(doubt)
        );
        let done = done.says(&message).says(&format!("  | line {at} is too much"));
        drop(done.says(&format!("declare `exit = {{ ok = [0], invalid = [{code}] }}`")));
        let exit = event(&place, "worker_exit");
        assert_eq!((&exit["code"], &exit["signal"]), (&code.into(), &().into()));
        assert_eq!(exit["outstanding"], doubt);
        assert_eq!(exit["stderr"]["head"][0], format!("line {at} is too much"));
        let stopping = event(&place, "stopping");
        assert_eq!((&stopping["code"], &stopping["message"]), (&3.into(), &message.into()));
        no_event(&place, &["worker_signal", "protocol", "stalled", "killed_after_grace"]);
    }
}

/// There is nothing to doubt, and yet it failed.
#[test]
fn a_program_may_fail_without_any_record() {
    let place = place_with(0);
    let done = call(&place, &["sh", "-c", "cat; exit 7"]).run().exits(3);
    assert_eq!(is_in_doubt(&place, &done, "sh"), 0);
    drop(done.says("stage `sh`: worker 0 left with exit code 7\n"));
    assert_eq!(event(&place, "worker_exit")["outstanding"], 0);
}

/// Its input is open, and nothing comes: nobody knows for how long.
#[test]
fn a_program_that_fails_at_its_start_is_told_before_there_is_a_record() {
    let place = place_with(0);
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("fifo"), 0o600.into()).unwrap();
    let input = File::options().read(true).write(true).open(place.path("fifo")).unwrap();
    let options = ["--events", "events"];
    for (script, words) in [
        ("echo 'no such module' >&2; exit 1", "worker 0 left with exit code 1"),
        ("echo 'no such module' >&2; kill -SEGV $$", "worker 0 was ended by SIGSEGV"),
    ] {
        let done = place.esteira().pipe("fifo", "out", &options, &["sh", "-c", script]).run();
        let done = done.exits(3).says(words).says("  | no such module");
        assert_eq!(is_in_doubt(&place, &done, "sh"), 0);
        assert_eq!(event(&place, "stopping")["code"], 3);
    }
    drop(input);
}

/// What it was to read fits into the pipe, so nothing but the pipe itself can tell.
#[test]
fn a_program_that_reads_nothing_is_told_by_the_bytes_it_left() {
    let script = fake("leave_unread.py");
    for (count, bytes, words) in [(1, 9, "9 bytes"), (1000, 10_893, "10,893 bytes")] {
        let place = place_with(count);
        let done = call(&place, &["python3", &script]).run().exits(3);
        assert_eq!(is_in_doubt(&place, &done, "python3"), count);
        let done = done.says(&format!("worker 0 left with success, but left {words} unread"));
        drop(done.says("a filter reads to the end of its input").says("early_exit = \"ok\""));
        assert_eq!(event(&place, "early_exit")["unread_bytes"], bytes);
        assert_eq!(event(&place, "worker_exit")["code"], 0);
    }
}

/// The same with more than a pipe holds: it is gone while there is still something to write.
#[test]
fn a_program_that_ends_before_its_input_is_told_at_once() {
    let place = place_with(400_000);
    for program in [&["true"][..], &["head", "-n", "3"]] {
        let done = call(&place, program).run().exits(3);
        let done = done.says("left with success, but stopped reading before the end of its input");
        is_in_doubt(&place, &done, program[0]);
        let early = event(&place, "early_exit");
        assert_eq!((&early["stage"], &early["unread_bytes"]), (&program[0].into(), &().into()));
        assert_eq!(event(&place, "stdin_closed")["stage"], program[0]);
    }
}

/// Nobody knows which of the records in the pipe it looked at; those that never got there were
/// left out on purpose.
#[test]
fn a_program_that_may_end_early_has_what_it_wanted() {
    let head = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n";
    for count in [3, 4, 1000, 400_000] {
        let place = place_with(count);
        let done = staged(&place, "early_exit = \"ok\"", &["head", "-n", "3"]).run().exits(0);
        assert_eq!(place.text("out"), head, "{count}: {}", done.stderr);
        let report = done.report();
        let stage = &report["stages"]["work"];
        let number = |key: &str| stage[key].as_u64().unwrap();
        assert_eq!(number("accepted") + number("in_doubt") + number("dropped"), number("in"));
        assert_eq!(number("out"), 3);
        // Of few records it takes all at once; then it depends on who is faster.
        if count == 400_000 {
            assert_eq!(number("accepted"), 0, "{stage}");
            assert!(number("in") < count, "the rest was not even read: {stage}");
            assert_eq!(stage["in_doubt"], event(&place, "stdin_closed")["accepted"]);
        }
        assert_eq!(event(&place, "published")["records"], 3);
    }
}

/// All of it was in the pipe, so nothing can be said to have been left out.
#[test]
fn what_lies_unread_is_in_doubt_where_an_early_end_is_fine() {
    let place = place_with(1000);
    let program = ["python3", &fake("leave_unread.py")];
    let done = staged(&place, "early_exit = \"ok\"", &program).run().exits(0);
    assert_eq!(place.text("out"), "");
    let stage = &done.report()["stages"]["work"];
    let counts = ["in", "accepted", "dropped", "in_doubt", "out"].map(|key| stage[key].as_u64());
    assert_eq!(counts, [1000, 0, 0, 1000, 0].map(Some), "{stage}");
    assert_eq!(event(&place, "early_exit")["unread_bytes"], 10_893);
    no_event(&place, &["stdin_closed", "stopping"]);
}

/// To end early is one thing, to fail another.
#[test]
fn a_program_that_may_end_early_must_still_end_well() {
    let place = place_with(400_000);
    let script = "head -n 3; exit 2";
    let done = staged(&place, "early_exit = \"ok\"", &["sh", "-c", script]).run().exits(3);
    is_in_doubt(&place, &done.says("exit code 2"), "work");
}
