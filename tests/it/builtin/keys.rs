//! The key of `hmac-sha256` is in nothing that anybody sees.

use std::fs;

use super::super::harness::{Finished, Place};
use super::built;

const KEY: &str = "Jefe";
const TEXT: &str = r#"{"a":"what do ya want for nothing?"}"#;
/// RFC 4231, test case 2.
const WANT: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
const SECRET: &str = "kq8-Zw3-nobody-sees-this";
const HMAC: &str = "use = \"hash\"\nfield = \"/a\"\nalgorithm = \"hmac-sha256\"\n";

fn place() -> Place {
    let place = Place::new();
    place.write("in", format!("{TEXT}\n"));
    place
}

/// Requires that a text is nowhere in what was printed or written.
#[track_caller]
fn is_secret(place: &Place, done: &Finished, text: &str) {
    let has = |bytes: &[u8]| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    assert!(!has(done.stderr.as_bytes()) && !has(&done.stdout), "{}", done.stderr);
    for name in ["report.json", "events", "out", "bad"].into_iter().filter(|name| place.has(name)) {
        assert!(!has(&place.read(name)), "in {name}: {}", place.text(name));
    }
}

#[test]
fn the_digest_is_that_of_the_standard() {
    for (file, from) in [
        (None, "key_env = \"KEY\""),
        (Some(KEY.to_owned()), "key_file = \"key\""),
        (Some(format!("{KEY}\n")), "key_file = \"key\""),
        (Some(format!("{KEY}\r\n")), "key_file = \"key\""),
    ] {
        let place = place();
        if let Some(text) = file {
            place.write("key", text);
        }
        drop(built(&place, &format!("{HMAC}{from}")).env("KEY", KEY).run().exits(0));
        assert_eq!(place.text("out"), format!("{{\"a\":\"{WANT}\"}}\n"), "{from}");
    }
}

/// One line feed at the end is the editor's; all else is the key's.
#[test]
fn a_key_from_a_file_may_be_any_bytes() {
    let mut seen = Vec::new();
    for key in [&b"k"[..], b"k\n\n", b"k\r", b" k", b"\0k", b"\xff", b"\n\n"] {
        let place = place();
        place.write("key", key);
        drop(built(&place, &format!("{HMAC}key_file = \"key\"")).run().exits(0));
        seen.push((place.text("out"), key));
    }
    seen.sort_unstable();
    assert!(seen.windows(2).all(|pair| pair[0].0 != pair[1].0), "{seen:?}");
}

#[test]
fn a_run_shows_no_key() {
    for (from, refused) in
        [("key_env", false), ("key_env", true), ("key_file", false), ("key_file", true)]
    {
        let place = place();
        if refused {
            place.write("in", format!("{TEXT}\n{{}}\n{{\"a\":1}}\n"));
        }
        place.write("key", format!("{SECRET}\n"));
        let named = if from == "key_env" { "THE_KEY" } else { "key" };
        let keys = format!("{HMAC}{from} = \"{named}\"");
        let run = built(&place, &keys).env("THE_KEY", SECRET);
        let done = run.run().exits(i32::from(refused));
        is_secret(&place, &done, SECRET);
        drop(done.report());
        let check = place.esteira().env("THE_KEY", SECRET).args(["check", "p.toml"]).run().exits(0);
        is_secret(&place, &check, SECRET);
    }
}

/// Whatever is wrong, and wherever the key stands by mistake.
#[test]
fn no_mistake_shows_the_key() {
    let place = place();
    place.write("key", format!("{SECRET}\n"));
    fs::create_dir(place.path("folder")).unwrap();
    place.write("empty", "\r\n");
    place.write("huge", SECRET.repeat(4000));
    for (keys, words) in [
        (format!("key_env = \"{SECRET}\""), "the key that `key_env` names is not there"),
        (format!("key_file = \"{SECRET}\"\nkey_env = \"THE_KEY\""), "`key_env` or from `key_file`"),
        ("key_env = \"EMPTY\"".to_owned(), "the key that `key_env` names is not there"),
        ("key_env = \"${THE_KEY}\"".to_owned(), "the key that `key_env` names is not there"),
        (format!("key = \"{SECRET}\""), "unknown key `key`"),
        ("key_file = \"nosuch\"".to_owned(), "cannot be read"),
        ("key_file = \"folder\"".to_owned(), "no regular file"),
        ("key_file = \"empty\"".to_owned(), "is empty"),
        ("key_file = \"huge\"".to_owned(), "longer than 64 KiB"),
        (format!("key_file = \"{SECRET}\""), "cannot be read"),
        (format!("key_env = \"A\"\nkey_env = \"{SECRET}\""), "this key stands here twice"),
        (format!("key_env = {{ a = \"{SECRET}\" }}"), "takes a string"),
        (format!("key_env \"{SECRET}\""), "invalid TOML"),
        (format!("key_env = \"A\", key_file = \"{SECRET}\""), "invalid TOML"),
        ("key_file = \"key\"\nfield = 3".to_owned(), "this key stands here twice"),
    ] {
        let keys = format!("{HMAC}{keys}");
        let run = built(&place, &keys).env("THE_KEY", SECRET).env("EMPTY", "").run().exits(2);
        is_secret(&place, &run, SECRET);
        drop(run.says(words));
        let check = place.esteira().env("THE_KEY", SECRET).env("EMPTY", "");
        let check = check.args(["check", "p.toml"]).run().exits(2);
        is_secret(&place, &check, SECRET);
        drop(check.says(words));
        assert!(!place.has("out"));
    }
}

#[test]
fn nothing_may_be_written_over_the_key() {
    let place = place();
    place.write("key", SECRET);
    let file = format!(
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.work]\n{HMAC}key_file = \"key\"\n\
         output = \"./key\"\n"
    );
    place.write("p.toml", file);
    for verb in ["run", "check"] {
        let done = place.esteira().args([verb, "p.toml"]).run().exits(2);
        is_secret(&place, &done, SECRET);
    }
    assert_eq!(place.text("key"), SECRET);
}
