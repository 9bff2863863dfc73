//! Programs that talk to the terminal behind the back of their streams.

use super::super::harness::{Finished, Place, records};
use super::{event, fake, is_in_doubt, no_event, place_with};

/// Runs something on a terminal of its own.
fn on_a_terminal(place: &Place, program: &[&str]) -> Finished {
    let script = fake("on_a_terminal.py");
    let esteira = place.esteira().under("python3", &[&script]);
    esteira.pipe("in", "out", &["--events", "events"], program).run()
}

/// Shows first that there is a terminal to open, which the program's caller can.
#[test]
fn a_program_that_asks_for_a_password_finds_nobody_to_ask() {
    let place = place_with(1000);
    let script = fake("on_a_terminal.py");
    let reads = "echo asked >/dev/tty && echo answered";
    let mut caller = std::process::Command::new("python3");
    let caller = caller.args([&script, "sh", "-c", reads]).output().unwrap();
    let text = String::from_utf8(caller.stdout).unwrap();
    assert_eq!((text.as_str(), caller.status.code()), ("asked\r\nanswered\r\n", Some(0)));
    for asks in ["echo asked >/dev/tty || exit 2; cat", "read -r word </dev/tty || exit 2; cat"] {
        let done = on_a_terminal(&place, &["sh", "-c", asks]).exits(3);
        // What it shows is on the terminal, which is all that the caller sees here.
        let shown = String::from_utf8(done.stdout.clone()).unwrap();
        assert!(shown.contains("stage `sh`: worker 0 left with exit code 2"), "{shown}");
        assert!(shown.contains("No such device or address"), "{shown}");
        assert!(!shown.contains("asked\r\n"), "{shown}");
        assert_eq!(is_in_doubt(&place, &done, "sh"), 1000);
        assert_eq!(event(&place, "worker_exit")["code"], 2);
        no_event(&place, &["stalled", "worker_signal"]);
    }
}

#[test]
fn a_program_does_not_see_the_terminal_of_its_caller() {
    let place = place_with(1000);
    let asks =
        "cat; for fd in 0 1 2; do [ ! -t $fd ] || exit 9; done; cut -d' ' -f7 /proc/$$/stat >&2";
    let done = on_a_terminal(&place, &["sh", "-c", asks]).exits(0);
    assert_eq!(place.read("out"), records(1000));
    assert_eq!(done.report()["stages"]["sh"]["accepted"], 1000);
    let bars = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(bars.contains("\u{1b}["), "there is a terminal, and it is used: {bars}");
    assert_eq!(event(&place, "stderr")["line"], "0", "the number of its terminal");
}
