//! The examples of the project: what they make is recomputed by others.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{counts, furnished, judged, letters};

/// What is said of a fixture: the lines that are refused, with why.
fn expected(text: &str) -> BTreeMap<u64, Value> {
    let expected: Value = serde_json::from_str(text).unwrap();
    let reject = expected["reject"].as_object().unwrap();
    reject.iter().map(|(line, why)| (line.parse().unwrap(), why.clone())).collect()
}

#[test]
fn every_password_is_the_digest_that_another_program_computes() {
    let place = furnished();
    let done =
        place.esteira().pipeline("fixtures/pipelines/valid/encrypt.toml", &[]).run().exits(0);
    let said = "fixtures/records/legacy_users.expect.json";
    let legacy = place.path("fixtures/records/legacy_users.ndjson");
    let paths = [legacy, place.path("out/encrypted_users.ndjson"), place.path(said)];
    let [legacy, made, said_at] = paths.each_ref().map(std::path::PathBuf::as_path);
    let count = judged("recompute.py", &[legacy, made, said_at, "password".as_ref()]);
    assert_eq!(count, "4960\n");
    assert_eq!(counts(&done, "encrypt"), [5000, 4960, 40, 0, 0]);

    place.write("bad", place.read("out/encrypt-rejects.ndjson"));
    let seen: BTreeMap<u64, Value> =
        letters(&place).into_iter().map(|l| (l.line, l.errors[0].code.clone().into())).collect();
    assert_eq!(seen, expected(&place.text(said)));
}

#[test]
fn every_user_that_is_not_as_the_schema_says_is_rejected_with_the_rule() {
    let place = furnished();
    let done = place.esteira().pipeline("fixtures/pipelines/valid/schema.toml", &[]).run().exits(1);
    assert!(!place.has("out/schema-users.ndjson"), "{}", done.stderr);
    let users = place.text("fixtures/records/users.ndjson");
    let lines: Vec<&str> = users.lines().collect();
    let mut wanted = expected(&place.text("fixtures/records/users.expect.json"));
    let schema: Value =
        serde_json::from_str(&place.text("fixtures/schemas/user.schema.json")).unwrap();
    place.write("bad", place.read("out/schema-rejects.ndjson"));
    let letters = letters(&place);
    assert_eq!(
        counts(&done, "validate"),
        [5000, 5000 - letters.len() as u64, letters.len() as u64, 0, 0]
    );
    for letter in letters {
        let line = lines[usize::try_from(letter.line).unwrap() - 1];
        let fields = wanted.remove(&letter.line).unwrap_or_else(|| panic!("{line} is fine"));
        assert_eq!(letter.file.as_deref(), Some("fixtures/records/users.ndjson"));
        assert_eq!((letter.source.as_str(), letter.stage.as_deref()), ("users", Some("validate")));
        for fault in letter.errors {
            let rule = fault.schema_path.unwrap();
            let keyword = rule.rsplit('/').next().unwrap();
            assert_eq!(fault.code, format!("schema.{keyword}"));
            assert!(schema.pointer(&rule).is_some(), "{rule} is no place in the schema");
            // What is missing is missing in the whole, and only the message names it.
            let field = match keyword {
                "required" => fault.message.split('"').nth(1),
                _ => fault.path.split('/').nth(1),
            };
            let field = Value::String(format!("/{}", field.unwrap()));
            assert!(fields.as_array().unwrap().contains(&field), "{line}: {field}");
            let column = usize::try_from(fault.column.unwrap()).unwrap();
            assert!(column >= 1 && column <= line.len(), "{column}");
        }
    }
    // To JSON Schema 12.0 and 1e3 are integers; all others were found.
    for (line, fields) in wanted {
        let text = lines[usize::try_from(line).unwrap() - 1];
        let user: Value = serde_json::from_str(text).unwrap();
        for field in fields.as_array().unwrap() {
            let value = user.pointer(field.as_str().unwrap()).unwrap();
            let number = value.as_f64().unwrap_or_else(|| panic!("not found: {text}"));
            assert!(number.fract() == 0.0 && number > 0.0, "not found: {text}");
        }
    }
}
