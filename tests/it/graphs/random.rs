//! Random belts: what comes out, in which order, and every count is what the model says.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};
use rustix::process::Signal;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::harness::Place;
use super::model::{Did, Kind, Table, Thing, belts, can_reject, lines, run};

fn name(index: usize) -> String {
    format!("t{index}")
}

/// A filter that passes everything, and one that dies of it.
const CAT: &str = "[\"cat\"]";
const DEAD: &str = "[\"sh\", \"-c\", \"head -n 3 >/dev/null; exit 5\"]";

/// Writes the belt as a pipeline file, and its sources' files. All filters run `cat`.
fn write(place: &Place, tables: &[Table], cat: &str) {
    let mut text = "[pipeline]\nmax_rejects = \"100%\"\n".to_owned();
    place.write("schema.json", r#"{"required": ["id"], "properties": {"id": {"multipleOf": 3}}}"#);
    for (index, table) in tables.iter().enumerate() {
        let name = name(index);
        let (kind, keys) = match table.kind {
            Kind::Source(count) => {
                let all: String =
                    lines(index, count).iter().map(|line| line.clone() + "\n").collect();
                place.write(&format!("{name}.in"), all);
                ("sources", format!("type = \"file\"\npath = \"{name}.in\""))
            }
            Kind::Cat => ("stages", format!("run = {cat}")),
            Kind::Sed => ("stages", "run = [\"sed\", '/\"s\":\"b\"/d']".to_owned()),
            Kind::Lines => {
                ("stages", "run = [\"cat\"]\nprotocol = \"lines\"\nworkers = 2".to_owned())
            }
            Kind::Schema => (
                "stages",
                "use = \"json-schema\"\nschema = \"schema.json\"\nworkers = 2".to_owned(),
            ),
            Kind::Select(max) => {
                ("stages", format!("use = \"select\"\nfield = \"/id\"\nmax = {max}"))
            }
            Kind::Unique => ("stages", "use = \"unique\"\nfield = \"/id\"".to_owned()),
            Kind::Sink(mixed) => {
                let order = if mixed { "none" } else { "input" };
                ("sinks", format!("type = \"file\"\npath = \"{name}.out\"\norder = \"{order}\""))
            }
        };
        let written = table.inputs.iter().map(|(from, rejects)| {
            let port = if *rejects { ".rejects" } else { "" };
            format!("\"t{from}{port}\"")
        });
        let inputs: Vec<String> = written.collect();
        write!(text, "\n[{kind}.{name}]\n{keys}\n").unwrap();
        if !inputs.is_empty() {
            writeln!(text, "inputs = [{}]", inputs.join(", ")).unwrap();
        }
    }
    place.write("p.toml", text);
}

#[derive(serde::Deserialize)]
struct Letter<'a> {
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    raw: Option<String>,
    source: String,
    line: u64,
    stage: Option<String>,
}

/// Reads a line of an output back.
fn thing(line: &str) -> Thing {
    let Ok(letter) = serde_json::from_str::<Letter<'_>>(line) else {
        return Thing::Line(line.to_owned());
    };
    let of = match (letter.record, letter.raw) {
        (Some(record), None) => thing(record.get()),
        (None, Some(raw)) => Thing::Line(String::from_utf8(STANDARD.decode(raw).unwrap()).unwrap()),
        _ => panic!("neither or both: {line}"),
    };
    let index = |name: &str| name.strip_prefix('t').unwrap().parse().unwrap();
    let by = index(letter.stage.as_ref().unwrap_or(&letter.source));
    Thing::Letter { by, of: Box::new(of), at: (index(&letter.source), letter.line) }
}

/// What the report must say of a table.
fn counts(kind: Kind, did: &Did) -> Vec<(&'static str, u64)> {
    let (out, rejected) = (did.out.len() as u64, did.rejects.len() as u64);
    match kind {
        Kind::Source(_) => vec![("lines", did.taken), ("rejected", rejected), ("out", out)],
        Kind::Sink(_) => vec![("in", did.taken), ("written", did.taken)],
        Kind::Cat | Kind::Sed => vec![("in", did.taken), ("accepted", did.taken), ("out", out)],
        _ => vec![
            ("in", did.taken),
            ("accepted", out),
            ("rejected", rejected),
            ("dropped", did.dropped),
            ("out", out),
        ],
    }
}

