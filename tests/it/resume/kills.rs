//! Killed at any moment, whoever it is: the program, its group, a guard, a worker.

use std::fs;

use rustix::process::{Pid, Signal};

use super::super::harness::{Finished, Place, Running, events, eventually, needs};
use super::{Case, GRAPH, LONG, POOL, call, nobody_is_left, resume, scattered, trials};

/// Who is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    Program,
    Group,
    Guard,
    Worker,
}

/// Kills 3 runs of the same work, one after the other, each after it got some way.
fn one_after_the_other(case: Case, seed: u64) {
    let whole = case.whole();
    let mut died = 0;
    // Three each, in two tests; by `make torture` 10,000. Some come when all is done already.
    let wanted = trials(400);
    for trial in 0..if wanted > 400 { wanted * 5 / 3 } else { wanted / 3 } {
        let place = case.place();
        let mut which = format!("trial {trial}:");
        for again in 0..3 {
            let moment = usize::try_from(scattered(seed + trial * 3 + again)).unwrap();
            let who = [Who::Program, Who::Group, Who::Guard, Who::Worker][moment % 4];
            let checkpoints = moment / 4 % 4;
            which = format!("{which} {who:?} after {checkpoints}");
            let done = ended(&place, who, checkpoints, again > 0);
            which = format!("{which}: {};", done.code());
            // Who loses a worker replaces it; who loses a guard may end.
            assert!([0, 3, 137].contains(&done.code()), "{which}: {}", done.stderr);
            died += u32::from(done.code() != 0);
            nobody_is_left(&place, &which);
            whole.or_nothing_is_there(&place, &which);
        }
        case.is_whole(&place, resume(&place).run(), &whole, &which);
    }
    assert!(died >= 100, "{died}");
}

pub(super) fn ended(place: &Place, who: Who, checkpoints: usize, again: bool) -> Finished {
    let setsid = needs("setsid", "util-linux");
    fs::remove_file(place.path("events")).ok();
    let options: &[&str] = if again { &["--resume"] } else { &[] };
    // Whoever loses its program cannot have ended before: half-way it waits at a gate.
    let (gate, waits) = (place.path("gate"), matches!(who, Who::Program | Who::Group));
    if waits {
        rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
    }
    let mut running = call(place.esteira().under(&setsid, &[]), place, options).start();
    let there = || {
        // What refuses to run ends without a word there; its code and message are looked at below.
        let over = !events(place, "run_finished").is_empty() || !running.lives();
        // In a later run there may not be so many before the gate.
        let enough = events(place, "checkpoint").len() >= checkpoints;
        (over || enough || events(place, "tick").len() > 1).then_some(())
    };
    let so_far = eventually(LONG, there).is_some();
    kill(&mut running, if so_far { who } else { Who::Program });
    let done = running.wait();
    let told = || place.text("events");
    assert!(so_far, "{who:?} after {checkpoints}: never so far: {}\n{}", done.stderr, told());
    if waits {
        fs::remove_file(gate).unwrap();
    }
    done
}

fn kill(running: &mut Running, who: Who) {
    let signal = |pid: u32| {
        // It may be gone already.
        rustix::process::kill_process(number(pid), Signal::KILL).ok();
    };
    match who {
        Who::Program => signal(running.pid()),
        Who::Group => {
            // It has one of its own only once `setsid` has run.
            let group = number(running.pid());
            let kill = || rustix::process::kill_process_group(group, Signal::KILL).ok();
            assert!(eventually(LONG, kill).is_some(), "it never had a group");
        }
        Who::Guard => children(running.pid()).into_iter().take(1).for_each(signal),
        Who::Worker => {
            let guards = children(running.pid());
            guards.into_iter().flat_map(children).take(1).for_each(signal);
        }
    }
}

/// The children of a process: of the program, these are its guards.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(|child| child.parse().unwrap()).collect()
}

fn number(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).unwrap()
}

#[test]
fn a_pool_killed_at_any_moment() {
    one_after_the_other(POOL, 0);
}

#[test]
fn a_graph_killed_at_any_moment() {
    one_after_the_other(GRAPH, 1_000_000);
}
