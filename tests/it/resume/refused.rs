//! What has changed since a run was cut off, and what may have.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use rustix::process::Signal;

use super::super::harness::{Place, Running, events, eventually, kept, strays};
use super::{Case, GRAPH, LONG, POOL, nobody_is_left, records, resume, run};

/// Starts a run that stands in its middle, with something to go on with.
pub(super) fn halfway(place: &Place, options: &[&str]) -> Running {
    let gate = place.path("gate");
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
    fs::remove_file(place.path("events")).ok();
    let running = run(place, options).start();
    let told = if options.is_empty() { "checkpoint" } else { "taken_up" };
    let some = || (!events(place, told).is_empty()).then_some(());
    assert!(eventually(LONG, some).is_some(), "nothing was ever kept");
    running
}

/// A folder where a run was killed in its middle.
pub(super) fn cut_off(case: Case) -> Place {
    let place = case.place();
    let running = halfway(&place, &[]);
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code(), 137);
    nobody_is_left(&place, "killed");
    fs::remove_file(place.path("gate")).unwrap();
    place
}

/// The outputs on their way, as the state names them.
pub(super) fn parts(place: &Place) -> Vec<PathBuf> {
    let kept = kept(place.root());
    strays(place.root()).into_iter().filter(|p| kept.contains(p.to_str().unwrap())).collect()
}

/// Requires that what is kept is not gone on with, for a reason, and is there afterwards.
#[track_caller]
pub(super) fn is_refused(place: &Place, words: &[&str]) {
    let (before, left) = (kept(place.root()), strays(place.root()));
    let done = resume(place).run();
    assert_eq!(done.code(), 5, "{}", done.stderr);
    let done = words.iter().fold(done, |done, word| done.says(word));
    assert!(done.stderr.contains("without `--resume`"), "{}", done.stderr);
    assert_eq!(strays(place.root()), left, "it touched what it refused");
    assert_eq!(kept(place.root()), before);
    nobody_is_left(place, "refused");
}

/// Requires that changes are refused; and that once undone, it goes on.
fn refuses(case: Case, change: impl Fn(&Place) -> &'static str, undo: impl Fn(&Place)) {
    let place = cut_off(case);
    let word = change(&place);
    is_refused(&place, &[word]);
    undo(&place);
    let done = resume(&place).run();
    assert_eq!(events(&place, "taken_up").len(), 1, "{}", done.stderr);
    case.is_whole(&place, done, &case.whole(), word);
}

fn append(place: &Place, name: &str, bytes: &[u8]) {
    fs::File::options().append(true).open(place.path(name)).unwrap().write_all(bytes).unwrap();
}

#[test]
fn an_input_that_was_changed_before_the_place() {
    let change = |byte: u8| {
        move |place: &Place| {
            let mut bytes = place.read("a");
            bytes[5] = byte;
            place.write("a", bytes);
        }
    };
    let old = records(1, 1)[5];
    let set = change(b'2');
    refuses(
        POOL,
        |place| {
            set(place);
            "the input `a` was changed"
        },
        change(old),
    );
}

#[test]
fn an_input_that_became_shorter() {
    let shorter = |place: &Place| {
        place.write("a", records(1, 10));
        "the input `a` became shorter"
    };
    refuses(POOL, shorter, |place| drop(place.write("a", records(1, super::RECORDS))));
}

/// Nothing of what is kept is lost by it, even if the next one is not asked to go on.
#[test]
fn an_input_that_is_gone() {
    let place = cut_off(POOL);
    fs::rename(place.path("a"), place.path("elsewhere")).unwrap();
    let (before, left) = (kept(place.root()), strays(place.root()));
    for again in [resume(&place), run(&place, &[])] {
        let done = again.run();
        assert_eq!(done.code(), 4, "{}", done.stderr);
        drop(done.says("cannot read input `a`"));
        assert_eq!((kept(place.root()), strays(place.root())), (before.clone(), left.clone()));
    }
    fs::rename(place.path("elsewhere"), place.path("a")).unwrap();
    POOL.is_whole(&place, resume(&place).run(), &POOL.whole(), "put back");
}

const PATTERN: Case = Case {
    tables: r#"
        [sources.in]
        type = "file"
        path = ["[abc]"]
        [stages.work]
        run = ["perl", "work.pl", "1999"]
        protocol = "records"
        output = "out/plain"
    "#,
    outputs: &["out/plain"],
};

