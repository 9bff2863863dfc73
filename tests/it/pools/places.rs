//! Which worker gets which record, when it may begin, and what it tells besides.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::harness::{Place, events, needs, records};
use super::super::workers::{event, fake, no_event, place_with, staged};
use super::{is_broken, is_caught, is_whole, pool};

const STAMP: [&str; 4] = ["--replace", "1", "--with", "{\"id\":@n,\"worker\":\"@worker\"}"];

/// Reads which worker had which record.
fn stamps(place: &Place) -> Vec<(u64, u64)> {
    let lines = place.text("out");
    let values = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let stamp = |value: Value| {
        let worker = value["worker"].as_str().unwrap().parse().unwrap();
        (value["id"].as_u64().unwrap(), worker)
    };
    values.map(stamp).collect()
}

/// Each waits until the others have come, too: if one got none, nobody would go on.
#[test]
fn a_few_slow_records_are_spread_over_all_workers() {
    for protocol in ["records", "lines", "command"] {
        let place = place_with(10);
        let args = [&["--do", "meet:4:met"], &STAMP[..]].concat();
        let keys = "workers = 4\nstall = \"20s\"";
        let done = pool(&place, protocol, keys, &args).run().exits(0);
        let stamps = stamps(&place);
        assert!(stamps.iter().map(|(id, _)| *id).eq(1..=10), "{stamps:?}");
        let workers: BTreeSet<u64> = stamps.iter().map(|(_, worker)| *worker).collect();
        assert_eq!(workers, (0..4).collect(), "{protocol}: {}", done.stderr);
        for worker in workers.iter().filter(|_| protocol != "command") {
            let had = stamps.iter().filter(|(_, of)| of == worker).count();
            assert!((2..=3).contains(&had), "{protocol}: {stamps:?}");
        }
        done.report();
    }
}

/// Spellings of the same key in the same row; a key that is missing is one, too.
const KEYS: [&[&str]; 9] = [
    &["\"ab\"", "\"a\\u0062\"", "\"\\u0061b\""],
    &["\"\\ud83d\\ude00\"", "\"\u{1f600}\""],
    &["1"],
    &["1.0"],
    &["\"1\""],
    &["null"],
    &["\"null\""],
    &["[1,2]"],
    &[],
];

#[test]
fn the_same_key_goes_to_the_same_worker() {
    let place = Place::new();
    let record = |id: usize| {
        let spellings = KEYS[id % KEYS.len()];
        match spellings.get(id / KEYS.len() % spellings.len().max(1)) {
            Some(key) => format!("{{\"id\":{id}, \"to\":{{\"key\": {key} }} }}\n"),
            None => format!("{{\"id\":{id},\"to\":{{\"kez\":1}}}}\n"),
        }
    };
    // Behind them many keys that are all different, so that each worker gets some.
    let many = (2000..4000).map(|id| format!("{{\"id\":{id},\"to\":{{\"key\":{id}}}}}\n"));
    place.write("in", (0..2000).map(record).chain(many).collect::<String>());
    for (protocol, more) in [
        ("records", &[][..]),
        ("records", &["--do", "kill:KILL", "--at", "300", "--once", "dead"]),
        ("lines", &[]),
    ] {
        let keys = "workers = 4\ndispatch = { by = \"/to/key\" }";
        let done = pool(&place, protocol, keys, &[&STAMP, more].concat()).run().exits(0);
        let stamps = stamps(&place);
        assert!(stamps.iter().map(|(id, _)| *id).eq(0..4000), "in order: {}", done.stderr);
        let mut of = BTreeMap::<u64, BTreeSet<u64>>::new();
        for (id, worker) in stamps.iter().filter(|(id, _)| *id < 2000) {
            of.entry(id % KEYS.len() as u64).or_default().insert(*worker);
        }
        assert!(of.values().all(|workers| workers.len() == 1), "{protocol} {more:?}: {of:?}");
        let all: BTreeSet<u64> = stamps.iter().map(|(_, worker)| *worker).collect();
        assert_eq!(all, (0..4).collect(), "{protocol}");
        assert_eq!(events(&place, "worker_signal").len(), usize::from(!more.is_empty()));
    }
}

/// A worker that says when it is ready is given nothing before, and one that need not may.
#[test]
fn a_worker_is_waited_for_until_it_is_ready() {
    for (keys, ready) in [("ready = true", "first"), ("ready = true", "late"), ("", "first")] {
        let place = place_with(500);
        let keys = format!("workers = 2\n{keys}");
        is_whole(&place, pool(&place, "records", &keys, &["--ready", ready]).run()).report();
        no_event(&place, &["protocol", "stalled"]);
    }
}

#[test]
fn a_worker_that_is_never_ready_is_not_waited_for_without_end() {
    let place = place_with(500);
    let done = pool(&place, "records", "ready = true\nstall = \"1s\"", &[]).run();
    is_broken(&place, done, &["worker 0", "1 s"]).report();
    assert_eq!(event(&place, "stalled")["worker"], 0);
}

/// Who dies before it is ready is replaced, and the one in its place is waited for instead.
#[test]
fn who_dies_before_it_is_ready_is_replaced() {
    for count in [0, 100] {
        let place = place_with(count);
        let script = fake("worker.py");
        let run = format!(
            "mkdir first 2>/dev/null && exit 1; exec python3 -S '{script}' records --ready first"
        );
        let keys = "protocol = \"records\"\nrejects = \"bad\"\nworkers = 3\nready = true";
        let done = staged(&place, keys, &["sh", "-c", &run]).run();
        is_whole(&place, done).report();
    }
}

