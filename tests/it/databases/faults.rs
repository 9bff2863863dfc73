//! Databases that are locked, full, gone, or somebody else's.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::super::harness::{Place, events, eventually, needs};
use super::resumed::{Case, LONG, undisturbed};
use super::server::{Database, Server};
use super::{Kind, Own, open, pipeline, users};

#[test]
fn a_file_that_another_holds_is_waited_for_a_while() {
    let place = Place::new();
    let own = Own::new(Kind::Sqlite, &place);
    place.write("in", users(0, 100));
    place.write("p.toml", pipeline(&own, "busy_timeout = \"100ms\""));
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
    let other = open(&own.file);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let done = place.esteira().pipeline("p.toml", &[]).run().exits(4);
    assert!(done.stderr.contains("SQLITE_BUSY"), "{}", done.stderr);
    assert!(done.stderr.contains("give `busy_timeout` more time"), "{}", done.stderr);
    place.write("p.toml", pipeline(&own, "busy_timeout = \"30s\"\non_conflict = \"update\""));
    let running = place.esteira().pipeline("p.toml", &[]).start();
    // It has the file open by now, and waits.
    let waits = || {
        let opened = fs::read_dir(format!("/proc/{}/fd", running.pid())).ok()?;
        let mut names = opened.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        names.any(|name| name == own.file).then_some(())
    };
    assert!(eventually(LONG, waits).is_some(), "it never opened the file");
    other.execute_batch("COMMIT").unwrap();
    drop(running.wait().exits(0));
    assert_eq!(own.count("*"), 98);
}

/// A limit on the size of files stands for a full disk, which nobody can make here.
#[test]
fn a_file_that_can_grow_no_more_keeps_what_was_committed() {
    let prlimit = needs("prlimit", "util-linux");
    let whole = undisturbed(Kind::Sqlite, "");
    let case = Case::new(Kind::Sqlite, "");
    let options = ["--events", "events", "--checkpoint-every", "0"];
    let limited = case.place.esteira().under(&prlimit, &["--fsize=120000"]);
    let done = limited.pipeline("p.toml", &options).run();
    assert_eq!(done.code(), 4, "{}", done.stderr);
    assert!(done.stderr.contains("SQLITE_"), "{}", done.stderr);
    drop(done);
    assert_eq!(case.own.ask("PRAGMA integrity_check"), "ok");
    let (rows, settled) = (case.own.count("*"), "SELECT records FROM esteira_position");
    let settled: u64 = case.own.ask(settled).parse().unwrap();
    assert!(rows > 0 && rows <= settled, "{rows} of {settled}");
    let done = case.run(&["--resume"]).run().exits(0);
    case.whole(&done).is(&whole, &done.stderr);
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let place = Place::new();
    place.write("in", "{\"id\":1}\n");
    place.write(
        "app.db",
        "no database at all, but a text of some length that is none\n".repeat(100),
    );
    let own = Own { kind: Kind::Sqlite, file: place.path("app.db"), database: None };
    place.write("p.toml", pipeline(&own, ""));
    let done = place.esteira().pipeline("p.toml", &[]).run().exits(4);
    assert!(done.stderr.contains("SQLITE_NOTADB"), "{}", done.stderr);
}

/// A server of one's own, to do harm to.
fn harmed() -> (Server, Case) {
    let server = Server::start();
    let place = Place::new();
    let database = Some(server.database());
    let own = Own { kind: Kind::Postgres, file: place.path(""), database };
    (server, Case::of(place, own, "reconnect = \"60s\""))
}

#[test]
fn a_server_that_crashes_and_comes_back_costs_no_row() {
    let whole = undisturbed(Kind::Postgres, "");
    let (mut server, case) = harmed();
    let gate = case.place.path("gate");
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
    let running = case.run(&[]).start();
    let some = || (events(&case.place, "checkpoint").len() > 2).then_some(());
    assert!(eventually(LONG, some).is_some(), "no checkpoint");
    server.crash();
    // What waits at the gate comes when the server is gone.
    case.let_go(&running);
    let lost = || {
        let told = events(&case.place, "database");
        told.iter().any(|event| event["what"] == "connection_lost").then_some(())
    };
    assert!(eventually(LONG, lost).is_some(), "it was not missed");
    server.restart();
    let done = running.wait().exits(0);
    case.whole(&done).is(&whole, &done.stderr);
    let told = events(&case.place, "database");
    assert!(told.iter().any(|event| event["what"] == "connected"), "{told:?}");
}

