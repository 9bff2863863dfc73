//! Databases: rows that come from them and go into them, on real ones.

mod again;
mod cuts;
mod faults;
mod kills;
mod resumed;
mod rows;
mod server;
mod shapes;
mod sources;

use std::os::fd::OwnedFd;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;
use rustix::fs::{Mode, OFlags};

use super::harness::{Place, Running, eventually};
use server::{Database, Server};

/// The two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

const KINDS: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

/// A database of a test's own, in its folder or on the server.
struct Own {
    kind: Kind,
    file: std::path::PathBuf,
    database: Option<Database>,
}

impl Own {
    fn new(kind: Kind, place: &Place) -> Self {
        let database = (kind == Kind::Postgres).then(|| Server::shared().database());
        Self { kind, file: place.path("app.db"), database }
    }

    /// The keys that say where it is.
    fn keys(&self) -> String {
        match &self.database {
            None => "type = \"sqlite\"\npath = \"app.db\"\n".to_owned(),
            Some(database) => format!("type = \"postgres\"\nurl = \"{}\"\n", database.url),
        }
    }

    /// Does something in it.
    fn execute(&self, sql: &str) {
        match &self.database {
            None => open(&self.file).execute_batch(sql).unwrap(),
            Some(database) => drop(database.ask(sql)),
        }
    }

    /// Asks it for one value, as text.
    fn ask(&self, sql: &str) -> String {
        match &self.database {
            None => {
                let found = open(&self.file).query_row(sql, [], |row| row.get::<_, Value>(0));
                match found.unwrap() {
                    Value::Null => String::new(),
                    Value::Integer(number) => number.to_string(),
                    Value::Real(number) => number.to_string(),
                    Value::Text(text) => text,
                    Value::Blob(bytes) => format!("{bytes:?}"),
                }
            }
            Some(database) => database.ask(sql),
        }
    }

    fn count(&self, what: &str) -> u64 {
        self.ask(&format!("SELECT count({what}) FROM t")).parse().unwrap()
    }
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    connection
}

/// Opens the gate once somebody waits at it; none if the run ends before. Who waits goes on when this
/// is closed.
fn gate(place: &Place, running: &Running) -> Option<OwnedFd> {
    let (gate, flags) = (place.path("gate"), OFlags::WRONLY | OFlags::NONBLOCK);
    let opened = || match rustix::fs::open(&gate, flags, Mode::empty()) {
        Ok(opened) => Some(Some(opened)),
        Err(_) => (!running.lives()).then_some(None),
    };
    eventually(resumed::LONG, opened).expect("nobody waits at the gate")
}

/// Users of which each 100th has a key that was there before, each other 100th a wrong type.
fn users(from: u64, to: u64) -> String {
    let user = |n: u64| match n % 100 {
        50 => format!("{{\"id\":{},\"name\":\"again {n}\"}}\n", n - 1),
        60 => format!("{{\"id\":{n},\"name\":{n}}}\n"),
        _ => format!("{{\"id\":{n},\"name\":\"user {n}\"}}\n"),
    };
    (from..to).map(user).collect()
}

/// A pipeline from the file `in` to the table `t`, by way of `more`.
fn pipeline(own: &Own, more: &str) -> String {
    format!(
        "[pipeline]\nrejects = \"bad\"\nmax_rejects = \"100%\"\n\
         [sources.in]\ntype = \"file\"\npath = \"in\"\n\
         [sinks.db]\n{}table = \"t\"\nkey = \"id\"\n\
         columns = {{ id = \"integer\", name = \"text\" }}\n{more}\n",
        own.keys()
    )
}
