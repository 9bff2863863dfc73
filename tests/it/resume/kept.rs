//! What is kept of a run, whatever it is made of: enough to go on, or else its lock and its end.

use std::fs;

use rustix::process::Signal;

use super::super::harness::{Place, Running, events, eventually};
use super::{LONG, nobody_is_left, records, resume, run};

const SOURCE: &str = "[sources.in]\ntype = \"file\"\npath = \"a\"\n";

/// A stage that waits at the gate, if there is one, before this record.
const WAITS: &str =
    "[stages.work]\nrun = [\"perl\", \"work.pl\", \"13999\"]\nprotocol = \"records\"\n";

fn place(tables: &str) -> Place {
    let place = Place::new();
    place.write("p.toml", format!("[pipeline]\nmax_rejects = \"50%\"\n{tables}"));
    place.write("work.pl", fs::read(super::fake("replies.pl")).unwrap());
    place.write("a", records(1, 20_000));
    place
}

/// Kills a run at the gate, once it is durable beyond so many lines.
fn killed(place: &Place, running: &Running, lines: u64) {
    let far = || {
        let last = events(place, "checkpoint").pop()?;
        (last["lines"].as_u64() > Some(lines)).then_some(())
    };
    assert!(eventually(LONG, far).is_some(), "{:?}", events(place, "checkpoint").pop());
    assert!(events(place, "run_finished").is_empty(), "it waits nowhere");
    running.signal(Signal::KILL);
}

fn gate(place: &Place) {
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("gate"), 0o600.into()).unwrap();
}

/// Runs it through, then kills it beyond `lines` and goes on: the outputs are the same.
fn goes_on_beyond(place: &Place, outputs: &[&str], lines: u64) {
    drop(run(place, &[]).run().exits(0));
    let whole: Vec<Vec<u8>> = outputs.iter().map(|name| place.read(name)).collect();
    fs::remove_dir_all(place.path("out")).unwrap();
    gate(place);
    fs::remove_file(place.path("events")).unwrap();
    let running = run(place, &[]).start();
    killed(place, &running, lines);
    drop(running.wait());
    nobody_is_left(place, "killed");
    fs::remove_file(place.path("gate")).unwrap();
    fs::remove_file(place.path("events")).unwrap();
    drop(resume(place).run().exits(0));
    assert_eq!(events(place, "taken_up").len(), 1);
    for (name, whole) in outputs.iter().zip(whole) {
        assert!(place.read(name) == whole, "{name}");
    }
}

/// Each has lines that are not packed yet, and much of them, at other times than the other.
#[test]
fn several_packed_outputs() {
    let few =
        "[stages.few]\nuse = \"select\"\nfield = \"/n\"\nmin = 1000\noutput = \"out/few.zst\"\n";
    let sink = "[sinks.all]\ntype = \"file\"\npath = \"out/all.gz\"\ninputs = [\"work\"]\n";
    let place = place(&format!("{SOURCE}{WAITS}{few}{sink}"));
    goes_on_beyond(&place, &["out/few.zst", "out/all.gz"], 5000);
}

/// A sink refuses nothing so far, so nothing ever comes to the end of its dead letters.
#[test]
fn a_sink_with_rejects_of_its_own() {
    let sink = "[sinks.all]\ntype = \"file\"\npath = \"out/all\"\nrejects = \"out/refused\"\n";
    let place = place(&format!("{SOURCE}{WAITS}{sink}"));
    goes_on_beyond(&place, &["out/all", "out/refused"], 5000);
}

/// Of a filter's middle nothing is kept, but one run at a time has the outputs, and its end is known.
#[test]
fn a_filter_has_its_lock_and_its_end() {
    let stage = "[stages.cat]\nrun = [\"sh\", \"-c\", \"test -p gate && read go < gate; cat\"]\n";
    let place =
        place(&format!("{SOURCE}{stage}[sinks.all]\ntype = \"file\"\npath = \"out/all\"\n"));
    gate(&place);
    let running = run(&place, &[]).start();
    let there = || (!events(&place, "worker_started").is_empty()).then_some(());
    assert!(eventually(LONG, there).is_some(), "it never began");
    let second = place.esteira().pipeline("p.toml", &[]).run();
    assert_eq!(second.code(), 5, "{}", second.stderr);
    drop(second.says(&format!("pid {}", running.pid())));
    running.signal(Signal::KILL);
    drop(running.wait());
    nobody_is_left(&place, "killed");
    fs::remove_file(place.path("gate")).unwrap();
    drop(resume(&place).run().says("`cat` speaks `stream`").exits(0));
    drop(resume(&place).run().says("nothing left to do").exits(0));
    place.write("a", records(1, 20_001));
    drop(resume(&place).run().says("the input `a`").exits(5));
}

/// What is left of stdin is read from its copy.
#[test]
fn a_copy_of_stdin() {
    let source = "[sources.in]\ntype = \"stdin\"\nspool = true\n";
    let place = place(&format!("{source}{WAITS}output = \"out/all\"\n"));
    let input = records(1, 20_000);
    drop(run(&place, &[]).stdin(input.clone()).run().exits(0));
    let whole = place.read("out/all");
    fs::remove_dir_all(place.path("out")).unwrap();
    assert!(!place.has(".esteira/p/stdin"), "the copy goes with the run");
    gate(&place);
    fs::remove_file(place.path("events")).unwrap();
    let running = run(&place, &[]).stdin(input).start();
    let copied =
        || (fs::metadata(place.path(".esteira/p/stdin")).ok()?.len() > 1_900_000).then_some(());
    assert!(eventually(LONG, copied).is_some(), "it was never copied");
    killed(&place, &running, 2000);
    drop(running.wait());
    nobody_is_left(&place, "killed");
    fs::remove_file(place.path("gate")).unwrap();
    drop(resume(&place).run().exits(0));
    assert!(place.read("out/all") == whole);
    assert!(!place.has(".esteira/p/stdin"));
}

#[test]
fn a_file_that_is_watched() {
    let place = place(&format!("watch = [\"lib*.pl\"]\n{SOURCE}{WAITS}output = \"out/all\"\n"));
    place.write("lib1.pl", "1;\n");
    drop(run(&place, &[]).run().exits(0));
    drop(resume(&place).run().says("nothing left to do").exits(0));
    place.write("lib2.pl", "1;\n");
    drop(resume(&place).run().says("`lib2.pl` is new").exits(5));
    fs::remove_file(place.path("lib2.pl")).unwrap();
    place.write("lib1.pl", "2;\n");
    drop(resume(&place).run().says("`lib1.pl` has changed").exits(5));
}
