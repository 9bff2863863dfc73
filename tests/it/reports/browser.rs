//! The page of `--report html` in a real browser, made by a run whose records attack it.

use std::process::Command;

use serde_json::{Value, json};

use super::super::harness::{Place, needs, project};

/// What records, codes and messages say: each would do something as markup or as a template.
const HOSTILE: [&str; 8] = [
    "<script>window.owned = true; document.title = 'owned'</script>",
    "\"><img src=x onerror=\"window.owned = true\">",
    "' onmouseover='window.owned = true' x='",
    "]]></title></style></script></svg><svg onload=\"window.owned = true\">",
    "\u{202e}right to left\u{2066}",
    "{{ 7 * 7 }}{% for x in page %}{{ x }}{% endfor %}{# gone #}",
    "&lt;b&gt;&#60;b&#62;<b>&amp;",
    "<!-- <marquee> --><base href=http://example.com/>",
];

/// Refuses every record for what it says.
const VALIDATOR: &str = r#"
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    said = asked["record"]["said"]
    code = "even" if asked["record"]["id"] % 2 == 0 else "odd<i>"
    error = {"path": "/said", "code": code, "message": "it says " + said}
    print(json.dumps({"id": asked["id"], "ok": False, "errors": [error]}), flush=True)
"#;

const PIPELINE: &str = r#"
[pipeline]
name = "<b>{{ 7 * 7 }}</b>"

[sources.broken]
type = "file"
path = "\"><img src=x onerror=owned>.ndjson"

[stages.judge]
run = ["python3", "judge.py", "<script>window.owned = true</script>"]
protocol = "records"

[sinks.out]
type = "file"
path = "out.ndjson"
"#;

/// How many records there are.
const RECORDS: usize = 40;

/// Makes the page, and lets the browser use it.
fn seen(place: &Place) -> (String, Value) {
    let lines = (0..RECORDS).map(|id| {
        let said = HOSTILE[id % HOSTILE.len()];
        format!("{}\n", json!({"id": id, "said": said}))
    });
    // One that the source itself refuses, and shows.
    let lines = lines.chain(["<script>window.owned = true</script> ]]>\n".to_owned()]);
    place.write("\"><img src=x onerror=owned>.ndjson", lines.collect::<String>());
    place.write("judge.py", VALIDATOR);
    place.write("p.toml", PIPELINE);
    let call = place.esteira().args(["run", "p.toml", "--report", "html=report.html"]);
    let _finished = call.run().exits(1);
    needs("chromium", "chromium");
    needs("chromedriver", "chromium-driver");
    let url = format!("file://{}", place.path("report.html").display());
    let output = Command::new(needs("python3", "python3"))
        .arg(project("tests/it/reports/browser.py"))
        .arg(&url)
        .arg(place.write("browser/of", "this test").parent().unwrap())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    (url, serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_browser_shows_and_filters_what_attacks_it() {
    let place = Place::new();
    let (url, seen) = seen(&place);
    let nothing: [&str; 0] = [];
    assert_eq!(seen["console"], json!(nothing), "nothing on the console");
    assert_eq!(seen["requests"], json!([url]), "nothing but the file itself is asked for");

    let page = &seen["page"];
    assert_eq!(page["owned"], false, "nothing foreign ran");
    assert_eq!(page["title"], "Failed: <b>{{ 7 * 7 }}</b>, exit 1");
    assert_eq!((&page["scripts"], &page["foreign"]), (&json!(1), &json!(0)));
    let texts: Vec<&str> =
        page["texts"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for said in HOSTILE {
        let shown = said.replace('\u{202e}', "\\u{202e}").replace('\u{2066}', "\\u{2066}");
        let rows = texts.iter().filter(|text| text.contains(&format!("it says {shown}")));
        assert_eq!(rows.count(), RECORDS / HOSTILE.len(), "{said} is shown as it is");
    }
    let marks = page["marks"].as_array().unwrap();
    assert!(
        marks.contains(&json!(
            r#""]]></title></style></script></svg><svg onload=\"window.owned = true\">""#
        )),
        "{marks:?}"
    );
    let text = page["text"].as_str().unwrap();
    for shown in ["exit 1: the data is bad", "judge.py '<script>window.owned", "\"><img src=x"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }

    let all = RECORDS + 1;
    let rows = |at: &str| (seen[at]["rows"].clone(), seen[at]["count"].clone());
    let want = |rows: usize| {
        let count = if rows == all {
            format!("{all} errors shown.")
        } else {
            format!("{rows} of {all} errors shown.")
        };
        (json!(rows), json!(count))
    };
    // Of eight texts one has it, and so has the line that is no JSON.
    assert_eq!(rows("all"), want(all));
    assert_eq!(rows("searched"), want(RECORDS / 8 + 1));
    assert_eq!(rows("both"), want(RECORDS / 8), "the fourth text is that of odd numbers");
    assert_eq!(rows("reset"), want(all));
    assert_eq!(rows("code"), want(RECORDS / 2));
    assert_eq!(rows("table"), want(0), "the source has refused none with that code");
    assert_eq!((&seen["all"]["nothing"], &seen["table"]["nothing"]), (&json!(false), &json!(true)));

    for what in ["page", "text", "chart"] {
        assert_ne!(
            seen["light"][what], seen["dark"][what],
            "{what} has another colour in the dark"
        );
    }
    assert_eq!(seen["narrow"], json!([360, 360]), "no scrolling sideways on a phone");
    let plain = &seen["plain"];
    assert_eq!((&plain["rows"], &plain["filter"]), (&json!(all), &json!(false)), "without scripts");
}
