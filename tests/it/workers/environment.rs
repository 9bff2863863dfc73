//! The world a program wakes up in: variables, folder, signals, session.

use std::collections::BTreeMap;

use super::super::harness::Place;
use super::{event, place_with, staged};

/// Reads its input, then shows its own environment; no shell adds to it.
const SHOWS: [&str; 3] = ["cat", "-", "/proc/self/environ"];

/// What a stage with these keys sees of its caller's variables: these, and some that stay.
fn seen(place: &Place, keys: &str, more: &[(&str, &str)]) -> Variables {
    place.write("in", "");
    let keys = format!("check_output = \"none\"\n{keys}");
    let path = std::env::var("PATH").unwrap();
    let esteira = staged(place, &keys, &SHOWS).env_clear().env("PATH", &path);
    let esteira = esteira.env("LANG", "C").env("LC_TIME", "pt_BR").env("TOKEN", "x");
    let done = more.iter().fold(esteira, |esteira, (name, value)| esteira.env(name, value));
    let done = done.run().exits(0);
    let bytes = place.read("out");
    let bytes = bytes.strip_suffix(b"\n").unwrap().strip_suffix(b"\0").unwrap();
    let mut variables = Variables::new();
    for variable in bytes.split(|&byte| byte == 0) {
        let at = variable.iter().position(|&byte| byte == b'=').unwrap();
        let (name, value) = variable.split_at(at);
        let name = String::from_utf8(name.to_vec()).unwrap();
        assert_eq!(variables.insert(name, value.split_at(1).1.to_vec()), None, "given twice");
    }
    let run = event(place, "run_started")["run"].as_str().unwrap().to_owned();
    for (name, value) in [("RUN", &*run), ("PIPELINE", "p"), ("STAGE", "work"), ("WORKER", "0")] {
        let value = value.as_bytes().to_vec();
        assert_eq!(variables.remove(&format!("ESTEIRA_{name}")), Some(value), "{name}");
    }
    done.report();
    variables
}

type Variables = BTreeMap<String, Vec<u8>>;

fn names(variables: &Variables) -> Vec<&str> {
    variables.keys().map(String::as_str).collect()
}

/// A filter is to behave as it does in a shell: not even Python is told to write at once.
#[test]
fn a_program_sees_what_its_caller_sees_and_nothing_else() {
    let place = place_with(0);
    let variables = seen(&place, "", &[]);
    assert_eq!(names(&variables), ["LANG", "LC_TIME", "PATH", "TOKEN"]);
    assert_eq!(variables["LC_TIME"], b"pt_BR");
    let outer = [("ESTEIRA_RUN", "outer"), ("ESTEIRA_WORKER", "9"), ("ESTEIRA_STAGE", "outer")];
    let variables = seen(&place, "", &[&outer[..], &[("PYTHONUNBUFFERED", "1")]].concat());
    assert_eq!(variables["PYTHONUNBUFFERED"], b"1", "the caller's own word is passed on");
    assert_eq!(variables.len(), 5);
}

#[test]
fn a_stage_that_lists_what_it_inherits_inherits_no_more() {
    let place = place_with(0);
    let cases: [(&str, &[&str]); 6] = [
        ("inherit_env = []", &[]),
        ("inherit_env = [\"TOKEN\"]", &["TOKEN"]),
        ("inherit_env = [\"LC_*\", \"ABSENT\", \"TOK\"]", &["LC_TIME"]),
        ("inherit_env = [\"*\"]", &["LANG", "LC_TIME", "PATH", "TOKEN"]),
        ("inherit_env = []\nenv = { NEW = \"1\" }", &["NEW"]),
        ("env = { NEW = \"1\", TOKEN = \"\" }", &["LANG", "LC_TIME", "NEW", "PATH", "TOKEN"]),
    ];
    for (keys, expected) in cases {
        let variables = seen(&place, keys, &[]);
        assert_eq!(names(&variables), expected, "{keys}");
        let token = if keys.contains("TOKEN = ") { &b""[..] } else { b"x" };
        assert_eq!(variables.get("TOKEN").map_or(token, Vec::as_slice), token, "{keys}");
    }
}

