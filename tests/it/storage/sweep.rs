//! What a run leaves in the folders of its outputs: nothing, whatever it died of; and what it
//! must leave alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use super::super::harness::{Place, Running, eventually, needs, records, strays};
use super::place_with;

/// Starts a run that has written a part of its output and goes no further, until `in` gets more.
fn halfway(place: &Place, output: &str) -> Running {
    let before = strays(place.root()).len();
    let program = ["sh", "-c", "cat; : >>reached; exec tail -f /dev/null"];
    let running = place.esteira().pipe("in", output, &["--rejects", "out/bad"], &program).start();
    let there = || (place.has("reached") && strays(place.root()).len() >= before + 2).then_some(());
    assert!(eventually(Duration::from_secs(30), there).is_some(), "it never got so far");
    running
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let place = place_with(records(100_000));
    let running = halfway(&place, "out/users");
    running.signal(Signal::KILL);
    let done = running.wait();
    assert_eq!(done.code(), 137);
    assert_eq!(place.text("out/users"), "before\n");
    assert!(!strays(place.root()).is_empty(), "there is something to remove");
    let options = ["--rejects", "out/bad"];
    place.esteira().pipe("in", "out/users", &options, &["cat"]).run().exits(0).report();
    assert_eq!(place.read("out/users"), records(100_000));
}

#[test]
fn what_a_live_run_writes_is_left_alone() {
    let place = place_with(records(100_000));
    let running = halfway(&place, "out/users");
    let parts = strays(place.root());
    place.write("small", records(3));
    let options = ["--rejects", "out/bad"];
    let done = place.esteira().pipe("small", "out/users", &options, &["cat"]).run();
    assert_eq!(done.code(), 0, "{}", done.stderr);
    assert_eq!(place.read("out/users"), records(3));
    assert_eq!(strays(place.root()), parts, "the other run's parts are still there");
    running.signal(Signal::TERM);
    drop(running.wait().exits(143));
    assert_eq!(place.read("out/users"), records(3), "and it did not publish");
}

#[test]
fn files_of_others_are_left_alone() {
    let place = place_with(records(3));
    let theirs = [
        "out/.users.bak",
        "out/.users.esteira",
        "out/.other.1-0.esteira-part",
        "out/users.esteira-part",
    ];
    for name in theirs {
        place.write(name, "theirs");
    }
    fs::create_dir(place.path("out/.users.1-0.esteira-part")).unwrap();
    let options: [&str; 0] = [];
    let done = place.esteira().pipe("in", "out/users", &options, &["cat"]).run();
    assert_eq!(done.code(), 0, "{}", done.stderr);
    for name in theirs {
        assert_eq!(place.text(name), "theirs");
    }
    assert!(place.has("out/.users.1-0.esteira-part"));
}

/// Killed before each of the operations that publish anything, in turn.
#[test]
fn wherever_a_run_is_killed_the_output_is_whole_and_the_next_run_cleans_up() {
    let strace = needs("strace", "strace");
    let place = place_with(records(1000));
    let (mut killed, mut published) = (0, 0);
    for calls in ["fsync,fdatasync", "rename,renameat,renameat2"] {
        for when in 1..=4 {
            place.write("out/users", "before\n");
            let log = place.path("trace").display().to_string();
            let inject = format!("inject={calls}:signal=SIGKILL:when={when}");
            let esteira = place.esteira().under(&strace, &["-f", "-qq", "-o", &log, "-e", &inject]);
            let options = ["--rejects", "out/bad"];
            let done = esteira.pipe("in", "out/users", &options, &["cat"]).run();
            let output = place.read("out/users");
            let new = output == records(1000);
            assert!(new || output == b"before\n", "{calls} {when}: neither old nor new");
            killed += u32::from(done.code() == 137);
            published += u32::from(new);
            if done.code() == 0 {
                assert!(new, "{calls} {when}: it said so");
            }
            place.esteira().pipe("in", "out/users", &options, &["cat"]).run().exits(0).report();
            assert_eq!(strays(place.root()), Vec::<PathBuf>::new(), "{calls} {when}");
        }
    }
    assert!(killed >= 4 && published >= 2, "{killed} were killed, {published} had published");
}

/// A report is an output, too.
#[test]
fn a_report_that_was_cut_off_is_removed_by_the_next() {
    let strace = needs("strace", "strace");
    let place = place_with(records(10));
    let log = place.path("trace").display().to_string();
    for calls in ["fsync", "rename"] {
        // Nothing else is synced or renamed here.
        let inject = format!("inject={calls}:signal=SIGKILL:when=1");
        let esteira = place.esteira().under(&strace, &["-f", "-qq", "-o", &log, "-e", &inject]);
        let done = esteira.pipe("in", "-", &[], &["cat"]).run();
        assert_eq!((done.code(), place.has("report.json")), (137, false), "{}", done.stderr);
        place.esteira().pipe("in", "-", &[], &["cat"]).run().exits(0).report();
        fs::remove_file(place.path("report.json")).unwrap();
    }
}

#[test]
fn a_stray_that_may_not_be_opened_is_in_nobodys_way() {
    let place = place_with(records(10));
    let stray = place.write("out/.users.1-0.esteira-part", "theirs");
    fs::set_permissions(&stray, fs::Permissions::from_mode(0o000)).unwrap();
    // To root a file is open whatever its mode, unless root gives up that power.
    let setpriv = needs("setpriv", "util-linux");
    let humble: &[&str] = if rustix::process::geteuid().is_root() {
        &["--bounding-set=-dac_override,-dac_read_search"]
    } else {
        &["--no-new-privs"]
    };
    let done = place.esteira().under(&setpriv, humble).pipe("in", "out/users", &[], &["cat"]).run();
    assert_eq!(done.code(), 0, "{}", done.stderr);
    assert_eq!(place.read("out/users"), records(10));
}
