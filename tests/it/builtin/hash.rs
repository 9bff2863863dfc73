//! `use = "hash"`: what is hashed, where the digest goes, and what is refused.

use super::{faults, letters, through, told_once};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const ABC_64: &str = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
const ONE: &str = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";

/// Published examples of each algorithm, not computed by the same crates.
#[test]
fn digests_are_those_of_the_standards() {
    let sha512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                  2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    for (keys, want) in [
        ("", ABC),
        ("algorithm = \"sha256\"\nencoding = \"hex\"", ABC),
        ("encoding = \"base64\"", ABC_64),
        ("algorithm = \"sha512\"", sha512),
    ] {
        let keys = format!("use = \"hash\"\nfield = \"/a\"\n{keys}");
        let (_, out) = through(&keys, &[r#"{"a":"abc"}"#]);
        assert_eq!(out, format!("{{\"a\":\"{want}\"}}\n"), "{keys}");
    }
}

#[test]
fn all_other_bytes_stay_as_they_are() {
    let keys = "use = \"hash\"\nfields = [\"/l/1/p\", \"/a~1b\", \"/~0\"]\non_missing = \"skip\"";
    let (place, out) = through(
        keys,
        &[
            "{ \"l\" : [ 1.50e1, {\"p\" :\t\"abc\" } ] , \"big\":12345678901234567890123 }\r",
            r#"{"~":"\u0061b\u0063","a/b":"abc","l":[{"p":"abc"},{"p":"abc","p2":"\ud800"}]}"#,
            r#"{"x":"abc","x":"abc"}"#,
            r#"[{"l":"abc"}]"#,
            "\"abc\"",
        ],
    );
    let want = format!(
        "{{ \"l\" : [ 1.50e1, {{\"p\" :\t\"{ABC}\" }} ] , \"big\":12345678901234567890123 }}\r\n\
         {{\"~\":\"{ABC}\",\"a/b\":\"{ABC}\",\
         \"l\":[{{\"p\":\"abc\"}},{{\"p\":\"{ABC}\",\"p2\":\"\\ud800\"}}]}}\n\
         {{\"x\":\"abc\",\"x\":\"abc\"}}\n[{{\"l\":\"abc\"}}]\n\"abc\"\n"
    );
    assert_eq!((out, place.text("bad")), (want, String::new()));
}

#[test]
fn the_whole_record_can_be_hashed() {
    let (place, out) = through("use = \"hash\"\nfield = \"\"", &["\"abc\"", "{}"]);
    assert_eq!(out, format!("\"{ABC}\"\n"));
    assert_eq!(told_once(&place), faults(&[(2, "hash.type", "")]));
}

#[test]
fn the_digest_can_go_elsewhere() {
    let keys = "use = \"hash\"\nfield = \"/a\"\ninto = \"/h/d\"";
    let (place, out) = through(
        keys,
        &[
            r#"{"a":"abc","h":{}}"#,
            r#"{"h":{"x":1 },"a":"abc"}"#,
            r#"{"h":{"d":[1,2],"x":1},"a":"abc"}"#,
            r#"{"a":"abc"}"#,
            r#"{"a":"abc","h":[]}"#,
            r#"{"a":"abc","h":{"d":1,"d":2}}"#,
            r#"{"a":"abc","h":{},"h":{}}"#,
        ],
    );
    let want = format!(
        "{{\"a\":\"abc\",\"h\":{{\"d\":\"{ABC}\"}}}}\n\
         {{\"h\":{{\"x\":1,\"d\":\"{ABC}\" }},\"a\":\"abc\"}}\n\
         {{\"h\":{{\"d\":\"{ABC}\",\"x\":1}},\"a\":\"abc\"}}\n"
    );
    assert_eq!(out, want);
    let refused = [(4, "hash.missing"), (5, "hash.missing"), (6, "hash.repeated")];
    let mut refused: Vec<_> = refused.map(|(line, code)| (line, code, "/h/d")).to_vec();
    refused.push((7, "hash.missing", "/h/d"));
    assert_eq!(told_once(&place), faults(&refused));
}

#[test]
fn what_cannot_be_hashed_is_refused_with_its_place() {
    let lines = [
        r#"{"a":"abc"}"#,
        r#"{"b":"abc"}"#,
        r#"{"a":1}"#,
        r#"{"a":null}"#,
        r#"{"a":"abc","a":"abc"}"#,
        r#"{"a":"\ud83dx"}"#,
        r#"{"a":["abc"]}"#,
    ];
    let (place, out) = through("use = \"hash\"\nfield = \"/a\"", &lines);
    assert_eq!(out, format!("{{\"a\":\"{ABC}\"}}\n"));
    let want = [
        (2, "hash.missing", "/a"),
        (3, "hash.type", "/a"),
        (4, "hash.type", "/a"),
        (5, "hash.repeated", "/a"),
        (6, "hash.surrogate", "/a"),
        (7, "hash.type", "/a"),
    ];
    assert_eq!(told_once(&place), faults(&want));
    let mut offset = 0;
    let mut letters = letters(&place).into_iter().peekable();
    for (number, line) in (1..).zip(lines) {
        if let Some(letter) = letters.next_if(|letter| letter.line == number) {
            assert_eq!((letter.offset, letter.source.as_str()), (offset, "in"));
            assert_eq!(letter.stage.as_deref(), Some("work"));
            let value = line.find(':').map(|at| at as u64 + 2);
            let at = letter.errors[0].column;
            match letter.errors[0].code.as_str() {
                // It is missing in the record.
                "hash.missing" => assert_eq!(at, Some(1)),
                // The last of two counts elsewhere, so it is the one shown.
                "hash.repeated" => assert_eq!(at, line.rfind(':').map(|at| at as u64 + 2)),
                _ => assert_eq!(at, value, "{line}"),
            }
        }
        offset += line.len() as u64 + 1;
    }
    assert!(letters.next().is_none());
}

#[test]
fn what_is_no_string_can_be_hashed_as_it_is_spelt() {
    let keys = "use = \"hash\"\nfield = \"/a\"\non_type = \"text\"\non_missing = \"skip\"";
    let (place, out) =
        through(keys, &[r#"{"a":1}"#, r#"{"a":"1"}"#, r#"{"a": 1.0 }"#, r#"{"b":1}"#]);
    let spelt = "d0ff5974b6aa52cf562bea5921840c032a860a91a3512f7fe8f768f6bbe005f6";
    let want =
        format!("{{\"a\":\"{ONE}\"}}\n{{\"a\":\"{ONE}\"}}\n{{\"a\": \"{spelt}\" }}\n{{\"b\":1}}\n");
    assert_eq!((out, place.text("bad")), (want, String::new()));
}