fn compare(place: &Place, tables: &[Table], report: &Value) {
    for (index, (table, did)) in tables.iter().zip(run(tables)).enumerate() {
        let name = name(index);
        let group = match table.kind {
            Kind::Source(_) => "sources",
            Kind::Sink(_) => "sinks",
            _ => "stages",
        };
        for (key, count) in counts(table.kind, &did) {
            assert_eq!(report[group][&name][key], count, "{name} {key}: {tables:?}");
        }
        assert!(can_reject(table.kind) || did.rejects.is_empty());
        let Kind::Sink(mixed) = table.kind else { continue };
        let text = place.text(&format!("{name}.out"));
        let mut seen: Vec<Thing> = text.lines().map(thing).collect();
        let mut wanted: Vec<Thing> = did.out.into_iter().map(|(thing, _)| thing).collect();
        if mixed {
            seen.sort();
            wanted.sort();
        }
        assert_eq!(seen.len(), wanted.len(), "{name}: {tables:?}");
        for (line, (seen, wanted)) in seen.iter().zip(&wanted).enumerate() {
            assert_eq!(seen, wanted, "{name}, line {line}: {tables:?}");
        }
    }
}

/// How many belts are tried, unless the environment says more.
const CASES: u32 = 60;

fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default().cases;
    // A case is a run with real programs, so only what is asked for on purpose is more.
    ProptestConfig::with_cases(if asked > 1024 { asked / 50 } else { CASES })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_belt_does_what_the_model_does(tables in belts()) {
        let place = Place::new();
        write(&place, &tables, CAT);
        let done = place.esteira().pipeline("p.toml", &["--progress", "none"]).run();
        prop_assert_eq!(done.code(), 0, "{:?}\n{}", tables, done.stderr);
        let report = done.exits(0).report();
        compare(&place, &tables, &report);
    }

    #[test]
    fn a_belt_that_is_stopped_accounts_for_what_it_took(tables in belts(), sent in 0usize..1500) {
        let place = Place::new();
        write(&place, &tables, CAT);
        // The first source is left waiting for more, so that the end comes in the middle.
        std::fs::remove_file(place.path("t0.in")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path("t0.in"), 0o600.into()).unwrap();
        let running = place.esteira().pipeline("p.toml", &["--progress", "none"]).start();
        let mut fifo = std::fs::File::options().write(true).open(place.path("t0.in")).unwrap();
        // No more than fits the pipe, however little is read.
        fifo.write_all(&super::super::harness::records(sent as u64)).unwrap();
        running.signal(Signal::TERM);
        let done = running.wait();
        drop(fifo);
        let said = done.stderr.clone();
        prop_assert_eq!(done.code(), 143, "{:?}\n{}", tables, said);
        withheld(&done.exits(143).report(), &tables);
    }

    #[test]
    fn a_belt_with_a_dead_stage_accounts_for_what_it_took(tables in belts()) {
        let place = Place::new();
        write(&place, &tables, DEAD);
        let done = place.esteira().pipeline("p.toml", &["--progress", "none"]).run();
        let dead = tables.iter().any(|table| table.kind == Kind::Cat);
        prop_assert_eq!(done.code(), if dead { 3 } else { 0 }, "{:?}\n{}", tables, done.stderr);
        let report = done.exits(if dead { 3 } else { 0 }).report();
        if dead {
            withheld(&report, &tables);
        }
    }
}

/// Nothing was published. That each table balances is seen by whoever reads the report.
fn withheld(report: &Value, tables: &[Table]) {
    for (_, sink) in report["sinks"].as_object().unwrap() {
        assert_eq!(sink["written"], 0, "{tables:?}");
    }
    // With a ledger that does not balance the code would be another.
    assert!(report["exit"]["code"] != 6, "{tables:?}");
}
