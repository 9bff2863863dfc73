//! A process for each record: its exit code is its reply, and whatever else it does is its own
//! affair.

use super::super::harness::{Place, events, records};
use super::super::workers::{event, no_event, place_with, staged};
use super::{is_broken, is_whole, letters, pool};

#[test]
fn a_refusal_is_told_in_the_words_of_the_process() {
    for (script, code, words) in [
        ("echo 'too young' >&2; echo noise; exit 1", 1, "too young"),
        ("printf 'one\\ntwo\\n' >&2; exit 125", 125, "one"),
        ("exit 3", 3, "3"),
    ] {
        let place = place_with(2);
        let keys = "protocol = \"command\"\nrejects = \"bad\"";
        let done = staged(&place, keys, &["sh", "-c", script]).run().exits(1);
        assert_eq!(done.report()["stages"]["work"]["rejected"], 2);
        let letters = letters(&place);
        for (letter, id) in letters.iter().zip(1..) {
            assert_eq!(letter["record"]["id"], id);
            let message = letter["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains(words), "{letter}");
            assert!(!message.contains("noise"), "{letter}");
            assert_eq!(letter["trace"]["exit"], code);
            assert!(letter["trace"]["pid"].as_u64().is_some(), "{letter}");
        }
        no_event(&place, &["restart", "protocol"]);
    }
}

/// It is told so twice, by two processes; then it is the record's fault.
#[test]
fn a_crash_is_tried_once_more_and_refused() {
    for (act, exit, signal) in [
        ("kill:SEGV", None, Some("SIGSEGV")),
        ("kill:KILL", None, Some("SIGKILL")),
        ("exit:126", Some(126), None),
        ("exit:127", Some(127), None),
    ] {
        let place = place_with(8);
        let keys = "workers = 3\nmax_rejects = 1";
        let done = pool(&place, "command", keys, &["--do", act, "--id", "5"]).run().exits(0);
        assert_eq!(place.text("out").lines().count(), 7);
        let letter = &letters(&place)[0];
        assert_eq!(
            (&letter["errors"][0]["code"], &letter["line"]),
            (&"worker.crashed".into(), &5.into())
        );
        let trace = &letter["trace"];
        assert_eq!((trace["exit"].as_i64(), trace["signal"].as_str()), (exit, signal), "{trace}");
        assert_eq!(
            (&trace["attempts"], &trace["stderr"][0]),
            (&2.into(), &"this one is too much".into())
        );
        assert_eq!(done.report()["stages"]["work"]["rejected"], 1);
    }
}

#[test]
fn a_crash_that_comes_once_is_forgotten() {
    let place = place_with(8);
    let args = ["--do", "kill:SEGV", "--id", "5", "--once", "dead"];
    is_whole(&place, pool(&place, "command", "workers = 3", &args).run()).report();
    assert_eq!(event(&place, "worker_signal")["signal"], "SIGSEGV");
}

#[test]
fn a_process_that_takes_too_long_is_tried_once_more_and_refused() {
    let place = place_with(8);
    let keys = "workers = 3\nrecord_timeout = \"1s\"";
    let done = pool(&place, "command", keys, &["--do", "hang", "--id", "5"]).run().exits(1);
    let letter = &letters(&place)[0];
    assert_eq!(letter["errors"][0]["code"], "worker.timeout");
    assert_eq!(letter["trace"]["attempts"], 2);
    assert_eq!(done.report()["stages"]["work"]["accepted"], 7);
}

/// One whose last words are no JSON text does not keep its word.
#[test]
fn what_takes_the_place_of_a_record_must_be_one() {
    for (text, word) in [
        ("hello", "no JSON text"),
        ("{\"id\":", "no JSON text"),
        ("{}\\n{}", "no JSON text"),
        ("\\xff", "no JSON text"),
    ] {
        let place = place_with(8);
        let args = ["--do", &format!("say:{text}"), "--id", "5"];
        let done = pool(&place, "command", "", &args).run();
        is_broken(&place, done, &["worker 0", word]).report();
        assert!(event(&place, "protocol")["message"].as_str().unwrap().contains(word));
    }
    let place = place_with(8);
    let keys = "max_record = \"64KiB\"";
    let done = pool(&place, "command", keys, &["--do", "long:0", "--id", "5"]).run();
    is_broken(&place, done, &["worker 0", "`max_record`"]).report();
}

/// A text over several lines is one record.
#[test]
fn a_text_may_be_laid_out_in_lines() {
    let place = place_with(1);
    let keys = "protocol = \"command\"";
    let done = staged(&place, keys, &["jq", "{id, a: [1, {b: \"\\n\"}]}"]).run().exits(0);
    let text = place.text("out");
    assert_eq!(text.lines().count(), 1, "{text:?}");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value, serde_json::json!({"id": 1, "a": [1, {"b": "\n"}]}));
    done.report();
}

/// How much a process reads is its own affair, and a long record does not block one that reads
/// nothing.
#[test]
fn a_process_need_not_read() {
    for record in [20, 300_000] {
        let place = Place::new();
        let line = format!("\"{}\"\n", "x".repeat(record));
        place.write("in", line.repeat(3));
        let keys = "protocol = \"command\"\nworkers = 2";
        let done = staged(&place, keys, &["true"]).run().exits(0);
        assert!(place.text("out") == line.repeat(3), "{}", done.stderr);
        assert_eq!(done.report()["stages"]["work"]["accepted"], 3);
        no_event(&place, &["early_exit", "stalled"]);
    }
}

/// Nobody knows what it would have done with the rest.
#[test]
fn processes_that_all_crash_break_the_stage() {
    let place = place_with(50);
    let done = pool(&place, "command", "restarts = \"3/1m\"", &["--do", "kill:KILL"]).run();
    is_broken(&place, done, &["worker 0", "`restarts`", "SIGKILL"]).report();
}

/// Those that it leaves behind are ended.
#[test]
fn a_process_leaves_nobody_behind() {
    let place = place_with(3);
    for how in ["holds", "daemon"] {
        let done = pool(&place, "command", "workers = 2", &["--do", &format!("family:{how}")]);
        let done = done.run().exits(0);
        assert_eq!(place.read("out"), records(3), "{}", done.stderr);
        assert!(!events(&place, "leak").is_empty());
    }
}
