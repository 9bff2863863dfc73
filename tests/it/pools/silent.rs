//! Workers that say nothing: they are late with a record, or deaf, or mute, or asleep.

use super::super::harness::{events, records};
use super::super::workers::{event, no_event, place_with};
use super::{is_broken, is_whole, letters, pool};

/// Another one is asked, and answers.
#[test]
fn who_is_late_once_costs_nothing() {
    for workers in [1, 4] {
        let place = place_with(1000);
        let keys = format!("workers = {workers}\nrecord_timeout = \"1s\"");
        let args = ["--do", "hang", "--at", "100", "--once", "late"];
        is_whole(&place, pool(&place, "records", &keys, &args).run()).report();
        let late = event(&place, "reply_timeout");
        assert_eq!(
            (&late["stage"], late["seconds"].as_f64()),
            (&"work".into(), Some(1.0)),
            "{late}"
        );
        assert!(late["id"].is_u64() && late["worker"].is_u64(), "{late}");
        assert_eq!(events(&place, "restart").len(), 1);
    }
}

/// It ends two workers by being too much for them; what waits behind it is not late.
#[test]
fn a_record_that_takes_two_workers_too_long_is_refused() {
    for workers in [1, 4] {
        let place = place_with(600);
        let keys = format!("workers = {workers}\nrecord_timeout = \"1s\"\nmax_rejects = 1");
        let done = pool(&place, "records", &keys, &["--do", "hang", "--id", "42"]).run().exits(0);
        let rest = [records(41), records(600).split_off(records(42).len())].concat();
        assert!(place.read("out") == rest, "{}", done.stderr);
        let letters = letters(&place);
        assert_eq!(letters.len(), 1);
        assert_eq!(
            (&letters[0]["errors"][0]["code"], &letters[0]["line"]),
            (&"worker.timeout".into(), &42.into())
        );
        assert_eq!(letters[0]["trace"]["attempts"], 2);
        assert_eq!(events(&place, "reply_timeout").len(), 2);
        assert_eq!(done.report()["stages"]["work"]["rejected"], 1);
    }
}

#[test]
fn a_late_record_is_refused_at_once_where_that_is_asked() {
    let place = place_with(100);
    let keys = "on_crash = \"reject\"\nrecord_timeout = \"1s\"";
    let done = pool(&place, "records", keys, &["--do", "hang", "--id", "42"]).run().exits(1);
    let letters = letters(&place);
    assert_eq!((letters.len(), &letters[0]["errors"][0]["code"]), (1, &"worker.timeout".into()));
    assert_eq!(letters[0]["trace"]["attempts"], 1);
    assert_eq!(done.report()["stages"]["work"]["accepted"], 99);
}

/// Who answers each in time is not late, however long all of them take.
#[test]
fn each_record_has_its_own_time() {
    let place = place_with(8);
    let keys = "record_timeout = \"2s\"";
    let args = ["--do", "think:2.5", "--at", "8"];
    // It has used some of that time before.
    is_whole(&place, pool(&place, "records", "record_timeout = \"30s\"", &args).run()).report();
    let place = place_with(400);
    is_whole(&place, pool(&place, "records", keys, &["--do", "drip", "--at", "1"]).run()).report();
    no_event(&place, &["reply_timeout"]);
}

/// Without a limit for each record, one that does nothing is caught all the same.
#[test]
fn who_does_nothing_is_ended_after_a_while() {
    let cases = [
        ("records", "hang", "0", "S"),
        ("records", "hang", "5", "S"),
        ("records", "kill:STOP", "100", "T"),
        ("lines", "hang", "5", "S"),
        ("lines", "kill:STOP", "5", "T"),
    ];
    // They wait side by side.
    let started = cases.map(|(protocol, act, at, state)| {
        // Who has all its input may think about it where nothing else is promised.
        let place = place_with(if protocol == "lines" { 200_000 } else { 100 });
        let args = ["--do", act, "--at", at];
        let running = pool(&place, protocol, "stall = \"1s\"\ngrace = \"300ms\"", &args).start();
        (place, running, act, state)
    });
    for (place, running, act, state) in started {
        is_broken(&place, running.wait(), &["worker 0", "1 s"]).report();
        let stalled = event(&place, "stalled");
        assert_eq!((&stalled["worker"], &stalled["state"]), (&0.into(), &state.into()), "{act}");
    }
}

