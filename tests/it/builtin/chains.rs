//! Stages of this process beside others and beside programs.

use super::super::harness::{Place, needs, records};
use super::{counts, faults, letters, told_once};

/// A pipeline from `in` to `out` through these tables, which leave dead letters in `bad`.
fn chain(place: &Place, source: &str, stages: &str) {
    let file = format!(
        "[pipeline]\nrejects = \"bad\"\nmax_rejects = \"100%\"\n\
         [sources.in]\ntype = \"file\"\npath = \"in*\"\n{source}\n{stages}\n\
         [sinks.file]\ntype = \"file\"\npath = \"out\"\n"
    );
    place.write("p.toml", file);
}

const HASH: &str = "[stages.hash]\nuse = \"hash\"\nfield = \"/a\"\ninto = \"/b\"\nworkers = 2\n";

#[test]
fn programs_and_built_in_stages_take_turns() {
    let jq = needs("jq", "jq");
    for (protocol, workers) in [("stream", 1), ("lines", 3)] {
        let place = Place::new();
        let line = |id: u32| format!("{{\"id\":{id},\"a\":\"{}\"}}\n", id % 100);
        place.write("in", (1..=3000).map(line).collect::<String>());
        let program = |name: &str, filter: &str| {
            format!(
                "[stages.{name}]\nrun = [\"{jq}\", \"-c\", \"--unbuffered\", '{filter}']\n\
                 protocol = \"{protocol}\"\nworkers = {workers}\n"
            )
        };
        let select = "[stages.select]\nuse = \"select\"\nfield = \"/a\"\nmatches = '^[0-4]'\n";
        let unique = "[stages.unique]\nuse = \"unique\"\nfield = \"/b\"\n";
        let stages =
            [&program("first", ".c = 1"), HASH, select, &program("last", ".b, .c"), ""].concat();
        chain(&place, "", &stages.replace(".b, .c", "[.b, .c]"));
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(0);
        assert_eq!(counts(&done, "hash"), [3000, 3000, 0, 0, 0]);
        // 0, 1 to 4 and 10 to 49 of each hundred.
        assert_eq!(counts(&done, "select"), [3000, 1350, 0, 1650, 0]);
        assert_eq!(counts(&done, "last"), [1350, 1350, 0, 0, 0]);
        assert_eq!(place.text("out").lines().count(), 1350);
        chain(&place, "", &[HASH, unique, &program("last", ".")].concat());
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(0);
        assert_eq!(counts(&done, "unique"), [3000, 100, 2900, 0, 0]);
        assert_eq!(counts(&done, "last"), [100, 100, 0, 0, 0]);
    }
}

/// However many stages are between, and whatever they left out or made longer.
#[test]
fn a_letter_of_the_third_stage_names_the_line_of_the_file() {
    let place = Place::new();
    place.write("in1", "{\"a\":\"x\"}\n\n{\"a\":\"no\"}\n{\"a\":\"y\"}\n");
    place.write("in2", "{\"a\":\"no\"}\n{\"a\":\"z\"}\n{\"a\":\"x\"}\n{\"a\":3}\n{\"a\":\"z\"}\n");
    let stages = [
        HASH,
        "[stages.select]\nuse = \"select\"\nfield = \"/a\"\nequals = \"no\"\nkeep = \"others\"\n",
        "[stages.third]\nuse = \"unique\"\nfield = \"/b\"\n",
    ];
    chain(&place, "", &stages.concat());
    let done = place.esteira().pipeline("p.toml", &[]).run().exits(0);
    let mut seen: Vec<(String, String, u64, u64, String)> = Vec::new();
    for mut letter in letters(&place) {
        let (stage, file) = (letter.stage.unwrap(), letter.file.unwrap());
        seen.push((stage, file, letter.line, letter.offset, letter.errors.remove(0).message));
    }
    seen.sort_unstable();
    let letter = |stage: &str, line, offset, message: &str| {
        (stage.to_owned(), "in2".to_owned(), line, offset, message.to_owned())
    };
    assert_eq!(
        seen,
        [
            letter("hash", 4, 31, "a number is no string"),
            letter("third", 3, 21, "the same as in line 1 of in1"),
            letter("third", 5, 39, "the same as in line 2"),
        ]
    );
    assert_eq!(counts(&done, "third"), [5, 3, 2, 0, 0]);
}

/// Behind a program the place is that in what it wrote: nobody else knows where that came from.
#[test]
fn behind_a_filter_its_own_lines_count() {
    let place = Place::new();
    place.write("in", "{\"a\":\"x\"}\n{\"a\":\"y\"}\n{\"a\":\"z\"}\n");
    let program = "[stages.tail]\nrun = [\"sh\", \"-c\", \"sed 1d; echo '{}'\"]\n";
    chain(&place, "", &[program, HASH].concat());
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
    assert_eq!(told_once(&place), faults(&[(3, "hash.missing", "/a")]));
    assert_eq!((letters(&place)[0].file.as_deref(), place.text("out").lines().count()), (None, 2));
}

/// A line that is no JSON never reaches a built-in stage.
#[test]
fn what_is_no_json_breaks_the_stage_that_wrote_it() {
    let place = Place::new();
    place.write("in", records(10));
    place.write("out", "before\n");
    let program = "[stages.noisy]\nrun = [\"sh\", \"-c\", \"cat; echo oops\"]\n";
    chain(&place, "", &[program, HASH].concat());
    let done = place.esteira().pipeline("p.toml", &[]).run().exits(3);
    drop(done.says("stage `noisy`: worker 0 wrote line 11, which is no JSON text").report());
    assert_eq!(place.text("out"), "before\n");
}

#[test]
fn what_nobody_checked_is_refused_before_anything_is_read() {
    let filter = |check: &str| format!("[stages.f]\nrun = [\"cat\"]\ncheck_output = \"{check}\"\n");
    let command = "[stages.c]\nrun = [\"cat\"]\nprotocol = \"command\"\n";
    for (source, stages, key) in [
        ("check = \"none\"", String::new(), "check"),
        ("check = \"utf8\"", String::new(), "check"),
        ("", filter("none"), "check_output"),
        ("", filter("utf8"), "check_output"),
        ("check = \"none\"", command.to_owned(), "check"),
    ] {
        let place = Place::new();
        place.write("in", "{}\n");
        chain(&place, source, &[&stages, HASH].concat());
        for verb in ["run", "check"] {
            let done = place.esteira().args([verb, "p.toml"]).run().exits(2);
            let done = done.says("`use` takes only what is known to be JSON");
            drop(done.says(&format!("leave `{key}` at \"json\" there")));
        }
        assert!(!place.has("out") && !place.has("bad"));
    }
}
