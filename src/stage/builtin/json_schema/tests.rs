use std::fs;
use std::thread;

use crate::json::check;
use crate::plan::builtin::JsonSchema as Settings;
use crate::stage::builtin::Outcome;
use crate::stage::builtin::json_schema::JsonSchema;
use crate::words::dead_letter::Complaint;
use crate::words::policy::Draft;

fn stage(schema: &str, set: impl FnOnce(&mut Settings)) -> JsonSchema {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.json");
    fs::write(&file, schema).unwrap();
    let mut settings = Settings {
        schema: file,
        root: folder.path().to_owned(),
        draft: Draft::Draft202012,
        formats: false,
        max_errors: 10,
    };
    set(&mut settings);
    JsonSchema::compile(&settings, |path| path.display().to_string()).unwrap()
}

fn judge(stage: &JsonSchema, record: &str) -> Vec<Complaint> {
    match stage.judge(record.as_bytes()) {
        Outcome::Kept => Vec::new(),
        Outcome::Rejected(complaints) if !complaints.is_empty() => complaints,
        other => panic!("{record}: {other:?}"),
    }
}

/// The first complaint: path, code, message, schema path and column.
fn first(schema: &str, record: &str) -> Option<(String, String, String, String, u64)> {
    let all = judge(&stage(schema, |_| ()), record);
    let Complaint { path, code, message, schema_path, column, .. } = all.into_iter().next()?;
    Some((path, code, message, schema_path.unwrap(), column.unwrap()))
}

/// Schema, record, and what is told: path, code, message where it matters, schema path, column.
type Row =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, u64);

fn told(rows: &[Row]) {
    for &(schema, record, path, code, message, rule, column) in rows {
        let found = first(schema, record).unwrap_or_else(|| panic!("{schema} lets {record} pass"));
        let message = if message.is_empty() { found.2.clone() } else { message.to_owned() };
        let code = format!("schema.{code}");
        assert_eq!(found, (path.into(), code, message, rule.into(), column), "{schema} {record}");
    }
}