#[test]
fn a_server_that_stays_away_ends_the_run_which_can_go_on_later() {
    let whole = undisturbed(Kind::Postgres, "");
    let (mut server, case) = harmed();
    let text = case.place.text("p.toml").replace("\"60s\"", "\"300ms\"");
    case.place.write("p.toml", text);
    let gate = case.place.path("gate");
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
    let running = case.run(&[]).start();
    let some = || (events(&case.place, "checkpoint").len() > 2).then_some(());
    assert!(eventually(LONG, some).is_some(), "no checkpoint");
    server.crash();
    case.let_go(&running);
    let done = running.wait();
    assert_eq!(done.code(), 4, "{}", done.stderr);
    assert!(done.stderr.contains("tried again for 300ms (`reconnect`)"), "{}", done.stderr);
    drop(done);
    fs::remove_file(gate).unwrap();
    let refused = case.run(&["--resume"]).run();
    assert_eq!(refused.code(), 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("does the server run"), "{}", refused.stderr);
    drop(refused);
    server.restart();
    let done = case.run(&["--resume"]).run().exits(0);
    case.whole(&done).is(&whole, &done.stderr);
}

/// The server is there each time, so it is no lack of a connection that ends this.
#[test]
fn what_is_lost_each_time_it_is_tried_is_not_tried_for_ever() {
    let place = Place::new();
    let own = Own::new(Kind::Postgres, &place);
    place.write("in", "{\"id\":1,\"name\":\"a\"}\n");
    place.write("p.toml", pipeline(&own, "reconnect = \"300ms\""));
    own.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT)");
    let busy = "CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                RAISE EXCEPTION 'held' USING ERRCODE = '55P03'; END $$; \
                CREATE TRIGGER busy BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION busy()";
    own.execute(busy);
    let done = place.esteira().pipeline("p.toml", &[]).run().exits(4);
    assert!(
        done.stderr.contains("held (SQLSTATE 55P03); tried again for 300ms"),
        "{}",
        done.stderr
    );
    own.execute("DROP TRIGGER busy ON t");
    drop(place.esteira().pipeline("p.toml", &["--resume"]).run().exits(0));
    assert_eq!(own.count("*"), 1);
}

#[test]
fn a_source_whose_server_crashes_reads_on() {
    let mut server = Server::start();
    let place = Place::new();
    let database = server.database();
    database.ask("CREATE TABLE t (id int PRIMARY KEY, pad text)");
    let fill = "INSERT INTO t SELECT n, repeat('x', 300) FROM generate_series(1, 60000) n";
    database.ask(fill);
    let url = &database.url;
    place.write(
        "p.toml",
        format!(
            "[sources.s]\ntype = \"postgres\"\nurl = \"{url}\"\ntable = \"t\"\nkey = \"id\"\n\
             [stages.slow]\nrun = [\"sh\", \"-c\", \"cat gate >/dev/null; cat\"]\noutput = \"out\"\n"
        ),
    );
    let gate = place.path("gate");
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
    let running = place.esteira().pipeline("p.toml", &[]).start();
    let open = super::gate(&place, &running);
    server.crash();
    drop(open);
    server.restart();
    drop(running.wait().exits(0));
    let ids: Vec<u64> = place
        .text("out")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|row| row["id"].as_u64().unwrap())
        .collect();
    assert!(ids == (1..=60_000).collect::<Vec<u64>>(), "{} rows", ids.len());
}

