//! Tables that are there, what they are made of, and who may be asked before a run.

use super::super::harness::Place;
use super::server::Server;
use super::{KINDS, Kind, Own, pipeline};

#[test]
fn a_table_that_does_not_fit_is_told_with_all_that_is_wrong() {
    for kind in KINDS {
        let place = Place::new();
        let own = Own::new(kind, &place);
        own.execute("CREATE TABLE t (id INTEGER, other TEXT NOT NULL, name INTEGER)");
        place.write("in", "{\"id\":1,\"name\":\"a\"}\n");
        place.write("p.toml", pipeline(&own, ""));
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(4);
        for part in [
            "its column `name` is",
            "which is not for text",
            "its column `other` may not be NULL, and nothing is put into it",
            "its key (id) is not unique",
        ] {
            assert!(done.stderr.contains(part), "{kind:?} {part}: {}", done.stderr);
        }
        assert_eq!(own.count("*"), 0);
        let checked = place.esteira().args(["check", "p.toml", "--connect"]).run().exits(4);
        assert!(checked.stderr.contains("is not unique"), "{}", checked.stderr);
    }
}

#[test]
fn a_check_may_try_the_databases_and_changes_nothing() {
    for kind in KINDS {
        let place = Place::new();
        let own = Own::new(kind, &place);
        own.execute("CREATE TABLE s (id INTEGER PRIMARY KEY)");
        place.write("in", "");
        let source =
            format!("[sources.more]\n{}table = \"s\"\nkey = \"id\"\noutput = \"o\"\n", own.keys());
        place.write("p.toml", pipeline(&own, "") + &source);
        let done = place.esteira().args(["check", "p.toml", "--connect"]).run().exits(0);
        assert!(done.stdout.starts_with(b"pipeline `p` is well-formed\n"));
        let tables = match kind {
            Kind::Sqlite => "SELECT count(*) FROM sqlite_master WHERE type = 'table'",
            Kind::Postgres => "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()",
        };
        assert_eq!(own.ask(tables), "1", "{kind:?}");
        place.write("p.toml", pipeline(&own, "") + &source.replace("\"s\"", "\"missing\""));
        let done = place.esteira().args(["check", "p.toml", "--connect"]).run().exits(4);
        assert!(done.stderr.contains("missing"), "{}", done.stderr);
        place.write("p.toml", pipeline(&own, "") + &source.replace("\"id\"", "\"idd\""));
        let done = place.esteira().args(["check", "p.toml", "--connect"]).run().exits(4);
        assert!(done.stderr.contains("idd"), "{}", done.stderr);
    }
}

/// The types of columns, there and back.
#[test]
fn what_goes_in_comes_back_as_it_was() {
    let record = concat!(
        r#"{"id":-9007199254740993,"r":0.1,"n":1234567890.12345678900,"t":"a\"b\\c\n\té😀","b":true,"#,
        r#""j":{"b":[1.0,  2],"a":null},"ts":"2024-02-29T12:00:00Z","d":"2024-02-29","#,
        r#""u":"0190f1a0-7b7c-7abc-8def-0123456789ab","x":"AAEC/w=="}"#
    );
    for kind in KINDS {
        let place = Place::new();
        let own = Own::new(kind, &place);
        let nothing = r#"{"id":2,"r":null,"n":null,"t":null,"b":null,"j":null,"ts":null,"d":null,"u":null,"x":null}"#;
        place.write("in", format!("{record}\n{nothing}\n"));
        let columns = "columns = { id = \"integer\", r = \"real\", n = \"numeric\", t = \"text\", \
                       b = \"boolean\", j = \"json\", ts = \"timestamp\", d = \"date\", u = \"uuid\", \
                       x = \"blob\" }";
        let usual = "columns = { id = \"integer\", name = \"text\" }";
        place.write("p.toml", pipeline(&own, "").replace(usual, columns));
        drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
        let back =
            format!("[sources.s]\n{}table = \"t\"\nkey = \"id\"\noutput = \"back\"\n", own.keys());
        place.write("back.toml", back);
        drop(place.esteira().pipeline("back.toml", &[]).run().exits(0));
        assert_eq!(place.text("back"), format!("{record}\n{nothing}\n"), "{kind:?}");
    }
}

