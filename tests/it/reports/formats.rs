//! What a real run leaves in each form: all that was refused, at its place.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::super::harness::{Finished, Place, eventually, project};
use super::readers::{github, junit, markdown, sarif};

/// Copies what a pipeline of the project needs to a folder of the test's own.
fn furnish() -> Place {
    let place = Place::new();
    for file in ["fixtures/pipelines/valid/ci.toml", "fixtures/records/users.ndjson"] {
        place.write(file, fs::read(project(file)).unwrap());
    }
    for folder in ["fixtures/schemas", "validators/python"] {
        for entry in fs::read_dir(project(folder)).unwrap().map(Result::unwrap) {
            let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_file() {
                place.write(&name, fs::read(entry.path()).unwrap());
            }
        }
    }
    place
}

const FORMATS: [&str; 6] = ["json", "junit", "sarif", "gitlab", "markdown", "html"];

fn run(place: &Place, variables: &[(&str, &str)]) -> Finished {
    let mut call = place.esteira().args(["run", "fixtures/pipelines/valid/ci.toml"]);
    for format in FORMATS {
        call = call.args(["--report", &format!("{format}=out/{format}")]);
    }
    for (name, value) in variables {
        call = call.env(name, value);
    }
    call.args(["--report", "github=-"]).run().exits(1)
}

/// What was refused, by the dead letters: place, code and path of each error.
fn refused(place: &Place) -> Vec<(u64, u64, String, String)> {
    let letters = place.text("out/ci-rejects.ndjson");
    let letters = letters.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let errors = letters.flat_map(|letter| {
        assert_eq!(letter["file"], "fixtures/records/users.ndjson");
        let line = letter["line"].as_u64().unwrap();
        let errors = letter["errors"].as_array().unwrap().clone();
        errors.into_iter().map(move |error| {
            let text = |key: &str| error[key].as_str().unwrap().to_owned();
            (line, error["column"].as_u64().unwrap(), text("code"), text("path"))
        })
    });
    let mut errors: Vec<_> = errors.collect();
    errors.sort();
    errors
}

#[test]
fn every_reject_is_found_at_its_place_in_each_form() {
    let place = furnish();
    let done = run(&place, &[]);
    let refused = refused(&place);
    assert!(refused.len() > 150, "{}", refused.len());
    let at = |line: u64, column: u64| format!("fixtures/records/users.ndjson:{line}:{column}: ");

    let suites = junit(&place.text("out/junit"));
    let names: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(names, ["users", "schema", "validate", "file", "esteira"]);
    let mut listed = 0;
    for case in suites.iter().flat_map(|suite| &suite.cases).filter(|c| c.fate == "failure") {
        listed += case.text.lines().filter(|line| line.starts_with("fixtures/")).count();
    }
    for (line, column, code, _) in &refused {
        let cases = suites.iter().flat_map(|suite| &suite.cases);
        let mut cases = cases.filter(|case| case.name == *code);
        assert!(cases.any(|case| case.text.contains(&at(*line, *column))), "{line} {code}");
    }
    assert_eq!(listed, refused.len());

    let run = sarif(&place.text("out/sarif"));
    let results = run["results"].as_array().unwrap().iter().map(|result| {
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let rule = result["ruleId"].as_str().unwrap().to_owned();
        let path = result["properties"]["pointer"].as_str().unwrap().to_owned();
        (region["startLine"].as_u64().unwrap(), rule, path)
    });
    let mut results: Vec<_> = results.collect();
    results.sort();
    let mut wanted: Vec<_> =
        refused.iter().map(|(line, _, code, path)| (*line, code.clone(), path.clone())).collect();
    wanted.sort();
    assert_eq!(results, wanted);

    let issues: Vec<Value> = serde_json::from_slice(&place.read("out/gitlab")).unwrap();
    let mut lines: Vec<u64> =
        issues.iter().map(|issue| issue["location"]["lines"]["begin"].as_u64().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, refused.iter().map(|(line, ..)| *line).collect::<Vec<_>>());

    let text = markdown(&place.text("out/markdown"));
    let report: Value = serde_json::from_slice(&place.read("out/json")).unwrap();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, _, code, _) in &refused {
        *counts.entry(code).or_default() += 1;
    }
    for error in report["errors"].as_array().unwrap() {
        assert_eq!(
            Some(&error["count"].as_u64().unwrap()),
            counts.get(error["code"].as_str().unwrap())
        );
        assert!(text.contains(error["code"].as_str().unwrap()));
    }
    assert_eq!(report["errors"].as_array().unwrap().len(), counts.len());

    let page = place.text("out/html");
    for (line, column, code, _) in &refused {
        assert!(page.contains(&format!("users.ndjson:{line}:{column}")), "{line} {code}");
    }

    let annotations = github(std::str::from_utf8(&done.stdout).unwrap());
    assert_eq!(annotations.len(), 10);
    let all = format!("9 of {} errors are shown", refused.len());
    assert!(annotations[9].message.contains(&all), "{:?}", annotations[9]);
    for annotation in &annotations[..9] {
        let line: u64 = annotation.get("line").unwrap().parse().unwrap();
        let (_, code) = annotation.get("title").unwrap().split_once(": ").unwrap();
        assert!(refused.iter().any(|(at, _, other, _)| *at == line && other == code));
    }
}

