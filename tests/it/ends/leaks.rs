//! What a worker leaves behind when it has ended by itself is found and killed.

use super::super::harness::{Finished, Place, events, records};

fn run(script: &str) -> (Place, Finished) {
    let place = Place::new();
    place.write("in", records(1000));
    place.write("out/users", "before\n");
    let program = ["sh", "-c", script];
    let done = place.esteira().pipe("in", "out/users", &["--events", "events"], &program).run();
    (place, done)
}

/// Requires success with all that came before the end, and one process that is told by name.
#[track_caller]
fn is_found(place: &Place, done: Finished, command: &str) {
    let done = done.exits(0).says("sh, worker 0, left 1 process behind, now killed").says(command);
    assert_eq!(place.read("out/users"), records(1000));
    assert_eq!(done.report()["sinks"]["output"]["written"], 1000);
    let [leak] = &events(place, "leak")[..] else { panic!("{}", done.stderr) };
    assert_eq!((&leak["stage"], &leak["worker"]), (&"sh".into(), &0.into()));
    let [process] = &leak["processes"].as_array().unwrap()[..] else { panic!("{leak}") };
    assert!(process["command"].as_str().unwrap().contains(command), "{leak}");
    assert_eq!(events(place, "output_held").len(), 0, "{}", done.stderr);
}

/// The end of stdout would never come: no test here has the time to wait for it.
#[test]
fn a_grandchild_that_holds_the_output_is_not_waited_for() {
    let (place, done) = run("cat; tail -f /dev/null & exit 0");
    is_found(&place, done, "tail -f /dev/null");
    let (place, done) = run("cat; (tail -f /dev/null; echo late) & exit 0");
    is_found(&place, done, "echo late");
}

#[test]
fn a_grandchild_that_holds_the_input_is_not_waited_for() {
    let (place, done) = run("exec 3<&0; cat; tail -f /dev/null <&3 & exit 0");
    is_found(&place, done, "tail -f /dev/null");
}

#[test]
fn a_daemon_is_found() {
    let daemon = "setsid env -i \"$(command -v sleep)\" 1000000 <&- >&- 2>&-";
    let (place, done) = run(&format!("cat; {daemon} &"));
    is_found(&place, done, "sleep 1000000");
    // With the two forks that make an orphan of it before its worker has ended.
    let (place, done) = run(&format!("({daemon} &); cat"));
    is_found(&place, done, "sleep 1000000");
}

/// What it says after its worker's end is no answer to anything.
#[test]
fn a_worker_that_leaves_its_work_to_another_has_failed() {
    let (place, done) = run("(tail -f /dev/null; cat) & exit 0");
    let done = done.exits(3).says("sh, worker 0, left 1 process behind, now killed");
    super::is_withheld(&place, &done);
    assert_eq!(events(&place, "leak").len(), 1, "{}", done.stderr);
}
