//! What passes is added, what is still bad stays in its place, and nobody else is disturbed.

use std::fs::File;

use super::super::harness::{Place, records, without_trace};
use super::{added, place, replay};

#[test]
fn what_is_still_bad_stays_as_it_was_and_what_passes_is_added_once() {
    let place = place();
    let all = without_trace(&place.text("bad.ndjson"));
    let done = replay(&place, &["--max-rejects", "5"]).exits(0);
    drop(done.says("5 letters still bad"));
    assert_eq!(without_trace(&place.text("bad.ndjson")), all);
    assert!(!place.has("bad.ndjson.settled") && added(&place).is_empty());

    place.write("bad", "5");
    drop(replay(&place, &["--max-rejects", "0"]).exits(1).says("1 letter settled"));
    // With its carriage return: these are the bytes that were refused.
    assert_eq!(added(&place), ["{\"id\":2}\r\n"]);
    let settled = place.text("bad.ndjson.settled");
    let left: String =
        all.split_inclusive('\n').filter(|line| !line.contains("{\"id\":2}")).collect();
    assert_eq!(without_trace(&place.text("bad.ndjson")), left);
    assert!(without_trace(&settled).lines().all(|line| all.contains(line)));

    place.write("bad", "");
    place.write("worse", "");
    drop(replay(&place, &[]).exits(0));
    assert_eq!(added(&place), ["{\"id\":2}\r\n", "{\"id\":4}\n{\"id\":5}\n"].map(String::from));
    drop(replay(&place, &[]).exits(0));
    assert_eq!(added(&place).len(), 2, "nothing was left to add");
    assert_eq!(place.text("bad.ndjson.settled").lines().count(), 3);
    assert_eq!(place.text("out/good.ndjson"), "{\"id\":1}\n{\"id\":3}\n", "this stays as it was");
}

#[test]
fn what_gets_further_and_is_refused_there_takes_the_place() {
    let place = place();
    place.write("bad", "");
    place.write("worse", "2 4");
    drop(replay(&place, &[]).exits(0));
    let letters = place.text("bad.ndjson");
    let found: Vec<&str> = letters.lines().filter(|l| l.contains("\"id\":2")).collect();
    assert!(
        matches!(found[..], [one] if one.contains("\"line\":2,\"offset\":9,\"stage\":\"second\"")),
        "{letters}"
    );
    assert!(letters.lines().nth(2).unwrap().contains("\"id\":2"), "{letters}");
    let settled = place.text("bad.ndjson.settled");
    assert!(settled.lines().count() == 1 && settled.contains("{\"id\":5}"), "{settled}");
}

#[test]
fn a_line_mended_by_hand_goes_through_the_check_again() {
    let place = place();
    let letters = place.text("bad.ndjson");
    // `{bad` becomes `{"id":6}`, packed with the line feed of `echo`; `[1,` becomes a record.
    let mended = letters
        .replace("e2JhZA==", "eyJpZCI6Nn0K")
        .replace("\"raw\":\"WzEs\"", "\"record\":{\"id\":5}");
    place.write("bad.ndjson", mended);
    drop(replay(&place, &[]).exits(0));
    assert_eq!(added(&place), ["{\"id\":6}\n"]);
    // The other one is refused by the stage now; its place is the same.
    let letters = place.text("bad.ndjson");
    let line = letters.lines().next().unwrap();
    assert!(line.contains("\"line\":3,\"offset\":18,\"stage\":\"first\""), "{letters}");
}

#[test]
fn a_letter_of_a_letter_goes_back_to_who_refused_the_letter() {
    let place = place();
    let repair = "[pipeline]\nname = \"p\"\nmax_rejects = \"100%\"\nrejects = \"bad.ndjson\"\n\
        [sources.in]\ntype = \"file\"\npath = \"b.ndjson\"\n\
        [stages.first]\nrun = [\"python3\", \"worker.py\", \"bad\"]\nprotocol = \"records\"\nworkers = 1\noutput = \"out/good.ndjson\"\n\
        [stages.letters]\nuse = \"unique\"\nfield = \"/stage\"\ninputs = [\"first.rejects\"]\n\
        [sinks.out]\ntype = \"file\"\npath = \"out/repaired.ndjson\"\n";
    place.write("p.toml", repair);
    place.write("bad", "4 5");
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
    let letters = place.text("bad.ndjson");
    assert!(letters.contains("\"record\":{\"record\":{\"id\":5}"), "{letters}");
    drop(replay(&place, &[]).exits(0));
    let settled = place.text("bad.ndjson.settled");
    assert_eq!(
        settled,
        letters.split_inclusive('\n').filter(|l| l.contains("letters")).collect::<String>()
    );
    let names: Vec<_> =
        std::fs::read_dir(place.path("out")).unwrap().map(|f| f.unwrap().path()).collect();
    let added = names.iter().find(|p| p.to_string_lossy().contains("repaired.replay-")).unwrap();
    assert!(std::fs::read_to_string(added).unwrap().starts_with("{\"record\":{\"id\":5}"));
}