/// A value begins at the column that is told, and it is the one at the path.
#[test]
fn the_column_is_where_the_value_stands_in_the_line() {
    let place = furnish();
    drop(run(&place, &[]));
    let users = place.text("fixtures/records/users.ndjson");
    let lines: Vec<&str> = users.lines().collect();
    for (line, column, code, path) in refused(&place) {
        let text = lines[usize::try_from(line).unwrap() - 1];
        let record: Value = serde_json::from_str(text).unwrap();
        let here = &text.as_bytes()[usize::try_from(column).unwrap() - 1..];
        let mut values = serde_json::Deserializer::from_slice(here).into_iter::<Value>();
        let found = values.next().unwrap().unwrap();
        match record.pointer(&path) {
            Some(value) => assert_eq!(&found, value, "{line} {code} {path}"),
            // What is missing is missing in something.
            None => assert_eq!(found, record, "{line} {code} {path}"),
        }
    }
}

/// A stage that changed a record is no witness of what stood in the line.
#[test]
fn of_a_record_that_was_changed_no_column_is_told() {
    let place = Place::new();
    place.write("in", "{\"pw\":\"x\",\"id\":1}\n{\"pw\":\"y\",\"id\":\"é\"}\n");
    place.write("s", "{\"properties\":{\"id\":{\"type\":\"integer\"}}}");
    let pipeline = |hash: &str| {
        format!(
            "[sources.in]\ntype = \"file\"\npath = \"in\"\n{hash}[stages.ids]\n\
             use = \"json-schema\"\nschema = \"s\"\nrejects = \"bad\"\nmax_rejects = 1\n\
             [sinks.out]\ntype = \"file\"\npath = \"out\"\n"
        )
    };
    let column = |hash: &str| {
        place.write("p.toml", pipeline(hash));
        let done = place.esteira().pipeline("p.toml", &["--events", "events"]).run();
        drop(done.exits(0));
        let letter: Value = serde_json::from_slice(&place.read("bad")).unwrap();
        let told = super::super::harness::events(&place, "bad_record");
        assert_eq!(told[0]["sample"]["value"], "\"é\"", "{told:?}");
        assert_eq!(told[0]["characters"].is_null(), letter["errors"][0]["column"].is_null());
        letter["errors"][0]["column"].as_u64()
    };
    assert_eq!(column(""), Some(16));
    assert_eq!(column("[stages.hash]\nuse = \"hash\"\nfield = \"/pw\"\n"), None);
}

