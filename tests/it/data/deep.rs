//! Lines that are deep, and lines that are wide.

use super::super::harness::Place;
use super::{faults, is_small, letters};

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels) + "\n"
}

#[test]
fn so_many_levels_pass_and_no_more() {
    let place = Place::new();
    let objects = "{\"a\":".repeat(128) + "1" + &"}".repeat(128) + "\n";
    let good = [nested(128), objects, "{}\n".to_owned()].concat();
    place.write("in", [good.as_str(), &nested(129), &nested(100_000), "{}\n"].concat());
    let options = ["--rejects", "bad", "--max-rejects", "2"];
    let done = place.esteira().pipe("in", "out", &options, &["cat"]).run().exits(0);
    assert_eq!(place.text("out"), good + "{}\n");
    let wanted = [(4, "json.too_deep", Some(129)), (5, "json.too_deep", Some(129))];
    assert_eq!(faults(&letters(&place, "bad")), wanted);
    is_small(&done);
}

#[test]
fn what_a_stage_writes_may_be_no_deeper() {
    let place = Place::new();
    place.write("in", "{}\n");
    place.write("deep", nested(129));
    let done = place.esteira().pipe("in", "out", &[], &["sh", "-c", "cat; cat deep"]).run();
    let done = done.exits(3).says("line 2, which is no JSON text (column 129:");
    assert!(!place.has("out"));
    done.report();
}

/// As a tree, four million empty objects are two hundred megabytes and more.
#[test]
fn a_wide_record_is_never_made_a_tree() {
    let place = Place::new();
    let wide = "[".to_owned() + &"{},".repeat(4 << 20) + "{}]\n";
    place.write("in", &wide);
    let done = place.esteira().pipe("in", "out", &[], &["cat"]).run().exits(0);
    assert_eq!(place.text("out").len(), wide.len());
    assert!(place.text("out") == wide, "it is the same, byte for byte");
    let peak = done.report()["controller"]["peak_rss"].as_u64().unwrap();
    assert!(peak < 8 * wide.len() as u64, "{} MiB at its peak", peak >> 20);
}
