//! A replay that is killed, at whatever step, ends by the same command as if nothing had been.

use std::os::unix::process::ExitStatusExt as _;

use super::super::harness::{Place, needs, without_trace};
use super::{added, place, replay};

/// What is there in the end, the parts left out that differ from run to run: letters of several
/// tables come as they come.
fn end(place: &Place) -> (Vec<String>, Vec<String>, Vec<String>) {
    let text = |name: &str| {
        let text = without_trace(&place.text(name));
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        lines.sort();
        lines
    };
    (text("bad.ndjson"), text("bad.ndjson.settled"), added(place))
}

/// One passes, one gets further and is refused there: it must not be lost between the files.
fn mend(place: &Place) {
    place.write("bad", "");
    place.write("worse", "2 4");
}

#[test]
fn the_same_command_again_ends_what_was_begun() {
    let strace = needs("strace", "strace");
    let whole = place();
    mend(&whole);
    drop(replay(&whole, &[]).exits(0));
    let wanted = end(&whole);
    let mut killed = 0;
    for call in ["rename", "fsync"] {
        for nth in 1.. {
            let place = place();
            mend(&place);
            let inject = format!("--inject={call}:signal=KILL:when={nth}");
            let log = place.path("strace.log").display().to_string();
            let arguments = ["-f", "-o", &log, "-e", &format!("trace={call}"), &inject];
            let call = place.esteira().under(&strace, &arguments);
            let done = call.args(["replay", "bad.ndjson", "p.toml"]).run();
            let over = done.status.signal().is_none() && done.status.success();
            if over {
                break;
            }
            killed += 1;
            drop(replay(&place, &[]).exits(0));
            drop(replay(&place, &[]).exits(0));
            assert_eq!(end(&place), wanted, "killed at {inject}");
            let left: Vec<_> =
                std::fs::read_dir(place.root()).unwrap().map(|f| f.unwrap().file_name()).collect();
            let left: Vec<_> =
                left.iter().filter(|f| f.to_string_lossy().contains(".next")).collect();
            assert!(left.is_empty(), "{inject}: {left:?}");
        }
    }
    // Letters of this run, an output, the two files, and both put in their places.
    assert!(killed >= 6, "{killed}");
}
