//! `use = "unique"`: repeats are refused and told where the first is; no key is ever forgotten.

use super::super::harness::{Place, events, records};
use super::{built, counts, faults, letters, through, told_once};

#[test]
fn who_repeats_a_key_is_refused_and_told_where_the_first_is() {
    let lines = [
        r#"{"id":1}"#,
        r#"{"id":"1"}"#,
        r#"{"x":0,"id":1}"#,
        "{}",
        r#"{"id":1.0}"#,
        r#"{"id":"\u0031"}"#,
    ];
    let (place, out) = through("use = \"unique\"\nfield = \"/id\"", &lines);
    assert_eq!(out, "{\"id\":1}\n{\"id\":\"1\"}\n{\"id\":1.0}\n");
    let want = [
        (3, "unique.repeated", "/id"),
        (4, "unique.missing", "/id"),
        (6, "unique.repeated", "/id"),
    ];
    assert_eq!(told_once(&place), faults(&want));
    let messages: Vec<String> =
        letters(&place).into_iter().map(|mut letter| letter.errors.remove(0).message).collect();
    assert_eq!(messages, ["the same as in line 1", "it is not there", "the same as in line 2"]);
}

#[test]
fn a_key_may_have_parts_and_may_be_left_out() {
    let keys = "use = \"unique\"\nfields = [\"/a\", \"/b\"]\non_missing = \"skip\"";
    let lines =
        [r#"{"a":"x","b":"yz"}"#, r#"{"a":"xy","b":"z"}"#, "{}", "{}", r#"{"b":"yz","a":"x"}"#];
    let (place, out) = through(keys, &lines);
    assert_eq!(out.lines().count(), 4);
    assert_eq!(told_once(&place), faults(&[(5, "unique.repeated", "")]));
}

#[test]
fn files_are_told_apart() {
    let place = Place::new();
    place.write("a.ndjson", "{\"id\":1}\n\n{\"id\":2}\n");
    place.write("b.ndjson", "{\"id\":3}\n{\"id\":2}\n{\"id\":3}\n");
    let file = "[sources.in]\ntype = \"file\"\npath = \"*.ndjson\"\n[stages.work]\nuse = \"unique\"\n\
                field = \"/id\"\nrejects = \"bad\"\noutput = \"out\"\nmax_rejects = 2\n";
    place.write("p.toml", file);
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
    let seen: Vec<(String, u64, String)> = letters(&place)
        .into_iter()
        .map(|mut letter| (letter.file.unwrap(), letter.line, letter.errors.remove(0).message))
        .collect();
    let at = |line, message: &str| ("b.ndjson".to_owned(), line, message.to_owned());
    assert_eq!(seen, [at(2, "the same as in line 3 of a.ndjson"), at(3, "the same as in line 1")]);
}

#[test]
fn one_key_too_many_fails_the_run_and_nothing_is_published() {
    for (max, code) in [(1000, 0), (999, 3), (1, 3)] {
        let place = Place::new();
        place.write("out", "before\n");
        place.write("in", [records(1000), records(1)].concat());
        let keys = format!("use = \"unique\"\nfield = \"/id\"\nmax_keys = {max}\nmax_rejects = 1");
        let done = built(&place, &keys).run().exits(code);
        if code == 0 {
            assert_eq!(counts(&done, "work"), [1001, 1000, 1, 0, 0]);
            continue;
        }
        assert_eq!(place.text("out"), "before\n", "{}", done.stderr);
        let [read, accepted, rejected, _, in_doubt] = counts(&done, "work");
        assert_eq!((accepted + rejected + in_doubt, rejected), (read, 0));
        assert!(accepted <= max && in_doubt > 0, "{accepted} of {max}");
        assert_eq!(events(&place, "withheld").len(), 1);
        let done = done.says("stage `work`").says("different keys of `max_keys`");
        drop(done.says("raise `max_keys`: each million takes about 50 MiB"));
    }
}
