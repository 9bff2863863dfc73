//! Replies by position: one line for each record, or all of them are in doubt.

use super::super::harness::{Finished, Place, events, records};
use super::super::workers::{event, no_event, place_with};
use super::{is_broken, is_caught, is_whole, pool};

/// Requires that a stage broke, and that all its replies are in doubt.
#[track_caller]
fn is_in_doubt(place: &Place, done: Finished, words: &[&str]) {
    let stage = is_broken(place, done, words).report()["stages"]["work"].clone();
    let counts = ["accepted", "rejected", "dropped"].map(|key| stage[key].as_u64());
    assert_eq!(counts, [Some(0); 3], "{stage}");
    assert_eq!(stage["in_doubt"], stage["in"], "{stage}");
}

#[test]
fn a_line_that_is_no_record_is_named() {
    for (text, word) in [
        ("loading model", "no JSON text"),
        ("{\"id\":", "no JSON text"),
        ("{} {}", "no JSON text"),
        ("\\xff", "no JSON text"),
        ("\"\\xff\"", "no JSON text"),
        ("", "blank"),
        (" \\t", "blank"),
    ] {
        let place = place_with(100);
        let args = ["--do", &format!("say:{text}"), "--at", "5"];
        is_caught(&place, pool(&place, "lines", "", &args).run(), 5, &[word]);
    }
}

/// Wherever one stands too much, the last of all is the one that nobody waits for.
#[test]
fn a_line_too_many_is_named() {
    for at in ["0", "1", "50", "100"] {
        let place = place_with(100);
        let args = ["--do", "print:{}", "--at", at];
        let done = pool(&place, "lines", "", &args).run();
        let words =
            if at == "0" { &["worker 0 wrote line"][..] } else { &["worker 0 wrote line 101"] };
        is_in_doubt(&place, done, words);
        let line = event(&place, "protocol")["line"].as_u64().unwrap();
        assert!(line == 101 || at == "0" && line == 1, "{line}");
    }
}

#[test]
fn a_line_too_few_is_missed_at_the_end() {
    for (at, workers) in [("1", 1), ("50", 1), ("100", 1), ("1", 4)] {
        let place = place_with(100);
        let args = ["--do", "skip", "--at", at, "--once", "skipped"];
        let done = pool(&place, "lines", &format!("workers = {workers}"), &args).run();
        is_in_doubt(&place, done, &["1 record", "speaks `stream`"]);
        no_event(&place, &["restart", "stalled"]);
    }
}

/// What is lost cannot be told from what was never answered: no other is asked.
#[test]
fn a_death_puts_all_in_doubt() {
    for (act, words) in [
        ("exit:0", "exit code 0"),
        ("exit:7", "exit code 7"),
        ("kill:SEGV", "SIGSEGV"),
        ("kill:KILL", "SIGKILL"),
    ] {
        for (at, workers) in [("1", 1), ("20", 4)] {
            let place = place_with(400);
            let args = ["--do", act, "--at", at, "--once", "dead"];
            let done = pool(&place, "lines", &format!("workers = {workers}"), &args).run();
            is_in_doubt(&place, done, &[words]);
            no_event(&place, &["restart", "protocol"]);
        }
    }
}

#[test]
fn an_exit_code_is_judged_at_the_end() {
    let place = place_with(100);
    is_in_doubt(&place, pool(&place, "lines", "", &["--end", "7"]).run(), &["exit code 7"]);
    let place = place_with(100);
    let keys = "exit = { ok = [0, 7] }\nworkers = 2";
    is_whole(&place, pool(&place, "lines", keys, &["--end", "7"]).run()).report();
}

#[test]
fn a_line_without_its_end_is_none() {
    for how in ["exit:0", "kill:KILL"] {
        let place = place_with(100);
        let args = ["--do", &format!("torn:{how}"), "--at", "100"];
        let done = pool(&place, "lines", "", &args).run();
        is_in_doubt(&place, done, &["worker 0"]);
        assert_eq!(event(&place, "torn_reply")["bytes"], "{\"id\":100}\n".len() / 2);
    }
}

#[test]
fn a_line_over_the_limit_is_named() {
    for size in ["long:0", "long:1572864"] {
        let place = place_with(100);
        let keys = "max_record = \"1MiB\"\nstall = \"30s\"";
        let done = pool(&place, "lines", keys, &["--do", size, "--at", "5"]).run();
        is_caught(&place, done, 5, &["`max_record`"]);
    }
}

/// Who writes at the end only is in time as long as all fits; else it waits for what never comes.
#[test]
fn who_answers_at_the_end_is_answered_for_while_all_fits() {
    for protocol in ["lines", "records"] {
        let place = place_with(200);
        let done = pool(&place, protocol, "workers = 2", &["--buffer"]).run();
        is_whole(&place, done).report();
        no_event(&place, &["stalled"]);
        let place = place_with(20_000);
        let keys = "in_flight = { bytes = \"4KiB\" }\nstall = \"1s\"";
        let done = pool(&place, protocol, keys, &["--buffer"]).run();
        is_broken(&place, done, &["worker 0", "1 s"]).report();
        assert_eq!(event(&place, "stalled")["worker"], 0);
    }
}

/// A reply may come a byte at a time.
#[test]
fn a_slow_drip_is_a_reply_all_the_same() {
    for protocol in ["lines", "records"] {
        let place = place_with(100);
        let args = ["--do", "drip", "--at", "1"];
        is_whole(&place, pool(&place, protocol, "workers = 2", &args).run()).report();
    }
}

/// What it writes need be no JSON where nobody asks for that; then `null` is a text, too.
#[test]
fn what_is_no_json_may_be_a_reply() {
    let place = Place::new();
    place.write("in", records(3));
    let args = ["--replace", "2", "--with", "a;b\\x00", "--drop", "3"];
    let keys = "check_output = \"none\"\nworkers = 2";
    let done = pool(&place, "lines", keys, &args).run().exits(0);
    assert_eq!(place.text("out"), "{\"id\":1}\na;b\0\nnull\n", "{}", done.stderr);
    assert_eq!(events(&place, "protocol").len(), 0);
}

/// Programs that know nothing of all this.
#[test]
fn a_filter_that_answers_each_line_is_a_pool() {
    for program in [&["cat"][..], &["sed", "-u", "s/x/y/"], &["jq", "-c", "--unbuffered", "."]] {
        let place = place_with(5000);
        let keys = "protocol = \"lines\"\nworkers = 3";
        let done = super::staged(&place, keys, program).run().exits(0);
        assert!(place.read("out") == records(5000), "{program:?}: {}", done.stderr);
        assert_eq!(done.report()["stages"]["work"]["accepted"], 5000);
    }
}