#[test]
fn an_input_that_is_new_or_gone_of_a_pattern() {
    let gone = |place: &Place| {
        fs::rename(place.path("c"), place.path("elsewhere")).unwrap();
        "the input `c` has gone"
    };
    refuses(PATTERN, gone, |place| {
        fs::rename(place.path("elsewhere"), place.path("c")).unwrap();
    });
    let place = PATTERN.place();
    fs::remove_file(place.path("c")).unwrap();
    let running = halfway(&place, &[]);
    running.signal(Signal::KILL);
    drop(running.wait());
    nobody_is_left(&place, "killed");
    place.write("c", records(1, 1));
    is_refused(&place, &["the input `c` has come"]);
}

#[test]
fn a_pipeline_that_was_changed() {
    let change = |place: &Place| {
        place.write("p.toml", place.text("p.toml").replace("sha256", "sha512"));
        "sign"
    };
    refuses(POOL, change, |place| {
        drop(place.write("p.toml", place.text("p.toml").replace("sha512", "sha256")));
    });
}

#[test]
fn an_argument_that_was_changed() {
    let change = |place: &Place| {
        place.write("p.toml", place.text("p.toml").replace("\"1999\"", "\"1998\""));
        "work"
    };
    refuses(POOL, change, |place| {
        drop(place.write("p.toml", place.text("p.toml").replace("\"1998\"", "\"1999\"")));
    });
}

#[test]
fn a_script_that_was_changed() {
    let change = |place: &Place| {
        append(place, "work.pl", b"x");
        "work.pl"
    };
    let undo = |place: &Place| {
        let text = place.text("work.pl");
        drop(place.write("work.pl", text.strip_suffix('x').unwrap()));
    };
    refuses(POOL, change, undo);
}

#[test]
fn a_program_that_was_changed() {
    let case = Case {
        tables: "[sources.in]\ntype = \"file\"\npath = \"a\"\n[stages.work]\nrun = [\"./program\"]\nprotocol = \"records\"\noutput = \"out/plain\"",
        outputs: &["out/plain"],
    };
    let place = case.place();
    place.script("program", "#!/bin/sh\nexec perl work.pl 1999\n");
    let running = halfway(&place, &[]);
    running.signal(Signal::KILL);
    drop(running.wait());
    nobody_is_left(&place, "killed");
    append(&place, "program", b"\n");
    is_refused(&place, &["program"]);
}

/// What was written is what was kept, or it is refused.
#[test]
fn what_was_written_and_is_not_as_it_was() {
    type Change = fn(&std::path::Path);
    let changes: [(Change, &str); 4] = [
        (|part| fs::remove_file(part).unwrap(), "gone"),
        (|part| fs::write(part, "").unwrap(), "short"),
        (
            |part| {
                let mut bytes = fs::read(part).unwrap();
                bytes[0] ^= 1;
                fs::write(part, bytes).unwrap();
            },
            "",
        ),
        (
            |part| {
                fs::remove_file(part).unwrap();
                std::os::unix::fs::symlink("/dev/null", part).unwrap();
            },
            "",
        ),
    ];
    for (number, (change, _)) in changes.into_iter().enumerate() {
        let place = cut_off(GRAPH);
        let long = |part: &&PathBuf| fs::metadata(part).unwrap().len() > 1000;
        let part = parts(&place).iter().find(long).unwrap().clone();
        change(&part);
        let done = resume(&place).run();
        assert_eq!(done.code(), 5, "{number}: {}", done.stderr);
        drop(done.says("cannot go on").says("out/").says("without `--resume`"));
        let done = run(&place, &[]).run();
        GRAPH.is_whole(&place, done, &GRAPH.whole(), &format!("afresh after {number}"));
    }
}

/// Its end is where it was when the first run began, however often it is taken up.
#[test]
fn an_input_that_grew_ends_where_it_did() {
    let (place, whole) = (GRAPH.place(), GRAPH.whole());
    let running = halfway(&place, &[]);
    append(&place, "a", &records(1, 3000));
    append(&place, "c", b"{\"n\":5}\n");
    running.signal(Signal::KILL);
    drop(running.wait());
    nobody_is_left(&place, "killed");
    append(&place, "b", b"not even JSON");
    fs::remove_file(place.path("gate")).unwrap();
    let running = halfway(&place, &["--resume"]);
    running.signal(Signal::KILL);
    drop(running.wait());
    fs::remove_file(place.path("gate")).unwrap();
    let done = resume(&place).run();
    assert_eq!(events(&place, "taken_up").len(), 1, "{}", done.stderr);
    GRAPH.is_whole(&place, done, &whole, "grown");
}
