//! `esteira graph` shows a file's tables, and says what is wrong with one that has none.

use super::super::harness::Place;

const FILE: &str = "\
[pipeline]
rejects = \"bad\"
[sources.in]
type = \"stdin\"
[stages.both]
run = [\"sh\", \"-c\", \"cat #\\\"<b>`\"]
[sinks.out]
type = \"stdout\"
";

#[test]
fn a_pipeline_is_drawn_as_text_and_for_mermaid() {
    let place = Place::new();
    place.write("esteira.toml", FILE);
    let done = place.esteira().args(["graph"]).run().exits(0);
    let text = "\
pipeline `esteira`

source in: stdin
├─✗ dead letters: bad
▼
stage both: sh -c 'cat #\"<b>`'
▼
sink out: stdout
";
    assert_eq!(String::from_utf8(done.stdout).unwrap(), text);
    let done = place.esteira().args(["graph", "--format", "mermaid"]).run().exits(0);
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.contains("t1[\"both<br>sh -c #39;cat #35;#34;#60;b#62;#96;#39;\"]"), "{text}");
}

#[test]
fn what_is_no_pipeline_is_not_drawn() {
    let place = Place::new();
    place.write("esteira.toml", "[sources.in]\n");
    let done = place.esteira().args(["graph"]).run().exits(2);
    assert!(done.stdout.is_empty());
    drop(done.says("source `in` has no `type`"));
    drop(place.esteira().args(["graph", "none.toml"]).run().exits(2).says("none.toml"));
}
