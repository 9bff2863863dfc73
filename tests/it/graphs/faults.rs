//! Branches that are slow, dead or full beside healthy ones, and spools without room.

use rustix::process::Signal;

use super::super::harness::{Place, events, eventually, needs, records};

const LONG: std::time::Duration = std::time::Duration::from_secs(40);

/// One source, a healthy branch and another.
fn beside(other: &str) -> Place {
    let place = Place::new();
    place.write("in", records(200_000));
    place.write("out/other", "before\n");
    place.write(
        "p.toml",
        format!(
            "[sources.in]\ntype = \"file\"\npath = \"in\"\n\n\
             [sinks.healthy]\ntype = \"file\"\npath = \"out/healthy\"\ninputs = [\"in\"]\n\n\
             [stages.other]\ninputs = [\"in\"]\n{other}\n\n\
             [sinks.end]\ntype = \"file\"\npath = \"out/other\"\n"
        ),
    );
    place
}

#[test]
fn a_dead_branch_fails_the_run_and_names_itself() {
    for (other, code, says) in [
        ("run = [\"sh\", \"-c\", \"head -n 5 >/dev/null; exit 7\"]", 3, "stage `other`"),
        ("run = [\"sh\", \"-c\", \"kill -9 $$\"]", 3, "stage `other`"),
        ("run = [\"sh\", \"-c\", \"cat; exit 9\"]\nexit = { invalid = [9] }", 1, "`other`"),
    ] {
        let place = beside(other);
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(code).says(says);
        assert!(!place.has("out/healthy"), "{other}");
        assert_eq!(place.text("out/other"), "before\n");
        let report = done.report();
        assert_eq!(report["sinks"]["healthy"]["written"], 0);
        // One that says that the data is bad has seen it.
        let stage = &report["stages"]["other"];
        let verdict = if code == 1 { "accepted" } else { "in_doubt" };
        assert_eq!(stage["in"], stage[verdict]);
    }
}

/// The slow one sets the pace: as long as it does not go on, neither does the other.
#[test]
fn the_slowest_branch_sets_the_pace() {
    let other = "run = [\"sh\", \"-c\", \"while [ ! -e go ]; do sleep 0.05; done; cat\"]";
    let place = beside(other);
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    // So long that the healthy one would be through, had it run ahead.
    let taken = |tick: &serde_json::Value| {
        let tables = tick["tables"].as_array().unwrap().iter();
        let mut healthy = tables.filter(|table| table["name"] == "healthy");
        healthy.next().unwrap()["counts"]["sink"]["in"].as_u64().unwrap()
    };
    let still = eventually(LONG, || {
        let ticks = events(&place, "tick");
        let taken: Vec<u64> = ticks.iter().map(taken).collect();
        let last = taken.last().copied().unwrap_or_default();
        (taken.iter().filter(|count| **count == last && last > 0).count() > 5).then_some(last)
    });
    assert!(still.unwrap() < 200_000);
    place.write("go", "");
    drop(running.wait().exits(0));
    assert_eq!(place.read("out/healthy"), records(200_000));
    assert_eq!(place.read("out/other"), records(200_000));
}

#[test]
fn a_full_branch_ends_the_run() {
    let place = beside("run = [\"cat\"]\noutput = \"/dev/full\"");
    let done = place.esteira().pipeline("p.toml", &[]).run().exits(4);
    let done = done.says("cannot write `/dev/full`: No space left on device");
    assert!(!place.has("out/healthy"));
    done.report();
}

/// Two branches of one source that join again: the second one waits in a file.
fn diamond(place: &Place) {
    place.write("in", records(300_000));
    place.write("spool/keep", "");
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\n\
         [stages.left]\nrun = [\"sh\", \"-c\", \"tee -a step\"]\n\n\
         [stages.right]\nrun = [\"cat\"]\ninputs = [\"in\"]\n\n\
         [sinks.out]\ntype = \"file\"\npath = \"out/all\"\ninputs = [\"left\", \"right\"]\n",
    );
}

