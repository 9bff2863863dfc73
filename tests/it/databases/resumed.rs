//! Runs that are cut off and taken up again: each record is in the table once, and told once.

use std::collections::BTreeMap;
use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use super::super::harness::{Finished, Place, Running, alive, events, eventually};
use super::super::workers::fake;
use super::{Kind, Own, gate};

/// How many records an input has.
const RECORDS: u64 = 6000;

/// A pipeline from files through a program to a table, with what the database refuses.
pub(super) struct Case {
    pub(super) place: Place,
    pub(super) own: Own,
}

/// What a run leaves that nothing happened to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    rows: String,
    letters: Vec<String>,
    counts: BTreeMap<String, u64>,
}

impl Case {
    pub(super) fn new(kind: Kind, more: &str) -> Self {
        let place = Place::new();
        let own = Own::new(kind, &place);
        Self::of(place, own, more)
    }

    pub(super) fn of(place: Place, own: Own, more: &str) -> Self {
        let record = |n: u64| match n % 500 {
            0 => format!("not JSON: {n}\n"),
            1 => format!("{{\"n\":{n},\"user\":{n}}}\n"),
            2 => format!("{{\"n\":{},\"user\":\"was there\"}}\n", n - 1),
            _ => format!("{{\"n\":{n},\"user\":\"user number {n}\",\"pad\":\"{n:090}\"}}\n"),
        };
        place.write("a", (1..=RECORDS).map(record).collect::<String>());
        place.write("work.pl", fs::read(fake("replies.pl")).unwrap());
        let keys = own.keys();
        place.write(
            "p.toml",
            format!(
                "[pipeline]\nrejects = \"rejects\"\nmax_rejects = \"50%\"\n\
                 [sources.in]\ntype = \"file\"\npath = \"a\"\n\
                 [stages.work]\nrun = [\"perl\", \"work.pl\", \"1999\"]\nprotocol = \"records\"\n\
                 output = \"plain\"\n\
                 [sinks.db]\n{keys}inputs = [\"work\"]\ntable = \"t\"\nkey = \"n\"\n\
                 columns = {{ n = \"integer\", user = \"text\" }}\nbatch = 50\n{more}\n"
            ),
        );
        Self { place, own }
    }

    pub(super) fn run<'a>(&'a self, options: &[&str]) -> super::super::harness::Esteira<'a> {
        fs::remove_file(self.place.path("report.json")).ok();
        let options = [&["--events", "events", "--checkpoint-every", "0"], options].concat();
        self.place.esteira().pipeline("p.toml", &options)
    }

    /// What there is when all is done.
    pub(super) fn whole(&self, done: &Finished) -> Whole {
        let rows = match self.own.kind {
            Kind::Sqlite => {
                "SELECT count(*) || ' ' || count(DISTINCT n) || ' ' || sum(n) || ' ' || \
                 sum(length(user)) FROM t"
            }
            Kind::Postgres => {
                "SELECT count(*) || ' ' || count(DISTINCT n) || ' ' || sum(n) || ' ' || \
                 sum(length(\"user\")) FROM t"
            }
        };
        let letters = self.place.text("rejects");
        let letter = |line: &str| {
            let mut letter: Value = serde_json::from_str(line).unwrap();
            letter.as_object_mut().unwrap().remove("trace");
            letter.to_string()
        };
        let mut letters: Vec<String> = letters.lines().map(letter).collect();
        letters.sort();
        let report = done.report();
        let mut counts = BTreeMap::new();
        for kind in ["sources", "stages", "sinks"] {
            for (name, table) in report[kind].as_object().unwrap() {
                let numbers = table.as_object().unwrap().iter();
                let numbers = numbers.filter(|(key, _)| *key != "restarts" && *key != "retried");
                counts.extend(
                    numbers.filter_map(|(key, n)| Some((format!("{name}.{key}"), n.as_u64()?))),
                );
            }
        }
        Whole { rows: self.own.ask(rows), letters, counts }
    }

    /// Lets go on who waits at the gate, once somebody does; one that has ended never will.
    pub(super) fn let_go(&self, running: &Running) {
        drop(gate(&self.place, running));
    }

    /// Waits until nothing of a run is left that was killed.
    pub(super) fn nobody_is_left(&self) {
        let gone = eventually(LONG, || alive(self.place.root()).is_empty().then_some(()));
        assert!(gone.is_some(), "left are {:?}", alive(self.place.root()));
    }
}

impl Whole {
    /// Requires that all is as it is to be.
    #[track_caller]
    pub(super) fn is(&self, whole: &Self, which: &str) {
        assert_eq!(self.counts, whole.counts, "{which}");
        assert_eq!(self.rows, whole.rows, "{which}");
        assert_eq!(self.letters, whole.letters, "{which}");
    }
}