/// In one batch some are changed, some are answered as they were, some are let through.
#[test]
fn a_changed_record_is_told_from_its_neighbours() {
    let place = Place::new();
    let line = |n: u64| format!("{{\"n\":{},\"x\":\"a\"}}\n", 1000 + n).into_bytes();
    let records: Vec<u8> = (0..300).flat_map(line).collect();
    place.write("in", records);
    place.write(
        "w.py",
        "import json, sys\nfor line in sys.stdin:\n    r = json.loads(line); n = r['record']['n']\n    \
         x = 'b' if n % 3 == 0 else 'a'\n    record = '{\"n\":%d,\"x\":\"%s\"}' % (n, x)\n    \
         end = '}' if n % 3 == 2 else ',\"record\":' + record + '}'\n    \
         print('{\"id\":%d,\"ok\":true%s' % (r['id'], end), flush=True)\n",
    );
    place.write("s", "{\"properties\":{\"x\":false}}");
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.w]\nrun = [\"python3\", \"w.py\"]\n\
         protocol = \"records\"\nworkers = 2\n[stages.s]\nuse = \"json-schema\"\nschema = \"s\"\n\
         rejects = \"bad\"\nmax_rejects = \"100%\"\n[sinks.out]\ntype = \"file\"\npath = \"o\"\n",
    );
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
    let letters = place.text("bad");
    assert_eq!(letters.lines().count(), 300);
    for letter in letters.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let n = letter["record"]["n"].as_u64().unwrap();
        assert_eq!(letter["record"]["x"], if n % 3 == 0 { "b" } else { "a" });
        let column = letter["errors"][0]["column"].as_u64();
        assert_eq!(column, (n % 3 != 0).then_some(15), "{letter}");
    }
}

#[test]
fn paths_are_told_from_the_root_of_the_checkout() {
    let place = furnish();
    let root = place.root().parent().unwrap().to_str().unwrap().to_owned();
    let below = place.root().file_name().unwrap().to_str().unwrap().to_owned();
    let want = format!("{below}/fixtures/records/users.ndjson");
    let done = run(&place, &[("GITHUB_WORKSPACE", &root)]);
    let annotations = github(std::str::from_utf8(&done.stdout).unwrap());
    assert_eq!(annotations[0].get("file"), Some(want.as_str()));
    let run = sarif(&place.text("out/sarif"));
    let location = &run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(location["uri"], want);
    assert_eq!(location["uriBaseId"], "%SRCROOT%");
    assert!(place.text("out/gitlab").contains(&want));
    assert!(place.text("out/junit").contains(&format!("file=\"{want}\"")));
}

