//! Process numbers are used again. Who gets the number of a process that a run has done with is
//! none of its business.

use std::process::Command;

use super::super::harness::{Finished, Place, needs, project, records};
use super::is_withheld;

/// What makes a namespace where numbers can be given out at will; everything in it ends with it.
fn namespace() -> Vec<&'static str> {
    let root = rustix::process::geteuid().is_root();
    let user = if root { &[][..] } else { &["--user", "--map-root-user"] };
    [user, &["--pid", "--fork", "--kill-child", "--mount-proc"]].concat()
}

/// Runs two workers, of which the first has ended when its numbers are given to strangers; then
/// the run ends as `how` says.
fn run(how: &str) -> (Place, Finished) {
    let unshare = needs("unshare", "util-linux");
    let able = "echo 299 >/proc/sys/kernel/ns_last_pid";
    let able = Command::new(&unshare).args(namespace()).args(["sh", "-c", able]).output().unwrap();
    assert!(
        able.status.success(),
        "this test gives out process numbers, in a PID namespace of its own: run it as root, or \
         where users may have namespaces: {}",
        String::from_utf8_lossy(&able.stderr)
    );
    let place = Place::new();
    place.write("in", records(1000));
    place.write("out/users", "before\n");
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("gate"), 0o600.into()).unwrap();
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\
         [stages.first]\nrun = [\"sh\", \"-c\", \"echo $$ $PPID >first; exec cat\"]\n\
         [stages.second]\noutput = \"out/users\"\n\
         run = [\"sh\", \"-c\", \"echo $$ $PPID >second; cat; : >ready; read -r go <gate\"]\n",
    );
    let script = project("tests/fakes/numbers").display().to_string();
    let arguments = [namespace(), vec!["sh", &script, how]].concat();
    let options = ["--events", "events"];
    let done = place.esteira().under(&unshare, &arguments).pipeline("p.toml", &options).run();
    (place, done)
}

/// Requires that both strangers were there to the end.
#[track_caller]
fn are_unharmed(place: &Place, done: &Finished) {
    assert_eq!(place.text("expected").lines().count(), 2);
    assert_eq!(place.text("strangers"), place.text("expected"), "{}", done.stderr);
}

#[test]
fn a_success_harms_no_stranger() {
    let (place, done) = run("gate");
    let done = done.exits(0).says("wrote out/users");
    are_unharmed(&place, &done);
    assert_eq!(place.read("out/users"), records(1000));
    assert_eq!(done.report()["stages"]["first"]["accepted"], 1000);
}

#[test]
fn a_request_to_end_harms_no_stranger() {
    let (place, done) = run("term");
    let done = done.exits(143).says("interrupted by SIGTERM");
    are_unharmed(&place, &done);
    is_withheld(&place, &done);
}

#[test]
fn sweeping_up_after_a_guard_harms_no_stranger() {
    let (place, done) = run("guard");
    let done = done.exits(3).says("stage `second`: the guard of worker 0 was killed");
    are_unharmed(&place, &done);
    is_withheld(&place, &done);
}
