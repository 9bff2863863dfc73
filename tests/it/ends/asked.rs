//! The program is asked to end: it asks its workers, gives them time, and settles the books.

use rustix::process::Signal;

use super::super::harness::{Finished, Place, alive, events, project, records};
use super::{FAMILY, families, is_withheld, open_gate, scripted, wait_for};

/// Requires that the run obeyed SIGTERM once, and owned up to it.
#[track_caller]
fn is_interrupted(place: &Place, done: Finished) -> Finished {
    let done = done.exits(143).says("interrupted by SIGTERM");
    is_withheld(place, &done);
    let [asked] = &events(place, "interrupted")[..] else { panic!("{}", done.stderr) };
    assert_eq!((&asked["signal"], &asked["now"]), (&"SIGTERM".into(), &false.into()));
    done
}

#[test]
fn a_request_to_end_ends_families_too() {
    for progress in [0, 1, 500, 1000] {
        let place = families(1000);
        let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
        wait_for(&place, "second", FAMILY + progress);
        running.signal(Signal::TERM);
        let done = is_interrupted(&place, running.wait());
        assert_eq!(events(&place, "killed_after_grace").len(), 0, "{}", done.stderr);
        let stages = &done.report()["stages"];
        for stage in ["first", "second"] {
            assert_eq!(stages[stage]["in_doubt"], stages[stage]["in"], "{stages}");
        }
    }
}

#[test]
fn a_worker_that_was_asked_may_finish_what_it_does() {
    // More than any pipe holds: it can be through only if somebody reads it meanwhile.
    let script = "trap 'yes {} | head -n 1000000; : >finished; exit 0' TERM\n\
                  : >ready; tail -f /dev/null & wait\n";
    let place = scripted(script, "10m");
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    wait_for(&place, "ready", 0);
    running.signal(Signal::TERM);
    let done = is_interrupted(&place, running.wait());
    assert!(place.has("finished"), "{}", done.stderr);
    assert_eq!(events(&place, "killed_after_grace").len(), 0, "{}", done.stderr);
    let [end] = &events(&place, "worker_exit")[..] else { panic!("{}", done.stderr) };
    assert_eq!(
        (&end["code"], &end["outstanding"]),
        (&0.into(), &done.report()["stages"]["sh"]["in"])
    );
}

#[test]
fn a_worker_that_does_not_want_to_end_is_killed_when_its_grace_is_over() {
    // Whether it is silent or goes on as if nothing had happened.
    for deaf in ["cat >/dev/null; exec tail -f /dev/null", "exec yes {}"] {
        let script = format!("trap '' TERM\nread -r first; echo \"$first\"; : >ready; {deaf}\n");
        let place = scripted(&script, "100ms");
        let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
        wait_for(&place, "ready", 0);
        running.signal(Signal::TERM);
        let done = is_interrupted(&place, running.wait());
        let done = done.says("sh, worker 0, did not end when asked to and was killed");
        let [killed] = &events(&place, "killed_after_grace")[..] else { panic!("{}", done.stderr) };
        assert_eq!(killed["stage"], "sh");
        let [end] = &events(&place, "worker_signal")[..] else { panic!("{}", done.stderr) };
        assert_eq!(end["signal"], "SIGKILL");
    }
}

/// The grace is the worker's. Those that it started get none: they were never asked by name.
#[test]
fn a_family_that_does_not_want_to_end_goes_with_its_worker() {
    let family = project("tests/fakes/family").display().to_string();
    let script = format!("trap '' TERM\nsh '{family}' progress & trap - TERM\n: >ready; cat\n");
    let place = scripted(&script, "10m");
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    wait_for(&place, "progress", FAMILY);
    wait_for(&place, "ready", 0);
    assert!(alive(place.root()).len() > 5);
    running.signal(Signal::TERM);
    let done = is_interrupted(&place, running.wait());
    assert_eq!(events(&place, "killed_after_grace").len(), 0, "{}", done.stderr);
}

/// As by `nohup`, and by a shell for what it starts in the background.
#[test]
fn what_the_caller_ignores_is_ignored() {
    let place = scripted(": >ready; read -r go <gate; exec cat\n", "10m");
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("gate"), 0o600.into()).unwrap();
    let script = "trap '' HUP INT QUIT; exec \"$@\"";
    let esteira = place.esteira().under("sh", &["-c", script, "sh"]);
    let running = esteira.pipeline("p.toml", &["--events", "events"]).start();
    wait_for(&place, "ready", 0);
    for signal in [Signal::HUP, Signal::INT, Signal::QUIT] {
        running.signal(signal);
    }
    open_gate(&place);
    let done = running.wait().exits(0);
    assert_eq!(place.read("out/users"), records(1000), "{}", done.stderr);
    assert_eq!(done.report()["stages"]["sh"]["accepted"], 1000);
    assert_eq!(events(&place, "interrupted").len(), 0, "{}", done.stderr);
}