pub(super) const LONG: std::time::Duration = std::time::Duration::from_secs(30);

/// What there is to be in the end.
pub(super) fn undisturbed(kind: Kind, more: &str) -> Whole {
    let case = Case::new(kind, more);
    let done = case.run(&[]).run().exits(0);
    let whole = case.whole(&done);
    assert!(whole.letters.iter().any(|letter| letter.contains("\"stage\":\"db\"")));
    whole
}

/// A run that was whole has nothing left to do; another one writes again.
#[test]
fn a_run_that_is_over_is_not_done_again() {
    for kind in super::KINDS {
        let case = Case::new(kind, "");
        drop(case.run(&[]).run().exits(0));
        let rows = case.own.count("*");
        let done = case.run(&["--resume"]).run().exits(0);
        assert!(done.stderr.contains("nothing left to do"), "{}", done.stderr);
        assert_eq!(case.own.count("*"), rows);
        drop(done);
    }
}

/// Rows that are read are found again by their key, wherever in a page the run was cut off.
#[test]
fn a_source_of_rows_goes_on_behind_its_last_key() {
    for (kind, page, signal) in [
        (Kind::Sqlite, 30, Signal::KILL),
        (Kind::Postgres, 30, Signal::KILL),
        (Kind::Sqlite, 30, Signal::TERM),
        (Kind::Sqlite, 600, Signal::TERM),
        (Kind::Postgres, 600, Signal::TERM),
    ] {
        let which = format!("{kind:?} {page} {signal:?}");
        let place = Place::new();
        let own = Own::new(kind, &place);
        own.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, name TEXT)");
        own.execute(match kind {
            Kind::Sqlite => {
                "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000) \
                 INSERT INTO t SELECT n, 'name ' || n FROM n"
            }
            Kind::Postgres => {
                "INSERT INTO t SELECT n, 'name ' || n FROM generate_series(1, 5000) n"
            }
        });
        place.write("work.pl", fs::read(fake("replies.pl")).unwrap());
        place.write(
            "p.toml",
            format!(
                "[pipeline]\nmax_rejects = \"50%\"\n[sources.s]\n{}table = \"t\"\nkey = \"n\"\n\
                 page = {page}\n[stages.work]\nrun = [\"perl\", \"work.pl\", \"1999\"]\n\
                 protocol = \"records\"\noutput = \"out\"\n",
                own.keys()
            ),
        );
        let case = Case { place, own };
        drop(case.run(&[]).run().exits(0));
        let whole = case.place.read("out");
        assert!(whole.len() > 10_000);
        fs::remove_file(case.place.path("out")).unwrap();
        fs::remove_file(case.place.path("events")).unwrap();
        let fifo = case.place.path("gate");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).unwrap();
        let running = case.run(&[]).start();
        let kept = || {
            let found = events(&case.place, "checkpoint");
            found.iter().any(|event| event["lines"].as_u64().unwrap() > 500).then_some(())
        };
        assert!(eventually(LONG, kept).is_some(), "{which}: no checkpoint");
        running.signal(signal);
        if signal == Signal::TERM {
            case.let_go(&running);
        }
        drop(running.wait());
        fs::remove_file(fifo).unwrap();
        case.nobody_is_left();
        // Of rows before the key nothing is read again: one that is gone is not missed.
        case.own.execute("DELETE FROM t WHERE n = 10");
        drop(case.run(&["--resume"]).run().exits(0));
        assert!(!events(&case.place, "taken_up").is_empty(), "{which}");
        let found = case.place.text("out");
        let lines = found.lines().count();
        assert!(found.as_bytes() == whole, "{which}: {lines} lines");
    }
}

/// What does not go together is refused, and says why.
#[test]
fn a_table_that_is_not_as_it_was_left_is_refused() {
    for kind in super::KINDS {
        for (change, why) in [
            ("DELETE FROM esteira_position", "nothing is known there of the run"),
            ("UPDATE esteira_position SET run = 'another'", "run another has written there since"),
            ("UPDATE esteira_position SET records = 1", "1 records are settled there, and "),
        ] {
            let case = Case::new(kind, "");
            let fifo = case.place.path("gate");
            rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).unwrap();
            let running = case.run(&[]).start();
            let kept = || {
                let found = events(&case.place, "checkpoint");
                found.iter().any(|event| event["lines"].as_u64().unwrap() > 500).then_some(())
            };
            assert!(eventually(LONG, kept).is_some(), "no checkpoint");
            running.signal(Signal::KILL);
            drop(running.wait());
            fs::remove_file(fifo).unwrap();
            case.nobody_is_left();
            case.own.execute(change);
            let done = case.run(&["--resume"]).run();
            assert_eq!(done.code(), 5, "{}", done.stderr);
            assert!(done.stderr.contains(why), "{kind:?} {change}: {}", done.stderr);
        }
    }
}
