//! Belts of every kind under test: one stage, several sources and sinks, databases, folders.

use std::path::Path;

use esteira::config::Written;
use esteira::config::load::load;
use esteira::config::origin::Span;
use esteira::plan::compile::{World, with_tests};
use esteira::plan::golden::{Case, Place, Wanted};
use esteira::plan::{Input, Output};

use super::super::super::harness::project;
use super::super::pipelines;
use super::{BELT, place, prints, test};

#[test]
fn whatever_a_pipeline_reads_and_writes_a_test_has_files_of_its_own() {
    const VALID: &str = "fixtures/pipelines/valid";
    let folder = Path::new("/a/folder");
    let (mut whole, mut alone) = (0, 0);
    for (name, text) in pipelines(VALID) {
        let world = World {
            root_default: project(VALID),
            caller: project(""),
            env: std::env::vars_os().collect(),
        };
        let written = Written { name: &name, text: &text, sets: &[] };
        let (plan, _) =
            load(&written, &|_| None).and_then(|config| with_tests(&config, &world)).unwrap();
        let stages = plan.stages.iter().map(|stage| Some(stage.name.clone()));
        for stage in stages.chain([None]) {
            let nothing = Span { text: 0, start: 0, end: 0 };
            let rejects = Wanted { items: Vec::new(), place: Place::Below(nothing) };
            let name = name.clone();
            let (input, output) = (Vec::new(), Vec::new());
            let case = Case { name, stage, input, output, rejects };
            let plan = plan.clone().rehearse(&case, folder).plan;
            for source in &plan.sources {
                let Input::Files(files) = &source.input else { panic!("{:?}", source.input) };
                assert!(files.iter().all(|file| file.starts_with(folder)) && files.len() == 1);
            }
            for sink in &plan.sinks {
                let Output::File(path) = &sink.output else { panic!("{:?}", sink.output) };
                assert!(path.starts_with(folder), "{path:?}");
            }
            if case.stage.is_some() { alone += 1 } else { whole += 1 }
        }
    }
    assert!(whole > 10 && alone > 15, "{whole} and {alone}");
}

#[test]
fn one_stage_is_tested_alone() {
    let belt = r#"
        [sources.users]
        type = "file"
        path = "users.ndjson"
        check = "none"

        [stages.upper]
        run = ["sh", "-c", "tr a-z A-Z"]
        check_output = "none"

        [stages.compact]
        run = ["jq", "-c", "."]

        [stages.validate]
        run = ["python3", "validate.py"]
        protocol = "records"
        order = "none"

        [sinks.file]
        type = "stdout"
    "#;
    let tests = r#"
        [[tests]]
        name = "lines that are no JSON go straight in"
        stage = "upper"
        input = ["no json", "", "{"]
        output = ["NO JSON", "", "{"]

        [[tests]]
        name = "where JSON was promised it is looked for"
        stage = "validate"
        input = [{ id = 1 }, "{bad", { say = "x" }]
        output = [{ id = 1 }]
        rejects = [{ line = 2, code = "json.syntax" }, { line = 3, code = "missing" }]
    "#;
    let place = place(belt, tests);
    assert!(prints(&place, &[], 0).ends_with("2 passed, 0 failed\n"));
}

/// Two sources into two validators, one of which has its dead letters repaired; two sinks, an
/// `output`, and branches that join as they come.
const BRANCHES: &str = r#"
[pipeline]
on_reject = "stop"
rejects = "out/rejects.ndjson"

[sources.users]
type = "stdin"

[sources.legacy]
type = "generate"
output = "out/legacy.ndjson"

[stages.validate]
run = ["python3", "validate.py"]
protocol = "records"
inputs = ["users", "legacy"]
order = "none"
workers = 3

[stages.repair]
run = ["jq", "-c", "--unbuffered", ".record + {id: 0}"]
protocol = "lines"
inputs = ["validate.rejects"]

[sinks.all]
type = "file"
path = "out/all.ndjson"
inputs = ["validate", "repair", "users"]
order = "none"

[sinks.table]
type = "sqlite"
path = "out/users.db"
table = "users"
key = "id"
inputs = ["validate"]
rejects = "out/refused.ndjson"
"#;

