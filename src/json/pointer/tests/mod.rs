//! What the finder finds, and that it finds what a parser finds.

mod fuzz;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use serde_json::Value;

use super::Pointer;

fn found<'a>(pointer: &str, line: &'a str) -> Option<&'a str> {
    let span = Pointer::parse(pointer).unwrap().find(line.as_bytes())?;
    line.get(span)
}

fn key(line: &str) -> Option<Vec<u8>> {
    Some(Pointer::parse("/k").unwrap().key_of(line.as_bytes())?.into_owned())
}

/// The examples of RFC 6901, section 5.
#[test]
fn the_examples_of_the_standard_hold() {
    let line = r#" {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
        "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8 } "#;
    for (pointer, wanted) in [
        ("", line.trim()),
        ("/foo", r#"["bar", "baz"]"#),
        ("/foo/0", "\"bar\""),
        ("/", "0"),
        ("/a~1b", "1"),
        ("/c%d", "2"),
        ("/e^f", "3"),
        ("/g|h", "4"),
        ("/i\\j", "5"),
        ("/k\"l", "6"),
        ("/ ", "7"),
        ("/m~0n", "8"),
    ] {
        assert_eq!(found(pointer, line), Some(wanted), "{pointer}");
    }
    for pointer in ["/fo", "/fooo", "/foo/2", "/foo/-", "/foo/00", "/foo/bar", "//0", "/foo/0/0"] {
        assert_eq!(found(pointer, line), None, "{pointer}");
    }
}

#[test]
fn a_pointer_is_written_in_one_way() {
    for text in ["a", "0", " ", "~0", "/~", "/~2", "/a~", "/a/~x", "#/a"] {
        assert_eq!(Pointer::parse(text), None, "{text}");
    }
    let line = r#"{"~1":"tilde","/":"slash","~01":"both"}"#;
    assert_eq!(found("/~01", line), Some("\"tilde\""));
    assert_eq!(found("/~1", line), Some("\"slash\""));
    assert_eq!(found("/~001", line), Some("\"both\""));
}

#[test]
fn what_is_a_number_in_an_array_is_a_name_in_an_object() {
    let line = r#"[{"0":"a","-":"b","01":"c","18446744073709551616":"d","1":[[],[7]]},[]]"#;
    assert_eq!(found("/0/0", line), Some("\"a\""));
    assert_eq!(found("/0/-", line), Some("\"b\""));
    assert_eq!(found("/0/01", line), Some("\"c\""));
    assert_eq!(found("/0/18446744073709551616", line), Some("\"d\""));
    assert_eq!(found("/0/1/1/0", line), Some("7"));
    let none = ["/1/0", "/2", "/-", "/00", "/+0", "/18446744073709551616", "/18446744073709551615"];
    for pointer in none {
        assert_eq!(found(pointer, line), None, "{pointer}");
    }
}

#[test]
fn names_are_compared_by_what_they_stand_for() {
    for spelling in ["ab", "a\\u0062", "\\u0061b", "\\u0061\\u0062"] {
        assert_eq!(found("/ab", &format!("{{\"{spelling}\":1}}")), Some("1"), "{spelling}");
        assert_eq!(found("/abc", &format!("{{\"{spelling}\":1}}")), None, "{spelling}");
        assert_eq!(found("/a", &format!("{{\"{spelling}\":1}}")), None, "{spelling}");
    }
    let escapes = "{\"\\b\\f\\n\\r\\t\\\\\\/\\\"\\u0000\":1}";
    assert_eq!(found("/\u{8}\u{c}\n\r\t\\~1\"\0", escapes), Some("1"));
    assert_eq!(found("/\u{1f600}", r#"{"\ud83d\uDE00":1}"#), Some("1"));
    assert_eq!(found("/\u{1f600}", "{\"\u{1f600}\":1}"), Some("1"));
    // What an escape is written with is not what it means.
    assert_eq!(found("/a\\u0062", r#"{"a\u0062":1}"#), None);
    assert_eq!(found("/a\\n", r#"{"a\\n":1}"#), Some("1"));
    assert_eq!(found("/\\\"", r#"{"\"":1}"#), None);
}

#[test]
fn half_a_pair_equals_nothing_that_can_be_written() {
    for half in [r"\ud83d", r"\ude00", r"\ude00\ud83d", r"\ud83d\u0041", r"\ud83d\n"] {
        let line = format!("{{\"{half}\":1,\"x\":2}}");
        for pointer in ["/\u{1f600}", "/\u{fffd}", "/A", "/"] {
            assert_eq!(found(pointer, &line), None, "{half} {pointer}");
        }
        assert_eq!(found("/x", &line), Some("2"), "{half}");
    }
}

#[test]
fn of_names_used_again_the_last_counts() {
    let line = r#"{"a":{"b":1},"a":{"c":2,"c":3},"\u0061":{"c":4,"\u0063":5}}"#;
    assert_eq!(found("/a/c", line), Some("5"));
    assert_eq!(found("/a/b", line), None);
    assert_eq!(found("/a", r#"{"a":[1],"a":2}"#), Some("2"));
    assert_eq!(found("/a/0", r#"{"a":[1],"a":2}"#), None);
}

#[test]
fn a_value_stands_without_the_space_around_it() {
    let line = "\t{ \"a\" :\r [ -1.5e+3 , true\t, null , \" x \" , { } ] } \r";
    for (pointer, wanted) in [
        ("/a/0", "-1.5e+3"),
        ("/a/1", "true"),
        ("/a/2", "null"),
        ("/a/3", "\" x \""),
        ("/a/4", "{ }"),
    ] {
        assert_eq!(found(pointer, line), Some(wanted), "{pointer}");
    }
    assert_eq!(found("", " \r7\t"), Some("7"));
    assert_eq!(found("/0", "[ ]"), None);
    assert_eq!(found("", ""), None);
    assert_eq!(found("", " "), None);
}

#[test]
fn a_text_may_be_as_deep_as_it_likes() {
    let deep = "[".repeat(100_000) + "7" + &"]".repeat(100_000);
    assert_eq!(found("", &deep), Some(deep.as_str()));
    assert_eq!(found(&"/0".repeat(3), &deep).map(str::len), Some(deep.len() - 6));
    let deep = "{\"a\":".repeat(128) + "7" + &"}".repeat(128);
    assert_eq!(found(&"/a".repeat(128), &deep), Some("7"));
    assert_eq!(found(&"/a".repeat(129), &deep), None);
}

#[test]
fn a_key_of_a_string_is_its_meaning_and_of_all_else_its_spelling() {
    assert_eq!(key(r#"{"k":"a\u0062"}"#), key(r#"{"k":"ab"}"#));
    assert_eq!(key(r#"{"k":"ab"}"#), Some(b"\"ab".to_vec()));
    assert_eq!(key(r#"{"k":""}"#), Some(b"\"".to_vec()));
    assert_eq!(key(r#"{"k":"\ud83d\ude00"}"#), key("{\"k\":\"\u{1f600}\"}"));
    let apart = [
        r#"{"k":"1"}"#,
        r#"{"k":1}"#,
        r#"{"k":1.0}"#,
        r#"{"k":"null"}"#,
        r#"{"k":null}"#,
        r#"{"k":[1]}"#,
        r#"{"k":[ 1]}"#,
        r#"{"k":""}"#,
        r#"{"k":"\\u0031"}"#,
        r#"{"k":"\ud83d"}"#,
        r#"{"k":"\ud83e"}"#,
        r#"{"k":"\ufffd"}"#,
        r#"{"j":1}"#,
    ];
    for (one, first) in apart.iter().enumerate() {
        for second in apart.iter().skip(one + 1) {
            assert_ne!(key(first), key(second), "{first} {second}");
        }
    }
    assert_eq!(key("[]"), None);
}

/// A string and a spelling of it, of few letters, so that names meet.
fn text() -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        Just('a'),
        Just('b'),
        Just('0'),
        Just('1'),
        Just('~'),
        Just('/'),
        Just('"'),
        Just('\\'),
        Just('\n'),
        Just('é'),
        Just('\u{1f600}'),
        any::<char>(),
    ];
    vec((letter, 0..3u8), 0..4).prop_map(|letters| {
        let spelt = letters.into_iter().map(|(letter, how)| spelt(letter, how));
        format!("\"{}\"", spelt.collect::<String>())
    })
}

fn spelt(letter: char, how: u8) -> String {
    let mut units = [0; 2];
    match how {
        0 => {
            let units = letter.encode_utf16(&mut units).iter();
            units.fold(String::new(), |text, unit| text + &format!("\\u{unit:04x}"))
        }
        1 if letter == '/' => "\\/".to_owned(),
        _ => {
            let quoted = serde_json::to_string(&letter).unwrap();
            quoted.get(1..quoted.len() - 1).unwrap().to_owned()
        }
    }
}

/// A JSON text as somebody might write it, with space between all that may be apart.
fn json() -> impl Strategy<Value = String> {
    let space = || "[ \t\r\n]{0,2}";
    let scalar = prop_oneof![
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("-0.5E+2".to_owned()),
        (0..1000u32).prop_map(|n| n.to_string()),
        text(),
    ];
    let value = scalar.prop_recursive(4, 24, 4, move |inner| {
        let spaced = (space(), inner, space()).prop_map(|(before, v, after)| before + &v + &after);
        let member = (space(), text(), space(), spaced.clone())
            .prop_map(|(before, key, after, v)| format!("{before}{key}{after}:{v}"));
        prop_oneof![
            (space(), vec(spaced, 0..4)).prop_map(|(s, v)| format!("[{s}{}]", v.join(","))),
            (space(), vec(member, 0..4)).prop_map(|(s, v)| format!("{{{s}{}}}", v.join(","))),
        ]
    });
    (space(), value, space()).prop_map(|(before, v, after)| before + &v + &after)
}

/// All pointers into a value, and some that lead nowhere.
fn pointers(value: &Value) -> Vec<String> {
    let (mut all, mut open) = (vec![], vec![(String::new(), value)]);
    while let Some((at, value)) = open.pop() {
        all.extend(["/x", "/0", "/-", "/", "/a"].map(|end| format!("{at}{end}")));
        let down = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        match value {
            Value::Array(list) => {
                open.extend(list.iter().enumerate().map(|(n, v)| (down(&n.to_string()), v)));
            }
            Value::Object(map) => open.extend(map.iter().map(|(key, v)| (down(key), v))),
            _ => {}
        }
        all.push(at);
    }
    all
}

/// Holds what is found against a parser's value of the line.
fn agrees(pointer: &str, line: &str, value: &Value) -> Result<(), String> {
    let seen = found(pointer, line);
    let parsed = seen.map(|text| serde_json::from_str::<Value>(text).unwrap());
    if parsed.as_ref() != value.pointer(pointer) || seen != seen.map(str::trim) {
        return Err(format!("{pointer:?} finds {seen:?} in {line:?}"));
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(2048))]

    #[test]
    fn finds_what_a_parser_finds(line in json()) {
        let value: Value = serde_json::from_str(&line).unwrap();
        for pointer in pointers(&value) {
            prop_assert_eq!(agrees(&pointer, &line, &value), Ok(()));
        }
    }

    #[test]
    fn strings_have_one_key_each(one in text(), other in text()) {
        let key = |text: &str| Pointer { steps: vec![] }.key_of(text.as_bytes()).unwrap().into_owned();
        let meaning = |text: &str| serde_json::from_str::<String>(text).unwrap();
        prop_assert_eq!(key(&one) == key(&other), meaning(&one) == meaning(&other));
        prop_assert_eq!(key(&one), [b"\"", meaning(&one).as_bytes()].concat());
    }

    #[test]
    fn garbage_has_some_answer(
        torn in "[\\[\\]{}:,\"\\\\u0d8acf1 ]{0,40}",
        bytes in vec(any::<u8>(), 0..40),
    ) {
        for line in [torn.as_bytes(), &bytes] {
            for pointer in ["", "/", "/a", "/0", "/1/0", "/a/a"] {
                let pointer = Pointer::parse(pointer).unwrap();
                let span = pointer.find(line);
                prop_assert_eq!(span.as_ref().is_none_or(|s| line.get(s.clone()).is_some()), true);
                pointer.key_of(line);
            }
        }
    }
}