#[test]
fn what_was_too_long_stays_and_is_told() {
    let place = Place::new();
    place.write("in.ndjson", format!("\"{}\"\n{{bad\n", "x".repeat(3000)));
    let pipeline = "[pipeline]\nname = \"p\"\nmax_rejects = \"100%\"\nrejects = \"bad.ndjson\"\n\
        [sources.in]\ntype = \"file\"\npath = \"in.ndjson\"\nmax_record = \"1KiB\"\n\
        [stages.s]\nrun = [\"cat\"]\n[sinks.out]\ntype = \"file\"\npath = \"out.ndjson.gz\"\n";
    place.write("p.toml", pipeline);
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
    let all = place.text("bad.ndjson");
    let (long, _) = all.split_once('\n').unwrap();
    place.write("bad.ndjson", all.replace("e2JhZA==", "MQ=="));
    drop(
        replay(&place, &[])
            .exits(0)
            .says("1 letter still bad")
            .says("no record of it can be replayed"),
    );
    assert_eq!(place.text("bad.ndjson"), format!("{long}\n"));
    drop(replay(&place, &[]).exits(0).says("nothing to replay"));
    assert_eq!(place.text("bad.ndjson"), format!("{long}\n"));
}

#[test]
fn packed_letters_stay_packed() {
    let place = Place::new();
    place.write("worker.py", super::WORKER);
    place.write("in.ndjson", records(300));
    place.write("bad", "7 8 300");
    let pipeline = "[pipeline]\nname = \"p\"\nmax_rejects = \"100%\"\nrejects = \"bad.ndjson.gz\"\n\
        [sources.in]\ntype = \"file\"\npath = \"in.ndjson\"\n\
        [stages.s]\nrun = [\"python3\", \"worker.py\", \"bad\"]\nprotocol = \"records\"\nworkers = 2\n\
        [sinks.out]\ntype = \"file\"\npath = \"out/good.ndjson\"\n";
    place.write("p.toml", pipeline);
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
    place.write("bad", "8");
    let again = || place.esteira().args(["replay", "bad.ndjson.gz", "p.toml"]).run();
    drop(again().exits(0));
    assert_eq!(added(&place), ["{\"id\":7}\n{\"id\":300}\n"]);
    let file = File::open(place.path("bad.ndjson.gz")).unwrap();
    let text = std::io::read_to_string(flate2::read::MultiGzDecoder::new(file)).unwrap();
    assert!(text.lines().count() == 1 && text.contains("\"line\":8,"), "{text}");
    assert_eq!(place.text("bad.ndjson.gz.settled").lines().count(), 2);
}

#[test]
fn what_cannot_be_replayed_is_refused_before_anything_is_touched() {
    let place = place();
    let letters = place.text("bad.ndjson");
    for (from, to, says) in [
        ("\"stage\":\"first\"", "\"stage\":\"frist\"", "was it renamed to `first`"),
        ("\"source\":\"b\"", "\"source\":\"elsewhere\"", "there is `a` or `b`"),
        (
            "\"raw\":\"WzEs\"",
            "\"raw\":\"?\"",
            "line 2 of the dead letters is none: `raw` is no base64",
        ),
        ("\"raw\":\"WzEs\",", "", "neither `record` nor `raw`"),
    ] {
        let wrong = letters.replace(from, to);
        place.write("bad.ndjson", &wrong);
        drop(replay(&place, &[]).exits(2).says(says));
        assert_eq!(place.text("bad.ndjson"), wrong);
        assert!(added(&place).is_empty());
    }
    place.write("bad.ndjson", &letters);
    drop(place.esteira().args(["replay", "-", "p.toml"]).run().exits(2).says("name a file"));
    let file = File::open(place.path("bad.ndjson")).unwrap();
    file.lock().unwrap();
    drop(replay(&place, &[]).exits(5).says("another replay of `bad.ndjson` is going on"));
}

#[test]
fn a_broken_stage_settles_nothing() {
    let place = place();
    let letters = place.text("bad.ndjson");
    place.write("bad", "");
    place.write("worker.py", "import sys\nnext(sys.stdin)\nsys.exit(9)\n");
    drop(replay(&place, &[]).exits(3).says("nothing was settled"));
    assert_eq!(place.text("bad.ndjson"), letters);
    assert!(added(&place).is_empty() && !place.has("bad.ndjson.settled"));
}

/// Letters that come again with a whole run, of the same records, were settled already.
#[test]
fn what_was_settled_once_is_not_added_again() {
    let place = place();
    let letters = place.text("bad.ndjson");
    place.write("bad", "");
    drop(replay(&place, &[]).exits(0));
    let (settled, once) = (place.text("bad.ndjson.settled"), added(&place));
    let left = without_trace(&place.text("bad.ndjson"));
    place.write("bad.ndjson", letters);
    drop(replay(&place, &[]).exits(0).says("2 letters settled by an earlier replay"));
    assert_eq!((place.text("bad.ndjson.settled"), added(&place)), (settled, once));
    assert_eq!(without_trace(&place.text("bad.ndjson")), left);
}
