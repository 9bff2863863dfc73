//! A terminal: its keys are real bytes on a real one, and it can be closed.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use rustix::pty::OpenptFlags;

use super::super::harness::{Esteira, Finished, Place, events, needs, records};
use super::{is_withheld, open_gate, scripted, state, until, wait_for};

const CTRL_C: u8 = 0x03;
const CTRL_Z: u8 = 0x1a;
const CTRL_BACKSLASH: u8 = 0x1c;

/// A second signal within this time is the same press of a key.
const BOUNCE: Duration = Duration::from_millis(250);

/// Asked to end it says so, each time, and does not.
const DEAF: &str = "trap 'printf . >>asked' TERM\n: >ready\n\
                    while :; do tail -f /dev/null & wait $!; done\n";

/// The keyboard's side of a terminal. Closing it closes the terminal.
struct Keyboard {
    master: File,
    terminal: String,
}

impl Keyboard {
    fn new() -> Self {
        // Programs started meanwhile must not hold it open.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let terminal = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        Self { master: File::from(master), terminal: terminal.into_string().unwrap() }
    }

    /// A call in the foreground of the terminal, as a shell would make it.
    fn esteira<'a>(&self, place: &'a Place) -> Esteira<'a> {
        let setsid = needs("setsid", "util-linux");
        let script = "exec <\"$1\"; setsid=$2; shift 2; exec \"$setsid\" --ctty \"$@\"";
        place.esteira().under("sh", &["-c", script, "sh", &self.terminal, &setsid])
    }

    fn press(&mut self, keys: &[u8]) {
        self.master.write_all(keys).unwrap();
    }
}

/// Requires that the run was interrupted by one signal, and obeyed it in good order.
#[track_caller]
fn is_interrupted(place: &Place, done: Finished, code: i32, signal: &str) {
    let done = done.exits(code).says(&format!("interrupted by {signal}"));
    is_withheld(place, &done);
    let [asked] = &events(place, "interrupted")[..] else { panic!("{}", done.stderr) };
    assert_eq!((&asked["signal"], &asked["now"]), (&signal.into(), &false.into()));
    assert_eq!(events(place, "killed_after_grace").len(), 0, "{}", done.stderr);
    assert_eq!(events(place, "worker_signal").len(), 0, "{}", done.stderr);
}

/// It finishes what it does; more than a pipe holds, so somebody must still read it.
const FINISHING: &str = "trap 'yes {} | head -n 1000000; : >finished; exit 0' TERM\n\
                         : >ready; tail -f /dev/null & wait\n";

#[test]
fn a_key_ends_the_run_in_good_order() {
    for (key, code, signal) in [(CTRL_C, 130, "SIGINT"), (CTRL_BACKSLASH, 131, "SIGQUIT")] {
        let place = scripted(FINISHING, "10m");
        let mut keyboard = Keyboard::new();
        let running = keyboard.esteira(&place).pipeline("p.toml", &["--events", "events"]).start();
        wait_for(&place, "ready", 0);
        keyboard.press(&[key]);
        is_interrupted(&place, running.wait(), code, signal);
        assert!(place.has("finished"));
    }
}

#[test]
fn a_terminal_that_is_closed_ends_the_run_in_good_order() {
    let place = scripted(FINISHING, "10m");
    let keyboard = Keyboard::new();
    let running = keyboard.esteira(&place).pipeline("p.toml", &["--events", "events"]).start();
    wait_for(&place, "ready", 0);
    drop(keyboard);
    is_interrupted(&place, running.wait(), 129, "SIGHUP");
    assert!(place.has("finished"));
}

