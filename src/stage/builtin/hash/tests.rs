use std::sync::Arc;

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use sha2::{Digest as _, Sha256};

use super::Hash;
use crate::json::pointer::Pointer;
use crate::plan::builtin::{Algorithm, Argon2, Hash as HashPlan, Key};
use crate::stage::builtin::{Outcome, Task as _};
use crate::words::dead_letter::hex;
use crate::words::id::Name;
use crate::words::policy::{Encoding, OnMissing, OnType};
use crate::words::record::{Origin, Position, Record};

const SHA256: Algorithm = Algorithm::Sha256(Encoding::Hex);

fn plan(fields: &[&str], algorithm: Algorithm) -> HashPlan {
    HashPlan {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        algorithm,
        into: None,
        on_missing: OnMissing::Reject,
        on_type: OnType::Reject,
        max_record: 1 << 20,
    }
}

/// What goes on in the place of a record, or why it does not.
fn treated(plan: &HashPlan, record: &str) -> String {
    let origin = Arc::new(Origin { table: Name::internal("in"), file: None });
    let at = Position { line: 1, offset: 0 };
    let record = Record { bytes: record.as_bytes(), seq: 0, at, changed: false };
    let mut out = Vec::new();
    match Hash::new(plan).unwrap().treat(&record, &origin, &mut out) {
        Outcome::Kept => "kept".to_owned(),
        Outcome::Replaced => String::from_utf8(out).unwrap(),
        Outcome::Rejected(errors) => {
            let error = errors.first().unwrap();
            let column = error.column.map_or_else(String::new, |column| format!(" at {column}"));
            format!("{} {}{column}", error.path, error.code)
        }
        other => format!("{other:?}"),
    }
}

fn sha256(text: &[u8]) -> String {
    hex(&Sha256::digest(text))
}

