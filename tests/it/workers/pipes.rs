//! Programs that close one end and go on with the other.

use std::io::Write as _;

use super::super::harness::records;
use super::{await_event, call, event, gate, grouped, is_in_doubt, no_event, place_with, staged};

/// What it writes behind the closed stdin is as much as many pipes hold.
const DEAF: &str = "exec <&-; seq 1 300000; echo done >&2";

#[test]
fn a_program_that_reads_no_more_is_listened_to_until_its_end() {
    let place = place_with(400_000);
    let done = call(&place, &["sh", "-c", DEAF]).run().exits(3);
    let done = done.says("stage `sh`: worker 0 left with success, but stopped reading before");
    let doubt = is_in_doubt(&place, &done, "sh");
    drop(done.says(&format!("{} records in doubt", grouped(doubt))).says("  | done"));
    let closed = event(&place, "stdin_closed");
    assert!(closed["accepted"].as_u64().unwrap() <= doubt, "{closed}");
    assert!(event(&place, "early_exit")["unread_bytes"].is_null(), "nothing was left to look at");
    let exit = event(&place, "worker_exit");
    assert_eq!((&exit["code"], &exit["outstanding"]), (&0.into(), &doubt.into()));
    no_event(&place, &["protocol", "stalled", "killed_after_grace", "worker_signal"]);
}

#[test]
fn a_program_that_may_read_no_more_has_all_its_output_taken() {
    let place = place_with(400_000);
    let done = staged(&place, "early_exit = \"ok\"", &["sh", "-c", DEAF]).run().exits(0);
    let written = place.text("out");
    let numbers = written.lines().map(|line| line.parse::<u64>().unwrap());
    assert!(numbers.eq(1..=300_000), "{}", done.stderr);
    let report = done.report();
    let stage = &report["stages"]["work"];
    assert_eq!((&stage["accepted"], &stage["out"]), (&0.into(), &300_000.into()));
    let sent = event(&place, "stdin_closed")["accepted"].clone();
    assert_eq!(stage["in_doubt"], sent, "what was sent is in doubt, the rest was left out");
    assert_eq!(report["sinks"]["work.output"]["written"], 300_000);
    event(&place, "early_exit");
}

/// It was fed to the end all the same, and how it leaves is what counts.
#[test]
fn a_program_that_writes_no_more_is_fed_to_the_end_and_judged_by_its_exit() {
    let script = "head -n 2; exec >&-; wc -l >count; read -r code <gate; exit $code";
    for (code, keys, exit) in
        [(0, "", 0), (5, "", 3), (0, "expect = \"one-to-one\"", 3), (65, "", 1)]
    {
        let place = place_with(400_000);
        let mut gate = gate(&place);
        let keys = format!("{keys}\nexit = {{ invalid = [65] }}");
        let running = staged(&place, &keys, &["sh", "-c", script]).start();
        await_event(&place, "stdout_closed_early");
        writeln!(gate, "{code}").unwrap();
        let done = running.wait().exits(exit);
        // `head` takes some more lines than it shows.
        let rest: u64 = place.text("count").trim().parse().unwrap();
        assert!(rest > 390_000, "{rest} lines were read");
        assert_eq!(event(&place, "stdout_closed_early")["stage"], "work");
        assert_eq!(event(&place, "worker_exit")["code"], code);
        no_event(&place, &["stdin_closed", "early_exit", "stalled"]);
        match exit {
            0 => {
                assert_eq!(place.read("out"), records(2));
                assert_eq!(done.report()["stages"]["work"]["accepted"], 400_000);
            }
            1 => assert_eq!(done.report()["sinks"]["work.output"]["dropped"], 2),
            _ => assert_eq!(is_in_doubt(&place, &done, "work"), 400_000),
        }
    }
}

/// Both pipes are served at the same time, or each would wait for the other.
#[test]
fn a_program_may_write_before_it_reads_and_read_before_it_writes() {
    let place = place_with(400_000);
    let head = "seq 1 2000000; cat";
    let done = call(&place, &["sh", "-c", head]).run().exits(0);
    let written = place.text("out");
    let (numbers, copied) = written.split_at(written.find('{').unwrap());
    assert!(numbers.lines().map(|line| line.parse::<u64>().unwrap()).eq(1..=2_000_000));
    assert!(copied.as_bytes() == records(400_000), "{}", done.stderr);
    assert_eq!(done.report()["stages"]["sh"]["out"], 2_400_000);
    let done = call(&place, &["tac"]).run().exits(0);
    let written = place.text("out");
    let forward: String = written.split_inclusive('\n').rev().collect();
    assert!(forward.as_bytes() == records(400_000), "{}", done.stderr);
    assert_eq!(done.report()["stages"]["tac"]["accepted"], 400_000);
    no_event(&place, &["stdin_closed", "stdout_closed_early", "early_exit", "stalled"]);
}

/// A pipe that is closed because the program has ended is nothing to speak of.
#[test]
fn a_program_that_ends_closes_nothing_early() {
    let place = place_with(400_000);
    call(&place, &["cat"]).run().exits(0).report();
    assert!(place.read("out") == records(400_000));
    no_event(&place, &["stdin_closed", "stdout_closed_early", "early_exit", "output_held"]);
}
