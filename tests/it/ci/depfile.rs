//! `esteira run --depfile`: what it names, when it is written, and what it must not replace.

use std::collections::BTreeSet;

use super::super::harness::{Place, needs};

/// Reads a rule: what stands before its colon, and what behind it.
fn rule(place: &Place, path: &str) -> (Vec<String>, BTreeSet<String>) {
    let text = place.text(path);
    let (rule, targets) = text.split_once("\n\n").unwrap();
    let (made, of) = rule.split_once(" :").unwrap();
    let words = |text: &str| {
        let words = text.split_whitespace().filter(|word| *word != "\\");
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let needs: BTreeSet<String> = words(of).into_iter().collect();
    let own: BTreeSet<String> =
        targets.lines().filter_map(|line| line.strip_suffix(" :")).map(str::to_owned).collect();
    assert_eq!(needs, own, "each is a target of its own");
    (words(made), needs)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const PIPELINE: &str = r#"
[pipeline]
watch = ["rules/*.txt"]

[sources.files]
type = "file"
path = ["data/*.ndjson", "more.ndjson"]

[stages.script]
run = ["sh", "check.sh", "no-such-file", "{outside}"]

[stages.named]
run = ["./bin/pass"]

[stages.schema]
use = "json-schema"
schema = "schemas/a.json"

[stages.mac]
use = "hash"
field = "/id"
algorithm = "hmac-sha256"
key_file = "key"
on_type = "text"

[sinks.out]
type = "file"
path = "out/a.ndjson"
rejects = "out/no.ndjson"
"#;

fn furnished(place: &Place) {
    let outside = place.write("outside.txt", "");
    let text = PIPELINE.replace("{outside}", outside.to_str().unwrap());
    place.write("p/p.toml", text);
    for name in ["p/data/1.ndjson", "p/data/2.ndjson", "p/more.ndjson", "p/data/other"] {
        place.write(name, "{\"id\":\"1\"}\n");
    }
    place.write("p/check.sh", "exec cat\n");
    place.script("p/bin/pass", "#!/bin/sh\nexec cat\n");
    place.write("p/schemas/a.json", "{\"$ref\":\"b.json#/$defs/c\"}");
    place.write("p/schemas/b.json", "{\"$defs\":{\"c\":{\"type\":\"object\"}}}");
    place.write("p/schemas/d.json", "{}");
    place.write("p/key", "secret\n");
    place.write("p/rules/1.txt", "");
}

#[test]
fn it_names_all_that_the_result_depends_on() {
    let place = Place::new();
    furnished(&place);
    drop(place.esteira().args(["run", "p/p.toml", "--depfile", "new/d"]).run().exits(0));
    let (made, of) = rule(&place, "new/d");
    assert_eq!(made, ["p/out/a.ndjson", "p/out/no.ndjson"]);
    let expected = [
        "p/p.toml",
        "p/data/1.ndjson",
        "p/data/2.ndjson",
        "p/more.ndjson",
        "p/check.sh",
        "outside.txt",
        "p/bin/pass",
        "p/schemas/a.json",
        "p/schemas/b.json",
        "p/key",
        "p/rules/1.txt",
    ];
    assert_eq!(of, set(&expected));
    assert!(!place.text("new/d").contains("secret"));

    // A part of a pipeline depends on a part of all that.
    let end = "\n[stages.end]\ninputs = [\"script\"]\nrun = [\"cat\"]\noutput = \"out/end\"\n";
    place.write("p/p.toml", place.text("p/p.toml") + end);
    let part = ["run", "p/p.toml", "--depfile", "d", "--stage", "script,end"];
    drop(place.esteira().args(part).run().exits(0));
    let (made, of) = rule(&place, "d");
    assert_eq!(made, ["p/out/end"]);
    assert!(of.contains("p/check.sh") && !of.contains("p/key") && !of.contains("p/bin/pass"));
}

#[test]
fn paths_are_those_of_who_calls() {
    let place = Place::new();
    furnished(&place);
    place.write("p/sub/here", "");
    for (folder, file, made) in [
        ("p/sub", "../p.toml", "../out/a.ndjson"),
        ("p", "p.toml", "out/a.ndjson"),
        (".", "./p/../p/p.toml", "p/../p/out/a.ndjson"),
    ] {
        let script = "cd \"$1\" && exec \"$0\" run \"$2\" --depfile d";
        let done = place.esteira().under("sh", &["-c", script]).args([folder, file]);
        drop(done.run().exits(0));
        let (names, of) = rule(&place, &format!("{folder}/d"));
        assert_eq!(names[0], made);
        let whole = place.path(folder);
        for name in names.iter().chain(&of) {
            assert!(whole.join(name).is_file(), "{folder}: {name}");
        }
    }
    // Far away, they are whole.
    let script = "cd / && exec \"$0\" run \"$1/p/p.toml\" --depfile \"$1/d\"";
    let root = place.root().to_str().unwrap();
    drop(place.esteira().under("sh", &["-c", script]).args([root]).run().exits(0));
    let (names, _) = rule(&place, "d");
    assert_eq!(format!("/{}", names[0]), place.path("p/out/a.ndjson").to_str().unwrap());
}

#[test]
fn a_database_is_what_it_is_used_for() {
    let place = Place::new();
    let sqlite = needs("sqlite3", "sqlite3");
    let sql = "create table t(id integer primary key); insert into t values (1);";
    let made = std::process::Command::new(sqlite).arg(place.path("in.db")).arg(sql).status();
    assert!(made.unwrap().success());
    let table = |kind: &str, name: &str, path: &str| {
        let key = "key = \"id\"\n";
        format!("[{kind}.{name}]\ntype = \"sqlite\"\npath = \"{path}\"\ntable = \"{name}\"\n{key}")
    };
    let columns = "columns = { id = \"integer\" }\n";
    for (to, needs) in [("out.db", set(&["p.toml", "in.db"])), ("in.db", set(&["p.toml"]))] {
        place.write("p.toml", table("sources", "t", "in.db") + &table("sinks", "u", to) + columns);
        drop(place.esteira().args(["run", "p.toml", "--depfile", "d"]).run().exits(0));
        assert_eq!(rule(&place, "d"), (vec![to.to_owned()], needs));
    }
}

#[test]
fn it_is_written_when_the_outputs_may_be_and_only_then() {
    let place = Place::new();
    let pipeline = |run: &str| {
        format!(
            "[sources.a]\ntype = \"file\"\npath = \"in\"\n\n[stages.s]\nrun = {run}\n\n\
             [sinks.b]\ntype = \"file\"\npath = \"out\"\n"
        )
    };
    place.write("in", "{}\n");
    place.write("d", "before\n");
    let run = || place.esteira().args(["run", "p.toml", "--depfile", "d"]).run();
    place.write("p.toml", pipeline("[\"sh\", \"-c\", \"exit 7\"]"));
    drop(run().exits(3));
    assert_eq!(place.text("d"), "before\n");
    place.write("p.toml", pipeline("[\"no-such-program\"]"));
    drop(run().exits(2));
    place.write("p.toml", pipeline("[\"cat\"]"));
    std::fs::rename(place.path("in"), place.path("elsewhere")).unwrap();
    drop(run().exits(4));
    assert_eq!(place.text("d"), "before\n");
    place.write("in", "{}\nno json\n");
    drop(run().exits(1));
    assert_eq!(rule(&place, "d").0, ["out"]);
    assert!(!place.has("out"));
    place.write("d", "before\n");
    place.write("in", "{}\n");
    drop(run().exits(0));
    assert_eq!(rule(&place, "d").0, ["out"]);
    // A run with nothing left to do has the same outputs.
    place.write("d", "before\n");
    let again = place.esteira().args(["run", "p.toml", "--depfile", "d", "--resume"]).run();
    drop(again.exits(0).says("nothing left to do"));
    assert_eq!(rule(&place, "d").0, ["out"]);
}

#[test]
fn it_takes_the_place_of_nothing_that_the_run_reads_or_writes() {
    let place = Place::new();
    furnished(&place);
    let names = [
        "p/p.toml",
        "p/data/1.ndjson",
        "p/data/3.ndjson",
        "p/check.sh",
        "p/bin/pass",
        "p/schemas/b.json",
        "p/key",
        "p/rules/1.txt",
        "p/out/a.ndjson",
        "p/out/../out/no.ndjson",
    ];
    for name in names {
        let done = place.esteira().args(["run", "p/p.toml", "--depfile", name]).run().exits(2);
        drop(done.says("two files of this run are the same"));
    }
    let twice = ["run", "p/p.toml", "--depfile", "x", "--report", "json=x"];
    drop(place.esteira().args(twice).run().exits(2).says("two files of this run are the same"));
    assert!(!place.has("p/out/a.ndjson"), "nothing ran");
    assert_eq!(place.text("p/key"), "secret\n");

    let done = place.esteira().args(["run", "p/p.toml", "--depfile", "-"]).run().exits(2);
    drop(done.says("hint: `/dev/stdout`"));
    let done = place.esteira().args(["run", "p/p.toml", "--depfile", "p"]).run().exits(2);
    drop(done.says("cannot write the `depfile` report `p`: it is a folder"));
    let done = place.esteira().args(["run", "p/p.toml", "--depfile", "/dev/stdout"]).run().exits(0);
    assert!(done.stdout.starts_with(b"p/out/a.ndjson "));
}

#[test]
fn a_run_that_writes_no_file_has_no_target() {
    let place = Place::new();
    place.write("in", "{}\n");
    for sink in ["type = \"stdout\"", "type = \"file\"\npath = \"/dev/null\""] {
        let text = format!("[sources.a]\ntype = \"file\"\npath = \"in\"\n\n[sinks.b]\n{sink}\n");
        place.write("p.toml", text);
        let done = place.esteira().args(["run", "p.toml", "--depfile", "d"]).run().exits(2);
        drop(done.says("nothing that this run writes is a file"));
        assert!(!place.has("d"));
    }
}

/// A baseline that is made stricter must make the run fail.
#[test]
fn a_baseline_is_named_too() {
    let place = Place::new();
    place.write("in", "{\"a\":1}\n{\n");
    place.write("p.toml", "[sources.a]\ntype = \"file\"\npath = \"in\"\noutput = \"out\"\n");
    let run = |options: &[&str]| place.esteira().args(["run", "p.toml"]).args(options).run();
    drop(run(&["--write-baseline", "known"]).exits(0));
    drop(run(&["--baseline", "known", "--depfile", "out.d"]).exits(0));
    assert_eq!(rule(&place, "out.d").1, set(&["p.toml", "in", "known"]));
}
