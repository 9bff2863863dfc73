//! Programs that a signal ends.

use std::fs;

use super::{call, event, fake, grouped, is_in_doubt, no_event, place_with};

/// Core files are allowed here, as they are on many machines: they lie in the working folder.
#[test]
fn a_program_that_crashes_is_told_by_the_name_of_its_signal() {
    let signals = [
        ("SIGSEGV", 11, 1, 10),
        ("SIGABRT", 6, 10, 10),
        ("SIGBUS", 7, 5, 10),
        ("SIGKILL", 9, 50_000, 200_000),
        ("SIGSEGV", 11, 200_000, 200_000),
    ];
    let script = fake("die_at.py");
    for (name, number, at, count) in signals {
        let place = place_with(count);
        let start = "ulimit -c unlimited && exec python3 \"$@\"";
        let at = at.to_string();
        let done = call(&place, &["sh", "-c", start, "sh", &script, &at, "kill", name]).run();
        let done = done.exits(3);
        let doubt = is_in_doubt(&place, &done, "sh");
        let message = format!("stage `sh`: worker 0 was ended by {name}; {}", grouped(doubt));
        let done = done.says(&message).says(&format!("  | line {at} is too much"));
        let blamed = done.stderr.contains("the kernel may have run out of memory");
        assert_eq!(blamed, name == "SIGKILL", "{}", done.stderr);
        assert_eq!(event(&place, "worker_signal")["signal"], name);
        let exit = event(&place, "worker_exit");
        assert_eq!((&exit["code"], &exit["signal"]), (&().into(), &number.into()));
        assert_eq!(exit["outstanding"], doubt);
        no_event(&place, &["protocol", "stalled", "killed_after_grace", "supervisor_lost"]);
        let mut left: Vec<String> = fs::read_dir(place.root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with("core"))
            .collect();
        left.sort();
        assert_eq!(left, ["events", "in", "out", "report.json"]);
    }
}

/// What a shell makes of its child's end is a code like any other.
#[test]
fn a_signal_that_a_shell_reports_is_an_exit_code() {
    let place = place_with(10);
    let done = call(&place, &["sh", "-c", "sh -c 'kill -SEGV $$'; exit $?"]).run().exits(3);
    assert_eq!(is_in_doubt(&place, &done.says("exit code 139"), "sh"), 10);
    no_event(&place, &["worker_signal"]);
}

/// There are signals without a name that all systems share.
#[test]
fn a_signal_of_ones_own_is_told_by_its_number() {
    let place = place_with(10);
    let done = call(&place, &["sh", "-c", "cat >/dev/null; kill -40 $$"]).run().exits(3);
    assert_eq!(is_in_doubt(&place, &done.says("ended by signal 40"), "sh"), 10);
    assert_eq!(event(&place, "worker_signal")["signal"], "signal 40");
}
