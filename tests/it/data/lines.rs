//! Lines that are odd, and lines that are wrong.

use super::super::harness::Place;
use super::{faults, letters};

#[test]
fn bytes_that_are_no_utf8_are_refused_and_named() {
    let place = Place::new();
    let lines: [&[u8]; 9] = [
        b"{\"note\":\"caf\xe9\"}",
        b"\"\xc0\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"[\"\xe2\x82\"]",
        b"\"a\x00b\"",
        b"{\"ok\":\"\\u0000 \\ud800\"}",
        b"\"\xf4\x90\x80\x80\"",
        b"\xff",
        b"{\"ok\":\"caf\xc3\xa9\"}",
    ];
    place.write("in", [lines.join(&b'\n'), b"\n".to_vec()].concat());
    let options = ["--rejects", "bad", "--max-rejects", "7"];
    let done = place.esteira().pipe("in", "out", &options, &["cat"]).run().exits(0);
    let kept = [lines[5], b"\n", lines[8], b"\n"].concat();
    assert_eq!(place.read("out"), kept, "escaped NULs and lone surrogates are JSON");
    let bad = letters(&place, "bad");
    let wanted = [
        (1, "json.utf8", Some(13)),
        (2, "json.utf8", Some(2)),
        (3, "json.utf8", Some(2)),
        (4, "json.utf8", Some(3)),
        (5, "json.syntax", Some(3)),
        (7, "json.utf8", Some(2)),
        (8, "json.utf8", Some(1)),
    ];
    assert_eq!(faults(&bad), wanted);
    assert_eq!(bad[1]["raw"], "IsCvIg==", "what is no text is shown as base64");
    assert_eq!(bad[4]["raw"], "ImEAYiI=");
    let source = &done.report()["sources"]["input"];
    assert_eq!((&source["lines"], &source["rejected"]), (&9.into(), &7.into()));
}

#[test]
fn the_spelling_of_a_record_is_its_own() {
    let place = Place::new();
    let lines = concat!(
        "{\"b\":1,\"a\":2,\"b\":3}\n",
        "18446744073709551616\n",
        "{\"n\":12345678901234567890123,\"e\":1e400,\"z\":-0,\"f\":1.50E+3}\n",
        "{\"\\u0061\":\"\\/\",\"a\":\"\\ud83d\\ude80\"}\n",
        "[ 1 ,\t2 ]\r\n",
        "-0.0\n",
        "{\"__proto__\":null,\"\":0}\n",
    );
    place.write("in", lines);
    place.esteira().pipe("in", "out", &[], &["cat"]).run().exits(0).report();
    assert_eq!(place.text("out"), lines);
}

#[test]
fn a_byte_order_mark_is_left_out_at_the_start_of_each_file_only() {
    let place = Place::new();
    place.write("a", "\u{feff}{\"a\":1}\r\n\u{feff}{\"a\":2}\n");
    place.write("b", "\u{feff}{\"b\":1}\n\u{feff}");
    let options = ["-i", "b", "--rejects", "bad", "--max-rejects", "2"];
    place.esteira().pipe("a", "out", &options, &["cat"]).run().exits(0).report();
    assert_eq!(place.text("out"), "{\"a\":1}\r\n{\"b\":1}\n");
    let bad = letters(&place, "bad");
    assert_eq!(faults(&bad), [(2, "json.syntax", Some(1)), (2, "json.syntax", Some(1))]);
    assert_eq!((&bad[0]["file"], &bad[0]["offset"]), (&"a".into(), &12.into()));
    assert_eq!((&bad[1]["file"], &bad[1]["offset"]), (&"b".into(), &11.into()));
}

#[test]
fn an_opaque_input_keeps_its_mark_and_its_blank_lines() {
    let place = Place::new();
    let bytes = b"\xef\xbb\xbfid;name\r\n\n \t\n\xff\n1;Ana\n";
    place.write("in", bytes);
    let options = ["--check", "none"];
    let done = place.esteira().pipe("in", "out", &options, &["cat"]).run().exits(0);
    assert_eq!(place.read("out"), bytes);
    let source = &done.report()["sources"]["input"];
    assert_eq!((&source["lines"], &source["blank"]), (&5.into(), &0.into()));
}

#[test]
fn blank_lines_are_counted_and_a_cr_belongs_to_its_line() {
    let place = Place::new();
    place.write("in", "\n{\"a\":1}\r\n \t \n\r\n{\"a\":2}\r\n\n[3]");
    let done = place.esteira().pipe("in", "out", &[], &["cat"]).run().exits(0);
    assert_eq!(
        place.text("out"),
        "{\"a\":1}\r\n{\"a\":2}\r\n[3]\n",
        "the last line is given its end"
    );
    let source = &done.report()["sources"]["input"];
    let counts = ["lines", "blank", "rejected", "out"].map(|key| source[key].as_u64().unwrap());
    assert_eq!(counts, [7, 4, 0, 3]);
}

#[test]
fn what_only_looks_like_json_is_refused_with_its_column() {
    let place = Place::new();
    let lines = [
        ("NaN", 1),
        ("[Infinity]", 2),
        ("{\"a\":-Infinity}", 7),
        ("{\"a\":1} {\"a\":2}", 9),
        ("1 2", 3),
        ("{'a':1}", 2),
        ("[1,]", 4),
        ("\u{b}", 1),
    ];
    let text: Vec<String> = lines.iter().map(|(line, _)| format!("{line}\n{{}}\n")).collect();
    place.write("in", text.concat());
    let options = ["--rejects", "bad", "--max-rejects", "100%"];
    place.esteira().pipe("in", "out", &options, &["cat"]).run().exits(0).report();
    assert_eq!(place.text("out"), "{}\n".repeat(lines.len()));
    let wanted = (0..).zip(lines).map(|(n, (_, column))| (2 * n + 1, "json.syntax", Some(column)));
    assert_eq!(faults(&letters(&place, "bad")), wanted.collect::<Vec<_>>());
}

/// Patterns are matched as UTF-8: a name that is none must not be passed over in silence.
#[test]
fn a_file_that_no_pattern_can_name_is_told() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    place.write("deep/er/ok.ndjson", "{}\n");
    let pipeline = |pattern: &str| {
        format!("[sources.a]\ntype = \"file\"\npath = \"{pattern}\"\noutput = \"out\"\n")
    };
    for (pattern, odd, exit) in [
        ("deep/*/*.ndjson", "deep/er/bad\u{fe}.ndjson", 4),
        ("deep/**/*.ndjson", "deep/er/bad\u{fe}.ndjson", 4),
        ("deep/*/*.ndjson", "deep/er/bad\u{fe}.txt", 0),
        ("deep/*/*.ndjson", "deep/bad\u{fe}.ndjson", 0),
    ] {
        let bytes: Vec<u8> =
            odd.chars().map(|c| if c.is_ascii() { c as u8 } else { 0xfe }).collect();
        let path = place.root().join(std::ffi::OsStr::from_bytes(&bytes));
        std::fs::write(&path, "{}\n").unwrap();
        place.write("p.toml", pipeline(pattern));
        let done = place.esteira().args(["run", "p.toml"]).run().exits(exit);
        assert_eq!(exit == 4, done.stderr.contains("\\xfe.ndjson`, whose name is not UTF-8"));
        std::fs::remove_file(path).unwrap();
    }
}
