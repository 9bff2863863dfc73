//! Whatever records and programs say: each reader sees well-formed reports with that as text.

use std::io::Write;
use std::sync::{Arc, Mutex};

use esteira::report::{Around, Format, Listener as _, Reports};
use esteira::words::event::{
    BadRecord, CodeCount, Ended, Event, Finish, Kind, KindCount, Stamped, Table, Usage,
};
use esteira::words::id::{Name, RunId};
use esteira::words::kinds::Times;
use esteira::words::ledger::{Counts, Ledger, StageCounts};
use esteira::words::outcome::{Exit, Failure};
use esteira::words::sample::Sample;
use esteira::words::text::{excerpt, shown};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::readers::{github, junit, markdown, sarif};

/// What has done harm somewhere.
const HARMFUL: [&str; 22] = [
    "\u{1b}[2J",
    "\u{1b}]8;;http://x\u{7}",
    "\u{1b}]52;c;eA==\u{7}",
    "\u{202e}",
    "\u{2066}",
    "::error::",
    "\n::set-output name=x::y",
    "##vso[task.complete]",
    "##[error]",
    "]]>",
    "<script>",
    "\" onload=\"x",
    "=cmd|' /C calc'!A0",
    "\u{fffe}\u{ffff}",
    "\0",
    "&amp;<!--",
    "| a | b |",
    "`x` **b** [l](http://x) @somebody #1",
    "%0A::error::",
    "\r\n",
    "\u{feff}",
    "::stop-commands::",
];

/// At least so many cases, more if `PROPTEST_CASES` says so.
fn at_least(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(cases.max(ProptestConfig::default().cases))
}

/// Foreign text: some of that, and anything else.
fn foreign() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        (0..HARMFUL.len()).prop_map(|index| HARMFUL[index].to_owned()),
        any::<String>(),
        "[a-z:,%`|<&\\]]{0,9}",
        (1000usize..3000).prop_map(|length| "é".repeat(length)),
        Just(String::new()),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

/// A refused record of foreign texts.
fn bad() -> impl Strategy<Value = BadRecord> {
    let texts = (foreign(), foreign(), foreign(), foreign(), foreign());
    (texts, any::<Option<u32>>(), 1u64..9, any::<bool>()).prop_map(
        |(texts, column, line, changed)| {
            let (file, path, code, message, record) = texts;
            let column = column.map(|column| u64::from(column) + 1).filter(|_| !changed);
            let half = record.len() / 2;
            BadRecord {
                source: Name::internal("users"),
                file: (!file.is_empty())
                    .then(|| esteira::words::text::escape(file.as_bytes()).into()),
                line,
                offset: line * 100,
                stage: Some(Name::internal("validate")),
                path,
                // A code that says nothing is none: whoever gives one is asked for more than that.
                code: if code.is_empty() { "none".into() } else { code },
                message,
                column,
                characters: column.map(|column| (column, column + 3)),
                sample: Some(Sample::of(record.as_bytes(), Some(half..record.len()), true)),
                fingerprint: format!("{line:032x}"),
            }
        },
    )
}

