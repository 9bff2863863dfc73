//! Belts by hand: who gets what, in which order, and what is told.

use std::io::Write as _;

use super::super::harness::{Place, eventually, records};

const LONG: std::time::Duration = std::time::Duration::from_secs(40);

/// Two sources, three branches, dead letters repaired on the way.
const BRANCHES: &str = r#"
[pipeline]
rejects = "left.ndjson"

[sources.a]
type = "file"
path = "a.ndjson"

[sources.b]
type = "file"
path = "b.ndjson"

[stages.small]
use = "json-schema"
schema = "small.json"
inputs = ["a", "b"]
output = "small.out"

[stages.repair]
run = ["jq", "-c", ".record | .id = 1"]
inputs = ["small.rejects"]

[stages.again]
use = "json-schema"
schema = "small.json"

[sinks.all]
type = "file"
path = "all.out"
inputs = ["small", "again", "b"]

[sinks.letters]
type = "file"
path = "letters.out"
inputs = ["small.rejects"]
"#;

fn branches() -> Place {
    let place = Place::new();
    place.write("a.ndjson", "{\"id\":5}\n{\"id\":50}\n{\"id\":6}\n");
    place.write("b.ndjson", "{\"id\":70}\nbad\n{\"id\":7}\n");
    place.write("small.json", r#"{"properties": {"id": {"maximum": 9}}}"#);
    place.write("p.toml", BRANCHES);
    place
}

#[test]
fn each_branch_gets_every_record_and_they_join_in_order() {
    let place = branches();
    // The line of `b` that is no JSON is judged with the pipeline's limit, as ever.
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(1));
    let done = place.esteira().pipeline("p.toml", &["--max-rejects", "1"]).run().exits(0);
    assert_eq!(place.text("small.out"), "{\"id\":5}\n{\"id\":6}\n{\"id\":7}\n");
    let joined =
        "{\"id\":5}\n{\"id\":6}\n{\"id\":7}\n{\"id\":1}\n{\"id\":1}\n{\"id\":70}\n{\"id\":7}\n";
    assert_eq!(place.text("all.out"), joined);
    let report = done.report();
    assert_eq!(report["stages"]["small"]["rejected"], 2);
    assert_eq!(report["sinks"]["letters"]["written"], 2);
    // Those that are taken as records are no longer the end of one.
    assert_eq!(report["sinks"]["rejects"]["written"], 1);
    assert!(place.text("left.ndjson").contains("\"file\":\"b.ndjson\",\"line\":2,"));
}

#[test]
fn the_same_bytes_come_out_each_time() {
    let place = branches();
    let run = || {
        drop(place.esteira().pipeline("p.toml", &["--max-rejects", "1"]).run().exits(0));
        ["small.out", "all.out"].map(|name| place.text(name))
    };
    let first = run();
    for _ in 0..5 {
        assert_eq!(run(), first);
    }
}

#[test]
fn a_dead_letter_of_a_dead_letter_keeps_the_first_place() {
    let place = branches();
    place.write(
        "p.toml",
        BRANCHES.replace(
            "[stages.repair]\nrun = [\"jq\", \"-c\", \".record | .id = 1\"]",
            "[stages.repair]\nuse = \"unique\"\nfield = \"/nothing\"\nrejects = \"twice.ndjson\"",
        ),
    );
    let options = ["--max-rejects", "100%"];
    drop(place.esteira().pipeline("p.toml", &options).run().exits(0));
    let letters = place.text("twice.ndjson");
    let letters: Vec<serde_json::Value> =
        letters.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (letter, (file, line, id)) in letters.iter().zip([("a", 2, 50), ("b", 1, 70)]) {
        assert_eq!(letter["stage"], "repair");
        assert_eq!(letter["source"], file);
        assert_eq!(letter["file"], format!("{file}.ndjson"));
        assert_eq!(letter["line"], line);
        assert_eq!(letter["record"]["stage"], "small");
        assert_eq!(letter["record"]["line"], line);
        assert_eq!(letter["record"]["record"]["id"], id);
    }
    assert_eq!(letters.len(), 2);
}

#[test]
fn a_limit_of_its_own_holds_whoever_takes_the_dead_letters() {
    let place = branches();
    place.write(
        "p.toml",
        BRANCHES.replace("\"small.json\"\ninputs", "\"small.json\"\nmax_rejects = 1\ninputs"),
    );
    let done = place.esteira().pipeline("p.toml", &["--max-rejects", "1"]).run().exits(1);
    done.says("2 of 5 lines rejected by `small`, more than the limit of 1").report();
    assert!(!place.has("all.out"));
}

#[test]
fn some_stages_run_with_all_that_feeds_them_and_the_sinks_that_nothing_else_feeds() {
    let place = branches();
    let options = ["--stage", "small", "--max-rejects", "1"];
    let done = place.esteira().pipeline("p.toml", &options).run().exits(0);
    let report = done.report();
    let names = |kind: &str| report[kind].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names("sources"), ["a", "b"]);
    assert_eq!(names("stages"), ["small"]);
    // `all` takes from `again`, too.
    assert_eq!(names("sinks"), ["letters", "rejects", "small.output"]);
    assert_eq!(place.text("small.out").lines().count(), 3);
    assert!(!place.has("all.out"));

    let options = ["--stage", "again,small", "--max-rejects", "1"];
    drop(place.esteira().pipeline("p.toml", &options).run().exits(0));
    assert_eq!(place.text("all.out").lines().count(), 7);
}