#[test]
fn a_worker_is_ready_only_once() {
    let place = place_with(500);
    let done = pool(&place, "records", "ready = true", &["--ready", "twice"]).run();
    is_caught(&place, done, 2, &["`ready`"]);
    let place = place_with(500);
    let late = ["--do", "print:{\"ready\":true}", "--at", "5"];
    is_caught(&place, pool(&place, "records", "", &late).run(), 5, &["`ready`"]);
}

/// Nothing was asked of it yet.
#[test]
fn an_answer_before_it_is_ready_is_no_answer() {
    let place = place_with(500);
    let early = ["--do", "print:{\"id\":0,\"ok\":true}", "--at", "0"];
    let done = pool(&place, "records", "ready = true", &early).run();
    is_caught(&place, done, 1, &["ready"]);
}

#[test]
fn what_a_worker_logs_is_told() {
    let place = place_with(100);
    let args = ["--do", "log:3", "--at", "50"];
    is_whole(&place, pool(&place, "records", "", &args).run()).report();
    let logs = events(&place, "log");
    assert_eq!(logs.len(), 3);
    for (number, log) in logs.iter().enumerate() {
        assert_eq!(
            (&log["stage"], &log["worker"], &log["level"]),
            (&"work".into(), &0.into(), &"warn".into())
        );
        let message = log["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("line {number} of")), "{log}");
        assert!(!message.contains('\n'), "{log}");
    }
}

/// It may talk as much as it likes: it costs neither memory nor the output.
#[test]
fn a_flood_of_words_is_no_flood_here() {
    for flood in ["log:100000", "stderr:200000000"] {
        let place = place_with(1000);
        let args = ["--do", flood, "--at", "500"];
        let done = is_whole(&place, pool(&place, "records", "workers = 1", &args).run());
        let peak = done.report()["controller"]["peak_rss"].as_u64().unwrap();
        assert!(peak > 0 && peak < 64 << 20, "{} MiB at its peak", peak >> 20);
        assert!(done.stderr.len() < 64 << 10, "{} bytes are shown", done.stderr.len());
    }
}

/// However a pool is asked for, it is the same.
#[test]
fn a_pool_needs_no_file() {
    for protocol in ["records", "lines", "command"] {
        let place = Place::new();
        place.write("in", records(6));
        let worker = super::super::workers::fake("worker.py");
        let options = ["-j", "3", "--protocol", protocol, "--events", "events"];
        let program = ["python3", "-S", &worker, protocol];
        let done = place.esteira().pipe("in", "out", &options, &program).run().exits(0);
        assert_eq!(place.read("out"), records(6));
        assert_eq!(done.report()["stages"]["python3"]["accepted"], 6);
        let mut workers: Vec<u64> = events(&place, "worker_started")
            .iter()
            .map(|event| event["worker"].as_u64().unwrap())
            .collect();
        workers.sort_unstable();
        workers.dedup();
        assert_eq!(workers, [0, 1, 2], "{protocol}");
    }
}

/// A pool that is too large for what the system allows is made smaller; nothing comes out of it
/// otherwise, and where there is not one worker for a stage, nothing is read.
#[test]
fn with_few_descriptors_there_are_fewer_workers() {
    needs("prlimit", "util-linux");
    let place = place_with(2000);
    let options = ["-j", "100", "--protocol", "lines", "--events", "events"];
    let call = || place.esteira().under("prlimit", &["--nofile=64"]);
    let done = call().pipe("in", "out", &options, &["cat"]).run().exits(0);
    assert!(place.read("out") == records(2000));
    let started = events(&place, "worker_started").len();
    assert!((1..20).contains(&started), "{started} workers");
    drop(done.says(&format!("{started} workers instead of 100")));

    // Each stage has one at least; a filter and threads of the program itself are left alone.
    let place = place_with(2000);
    let pool = "run = [\"cat\"]\nprotocol = \"lines\"\nworkers";
    place.write(
        "p.toml",
        format!(
            "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.a]\n{pool} = 40\n\
             [stages.b]\nuse = \"select\"\nfield = \"/id\"\nexists = true\nworkers = 8\n\
             [stages.c]\n{pool} = 10\n[stages.d]\nrun = [\"cat\"]\noutput = \"out\"\n"
        ),
    );
    let limited = ["-c", "ulimit -n 64 && exec \"$@\"", "sh"];
    let call = place.esteira().under("sh", &limited).pipeline("p.toml", &["--events", "events"]);
    let done = call.run().exits(0).says("a: ").says("c: ").says(" instead of 40: no more than 64");
    assert!(place.read("out") == records(2000), "{}", done.stderr);
    let started: Vec<_> =
        events(&place, "worker_started").iter().map(|event| event["stage"].clone()).collect();
    let of = |stage: &str| started.iter().filter(|of| *of == stage).count();
    assert!((1..10).contains(&of("a")) && (1..10).contains(&of("c")), "{started:?}");
    assert_eq!((of("b"), of("d")), (0, 1));

    let place = place_with(1);
    let call = place.esteira().under("prlimit", &["--nofile=20"]);
    let done = call.pipe("in", "out", &["-j", "2", "--protocol", "lines"], &["cat"]).run();
    drop(done.exits(2).says("file descriptors are needed").says("ulimit -n"));
    assert_eq!(place.text("out"), "before\n");
}
