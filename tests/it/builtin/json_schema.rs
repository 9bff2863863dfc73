//! `use = "json-schema"`: what is refused and why, and which schemas are.

use std::os::unix::fs::symlink;

use super::super::harness::{Place, needs};
use super::{Fault, Letter, built, counts, faults, letters, text, told, told_once};

const KEYS: &str = "use = \"json-schema\"\nschema = \"schemas/s.json\"\nmax_rejects = \"100%\"\n";

/// Judges some lines by a schema.
#[track_caller]
fn judged(schema: &str, keys: &str, lines: &[&str]) -> Place {
    let place = Place::new();
    place.write("in", text(lines));
    place.write("schemas/s.json", schema);
    let done = built(&place, &format!("{KEYS}{keys}")).run().exits(0);
    let bad = letters(&place).len() as u64;
    let all = lines.len() as u64;
    assert_eq!(counts(&done, "work"), [all, all - bad, bad, 0, 0]);
    let told: Vec<u64> = letters(&place).into_iter().map(|letter| letter.line).collect();
    let good = (1..).zip(lines).filter(|(line, _)| !told.contains(line));
    let good: Vec<&str> = good.map(|(_, line)| *line).collect();
    assert_eq!(place.text("out"), text(&good), "byte for byte");
    place
}

#[test]
fn a_letter_says_what_is_wrong_where_and_by_which_rule() {
    let schema = r#"{"properties":{"a":{"items":{"type":"integer"}}},"required":["b"]}"#;
    let place = judged(schema, "", &[r#"{"b":1}"#, r#"{"a":[1, "x"]}"#, r#"{"a":[1.0],"b":2}"#]);
    let [Letter { line: 2, offset: 8, errors, .. }] = &letters(&place)[..] else {
        panic!("{}", place.text("bad"))
    };
    let fault = |path: &str, code: &str, message: &str, rule: &str, column| Fault {
        path: path.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        schema_path: Some(rule.to_owned()),
        column: Some(column),
    };
    let message = "\"x\" is not of type \"integer\"";
    let rule = "/properties/a/items/type";
    let missing = "\"b\" is a required property";
    assert_eq!(
        errors[..],
        [
            fault("", "schema.required", missing, "/required", 1),
            fault("/a/1", "schema.type", message, rule, 10),
        ]
    );
}

#[test]
fn so_many_errors_are_told_as_is_asked_for() {
    let schema = r#"{"items":{"type":"string"}}"#;
    let line = format!("[{}]", vec!["1"; 30].join(","));
    for (keys, count) in [("", 10), ("max_errors = 1", 1), ("max_errors = 65536", 30)] {
        assert_eq!(told(&judged(schema, keys, &[&line]))[0].1.len(), count, "{keys}");
    }
}

#[test]
fn a_message_is_short_however_long_the_value() {
    let schema = r#"{"maxLength":3,"enum":["é"]}"#;
    let line = format!("\"{}\"", "é".repeat(100_000));
    for letter in letters(&judged(schema, "", &[&line])) {
        for fault in letter.errors {
            assert!(fault.message.len() <= 210, "{}", fault.message);
        }
    }
}

/// `exclusiveMinimum` is a truth in draft 4 and a number in all others.
#[test]
fn the_draft_counts_where_the_schema_names_none() {
    let four = r#"{"minimum":3,"exclusiveMinimum":true}"#;
    let three = &["3", "4"];
    let want = faults(&[(1, "schema.exclusiveMinimum", "")]);
    let alone = judged(four, "draft = \"4\"", three);
    let found: Vec<u64> = told_once(&alone).into_iter().map(|(line, ..)| line).collect();
    assert_eq!(found, [1]);
    for draft in ["6", "7", "2019-09", "2020-12"] {
        let keys = format!("draft = \"{draft}\"");
        assert_eq!(told_once(&judged(r#"{"exclusiveMinimum":3}"#, &keys, three)), want);
    }
    let named = four.replace('{', "{\"$schema\":\"http://json-schema.org/draft-04/schema#\",");
    let found = told_once(&judged(&named, "draft = \"2020-12\"", three));
    assert_eq!(found.len(), 1, "{found:?}");
    // `dependentRequired` came with 2019-09, and means nothing before.
    let new = r#"{"dependentRequired":{"a":["b"]}}"#;
    assert_eq!(told(&judged(new, "draft = \"7\"", &[r#"{"a":1}"#])), []);
    assert_eq!(told(&judged(new, "", &[r#"{"a":1}"#])).len(), 1, "2020-12 is the default");
}

#[test]
fn formats_are_asserted_if_asked_for() {
    let schema = r#"{"format":"date"}"#;
    let lines = &["\"2024-02-29\"", "\"2023-02-29\""];
    for (keys, count) in [("", 0), ("formats = false", 0), ("formats = true", 1)] {
        assert_eq!(told(&judged(schema, keys, lines)).len(), count, "{keys}");
        let unknown = r#"{"format":"no-such-format"}"#;
        assert_eq!(told(&judged(unknown, keys, lines)), [], "{keys}");
    }
    assert_eq!(told(&judged(schema, "draft = \"7\"", lines)), [], "whatever the draft");
}

#[test]
fn records_are_judged_as_they_are_written() {
    let schema = r#"{
        "properties": {
            "n": {"const": 12345678901234567890123},
            "i": {"type": "integer"},
            "p": {"pattern": "^(?:(?!x)(a|b|ab))*[cd]$"},
            "f": false
        }
    }"#;
    let long = format!(r#"{{"p":"{}"}}"#, "ab".repeat(40) + "!");
    let lines = [
        r#"{"n":12345678901234567890123}"#,
        r#"{"n":12345678901234567890124}"#,
        r#"{"i":1e400}"#,
        r#"{"i":1.5e0}"#,
        r#"{"i":"x","i":1}"#,
        r#"{"i":1,"i":"x"}"#,
        r#"{"f":1}"#,
        r#"{"x":"\ud83dx"}"#,
        &long,
    ];
    let want = [
        (2, "schema.const", "/n"),
        (4, "schema.type", "/i"),
        (6, "schema.type", "/i"),
        (7, "schema.false", "/f"),
        (8, "schema.unreadable", ""),
        (9, "schema.unreadable", "/p"),
    ];
    assert_eq!(told_once(&judged(schema, "", &lines)), faults(&want));
}

#[test]
fn a_reference_leads_to_files_below_the_pipeline_only() {
    let place = Place::new();
    place.write("in", "{\"a\":1}\n{\"a\":\"x\"}\n");
    place.write("schemas/parts/text.json", r#"{"$defs":{"t":{"$ref":"../more.json"}}}"#);
    place.write("schemas/more.json", r#"{"type":"string"}"#);
    for id in ["", r#""$id":"https://example.com/schemas/s.json","#] {
        let schema =
            format!(r#"{{{id}"properties":{{"a":{{"$ref":"parts/text.json#/$defs/t"}}}}}}"#);
        place.write("schemas/s.json", schema);
        drop(built(&place, KEYS).run().exits(0));
        assert_eq!(told_once(&place), faults(&[(1, "schema.type", "/a")]), "{id}");
        let [Letter { errors, .. }] = &letters(&place)[..] else { panic!() };
        let by = "/properties/a/$ref/$ref/type";
        assert_eq!(errors[0].schema_path.as_deref(), Some(by), "{id}");
    }
}

/// What `run` and `check` say of a schema that is not taken, and that nothing is asked of the net.
#[test]
fn a_schema_that_is_not_taken_is_told_with_its_place() {
    let strace = needs("strace", "strace");
    let outside = Place::new();
    outside.write("o.json", "{}");
    let place = Place::new();
    place.write("in", "{}\n");
    place.write("out", "before\n");
    place.write("schemas/bad.json", r#"{"type":"strin"}"#);
    symlink(outside.path("o.json"), place.path("schemas/link.json")).unwrap();
    let up = format!("../{}/o.json", outside.path("").file_name().unwrap().to_str().unwrap());
    let reference = |to: &str| format!(r#"{{"properties":{{"a":{{"$ref":"{to}"}}}}}}"#);
    let schema = "the schema `schemas/s.json`";
    for (text, words) in [
        ("{\n \"type\": ".to_owned(), &[schema, "is no JSON text", "line 2, column"][..]),
        (r#"{"properties":{"a":{"type":"strin"}}}"#.into(), &[schema, "at `/properties/a/type`"]),
        (r#"{"pattern":"("}"#.into(), &[schema, "at `/pattern`", "no regular expression"]),
        (r#"{"required":"a"}"#.into(), &[schema, "at `/required`"]),
        ("3".into(), &[schema, "at its top"]),
        (reference("#/$defs/no"), &["`#/$defs/no` at `/properties/a/$ref`", "cannot be followed"]),
        (reference("no.json"), &["`no.json` at `/properties/a/$ref`", "schemas/no.json"]),
        (reference("bad.json"), &["schemas/bad.json", "at `/type`"]),
        (reference(&format!("../{up}")), &["is not below the pipeline's folder"]),
        (reference("link.json"), &["`schemas/link.json` is not below the pipeline's folder"]),
        (reference("http://localhost:1/s.json"), &["nothing is fetched from the network"]),
        (reference("https://example.com/s.json"), &["nothing is fetched from the network"]),
        (r#"{"$schema":"https://example.com/meta"}"#.into(), &["no version of JSON Schema"]),
    ] {
        place.write("schemas/s.json", &text);
        let run = built(&place, KEYS).run().exits(2);
        let run = words.iter().fold(run.says("stage `work`"), |run, word| run.says(word));
        assert!(!place.has("report.json"), "it never began: {text}");
        let traced = ["-f", "-e", "trace=connect", "-o", "trace"];
        let check =
            place.esteira().under(&strace, &traced).args(["check", "p.toml"]).run().exits(2);
        drop(words.iter().fold(check, |check, word| check.says(word)));
        assert!(!place.text("trace").contains("connect("), "{}", place.text("trace"));
        assert_eq!(place.text("out"), "before\n", "{}", run.stderr);
    }
    let missing = KEYS.replace("s.json", "nosuch.json");
    let words = "cannot read the schema `schemas/nosuch.json`: No such file";
    drop(built(&place, &missing).run().exits(2).says(words));
}