/// Of two runs on one table the later one has it.
#[test]
fn a_run_that_is_replaced_stops_and_writes_nothing_more() {
    for kind in super::KINDS {
        let whole = undisturbed(kind, "on_conflict = \"update\"");
        let case = Case::new(kind, "on_conflict = \"update\"");
        let gate = case.place.path("gate");
        rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
        let running = case.run(&[]).start();
        let some = || (events(&case.place, "checkpoint").len() > 1).then_some(());
        assert!(eventually(LONG, some).is_some(), "no checkpoint");
        let mut other = Vec::new();
        for (from, to) in
            [("\"1999\"", "\"\""), ("\"plain\"", "\"plain2\""), ("\"rejects\"", "\"r2\"")]
        {
            other.push((from, to));
        }
        let text =
            other.iter().fold(case.place.text("p.toml"), |text, (from, to)| text.replace(from, to));
        fs::create_dir(case.place.path("other")).unwrap();
        let text = text.replace("[pipeline]", "[pipeline]\nname = \"p\"\nroot = \"..\"");
        case.place.write("other/p.toml", text);
        let arguments = ["run", "other/p.toml", "--report", "json=other/r.json"];
        let later = case.place.esteira().args(arguments).run();
        assert_eq!(later.code(), 0, "{}", later.stderr);
        drop(later);
        let rows = case.own.ask("SELECT count(*) FROM t");
        case.let_go(&running);
        let done = running.wait().exits(5);
        assert!(done.stderr.contains("another run writes to"), "{kind:?}: {}", done.stderr);
        assert_eq!(case.own.ask("SELECT count(*) FROM t"), rows);
        drop(done);
        drop(whole);
    }
}

/// A client that was killed may still hold the position on the server: it is waited for.
#[test]
fn what_a_zombie_is_about_to_commit_is_waited_for() {
    let case = Case::new(Kind::Postgres, "");
    let whole = undisturbed(Kind::Postgres, "");
    let gate = case.place.path("gate");
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, 0o600.into()).unwrap();
    let running = case.run(&[]).start();
    let some = || (events(&case.place, "checkpoint").len() > 2).then_some(());
    assert!(eventually(LONG, some).is_some(), "no checkpoint");
    running.signal(Signal::KILL);
    drop(running.wait());
    fs::remove_file(gate).unwrap();
    case.nobody_is_left();
    let database = case.own.database.as_ref().unwrap();
    let mut zombie = holder(database);
    let running = case.run(&["--resume"]).start();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                 AND application_name = 'esteira'";
    let waiting = || (database.ask(waits) == "1").then_some(());
    assert!(eventually(LONG, waiting).is_some(), "it does not wait");
    drop(zombie.stdin.take());
    zombie.wait().unwrap();
    let done = running.wait().exits(0);
    case.whole(&done).is(&whole, &done.stderr);
}

/// Holds the position in a transaction until its stdin is closed.
fn holder(database: &Database) -> std::process::Child {
    let psql = needs("psql", "postgresql-client");
    let mut child = Command::new(psql)
        .args([&database.url, "-qAt"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.as_mut().unwrap();
    writeln!(stdin, "BEGIN; SELECT records FROM esteira_position FOR UPDATE;").unwrap();
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    child
}

/// Constraints that are looked at when a transaction ends: its rows are tried in halves.
#[test]
fn a_row_that_is_refused_at_the_commit_is_found() {
    for (kind, tables) in [
        (
            Kind::Sqlite,
            "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (0), (1);
             CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT,
                 parent INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)",
        ),
        (
            Kind::Postgres,
            "CREATE TABLE p (id bigint PRIMARY KEY); INSERT INTO p VALUES (0), (1);
             CREATE TABLE t (id bigint PRIMARY KEY, name text,
                 parent bigint REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)",
        ),
    ] {
        let place = Place::new();
        let own = Own::new(kind, &place);
        own.execute(tables);
        let line = |n: u64| {
            let parent = if n % 50 == 7 { 9 } else { n % 2 };
            format!("{{\"id\":{n},\"name\":\"x\",\"parent\":{parent}}}\n")
        };
        place.write("in", (0..200).map(line).collect::<String>());
        let columns = "name = \"text\", parent = \"integer\" }";
        place.write("p.toml", pipeline(&own, "").replace("name = \"text\" }", columns));
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(0);
        assert_eq!(own.count("*"), 196, "{kind:?}: {}", done.stderr);
        let letters = place.text("bad");
        let lines: Vec<u64> = letters
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|letter| letter["line"].as_u64().unwrap())
            .collect();
        assert_eq!(lines, [8, 58, 108, 158], "{kind:?}");
        let code = if kind == Kind::Sqlite { "sqlite.SQLITE_CONSTRAINT" } else { "postgres.23503" };
        assert!(letters.contains(code), "{letters}");
    }
}
