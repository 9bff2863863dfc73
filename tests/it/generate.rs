//! `type = "generate"`: records that are made here, as their users see them.

use std::fmt::Write as _;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::harness::{Esteira, Place, events, eventually, needs, project};

/// The locales that there are.
const LOCALES: [&str; 14] = [
    "ar_SA", "cy_GB", "de_DE", "en", "fa_IR", "fr_FR", "it_IT", "ja_JP", "nl_NL", "pt_BR", "pt_PT",
    "tr_TR", "zh_CN", "zh_TW",
];

/// A run of a pipeline that is made so far that it makes records in `made`.
fn run<'a>(place: &'a Place, keys: &str, rest: &str) -> Esteira<'a> {
    let file = format!("[sources.made]\ntype = \"generate\"\n{keys}\n{rest}");
    place.write("p.toml", file);
    place.esteira().pipeline("p.toml", &["--events", "events", "--progress", "none"])
}

const TO_FILE: &str = "[sinks.file]\ntype = \"file\"\npath = \"out\"\n";

/// What is made with some keys.
#[track_caller]
fn made(keys: &str) -> Vec<u8> {
    let place = Place::new();
    let done = run(&place, keys, TO_FILE).run().exits(0);
    drop(done.report());
    place.read("out")
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// These bytes are a promise: what people build on a seed must not change under them.
#[test]
fn users_are_the_same_bytes_everywhere() {
    let brazil = made("count = 1000\nseed = 2024\nlocale = \"pt_BR\"");
    assert_eq!(sum(&brazil), "60ea3c73c86e7ad682fc2a328e6e7828dcc26b7f814f9172c873aed83744a7ec");
    let usual = made("count = 1000");
    assert_eq!(sum(&usual), "8fd5b9528689bd7d60ac6fead4dce1715fe3f4caa1392645cb602eb20953ec3d");
    let twice = made("count = 2000");
    assert!(twice.starts_with(&usual) && twice.len() > usual.len());
    let first: Value =
        serde_json::from_slice(usual.split(|b| *b == b'\n').next().unwrap()).unwrap();
    let keys: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    for key in ["id", "name", "company", "email", "password", "age", "address", "tags"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
}

/// The fixture, with fewer of its million, is what a source without `fields` makes.
#[test]
fn the_fixture_makes_the_same_users() {
    let text = std::fs::read_to_string(project("fixtures/pipelines/valid/generate.toml")).unwrap();
    let text = text.replace("1_000_000", "1000").replace("../../..", ".");
    let place = Place::new();
    place.write("generate.toml", text);
    let done = place.esteira().args(["run", "generate.toml", "--progress", "none"]).run().exits(0);
    drop(done);
    let found: Vec<Value> = values(&place.read("out/generated-users.ndjson"));
    let usual = values(&made("count = 1000\nseed = 2024\nlocale = \"pt_BR\""));
    assert_eq!(found, usual);
}

fn values(lines: &[u8]) -> Vec<Value> {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn users_are_what_the_validators_want_in_every_locale() {
    let python = needs("python3", "python3");
    let mut file = String::new();
    for locale in LOCALES {
        let name = locale.to_lowercase();
        let source = format!("type = \"generate\"\ncount = 1000\nseed = 3\nlocale = \"{locale}\"");
        writeln!(file, "[sources.{name}]\n{source}").unwrap();
    }
    let inputs: Vec<String> = LOCALES.iter().map(|locale| locale.to_lowercase()).collect();
    let validator = project("validators/python/validate_user.py");
    let place = Place::new();
    for name in ["user.schema.json", "address.schema.json"] {
        place.write(name, std::fs::read(project("fixtures/schemas").join(name)).unwrap());
    }
    writeln!(file, "[stages.python]\nrun = ['{python}', '{}', '--records']", validator.display())
        .unwrap();
    writeln!(file, "protocol = \"records\"\ninputs = {inputs:?}").unwrap();
    writeln!(file, "[stages.schema]\nuse = \"json-schema\"\nschema = \"user.schema.json\"")
        .unwrap();
    writeln!(file, "formats = true\n{TO_FILE}").unwrap();
    place.write("p.toml", file);
    let done = place.esteira().pipeline("p.toml", &["--progress", "none"]).run().exits(0);
    let report = done.report();
    for stage in ["python", "schema"] {
        assert_eq!(report["stages"][stage]["accepted"], 14_000, "{report}");
        assert_eq!(report["stages"][stage]["rejected"], 0, "{report}");
    }
}

#[test]
fn dirty_records_go_the_way_of_all_dirty_records() {
    let place = Place::new();
    let keys =
        "count = 5000\nseed = 7\ndirt = \"10%\"\nrejects = \"broken\"\nmax_rejects = \"100%\"";
    let validator = project("validators/python/validate_user.py");
    let stage = format!(
        "[stages.judge]\nrun = ['{}', '{}', '--records']\nprotocol = \"records\"\n\
         rejects = \"bad\"\nmax_rejects = \"100%\"\n{TO_FILE}",
        needs("python3", "python3"),
        validator.display(),
    );
    let done = run(&place, keys, &stage).run().exits(0);
    let report = done.report();
    let source = &report["sources"]["made"];
    let broken = values(&place.read("broken"));
    assert_eq!(source["lines"], 5000);
    assert_eq!(source["rejected"], broken.len());
    assert!((80..170).contains(&broken.len()), "{report}");
    let clean = made("count = 5000\nseed = 7");
    let clean: Vec<&str> = std::str::from_utf8(&clean).unwrap().lines().collect();
    let mut offset = None;
    for letter in &broken {
        assert_eq!(letter["errors"][0]["code"], "json.syntax", "{letter}");
        assert_eq!(letter["file"], "generate");
        assert_eq!(letter["source"], "made");
        assert!(letter["offset"].as_u64() > offset);
        offset = letter["offset"].as_u64();
        // It is the beginning of what would have stood in this line.
        let line = usize::try_from(letter["line"].as_u64().unwrap()).unwrap();
        let raw = base64(letter["raw"].as_str().unwrap());
        assert!(clean[line - 1].as_bytes().starts_with(&raw), "{letter}");
    }
    // What is only wrong as a user is for whoever judges users; some of it none of them minds.
    let bad = values(&place.read("bad"));
    assert_eq!(report["stages"]["judge"]["rejected"], bad.len());
    assert!((150..350).contains(&bad.len()), "{report}");
    let codes =
        |wanted: &str| bad.iter().filter(|letter| letter["errors"][0]["code"] == wanted).count();
    assert!(codes("missing") > 20 && codes("type") > 20 && codes("format") > 20, "{bad:?}");
    let out = place.text("out");
    let same = out.lines().filter(|line| {
        clean.binary_search_by_key(&id(line), |c| id(c)).is_ok_and(|at| clean[at] == *line)
    });
    assert!(same.count() > 4300, "the others are as they would be");
}

fn id(line: &str) -> u64 {
    let digits = line.trim_start_matches("{\"id\":");
    digits.split(',').next().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.bytes().filter(|byte| *byte != b'=') {
        let value = alphabet.iter().position(|known| *known == letter).unwrap();
        bits = (bits << 6 | u32::try_from(value).unwrap()) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

#[test]
fn what_is_asked_of_a_line_is_asked_of_these_too() {
    let place = Place::new();
    let keys = "count = 100\nmax_record = \"20B\"\nmax_rejects = 100\nrejects = \"bad\"";
    let done = run(&place, keys, TO_FILE).run().exits(0);
    assert_eq!(done.report()["sources"]["made"]["rejected"], 100);
    assert_eq!(values(&place.read("bad"))[99]["errors"][0]["code"], "json.too_long");
    assert_eq!(made("count = 0"), b"");
}

#[test]
fn memory_stays_flat() {
    let peak = |count: u64| {
        let place = Place::new();
        let done = run(&place, &format!("count = {count}"), TO_FILE).run().exits(0);
        done.report()["controller"]["peak_rss"].as_u64().unwrap()
    };
    let (few, many) = (peak(50_000), peak(500_000));
    assert!(many < few + (4 << 20), "{few} and {many}");
    assert!(many < 48 << 20, "{many}");
}

#[test]
fn without_a_count_it_goes_on_until_somebody_has_enough() {
    let place = Place::new();
    let head = needs("head", "coreutils");
    let stage =
        format!("[stages.few]\nrun = [\"{head}\", \"-n\", \"5\"]\nearly_exit = \"ok\"\n{TO_FILE}");
    let done = run(&place, "", &stage).run().exits(0);
    let report = done.report();
    assert!(report["exit"]["reason"].to_string().contains("nobody wants the rest"), "{report}");
    assert_eq!(place.text("out").as_bytes(), made("count = 5"));
}

#[test]
fn without_a_count_it_goes_on_until_it_is_asked_to_end() {
    let place = Place::new();
    let running = run(&place, "", TO_FILE).start();
    let kept = || (!events(&place, "checkpoint").is_empty()).then_some(());
    assert!(eventually(Duration::from_secs(30), kept).is_some(), "{}", place.text("events"));
    running.signal(Signal::INT);
    let done = running.wait().exits(130).says("is kept up to line").says("of `generate`");
    let lines = done.report()["sources"]["made"]["lines"].as_u64().unwrap();
    std::fs::remove_file(place.path("events")).unwrap();
    let options = ["--resume", "--events", "events", "--progress", "none"];
    let again = place.esteira().pipeline("p.toml", &options).start();
    let going = || (!events(&place, "checkpoint").is_empty()).then_some(());
    assert!(eventually(Duration::from_secs(30), going).is_some(), "{}", place.text("events"));
    assert_eq!(events(&place, "taken_up")[0]["lines"], lines);
    again.signal(Signal::TERM);
    let done = again.wait().exits(143).says("is kept up to line");
    assert!(done.report()["sources"]["made"]["lines"].as_u64().unwrap() >= lines);
}

/// Sources are read one after the other where state is kept: one without an end comes last.
#[test]
fn others_do_not_wait_for_one_without_an_end() {
    let place = Place::new();
    place.write("in", "{\"id\":1}\n");
    let file = "[sources.made]\ntype = \"generate\"\noutput = \"out\"\n\
                [sources.old]\ntype = \"file\"\npath = \"in\"\noutput = \"old\"\n";
    place.write("p.toml", file);
    let options = ["--events", "events", "--checkpoint-every", "0", "--progress", "none"];
    let running = place.esteira().pipeline("p.toml", &options).start();
    let read = || (events(&place, "checkpoint").len() > 3).then_some(());
    assert!(eventually(Duration::from_secs(30), read).is_some(), "{}", place.text("events"));
    running.signal(Signal::INT);
    let done = running.wait().exits(130);
    assert_eq!(done.report()["sources"]["old"]["lines"], 1);
    let two = "[sources.made]\ntype = \"generate\"\noutput = \"out\"\n\
               [sources.more]\ntype = \"generate\"\nseed = 1\noutput = \"more\"\n";
    let place = Place::new();
    place.write("two.toml", two);
    let done = place.esteira().args(["check", "two.toml"]).run().exits(0);
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(told.contains("`made` has no end, and others would wait for it"), "{told}");
}

#[test]
fn it_is_shown_for_what_it_is() {
    let place = Place::new();
    place.write("p.toml", format!("[sources.made]\ntype = \"generate\"\ncount = 5000\n{TO_FILE}"));
    for verb in ["check", "graph"] {
        let done = place.esteira().args([verb, "p.toml"]).run().exits(0);
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(text.contains("made: 5,000 records, made from seed 0"), "{text}");
    }
    let done = place.esteira().args(["check", "p.toml", "--set", "sources.made.count=\"many\""]);
    drop(done.run().exits(2).says("takes a number from 0 on"));
}