#[test]
fn a_jobs_summary_goes_behind_what_stands_there() {
    let place = furnish();
    let summary = place.write("summary.md", "before\n\n");
    drop(run(&place, &[("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())]));
    let text = place.text("summary.md");
    let text = text.strip_prefix("before\n\n").unwrap();
    assert!(markdown(text).contains("ci : exit 1, the data is bad"), "{text}");
    assert!(text.len() < 1 << 20);
}

#[test]
fn the_json_report_is_as_its_schema_says() {
    let text = fs::read_to_string(project("docs/report.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let is_valid = |path: &Path| {
        let report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let errors: Vec<String> =
            schema.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:?}");
        report
    };
    let place = furnish();
    drop(run(&place, &[]));
    is_valid(&place.path("out/json"));
    // Of a stage that is broken, and of a run with a baseline.
    place.write("in", "{\"a\":1}\n");
    let options = ["--report", "json=broken"];
    let done = place.esteira().pipe("in", "out/x", &options, &["sh", "-c", "exit 9"]).run();
    drop(done.exits(3));
    assert_eq!(is_valid(&place.path("broken"))["exit"]["code"], 3);
    let known = ["--write-baseline", "known", "--rejects", "bad"];
    place.write("in", "{\"a\":\n");
    drop(place.esteira().pipe("in", "out/x", &known, &["cat"]).run().exits(0));
    let options = ["--baseline", "known", "--report", "json=known.json"];
    drop(place.esteira().pipe("in", "out/x", &options, &["cat"]).run().exits(0));
    assert_eq!(is_valid(&place.path("known.json"))["baseline"]["known"], 1);
}

/// Reports are there after any end that consumed something.
#[test]
fn a_run_that_is_cut_off_leaves_its_reports() {
    let place = Place::new();
    let validator = "while read -r line; do echo \"$line\"; done; kill -9 $$";
    place.write("in", "{\"a\":1}\n{bad\n");
    let reports = ["junit=j.xml", "sarif=r.sarif", "gitlab=g.json", "markdown=m.md"];
    let options: Vec<&str> = reports.iter().flat_map(|report| ["--report", report]).collect();
    let done = place.esteira().pipe("in", "out", &options, &["sh", "-c", validator]).run();
    drop(done.exits(3));
    let suites = junit(&place.text("j.xml"));
    let whole = suites.last().unwrap();
    assert_eq!((&*whole.cases[0].name, &*whole.cases[0].fate), ("the run ends well", "error"));
    let run = sarif(&place.text("r.sarif"));
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let told = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].clone();
    assert!(told.as_str().unwrap().contains("SIGKILL"), "{told}");
    let issues: Vec<Value> = serde_json::from_slice(&place.read("g.json")).unwrap();
    assert!(issues.iter().any(|issue| issue["severity"] == "blocker"), "{issues:?}");
    assert!(markdown(&place.text("m.md")).contains("exit 3, a stage is broken"));
}

#[test]
fn a_run_that_is_ended_by_a_signal_leaves_its_reports() {
    let place = Place::new();
    place.write("in", "{\"a\":1}\n{bad\n");
    let waits = "cat >/dev/null; : >ready; exec tail -f /dev/null";
    let options = ["--report", "junit=j.xml", "--report", "html=h.html"];
    let running = place.esteira().pipe("in", "out", &options, &["sh", "-c", waits]).start();
    let ready = || place.has("ready").then_some(());
    eventually(Duration::from_secs(30), ready).expect("it reads its input");
    running.signal(Signal::TERM);
    drop(running.wait().exits(143));
    let suites = junit(&place.text("j.xml"));
    let source = &suites[0].cases[0];
    assert_eq!((&*source.name, &*source.fate), ("json.syntax", "failure"));
    assert_eq!(suites.last().unwrap().cases[0].fate, "error");
    assert!(place.text("h.html").contains("in:2:2"));
}

#[test]
fn what_cannot_be_written_is_told_before_the_run_and_takes_nothing_from_the_others() {
    let place = Place::new();
    place.write("in", "{\"a\":1}\n");
    let pipe = |options: &[&str]| place.esteira().pipe("in", "out", options, &["cat"]);
    let done = pipe(&["--report", "jnuit=x"]).run().exits(2);
    drop(done.says("`jnuit` is no report format: did you mean `junit`?"));
    let done = pipe(&["--report", "junit=in"]).run().exits(2);
    drop(done.says("two files of this run are the same"));
    // What a run is made of is no place for what it says.
    place.write("cat.sh", "cat\n");
    let pipeline = "[sources.a]\ntype = \"file\"\npath = \"in\"\n\
                    [stages.s]\nrun = [\"sh\", \"cat.sh\"]\noutput = \"out\"\n";
    place.write("p.toml", pipeline);
    for (option, path) in [
        ("--report", "json=p.toml"),
        ("--events", "p.toml"),
        ("--report", "junit=cat.sh"),
        ("--write-baseline", "cat.sh"),
    ] {
        let done = place.esteira().args(["run", "p.toml", option, path]).run().exits(2);
        drop(done.says("two files of this run are the same"));
    }
    assert_eq!((place.text("p.toml"), place.text("cat.sh")), (pipeline.into(), "cat\n".into()));
    let done = pipe(&["--report", "github=-", "--events", "-"]).run().exits(2);
    drop(done.says("stdout cannot take what both `--report` and `--events` write"));
    let done = place.esteira().stdin("{}\n").args(["pipe", "--report", "github=-", "--", "cat"]);
    drop(done.run().exits(2).says("stdout cannot take both records and what `--report -` writes"));
    // The folder of one goes away while the run goes on.
    let options = ["--report", "junit=gone/j.xml", "--report", "sarif=r.sarif"];
    place.write("gone/before", "");
    let done = place
        .esteira()
        .pipe("in", "out", &options, &["sh", "-c", "cat; rm -r gone; : > gone"])
        .run()
        .exits(4);
    drop(done.says("cannot write the `junit` report `gone/j.xml`"));
    sarif(&place.text("r.sarif"));
}

/// A record that was made, or read from a table, stands in no line of any file.
#[test]
fn what_stands_in_no_file_is_told_without_one() {
    let place = Place::new();
    place.write("s", "{\"properties\":{\"n\":{\"maximum\":1}}}");
    place.write(
        "p.toml",
        "[sources.made]\ntype = \"generate\"\ncount = 2\n[sources.made.fields]\nn = \"sequence\"\n\
         [stages.s]\nuse = \"json-schema\"\nschema = \"s\"\n[sinks.out]\ntype = \"file\"\npath = \"o\"\n",
    );
    let options = ["run", "p.toml", "--report", "sarif=r", "--report", "gitlab=g", "--report"];
    let done = place.esteira().args(options).args(["github=-"]).run().exits(1);
    let annotations = github(std::str::from_utf8(&done.stdout).unwrap());
    assert_eq!(annotations[0].get("file"), None);
    assert!(annotations[0].message.starts_with("generate:2:6: /n "), "{:?}", annotations[0]);
    let location = &sarif(&place.text("r"))["results"][0]["locations"][0];
    assert!(location["physicalLocation"].is_null(), "{location}");
    assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "s/n");
    let issues: Vec<Value> = serde_json::from_slice(&place.read("g")).unwrap();
    let at = &issues[0]["location"];
    assert_eq!((&at["path"], &at["lines"]["begin"]), (&"p.toml".into(), &1.into()));
}

/// Whatever a program says of records, what is told of it has a bound; the letters have all of it.
#[test]
fn what_is_told_does_not_grow_with_what_programs_say() {
    let place = Place::new();
    place.write("in", super::super::harness::records(2000));
    place.write(
        "w.py",
        "import json, sys\nfor line in sys.stdin.buffer:\n    id = json.loads(line)['id']\n    \
         long = 'x' * 20000\n    error = {'code': 'k%d' % id + long, 'path': '/' + long, 'message': long}\n    \
         print(json.dumps({'id': id, 'ok': False, 'errors': [error]}), flush=True)\n",
    );
    let options = ["--protocol", "records", "--rejects", "bad", "--events", "events"];
    let mut call = place.esteira().args(["pipe", "-i", "in", "-o", "out"]).args(options);
    for format in FORMATS {
        call = call.args(["--report", &format!("{format}=r.{format}")]);
    }
    let done = call.args(["--", "python3", "w.py"]).run().exits(1);
    assert!(done.stderr.len() < 20_000, "{} bytes", done.stderr.len());
    let told = super::super::harness::events(&place, "bad_record");
    assert!(told.iter().all(|event| event.to_string().len() < 4000), "{:?}", told[0]);
    let codes: std::collections::BTreeSet<&str> =
        told.iter().map(|event| event["code"].as_str().unwrap()).collect();
    assert!(codes.len() >= 1000, "codes that begin alike are told apart: {}", codes.len());
    for format in FORMATS {
        // A page that opens at once, and what is left of a job's summary; of the others readers
        // refuse 30 MB and more.
        let most = match format {
            "html" => 2_000_000,
            "markdown" => 1 << 20,
            _ => 8 << 20,
        };
        let bytes = place.read(&format!("r.{format}")).len();
        assert!(bytes < most, "{format}: {bytes}");
    }
    let letters = place.text("bad");
    assert!(letters.lines().all(|letter| letter.len() > 60_000), "the letters have all of it");
}