/// Takes what a report writes.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reports on a run that refused these.
fn report(format: Format, bad: &[BadRecord], over: bool, reason: &str) -> String {
    let page = Page::default();
    let around = Around {
        prefix: "data/".into(),
        pipeline: Some("p,a:b%.toml".into()),
        ..Around::default()
    };
    let mut reports = Reports::new(around);
    reports.to_stream(format, Box::new(page.clone()));
    let validate = Name::internal("validate");
    let table = Table {
        name: validate.clone(),
        kind: Kind::Stage,
        what: reason.into(),
        files: false,
        letters: false,
        work: None,
    };
    let started =
        Event::RunStarted { run: RunId::new(1, 2), pipeline: reason.into(), tables: vec![table] };
    let mut kinds: Vec<KindCount> = bad.iter().map(|bad| kind(&validate, bad)).collect();
    kinds.sort_by(|a, b| (&a.code, &a.path).cmp(&(&b.code, &b.path)));
    let errors = kinds.iter().map(|kind| CodeCount { code: kind.code.clone(), times: kind.times });
    let counts = StageCounts { r#in: 9, rejected: bad.len() as u64, ..StageCounts::default() };
    let exit = Ended {
        code: if over { Exit::Stage } else { Exit::Ok },
        reason: reason.into(),
        hints: vec![reason.into()],
        failures: vec![Failure::new(Exit::Stage, reason)],
    };
    let finish = Finish {
        ledger: Ledger {
            tables: vec![(validate.clone(), Counts::Stage(counts))],
            ..Ledger::default()
        },
        errors: errors.collect(),
        kinds,
        over: if over { vec![validate] } else { Vec::new() },
        ..Finish::new(exit, Usage::default())
    };
    let events = std::iter::once(started)
        .chain(bad.iter().cloned().map(Event::BadRecord))
        .chain([Event::RunFinished(Box::new(finish))]);
    for event in events {
        reports.on(&Stamped { event, t: 1.5 }).unwrap();
    }
    assert!(reports.finish().is_empty());
    let bytes = page.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn kind(table: &Name, bad: &BadRecord) -> KindCount {
    KindCount {
        table: table.clone(),
        code: bad.code.clone(),
        path: bad.path.clone(),
        times: Times { count: 1, known: 0 },
    }
}

/// The codes as people read them: two that look the same are one to them.
fn codes(bad: &[BadRecord]) -> Vec<String> {
    let seen = |bad: &BadRecord| shown(excerpt(bad.code.as_bytes()));
    let mut codes: Vec<String> = bad.iter().map(seen).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// No text of a report steers whoever shows it raw.
fn is_tame(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t')
        && !text.contains(['\u{202e}', '\u{2066}'])
}

proptest! {
    #![proptest_config(at_least(512))]

    #[test]
    fn junit_is_xml_with_a_case_for_each_code(
        bad in prop::collection::vec(bad(), 0..6),
        over in any::<bool>(),
        reason in foreign(),
    ) {
        let text = report(Format::Junit, &bad, over, &reason);
        prop_assert!(is_tame(&text), "{text:?}");
        let suites = junit(&text);
        prop_assert_eq!(&suites[0].name, "validate");
        let fate = if bad.is_empty() { "passed" } else if over { "failure" } else { "skipped" };
        prop_assert_eq!(suites[0].cases.len(), codes(&bad).len().max(1));
        prop_assert!(suites[0].cases.iter().all(|case| case.fate == fate), "{suites:?}");
        let listed = suites[0].cases.iter().map(|case| case.text.lines().count()).sum::<usize>();
        prop_assert_eq!(listed, if over { bad.len() } else { 0 });
        prop_assert_eq!(&suites[1].cases[0].fate, if over { "error" } else { "passed" });
    }

    #[test]
    fn sarif_is_what_its_schema_says_with_a_result_for_each_record(
        bad in prop::collection::vec(bad(), 0..6),
        over in any::<bool>(),
        reason in foreign(),
    ) {
        let text = report(Format::Sarif, &bad, over, &reason);
        prop_assert!(is_tame(&text), "{text:?}");
        let run = sarif(&text);
        prop_assert_eq!(run["results"].as_array().unwrap().len(), bad.len());
        prop_assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), codes(&bad).len());
        prop_assert_eq!(run["invocations"][0]["executionSuccessful"].as_bool(), Some(!over));
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            prop_assert_eq!(&run["tool"]["driver"]["rules"][index]["id"], &result["ruleId"]);
        }
    }

    #[test]
    fn annotations_are_only_those_that_are_meant(
        bad in prop::collection::vec(bad(), 0..30),
        over in any::<bool>(),
        reason in foreign(),
    ) {
        let text = report(Format::Github, &bad, over, &reason);
        prop_assert!(is_tame(&text), "{text:?}");
        let found = github(&text);
        let of = |kind: &str| found.iter().filter(|one| one.kind == kind).count();
        prop_assert_eq!(of("error") + of("warning"), found.len());
        prop_assert!(of("error") <= 10 && of("warning") <= 10, "{found:?}");
        let shown_records = bad.len().min(9);
        prop_assert_eq!(of("error"), if over { shown_records + 1 } else { 0 });
        let cut = usize::from(!over && bad.len() > 9);
        prop_assert_eq!(of("warning"), if over { 0 } else { shown_records + cut });
        for annotation in found.iter().filter(|one| one.get("line").is_some()) {
            let known = ["file", "line", "col", "endLine", "endColumn", "title"];
            let keys = annotation.properties.iter().map(|(key, _)| key.as_str());
            prop_assert!(keys.clone().all(|key| known.contains(&key)), "{annotation:?}");
            let line: u64 = annotation.get("line").unwrap().parse().unwrap();
            prop_assert!(bad.iter().any(|bad| bad.line == line));
        }
        if let Some(of_run) = found.iter().find(|one| one.get("title").unwrap().ends_with("exit 3")) {
            prop_assert_eq!(of_run.get("file"), Some("data/p,a:b%.toml"));
            let whole = of_run.message.starts_with(&format!("a stage is broken: {}", shown(&reason)));
            prop_assert!(whole || of_run.message.ends_with('…'), "{of_run:?}");
        }
    }

    #[test]
    fn issues_are_told_apart_and_say_where_they_are(
        bad in prop::collection::vec(bad(), 0..6),
        over in any::<bool>(),
        reason in foreign(),
    ) {
        let text = report(Format::Gitlab, &bad, over, &reason);
        prop_assert!(is_tame(&text), "{text:?}");
        let issues: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(issues.len(), bad.len() + usize::from(over));
        let mut prints: Vec<&str> =
            issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
        prints.sort_unstable();
        prints.dedup();
        prop_assert_eq!(prints.len(), issues.len());
        for issue in &issues {
            prop_assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
            prop_assert!(!issue["location"]["path"].as_str().unwrap().is_empty());
            let severity = issue["severity"].as_str().unwrap();
            prop_assert!(["minor", "major", "blocker"].contains(&severity));
        }
    }

    #[test]
    fn markdown_holds_foreign_text_as_code_only(
        bad in prop::collection::vec(bad(), 0..6),
        over in any::<bool>(),
        reason in foreign(),
    ) {
        let text = report(Format::Markdown, &bad, over, &reason);
        prop_assert!(is_tame(&text), "{text:?}");
        let read = markdown(&text);
        prop_assert!(read.contains(if over { "exit 3" } else { "exit 0" }), "{read}");
    }

    #[test]
    fn json_is_one_object(bad in prop::collection::vec(bad(), 0..6), reason in foreign()) {
        let text = report(Format::Json, &bad, true, &reason);
        prop_assert!(is_tame(&text) && !text.contains("##"), "{text:?}");
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(found["errors"].as_array().unwrap().len(), bad.len());
    }
}