/// Many times what a pipe holds, and it reads none of it.
#[test]
fn who_does_not_read_is_ended_after_a_while() {
    let started = ["records", "lines"].map(|protocol| {
        let place = place_with(200_000);
        let keys = "workers = 2\nstall = \"1s\"";
        let args = ["--do", "hang", "--at", "0", "--once", "asleep"];
        let running = pool(&place, protocol, keys, &args).start();
        (place, running)
    });
    for (place, running) in started {
        is_broken(&place, running.wait(), &["neither read"]).report();
        assert!(event(&place, "stalled")["unread_bytes"].as_u64().unwrap() > 0);
    }
}

/// Who closes its input and ends is replaced.
#[test]
fn who_closes_its_input_and_leaves_is_replaced() {
    let place = place_with(200_000);
    let args = ["--do", "close-stdin:exit", "--at", "50", "--once", "closed"];
    is_whole(&place, pool(&place, "records", "workers = 2", &args).run()).report();
    assert_eq!(events(&place, "restart").len(), 1);
}

/// Who closes its input and stays is noticed, whether there is something to write to it or not.
#[test]
fn who_closes_its_input_and_stays_is_ended() {
    let started = ["0", "50"].map(|at| {
        let place = place_with(50_000);
        let keys = "workers = 2\ngrace = \"300ms\"";
        let args = ["--do", "close-stdin:hang", "--at", at, "--once", "closed"];
        let running = pool(&place, "records", keys, &args).start();
        (place, running)
    });
    for (place, running) in started {
        let done = running.wait();
        is_whole(&place, done).report();
        assert_eq!(event(&place, "stdin_closed")["stage"], "work");
        assert_eq!(events(&place, "restart").len(), 1);
    }
}

#[test]
fn who_closes_its_input_puts_all_in_doubt_where_lines_are_counted() {
    for act in ["close-stdin:hang", "close-stdin:exit"] {
        let place = place_with(200_000);
        let args = ["--do", act, "--at", "50"];
        let keys = "grace = \"300ms\"\nstall = \"2s\"";
        let done = pool(&place, "lines", keys, &args).run();
        let report = is_broken(&place, done, &["worker 0"]).report();
        assert_eq!(report["stages"]["work"]["accepted"], 0);
        no_event(&place, &["restart"]);
    }
}

/// It cannot answer any more, so it is as good as dead, whether it reads on or not.
#[test]
fn who_closes_its_output_is_replaced() {
    for act in ["close-stdout:hang", "close-stdout:read"] {
        let keys = "workers = 2\ngrace = \"300ms\"";
        let args = ["--do", act, "--at", "50", "--once", "closed"];
        let place = place_with(2000);
        is_whole(&place, pool(&place, "records", keys, &args).run()).report();
        // One that ends at once had no time to be noticed.
        let told = events(&place, "stdout_closed_early").len();
        assert!(told == 1 || act == "close-stdout:read" && told == 0, "{act}: {told}");
        let place = place_with(2000);
        is_broken(&place, pool(&place, "lines", keys, &args).run(), &[]).report();
    }
}

/// It has said all that it had to say.
#[test]
fn who_closes_its_output_at_the_end_may_take_its_time() {
    let place = place_with(100);
    let script = "import os,sys\nfor line in sys.stdin:\n    sys.stdout.write(line)\n\
                  sys.stdout.flush()\nos.close(1)\nos.close(0)\nwhile not os.path.exists('go'): pass\n\
                  os._exit(0)\n";
    place.write("worker", script);
    let keys = "protocol = \"lines\"\ngrace = \"300ms\"";
    let running = super::staged(&place, keys, &["python3", "worker"]).start();
    super::super::workers::await_event(&place, "stdout_closed_early");
    place.write("go", "");
    let done = running.wait().exits(0);
    assert_eq!(place.read("out"), records(100), "{}", done.stderr);
}
