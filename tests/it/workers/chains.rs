//! Programs one behind the other: the one that failed is blamed, and no other.

use std::fs::File;
use std::io::Read as _;

use super::super::harness::{Esteira, Place, events, records};
use super::{await_second, event, no_event, place_with};

const STAGES: [&str; 3] = ["first", "second", "third"];

/// A call of three stages with these scripts, the last of which goes to `output`.
fn chain<'a>(place: &'a Place, scripts: [&str; 3], output: &str, stall: &str) -> Esteira<'a> {
    let mut file = "[sources.in]\ntype = \"file\"\npath = \"in\"\n".to_owned();
    for (name, script) in STAGES.iter().zip(scripts) {
        file.extend(["[stages.", name, "]\nrun = ['sh', '-c', '", script, "']\n"]);
        file.extend(["grace = \"300ms\"\nexit = { invalid = [65] }\nstall = \"", stall, "\"\n"]);
    }
    place.write("p.toml", format!("{file}output = \"{output}\"\n"));
    place.esteira().pipeline("p.toml", &["--events", "events"])
}

#[test]
fn of_several_programs_the_one_that_failed_is_blamed() {
    let failing = [
        ("head -n 5000; echo why >&2; exit 7", "worker 0 left with exit code 7"),
        ("head -n 5000; kill -SEGV $$", "worker 0 was ended by SIGSEGV"),
        ("exec head -n 5000", "stopped reading before the end of its input"),
        ("head -n 5000 in; echo stray; exec cat", "worker 0 wrote line 5001, which is no JSON"),
        ("cat; exit 7", "worker 0 left with exit code 7"),
        ("exec sleep 600", "worker 0 neither read, wrote nor computed for 1 s"),
    ];
    let place = place_with(400_000);
    for odd in STAGES {
        for (script, what) in failing {
            let scripts = STAGES.map(|name| if name == odd { script } else { "exec cat" });
            // A minute is not used up on a busy machine.
            let stall = if script == "exec sleep 600" { "1s" } else { "1m" };
            let done = chain(&place, scripts, "out", stall).run().exits(3);
            let done = done.says(&format!("stage `{odd}`")).says(what);
            assert_eq!(place.text("out"), "before\n", "{odd}: {script}");
            let finished = event(&place, "run_finished");
            let failures = finished["exit"]["failures"].as_array().unwrap();
            assert_eq!(failures.len(), 1, "{odd}: {script}: {failures:?}");
            let message = failures[0]["message"].as_str().unwrap();
            assert!(message.contains(&format!("stage `{odd}`")), "{message}");
            let report = done.report();
            let doubt = &report["stages"][odd];
            assert_eq!(doubt["in_doubt"], doubt["in"], "{doubt}");
            assert_eq!(report["sinks"]["third.output"]["written"], 0);
            assert_eq!(events(&place, "worker_exit").len(), 3, "all have ended");
        }
    }
}

/// What stands behind could act on half of the records as if they were all: it sees no end.
#[test]
fn no_program_takes_a_broken_off_input_for_a_whole_one() {
    let failing = [
        "head -n 5000; exit 7",
        "cat; exit 7",
        "cat; kill -SEGV $$",
        "exec head -n 5000",
        "cat; echo stray",
        "exec >&-; exit 7",
    ];
    let place = place_with(200_000);
    // Deaf to the request to end, so that only its input could tell it.
    let sees = "trap \"\" TERM; cat; : >seen";
    for script in failing {
        chain(&place, [script, "exec cat", sees], "out", "1m").run().exits(3).report();
        assert!(!place.has("seen"), "{script}");
        assert_eq!(place.text("out"), "before\n");
    }
    // Bad data is another matter: the run goes on to its end.
    chain(&place, ["cat; exit 65", "exec cat", sees], "out", "1m").run().exits(1).report();
    assert!(place.has("seen"), "the end of the input was reached");
}

/// Who waits for others to read is not stuck: here nobody reads the end of the belt.
#[test]
fn a_program_that_is_not_read_from_is_not_stuck() {
    let place = place_with(1_500_000);
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("fifo"), 0o600.into()).unwrap();
    let running = chain(&place, ["exec cat"; 3], "fifo", "1s").start();
    await_second(&place, 3.5);
    let mut bytes = Vec::new();
    File::open(place.path("fifo")).unwrap().read_to_end(&mut bytes).unwrap();
    let done = running.wait().exits(0);
    assert!(bytes == records(1_500_000), "{}", done.stderr);
    assert_eq!(done.report()["sinks"]["third.output"]["written"], 1_500_000);
    no_event(&place, &["stalled", "stopping"]);
}