fn names(place: &Place, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(place.path(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_waits_for_its_turn_takes_no_memory() {
    let peak = |count| {
        let place = Place::new();
        diamond(&place);
        place.write("in", records(count));
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(0);
        assert_eq!(place.read("out/all"), [records(count), records(count)].concat());
        done.report()["controller"]["peak_rss"].as_u64().unwrap()
    };
    let (small, large) = (peak(300_000), peak(3_000_000));
    assert!(large < small + (8 << 20), "{small} bytes, and {large} for ten times the records");
}

#[test]
fn a_spool_without_room_ends_the_run_and_every_record_is_accounted_for() {
    let unshare = needs("unshare", "util-linux");
    let place = Place::new();
    diamond(&place);
    let namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    let script = "mount -t tmpfs -o size=1m none spool || exit 99\n\
                  TMPDIR=spool \"$0\" \"$@\"; code=$?; ls -A spool >left; exit $code";
    let esteira = place.esteira().under(&unshare, &[namespace, "sh", "-c", script]);
    let done = esteira.pipeline("p.toml", &[]).run().exits(4);
    let done = done.says("cannot write the records that wait for `out`, in `spool`: No space left");
    let done = done.says("hint: name a folder with room: `TMPDIR=FOLDER esteira run`");
    assert_eq!((place.text("left").as_str(), place.has("out/all")), ("", false));
    let report = done.report();
    assert!(report["sinks"]["out"]["in_doubt"].as_u64().unwrap() > 0, "{report}");

    let done = place.esteira().env("TMPDIR", "nowhere").pipeline("p.toml", &[]).run().exits(4);
    drop(done.says("cannot keep records that wait for their turn in `nowhere`: No such file"));
}

#[test]
fn nothing_of_a_spool_stays_whoever_ends_the_run() {
    for (signal, code) in [(Signal::KILL, 137), (Signal::TERM, 143)] {
        let place = Place::new();
        diamond(&place);
        place.write("in", records(3_000_000));
        let running = place
            .esteira()
            .env("TMPDIR", "spool")
            .pipeline("p.toml", &["--progress", "none"])
            .start();
        let some = || std::fs::metadata(place.path("step")).is_ok_and(|file| file.len() > 1 << 20);
        assert!(eventually(LONG, || some().then_some(())).is_some());
        running.signal(signal);
        let done = running.wait();
        assert_eq!(done.code(), code, "{}", done.stderr);
        assert_eq!(names(&place, "spool"), ["keep"]);
        if signal == Signal::TERM {
            let report = done.exits(code).report();
            let sink = &report["sinks"]["out"];
            assert_eq!(sink["written"], 0, "{sink}");
        }
    }
}

/// A FIFO that nobody reads keeps all others waiting, and cannot be woken.
#[test]
fn a_stuck_sink_leaves_nothing_of_the_others_behind() {
    let place = Place::new();
    place.write("in", records(300_000));
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("fifo"), 0o600.into()).unwrap();
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\n\
         [sinks.stuck]\ntype = \"file\"\npath = \"fifo\"\n\n\
         [sinks.out]\ntype = \"file\"\npath = \"out\"\ninputs = [\"in\"]\n",
    );
    let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
    // It has begun, and nothing goes on any more.
    assert!(eventually(LONG, || (events(&place, "tick").len() > 2).then_some(())).is_some());
    running.signal(Signal::TERM);
    let done = running.wait().exits(143).says("sink `stuck` did not end in time");
    let report = done.report();
    let read = &report["sources"]["in"];
    assert_eq!((&read["lines"], &read["rejected"]), (&read["out"], &0.into()));
    for sink in ["stuck", "out"] {
        assert_eq!(report["sinks"][sink]["in_doubt"], read["out"], "{sink}");
    }
    assert!(!done.stderr.contains("balance"), "{}", done.stderr);
    assert!(!place.has("out"));
}

/// A source that nobody writes to, before a broken stage: the stage is what is wrong.
#[test]
fn who_cannot_end_in_time_is_no_worse_than_why_it_had_to() {
    let place = Place::new();
    place.write("in", records(10));
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("fifo"), 0o600.into()).unwrap();
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\n\
         [sources.silent]\ntype = \"file\"\npath = \"fifo\"\n\n\
         [sinks.out]\ntype = \"file\"\npath = \"out\"\ninputs = [\"in\", \"silent\"]\n\n\
         [stages.broken]\nrun = [\"sh\", \"-c\", \"cat; exit 9\"]\ninputs = [\"in\"]\noutput = \"o\"\n",
    );
    let done = place.esteira().pipeline("p.toml", &[]).run().exits(3);
    drop(done.says("stage `broken`: worker 0 left with exit code 9"));
    assert!(!place.has("out") && !place.has("o"));
}
