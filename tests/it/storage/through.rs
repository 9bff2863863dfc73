//! Outputs that cannot appear whole: stdout, FIFOs and devices take records as they come.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;

use super::super::harness::{Place, records};
use super::place_with;

/// Reads a FIFO to its end, on a thread.
fn reader(place: &Place) -> std::thread::JoinHandle<Vec<u8>> {
    let path = place.path("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    })
}

#[test]
fn stdout_by_any_name_is_written_through_and_that_is_said_once() {
    let place = place_with(records(1000));
    for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let done = place.esteira().pipe("in", name, &[], &["cat"]).run().exits(0);
        assert_eq!(done.stdout, records(1000), "{name}");
        let told = done.stderr.matches("gets records as they come, however the run ends").count();
        assert_eq!(told, 1, "{name}\n{}", done.stderr);
        assert_eq!(done.report()["sinks"]["output"]["written"], 1000);
    }
}

#[test]
fn stdout_that_is_a_file_is_no_pipe_by_its_path() {
    let place = place_with(records(10));
    let script = "\"$0\" \"$@\" >file";
    let esteira = place.esteira().under("sh", &["-c", script]);
    let done = esteira.pipe("in", "/dev/stdout", &[], &["cat"]).run().exits(2);
    drop(done.says("it is a link to a regular file, `").says("/file`"));
    let esteira = place.esteira().under("sh", &["-c", script]);
    esteira.pipe("in", "-", &[], &["cat"]).run().exits(0).report();
    assert_eq!(place.read("file"), records(10));
}

#[test]
fn a_fifo_gets_everything_and_stays_a_fifo() {
    let place = place_with(records(100_000));
    let reader = reader(&place);
    let done = place.esteira().pipe("in", "fifo", &[], &["cat"]).run().exits(0);
    assert!(reader.join().unwrap() == records(100_000));
    assert!(std::fs::symlink_metadata(place.path("fifo")).unwrap().file_type().is_fifo());
    let done = done.says("`fifo` gets records as they come, however the run ends");
    assert_eq!(done.report()["sinks"]["output"]["written"], 100_000);
}

#[test]
fn what_went_through_is_out_however_the_run_ends() {
    let place = place_with([records(10), b"bad\n".to_vec()].concat());
    let reader = reader(&place);
    let done = place.esteira().pipe("in", "fifo", &["--rejects", "bad"], &["cat"]).run().exits(1);
    assert_eq!(reader.join().unwrap(), records(10));
    assert_eq!(done.report()["sinks"]["output"]["written"], 10);
    let done = place.esteira().pipe("in", "-", &[], &["sh", "-c", "cat; exit 9"]).run().exits(3);
    assert_eq!(done.stdout, records(10));
    done.report();
}

#[test]
fn a_write_that_fails_on_the_way_through_ends_the_run() {
    let place = place_with(records(1000));
    let done = place.esteira().pipe("in", "/dev/full", &[], &["cat"]).run().exits(4);
    done.says("gets records as they come").says("No space left on device").report();
}
