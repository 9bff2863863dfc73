//! `stream` with `per_record`: many filters on pieces of the input, and the bytes of one.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use super::harness::{Place, events, eventually, needs, records};
use rustix::process::Signal;

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(30);

/// Shows where pieces begin: it numbers the lines that each process reads.
const NUMBERS: &[&str] = &["awk", "{print NR}"];

fn pieces(place: &Place, split: &str, workers: &str, command: &[&str]) -> Vec<u8> {
    let options = ["--per-record", "--split", split, "-j", workers];
    drop(place.esteira().pipe("in", "out", &options, command).run().exits(0));
    place.read("out")
}

/// Numbers the lines of pieces that end with the line that reaches `split` bytes.
fn numbered(input: &[u8], split: usize) -> String {
    let (mut text, mut number, mut filled) = (String::new(), 0, 0);
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        number += 1;
        filled += line.len() + usize::from(!line.ends_with(b"\n"));
        writeln!(text, "{number}").unwrap();
        if filled >= split {
            (number, filled) = (0, 0);
        }
    }
    text
}

/// Makes a FIFO that whoever reads it waits at.
fn gate(place: &Place) {
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("gate"), 0o600.into()).unwrap();
}

#[test]
fn pieces_and_their_order_are_the_same_for_any_number_of_workers() {
    let long = format!("{{\"long\":\"{}\"}}\r\n", "x".repeat(5000)).into_bytes();
    let mut input = [records(3000), long, records(2000)].concat();
    input.pop();
    let place = Place::new();
    place.write("in", &input);
    for split in [1000, 4096, 1 << 30] {
        let wanted = numbered(&input, split);
        for workers in ["1", "2", "5"] {
            let text = pieces(&place, &format!("{split}B"), workers, NUMBERS);
            assert_eq!(
                String::from_utf8(text).unwrap(),
                wanted,
                "{split} bytes, {workers} workers"
            );
        }
    }
}

#[test]
fn what_a_real_filter_makes_is_what_one_process_makes() {
    let jq = needs("jq", "jq");
    let place = Place::new();
    place.write("in", records(20_000));
    let filter = [jq.as_str(), "-c", "select(.id % 3 != 0) | {id}"];
    drop(place.esteira().pipe("in", "one", &[], &filter).run().exits(0));
    let many = pieces(&place, "16KiB", "3", &filter);
    assert!(many == place.read("one") && many.len() > 1000);
}

/// Those that are ahead of their turn wait in files; nobody else waits for the first.
#[test]
fn others_do_not_wait_for_a_slow_first_one() {
    let place = Place::new();
    place.write("in", records(2000));
    let slow = "read -r first; case $first in *'\"id\":1}'*) read -r go < gate;; esac; echo \"$first\"; cat; : > \"done-$$\"";
    gate(&place);
    let options = ["--per-record", "--split", "4KiB", "-j", "2"];
    let running = place.esteira().pipe("in", "out", &options, &["bash", "-c", slow]).start();
    let ended = || {
        let names = fs::read_dir(place.root()).unwrap().flatten();
        names.filter(|entry| entry.file_name().to_string_lossy().starts_with("done-")).count()
    };
    let done = eventually(LONG, || (ended() >= 3).then_some(()));
    assert!(done.is_some(), "the others wait");
    fs::write(place.path("gate"), "go\n").unwrap();
    drop(running.wait().exits(0));
    assert_eq!(place.read("out"), records(2000));
}

#[test]
fn nothing_comes_of_nothing_and_the_program_is_run_once() {
    let place = Place::new();
    place.write("in", "");
    let text = pieces(&place, "1KiB", "4", &["sh", "-c", "cat; echo 7"]);
    assert_eq!(text, b"7\n");
}

#[test]
fn one_that_fails_is_told_with_its_lines_and_nothing_appears() {
    for (script, code, says) in [
        ("tail -n 1 | grep -q '\"id\":[67]..}' && exit 7; exit 0", 3, "exit code 7"),
        ("tail -n 1 | grep -q '\"id\":[67]..}' && kill -SEGV $$; exit 0", 3, "SIGSEGV"),
        ("cat > all.$$; grep -q '\"id\":6..}' all.$$ && echo stray; exit 0", 3, "stray"),
        ("read -r first", 3, "left with success, but"),
    ] {
        for workers in ["1", "3"] {
            let place = Place::new();
            place.write("in", records(1000));
            place.write("out", "before\n");
            let options = ["--per-record", "--split", "2KiB", "-j", workers];
            let done = place.esteira().pipe("in", "out", &options, &["bash", "-c", script]).run();
            let done = done.exits(code).says(says);
            assert_eq!(place.text("out"), "before\n", "{script}");
            let stage = &done.report()["stages"]["bash"];
            assert!(stage["in_doubt"].as_u64() > Some(0), "{stage}");
            if says.contains("exit code") {
                drop(done.says("it had the lines from in:"));
            }
        }
    }
}

