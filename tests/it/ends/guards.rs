//! A guard is killed: its worker dies with it, and the program sweeps up what the worker started.

use rustix::process::Signal;

use super::super::harness::{Finished, Place, Running, alive, events, needs};
use super::{
    FAMILY, children, families, is_withheld, nobody_is_left, scripted, signal, state, until,
    wait_for,
};

/// Runs the two families until `progress` records are through, and kills `count` guards.
fn killed(place: &Place, progress: u64, count: usize) -> Finished {
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    wait_for(place, "first", FAMILY + progress);
    wait_for(place, "second", FAMILY + progress);
    let guards = children(running.pid());
    assert_eq!(guards.len(), 2, "{:?}", alive(place.root()));
    for guard in guards.into_iter().take(count) {
        signal(guard, Signal::KILL);
    }
    running.wait().exits(3)
}

#[test]
fn a_stage_that_lost_its_guard_has_failed() {
    for progress in [1, 500, 1000] {
        let place = families(1000);
        let done = killed(&place, progress, 1);
        let done = done.says("stage `first`: the guard of worker 0 was killed");
        let done = done.says("in doubt").says("first, worker 0, lost its guard");
        is_withheld(&place, &done);
        let [lost] = &events(&place, "supervisor_lost")[..] else { panic!("{}", done.stderr) };
        assert_eq!(lost["stage"], "first");
        let report = done.report();
        let stages = &report["stages"];
        for stage in ["first", "second"] {
            assert_eq!(stages[stage]["in_doubt"], stages[stage]["in"], "{report}");
        }
    }
}

#[test]
fn all_stages_may_lose_their_guards_at_once() {
    for progress in [1, 500, 1000] {
        let place = families(1000);
        let done = killed(&place, progress, 2).says("the guard of worker 0 was killed");
        is_withheld(&place, &done);
        let mut lost: Vec<String> = events(&place, "supervisor_lost")
            .iter()
            .map(|event| event["stage"].as_str().unwrap().to_owned())
            .collect();
        lost.sort();
        assert_eq!(lost, ["first", "second"], "{}", done.stderr);
    }
}

/// Starts a run whose guard `strace` stops where it has started its worker and not yet told so.
/// Meanwhile the worker starts others. Returns the program's number and the guard's.
fn untold(place: &Place) -> (Running, u32, u32) {
    let strace = needs("strace", "strace");
    let trace = place.path("trace").display().to_string();
    let stop = ["-e", "trace=openat", "-P", "/dev/null", "-e", "inject=openat:signal=STOP:when=1"];
    // None of these opens /dev/null, as a shell does for what it puts in the background.
    let script = "setsid --fork sleep 1000000\n\
                  setsid --fork env -i \"$(command -v sleep)\" 1000000\n\
                  : >ready; exec sleep 1000000";
    let running = place
        .esteira()
        .under(&strace, &[&["-f", "-qq", "-o", &trace], &stop[..]].concat())
        .pipe("in", "out/users", &["--events", "events"], &["sh", "-c", script])
        .start();
    wait_for(place, "ready", 0);
    let [program] = children(running.pid())[..] else { panic!("{:?}", alive(place.root())) };
    let [guard] = children(program)[..] else { panic!("{:?}", alive(place.root())) };
    until("the guard is stopped", || state(guard).is_some_and(|state| "tT".contains(state)));
    (running, program, guard)
}

/// What the worker started is then the program's to find.
#[test]
fn a_guard_may_be_killed_before_it_told_anything() {
    let place = families(1000);
    let (running, _, guard) = untold(&place);
    signal(guard, Signal::KILL);
    let done = running.wait().exits(4).says("stage `sh`: cannot start a worker");
    assert_eq!(place.text("out/users"), "before\n");
    assert_eq!(done.report()["exit"]["code"], 4);
    assert_eq!(events(&place, "run_finished").len(), 1);
}

/// The guard has nobody to tell when it comes to that, and still a worker to end.
#[test]
fn the_program_may_be_killed_before_its_guard_told_anything() {
    let place = families(1000);
    let (running, program, guard) = untold(&place);
    signal(program, Signal::KILL);
    until("the program is gone", || state(program).is_none_or(|state| "ZX".contains(state)));
    signal(guard, Signal::CONT);
    assert_eq!(running.wait().code(), 137);
    nobody_is_left(&place, "the guard was the last to know");
    assert_eq!(place.text("out/users"), "before\n");
}

/// The first worker does not end by itself, whatever becomes of its input and output.
#[test]
fn workers_that_run_already_end_when_another_cannot_start() {
    let place = families(10);
    place.script("interpreted", "#!/nowhere/sh\n");
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\
         [stages.first]\nrun = [\"sh\", \"-c\", \"sleep 1000000 & sleep 1000000\"]\n\
         [stages.second]\nrun = [\"./interpreted\"]\noutput = \"out/users\"\n",
    );
    let done = place.esteira().pipeline("p.toml", &["--events", "events"]).run().exits(2);
    let done = done.says("stage `second`: cannot run");
    assert_eq!(place.text("out/users"), "before\n", "{}", done.stderr);
    assert_eq!(events(&place, "worker_started").len(), 1, "{}", done.stderr);
    assert_eq!(events(&place, "spawn_failed").len(), 1, "{}", done.stderr);
}

#[test]
fn a_guard_that_its_worker_stopped_hears_that_it_is_to_end() {
    let script = "read -r first; kill -STOP $PPID; : >ready; exec tail -f /dev/null";
    let place = scripted(script, "10m");
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    wait_for(&place, "ready", 0);
    running.signal(Signal::TERM);
    let done = running.wait().exits(143);
    is_withheld(&place, &done);
    let [end] = &events(&place, "worker_signal")[..] else { panic!("{}", done.stderr) };
    assert_eq!(end["signal"], "SIGTERM");
}

/// The program still waits for a first word of the guard, and will not get it by itself.
#[test]
fn a_start_that_takes_for_ever_can_be_interrupted() {
    let place = families(10);
    let (running, program, _) = untold(&place);
    signal(program, Signal::TERM);
    let done = running.wait().exits(143).says("interrupted by SIGTERM");
    assert_eq!(done.report()["exit"]["code"], 143);
    assert_eq!(place.text("out/users"), "before\n");
    assert_eq!(events(&place, "interrupted").len(), 1, "{}", done.stderr);
}
