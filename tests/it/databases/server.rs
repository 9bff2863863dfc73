//! Real servers of Postgres, of `scripts/postgres`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::super::harness::{needs, project};

/// A server. It ends with whoever started it, however that ends.
pub(super) struct Server {
    pub(super) url: String,
    pub(super) port: u16,
    pub(super) password: String,
    pub(super) ca: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// A schema of a server: it is as good as a database of one's own, and made at once.
pub(super) struct Database {
    pub(super) url: String,
    pub(super) schema: String,
}

impl Server {
    /// Starts one.
    pub(super) fn start() -> Self {
        let mut child = Command::new(project("scripts/postgres"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("scripts/postgres starts a server");
        let text = |key: &str| told[key].as_str().unwrap().to_owned();
        let (url, password, ca) = (text("url"), text("password"), text("ca"));
        let port = told["port"].as_u64().unwrap().try_into().unwrap();
        let stdin = child.stdin.take();
        Self { url, port, password, ca, child, stdin, stdout }
    }

    /// The one that all tests share which do it no harm.
    pub(super) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Makes a schema.
    pub(super) fn database(&self) -> Database {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let schema = format!("s{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = format!("{}?options=-csearch_path%3D{schema}", self.url);
        let database = Database { url, schema };
        drop(database.ask(&format!("CREATE SCHEMA {}", database.schema)));
        database
    }

    /// Kills it.
    pub(super) fn crash(&mut self) {
        self.tell("crash");
    }

    /// Starts it again.
    pub(super) fn restart(&mut self) {
        self.tell("start");
    }

    fn tell(&mut self, what: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{what}").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "ok\n", "{what}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Which ends it.
        drop(self.stdin.take());
        self.child.wait().ok();
    }
}

impl Database {
    /// Does something in it; returns what is found, a line a row.
    pub(super) fn ask(&self, sql: &str) -> String {
        let psql = needs("psql", "postgresql-client");
        let arguments = [&self.url, "-v", "ON_ERROR_STOP=1", "-qAtc", sql];
        let done = Command::new(psql).args(arguments).output().unwrap();
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
    }
}