#[test]
fn each_rule_about_a_value_tells_what_is_wrong_and_where() {
    told(&[
        (r#"{"type":"string"}"#, "1", "", "type", "1 is not of type \"string\"", "/type", 1),
        (
            r#"{"type":["string","null"]}"#,
            " [1]",
            "",
            "type",
            "[1] is not of types \"null\", \"string\"",
            "/type",
            2,
        ),
        (r#"{"enum":["a",2]}"#, "3", "", "enum", "3 is not one of \"a\" or 2", "/enum", 1),
        (r#"{"const":{"a":1}}"#, "{}", "", "const", "{\"a\":1} was expected", "/const", 1),
        (r#"{"minimum":2}"#, "1", "", "minimum", "1 is less than the minimum of 2", "/minimum", 1),
        (
            r#"{"exclusiveMaximum":2}"#,
            "2.0",
            "",
            "exclusiveMaximum",
            "2.0 is greater than or equal to the maximum of 2",
            "/exclusiveMaximum",
            1,
        ),
        (
            r#"{"multipleOf":2}"#,
            "3",
            "",
            "multipleOf",
            "3 is not a multiple of 2",
            "/multipleOf",
            1,
        ),
        (
            r#"{"minLength":2}"#,
            r#""é""#,
            "",
            "minLength",
            "\"é\" is shorter than 2 characters",
            "/minLength",
            1,
        ),
        (
            r#"{"items":{"pattern":"^a"}}"#,
            r#"["ab", "b"]"#,
            "/1",
            "pattern",
            "\"b\" does not match \"^a\"",
            "/items/pattern",
            8,
        ),
    ]);
}

#[test]
fn each_rule_about_what_is_inside_tells_what_is_wrong_and_where() {
    told(&[
        (r#"{"prefixItems":[true],"items":false}"#, "[1,2]", "/1", "false", "", "/items", 4),
        (r#"{"uniqueItems":true}"#, "[1,1]", "", "uniqueItems", "", "/uniqueItems", 1),
        (r#"{"contains":{"const":1}}"#, "[2]", "", "contains", "", "/contains", 1),
        (r#"{"maxItems":1}"#, "[1,2]", "", "maxItems", "", "/maxItems", 1),
        (
            r#"{"properties":{"o":{"required":["x"]}}}"#,
            r#"{"o":{}}"#,
            "/o",
            "required",
            "\"x\" is a required property",
            "/properties/o/required",
            6,
        ),
        (
            r#"{"properties":{"a":{}},"additionalProperties":false}"#,
            r#"{"a":1,"b":2}"#,
            "",
            "additionalProperties",
            "Additional properties are not allowed ('b' was unexpected)",
            "/additionalProperties",
            1,
        ),
        (
            r#"{"unevaluatedProperties":false}"#,
            r#"{"b":2}"#,
            "",
            "unevaluatedProperties",
            "Unevaluated properties are not allowed ('b' was unexpected)",
            "/unevaluatedProperties",
            1,
        ),
        (
            r#"{"propertyNames":{"maxLength":1}}"#,
            r#"{"bc":2}"#,
            "",
            "propertyNames",
            "the name of a property: \"bc\" is longer than 1 character",
            "/propertyNames/maxLength",
            1,
        ),
        (r#"{"properties":{"x":false}}"#, r#"{"x":1}"#, "/x", "false", "", "/properties/x", 6),
    ]);
}

#[test]
fn each_rule_made_of_others_tells_what_is_wrong_and_where() {
    told(&[
        (r#"{"not":{}}"#, "1", "", "not", "{} is not allowed for 1", "/not", 1),
        (r#"{"anyOf":[{"type":"null"},{"const":2}]}"#, "1", "", "anyOf", "", "/anyOf", 1),
        (r#"{"oneOf":[{},{}]}"#, "1", "", "oneOf", "", "/oneOf", 1),
        (
            r#"{"if":{"type":"number"},"then":{"minimum":2}}"#,
            "1",
            "",
            "minimum",
            "",
            "/then/minimum",
            1,
        ),
        (
            r#"{"dependentRequired":{"a":["b"]}}"#,
            r#"{"a":1}"#,
            "",
            "required",
            "",
            "/dependentRequired",
            1,
        ),
        (
            r##"{"$ref":"#/$defs/n","$defs":{"n":{"type":"null"}}}"##,
            "1",
            "",
            "type",
            "",
            "/$defs/n/type",
            1,
        ),
    ]);
}

#[test]
fn paths_are_escaped_and_lead_to_the_last_of_equal_names() {
    let schema = r#"{"additionalProperties":{"type":"string"}}"#;
    let rows = [
        (r#"{"a/b":1}"#, "/a~1b", 8),
        (r#"{"a~b": 1}"#, "/a~0b", 9),
        (r#"{"\u0061\/":1}"#, "/a~1", 13),
        (r#"{"":1}"#, "/", 5),
        (r#"{"a":1,"a":"x","b":2,"b":3}"#, "/b", 26),
    ];
    for (record, path, column) in rows {
        let found = judge(&stage(schema, |_| ()), record);
        assert_eq!(found.len(), 1, "{record}");
        assert_eq!((&*found[0].path, found[0].column), (path, Some(column)), "{record}");
    }
}

#[test]
fn so_many_errors_are_told_in_the_same_order_each_time() {
    let schema = r#"{"required":["z","a"],"properties":{"b":{"type":"null"},"c":{"type":"null"},
        "d":{"items":{"type":"null"}}},"maxProperties":2}"#;
    let record = r#"{"d":[1,2,3],"c":1,"b":2}"#;
    let all = judge(&stage(schema, |settings| settings.max_errors = 100), record);
    assert_eq!(all.len(), 8);
    for _ in 0..5 {
        for most in [1, 3, 8] {
            let some = judge(&stage(schema, |settings| settings.max_errors = most), record);
            assert_eq!(some, all[..most]);
        }
    }
    let one = judge(&stage(schema, |settings| settings.max_errors = 0), record);
    assert_eq!(one.len(), 1, "there is no refusal without a reason");
}

#[test]
fn messages_stay_short_however_long_the_record_is() {
    let long = "é".repeat(1 << 20);
    let rows = [
        (r#"{"maxLength":3}"#, format!("\"{long}\"")),
        (r#"{"type":"null"}"#, format!("[\"{long}\"]")),
        (r#"{"additionalProperties":false}"#, format!("{{\"{long}\":1}}")),
        (r#"{"propertyNames":{"maxLength":3}}"#, format!("{{\"{long}\":1}}")),
        (r#"{"anyOf":[{"type":"null"},false]}"#, format!("{{\"{long}\":[]}}")),
    ];
    for (schema, record) in rows {
        let [complaint] = &judge(&stage(schema, |_| ()), &record)[..] else { panic!("{schema}") };
        assert!(complaint.message.len() <= 205, "{schema}: {}", complaint.message.len());
        assert!(complaint.message.contains('…'), "{schema}: {}", complaint.message);
    }
}

#[test]
fn a_record_with_very_many_errors_costs_little() {
    let schema = r#"{"anyOf":[{"items":{"type":"string"}},{"items":{"type":"null"}}]}"#;
    let record = format!("[{}1]", "0,".repeat(1 << 20));
    let found = judge(&stage(schema, |_| ()), &record);
    assert!(!found.is_empty());
    let flat = judge(&stage(r#"{"items":{"type":"string"}}"#, |_| ()), &record);
    assert_eq!(flat.len(), 10);
    assert_eq!(flat[9].path, "/9");
}

#[test]
fn values_are_compared_as_they_are_written() {
    let big = "123456789012345678901234567890";
    let rows = [
        (r#"{"type":"integer"}"#, vec!["1", "1.0", "1e2", "-0", "1e400", big], vec!["1.5", "1e-1"]),
        (r#"{"multipleOf":0.01}"#, vec!["19.99", "0.07", "1e3"], vec!["19.999", "0.001"]),
        (r#"{"multipleOf":7}"#, vec!["9007199254740995", "14"], vec!["9007199254740994", "1"]),
        (r#"{"maximum":0.1}"#, vec!["0.1", "1e-1", "0.10"], vec!["0.11", "0.1000000000000001"]),
        (r#"{"exclusiveMaximum":0.1}"#, vec!["0.09"], vec!["0.1", "1e-1"]),
        (
            r#"{"maximum":9007199254740992}"#,
            vec!["9007199254740992", "9007199254740992.0"],
            vec!["9007199254740993", "9007199254740992.5", "1e400", big],
        ),
        (
            r#"{"minimum":18446744073709551615}"#,
            vec!["18446744073709551615", big, "1e400"],
            vec!["18446744073709551614", "-1e400"],
        ),
        (
            r#"{"const":123456789012345678901234567890}"#,
            vec![big, "123456789012345678901234567890.0"],
            vec!["123456789012345678901234567891", "1.2345678901234568e29"],
        ),
        (
            r#"{"enum":[9007199254740993, 1.5, "x"]}"#,
            vec!["9007199254740993", "15e-1", "1.50"],
            vec!["9007199254740992", "9007199254740992.0", "1.5000000000000000000001"],
        ),
        (
            r#"{"const":{"a":[1,{"b":null}],"c":true}}"#,
            vec![r#"{"c":true,"a":[1.0,{"b":null}]}"#, r#"{"a":0,"c":true,"a":[1,{"b":null}]}"#],
            vec![
                r#"{"c":true,"a":[1,{"b":false}]}"#,
                r#"{"c":true,"a":[1]}"#,
                r#"{"a":[1,{"b":null}]}"#,
                r#"{"a":[1,{"b":null}],"d":true}"#,
                "[]",
            ],
        ),
        (r#"{"enum":[1,2]}"#, vec!["1", "2.0", "10e-1"], vec!["3", "1.5"]),
    ];
    for (schema, good, bad) in rows {
        let stage = stage(schema, |_| ());
        for number in good {
            assert_eq!(judge(&stage, number), [], "{schema} {number}");
        }
        for number in bad {
            assert!(!judge(&stage, number).is_empty(), "{schema} lets {number} pass");
        }
    }
}

#[test]
fn numbers_beyond_all_measure_are_judged_at_once() {
    let digits = "9".repeat(200_000);
    let numbers = [
        "1e999999999".to_owned(),
        "-1e999999999".to_owned(),
        "1e-999999999".to_owned(),
        "1e99999999999999999999999".to_owned(),
        "0e99999999999999999999999".to_owned(),
        format!("{digits}.5"),
        format!("0.{digits}"),
        digits,
    ];
    let schemas = [
        r#"{"type":"integer"}"#,
        r#"{"multipleOf":0.01}"#,
        r#"{"multipleOf":3}"#,
        r#"{"minimum":0.5,"maximum":7}"#,
        r#"{"exclusiveMinimum":-18446744073709551616}"#,
        r#"{"enum":[1e999999998, 1e400, 3]}"#,
        r#"{"const":1e-400}"#,
    ];
    for schema in schemas {
        let stage = stage(schema, |_| ());
        for number in &numbers {
            judge(&stage, number);
        }
        judge(&stage, &format!("[{}]", numbers.join(",")));
    }
    let all: Vec<String> = (0..30_000).map(|n| format!("[1e{}]", 400 + n)).collect();
    let stage = stage(r#"{"uniqueItems":true}"#, |_| ());
    assert_eq!(judge(&stage, &format!("[{}]", all.join(","))), []);
}

#[test]
fn what_cannot_be_judged_does_not_pass() {
    let all = stage("true", |_| ());
    let rows = [
        (r#"{"a":"\ud800"}"#, 7, "cannot be judged: `\\ud800` is half of a surrogate pair"),
        (r#"{"\udc00":1}"#, 3, "cannot be judged: `\\udc00` is half of a surrogate pair"),
    ];
    for (record, column, message) in rows {
        assert!(check(record.as_bytes()).is_ok());
        let found = judge(&all, record);
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].code, &*found[0].message), ("schema.unreadable", message));
        assert_eq!((&found[0].schema_path, found[0].column), (&None, Some(column)));
    }
    // A pattern that looks around may need more steps than there are: it might match, or not.
    let hard = format!("\"{}!\"", "ab".repeat(40));
    for schema in [
        r#"{"pattern":"^(?:(?!x)(a|b|ab))*[cd]$"}"#,
        r#"{"not":{"pattern":"^(?:(?!x)(a|b|ab))*[cd]$"}}"#,
    ] {
        let found = judge(&stage(schema, |_| ()), &hard);
        assert_eq!(
            found.first().map(|c| &*c.code),
            Some("schema.unreadable"),
            "{schema}: {found:?}"
        );
        // Wherever in the record it is; a `not` is told of at the whole.
        let (schema, within) = (format!(r#"{{"items":{schema}}}"#), format!("[ {hard}]"));
        let found = judge(&stage(&schema, |_| ()), &within);
        let first = found.first().map(|c| (&*c.code, &*c.path, c.column));
        let place = if schema.contains("not") { ("", Some(1)) } else { ("/0", Some(3)) };
        assert_eq!(first, Some(("schema.unreadable", place.0, place.1)), "{found:?}");
    }
}

#[test]
fn members_with_the_same_name_are_judged_once() {
    let stage = stage(
        r#"{"properties":{"a":{"type":"string"}},"maxProperties":2,"required":["a"]}"#,
        |_| (),
    );
    assert_eq!(judge(&stage, r#"{"a":1,"b":2,"a":"x"}"#), []);
    let found = judge(&stage, r#"{"a":"x","b":2,"a":1}"#);
    assert_eq!((&*found[0].path, found[0].column), ("/a", Some(20)));
}

#[test]
fn formats_are_rules_where_that_is_wanted() {
    let rows = [
        ("email", "\"a@b.co\"", "\"nobody\""),
        ("date-time", "\"2024-02-29T23:59:60Z\"", "\"2023-02-29T00:00:00Z\""),
        ("date", "\"2024-02-29\"", "\"2024-2-9\""),
        ("uuid", "\"2eb8aa08-aa98-11ea-b4aa-73b441d16380\"", "\"2eb8aa08\""),
        ("ipv4", "\"127.0.0.1\"", "\"127.0.0.256\""),
        ("uri", "\"https://example.com/\"", "\"//example\""),
        ("idn-hostname", "\"실례.테스트\"", "\"〮실례.테스트\""),
        ("no-such-format", "\"x\"", "1"),
    ];
    for (format, good, bad) in rows {
        for draft in [
            "https://json-schema.org/draft/2019-09/schema",
            "https://json-schema.org/draft/2020-12/schema",
        ] {
            let schema = format!(r#"{{"$schema":"{draft}","type":"string","format":"{format}"}}"#);
            let asserted = stage(&schema, |settings| settings.formats = true);
            let remarked = stage(&schema, |_| ());
            assert_eq!(judge(&asserted, good), [], "{schema}");
            assert!(!judge(&asserted, bad).is_empty(), "{schema} {bad}");
            assert_eq!(judge(&remarked, bad).is_empty(), bad != "1", "{schema} {bad}");
        }
    }
}

#[test]
fn a_schema_is_read_as_its_draft_has_it() {
    let old = r#"{"items":[{"type":"null"}]}"#;
    let exclusive = r#"{"maximum":3,"exclusiveMaximum":true}"#;
    let rows = [
        (old, Draft::Draft4, "[1]", "[null,1]"),
        (old, Draft::Draft7, "[1]", "[null,1]"),
        (old, Draft::Draft201909, "[1]", "[null,1]"),
        (exclusive, Draft::Draft4, "3", "2"),
        (r#"{"type":"integer"}"#, Draft::Draft4, "1.0", "1"),
        (r#"{"const":1}"#, Draft::Draft6, "2", "1"),
        (r#"{"if":{"const":1},"then":false}"#, Draft::Draft7, "1", "2"),
        (r#"{"prefixItems":[{"type":"null"}]}"#, Draft::Draft202012, "[1]", "[null]"),
        // What a schema says itself comes first.
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"null"}]}"#,
            Draft::Draft202012,
            "[1]",
            "[null]",
        ),
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema","prefixItems":[false]}"#,
            Draft::Draft202012,
            "",
            "[1]",
        ),
    ];
    for (schema, draft, bad, good) in rows {
        let stage = stage(schema, |settings| settings.draft = draft);
        assert_eq!(judge(&stage, good), [], "{schema} {draft:?} {good}");
        assert!(bad.is_empty() || !judge(&stage, bad).is_empty(), "{schema} {draft:?} {bad}");
    }
}

#[test]
fn the_deepest_records_are_judged_on_a_small_stack() {
    let schema = r##"{"$ref":"#/$defs/t","$defs":{"t":{"allOf":[{"anyOf":[{"type":"number"},
        {"oneOf":[{"type":"array","items":{"$ref":"#/$defs/t"}},{"type":"object",
        "additionalProperties":{"if":true,"then":{"$ref":"#/$defs/t"}}}]}]}]}}}"##;
    let stage = stage(schema, |_| ());
    let deep = |inner: &str| {
        let (open, close) = (r#"[{"a":"#.repeat(64), "}]".repeat(64));
        format!("{open}{inner}{close}")
    };
    assert!(check(deep("1").as_bytes()).is_ok());
    let run = || {
        assert_eq!(judge(&stage, &deep("1")), []);
        assert_eq!(judge(&stage, &deep("\"x\"")).len(), 1);
    };
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(2 << 20)
            .spawn_scoped(scope, run)
            .unwrap()
            .join()
            .unwrap();
    });
}

#[test]
fn threads_judge_side_by_side() {
    let stage = stage(r#"{"type":"object","required":["id"]}"#, |_| ());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..1000 {
                    assert_eq!(judge(&stage, &format!("{{\"id\":{n}}}")), []);
                    assert_eq!(judge(&stage, &format!("{{\"n\":{n}}}")).len(), 1);
                }
            });
        }
    });
}

#[test]
fn branches_in_branches_are_judged_at_once() {
    let schema = r##"{"$ref":"#/$defs/t","$defs":{"t":{"anyOf":[
        {"type":"array","items":{"$ref":"#/$defs/t"}},
        {"type":["array","null"],"items":{"$ref":"#/$defs/t"}}]}}}"##;
    let stage = stage(schema, |_| ());
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(120), "]".repeat(120));
    assert_eq!(judge(&stage, &deep("null")), []);
    assert_eq!(judge(&stage, &deep("1")).len(), 1);
}
