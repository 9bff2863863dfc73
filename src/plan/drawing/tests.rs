use std::path::PathBuf;

use super::{Note, mermaid, text};
use crate::plan::builtin::{Builtin, Select, Task, Test};
use crate::plan::{Input, Output, Plan, Sink, Source, Stage, Tolerance, Unpack, Work};
use crate::words::id::Name;
use crate::words::ledger::{Edge, Port};
use crate::words::policy::{Check, Keep, OnReject, Order, Publish};
use crate::words::units::Limit;

const TOLERANCE: Tolerance = Tolerance { max_rejects: None, on_reject: OnReject::Continue };
const SILENT: Note<'_> = &|_| None;

fn name(text: &str) -> Name {
    Name::internal(text)
}

fn source(text: &str) -> Source {
    Source {
        name: name(text),
        input: Input::Files(vec![format!("/here/{text}.ndjson").into()]),
        check: Check::Json,
        max_record: 1,
        unpack: Unpack { most: 1, ratio: 1 },
        tolerance: TOLERANCE,
    }
}

fn stage(text: &str) -> Stage {
    let test = Test::Exists(true);
    let task = Task::Select(Select { field: format!("/{text}"), test, keep: Keep::Matching });
    let work = Work::Builtin(Builtin { task, threads: 1, order: Order::Input });
    Stage { name: name(text), work, deadline: None, tolerance: TOLERANCE }
}

fn sink(text: &str, letters: bool) -> Sink {
    Sink {
        name: name(text),
        output: Output::File(format!("/here/out/{text}").into()),
        publish: Publish::Gate,
        letters,
        tolerance: TOLERANCE,
    }
}

/// Puts a plan together; an edge is `a > b`, or `a x b` for dead letters.
fn plan(
    sources: &[&str],
    stages: &[&str],
    sinks: &[&str],
    letters: &[&str],
    edges: &[&str],
) -> Plan {
    let edge = |text: &&str| {
        let words: Vec<&str> = text.split(' ').collect();
        let port = if words[1] == "x" { Port::Rejects } else { Port::Out };
        Edge { from: name(words[0]), port, to: name(words[2]) }
    };
    let files = sinks.iter().map(|text| sink(text, false));
    Plan {
        name: "p".to_owned(),
        caller: PathBuf::from("/here"),
        sources: sources.iter().map(|text| source(text)).collect(),
        stages: stages.iter().map(|text| stage(text)).collect(),
        sinks: files.chain(letters.iter().map(|text| sink(text, true))).collect(),
        edges: edges.iter().map(edge).collect(),
        spooled: Vec::new(),
        mixed: Vec::new(),
        spool: PathBuf::from("/var/tmp"),
        watch: Vec::new(),
        max_rejects: Limit::Count(0),
        deadline: None,
    }
}

/// Two ways, of which one is repaired and comes back: all there can be.
fn branching() -> Plan {
    plan(
        &["a", "b"],
        &["judge", "repair", "both"],
        &["file", "judge.output"],
        &["rejects"],
        &[
            "a > judge",
            "judge x repair",
            "judge > both",
            "repair > both",
            "b > both",
            "both > file",
            "judge > judge.output",
            "a x rejects",
            "repair x rejects",
        ],
    )
}

#[test]
fn a_chain_goes_straight_down() {
    let plan = plan(&["a"], &["b"], &["c"], &["b.rejects"], &["a > b", "b > c", "b x b.rejects"]);
    let drawn = "\
pipeline `p`

source a: a.ndjson
▼
stage b: select by /b
├─✗ dead letters: out/b.rejects
▼
sink c: out/c
";
    assert_eq!(text(&plan, SILENT), drawn);
}

#[test]
fn branches_stand_below_what_feeds_them() {
    let drawn = "\
pipeline `p`

source a: a.ndjson
├─✗ dead letters: out/rejects
▼
stage judge: select by /judge
├─✗ stage repair: select by /repair
│   ├─✗ dead letters: out/rejects
│   └─▶ (2.) both, below
├─▶ (1. spooled) both, below
└─▶ sink judge.output: out/judge.output

source b: b.ndjson
▼ (3.)
stage both: select by /both
▼
sink file: out/file
";
    let spooled =
        |edge: &Edge| (edge.from == name("judge") && edge.to == name("both")).then_some("spooled");
    assert_eq!(text(&branching(), &spooled), drawn);
}

#[test]
fn mermaid_draws_every_table_and_every_arrow() {
    let drawn = "\
flowchart LR
  t0([\"a<br>a.ndjson\"])
  t1([\"b<br>b.ndjson\"])
  t2[[\"judge<br>select by /judge\"]]
  t3[[\"repair<br>select by /repair\"]]
  t4[[\"both<br>select by /both\"]]
  t5[(\"file<br>out/file\")]
  t6[(\"judge.output<br>out/judge.output\")]
  t7[/\"rejects<br>out/rejects\"/]
  t0 --> t2
  t2 -. \"rejects\" .-> t3
  t2 -- \"input 1\" --> t4
  t3 -- \"input 2\" --> t4
  t1 -- \"input 3\" --> t4
  t4 --> t5
  t2 --> t6
  t0 -. \"rejects\" .-> t7
  t3 -. \"rejects\" .-> t7
";
    assert_eq!(mermaid(&branching(), SILENT), drawn);
}

#[test]
fn nothing_in_a_file_becomes_markup() {
    let mut plan = plan(&["a"], &[], &["c"], &[], &["a > c"]);
    let evil = "\"]; click t0 \"javascript:x\"\n%%{init: {}}%%<b>`#quot;|&";
    plan.sources[0].input = Input::Files(vec![evil.into()]);
    let drawn = mermaid(&plan, SILENT);
    assert_eq!(drawn.lines().count(), 4, "{drawn}");
    let label = drawn.lines().nth(1).unwrap();
    let inside = label.trim().trim_start_matches("t0([\"a<br>").trim_end_matches("\"])");
    for markup in ["\"", "<", ">", "`", "%", "{", "]", "|", "&", "(", "\\"] {
        assert!(!inside.contains(markup), "{markup} in {inside}");
    }
    assert_eq!(text(&plan, SILENT).lines().count(), 5);
}
