//! Ends that nobody planned: whoever dies, in whatever order, no process is left behind, and what
//! was published before stays.

mod asked;
mod guards;
mod killed;
mod leaks;
mod numbers;
mod terminal;
mod trials;

use std::fs;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};

use super::harness::{Finished, Place, alive, events, eventually, project, records};

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(30);

/// How many steps of `tests/fakes/family` its family takes; each record is one more.
const FAMILY: u64 = 4;

/// A folder with records, an output of before, and a pipeline of two workers with families.
fn families(count: u64) -> Place {
    let place = Place::new();
    place.write("in", records(count));
    place.write("out/users", "before\n");
    let family = project("tests/fakes/family").display().to_string();
    place.write(
        "p.toml",
        format!(
            "[sources.in]\ntype = \"file\"\npath = \"in\"\n\
             [stages.first]\nrun = [\"sh\", '{family}', \"first\"]\n\
             [stages.second]\nrun = [\"sh\", '{family}', \"second\"]\noutput = \"out/users\"\n"
        ),
    );
    place
}

/// A folder with records, an output of before, and a pipeline of one shell script.
fn scripted(script: &str, grace: &str) -> Place {
    let place = Place::new();
    place.write("in", records(1000));
    place.write("out/users", "before\n");
    place.write("worker", script);
    place.write(
        "p.toml",
        format!(
            "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.sh]\n\
             run = [\"sh\", \"worker\"]\ngrace = \"{grace}\"\noutput = \"out/users\"\n"
        ),
    );
    place
}

/// Waits until a file holds so many bytes.
#[track_caller]
fn wait_for(place: &Place, name: &str, bytes: u64) {
    let long = || fs::metadata(place.path(name)).is_ok_and(|file| file.len() >= bytes);
    let come = eventually(LONG, || long().then_some(()));
    assert!(come.is_some(), "`{name}` never came to {bytes} bytes");
}

/// Waits until something holds.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    assert!(eventually(LONG, || holds().then_some(())).is_some(), "never: {what}");
}

/// Lets a worker go on that reads a line from the FIFO `gate`. If it never does, the test fails.
#[track_caller]
fn open_gate(place: &Place) {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = || rustix::fs::open(place.path("gate"), flags, Mode::empty()).ok();
    let gate = eventually(LONG, open).expect("nobody waits at the gate");
    rustix::io::write(gate, b"\n").unwrap();
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

/// Sends a signal to one process, which may be gone already.
fn signal(pid: u32, signal: Signal) {
    rustix::process::kill_process(number(pid), signal).ok();
}

/// The state of a process, as in `/proc`.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Requires that the run left what was there before, and that its ledger balances.
#[track_caller]
fn is_withheld(place: &Place, done: &Finished) {
    assert_eq!(place.text("out/users"), "before\n", "{}", done.stderr);
    let report = done.report();
    assert_eq!(report["exit"]["code"], done.code());
    let mut sinks = report["sinks"].as_object().unwrap().values();
    assert!(sinks.len() == 1 && sinks.all(|sink| sink["written"] == 0), "{report}");
    assert_eq!(events(place, "withheld").len(), 1, "{}", done.stderr);
}

/// Requires that all processes of a run end, though the program itself could not wait for them.
#[track_caller]
fn nobody_is_left(place: &Place, what: &str) {
    let gone = eventually(LONG, || alive(place.root()).is_empty().then_some(()));
    assert!(gone.is_some(), "{what}: left are {:?}", alive(place.root()));
}
