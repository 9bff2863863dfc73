//! Our own stdout and stderr, closed before, while, and behind our back.

use super::super::harness::{Finished, Place, events, records};
use super::{event, grouped, place_with};

/// Calls that end with the code of the program in the file `code`.
const CLOSED: [&str; 10] = [
    "\"$0\" \"$@\" >&-; echo $? >code",
    "\"$0\" \"$@\" 2>&-; echo $? >code",
    "\"$0\" \"$@\" >&- 2>&-; echo $? >code",
    "\"$0\" \"$@\" <&- >&- 2>&-; echo $? >code",
    "\"$0\" \"$@\" 2>/dev/full; echo $? >code",
    "\"$0\" \"$@\" >/dev/full 2>&1; echo $? >code",
    "{ \"$0\" \"$@\" 2>&1; echo $? >code; } | true",
    "{ \"$0\" \"$@\" 2>&1 >&-; echo $? >code; } | true",
    "{ \"$0\" \"$@\" 2>&1; echo $? >code; } | head -n 1",
    // Here the reader has surely gone before a word is said.
    "{ until [ -e gone ]; do :; done; \"$0\" \"$@\" 2>&1; echo $? >code; } | { exec <&-; : >gone; }",
];

/// Requires a code, and that nothing else is different.
#[track_caller]
fn leaves_with(place: &Place, done: Finished, code: i32, how: &str) -> Finished {
    let done = done.exits(0);
    assert_eq!(place.text("code"), format!("{code}\n"), "{how}: {}", done.stderr);
    for text in [&done.stderr, &String::from_utf8_lossy(&done.stdout).into_owned()] {
        assert!(!text.contains("panicked"), "{how}: {text}");
    }
    std::fs::remove_file(place.path("code")).unwrap();
    std::fs::remove_file(place.path("gone")).ok();
    assert_eq!(event(place, "run_finished")["exit"]["code"], code, "{how}");
    done
}

#[test]
fn nobody_to_talk_to_changes_nothing() {
    let place = place_with(20_000);
    for how in CLOSED {
        for (program, code) in [("cat; yes | head -n 99 >&2", 0), ("cat; echo no >&2; exit 7", 3)] {
            place.write("out", "before\n");
            let esteira = place.esteira().under("sh", &["-c", how]);
            let options = ["--events", "events"];
            let done = esteira.pipe("in", "out", &options, &["sh", "-c", program]).run();
            let done = leaves_with(&place, done, code, how);
            let report = done.report();
            if code == 0 {
                assert!(place.read("out") == records(20_000), "{how}");
                assert_eq!(report["sinks"]["output"]["written"], 20_000, "{how}");
            } else {
                assert_eq!(super::is_in_doubt(&place, &done, "sh"), 20_000, "{how}");
            }
        }
    }
}

/// A refusal has nobody to tell either.
#[test]
fn a_refusal_is_silent_where_nobody_listens() {
    let place = place_with(10);
    for how in CLOSED {
        for program in ["nosuchprogram", "cat"] {
            let input = if program == "cat" { "missing" } else { "in" };
            let esteira = place.esteira().under("sh", &["-c", how]);
            let done = esteira.args(["pipe", "-i", input, "-o", "out", "--", program]).run();
            let code = if program == "cat" { 4 } else { 2 };
            let done = done.exits(0);
            assert_eq!(place.text("code"), format!("{code}\n"), "{how}: {}", done.stderr);
            assert_eq!(place.text("out"), "before\n");
            std::fs::remove_file(place.path("gone")).ok();
        }
    }
}

/// The reader had what it wanted: what it did not take is left out on purpose.
#[test]
fn a_reader_of_the_output_may_leave() {
    let place = place_with(400_000);
    let readers = [("head -n 1", "{\"id\":1}\n"), ("true", ""), ("{ exec <&-; : >gone; }", "")];
    for (reader, shown) in readers {
        for (program, code) in [("cat", 0), ("cat; exit 7", 3), ("exec cat", 0)] {
            let wait = if reader.contains("gone") { "until [ -e gone ]; do :; done;" } else { "" };
            let script = format!("{{ {wait} \"$0\" \"$@\"; echo $? >code; }} | {reader}");
            let esteira = place.esteira().under("sh", &["-c", &script]);
            let options = ["--events", "events"];
            let done = esteira.pipe("in", "-", &options, &["sh", "-c", program]).run();
            let done = leaves_with(&place, done, code, &script);
            assert_eq!(String::from_utf8(done.stdout.clone()).unwrap(), shown, "{script}");
            let sink = &done.report()["sinks"]["output"];
            let dropped = sink["dropped"].as_u64().unwrap();
            assert!(dropped > 0, "{} left out: {sink}", grouped(dropped));
            assert_eq!(event(&place, "sink_closed")["sink"], "output");
            assert_eq!(events(&place, "worker_signal").len(), 0, "the program is not to blame");
        }
    }
}

/// Events to nobody are no reason to end.
#[test]
fn a_reader_of_the_events_may_leave() {
    let place = place_with(100_000);
    let script = "{ until [ -e gone ]; do :; done; \"$0\" \"$@\"; echo $? >code; } \
                  | { exec <&-; : >gone; }";
    let esteira = place.esteira().under("sh", &["-c", script]);
    let done = esteira.pipe("in", "out", &["--events", "-"], &["cat"]).run().exits(0);
    assert_eq!(place.text("code"), "0\n", "{}", done.stderr);
    assert!(place.read("out") == records(100_000));
    assert_eq!(done.report()["sinks"]["output"]["written"], 100_000);
}
