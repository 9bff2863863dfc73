//! What the protocol allows, and what it calls all else.

mod fuzz;

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{Said, Verdict, is_echo, reply, request};
use crate::words::dead_letter::Complaint;

const MAX: usize = 64;

fn said(line: &str) -> Result<Said<'_>, String> {
    reply(line.as_bytes(), MAX)
}

fn complaint(path: &str, code: &str, message: &str) -> Complaint {
    Complaint::new(path, code, message)
}

/// Records may hold half a surrogate pair, and whoever refuses them may quote it.
#[test]
fn an_error_may_quote_what_is_no_character() {
    let said = said(r#"{"id":1,"ok":false,"errors":["a \ud800b",{"code":"\udc00","path":null}]}"#);
    let Ok(Said::Reply(1, Verdict::Rejected(errors))) = said else { panic!("{said:?}") };
    assert!(errors[0].message.starts_with("a \u{fffd}") && errors[0].message.ends_with('b'));
    assert!(errors[1].code.starts_with('\u{fffd}') && errors[1].path.is_empty());
}

#[test]
fn a_record_is_spliced_in_as_it_is() {
    let mut out = Vec::new();
    request(17, br#"{"n":1.0e2,"n":12345678901234567890}"#, &mut out);
    request(18, b"{\r\"a\": 1}\r", &mut out);
    let want = "{\"id\":17,\"record\":{\"n\":1.0e2,\"n\":12345678901234567890}}\n\
                {\"id\":18,\"record\":{ \"a\": 1} }\n";
    assert_eq!(String::from_utf8(out).unwrap(), want);
}

#[test]
fn what_was_sent_is_known_again() {
    for (original, echo) in [("{}", "{}"), (" {}\r", "{}"), ("{\r\"a\":1}", "{ \"a\":1}")] {
        assert!(is_echo(original.as_bytes(), echo.as_bytes()), "{original:?}");
    }
    for (original, other) in [("{}", "{ }"), ("{ \"a\":1}", "{\r\"a\":1}"), ("1", "1.0")] {
        assert!(!is_echo(original.as_bytes(), other.as_bytes()), "{original:?}");
    }
}

#[test]
fn verdicts_are_read_however_they_are_spaced() {
    for line in [
        "{\"id\":7,\"ok\":true}",
        " { \"id\" : 7 , \"ok\" : true } \r",
        "{\"id\":7,\"ok\":true,\"errors\":[ ]}",
    ] {
        assert_eq!(said(line), Ok(Said::Reply(7, Verdict::Kept)), "{line}");
    }
    for line in [
        "{\"id\":7,\"ok\":true,\"record\":{\"a\": 1e2}}",
        "{\"id\": 7, \"ok\": true, \"record\": {\"a\": 1e2} }",
        "{\"record\":{\"a\": 1e2},\"ok\":true,\"id\":7}",
        "{\"id\":7,\"ok\":true,\"record\":{\"a\": 1e2},\"took\":[1,{\"ms\":2}]}",
        "{\"id\":7,\"drop\":false,\"errors\":[],\"ok\":true,\"record\":{\"a\": 1e2}}",
    ] {
        let want = Said::Reply(7, Verdict::Replaced(b"{\"a\": 1e2}"));
        assert_eq!(said(line), Ok(want), "{line}");
    }
    assert_eq!(said("{\"id\":0,\"drop\":true}"), Ok(Said::Reply(0, Verdict::Dropped)));
    let null = said("{\"id\":1,\"ok\":true,\"record\":null}");
    assert_eq!(null, Ok(Said::Reply(1, Verdict::Replaced(b"null"))));
    let null = said("{\"ok\":true,\"record\":null,\"id\":1}");
    assert_eq!(null, Ok(Said::Reply(1, Verdict::Replaced(b"null"))));
}

#[test]
fn errors_are_strings_or_objects() {
    let line = r#"{"id":1,"ok":false,"errors":["no good",{"path":"/a","code":"c","message":"m","x":1},{"code":"c"},{}]}"#;
    let want = vec![
        complaint("", "rejected", "no good"),
        complaint("/a", "c", "m"),
        complaint("", "c", "c"),
        complaint("", "rejected", "rejected"),
    ];
    assert_eq!(said(line), Ok(Said::Reply(1, Verdict::Rejected(want))));
}

#[test]
fn some_lines_are_no_replies_and_allowed() {
    assert_eq!(said("{\"ready\":true,\"pid\":3}"), Ok(Said::Ready));
    let log =
        |level: &str, message: &str| Said::Log { level: level.into(), message: message.into() };
    assert_eq!(said(r#"{"log":"warn","message":"a\u001bb"}"#), Ok(log("warn", "a\\u{1b}b")));
    assert_eq!(said(r#"{"log":{"x":1}}"#), Ok(log("{\"x\":1}", "")));
}

#[test]
fn all_else_is_named() {
    for (line, what) in [
        ("loading model", "no JSON text (column 1: expected value): loading model"),
        ("{\"id\":1,\"ok\":true", "no JSON text (column 17: EOF"),
        ("", "no JSON text"),
        ("[1]", "JSON, but no reply object: [1]"),
        ("17", "JSON, but no reply object: 17"),
        ("[7,true,null,null,null,null,null,null]", "JSON, but no reply object: [7,"),
        ("{}", "a reply without an `id`: {}"),
        ("{\"ok\":true}", "a reply without an `id`"),
        ("{\"ready\":false}", "a reply without an `id`"),
        ("{\"id\":\"1\",\"ok\":true}", "a reply whose `id` is no id"),
        ("{\"id\":1.0,\"ok\":true}", "a reply whose `id` is no id"),
        ("{\"id\":-1,\"ok\":true}", "a reply whose `id` is no id"),
        ("{\"id\":18446744073709551616,\"ok\":true}", "a reply whose `id` is no id"),
        ("{\"id\":01,\"ok\":true}", "no JSON text"),
        ("{\"id\":1}", "a reply with neither `ok` nor `drop`"),
        ("{\"id\":1,\"drop\":false}", "a reply with neither `ok` nor `drop`"),
        ("{\"id\":1,\"ok\":1}", "a reply whose `ok` is neither true nor false"),
        ("{\"id\":1,\"drop\":\"yes\"}", "a reply whose `drop` is neither"),
        ("{\"id\":1,\"ok\":true,\"drop\":true}", "a reply with both `ok` and `drop`"),
        ("{\"id\":1,\"ok\":true,\"errors\":[\"x\"]}", "a reply with `errors` that is `ok`"),
        ("{\"id\":1,\"ok\":false}", "a reply that rejects without `errors`"),
        ("{\"id\":1,\"ok\":false,\"errors\":[]}", "a reply that rejects and has no error"),
        ("{\"id\":1,\"ok\":false,\"errors\":\"x\"}", "a reply whose `errors` are neither"),
        ("{\"id\":1,\"ok\":false,\"errors\":[1]}", "a reply whose `errors` are neither"),
        ("{\"id\":1,\"ok\":false,\"errors\":[[\"/a\",\"c\",\"m\"]]}", "a reply whose `errors` are"),
        ("{\"id\":1,\"id\":2,\"ok\":true}", "no reply (duplicate field `id`"),
        ("{\"id\":1,\"ok\":true}{\"id\":2,\"ok\":true}", "no JSON text (column 19"),
        ("{\"id\":1,\"ok\":true,\"record\":{\"a\":}}", "no JSON text (column 33"),
        ("{\"id\":1,\"ok\":true,\"record\":NaN}", "no JSON text"),
    ] {
        let said = said(line).unwrap_err();
        assert!(said.starts_with(what), "{line}: {said}");
    }
    let bytes = b"{\"id\":1,\"ok\":true,\"record\":\"\xff\"}";
    assert!(reply(bytes, MAX).unwrap_err().starts_with("no UTF-8: "));
}

#[test]
fn a_record_has_the_same_bounds_coming_back() {
    let deep = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
    let line = |record: &[u8]| [b"{\"id\":1,\"ok\":true,\"record\":", record, b"}"].concat();
    assert!(reply(&line(&deep(128)), 1000).is_ok());
    assert!(reply(&line(&deep(129)), 1000).unwrap_err().contains("no JSON text (nested deeper"));
    let long = format!("\"{}\"", "x".repeat(MAX - 1));
    assert!(reply(&line(long.as_bytes()), MAX + 1).is_ok());
    let what = reply(&line(long.as_bytes()), MAX).unwrap_err();
    assert!(what.starts_with("a record of 65 bytes, more than the 64 of `max_record`"), "{what}");
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(2048))]

    #[test]
    fn what_is_sent_comes_back(id in any::<u64>(), record in "\\PC{0,40}") {
        let record = serde_json::to_string(&record).unwrap();
        let mut sent = Vec::new();
        request(id, record.as_bytes(), &mut sent);
        let sent = String::from_utf8(sent).unwrap();
        let echoed = sent.trim_end().replacen(",\"record\"", ",\"ok\":true,\"record\"", 1);
        let want = Said::Reply(id, Verdict::Replaced(record.as_bytes()));
        prop_assert_eq!(reply(echoed.as_bytes(), 1000), Ok(want));
    }

    #[test]
    fn no_line_is_read_in_two_ways(line in "[{}\\[\\]\",:a-z0-9 ]{0,40}|\\{\"id\":[0-9 ]{1,3},\"ok\":true[,\"record: {}1]{0,20}\\}") {
        // The short way must never say something else than the careful one.
        if let Some(said) = super::common(line.as_bytes(), 1000) {
            prop_assert_eq!(Ok(said), super::any(line.as_bytes(), 1000));
        }
        prop_assert!(line.len() < 1000);
    }
}
