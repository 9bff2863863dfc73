use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use serde_json::Value;

use crate::json;
use crate::stage::builtin::json_schema::tape::{Fault, Tape, hash};
use crate::stage::builtin::json_schema::view::{Part, Tapes};

use jsonschema_value::{Array as _, Json as _, Node as _, Object};

fn fault(record: &[u8]) -> Option<(usize, String)> {
    Tape::default().read(record).err().map(|Fault { at, why }| (at, why.into()))
}

/// JSON texts with blanks, escapes, and names that come again.
fn text() -> impl Strategy<Value = String> {
    let string = prop_oneof![
        "[ab]{0,2}",
        "[ -!#-\\[\\]-~é€😀]{0,20}",
        Just("a\\u0062".to_owned()),
        Just("\\ud83d\\ude00\\n\\/\\\"\\\\".to_owned()),
    ];
    let string = string.prop_map(|inner| format!("\"{inner}\"")).boxed();
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?",
        string.clone(),
    ];
    let blank = "[ \t\r\n]{0,2}";
    leaf.prop_recursive(6, 64, 20, move |inner| {
        let member =
            (string.clone(), blank, inner.clone()).prop_map(|(k, b, v)| format!("{k}{b}:{v}"));
        prop_oneof![
            (vec(inner, 0..20), blank)
                .prop_map(|(all, b)| format!("[{b}{}{b}]", all.join(&format!("{b},")))),
            (vec(member, 0..24), blank)
                .prop_map(|(all, b)| format!("{{{b}{}{b}}}", all.join(&format!(",{b}")))),
        ]
    })
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(512))]

    #[test]
    fn a_tape_holds_what_a_parser_finds(text in text(), other in text()) {
        let mut tape = Tape::default();
        for text in [text, other] {
            let expected: Value = serde_json::from_str(&text).unwrap();
            let doc = tape.read(text.as_bytes()).unwrap();
            prop_assert_eq!(Part::whole(&doc).to_value().into_owned(), expected.clone());
            if let Some(members) = Part::whole(&doc).as_object() {
                let all = expected.as_object().unwrap();
                prop_assert_eq!(Object::len(&members), all.len());
                for (name, value) in all {
                    let found = members.get(&Tapes::prepare_key(name)).unwrap();
                    prop_assert_eq!(found.to_value().into_owned(), value.clone());
                }
            }
        }
    }

    #[test]
    fn whatever_it_is_given_it_ends(bytes in vec(any::<u8>(), 0..40), line in "[\\[\\]{},:\"0-9a-z\\\\ .eE+-]{0,24}") {
        for record in [&bytes, line.as_bytes()] {
            if json::check(record).is_ok() {
                let lone = fault(record).is_some_and(|(_, why)| why.contains("surrogate"));
                prop_assert_eq!(lone || Tape::default().read(record).is_ok(), true);
            } else {
                let read = Tape::default().read(record).is_ok();
                // Of the grammar only what would lead astray is looked at again.
                prop_assert_eq!(read && std::str::from_utf8(record).is_err(), false);
            }
        }
    }
}

#[test]
fn what_cannot_be_judged_is_refused_with_its_place() {
    let half = |unit: &str| format!("`\\u{unit}` is half of a surrogate pair");
    let rows: [(&[u8], usize, String); 9] = [
        (br#"{"a":"x\ud800"}"#, 7, half("d800")),
        (br#"["\udc00"]"#, 2, half("dc00")),
        (br#"["\ud800\u0041"]"#, 2, half("d800")),
        (br#"["\uD83D\uD83D\uDE00"]"#, 2, half("d83d")),
        (br#"{"\udfff":1}"#, 2, half("dfff")),
        (b"\"\xff\"", 1, "invalid UTF-8".into()),
        (b"[1,", 3, "not a JSON text".into()),
        (b"{} {}", 3, "not a JSON text".into()),
        (b"", 0, "not a JSON text".into()),
    ];
    for (record, at, why) in rows {
        let shown = String::from_utf8_lossy(record);
        assert_eq!(fault(record), Some((at, why)), "{shown}");
    }
}

#[test]
fn depth_ends_where_it_ends_for_sources() {
    let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
    assert_eq!(fault(&nested(json::MAX_DEPTH)), None);
    assert_eq!(fault(&nested(json::MAX_DEPTH + 1)).map(|(at, _)| at), Some(json::MAX_DEPTH));
}

#[test]
fn of_members_with_the_same_name_the_last_counts() {
    let mut tape = Tape::default();
    let many: Vec<String> = (0..300).map(|n| format!("\"k{}\":{n}", n % 100)).collect();
    let rows = [
        (r#"{"a":1,"b":2,"\u0061":3}"#.to_owned(), "a", 3, 2),
        (r#"{"a":{"a":1,"a":2},"b":[{"b":0}],"a":4}"#.to_owned(), "a", 4, 2),
        (format!("{{{}}}", many.join(",")), "k7", 207, 100),
    ];
    for (record, name, value, count) in rows {
        let doc = tape.read(record.as_bytes()).unwrap();
        let members = Part::whole(&doc).as_object().unwrap();
        assert_eq!(Object::len(&members), count, "{record}");
        assert_eq!(members.members().count(), count, "{record}");
        let found = members.get(&Tapes::prepare_key(name)).unwrap();
        assert_eq!(found.to_value().as_ref(), &Value::from(value), "{record}");
    }
}

#[test]
fn arrays_know_whether_their_elements_differ() {
    let mut tape = Tape::default();
    let rows = [
        ("[]", true),
        (r#"["a","b","\u0061"]"#, false),
        (r#"["a","b",1]"#, true),
        ("[1,2,3]", true),
        ("[1,2,1]", false),
        ("[1,1.0]", false),
        ("[100,1e2]", false),
        ("[-0,0.0]", false),
        ("[1,-1,10,0.1]", true),
        ("[1.50e400,150E+398]", false),
        ("[1e99999999999999999999,1e99999999999999999998]", true),
        (r#"["1",1,"n",null,true,false,[],{},[[]],[{}],[null]]"#, true),
        ("[1,true,1e0]", false),
        ("[123456789012345678901234567890,123456789012345678901234567891]", true),
        ("[[1],[1.0]]", false),
        (r#"[{"a":1,"b":2},{"b":2,"a":1}]"#, false),
        (r#"[{"a":1,"a":2},{"a":1}]"#, true),
        (r#"[{"a":1},{"a":1,"b":2}]"#, true),
    ];
    for (record, unique) in rows {
        let doc = tape.read(record.as_bytes()).unwrap();
        assert_eq!(Part::whole(&doc).as_array().unwrap().is_unique(), unique, "{record}");
    }
}

#[test]
fn names_that_differ_mostly_hash_differently() {
    let names: Vec<String> = (0..20_000).map(|n| format!("field_{n}")).collect();
    let hashes: std::collections::BTreeSet<u32> = names.iter().map(|name| hash(name)).collect();
    assert!(hashes.len() > 19_500, "{}", hashes.len());
}

/// The contract that the validator's own crate puts into words.
#[test]
fn a_tape_is_what_the_validator_relies_on() {
    let text = jsonschema_value::conformance::document().to_string();
    let mut tape = Tape::default();
    let doc = tape.read(text.as_bytes()).unwrap();
    jsonschema_value::conformance::assert_conformance::<Tapes>(&Part::whole(&doc));
}