/// The worker has ten minutes, and the test has not.
#[test]
fn a_key_that_is_pressed_again_ends_the_run_at_once() {
    let place = scripted(DEAF, "10m");
    let mut keyboard = Keyboard::new();
    let running = keyboard.esteira(&place).pipeline("p.toml", &["--events", "events"]).start();
    wait_for(&place, "ready", 0);
    keyboard.press(&[CTRL_C]);
    wait_for(&place, "asked", 1);
    let obeyed = Instant::now();
    until("a second press is no bounce", || obeyed.elapsed() > BOUNCE);
    keyboard.press(&[CTRL_C]);
    let done = running.wait().exits(130).says("interrupted by SIGINT").says("stopping at once");
    is_withheld(&place, &done);
    let asked: Vec<_> = events(&place, "interrupted").iter().map(|e| e["now"].clone()).collect();
    assert_eq!(asked, [false, true]);
    assert_eq!(events(&place, "killed_after_grace").len(), 0, "{}", done.stderr);
    let [end] = &events(&place, "worker_signal")[..] else { panic!("{}", done.stderr) };
    assert_eq!(end["signal"], "SIGKILL");
    assert_eq!(place.text("asked"), ".", "it was asked once");
}

/// On a machine that is busy enough, the two presses of a bounce are seen far apart and are two.
/// They must not count as two when they were seen close together.
#[test]
fn a_key_that_bounces_is_pressed_once() {
    let bounced = (0..20).any(|_| {
        let script = "trap ': >asked; read -r go <gate; : >finished; exit 0' TERM\n\
                      : >ready; while :; do tail -f /dev/null & wait; done\n";
        let place = scripted(script, "10m");
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path("gate"), 0o600.into()).unwrap();
        let mut keyboard = Keyboard::new();
        let running = keyboard.esteira(&place).pipeline("p.toml", &["--events", "events"]).start();
        wait_for(&place, "ready", 0);
        keyboard.press(&[CTRL_C, CTRL_C]);
        wait_for(&place, "asked", 0);
        keyboard.press(&[CTRL_C]);
        // A tick later than the press, all that came of it is in the file.
        let pressed = events(&place, "tick").len();
        until("two ticks", || events(&place, "tick").len() >= pressed + 2);
        let seen = events(&place, "interrupted");
        if let [first, second] = &seen[..] {
            let apart = second["t"].as_f64().unwrap() - first["t"].as_f64().unwrap();
            assert!(apart >= BOUNCE.as_secs_f64(), "{seen:?}");
            running.wait().exits(130).report();
            return false;
        }
        open_gate(&place);
        is_interrupted(&place, running.wait(), 130, "SIGINT");
        assert!(place.has("finished"));
        true
    });
    assert!(bounced, "no two presses were ever seen close together");
}

#[test]
fn a_run_can_be_put_aside_and_goes_on_where_it_was() {
    let script = "read -r first; echo \"$first\"; echo $$ >number; read -r go <gate; cat\n";
    let place = scripted(script, "10m");
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("gate"), 0o600.into()).unwrap();
    let mut keyboard = Keyboard::new();
    let running = keyboard.esteira(&place).pipeline("p.toml", &["--events", "events"]).start();
    wait_for(&place, "number", 2);
    let worker: u32 = place.text("number").trim().parse().unwrap();
    keyboard.press(&[CTRL_Z]);
    until("the program is stopped", || state(running.pid()) == Some('T'));
    until("its worker is stopped", || state(worker) == Some('T'));
    running.signal(Signal::CONT);
    until("its worker goes on", || state(worker) == Some('S'));
    open_gate(&place);
    let done = running.wait().exits(0).says("paused").says("going on").says("wrote out/users");
    assert_eq!(place.read("out/users"), records(1000));
    assert_eq!(done.report()["stages"]["sh"]["accepted"], 1000);
    assert_eq!((events(&place, "paused").len(), events(&place, "resumed").len()), (1, 1));
    assert_eq!(events(&place, "interrupted").len(), 0, "{}", done.stderr);
}

/// The system wakes it up for that. Its worker is stopped, too, and must be woken up as well.
#[test]
fn a_terminal_that_is_closed_ends_a_run_that_was_put_aside() {
    let place = scripted(FINISHING, "10m");
    let mut keyboard = Keyboard::new();
    let running = keyboard.esteira(&place).pipeline("p.toml", &["--events", "events"]).start();
    wait_for(&place, "ready", 0);
    keyboard.press(&[CTRL_Z]);
    until("the program is stopped", || state(running.pid()) == Some('T'));
    drop(keyboard);
    is_interrupted(&place, running.wait(), 129, "SIGHUP");
    assert!(place.has("finished"));
    assert_eq!((events(&place, "paused").len(), events(&place, "resumed").len()), (1, 1));
}