#[test]
fn a_whole_belt_is_tested_with_all_that_goes_in_and_out() {
    let tests = r#"
        [[tests]]
        name = "all of it"
        input = { users = [{ id = 1 }, { a = 2 }], legacy = "legacy.ndjson" }
        rejects = [
            { line = 2, source = "users", stage = "validate" },
            { line = 1, source = "legacy", code = "json.syntax" },
        ]
        [tests.output]
        all = [{ id = 1 }, { id = 3 }, { id = 0, a = 2 }, { id = 1 }, { a = 2 }]
        table = [{ id = 1 }, { id = 3 }]
        legacy.output = ['{"id":3}']

        [[tests]]
        name = "of one source"
        input = { users = [{ id = 1 }] }
        output = { "legacy.output" = [], table = [{ id = 2 }], all = [] }
    "#;
    let place = place(BRANCHES, tests);
    place.write("legacy.ndjson", "{bad\n{\"id\":3}");
    let printed = r#"ok      all of it
FAILED  of one source
        output of table:
        - {"id":2}
        + {"id":1}
        output of all:
        + {"id":1}
        + {"id":1}
1 passed, 1 failed
"#;
    assert_eq!(prints(&place, &[], 1), printed);
    // Who refused what is told where it does not go without saying.
    let text = place.text("esteira.toml").replace("code = \"json.syntax\"", "line = 9");
    place.write("esteira.toml", text.replace("line = 1, source", "line = 7, source"));
    place.write("esteira.toml", place.text("esteira.toml").replace(", line = 9", ""));
    let printed = prints(&place, &["--filter", "all of it"], 1);
    let shown = "          line 2 of users, by validate: missing /id: is missing\n        \
                 - line 7 of legacy\n        \
                 + line 1 of legacy: json.syntax: ";
    assert!(printed.contains(shown), "{printed}");
}

#[test]
fn a_pipeline_of_databases_is_tested_without_any() {
    let belt = r#"
        [sources.users]
        type = "postgres"
        url = "postgres://nobody:secret@127.0.0.1:1/none"
        table = "users"
        key = "id"

        [stages.validate]
        run = ["python3", "validate.py"]
        protocol = "records"

        [sinks.table]
        type = "postgres"
        url = "postgres://nobody:secret@127.0.0.1:1/none"
        table = "validated"
        key = "id"
        rejects = "out/refused.ndjson"
    "#;
    let tests = r#"
        [[tests]]
        name = "rows are records"
        input = [{ id = 1, password = "hunter2" }, { a = 1 }]
        output = [{ id = 1, password = "hunter2" }]
        rejects = [{ line = 2, code = "missing" }]
    "#;
    let place = place(belt, tests);
    assert_eq!(prints(&place, &[], 0), "ok      rows are records\n1 passed, 0 failed\n");
    assert!(!place.has("out"));
}

#[test]
fn a_folder_is_a_test() {
    let place = place(BELT, "[[tests]]\nfolder = \"tests/*\"\n");
    place.write("tests/good/input.ndjson", "{\"id\":1}\n{\"id\":2}");
    place.write("tests/good/output.ndjson", "{\"id\":1}\n{\"id\":2}\n");
    place.write("tests/refused/input.ndjson", "{\"id\":1}\n{}\n");
    place.write("tests/refused/rejects.ndjson", "{\"line\":2,\"code\":\"missing\"}\n\n");
    place.write("tests/wrong/input.ndjson", "{}\n");
    place.write("tests/wrong/output.ndjson", "{}\n");
    place.write("tests/notes.txt", "no test");
    place.write("tests/helpers/helper.py", "no test either");
    let printed = "ok      good\n\
                   ok      refused\n\
                   FAILED  wrong\n        \
                   output:\n        \
                   - {}\n        \
                   rejects:\n        \
                   + line 1: missing /id: is missing\n\
                   2 passed, 1 failed\n";
    assert_eq!(prints(&place, &[], 1), printed);

    for (name, text, told) in [
        (
            "rejects.ndjson",
            "{\"cod\":\"x\"}\n",
            "line 1 of `tests/good/rejects.ndjson` is no reject",
        ),
        ("rejects.ndjson", "\n{}\n", "line 2 of `tests/good/rejects.ndjson` is no reject"),
    ] {
        place.write(&format!("tests/good/{name}"), text);
        drop(test(&place, &[], 2).says(told));
    }
    place.write("tests/empty/input.ndjson", "");
    drop(test(&place, &[], 2).says("`tests/empty` says nothing of what comes out"));

    // Of several sources and sinks a folder says nothing.
    place.write("esteira.toml", format!("{BRANCHES_OF_TWO}[[tests]]\nfolder = \"tests/wrong/\"\n"));
    drop(test(&place, &[], 2).says("a folder has one `input` only").says("name a `stage`"));
    place.write("esteira.toml", place.text("esteira.toml") + "stage = \"validate\"\n");
    assert!(prints(&place, &[], 1).starts_with("FAILED  wrong\n"));
}

const BRANCHES_OF_TWO: &str = r#"
[sources.users]
type = "stdin"

[sources.legacy]
type = "file"
path = "legacy.ndjson"

[stages.validate]
run = ["python3", "validate.py"]
protocol = "records"
inputs = ["users", "legacy"]

[sinks.all]
type = "stdout"
"#;

#[test]
fn packed_input_is_unpacked() {
    let tests = "[[tests]]\nname = \"a\"\ninput = \"in.ndjson.gz\"\noutput = \"out.ndjson\"\n";
    let place = place(BELT, tests);
    place.write("plain", "{\"id\":1}\n");
    let done = place.esteira().args(["pipe", "-i", "plain", "-o", "in.ndjson.gz", "--", "cat"]);
    drop(done.run().exits(0));
    place.write("out.ndjson", "{\"id\":1}");
    assert_eq!(prints(&place, &[], 0), "ok      a\n1 passed, 0 failed\n");
}
