//! Who has dirty data today fails only on what is new.

use super::super::harness::{Place, events};

const OLD: &str = "{\"id\":1}\n{\"id\":\n{\"id\":2}\n[true1]\n";

#[test]
fn what_is_known_passes_and_what_is_new_does_not() {
    let place = Place::new();
    place.write("in", OLD);
    let pipe = |options: &[&str]| {
        let options = [&["--rejects", "bad"], options].concat();
        place.esteira().pipe("in", "out", &options, &["cat"]).run()
    };
    drop(pipe(&[]).exits(1));
    let done = pipe(&["--write-baseline", "known"]).exits(0);
    drop(done.says("wrote the baseline known: 2 entries"));
    assert_eq!(place.text("known").lines().count(), 3);
    assert_eq!(place.text("out"), "{\"id\":1}\n{\"id\":2}\n");

    // They may move, and they are refused as before.
    place.write("in", format!("{{\"id\":0}}\n{OLD}"));
    let done = pipe(&["--baseline", "known", "--events", "events"]).exits(0);
    let done = done.says("baseline: 2 rejected records known");
    let report = done.report();
    assert_eq!(report["sources"]["input"]["rejected"], 2);
    assert_eq!(report["errors"][0]["known"], 2);
    assert_eq!(place.text("bad").lines().count(), 2);
    assert!(events(&place, "bad_record").is_empty(), "only what is new is told");

    // One that is new is one too many, and it alone is shown.
    place.write("in", format!("{OLD}{{\"new\":\n"));
    let done = pipe(&["--baseline", "known", "--events", "events"]).exits(1);
    drop(
        done.says("1 of 5 lines rejected by `input`")
            .says("3 errors with code json.syntax, 2 of")
            .says("in:5:"),
    );
    assert_eq!(events(&place, "bad_record").len(), 1);
    assert_eq!(events(&place, "bad_record")[0]["line"], 5);

    // What was mended is told, and left out of the next one.
    place.write("in", "{\"id\":\n");
    let done = pipe(&["--baseline", "known", "--write-baseline", "known"]).exits(0);
    drop(
        done.says("1 of its 2 entries did not occur")
            .says("wrote the baseline known: 1 entry, with 0 rejected records that no"),
    );
    assert_eq!(place.text("known").lines().count(), 2);
}

#[test]
fn a_table_that_stops_at_its_limit_counts_what_is_new() {
    let place = Place::new();
    place.write("in", OLD);
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\nmax_rejects = 0\non_reject = \"stop\"\n\
         [sinks.out]\ntype = \"file\"\npath = \"out\"\n",
    );
    let run = |options: &[&str]| place.esteira().pipeline("p.toml", options).run();
    drop(run(&["--write-baseline", "known"]).exits(0));
    drop(run(&["--baseline", "known"]).exits(0));
    place.write("in", format!("{{\"new\":\n{OLD}"));
    drop(run(&["--baseline", "known"]).exits(1));
}

/// A record with two errors is known by both of them.
#[test]
fn a_record_is_known_by_all_that_is_wrong_with_it() {
    let place = Place::new();
    let schema = |age: &str| {
        format!("{{\"properties\":{{\"id\":{{\"type\":\"integer\"}},\"age\":{{{age}}}}}}}")
    };
    place.write("in", "{\"id\":\"x\",\"age\":200}\n");
    place.write("s.json", schema(""));
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.s]\nuse = \"json-schema\"\n\
         schema = \"s.json\"\n[sinks.out]\ntype = \"file\"\npath = \"out\"\n",
    );
    let run = |options: &[&str]| place.esteira().pipeline("p.toml", options).run();
    drop(run(&["--write-baseline", "known"]).exits(0));
    drop(run(&["--baseline", "known"]).exits(0));
    place.write("s.json", schema("\"maximum\":150"));
    drop(
        run(&["--baseline", "known"])
            .exits(1)
            .says("1 error with code schema.type")
            .says("schema.maximum"),
    );
}

#[test]
fn what_is_no_baseline_is_refused_before_anything_is_read() {
    let place = Place::new();
    place.write("in", OLD);
    place.write("known", "{\"schema\":\"esteira.baseline/1\"}\n{\"table\":\"in\"}\n");
    let pipe = |options: &[&str]| place.esteira().pipe("in", "out", options, &["cat"]).run();
    let done = pipe(&["--baseline", "known"]).exits(2);
    drop(done.says("`known` is no baseline: line 2: missing field `code`"));
    let done = pipe(&["--baseline", "missing"]).exits(2);
    drop(done.says("cannot read the baseline `missing`").says("--write-baseline"));
    drop(pipe(&["--write-baseline", "in"]).exits(2).says("two files of this run are the same"));
    assert_eq!(place.text("in"), OLD);
    place.write("p.toml", "[sources.in]\ntype = \"file\"\npath = \"in\"\noutput = \"out\"\n");
    let options = ["--resume", "--write-baseline", "known"];
    drop(place.esteira().pipeline("p.toml", &options).run().exits(2).says("a whole run"));
}

/// A run that was cut off has counted what was known up to there.
#[test]
fn a_run_goes_on_with_what_it_knew() {
    let place = Place::new();
    let pad = "x".repeat(200);
    place.write("in", format!("{{\"a\":\n{{\"a\":\"{pad}\"}}\n").repeat(6000));
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\nrejects = \"bad\"\n\
         [stages.gate]\nrun = [\"sh\", \"gate.sh\"]\nprotocol = \"records\"\n\
         [sinks.out]\ntype = \"file\"\npath = \"out\"\n",
    );
    // It breaks once, in the middle, when it is asked to.
    let answer = "n=0\nwhile IFS= read -r line; do\n  n=$((n + 1)); id=${line#*:}\n  \
                  [ $n -gt 4000 ] && [ -e break ] && { rm break; echo stray; exit 0; }\n  \
                  echo \"{\\\"id\\\":${id%%,*},\\\"ok\\\":true}\"\ndone\n";
    place.write("gate.sh", answer);
    let run = |options: &[&str]| place.esteira().pipeline("p.toml", options).run();
    drop(run(&["--write-baseline", "known"]).exits(0));
    place.write("break", "");
    let options = ["--baseline", "known", "--checkpoint-every", "0", "--events", "events"];
    drop(run(&options).exits(3));
    assert!(!events(&place, "kept").is_empty(), "nothing to go on with");
    // By another baseline the first half would be judged by one, the second by the other.
    place.write("other", "{\"schema\":\"esteira.baseline/1\"}\n");
    for options in [&["--resume"][..], &["--resume", "--baseline", "other"]] {
        let refused = run(options);
        assert_eq!(refused.code(), 5, "{}", refused.stderr);
        assert!(refused.stderr.contains("the baseline"), "{}", refused.stderr);
    }
    let report = run(&["--baseline", "known", "--resume"]).exits(0).report();
    assert_eq!(report["sources"]["in"]["rejected"], 6000);
    assert_eq!(report["errors"][0]["known"], 6000);
}
