//! No room: on the disk, in the quota of a file.

use super::super::harness::{Place, needs, records, strays};
use super::place_with;

#[test]
fn a_full_disk_ends_the_run_and_keeps_the_old_output() {
    let unshare = needs("unshare", "util-linux");
    let place = place_with(records(200_000));
    // A small disk of its own, seen by nobody else and gone with the program.
    let namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    let script = "mount -t tmpfs -o size=1m none out && echo before >out/users || exit 99\n\
                  \"$0\" \"$@\"; code=$?; ls -A out >left; cat out/users >kept; exit $code";
    let esteira = place.esteira().under(&unshare, &[namespace, "sh", "-c", script]);
    let options = ["--rejects", "bad", "--events", "events"];
    let done = esteira.pipe("in", "out/users", &options, &["cat"]).run().exits(4);
    let done = done.says("cannot write `out/users`: No space left on device");
    assert_eq!((place.text("left"), place.text("kept")), ("users\n".into(), "before\n".into()));
    let events = place.text("events");
    let storage = events.lines().find(|line| line.contains("\"event\":\"storage\"")).unwrap();
    assert!(
        storage.contains("\"path\":\"out/users\"") && storage.contains("No space"),
        "{storage}"
    );
    let report = done.report();
    assert_eq!(report["sinks"]["output"]["written"], 0);
    assert_eq!(report["exit"]["code"], 4);
    assert_eq!(place.text("bad"), "");
}

#[test]
fn a_full_device_ends_the_run() {
    let place = place_with(records(200_000));
    let done = place.esteira().pipe("in", "/dev/full", &[], &["cat"]).run().exits(4);
    let done = done.says("cannot write `/dev/full`: No space left on device");
    assert_eq!(done.report()["sinks"]["output"]["written"], 0);
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_no_death() {
    let prlimit = needs("prlimit", "util-linux");
    let place = place_with(records(200_000));
    let esteira = place.esteira().under(&prlimit, &["--fsize=100000"]);
    let done = esteira.pipe("in", "out/users", &["--rejects", "bad"], &["cat"]).run().exits(4);
    let done = done.says("cannot write `out/users`: File too large");
    assert_eq!(place.text("out/users"), "before\n");
    assert_eq!(done.report()["sinks"]["output"]["written"], 0);
}

#[test]
fn a_child_has_the_limit_with_its_usual_end() {
    let prlimit = needs("prlimit", "util-linux");
    let place = place_with(records(10));
    let esteira = place.esteira().under(&prlimit, &["--fsize=100000"]);
    let program = ["sh", "-c", "cat; head -c 200000 /dev/zero >own; :"];
    let done = esteira.pipe("in", "out/users", &[], &program).run().exits(0);
    assert_eq!(place.read("own").len(), 100_000);
    assert!(done.stderr.contains("File size limit exceeded"), "{}", done.stderr);
    done.report();
}

#[test]
fn dead_letters_that_cannot_be_written_keep_the_gate_shut() {
    let place = place_with([records(10), b"bad\n".to_vec()].concat());
    let options = ["--rejects", "/dev/full", "--max-rejects", "1"];
    let done = place.esteira().pipe("in", "out/users", &options, &["cat"]).run().exits(4);
    assert_eq!(place.text("out/users"), "before\n");
    assert_eq!(done.report()["sinks"]["output"]["written"], 0);
}

#[test]
fn a_folder_that_cannot_be_made_is_found_before_anything_is_read() {
    let place = Place::new();
    place.write("in", records(10));
    place.write("file", "kept");
    let done = place.esteira().pipe("in", "file/out", &[], &["cat"]).run().exits(4);
    done.says("cannot write `file/out`: Not a directory").report();
    assert_eq!(place.text("file"), "kept");
    assert_eq!(strays(place.root()), Vec::<std::path::PathBuf>::new());
}