#[test]
fn bad_data_is_told_by_an_exit_code_as_ever() {
    let place = Place::new();
    place.write("in", records(1000));
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.s]\nrun = [\"sh\", \"-c\", \"cat; exit 5\"]\n\
         per_record = true\nsplit = \"2KiB\"\nworkers = 2\nexit = { ok = [0], invalid = [5] }\noutput = \"out\"\n",
    );
    let done = place.esteira().pipeline("p.toml", &[]).run().exits(1);
    assert!(!place.has("out"));
    let report = done.report();
    assert_eq!(report["stages"]["s"]["accepted"], 1000);
    assert_eq!(report["stages"]["s"]["out"], 1000);
}

const SOURCE: &str = "[sources.in]\ntype = \"file\"\npath = \"in\"\n";

/// Cuts a run off by a signal, at a gate in its middle, once it is durable beyond 1,000 lines.
fn cut_off(place: &Place, by: Signal) {
    gate(place);
    fs::remove_file(place.path("events")).ok();
    let options = ["--events", "events", "--checkpoint-every", "0"];
    let running = place.esteira().pipeline("p.toml", &options).start();
    let far = || {
        let last = events(place, "checkpoint").pop()?;
        (last["lines"].as_u64() > Some(1000)).then_some(())
    };
    assert!(eventually(LONG, far).is_some(), "never so far");
    running.signal(by);
    if by == Signal::TERM {
        // What is on its way may arrive, so the source stops in the middle of a split.
        let stops = || (!events(place, "stopping").is_empty()).then_some(());
        assert!(eventually(LONG, stops).is_some(), "it does not stop");
        fs::write(place.path("gate"), "go\n").unwrap();
    }
    drop(running.wait());
    fs::remove_file(place.path("gate")).unwrap();
}

/// A run that was cut off goes on with the same pieces, whatever the number of workers now.
#[test]
fn pieces_are_the_same_in_a_run_that_was_cut_off() {
    let place = Place::new();
    let pipeline = |workers: u32| {
        format!(
            "{SOURCE}[stages.s]\nrun = [\"awk\", \"-f\", \"number.awk\"]\nper_record = true\n\
             split = \"16KiB\"\nworkers = {workers}\noutput = \"out/numbers\"\n"
        )
    };
    // In the middle one waits at a gate, if there is one.
    let script = "/\"id\":3000}/ { getline go < \"gate\" }\n{ print NR }\n";
    place.write("number.awk", script);
    place.write("in", records(60_000));
    place.write("p.toml", pipeline(2));
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
    let wanted = place.read("out/numbers");
    let pieces = wanted.windows(3).filter(|bytes| bytes == b"\n1\n").count();
    assert!(wanted.starts_with(b"1\n2\n") && pieces > 20);

    for by in [Signal::KILL, Signal::TERM] {
        fs::remove_dir_all(place.path("out")).unwrap();
        place.write("p.toml", pipeline(2));
        cut_off(&place, by);
        place.write("p.toml", pipeline(3));
        let options = ["--resume", "--events", "events"];
        let done = place.esteira().pipeline("p.toml", &options).run().exits(0);
        assert_eq!(done.report()["stages"]["s"]["accepted"], 60_000);
        assert_eq!(events(&place, "taken_up").len(), 1);
        assert!(place.read("out/numbers") == wanted, "{by:?}");
    }
}

/// That the data is bad was said by a piece before the cut, and holds behind it.
#[test]
fn what_a_piece_said_about_the_data_is_not_forgotten() {
    let place = Place::new();
    let script = "/\"id\":1500}/ { bad = 1 }\n/\"id\":3000}/ { getline go < \"gate\" }\n\
                  { print }\nEND { exit bad ? 5 : 0 }\n";
    place.write("judge.awk", script);
    place.write("in", records(6000));
    place.write(
        "p.toml",
        format!(
            "{SOURCE}[stages.s]\nrun = [\"awk\", \"-f\", \"judge.awk\"]\nper_record = true\n\
             split = \"2KiB\"\nexit = {{ ok = [0], invalid = [5] }}\noutput = \"out/good\"\n"
        ),
    );
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(1));
    cut_off(&place, Signal::KILL);
    drop(place.esteira().pipeline("p.toml", &["--resume"]).run().exits(1).says("exit code 5"));
    assert!(!place.has("out/good"));
}
