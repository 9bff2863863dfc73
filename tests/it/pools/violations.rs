//! Replies by id that are none: each is caught at its line, and nothing of it comes out.

use super::super::harness::{Place, events, records};
use super::super::workers::{event, no_event, place_with};
use super::{is_broken, is_caught, letters, pool};

/// What is said instead of the fifth reply, and what is said of it.
const SAID: [(&str, &str); 29] = [
    ("loading model", "no JSON text"),
    ("{\"id\":@id,\"ok\":true", "no JSON text"),
    ("{\"id\":@id,\"ok\":true}}", "no JSON text"),
    ("{\"id\":@id,\"ok\":true} {}", "no JSON text"),
    ("{'id':@id,'ok':true}", "no JSON text"),
    ("", "no JSON text"),
    ("{\"id\":@id,\"ok\":NaN}", "no JSON text"),
    ("{\"id\":@id,\"ok\":true,\"record\":{]}", "no JSON text"),
    ("{\"id\":@id,\"ok\":true,\"record\":}", "no JSON text"),
    ("{\"id\":@id,\"ok\":true,\"record\":\"\\xff\"}", "UTF-8"),
    ("\\xff\\xfe", "UTF-8"),
    ("[1]", "no reply"),
    ("null", "no reply"),
    ("\"ok\"", "no reply"),
    ("{}", "`id`"),
    ("{\"ok\":true}", "`id`"),
    ("{\"ready\":false}", "`id`"),
    ("{\"id\":\"@id\",\"ok\":true}", "`id`"),
    ("{\"id\":@id.0,\"ok\":true}", "`id`"),
    ("{\"id\":-1,\"ok\":true}", "`id`"),
    ("{\"id\":99999999999999999999999,\"ok\":true}", "`id`"),
    ("{\"id\":4000000,\"ok\":true}", "id 4000000"),
    ("{\"id\":@id}", "`ok`"),
    ("{\"id\":@id,\"ok\":1}", "`ok`"),
    ("{\"id\":@id,\"ok\":\"true\"}", "`ok`"),
    ("{\"id\":@id,\"ok\":true,\"drop\":true}", "`drop`"),
    ("{\"id\":@id,\"ok\":false}", "`errors`"),
    ("{\"id\":@id,\"ok\":false,\"errors\":[]}", "`errors`"),
    ("{\"id\":@id,\"ok\":false,\"errors\":\"no\"}", "`errors`"),
];

#[test]
fn a_line_that_is_no_reply_is_named() {
    for (text, word) in SAID {
        let place = place_with(100);
        let args = ["--do", &format!("say:{text}"), "--at", "5"];
        is_caught(&place, pool(&place, "records", "", &args).run(), 5, &[word]);
    }
}

/// A hint says what most often is the cause.
#[test]
fn a_stray_print_is_shown_with_a_way_out() {
    for (at, line) in [("0", 1), ("1", 1), ("100", 100)] {
        let place = place_with(100);
        let args = ["--do", "print:hello \\xff\\x1b[2J", "--at", at];
        let done = pool(&place, "records", "", &args).run();
        let done = is_broken(&place, done, &["hello", "stderr"]);
        assert!(!done.stderr.contains('\u{1b}'), "{:?}", done.stderr);
        assert_eq!(event(&place, "protocol")["line"], line);
    }
}

/// All that it answered is named by its number, however many others there are.
#[test]
fn who_breaks_the_protocol_is_named() {
    let place = place_with(2000);
    let args = ["--do", "print:hello", "--at", "50", "--once", "said"];
    let done = pool(&place, "records", "workers = 4", &args).run();
    let done = is_broken(&place, done, &["line 50", "hello"]);
    let protocol = event(&place, "protocol");
    let worker = protocol["worker"].as_u64().unwrap();
    assert!(worker < 4, "{protocol}");
    drop(done.says(&format!("stage `work`: worker {worker} wrote line 50")));
}

#[test]
fn a_second_reply_is_one_too_many() {
    let place = place_with(100);
    let twice = "say:{\"id\":@id,\"ok\":true}\\n{\"id\":@id,\"ok\":true}";
    let done = pool(&place, "records", "", &["--do", twice, "--at", "5"]).run();
    is_caught(&place, done, 6, &["second", "id "]);
    // The last one, too, and where the first of them said something else.
    let place = place_with(100);
    let twice = "print:{\"id\":@id,\"drop\":true}";
    let done = pool(&place, "records", "", &["--do", twice, "--at", "100"]).run();
    is_caught(&place, done, 101, &["second"]);
}

