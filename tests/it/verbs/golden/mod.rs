//! `esteira test`: what goes into a pipeline, what must come of it, and what is said where it does not.

mod belts;
mod ends;
mod update;

use std::fs;

use super::super::harness::{Finished, Place, project};

/// Answers for each record: without an id it is refused, with a `crash` it is the end.
const VALIDATE: &str = r#"
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    record, reply = request["record"], {"id": request["id"], "ok": True}
    if "id" not in record:
        reply["ok"] = False
        reply["errors"] = [{"path": "/id", "code": "missing", "message": record.get("say", "is missing")}]
    print(json.dumps(reply), flush=True)
"#;

/// One source, one stage with two workers, one sink.
const BELT: &str = r#"
[sources.users]
type = "file"
path = "users.ndjson"

[stages.validate]
run = ["python3", "validate.py"]
protocol = "records"
workers = 2

[sinks.file]
type = "file"
path = "out/users.ndjson.gz"
"#;

/// A place with a pipeline and its tests.
fn place(belt: &str, tests: &str) -> Place {
    let place = Place::new();
    place.write("validate.py", VALIDATE);
    place.write("esteira.toml", format!("{belt}\n{tests}"));
    fs::create_dir(place.path("tmp")).unwrap();
    place
}

/// Runs the tests, in a folder for temporary files in which nothing may be left.
#[track_caller]
fn test(place: &Place, arguments: &[&str], code: i32) -> Finished {
    let tmp = place.path("tmp");
    let call = place.esteira().args(["test"]).args(arguments).env("TMPDIR", tmp.to_str().unwrap());
    let done = call.run().exits(code);
    assert_eq!(fs::read_dir(tmp).unwrap().count(), 0, "temporary files are left");
    done
}

