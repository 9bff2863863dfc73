//! The reader of replies against a reading of the same line as a value.

use std::collections::BTreeSet;
use std::fmt;

use proptest::prelude::{Just, Strategy as _, any, prop_oneof};
use proptest::sample::subsequence;
use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::stage::protocol::{CODE, Said, Verdict, any as careful, common, reply};
use crate::words::dead_letter::Complaint;
use crate::words::fuzz::fuzz;
use crate::words::text::escape;

const MAX: usize = 64;

const MEMBERS: [&str; 22] = [
    "\"id\":7",
    "\"id\": 18446744073709551615",
    "\"id\":null",
    "\"id\":-1",
    "\"ok\":true",
    "\"ok\" : false",
    "\"drop\":true",
    "\"drop\":false",
    "\"record\":{\"a\":[1e2, true]}",
    "\"record\":null",
    "\"record\": \"\\u00e9\"",
    "\"errors\":[]",
    "\"errors\":[\"bad\",{\"path\":\"/a\",\"code\":\"c\",\"message\":\"m\",\"x\":1}]",
    "\"errors\":[{\"code\":\"\"},{\"message\":\"m\"}]",
    "\"log\":\"warn\"",
    "\"log\":{\"x\":1}",
    "\"message\":\"a\\u001bb\"",
    "\"ready\":true",
    "\"took\":[1,{\"ms\":2}]",
    "\"ready\":1",
    "\"errors\":[[\"/a\",\"c\",\"m\"]]",
    "\"errors\":[ ]",
];
/// The members of a reply without their names.
const BARE: &[u8] = b"[7,true,null,null,null,null,null,null]";

const SPLINTERS: [&[u8]; 26] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b" ",
    b"\r",
    b"0",
    b"1",
    b"e5",
    b"null",
    b"true",
    b"false",
    b"\"id\":1,",
    b"\"ok\":true,",
    b"\"ok\":true",
    b",\"record\":1",
    b"\"errors\":[\"x\"],",
    b"{\"id\":1,\"ok\":true,\"record\":",
    b"\xff",
    b"\xc3\xa9",
    b"\\u0061",
    b"[null,",
];

#[test]
fn fuzz_reply() {
    let members = subsequence(MEMBERS.to_vec(), 1..6).prop_shuffle();
    let named = (members, any::<bool>()).prop_map(|(members, wide)| {
        if wide {
            format!(" {{ {} }} ", members.join(" , "))
        } else {
            format!("{{{}}}", members.join(","))
        }
        .into_bytes()
    });
    let fresh = prop_oneof![20 => named, 1 => Just(BARE.to_vec())];
    fuzz("reply", &fresh, &SPLINTERS, check);
}

fn check(line: &[u8]) -> Result<bool, String> {
    let seen = reply(line, MAX);
    if let Some(short) = common(line, MAX)
        && Ok(&short) != careful(line, MAX).as_ref()
    {
        return Err(format!("two readings of one line, one of them {short:?}"));
    }
    let unlike = |what: &str| Err(format!("{what}, but read as {seen:?}"));
    // Half a surrogate pair and great depth are JSON, but no value of this parser; and of two
    // members with the same name it shows one.
    let text = std::str::from_utf8(line).map_err(|_| true);
    let value = text.and_then(|text| {
        let twice = serde_json::from_str(text).is_ok_and(|Twice(twice)| twice);
        if twice { Err(false) } else { serde_json::from_str::<Value>(text).map_err(|_| false) }
    });
    let value = match value {
        Err(true) if seen.is_ok() => return unlike("no UTF-8"),
        Err(_) => return Ok(false),
        Ok(value) => value,
    };
    let Value::Object(members) = &value else {
        return if seen.is_ok() { unlike("no object") } else { Ok(true) };
    };
    match (meaning(members), &seen) {
        (None, Err(_)) => Ok(true),
        (None, Ok(_)) => unlike("no reply"),
        (Some(Meaning::Replaced(id)), Ok(Said::Reply(other, Verdict::Replaced(record)))) => {
            let within = line.as_ptr_range().contains(&record.as_ptr());
            let fits = record.len() <= MAX && record.trim_ascii() == *record;
            let same =
                serde_json::from_slice::<Value>(record).ok().as_ref() == members.get("record");
            if id == *other && within && fits && same { Ok(true) } else { unlike("another record") }
        }
        // How long it is as it was written is not seen in the value.
        (Some(Meaning::Replaced(_)), Err(why)) if why.starts_with("a record of ") => Ok(true),
        (Some(Meaning::Log(level, message)), Ok(Said::Log { level: l, message: m }))
            if level.as_ref().is_none_or(|level| level == l)
                && message.as_ref().is_none_or(|message| message == m) =>
        {
            Ok(true)
        }
        (Some(Meaning::Said(said)), Ok(other)) if said == *other => Ok(true),
        (Some(meaning), _) => unlike(&format!("{meaning:?}")),
    }
}

