//! Workers that die: what they had is tried again, and what ends two of them is refused.

use super::super::harness::{Place, events, records};
use super::super::workers::{event, no_event, place_with};
use super::{is_broken, is_whole, letters, pool};

/// With its window full, and others at work.
#[test]
fn who_dies_once_costs_nothing() {
    for act in ["kill:KILL", "exit:7", "exit:0", "torn:kill:ABRT"] {
        for workers in [1, 4] {
            let place = place_with(3000);
            let keys = format!("workers = {workers}");
            let args = ["--do", act, "--at", "100", "--once", "dead"];
            is_whole(&place, pool(&place, "records", &keys, &args).run()).report();
            let restart = event(&place, "restart");
            assert_eq!((&restart["stage"], &restart["attempt"]), (&"work".into(), &1.into()));
            assert!(restart["outstanding"].as_u64().unwrap() > 0, "{restart}");
            assert!(restart["delay_ms"].is_u64(), "{restart}");
            assert_eq!(events(&place, "worker_started").len(), workers + 1, "{act}");
            let signals = usize::from(act.contains("kill"));
            assert_eq!(events(&place, "worker_signal").len(), signals, "{act}");
        }
    }
}

/// Replies that were already written are not asked for again.
#[test]
fn what_was_answered_is_not_asked_again() {
    let place = place_with(1000);
    let keys = "workers = 1\nin_flight = { records = 64, bytes = \"64KiB\" }";
    let args = ["--do", "kill:KILL", "--at", "500", "--once", "dead", "--tell", "told"];
    is_whole(&place, pool(&place, "records", keys, &args).run()).report();
    let told = place.text("told");
    let mut ids: Vec<&str> = told.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), told.lines().count()), (1000, 1000), "each is answered once");
}

/// One record ends every worker that is given it; the others have nothing to do with it.
#[test]
fn a_record_that_ends_two_workers_is_refused() {
    for (act, workers, exit, signal) in [
        ("kill:SEGV", 1, None, Some("SIGSEGV")),
        ("kill:SEGV", 4, None, Some("SIGSEGV")),
        ("exit:9", 4, Some(9), None),
        ("exit:0", 1, Some(0), None),
        ("exit:0", 4, Some(0), None),
    ] {
        let place = place_with(600);
        let keys = format!("workers = {workers}");
        let args = ["--do", act, "--id", "42"];
        let done = pool(&place, "records", &keys, &args).run().exits(1);
        assert_eq!(place.text("out"), "before\n");
        let stage = &done.report()["stages"]["work"];
        assert_eq!((&stage["accepted"], &stage["rejected"]), (&599.into(), &1.into()), "{stage}");
        let letters = letters(&place);
        assert_eq!(letters.len(), 1);
        let letter = &letters[0];
        assert_eq!((&letter["record"]["id"], &letter["line"]), (&42.into(), &42.into()));
        assert_eq!((&letter["stage"], &letter["file"]), (&"work".into(), &"in".into()));
        assert_eq!(letter["errors"][0]["code"], "worker.crashed");
        let trace = &letter["trace"];
        assert_eq!((trace["exit"].as_i64(), trace["signal"].as_str()), (exit, signal), "{trace}");
        assert_eq!(
            (&trace["attempts"], &trace["stderr"][0]),
            (&2.into(), &"this one is too much".into())
        );
        assert!(trace["run"].is_string() && trace["worker"].is_u64() && trace["pid"].is_u64());
        let ends = events(&place, "worker_started");
        assert!(ends.iter().any(|start| start["pid"] == trace["pid"]), "{trace}");
        assert_eq!(event(&place, "bad_record")["stage"], "work");
    }
}

#[test]
fn what_was_refused_may_be_allowed() {
    let place = place_with(600);
    let args = ["--do", "kill:SEGV", "--id", "42"];
    let done = pool(&place, "records", "workers = 2\nmax_rejects = 1", &args).run().exits(0);
    let rest = [records(41), records(600).split_off(records(42).len())].concat();
    assert!(place.read("out") == rest, "{}", done.stderr);
    assert_eq!(done.report()["sinks"]["work.output"]["written"], 599);
}