/// Nothing is a shell here, and what a variable holds may be a secret.
#[test]
fn values_are_passed_as_they_are_and_shown_nowhere() {
    let place = place_with(0);
    let values = [
        ("SPACES", "  two  words "),
        ("QUOTES", "it's \"so\" \\n `date`"),
        ("SIGNS", "$HOME $(id) * a=b; c & d | e > f"),
        ("LINES", "one\ntwo\r\n\tthree"),
        ("UNICODE", "ação ☕"),
        ("ESCAPES", "\u{1b}[2J"),
        ("EMPTY", ""),
        ("SECRET", "hunter2"),
    ];
    let written: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name} = {}", serde_json::to_string(value).unwrap()))
        .collect();
    let keys = format!("inherit_env = []\n[stages.work.env]\n{}", written.join("\n"));
    let variables = seen(&place, &keys, &[]);
    assert_eq!(variables.len(), values.len());
    for (name, value) in values {
        assert_eq!(variables[name], value.as_bytes(), "{name}");
    }
    let told = place.text("events") + &place.text("report.json");
    assert!(!told.contains("hunter2") && !told.contains("two  words"), "{told}");
}

/// What is no text is passed on as well.
#[test]
fn bytes_of_any_kind_are_inherited() {
    let place = place_with(0);
    let script = "RAW=$(printf '\\377\\033'); export RAW; exec \"$0\" \"$@\"";
    place.write("in", "");
    let program = ["sh", "-c", "cat >/dev/null; printf '%s' \"$RAW\""];
    let esteira = place.esteira().under("sh", &["-c", script]);
    let options = ["--check", "none"];
    esteira.pipe("in", "out", &options, &program).run().exits(0).report();
    assert_eq!(place.read("out"), b"\xff\x1b\n");
}

/// In the session of its guard, away from any terminal, with no signal blocked or ignored.
#[test]
fn a_program_wakes_up_as_if_nobody_had_started_it() {
    let place = place_with(0);
    place.write(
        "sub/p.toml",
        "[pipeline]\nroot = \"..\"\n\
        [sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.work]\n\
        run = [\"cat\", \"-\", \"/proc/self/status\", \"/proc/self/stat\"]\n\
        check_output = \"none\"\noutput = \"out\"\n",
    );
    place.esteira().pipeline("sub/p.toml", &[]).run().exits(0).report();
    let text = place.text("out");
    // The C library has what it starts ignore two signals of its own.
    let plain = std::process::Command::new("cat").arg("/proc/self/status").output().unwrap();
    let plain = String::from_utf8(plain.stdout).unwrap();
    for set in ["SigBlk", "SigIgn", "SigCgt", "SigPnd"] {
        let of = |text: &str| text.lines().find(|line| line.starts_with(set)).map(str::to_owned);
        assert!(of(&text).is_some());
        assert_eq!(of(&text), of(&plain), "{set}");
    }
    let status = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key}:\t")));
        line.unwrap_or_else(|| panic!("no {key}")).to_owned()
    };
    let stat: Vec<&str> =
        text.lines().last().unwrap().rsplit_once(") ").unwrap().1.split(' ').collect();
    let [parent, group, session, terminal] = [stat[1], stat[2], stat[3], stat[4]];
    assert_eq!(group, status("Pid"), "a group of its own");
    assert_eq!(session, parent, "its guard leads the session");
    assert_eq!(terminal, "0", "no terminal");
    place.write("in", "");
    let program = ["sh", "-c", "cat >/dev/null; pwd -P"];
    place.esteira().pipe("in", "out", &["--check", "none"], &program).run().exits(0).report();
    assert_eq!(
        place.text("out").trim_end(),
        place.root().canonicalize().unwrap().to_str().unwrap()
    );
}