/// Runs the tests and returns what they print.
#[track_caller]
fn prints(place: &Place, arguments: &[&str], code: i32) -> String {
    let done = test(place, arguments, code);
    assert!(
        code != 0 || done.stderr.is_empty() || arguments.contains(&"--update"),
        "{}",
        done.stderr
    );
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn what_comes_out_as_expected_passes() {
    let tests = r#"
        [[tests]]
        name = "a user without an id is refused"
        input = [{ id = 1, name = "é" }, '{"say":"no id at all"}', '{bad', "", '{"id":1.50}']
        output = [{ name = "é", id = 1.0 }, '{"id":1.50}']
        rejects = [
            { line = 2, code = "missing", path = "/id", message = "no id", stage = "validate" },
            { line = 3, code = "json.syntax", source = "users" },
        ]

        [[tests]]
        name = "only what is refused is looked at"
        input = [{ id = 1 }, { say = "x" }]
        rejects = [{ path = "/id" }]

        [[tests]]
        name = "nothing comes of nothing"
        input = []
        output = []
    "#;
    let place = place(BELT, tests);
    let printed = "ok      a user without an id is refused\n\
                   ok      only what is refused is looked at\n\
                   ok      nothing comes of nothing\n\
                   3 passed, 0 failed\n";
    assert_eq!(prints(&place, &[], 0), printed);
    // What the pipeline itself reads and writes is neither there nor made.
    assert!(!place.has("users.ndjson") && !place.has("out") && !place.has(".esteira"));
}

#[test]
fn what_differs_is_shown() {
    let tests = r#"
        [[tests]]
        name = "differs"
        input = [{ id = 1 }, { id = 2 }, { say = "is gone" }, { id = 4 }]
        output = [{ id = 1 }, { id = 3 }, { id = 4 }]
        rejects = [{ line = 2, code = "missing", path = "/id" }]

        [[tests]]
        name = "fine"
        input = [{ id = 1 }]
        output = [{ id = 1 }]

        [[tests]]
        name = "a line is compared byte by byte"
        input = ['{"id": 1}']
        output = ['{"id":1}']
    "#;
    let place = place(BELT, tests);
    let printed = r#"FAILED  differs
        output:
          {"id":1}
        - {"id":3}
        + {"id":2}
          {"id":4}
        rejects:
        - line 2: missing /id
        + line 3: missing /id: is gone
ok      fine
FAILED  a line is compared byte by byte
        output:
        - {"id":1}
        + {"id": 1}
1 passed, 2 failed
"#;
    assert_eq!(prints(&place, &[], 1), printed);
}

#[test]
fn what_a_record_holds_steers_nothing() {
    let tests = r###"
        [[tests]]
        name = "\u202E##[error]"
        input = ['{"id":"::error::\u001b[2J\u009b"}', { say = "##vso[task.complete]\u001B[2J\r\n::error::x" }]
        output = []
    "###;
    let place = place(BELT, &tests.replace("\\u202E", "\u{202e}").replace("\\u009b", "\u{9b}"));
    let printed = prints(&place, &[], 1);
    assert!(printed.starts_with("FAILED  \\u{202e}#\\u{23}[error]\n"), "{printed}");
    assert!(printed.contains("+ {\"id\":\"::error::\\u001b[2J\\u{9b}\"}"), "{printed}");
    assert!(printed.contains("#\\u{23}vso[task.complete]\\u{1b}[2J\\r\\n::error::x"), "{printed}");
    assert!(printed.lines().all(|line| !line.starts_with("::")), "{printed}");
    assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{printed:?}");
    let text = place.text("esteira.toml").replace("\u{202e}##", "::stop-commands::##");
    place.write("esteira.toml", text);
    assert_eq!(prints(&place, &["--list"], 0), "\\u{3a}:stop-commands::#\\u{23}[error]\n");
}

#[test]
fn colour_is_for_who_asks_for_it() {
    let tests = "[[tests]]\nname = \"a\"\ninput = [{ id = 1 }]\noutput = []\n";
    let place = place(BELT, tests);
    let call = place.esteira().args(["test"]).env("NO_COLOR", "").env("FORCE_COLOR", "1");
    let printed = String::from_utf8(call.run().exits(1).stdout).unwrap();
    assert!(printed.contains("\u{1b}[1;31mFAILED \u{1b}[0m a\n"), "{printed:?}");
    assert!(printed.contains("\u{1b}[32m+ {\"id\":1}\u{1b}[0m\n"), "{printed:?}");
    assert!(!prints(&place, &[], 1).contains('\u{1b}'));
}

#[test]
fn tests_are_chosen_by_their_names() {
    let one = |name: &str| format!("[[tests]]\nname = \"{name}\"\ninput = []\noutput = []\n");
    let place = place(BELT, &["an apple", "a pear", "a pineapple"].map(one).concat());
    let printed = "ok      an apple\nok      a pineapple\n2 passed, 0 failed\n";
    assert_eq!(prints(&place, &["--filter", "apple"], 0), printed);
    assert_eq!(prints(&place, &["--list"], 0), "an apple\na pear\na pineapple\n");
    assert_eq!(prints(&place, &["--list", "--filter", "pear"], 0), "a pear\n");
    let none = test(&place, &["--filter", "plum"], 2);
    assert!(none.stdout.is_empty());
    let none = none.says("no test of `esteira.toml` has `plum` in its name");
    drop(none.says("names all 3"));
}

#[test]
fn no_tests_are_no_success() {
    let place = place(BELT, "");
    let done = test(&place, &[], 2).says("`esteira.toml` has no tests");
    drop(done.says("write a table `[[tests]]`"));
    drop(test(&place, &["other.toml"], 2).says("cannot read the pipeline file `other.toml`"));
}

#[test]
fn what_is_wrong_with_tests_is_told_by_check_and_is_nothing_to_a_run() {
    let tests =
        "[[tests]]\nname = \"a\"\nstage = \"validat\"\ninput = \"gone.ndjson\"\noutput = []\n";
    let place = place(BELT, tests);
    place.write("users.ndjson", "{\"id\":1}\n");
    for verb in ["test", "check"] {
        let done = place.esteira().args([verb]).run().exits(2);
        let done = done.says("no stage is called `validat`").says("did you mean `validate`?");
        drop(done.says("`input` takes lines, or the path of a file"));
    }
    drop(place.esteira().args(["run"]).run().exits(0));
    let fixed = place.text("esteira.toml").replace("validat\"", "validate\"");
    place.write("esteira.toml", fixed.replace("gone", "users"));
    let done = place.esteira().args(["check"]).run().exits(0);
    assert!(String::from_utf8_lossy(&done.stdout).ends_with("\n1 test, run by `esteira test`\n"));
    // Mistakes of form are mistakes of the file.
    place.write("esteira.toml", place.text("esteira.toml").replace("input", "inptu"));
    drop(place.esteira().args(["run"]).run().exits(2).says("unknown key `inptu` in `[[tests]]`"));
}

#[test]
fn settings_of_the_command_line_count() {
    let tests = "[[tests]]\nname = \"a\"\ninput = [{ id = 1 }]\noutput = []\n";
    let place = place(BELT, tests);
    let only = "stages.validate.run=[\"sh\", \"-c\", \"exit 1\"]";
    let set = ["--set", only, "--set", "stages.validate.protocol=command"];
    assert!(prints(&place, &set, 1).contains("+ line 1: exit.1: exit code 1"));
}

#[test]
fn the_example_of_every_key_passes() {
    let place = Place::new();
    let file = project("fixtures/pipelines/valid/every-key.toml");
    let done = place.esteira().args(["test", file.to_str().unwrap()]).run().exits(0);
    assert!(String::from_utf8_lossy(&done.stdout).ends_with("2 passed, 0 failed\n"));
}
