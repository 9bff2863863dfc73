//! Records that become rows, on both kinds of database.

use super::super::harness::{Place, events};
use super::{KINDS, Kind, Own, pipeline, users};

#[test]
fn each_record_is_a_row_or_told_why_not() {
    for kind in KINDS {
        let place = Place::new();
        let own = Own::new(kind, &place);
        place.write("in", users(0, 1000));
        place.write("p.toml", pipeline(&own, ""));
        let done = place.esteira().pipeline("p.toml", &["--events", "events"]).run().exits(0);
        let sink = done.report()["sinks"]["db"].clone();
        assert_eq!(
            (&sink["in"], &sink["written"], &sink["rejected"]),
            (&1000.into(), &980.into(), &20.into())
        );
        assert_eq!((own.count("*"), own.count("DISTINCT id")), (980, 980), "{kind:?}");
        let letters = place.text("bad");
        let letter = |line: usize| {
            serde_json::from_str::<serde_json::Value>(letters.lines().nth(line).unwrap()).unwrap()
        };
        let code = match kind {
            Kind::Sqlite => "sqlite.SQLITE_CONSTRAINT_PRIMARYKEY",
            Kind::Postgres => "postgres.23505",
        };
        assert_eq!(letter(0)["errors"][0]["code"], code);
        assert_eq!((&letter(0)["line"], &letter(0)["stage"]), (&51.into(), &"db".into()));
        assert_eq!(letter(1)["errors"][0]["code"], "column.type");
        assert_eq!(letter(1)["errors"][0]["path"], "/name");
        assert_eq!(letter(1)["record"]["name"], 60);
        assert_eq!(letters.lines().count(), 20);
        assert!(events(&place, "not_durable").is_empty());
    }
}

#[test]
fn a_key_that_is_there_is_refused_left_or_replaced() {
    for kind in KINDS {
        for (word, written, dropped, rejected, name) in [
            ("error", 0, 0, 3, "first"),
            ("ignore", 0, 3, 0, "first"),
            ("update", 3, 0, 0, "third"),
        ] {
            let place = Place::new();
            let own = Own::new(kind, &place);
            place.write("in", "{\"id\":1,\"name\":\"first\"}\n");
            place.write("p.toml", pipeline(&own, &format!("on_conflict = \"{word}\"")));
            drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
            let again = ["again", "second", "third"];
            let again = again.map(|name| format!("{{\"id\":1,\"name\":\"{name}\"}}\n"));
            place.write("in", again.concat());
            let done = place.esteira().pipeline("p.toml", &[]).run().exits(0);
            let sink = done.report()["sinks"]["db"].clone();
            let counts = ["written", "dropped", "rejected"].map(|key| sink[key].as_u64().unwrap());
            assert_eq!(counts, [written, dropped, rejected], "{kind:?} {word}");
            assert_eq!(own.ask("SELECT name FROM t WHERE id = 1"), name, "{kind:?} {word}");
        }
    }
}

/// Without columns there are the key, and the whole record as it is.
#[test]
fn a_record_is_kept_whole_where_no_columns_are_named() {
    for kind in KINDS {
        let place = Place::new();
        let own = Own::new(kind, &place);
        let record = r#"{"z": 1.10, "id" :"a\tb\\c","id2":[1,  2], "n":12345678901234567890123}"#;
        place.write("in", format!("{record}\n"));
        let columns = "columns = { id = \"integer\", name = \"text\" }\n";
        place.write("p.toml", pipeline(&own, "").replace(columns, ""));
        drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
        assert_eq!(own.ask("SELECT record FROM t"), record, "{kind:?}");
        assert_eq!(own.ask("SELECT id FROM t"), "a\tb\\c", "{kind:?}");
    }
}

/// A filter's answers are not known to be right before its end: all of them, or none.
#[test]
fn behind_a_filter_all_rows_are_there_or_none() {
    for kind in KINDS {
        for (script, exit, rows, key) in [
            ("cat", 0, 990, "written"),
            ("cat; exit 3", 3, 0, "dropped"),
            ("head -n 500; exit 9", 3, 0, "dropped"),
        ] {
            let place = Place::new();
            let own = Own::new(kind, &place);
            // Some of what the filter lets pass is refused.
            let line = |n: u32| match n % 100 {
                3 => format!("{{\"id\":{n},\"name\":{n}}}\n"),
                _ => format!("{{\"id\":{n},\"name\":\"x\"}}\n"),
            };
            let all: String = (0..1000).map(line).collect();
            place.write("in", all);
            let filter = format!("[stages.f]\nrun = [\"sh\", \"-c\", \"{script}\"]\n[sinks.db]");
            place.write("p.toml", pipeline(&own, "batch = 100").replace("[sinks.db]", &filter));
            let done = place.esteira().pipeline("p.toml", &[]).run().exits(exit);
            assert_eq!(own.count("*"), rows, "{kind:?} {script}");
            if exit == 0 {
                assert_eq!(done.report()["sinks"]["db"][key], 990, "{kind:?}");
            }
        }
    }
}

