use std::collections::BTreeSet;

use proptest::prelude::{prop_assert, proptest};
use regex::Regex;
use serde_json::Value;

use super::json_schema::value;
use super::{KINDS, Key, Takes, Without, fields};
use crate::config::generate::vocabulary;
use crate::config::keys;
use crate::words::units;

/// All keys, those of inner tables among them.
fn all() -> Vec<&'static Key> {
    let inner = |key: &'static Key| match key.takes {
        Takes::Table(keys) | Takes::Rejects(keys) => keys.iter().collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    KINDS
        .into_iter()
        .flat_map(|kind| kind.keys().flat_map(move |key| [vec![key], inner(key)].concat()))
        .chain(fields::FIELDS.iter().flat_map(|made| made.keys))
        .chain([&fields::NULLS])
        .collect()
}

#[test]
fn every_key_that_is_read_is_explained_and_no_other() {
    for (kind, vocabulary) in KINDS.into_iter().zip(keys::KINDS) {
        let told: Vec<&str> = kind.keys().map(|key| key.key).collect();
        let once: BTreeSet<&str> = told.iter().copied().collect();
        assert_eq!(told.len(), once.len(), "{}: once each", vocabulary.noun);
        let read: BTreeSet<&str> = vocabulary.keys.iter().copied().collect();
        assert_eq!(once, read, "{}", vocabulary.noun);
        for key in kind.keys() {
            let (Takes::Table(inner) | Takes::Rejects(inner)) = key.takes else { continue };
            let vocabulary = match key.key {
                "exit" => &keys::EXIT,
                "rejects" => &keys::REJECT,
                _ => &keys::IN_FLIGHT,
            };
            assert!(inner.iter().map(|key| key.key).eq(vocabulary.keys.iter().copied()));
        }
    }
}

#[test]
fn every_kind_of_field_is_explained() {
    let told = fields::FIELDS.iter().flat_map(|made| made.kinds);
    let known = keys::KINDS_OF_FIELD.iter().map(keys::Word::spelling);
    assert!(told.copied().eq(known));
    for word in keys::KINDS_OF_FIELD {
        let keys::Word(word, kind) = word;
        let made = fields::FIELDS.iter().find(|made| made.kinds.contains(word)).unwrap();
        let told = made.keys.iter().chain([&fields::NULLS]).map(|key| key.key);
        let told: Vec<&str> = std::iter::once("kind").chain(told).collect();
        assert_eq!(told, vocabulary(*kind).keys, "{word}");
    }
}

#[test]
fn what_keys_go_with_are_words_of_their_chooser() {
    for kind in KINDS {
        let choices = kind.choices();
        let words = kind.keys().flat_map(|key| key.with);
        for word in words {
            assert!(choices.contains(word), "{}: {word}", kind.table);
        }
    }
}

#[test]
fn defaults_are_what_their_keys_take() {
    for key in all() {
        assert!(key.says.ends_with(['.', ')']), "{}: a sentence", key.key);
        let Without::Value(toml) = key.without else { continue };
        let default = value(toml);
        assert_ne!(default, Value::Null, "{}", key.key);
        let schema = key.takes.schema();
        assert!(jsonschema::is_valid(&schema, &default), "{}: {schema} and {default}", key.key);
    }
}

/// The pattern of a schema that is a string, or may be one.
fn pattern(takes: &Takes) -> Regex {
    let schema = takes.schema();
    let pattern = schema["pattern"].as_str().or(schema["anyOf"][1]["pattern"].as_str()).unwrap();
    Regex::new(pattern).unwrap()
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(2048))]

    /// What is read must not be underlined by an editor.
    #[test]
    fn patterns_let_pass_what_is_read(
        size in "[0-9]{0,3}(\\.[0-9]{1,2})? ?[kKMGi]{0,2}[bB]?",
        duration in "([0-9]{1,2}(\\.[0-9])? ?(ns|us|ms|s|sec|m|min|h|hours|d)?,? ?){1,3}",
        limit in "[0-9]{0,4}(\\.[0-9]{0,3})?%?",
    ) {
        if units::size(&size).is_ok() {
            prop_assert!(pattern(&Takes::Size).is_match(&size), "{size:?}");
        }
        if units::duration(&duration).is_ok() {
            prop_assert!(pattern(&Takes::Duration).is_match(&duration), "{duration:?}");
        }
        let restarts = format!("3/{duration}");
        if units::Restarts::parse(&restarts).is_ok() {
            prop_assert!(pattern(&Takes::Restarts).is_match(&restarts), "{restarts:?}");
        }
        if units::Limit::parse(&limit).is_ok() {
            prop_assert!(pattern(&Takes::Limit).is_match(&limit), "{limit:?}");
            let is_share = limit.ends_with('%');
            prop_assert!(pattern(&Takes::Share).is_match(&limit) == is_share, "{limit:?}");
        }
    }
}

#[test]
fn patterns_refuse_what_no_one_means() {
    for (takes, wrong) in [
        (Takes::Size, &["many", "5 apples", ""][..]),
        (Takes::Limited, &["5", "-3s", "0", "abc", ""]),
        (Takes::Limit, &["-1", "1.5", "1e2%", ""]),
        (Takes::Restarts, &["3", "3/", "a/1m"]),
        (Takes::Pointer, &["a", "/a~b"]),
    ] {
        for wrong in wrong {
            assert!(!pattern(&takes).is_match(wrong), "{takes:?}: {wrong:?}");
        }
    }
}
