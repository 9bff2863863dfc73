//! `esteira doctor` on the programs of this machine.

use serde_json::Value;

use super::harness::{Finished, Place, needs};

const ECHO: &str = "import sys\nfor l in sys.stdin: sys.stdout.write(l)";

const WORKER: &str = "
import json, sys
print('{\"ready\":true}')
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({'id': request['id'], 'ok': request['record']['age'] > 17}))
";

fn call(place: &Place, program: &[&str]) -> Finished {
    place.esteira().args(["doctor", "--format", "json", "--"]).args(program).run()
}

/// Examines a program that can serve something.
#[track_caller]
fn doctor(program: &[&str]) -> Value {
    examined(program, 0)
}

/// Examines a program; the exit code says whether it can serve anything.
#[track_caller]
fn examined(program: &[&str], code: i32) -> Value {
    let place = Place::new();
    let done = call(&place, program).exits(code);
    serde_json::from_slice(&done.stdout).unwrap()
}

#[track_caller]
fn serves(found: &Value, stream: &str, lines: &str, records: &str, command: &str) {
    let expected = serde_json::json!({
        "stream": stream, "lines": lines, "records": records, "command": command
    });
    assert_eq!(found["serves"], expected, "{found:#}");
}

/// Requires that a finding holds a text.
#[track_caller]
fn says(found: &Value, label: &str, text: &str) {
    let lines = found["findings"][label].as_array().unwrap_or_else(|| panic!("{found:#}"));
    let any = lines.iter().any(|line| line.as_str().unwrap().contains(text));
    assert!(any, "no {text:?} in `{label}`: {found:#}");
}

#[test]
fn jq_buffers_and_says_how_it_does_not() {
    needs("jq", "jq");
    let found = doctor(&["jq", "-c", "."]);
    serves(&found, "yes", "mended", "no", "yes");
    says(&found, "lines", "one line for each, but it buffers its output: add `--unbuffered`");
    says(&found, "buffering", "mend: `jq --unbuffered -c .` (tried: it answers at once)");
    // Where numbers are doubles, long integers change; newer ones keep them.
    says(&found, "bytes", "`1e2` becomes `1");
    says(&found, "bytes", "spaces: are taken out");
    says(&found, "bad line", "after 1 of 3 lines: `parse error");
    says(&found, "blank line", "is left out");
    says(&found, "TERM", "ends by SIGTERM");
    says(&found, "closed pipe", "ends by SIGPIPE");
    let found = doctor(&["jq", "--unbuffered", "-c", "."]);
    serves(&found, "yes", "yes", "no", "yes");
    says(&found, "buffering", "answers each line at once");
}

#[test]
fn cat_changes_nothing_and_keeps_nothing_back() {
    let found = doctor(&["cat"]);
    serves(&found, "yes", "yes", "no", "yes");
    for label in ["bytes", "bad line", "blank line", "bad UTF-8", "2 MiB line"] {
        assert_eq!(found["findings"][label].as_array().unwrap().len(), 1, "{found:#}");
    }
    says(&found, "bytes", "come back as they went");
    says(&found, "bad UTF-8", "is passed on as it is");
    says(&found, "2 MiB line", "comes back whole");
    says(&found, "records", "it answered with no `ok`");
}

#[test]
fn known_programs_have_their_own_cure() {
    needs("mawk", "mawk");
    needs("perl", "perl");
    for (program, what, cure) in [
        (&["mawk", "1"][..], "reads its input in blocks", "`mawk -W interactive 1` (tried"),
        (&["sed", "s/x/x/"], "until its buffer is full", "`stdbuf -oL sed s/x/x/` (tried"),
        (&["grep", "id"], "until its buffer is full", "`grep --line-buffered id` (tried"),
        (&["perl", "-ne", "print"], "until its buffer is full", "set `$| = 1;`"),
        (&["python3", "-c", ECHO], "until its buffer is full", "`python3 -u -c "),
    ] {
        let found = doctor(program);
        serves(&found, "yes", "mended", "no", "yes");
        says(&found, "buffering", what);
        says(&found, "buffering", cure);
        says(&found, "bytes", "come back as they went");
    }
}

#[test]
fn a_python_that_flushes_needs_no_cure() {
    let found = doctor(&["python3", "-u", "-c", ECHO]);
    serves(&found, "yes", "yes", "no", "yes");
}

