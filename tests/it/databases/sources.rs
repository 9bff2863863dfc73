//! Rows that become records, page by page.

use super::super::harness::Place;
use super::{KINDS, Kind, Own};

fn source(own: &Own, more: &str) -> String {
    format!("[sources.s]\n{}key = \"id\"\n{more}\noutput = \"out\"\n", own.keys())
}

/// As many rows as a page, one less, one more; whatever else the key is.
#[test]
fn pages_meet_and_no_row_is_twice_or_missing() {
    for kind in KINDS {
        for rows in [0, 1, 9, 10, 11, 20, 21, 205] {
            let place = Place::new();
            let own = Own::new(kind, &place);
            own.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
            let values: Vec<String> = (0..rows).map(|n| format!("({},'n{n}')", n * 7)).collect();
            if rows > 0 {
                own.execute(&format!("INSERT INTO t VALUES {}", values.join(",")));
            }
            place.write("p.toml", source(&own, "table = \"t\"\npage = 10"));
            drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
            let line = |n: i32| format!("{{\"id\":{},\"name\":\"n{n}\"}}\n", n * 7);
            let wanted: String = (0..rows).map(line).collect();
            assert_eq!(place.text("out"), wanted, "{kind:?} {rows}");
        }
    }
}

#[test]
fn keys_may_be_texts_and_may_have_several_parts() {
    for kind in KINDS {
        let place = Place::new();
        let own = Own::new(kind, &place);
        own.execute("CREATE TABLE t (a TEXT, b INTEGER, c TEXT, PRIMARY KEY (a, b))");
        let values: Vec<String> =
            (0..50).map(|n| format!("('x''{}',{},'v{n}')", n / 7, n % 7)).collect();
        own.execute(&format!("INSERT INTO t VALUES {}", values.join(",")));
        let text = source(&own, "table = \"t\"\npage = 3\ncolumns = [\"c\"]\nwhere = \"b <> 3\"");
        place.write("p.toml", text.replace("key = \"id\"", "key = [\"a\", \"b\"]"));
        drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
        let line = |n: i32| format!("{{\"c\":\"v{n}\"}}\n");
        let wanted: String = (0..50).filter(|n| n % 7 != 3).map(line).collect();
        assert_eq!(place.text("out"), wanted, "{kind:?}");
        let query =
            "query = \"SELECT a, max(b) AS id, count(*) AS n FROM t GROUP BY a;\"\npage = 2";
        place.write("q.toml", source(&own, query).replace("key = \"id\"", "key = \"a\""));
        drop(place.esteira().pipeline("q.toml", &[]).run().exits(0));
        assert_eq!(place.text("out").lines().count(), 8, "{kind:?}");
        assert!(place.text("out").starts_with("{\"a\":\"x'0\",\"id\":6,\"n\":7}\n"));
    }
}

/// Of rows with one key, one would be missed at the end of a page: it is told instead.
#[test]
fn a_key_with_ties_or_without_a_value_is_told() {
    for kind in KINDS {
        for place_of_tie in [1, 9, 10, 11, 35] {
            let place = Place::new();
            let own = Own::new(kind, &place);
            own.execute("CREATE TABLE t (id INTEGER)");
            let values: Vec<String> = (0..40)
                .map(|n| format!("({})", if n == place_of_tie { n - 1 } else { n }))
                .collect();
            own.execute(&format!("INSERT INTO t VALUES {}", values.join(",")));
            place.write("p.toml", source(&own, "table = \"t\"\npage = 10"));
            let done = place.esteira().pipeline("p.toml", &[]).run().exits(4);
            let told = "two rows have the same key (id)";
            assert!(done.stderr.contains(told), "{kind:?} {place_of_tie}: {}", done.stderr);
            assert!(!place.has("out"));
        }
        let place = Place::new();
        let own = Own::new(kind, &place);
        own.execute("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (NULL)");
        place.write("p.toml", source(&own, "table = \"t\""));
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(4);
        assert!(done.stderr.contains("key (id) is NULL"), "{kind:?}: {}", done.stderr);
        place.write("p.toml", source(&own, "table = \"t\"\nwhere = \"id IS NOT NULL\""));
        drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
        assert_eq!(place.text("out"), "{\"id\":1}\n");
    }
}

/// How keys compare is the database's business: some are the same that are not written so.
#[test]
fn a_key_that_is_the_same_in_another_spelling_is_told_at_the_border_of_pages() {
    for (kind, table) in [
        (
            Kind::Sqlite,
            "CREATE TABLE t (id TEXT COLLATE NOCASE); INSERT INTO t VALUES ('b'), ('B'), ('a'), ('c')",
        ),
        (
            Kind::Postgres,
            "CREATE TABLE t (id numeric); INSERT INTO t VALUES (2.0), (2.00), (1), (3)",
        ),
    ] {
        for page in [1, 2, 3, 4, 100] {
            let place = Place::new();
            let own = Own::new(kind, &place);
            own.execute(table);
            place.write("p.toml", source(&own, &format!("table = \"t\"\npage = {page}")));
            let done = place.esteira().pipeline("p.toml", &[]).run();
            // Within a page both are there; a border between them would cost one.
            let parted = [1, 2].contains(&page);
            assert_eq!(done.code(), if parted { 4 } else { 0 }, "{kind:?} {page}: {}", done.stderr);
            if parted {
                assert!(done.stderr.contains("two rows have the same key"), "{}", done.stderr);
            } else {
                assert_eq!(place.text("out").lines().count(), 4, "{kind:?} {page}");
            }
        }
    }
}