/// The data's gate: rows of a run in one transaction are there only if it ends within its limits.
#[test]
fn a_run_in_one_transaction_passes_the_gate_or_leaves_nothing() {
    for kind in KINDS {
        for (limit, exit, rows) in [("100%", 0, 980), ("3", 1, 0)] {
            let place = Place::new();
            let own = Own::new(kind, &place);
            place.write("in", users(0, 1000));
            place.write("p.toml", pipeline(&own, "transaction = \"run\"\nbatch = 64"));
            let options = ["--max-rejects", limit];
            let done = place.esteira().pipeline("p.toml", &options).run().exits(exit);
            assert_eq!(own.count("*"), rows, "{kind:?}: {}", done.stderr);
            let sink = done.report()["sinks"]["db"].clone();
            let dropped = if rows == 0 { 980 } else { 0 };
            let counts = ["written", "rejected", "dropped"].map(|key| sink[key].as_u64().unwrap());
            assert_eq!(counts, [rows, 20, dropped], "{kind:?}");
        }
    }
}

/// Values at the edges of what types hold.
#[test]
fn what_a_database_cannot_hold_is_refused_and_the_rest_goes_in() {
    for kind in KINDS {
        let place = Place::new();
        let own = Own::new(kind, &place);
        let long = "x".repeat(10_000_000);
        let lines = [
            r#"{"id":1,"name":"a\u0000b"}"#.to_owned(),
            r#"{"id":9223372036854775807,"name":"largest"}"#.to_owned(),
            r#"{"id":9223372036854775808,"name":"too large"}"#.to_owned(),
            r#"{"id":2,"name":"\ud800"}"#.to_owned(),
            r#"{"id":null,"name":"no key"}"#.to_owned(),
            r#"{"name":"no key"}"#.to_owned(),
            r#"{"id":3}"#.to_owned(),
            format!(r#"{{"id":4,"name":"{long}"}}"#),
            "[1,2]".to_owned(),
        ];
        place.write("in", lines.join("\n"));
        place.write("p.toml", pipeline(&own, ""));
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(0);
        let letters = place.text("bad");
        let told: Vec<(u64, String)> = letters
            .lines()
            // Half a surrogate pair is JSON, and not for every reader of it.
            .map(|line| {
                let behind = |word: &str| line.rsplit_once(word).unwrap().1;
                let number = behind("\"line\":").split(',').next().unwrap().parse().unwrap();
                (number, behind("\"code\":\"").split('"').next().unwrap().to_owned())
            })
            .collect();
        let mut wanted = vec![(3, "column.range"), (4, "column.text"), (5, "column.null")];
        wanted.extend([(6, "column.null"), (9, "column.null")]);
        if kind == Kind::Postgres {
            // Its text has no NUL.
            wanted.insert(0, (1, "postgres.22021"));
        }
        let wanted: Vec<(u64, String)> =
            wanted.into_iter().map(|(line, code)| (line, code.to_owned())).collect();
        assert_eq!(told, wanted, "{kind:?}: {}", done.stderr);
        assert_eq!(own.count("*"), 9 - told.len() as u64);
        assert_eq!(own.ask("SELECT length(name) FROM t WHERE id = 4"), "10000000", "{kind:?}");
        assert_eq!(own.ask("SELECT count(*) FROM t WHERE name IS NULL"), "1", "{kind:?}");
    }
}

/// What a trigger leaves out without a word is not in the table, and not counted as if it were.
#[test]
fn a_row_that_a_trigger_leaves_out_is_dropped() {
    for kind in KINDS {
        for (word, written, dropped) in [("error", 97, 3), ("ignore", 96, 4), ("update", 97, 3)] {
            let place = Place::new();
            let own = Own::new(kind, &place);
            own.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
            own.execute(match kind {
                Kind::Sqlite => {
                    "CREATE TRIGGER g BEFORE INSERT ON t WHEN new.name = 'secret' \
                     BEGIN SELECT RAISE(IGNORE); END"
                }
                Kind::Postgres => {
                    "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                     IF new.name = 'secret' THEN RETURN NULL; END IF; RETURN new; END $$; \
                     CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION g()"
                }
            });
            let line = |n: u32| {
                let name = if n % 40 == 7 { "secret" } else { "x" };
                // One key comes twice, where that is no error.
                let id = if n == 50 && word != "error" { 49 } else { n };
                format!("{{\"id\":{id},\"name\":\"{name}\"}}\n")
            };
            place.write("in", (0..100).map(line).collect::<String>());
            place.write("p.toml", pipeline(&own, &format!("on_conflict = \"{word}\"")));
            let done = place.esteira().pipeline("p.toml", &[]).run().exits(0);
            let sink = done.report()["sinks"]["db"].clone();
            let counts = ["written", "dropped"].map(|key| sink[key].as_u64().unwrap());
            assert_eq!(counts, [written, dropped], "{kind:?} {word}");
            let rows = if word == "error" { 97 } else { 96 };
            assert_eq!(own.count("*"), rows, "{kind:?} {word}");
        }
    }
}