/// The variable makes a buffering child look like one that flushes.
#[test]
fn the_callers_variables_hide_nothing() {
    let place = Place::new();
    let call = place.esteira().env("PYTHONUNBUFFERED", "1");
    let call = call.args(["doctor", "--format", "json", "--", "python3", "-c", ECHO]);
    let done = call.run().exits(0).says("PYTHONUNBUFFERED is set here");
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    says(&found, "buffering", "until its buffer is full");
}

#[test]
fn who_answers_at_the_end_is_for_stream() {
    let found = doctor(&["sort"]);
    serves(&found, "yes", "no", "no", "yes");
    says(&found, "lines", "it answers only when its input ends");
    says(&found, "bytes", "come back as they went, in another order");
}

#[test]
fn who_reads_nothing_is_for_command() {
    let found = doctor(&["true"]);
    serves(&found, "no", "no", "no", "yes");
    says(&found, "stream", "declare `early_exit = \"ok\"`");
    says(&found, "command", "it does not look at what it is sent");
}

#[test]
fn a_worker_of_records_is_known_by_its_answers() {
    let found = doctor(&["python3", "-c", WORKER]);
    assert_eq!(found["serves"]["records"], "yes", "{found:#}");
    says(&found, "records", "1,000 sent at once are answered; it says when it is ready");
    says(&found, "no input", "{\"ready\":true}");
    // One that answers late or with an id of its own is none.
    let late = WORKER.replace("sys.stdin:", "list(sys.stdin):");
    let found = examined(&["python3", "-c", &late], 1);
    says(&found, "records", "it answers only when its input ends");
    let lost = WORKER.replace("request['id']", "7");
    let found = examined(&["python3", "-c", &lost], 1);
    says(&found, "records", "an id that it was not sent: 7");
}

#[test]
fn what_a_program_leaves_behind_is_told_and_killed() {
    let found = doctor(&["sh", "-c", "sleep 600 & exec cat"]);
    says(&found, "left behind", "`sleep 600`, which outlives it, is killed");
}

#[test]
fn a_banner_is_a_stray_print() {
    let found = examined(&["sh", "-c", "echo ready to go; exec cat"], 1);
    serves(&found, "no", "no", "no", "no");
    says(&found, "stream", "it prints `ready to go` among its records");
    says(&found, "no input", "writes 1 line, such as `ready to go`");
}

#[test]
fn who_can_serve_nothing_fails() {
    for (program, why) in [
        (&["false"][..], "ends with exit code 1"),
        (&["sh", "-c", "kill -SEGV $$"], "ends by SIGSEGV"),
        (&["yes"], "writes without end"),
    ] {
        let found = examined(program, 1);
        serves(&found, "no", "no", "no", "no");
        says(&found, "stream", why);
    }
}

#[test]
fn a_missing_program_is_found_out_first() {
    let place = Place::new();
    drop(call(&place, &["no-such-program"]).exits(2).says("program `no-such-program` not found"));
    let done = place.esteira().args(["doctor", "jq", "-c"]).run().exits(2);
    drop(done.says("a program stands behind `--`"));
    let done = place.esteira().args(["doctor"]).run().exits(2);
    drop(done.says("esteira doctor -- PROGRAM"));
}

#[test]
fn stages_of_a_file_are_tried_as_they_are_declared() {
    let place = Place::new();
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"stdin\"\n\
         [stages.same]\nrun = [\"cat\"]\n\
         [stages.none]\nrun = [\"false\"]\n\
         [stages.loud]\nrun = [\"sh\", \"-c\", \"cat; exit $CODE\"]\nenv = { CODE = \"3\" }\n\
         exit = { ok = [3] }\n\
         [sinks.out]\ntype = \"stdout\"\n",
    );
    let done = place.esteira().args(["doctor", "p.toml"]).run().exits(1);
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.starts_with("same: cat\n  starts in     "), "{text}");
    assert!(text.contains("\n\nnone: false\n"), "{text}");
    assert!(
        text.contains("  declared      `stream`, which it does not serve as it is\n"),
        "{text}"
    );
    for (stage, code) in [("same", 0), ("loud", 0), ("none", 1), ("other", 2)] {
        let done = place.esteira().args(["doctor", "p.toml", stage]).run().exits(code);
        assert_eq!(done.stdout.is_empty(), code == 2, "{stage}");
    }
}
