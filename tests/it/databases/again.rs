//! Dead letters of a table go back into it; what its dead letters lead to.

use super::super::harness::Place;
use super::{KINDS, Own, pipeline};

#[test]
fn what_a_table_refused_goes_back_in_once_it_fits() {
    for kind in KINDS {
        let place = Place::new();
        let own = Own::new(kind, &place);
        own.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT CHECK (length(name) < 5))");
        let lines = [
            "{\"id\":1,\"name\":\"a\"}",
            "{\"id\":2,\"name\":\"too long\"}",
            "{\"id\":1,\"name\":\"b\"}",
        ];
        place.write("in", lines.join("\n"));
        place.write("p.toml", pipeline(&own, ""));
        drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
        assert_eq!((own.count("*"), place.text("bad").lines().count()), (1, 2), "{kind:?}");
        own.execute(match kind {
            super::Kind::Sqlite => {
                "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'a')"
            }
            super::Kind::Postgres => "ALTER TABLE t DROP CONSTRAINT t_name_check",
        });
        let done = place.esteira().args(["replay", "bad", "p.toml"]).run();
        assert_eq!(
            own.ask("SELECT name FROM t WHERE id = 2"),
            "too long",
            "{kind:?}: {}",
            done.stderr
        );
        assert_eq!(own.ask("SELECT name FROM t WHERE id = 1"), "a");
        // What is still refused stays.
        assert_eq!(place.text("bad").lines().count(), 1, "{kind:?}: {}", done.stderr);
        drop(done);
        let again = place.esteira().args(["replay", "bad", "p.toml"]).run();
        assert_eq!((own.count("*"), place.text("bad").lines().count()), (2, 1), "{}", again.stderr);
        drop(again);
    }
}

/// A run that was cut off can be taken up though its dead letters went back in meanwhile.
#[test]
fn letters_that_go_back_in_leave_the_run_its_place() {
    for kind in KINDS {
        let case = super::resumed::Case::new(kind, "");
        let gate = case.place.path("gate");
        rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
        let running = case.run(&[]).start();
        let some = || {
            let found = super::super::harness::events(&case.place, "checkpoint");
            (found.len() > 2).then_some(())
        };
        assert!(super::super::harness::eventually(super::resumed::LONG, some).is_some());
        running.signal(rustix::process::Signal::KILL);
        drop(running.wait());
        std::fs::remove_file(gate).unwrap();
        case.nobody_is_left();
        case.place.write("other", "");
        let letter = "{\"record\":{\"n\":100000,\"user\":\"x\"},\"source\":\"in\",\"file\":\"a\",\"line\":1,\
                      \"offset\":0,\"stage\":\"db\",\"errors\":[],\"sha256\":\"0\",\"trace\":{\"run\":\"r\"}}\n";
        case.place.write("some", letter);
        let replayed = case.place.esteira().args(["replay", "some", "p.toml"]).run();
        assert_eq!(
            case.own.ask("SELECT count(*) FROM t WHERE n = 100000"),
            "1",
            "{}",
            replayed.stderr
        );
        drop(replayed);
        drop(case.run(&["--resume"]).run().exits(0));
    }
}
