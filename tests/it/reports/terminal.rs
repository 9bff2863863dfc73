//! What a person sees at the end, on terminals of several widths, with and without colour. The
//! transcripts lie in `looks/`; `ESTEIRA_BLESS=1` writes them anew.

use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Command, Stdio};

use regex::Regex;
use rustix::pty::OpenptFlags;
use rustix::termios::{Winsize, tcsetwinsize};

use super::super::harness::{Place, project};

const RECORDS: &str = concat!(
    r#"{"id":1,"name":"Ana Souza","age":31}"#,
    "\n",
    r#"{"id":2,"name":"a record that is rather long, so that it does not fit","age":"x","note":"something behind"}"#,
    "\n",
    "{\"id\":3,\"name\":\"\u{65e5}\u{672c} ##[x] \u{1b}[2J\",\"age\":-1}\n",
    r#"{"id":4,"name":"Rui","age":7}"#,
    "\n{bad\n",
);

const PIPELINE: &str = r#"
[sources.users]
type = "file"
path = "users.ndjson"

[stages.ages]
use = "json-schema"
schema = "s.json"
rejects = "bad.ndjson"

[sinks.adults-and-all-others]
type = "file"
path = "out.ndjson"
"#;

const SCHEMA: &str = r#"{"properties": {"age": {"type": "integer", "minimum": 0}}}"#;

/// Runs it with stderr on a terminal of so many columns; returns what stood there.
fn look(columns: u16, color: bool, options: &[&str]) -> String {
    let place = Place::new();
    // The escape stands in a string of the record, where JSON allows it only escaped.
    place.write("users.ndjson", RECORDS.replace('\u{1b}', "\\u001b"));
    place.write("p.toml", PIPELINE);
    place.write("s.json", SCHEMA);
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let size = Winsize { ws_col: columns, ws_row: 40, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).unwrap();
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = File::options().read(true).write(true).open(name).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_esteira"));
    command.current_dir(place.root()).args(["run", "p.toml", "--progress", "plain"]).args(options);
    command.env_remove("NO_COLOR").env_remove("FORCE_COLOR").env("TERM", "xterm");
    if !color {
        command.env("NO_COLOR", "1");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(slave);
    let mut child = command.spawn().unwrap();
    // It holds the terminal's other end, which is to be closed when the run has ended.
    drop(command);
    let mut text = Vec::new();
    // A terminal whose other end is closed is an error, not an end.
    File::from(master).read_to_end(&mut text).ok();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    mask(&String::from_utf8(text).unwrap())
}

/// Leaves out what differs from run to run.
fn mask(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\u{1b}', "\\e");
    let time = Regex::new(r"in [0-9.]+ s(, [0-9,]+/s)?").unwrap();
    time.replace_all(&text, "in [TIME]").into_owned()
}

#[test]
fn the_closing_is_as_it_was() {
    let mut wrong = Vec::new();
    for (name, columns, color) in [
        ("wide", 120, false),
        ("wide-colour", 120, true),
        ("narrow", 44, false),
        ("narrow-colour", 44, true),
    ] {
        let text = look(columns, color, &[]);
        let file = project(&format!("tests/it/reports/looks/{name}.txt"));
        if std::env::var_os("ESTEIRA_BLESS").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let known = fs::read_to_string(&file).unwrap_or_default();
        if known != text {
            wrong.push(format!("{name}:\n--- known\n{known}\n--- seen\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn colour_changes_no_letter() {
    let strip =
        |text: &str| Regex::new(r"\\e\[[0-9;]*m").unwrap().replace_all(text, "").into_owned();
    assert_eq!(strip(&look(120, true, &[])), look(120, false, &[]));
}

#[test]
fn who_asks_for_more_is_told_more_and_who_asks_for_quiet_nothing_but_why() {
    let place = Place::new();
    place.write("in", "{\"a\":1}\n{bad\n");
    let pipe = |options: &[&str]| place.esteira().pipe("in", "out", options, &["cat"]).run();
    let done = pipe(&["--verbose", "--max-rejects", "1"]).exits(0);
    let done = done.says("cat, worker 0, runs as process ");
    let done = done.says("rejected at in:2:2 json.syntax").says("cat, worker 0, left with code 0;");
    drop(done);
    let quiet = pipe(&["-q", "--max-rejects", "1"]).exits(0);
    assert_eq!(quiet.stderr, "");
    let failed = pipe(&["-q"]).exits(1);
    let why = "1 error with code json.syntax\n  at in:2:2 json.syntax key must be a string\n";
    assert!(failed.stderr.starts_with(why), "{}", failed.stderr);
    assert!(failed.stderr.contains("\nesteira: exit 1, the data is bad"), "{}", failed.stderr);
    drop(pipe(&["-q", "-v"]).exits(2).says("cannot be used with"));
}
