//! How many threads a stage has cannot be seen from what comes out.

use super::super::harness::{Place, records, without_trace};
use super::{built, counts};

const SIZES: [u32; 4] = [1, 2, 4, 8];

/// A record of every kind: good, refused, left out, spelt oddly, and now and then a long one.
fn line(id: u64) -> String {
    match id % 11 {
        1 => format!("{{\"id\":{id}}}"),
        2 => format!("{{\"id\":{id},\"a\":3}}"),
        3 => format!("{{\"id\":{id},\"a\":\"\\u00e9\\n\",\"n\":1.50E+400}}\r"),
        4 if id.is_multiple_of(7) => format!("{{\"id\":{id},\"a\":\"{}\"}}", "x".repeat(70_000)),
        5 => format!(" {{ \"id\" : {id} , \"a\" : \"é\" }}"),
        _ => format!("{{\"id\":{id},\"a\":\"{}\"}}", id % 5),
    }
}

fn place(count: u64) -> Place {
    let place = Place::new();
    place.write("in", (1..=count).map(|id| line(id) + "\n").collect::<String>());
    place.write("s.json", r#"{"required":["a"],"properties":{"a":{"maxLength":100}}}"#);
    place
}

const STAGES: [&str; 4] = [
    "use = \"hash\"\nfield = \"/a\"",
    "use = \"hash\"\nfield = \"/a\"\ninto = \"/digest\"\non_type = \"text\"\nalgorithm = \"sha512\"",
    "use = \"json-schema\"\nschema = \"s.json\"",
    "use = \"select\"\nfield = \"/a\"\nmatches = '[0-3é]'",
];

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let place = place(6000);
    for stage in STAGES {
        let mut first = None;
        for workers in SIZES {
            let keys = format!("{stage}\nworkers = {workers}\nmax_rejects = \"100%\"");
            let done = built(&place, &keys).run().exits(0);
            let counts = counts(&done, "work");
            assert_eq!((counts[0], counts[4]), (6000, 0));
            let seen = (place.read("out"), without_trace(&place.text("bad")), counts);
            let first = first.get_or_insert_with(|| seen.clone());
            assert!(*first == seen, "{stage} by {workers}: {}", done.stderr);
        }
    }
}

/// A small file with an expensive hash is shared, too: what the threads take are pieces of it.
#[test]
fn a_small_file_with_an_expensive_hash_stays_in_order() {
    let place = Place::new();
    let line = |id: u64| format!("{{\"id\":{id},\"a\":\"{id}\"}}\n");
    place.write("in", (1..=48).map(line).collect::<String>());
    for workers in SIZES {
        let keys = format!(
            "use = \"hash\"\nfield = \"/a\"\nalgorithm = \"argon2id\"\nmemory = \"1MiB\"\n\
             workers = {workers}"
        );
        let done = built(&place, &keys).run().exits(0);
        assert_eq!(counts(&done, "work"), [48, 48, 0, 0, 0]);
        let text = place.text("out");
        let heads: Vec<&str> = text.lines().map(|line| line.split("\"$").next().unwrap()).collect();
        let want: Vec<String> = (1..=48).map(|id| format!("{{\"id\":{id},\"a\":")).collect();
        assert_eq!(heads, want, "by {workers}");
    }
}

#[test]
fn without_an_order_the_same_comes_out() {
    let place = place(6000);
    for stage in STAGES {
        let mut seen = Vec::new();
        for order in ["workers = 1", "workers = 4\norder = \"none\""] {
            let keys = format!("{stage}\n{order}\nmax_rejects = \"100%\"");
            drop(built(&place, &keys).run().exits(0).report());
            let sorted = |text: String| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.sort_unstable();
                lines
            };
            seen.push((sorted(place.text("out")), sorted(without_trace(&place.text("bad")))));
        }
        assert!(seen[0] == seen[1], "{stage}");
    }
}

#[test]
fn nothing_comes_of_nothing() {
    for stage in STAGES {
        for input in ["", "\n \n"] {
            let place = place(0);
            place.write("in", input);
            let done = built(&place, &format!("{stage}\nworkers = 2")).run().exits(0);
            assert_eq!((place.text("out"), place.text("bad")), (String::new(), String::new()));
            assert_eq!(counts(&done, "work"), [0; 5]);
        }
    }
}

#[test]
fn auto_is_as_many_as_there_are_cores() {
    let place = Place::new();
    place.write("in", records(100));
    let keys = "use = \"select\"\nfield = \"/id\"\nmax = 50\nworkers = \"auto\"";
    assert_eq!(counts(&built(&place, keys).run().exits(0), "work"), [100, 50, 0, 50, 0]);
}