#[test]
fn a_secret_is_shown_nowhere() {
    let place = Place::new();
    let server = Server::shared();
    let database = server.database();
    let own = Own { kind: Kind::Postgres, file: place.path(""), database: Some(database) };
    place.write("in", "{\"id\":1}\n");
    let url = own.database.as_ref().unwrap().url.clone();
    place.write("p.toml", pipeline(&own, "").replace(&url, "${DATABASE_URL}"));
    let secret = url.split(['@', ':']).nth(2).unwrap().to_owned();
    let secrets = [secret.as_str(), &server.password];
    let options = ["--events", "events", "--report", "json=r.json"];
    let done =
        place.esteira().env("DATABASE_URL", &url).pipeline("p.toml", &options).run().exits(0);
    let state = place.text(".esteira/p/state");
    for text in [&done.stderr, &place.text("events"), &place.text("r.json"), &state] {
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }
    let wrong = url.replace(&secret, "s3cr3t-and-wrong");
    let done =
        place.esteira().env("DATABASE_URL", &wrong).pipeline("p.toml", &options).run().exits(4);
    assert!(done.stderr.contains("28P01") && !done.stderr.contains("s3cr3t"), "{}", done.stderr);
    let done =
        place.esteira().env("DATABASE_URL", "s3cr3t://x").pipeline("p.toml", &[]).run().exits(2);
    assert!(
        done.stderr.contains("`url` takes") && !done.stderr.contains("s3cr3t"),
        "{}",
        done.stderr
    );
}

#[test]
fn the_way_to_a_server_may_be_encrypted_and_checked() {
    let place = Place::new();
    let server = Server::shared();
    let database = server.database();
    place.write("secret", format!("{}\n", server.password));
    place.write("in", "{\"id\":1}\n");
    let table = format!("table = \"{}.t\"", database.schema);
    let port = server.port;
    let own = Own { kind: Kind::Postgres, file: place.path(""), database: Some(database) };
    let parts = format!(
        "host = \"localhost\"\nport = {port}\nuser = \"esteira\"\ndbname = \"postgres\"\n\
         password_file = \"secret\"\non_conflict = \"update\""
    );
    let url = format!("url = \"{}\"\n", own.database.as_ref().unwrap().url);
    let with = |more: &str| {
        pipeline(&own, &format!("{parts}\n{more}"))
            .replace(&url, "")
            .replace("table = \"t\"", &table)
    };
    std::fs::copy(&server.ca, place.path("ca.pem")).unwrap();
    let stranger = rcgen();
    place.write("other.pem", stranger);
    for (more, exit) in [
        ("sslmode = \"disable\"", 0),
        ("sslmode = \"require\"", 0),
        ("tls_ca = \"ca.pem\"", 0),
        ("sslmode = \"verify-full\"\ntls_ca = \"ca.pem\"", 0),
        ("tls_ca = \"other.pem\"", 4),
        ("sslmode = \"verify-full\"\ntls_ca = \"in\"", 4),
    ] {
        place.write("p.toml", with(more));
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(exit);
        assert!(exit == 0 || done.stderr.contains("cannot write to"), "{more}: {}", done.stderr);
    }
    // Whether it was encrypted, the server says itself.
    let used = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    for (mode, encrypted) in [("disable", "false"), ("require", "true")] {
        place.write(
            "q.toml",
            format!(
                "[sources.s]\n{}sslmode = \"{mode}\"\nquery = \"{used}\"\nkey = \"ssl\"\noutput = \"o\"\n",
                own.keys()
            ),
        );
        drop(place.esteira().pipeline("q.toml", &[]).run().exits(0));
        assert_eq!(place.text("o"), format!("{{\"ssl\":{encrypted}}}\n"));
    }
}

/// A certificate that has nothing to do with the server's.
fn rcgen() -> Vec<u8> {
    let openssl = super::super::harness::needs("openssl", "openssl");
    let arguments =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"];
    let rest = ["-keyout", "/dev/null"];
    let made = std::process::Command::new(openssl).args(arguments).args(rest).output().unwrap();
    assert!(made.status.success());
    made.stdout
}