/// What the members of a line mean, by the contract.
#[derive(Debug)]
enum Meaning {
    /// The record is compared apart.
    Replaced(u64),
    /// Level and message, where they are strings: all else is shown as it is spelt.
    Log(Option<String>, Option<String>),
    Said(Said<'static>),
}

fn meaning(line: &Map<String, Value>) -> Option<Meaning> {
    let given = |name: &str| line.get(name).filter(|value| !value.is_null());
    let truth = |name: &str| given(name).map_or(Some(None), |value| value.as_bool().map(Some));
    let Some(id) = given("id") else { return without_id(given) };
    let id = id.as_u64()?;
    let verdict = match (truth("ok")?, truth("drop")?) {
        (None, Some(true)) => Verdict::Dropped,
        (Some(true), None | Some(false)) => {
            if given("errors")
                .is_some_and(|errors| errors.as_array().is_none_or(|list| !list.is_empty()))
            {
                return None;
            }
            if line.contains_key("record") {
                return Some(Meaning::Replaced(id));
            }
            Verdict::Kept
        }
        (Some(false), None | Some(false)) => {
            let errors = given("errors")?.as_array().filter(|list| !list.is_empty())?;
            Verdict::Rejected(errors.iter().map(complaint).collect::<Option<_>>()?)
        }
        (Some(_), Some(true)) | (None, _) => return None,
    };
    Some(Meaning::Said(Said::Reply(id, verdict)))
}

fn without_id<'a>(given: impl Fn(&str) -> Option<&'a Value>) -> Option<Meaning> {
    let text = |value: &Value| value.as_str().map(|text| escape(text.as_bytes()));
    match given("log") {
        Some(level) => {
            Some(Meaning::Log(text(level), given("message").map_or(Some(String::new()), text)))
        }
        None => (given("ready") == Some(&Value::Bool(true))).then_some(Meaning::Said(Said::Ready)),
    }
}

fn complaint(written: &Value) -> Option<Complaint> {
    let (path, code, message) = match written {
        Value::String(text) => (String::new(), None, Some(text.clone())),
        Value::Object(members) => {
            let text = |name: &str| match members.get(name) {
                None | Some(Value::Null) => Some(None),
                Some(value) => value.as_str().map(|text| Some(text.to_owned())),
            };
            (text("path")?.unwrap_or_default(), text("code")?, text("message")?)
        }
        _ => return None,
    };
    let code = code.filter(|code| !code.is_empty()).unwrap_or_else(|| CODE.to_owned());
    let message = message.unwrap_or_else(|| code.clone());
    Some(Complaint::new(path, code, message))
}

/// Whether some object of a text has a name twice.
struct Twice(bool);

impl<'de> Deserialize<'de> for Twice {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Walk).map(Self)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON text")
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut twice = false;
        while let Some(Twice(inner)) = list.next_element()? {
            twice |= inner;
        }
        Ok(twice)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        let (mut names, mut twice) = (BTreeSet::new(), false);
        while let Some((name, Twice(inner))) = members.next_entry::<String, Twice>()? {
            twice |= inner | !names.insert(name);
        }
        Ok(twice)
    }
}