/// Several of them, some side by side.
#[test]
fn each_record_is_tried_for_itself() {
    let place = place_with(200);
    let args = ["--field", "n", "--do", "kill:SEGV", "--id", "1"];
    let line = |id: u64| {
        format!("{{\"id\":{id},\"n\":{}}}\n", u64::from([1, 50, 51, 52, 200].contains(&id)))
    };
    place.write("in", (1..=200).map(line).collect::<String>());
    let keys = "workers = 2\nmax_rejects = 5\nrestarts = \"100/1m\"";
    let done = pool(&place, "records", keys, &args).run().exits(0);
    let ids: Vec<u64> =
        letters(&place).iter().map(|l| l["record"]["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 50, 51, 52, 200], "{}", done.stderr);
    assert_eq!(done.report()["stages"]["work"]["accepted"], 195);
}

/// Side effects must not happen twice: what was with a dead worker is refused at once.
#[test]
fn nothing_is_tried_again_where_that_is_asked() {
    let place = place_with(600);
    let args = ["--do", "kill:KILL", "--at", "50", "--once", "dead"];
    let keys = "workers = 2\non_crash = \"reject\"\nmax_rejects = \"100%\"";
    let done = pool(&place, "records", keys, &args).run().exits(0);
    // It is given one at a time, so that there is only one to refuse.
    let letters = letters(&place);
    assert_eq!(letters.len(), 1, "{}", done.stderr);
    assert_eq!(letters[0]["errors"][0]["code"], "worker.crashed");
    assert_eq!(
        (&letters[0]["trace"]["attempts"], &letters[0]["trace"]["signal"]),
        (&1.into(), &"SIGKILL".into())
    );
    assert_eq!(done.report()["stages"]["work"]["accepted"], 599);
    assert_eq!(event(&place, "restart")["outstanding"], 1);
}

#[test]
fn where_none_may_be_replaced_the_first_death_breaks_the_stage() {
    for act in ["kill:KILL", "exit:0", "exit:7"] {
        let place = place_with(600);
        let args = ["--do", act, "--at", "50", "--once", "dead"];
        let done = pool(&place, "records", "restarts = \"0/1m\"", &args).run();
        is_broken(&place, done, &["worker 0", "`restarts`"]).report();
        no_event(&place, &["restart"]);
    }
}

/// No storm: whoever dies again and again is given up.
#[test]
fn workers_that_always_die_are_given_up() {
    for (act, at) in [("exit:1", "0"), ("kill:KILL", "1"), ("exit:0", "1")] {
        let place = place_with(600);
        let args = ["--do", act, "--at", at];
        let done = pool(&place, "records", "restarts = \"3/1m\"", &args).run();
        is_broken(&place, done, &["worker 0", "`restarts`", "too much"]).report();
        assert_eq!(events(&place, "restart").len(), 3, "{act}");
        let attempts = events(&place, "restart").into_iter().map(|e| e["attempt"].as_u64());
        assert!(attempts.eq((1..=3).map(Some)));
        assert_eq!(events(&place, "worker_started").len(), 4);
    }
}

/// The limit is the stage's, not the worker's.
#[test]
fn the_limit_of_deaths_is_for_all_workers_together() {
    let place = place_with(6000);
    let args = ["--do", "kill:KILL", "--at", "100"];
    let done = pool(&place, "records", "workers = 4\nrestarts = \"5/1m\"", &args).run();
    is_broken(&place, done, &["`restarts`", "5"]).report();
    assert_eq!(events(&place, "restart").len(), 5);
}

/// All is answered, and then it fails: its word counts for less.
#[test]
fn an_exit_code_is_judged_when_all_is_answered() {
    let place = place_with(100);
    let done = pool(&place, "records", "workers = 2", &["--end", "7"]).run();
    is_broken(&place, done, &["exit code 7"]).report();
    no_event(&place, &["restart"]);
    let place = place_with(100);
    let keys = "exit = { ok = [0], invalid = [7] }";
    let done = pool(&place, "records", keys, &["--end", "7"]).run().exits(1);
    assert_eq!(place.text("out"), "before\n");
    assert_eq!(done.report()["stages"]["work"]["accepted"], 100);
    let place: Place = place_with(100);
    let keys = "exit = { ok = [0, 7] }\nworkers = 3";
    is_whole(&place, pool(&place, "records", keys, &["--end", "7"]).run()).report();
}
