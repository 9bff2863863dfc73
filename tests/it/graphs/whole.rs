//! All at once: two sources, four validators in four languages, a repair stage on what they refuse,
//! a packed output; the same on every run.

use std::io::Read as _;
use std::os::unix::fs::symlink;

use serde_json::Value;

use super::super::harness::{Place, project};

const BELT: &str = "fixtures/pipelines/valid/languages.toml";

const OUTPUTS: [&str; 5] = [
    "out/languages.ndjson.gz",
    "out/languages-repaired.ndjson",
    "out/languages-node.ndjson",
    "out/languages-perl.ndjson",
    "out/languages-awk.ndjson",
];

fn counts(report: &Value, kind: &str, name: &str, keys: &[&str]) -> Vec<u64> {
    keys.iter().map(|key| report[kind][name][key].as_u64().unwrap()).collect()
}

#[test]
fn the_same_bytes_and_counts_on_every_run() {
    let mut first: Option<[Vec<u8>; 5]> = None;
    for _ in 0..3 {
        let place = Place::new();
        for name in ["fixtures", "validators"] {
            symlink(project(name), place.path(name)).unwrap();
        }
        let root = format!("pipeline.root=\"{}\"", place.root().display());
        let done = place.esteira().pipeline(BELT, &["--set", &root]).run().exits(0);
        let report = done.report();
        for name in ["python", "node", "perl", "awk"] {
            let keys = ["in", "accepted", "rejected", "in_doubt"];
            assert_eq!(counts(&report, "stages", name, &keys), [10_000, 9850, 150, 0], "{name}");
        }
        let keys = ["in", "accepted", "rejected"];
        assert_eq!(counts(&report, "stages", "once", &keys), [600, 150, 450]);
        let repaired = counts(&report, "stages", "repair", &keys);
        assert_eq!(repaired[0], 150);
        assert_eq!(counts(&report, "sinks", "valid", &["written"]), [9850 + repaired[1]]);
        assert_eq!(place.text("out/languages-rejects.ndjson").lines().count(), 111);

        let outputs = OUTPUTS.map(|name| place.read(name));
        let mut plain = String::new();
        flate2::read::MultiGzDecoder::new(&outputs[0][..]).read_to_string(&mut plain).unwrap();
        // Those that are repaired stand behind those that were good.
        assert!(plain.ends_with(&*String::from_utf8_lossy(&outputs[1])));
        assert_eq!(plain.lines().count() as u64, 9850 + repaired[1]);
        assert!(
            outputs[2] == outputs[3] && outputs[3] == outputs[4],
            "three languages, one verdict"
        );
        match &first {
            None => first = Some(outputs),
            Some(first) => assert!(*first == outputs, "another run, other bytes"),
        }
    }
}

/// What a person sees of it: everyone is there, who comes first, and what is kept.
#[test]
fn the_picture_shows_who_feeds_whom() {
    let place = Place::new();
    for name in ["fixtures", "validators"] {
        symlink(project(name), place.path(name)).unwrap();
    }
    let done = place.esteira().args(["graph", BELT]).run().exits(0);
    let text = String::from_utf8(done.stdout).unwrap();
    for line in [
        "├─▶ (1.) python, below",
        "└─▶ (2.) stage awk: mawk -W interactive",
        "├─✗ (2. kept in a file till then) once, below",
        "stage once: unique by /file, /line",
        "sink valid: ",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    let done = place.esteira().args(["graph", BELT, "--format", "mermaid"]).run().exits(0);
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.contains("-. \"rejects, input 2, kept in a file till then\" .->"), "{text}");
}