#[test]
fn a_digest_takes_the_place_of_a_value_and_nothing_else_changes() {
    let one = plan(&["/p"], SHA256);
    let abc = sha256(b"abc");
    for (record, want) in [
        (r#"{"p":"abc"}"#, format!(r#"{{"p":"{abc}"}}"#)),
        (
            r#" { "n" : 1.0e2 , "p" : "abc" , "n":2 } "#,
            format!(r#" {{ "n" : 1.0e2 , "p" : "{abc}" , "n":2 }} "#),
        ),
        (r#"{"\u0070":"\u0061bc"}"#, format!(r#"{{"\u0070":"{abc}"}}"#)),
        (r#"{"p":""}"#, format!(r#"{{"p":"{}"}}"#, sha256(b""))),
        (r#"{"p":"\ud83d\ude00\n"}"#, format!(r#"{{"p":"{}"}}"#, sha256("😀\n".as_bytes()))),
        ("{\"p\":\"abc\"}\r", format!("{{\"p\":\"{abc}\"}}\r")),
    ] {
        assert_eq!(treated(&one, record), want, "{record}");
    }
    let deep = plan(&["/a/1/b~1c"], SHA256);
    let record = r#"{"a":[{"b/c":"no"},{"b/c":"abc"}]}"#;
    assert_eq!(treated(&deep, record), format!(r#"{{"a":[{{"b/c":"no"}},{{"b/c":"{abc}"}}]}}"#));
    let two = plan(&["/z", "/a"], SHA256);
    let record = r#"{"a":"abc","m":0,"z":"abc"}"#;
    assert_eq!(treated(&two, record), format!(r#"{{"a":"{abc}","m":0,"z":"{abc}"}}"#));
}

#[test]
fn what_cannot_be_hashed_is_rejected_with_its_place() {
    let one = plan(&["/p"], SHA256);
    for (record, want) in [
        ("{}", "/p hash.missing"),
        ("[1]", "/p hash.missing"),
        (r#"{"p":null}"#, "/p hash.type at 6"),
        (r#"{"p":{"p":"x"}}"#, "/p hash.type at 6"),
        // One of the two would stay as it is, for all to read.
        (r#"{"p":"secret","p":"x"}"#, "/p hash.repeated at 19"),
        (r#"{"p":"secret","\u0070":"x"}"#, "/p hash.repeated at 24"),
        (r#"{"p":"\ud800"}"#, "/p hash.surrogate at 6"),
    ] {
        assert_eq!(treated(&one, record), want, "{record}");
    }
    let deep = plan(&["/a/p"], SHA256);
    assert_eq!(treated(&deep, r#"{"a":{"p":"secret"},"a":{"p":"x"}}"#), "/a/p hash.repeated at 30");
    let skip = HashPlan { on_missing: OnMissing::Skip, ..plan(&["/p", "/q"], SHA256) };
    assert_eq!(treated(&skip, r#"{"x":1}"#), "kept");
    let want = format!(r#"{{"q":"{}"}}"#, sha256(b"abc"));
    assert_eq!(treated(&skip, r#"{"q":"abc"}"#), want);
    let text = HashPlan { on_type: OnType::Text, ..one };
    for spelt in ["1.0e2", "null", "true", r#"{"a" : [1]}"#, "123456789012345678901234567890"] {
        let want = format!(r#"{{"p":"{}"}}"#, sha256(spelt.as_bytes()));
        assert_eq!(treated(&text, &format!(r#"{{"p":{spelt}}}"#)), want);
    }
}

#[test]
fn what_has_become_too_long_is_rejected_here() {
    let short = HashPlan { max_record: 72, ..plan(&["/p"], SHA256) };
    assert_eq!(treated(&short, r#"{"p":"x"}"#).len(), 72);
    assert_eq!(treated(&short, r#"{"p":"x" }"#), " hash.too_long");
    // One that was as long before is let through: it is not this stage that made it so.
    let long = format!(r#"{{"p":"{}"}}"#, "x".repeat(99));
    assert_eq!(treated(&short, &long).len(), 72);
}

#[test]
fn a_digest_may_go_into_another_place() {
    let into = |field: &str, into: &str| HashPlan {
        into: Some(into.to_owned()),
        ..plan(&[field], SHA256)
    };
    let abc = sha256(b"abc");
    for (field, place, record, want) in [
        ("/p", "/h", r#"{"p":"abc"}"#, format!(r#"{{"p":"abc","h":"{abc}"}}"#)),
        ("/p", "/h", r#"{"p":"abc" }"#, format!(r#"{{"p":"abc","h":"{abc}" }}"#)),
        ("/p", "/h", r#"{"h":[1],"p":"abc"}"#, format!(r#"{{"h":"{abc}","p":"abc"}}"#)),
        ("/p", "/a/h", r#"{"p":"abc","a":{ }}"#, format!(r#"{{"p":"abc","a":{{"h":"{abc}" }}}}"#)),
        ("/p", "/a/h", r#"{"p":"abc"}"#, "/a/h hash.missing".to_owned()),
        ("/p", "/a/h", r#"{"p":"abc","a":[]}"#, "/a/h hash.missing".to_owned()),
        ("/p", "/h", r#"{"h":1,"h":2,"p":"abc"}"#, "/h hash.repeated".to_owned()),
        ("/p", "/q~0\"", r#"{"p":"abc"}"#, format!(r#"{{"p":"abc","q~\"":"{abc}"}}"#)),
        ("/0", "/1", r#"["abc",0]"#, format!(r#"["abc","{abc}"]"#)),
    ] {
        assert_eq!(treated(&into(field, place), record), want, "{record}");
    }
}

#[test]
fn each_algorithm_gives_what_is_published_for_it() {
    let record = r#"{"p":"Hi There"}"#;
    let key = Key { bytes: vec![0x0b; 20], file: None };
    for (algorithm, want) in [
        // RFC 4231, test case 1.
        (
            Algorithm::HmacSha256(key.clone(), Encoding::Hex),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            Algorithm::HmacSha256(key, Encoding::Base64),
            "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c=",
        ),
    ] {
        assert_eq!(treated(&plan(&["/p"], algorithm), record), format!(r#"{{"p":"{want}"}}"#));
    }
    // FIPS 180-4, its examples.
    let abc = r#"{"p":"abc"}"#;
    let want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(treated(&plan(&["/p"], SHA256), abc), format!(r#"{{"p":"{want}"}}"#));
    let sha512 = plan(&["/p"], Algorithm::Sha512(Encoding::Hex));
    let want = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    assert_eq!(treated(&sha512, abc), format!(r#"{{"p":"{want}"}}"#));
}

#[test]
fn argon2id_makes_what_others_can_verify() {
    let costs = Argon2 { memory: 64, iterations: 2, parallelism: 1 };
    let argon2 = plan(&["/p"], Algorithm::Argon2id(costs));
    let made = [treated(&argon2, r#"{"p":"secret"}"#), treated(&argon2, r#"{"p":"secret"}"#)];
    assert_ne!(made[0], made[1], "each has a salt of its own");
    for made in made {
        let hash =
            made.strip_prefix(r#"{"p":""#).and_then(|rest| rest.strip_suffix("\"}")).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{hash}");
        let hash = PasswordHash::new(hash).unwrap();
        let verifier = argon2::Argon2::default();
        assert!(verifier.verify_password(b"secret", &hash).is_ok());
        assert!(verifier.verify_password(b"Secret", &hash).is_err());
    }
}

/// Any JSON text that is not too long, with names that repeat and odd spellings.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("-1.50E+07".to_owned()),
        Just("123456789012345678901234567890".to_owned()),
        "\"[a-c \\[\\]{},:é]{0,6}\"",
        Just(r#""\u0061\"\\\ud83d\ude00""#.to_owned()),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let blank = prop_oneof![Just(""), Just(" "), Just("\t ")];
        let name = prop_oneof![Just("a"), Just("b"), Just("\\u0061"), Just("p")];
        let member = (name, blank.clone(), inner.clone(), blank)
            .prop_map(|(name, before, value, after)| format!("\"{name}\"{before}:{after}{value}"));
        let object = proptest::collection::vec(member, 0..5)
            .prop_map(|members| format!("{{{} }}", members.join(" ,")));
        let list = proptest::collection::vec(inner, 0..4)
            .prop_map(|items| format!("[{}]", items.join(", ")));
        prop_oneof![object, list]
    })
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(4096))]

    /// Against a full parse and the plain crate: the value that a parser finds is what is
    /// hashed, and the bytes around it are the ones that were there.
    #[test]
    fn the_right_value_is_hashed_and_the_rest_is_as_it_was(
        record in json(),
        field in prop_oneof![
            Just(""), Just("/a"), Just("/p"), Just("/0"), Just("/a/b"), Just("/b/1"), Just("/a/p/0"),
        ],
        text in any::<bool>(),
    ) {
        let on_type = if text { OnType::Text } else { OnType::Reject };
        let plan = HashPlan { on_type, ..plan(&[field], SHA256) };
        let made = treated(&plan, &record);
        let parsed: serde_json::Value = serde_json::from_str(&record).unwrap();
        let place = Pointer::parse(field).unwrap().place(record.as_bytes());
        let Some(value) = parsed.pointer(field) else {
            prop_assert!(made.contains("hash.missing"), "{made}");
            return Ok(());
        };
        let place = place.unwrap();
        let spelt = record.get(place.span.clone()).unwrap();
        prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(spelt).unwrap(), value);
        if place.repeated {
            prop_assert!(made.contains("hash.repeated"), "{made}");
            return Ok(());
        }
        let digest = match value {
            serde_json::Value::String(inner) => sha256(inner.as_bytes()),
            _ if text => sha256(spelt.as_bytes()),
            _ => {
                prop_assert!(made.contains("hash.type"), "{made}");
                return Ok(());
            }
        };
        let (before, after) = (record.get(..place.span.start).unwrap(), record.get(place.span.end..).unwrap());
        prop_assert_eq!(made, format!("{before}\"{digest}\"{after}"));
    }
}