/// A record that one worker was given is not for another to answer.
#[test]
fn a_reply_for_another_worker_is_no_reply() {
    let place = place_with(4);
    // Both have one record at least, and one of them takes the other's for its own.
    let next = "say:{\"id\":0,\"ok\":true}\\n{\"id\":1,\"ok\":true}\\n{\"id\":2,\"ok\":true}";
    let args = ["--do", next, "--at", "1", "--once", "said"];
    let done = pool(&place, "records", "workers = 2", &args).run();
    is_broken(&place, done, &["wrote line", "reply for id"]).report();
    assert_eq!(events(&place, "protocol").len(), 1);
}

/// It goes on as if nothing had been asked, and leaves with success.
#[test]
fn a_missing_reply_is_missed_at_the_end() {
    let place = place_with(100);
    let done = pool(&place, "records", "", &["--do", "skip", "--at", "5"]).run();
    is_broken(&place, done, &["worker 0", "1 record"]).report();
    no_event(&place, &["restart"]);
}

/// With more records than it may have at once, the missing one holds up all others.
#[test]
fn a_missing_reply_in_the_middle_does_not_hang_the_run() {
    let place = place_with(5000);
    let keys = "in_flight = { records = 16, bytes = \"64KiB\" }\nstall = \"1s\"";
    let done = pool(&place, "records", keys, &["--do", "mute", "--at", "5"]).run();
    is_broken(&place, done, &["worker 0"]).report();
    assert_eq!(event(&place, "stalled")["worker"], 0);
}

/// What has no end is no reply, however it ends.
#[test]
fn a_torn_reply_is_none() {
    let place = place_with(100);
    let done = pool(&place, "records", "", &["--do", "torn:exit:0", "--at", "100"]).run();
    is_broken(&place, done, &["worker 0"]).report();
    let torn = event(&place, "torn_reply");
    assert_eq!((&torn["stage"], &torn["worker"]), (&"work".into(), &0.into()));
    assert_eq!(torn["bytes"], "{\"id\":99,\"ok\":true}\n".len() / 2);
}

/// One that was killed meanwhile could not help it: another one is asked.
#[test]
fn a_reply_torn_by_a_death_is_asked_for_again() {
    let place = place_with(100);
    let args = ["--do", "torn:kill:KILL", "--at", "50", "--once", "dead"];
    super::is_whole(&place, pool(&place, "records", "", &args).run()).report();
    assert!(event(&place, "torn_reply")["bytes"].as_u64().unwrap() > 0);
    assert_eq!(event(&place, "worker_signal")["signal"], "SIGKILL");
}

/// Memory is bounded by what is allowed, not by what it writes.
#[test]
fn a_reply_without_end_is_cut_short() {
    for (text, max) in [("long:0", "1MiB"), ("long:1572864", "1MiB"), ("long:0", "16MiB")] {
        let place = place_with(100);
        let keys = format!("max_record = \"{max}\"\nstall = \"30s\"");
        let done = pool(&place, "records", &keys, &["--do", text, "--at", "5"]).run();
        is_caught(&place, done, 5, &["`max_record`"]);
    }
    // A record over the limit in a reply that is not.
    let place = Place::new();
    place.write("in", records(10));
    place.write("out", "before\n");
    let long = "x".repeat(1100);
    let args = ["--replace", "5", "--with", &format!("\"{long}\"")];
    let done = pool(&place, "records", "max_record = \"1KiB\"", &args).run();
    is_caught(&place, done, 5, &["`max_record`"]);
}

/// The longest record that is allowed is one, and so is what it is replaced with.
#[test]
fn the_longest_record_passes() {
    let place = Place::new();
    let long = format!("\"{}\"", "x".repeat((1 << 20) - 2));
    place.write("in", format!("{long}\n{{\"id\":1}}\n{long}\n"));
    let done = pool(&place, "records", "max_record = \"1MiB\"", &["--echo"]).run();
    super::is_whole(&place, done).report();
}

/// What was refused before is told in spite of all.
#[test]
fn dead_letters_are_written_whatever_comes_later() {
    let place = place_with(100);
    let args = ["--reject", "7", "--do", "print:hello", "--at", "60"];
    let done = pool(&place, "records", "max_rejects = \"100%\"", &args).run();
    let done = is_broken(&place, done, &["line 60"]);
    let ids: Vec<u64> =
        letters(&place).iter().map(|l| l["record"]["id"].as_u64().unwrap()).collect();
    let all: Vec<u64> = (1..60).filter(|id| id % 7 == 0).collect();
    assert!(all.starts_with(&ids), "{ids:?}");
    assert_eq!(done.report()["stages"]["work"]["rejected"], ids.len());
}