/// What the database has that JSON has not.
#[test]
fn values_of_all_types_are_told_as_the_documentation_says() {
    for (kind, table, wanted) in [
        (
            Kind::Sqlite,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b BLOB, c BOOLEAN, d JSON, e REAL, f TEXT);
             INSERT INTO t VALUES (9223372036854775807, 1.0, x'00ff', 1, '{\"x\":\n[1]}', 9e999, 'no');
             INSERT INTO t VALUES (1, NULL, 'text', 2, 'no JSON', -1e308, char(0,9,34));",
            "{\"id\":1,\"a\":null,\"b\":\"text\",\"c\":2,\"d\":\"no JSON\",\"e\":-1e+308,\
             \"f\":\"\\u0000\\t\\\"\"}\n\
             {\"id\":9223372036854775807,\"a\":1.0,\"b\":\"AP8=\",\"c\":true,\"d\":{\"x\": [1]},\
             \"e\":9e999,\"f\":\"no\"}\n",
        ),
        (
            Kind::Postgres,
            "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id bigint PRIMARY KEY,
             a numeric, b float8, c timestamptz, d timestamp, e date, f jsonb, g json, h int[], i mood,
             j inet, k bytea, l interval, m bool, n time, o uuid);
             INSERT INTO t VALUES (9223372036854775807, 1.10, 'NaN', '2024-02-29 12:00:00.5+02',
             '2024-02-29 12:00:00', '2024-02-29', '{\"b\": 1, \"a\": 2.50}', E'{\"x\":\n1}', '{1,2}',
             'ok', '10.0.0.1', '\\x00ff', '1 day 02:00', false, '12:00', \
             '0190f1a0-7b7c-7abc-8def-0123456789ab'); INSERT INTO t VALUES (1, 'NaN', 0.1, 'infinity');",
            "{\"id\":1,\"a\":\"NaN\",\"b\":0.1,\"c\":\"infinity\",\"d\":null,\"e\":null,\"f\":null,\
             \"g\":null,\"h\":null,\"i\":null,\"j\":null,\"k\":null,\"l\":null,\"m\":null,\"n\":null,\
             \"o\":null}\n\
             {\"id\":9223372036854775807,\"a\":1.10,\"b\":\"NaN\",\"c\":\"2024-02-29T10:00:00.5Z\",\
             \"d\":\"2024-02-29T12:00:00\",\"e\":\"2024-02-29\",\"f\":{\"a\": 2.50, \"b\": 1},\
             \"g\":{\"x\": 1},\"h\":[1,2],\"i\":\"ok\",\"j\":\"10.0.0.1/32\",\"k\":\"AP8=\",\
             \"l\":\"P1DT2H\",\"m\":false,\"n\":\"12:00:00\",\
             \"o\":\"0190f1a0-7b7c-7abc-8def-0123456789ab\"}\n",
        ),
    ] {
        let place = Place::new();
        let own = Own::new(kind, &place);
        own.execute(table);
        place.write("p.toml", source(&own, "table = \"t\""));
        drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
        let wanted = if kind == Kind::Postgres { wanted.replace("10.0.0.1/32", "10.0.0.1") } else { wanted.to_owned() };
        assert_eq!(place.text("out").replace("10.0.0.1/32", "10.0.0.1"), wanted, "{kind:?}");
    }
}

/// Rows come and go while pages are read: those that are there all the time are read once.
#[test]
fn rows_that_come_and_go_meanwhile_move_no_others() {
    for kind in KINDS {
        for snapshot in [false, true] {
            let place = Place::new();
            let own = Own::new(kind, &place);
            own.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, pad TEXT)");
            let (pad, last) = ("x".repeat(200), 400_000);
            own.execute(&match kind {
                Kind::Sqlite => format!(
                    "PRAGMA journal_mode = wal; WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL \
                     SELECT n + 1 FROM n WHERE n < 40000) INSERT INTO t SELECT n * 10, '{pad}' FROM n"
                ),
                Kind::Postgres => {
                    format!("INSERT INTO t SELECT n * 10, '{pad}' FROM generate_series(1, 40000) n")
                }
            });
            let stage = "[stages.slow]\nrun = [\"sh\", \"-c\", \"cat gate >/dev/null; cat\"]\n\
                         output = \"out\"";
            let text = source(&own, &format!("table = \"t\"\npage = 100\nsnapshot = {snapshot}"));
            place.write("p.toml", text.replace("output = \"out\"", "") + stage);
            let gate = place.path("gate");
            rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
            let running = place.esteira().pipeline("p.toml", &["--events", "events"]).start();
            // The filter takes nothing before it opens: then the first pages are read, and not the last.
            let open = super::gate(&place, &running);
            own.execute(
                "DELETE FROM t WHERE id IN (10, 20, 399990);
                 INSERT INTO t (id) VALUES (5), (15), (399995), (400010)",
            );
            drop(open);
            let done = running.wait().exits(0);
            let out = place.text("out");
            let ids: Vec<u64> = out
                .lines()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                .map(|row| row["id"].as_u64().unwrap())
                .collect();
            assert!(ids.is_sorted_by(|a, b| a < b), "{kind:?}");
            let stays = |id: &&u64| {
                id.is_multiple_of(10) && ![10, 20, 399_990].contains(*id) && **id <= last
            };
            assert_eq!(ids.iter().filter(stays).count(), 39_997, "{kind:?}: {}", done.stderr);
            let whole: Vec<u64> = (1..=40_000).map(|n| n * 10).collect();
            let ends: Vec<u64> = ids.iter().rev().take(3).copied().collect();
            if snapshot {
                assert_eq!(ids, whole, "{kind:?}");
            } else {
                assert_eq!(ends, [400_010, 400_000, 399_995], "{kind:?}");
            }
        }
    }
}
