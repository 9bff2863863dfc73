//! A disk that answers with errors, once and for ever. `strace` makes it.

use std::fs;
use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::super::harness::{Esteira, Finished, Place, eventually, needs, records, strays};
use super::place_with;

/// A call whose system calls fail as `inject` says, where they touch `path` if one is given.
fn failing<'a>(place: &'a Place, path: Option<&str>, inject: &str) -> Esteira<'a> {
    let strace = needs("strace", "strace");
    let log = place.path("trace").display().to_string();
    let inject = format!("inject={inject}");
    let path = path.map(|path| place.path(path).display().to_string());
    let mut arguments = vec!["-f", "-qq", "-o", &log, "-e", &inject];
    arguments.extend(path.iter().flat_map(|path| ["-P", path]));
    place.esteira().under(&strace, &arguments)
}

/// Requires that the fault was met, that the run owned up to it and that nothing new appeared.
#[track_caller]
fn is_told(place: &Place, done: Finished, what: &str) {
    let trace = place.text("trace");
    assert!(trace.contains("(INJECTED)"), "nothing failed:\n{trace}");
    let done = done.exits(4).says(what).says("Input/output error");
    assert_eq!(place.text("out/users"), "before\n", "{}", done.stderr);
    assert!(!done.stderr.contains("wrote out/users"), "{}", done.stderr);
}

#[test]
fn what_could_not_be_synced_is_not_published() {
    let place = place_with(records(1000));
    for when in ["1", "1+"] {
        let inject = format!("fsync,fdatasync:error=EIO:when={when}");
        let esteira = failing(&place, None, &inject);
        let done = esteira.args(["pipe", "-i", "in", "-o", "out/users", "--", "cat"]).run();
        is_told(&place, done, "cannot write `out/users`");
        let trace = place.text("trace");
        let failed = trace.lines().filter(|line| line.contains("(INJECTED)")).count();
        assert_eq!(failed, 1, "a failed sync is not tried again:\n{trace}");
    }
}

#[test]
fn what_could_not_be_renamed_is_not_published() {
    let place = place_with(records(1000));
    for when in ["1", "1+"] {
        let inject = format!("rename,renameat,renameat2:error=EIO:when={when}");
        let arguments = ["pipe", "-i", "in", "-o", "out/users", "--events", "events", "--", "cat"];
        let done = failing(&place, None, &inject).args(arguments).run();
        is_told(&place, done, "cannot publish `out/users`");
        let events = place.text("events");
        let in_doubt = "[\"output\",{\"sink\":{\"in\":1000,\"written\":0,\"rejected\":0,\"dropped\":0,\"in_doubt\":1000}}]";
        assert!(events.lines().last().unwrap().contains(in_doubt), "{events}");
    }
}

/// Dead letters come first: they are of use without the output, but not the other way round.
#[test]
fn of_two_files_each_has_its_own_fate() {
    let place = place_with([records(1000), b"bad\n".to_vec()].concat());
    let options = ["--rejects", "bad", "--max-rejects", "1", "--", "cat"];
    for (when, bad) in [("1", false), ("2", true)] {
        let inject = format!("rename,renameat,renameat2:error=EIO:when={when}");
        let arguments = ["pipe", "-i", "in", "-o", "out/users"];
        let done = failing(&place, None, &inject).args(arguments).args(options).run();
        is_told(&place, done, "cannot publish `");
        assert_eq!(place.has("bad"), bad, "the rename number {when} failed");
    }
}

/// The new output stands there already, and may be gone after a power loss: that is no success.
#[test]
fn a_folder_that_could_not_be_synced_is_told() {
    let place = place_with(records(1000));
    let esteira = failing(&place, Some("out"), "fsync,fdatasync:error=EIO:when=1");
    let done = esteira.pipe("in", "out/users", &[], &["cat"]).run().exits(4);
    let done = done.says("cannot publish `out/users`: Input/output error");
    assert_eq!(place.read("out/users"), records(1000), "old or new, but whole");
    assert_eq!(done.report()["sinks"]["output"]["in_doubt"], 1000);
}

#[test]
fn what_could_not_be_created_is_found_before_anything_is_read() {
    let place = place_with(records(1000));
    let esteira = failing(&place, Some("new"), "mkdir,mkdirat:error=EIO:when=1+");
    let done = esteira.pipe("in", "new/users", &[], &["touch", "ran"]).run();
    is_told(&place, done, "cannot write `new/users`");
    assert!(!place.has("new") && !place.has("ran"));
}

#[test]
fn an_input_that_cannot_be_read_to_its_end_is_no_whole_one() {
    let place = place_with(records(100_000));
    for when in ["1", "2", "4+"] {
        let inject = format!("read,pread64:error=EIO:when={when}");
        let options = ["--rejects", "bad"];
        let done =
            failing(&place, Some("in"), &inject).pipe("in", "out/users", &options, &["cat"]).run();
        is_told(&place, done, "cannot read input `in`");
    }
}

/// The name of the temporary file is not known beforehand, so `strace` comes when it is there.
#[test]
fn what_could_not_be_written_is_not_published() {
    let place = place_with(Vec::new());
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("fifo"), 0o600.into()).unwrap();
    for when in ["1", "3+"] {
        let running = place.esteira().pipe("fifo", "out/users", &[], &["cat"]).start();
        let pid = running.pid();
        let temporary = || strays(&place.path("out")).pop();
        let temporary = eventually(Duration::from_secs(30), temporary).unwrap();
        let mut strace = Command::new(needs("strace", "strace"))
            .args(["-f", "-qq", "-p", &pid.to_string(), "-e"])
            .arg(format!("inject=write:error=EIO:when={when}"))
            .arg("-P")
            .arg(&temporary)
            .arg("-o")
            .arg(place.path("trace"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        assert!(eventually(Duration::from_secs(30), || is_traced(pid).then_some(())).is_some());
        let mut fifo = File::options().write(true).open(place.path("fifo")).unwrap();
        // The program may end before it has read all of it.
        fifo.write_all(&records(400_000)).ok();
        drop(fifo);
        let done = running.wait();
        strace.wait().unwrap();
        assert_eq!(done.report()["sinks"]["output"]["written"], 0);
        is_told(&place, done, "cannot write `out/users`");
    }
}

/// Whether every thread of a process is being traced.
fn is_traced(pid: u32) -> bool {
    fs::read_dir(format!("/proc/{pid}/task")).unwrap().all(|task| {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default();
        status.contains("TracerPid:") && !status.contains("TracerPid:\t0\n")
    })
}