#[test]
fn a_stage_may_run_without_any_sink() {
    let place = Place::new();
    place.write("in", records(1000));
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\n[stages.a]\nrun = [\"cat\"]\n\n\
         [stages.b]\nrun = [\"cat\"]\n\n[sinks.out]\ntype = \"file\"\npath = \"out\"\n",
    );
    let done = place.esteira().pipeline("p.toml", &["--stage", "a"]).run().exits(0);
    let done = done.says("a: what it hands on goes nowhere");
    assert_eq!(done.report()["stages"]["a"]["out"], 1000);
    assert!(!place.has("out"));
    let done = place.esteira().args(["run", "p.toml", "--stage", "aa"]).run().exits(2);
    let done = done.says("`--stage`: no stage is called `aa`");
    assert!(done.says("did you mean `a`?").stdout.is_empty());
}

/// `head` closes stdout early; the other sinks get everything.
#[test]
fn a_closed_stdout_ends_that_sink_only() {
    let place = Place::new();
    place.write("in", records(300_000));
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\n[sinks.shown]\ntype = \"stdout\"\n\n\
         [sinks.file]\ntype = \"file\"\npath = \"out\"\n",
    );
    let script = "\"$0\" \"$@\" | head -n 1 >head; exit $(cat code)";
    let wrapped = ["-c", script, "sh", "-c", "\"$0\" \"$@\"; echo $? >code"];
    let done = place.esteira().under("sh", &wrapped).pipeline("p.toml", &[]).run().exits(0);
    assert_eq!(place.text("head"), "{\"id\":1}\n");
    assert_eq!(place.read("out"), records(300_000));
    let report = done.report();
    assert_eq!(report["exit"]["reason"], "all accounted for");
    let shown = &report["sinks"]["shown"];
    assert_eq!(shown["in"], 300_000);
    assert!(shown["dropped"].as_u64().unwrap() > 200_000, "{shown}");
}

/// A source that only a closed stdout wanted ends; one that a file wants, too, does not.
#[test]
fn nobody_reads_on_for_a_reader_that_left() {
    let place = Place::new();
    place.write("in", records(300_000));
    place.write(
        "p.toml",
        "[sources.endless]\ntype = \"file\"\npath = \"fifo\"\n\n[sinks.shown]\ntype = \"stdout\"\n\n\
         [sources.in]\ntype = \"file\"\npath = \"in\"\n\n[sinks.file]\ntype = \"file\"\npath = \"out\"\n",
    );
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("fifo"), 0o600.into()).unwrap();
    // `yes` ends by SIGPIPE when the source lets go of its FIFO.
    let script = "yes '{\"id\":0}' >fifo & \"$0\" \"$@\" | head -n 1 >head; wait; exit $(cat code)";
    let wrapped = ["-c", script, "sh", "-c", "\"$0\" \"$@\"; echo $? >code"];
    let done = place.esteira().under("sh", &wrapped).pipeline("p.toml", &[]).run().exits(0);
    assert_eq!(place.read("out"), records(300_000));
    let done = done.says("all accounted for: `endless` not read to the end, nobody wants the rest");
    assert!(done.report()["sinks"]["shown"]["dropped"].as_u64().unwrap() > 0);
}

/// A filter that ends early, and may, ends the source that only it wanted.
#[test]
fn nobody_reads_on_for_a_stage_that_takes_no_more() {
    let place = Place::new();
    place.write("in", records(300_000));
    let belt = |early_exit: &str| {
        format!(
            "[sources.endless]\ntype = \"file\"\npath = \"fifo\"\n\n\
             [stages.first]\nrun = [\"head\", \"-n\", \"2\"]\nearly_exit = \"{early_exit}\"\n\n\
             [sinks.some]\ntype = \"file\"\npath = \"some\"\n\n\
             [sources.in]\ntype = \"file\"\npath = \"in\"\n\n[sinks.file]\ntype = \"file\"\npath = \"out\"\n"
        )
    };
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("fifo"), 0o600.into()).unwrap();
    let script = "yes '{\"id\":0}' >fifo & \"$0\" \"$@\"; code=$?; wait; exit $code";
    let run = || place.esteira().under("sh", &["-c", script]).pipeline("p.toml", &[]).run();
    place.write("p.toml", belt("fail"));
    drop(run().exits(3).says("stage `first`"));
    assert!(!place.has("out"));
    place.write("p.toml", belt("ok"));
    let done = run().exits(0).says("`endless` not read to the end, nobody wants the rest");
    assert_eq!(place.text("some"), "{\"id\":0}\n{\"id\":0}\n");
    assert_eq!(place.read("out"), records(300_000));
    done.report();
}

/// The reader leaves while the source waits for more, which may never come.
#[test]
fn a_source_that_waits_hears_that_nobody_wants_more() {
    for trial in 0..8 {
        let place = Place::new();
        place.write(
            "p.toml",
            "[sources.in]\ntype = \"file\"\npath = \"fifo\"\n\n[stages.same]\nrun = [\"cat\"]\n\n\
             [sinks.shown]\ntype = \"stdout\"\n",
        );
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path("fifo"), 0o600.into()).unwrap();
        let script =
            "{ \"$0\" \"$@\"; echo $? >code; } | { head -n 1; touch left; }; exit $(cat code)";
        let running = place.esteira().under("sh", &["-c", script]).pipeline("p.toml", &[]).start();
        let mut fifo = std::fs::File::options().write(true).open(place.path("fifo")).unwrap();
        fifo.write_all(b"{\"id\":1}\n").unwrap();
        let left = eventually(LONG, || place.has("left").then_some(()));
        assert!(left.is_some(), "trial {trial}");
        // This one finds the reader gone; then the source waits again, for it stays open.
        fifo.write_all(b"{\"id\":2}\n").unwrap();
        let done = running.wait().exits(0).says("`in` not read to the end");
        drop(fifo);
        done.report();
    }
}
