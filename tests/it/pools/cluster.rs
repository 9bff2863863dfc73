//! The example that inserts users into a database: each valid one stands there once, whoever of
//! the workers dies meanwhile.

use std::fs;
use std::process::Command;

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};

use super::super::harness::{Place, events, project};
use super::until;

/// How many users there are, and how many of them are valid.
const USERS: (usize, usize) = (5000, 4850);

/// The folders that the example needs.
const NEEDED: [&str; 3] = ["fixtures/pipelines", "fixtures/records", "validators/python"];

/// A copy of the project, as far as the example needs it.
fn copy() -> Place {
    let place = Place::new();
    for folder in NEEDED {
        copy_folder(&place, folder);
    }
    place
}

fn copy_folder(place: &Place, folder: &str) {
    for entry in fs::read_dir(project(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(place, &name);
        } else {
            place.write(&name, fs::read(entry.path()).unwrap());
        }
    }
}

/// What the table holds by now, in the order of the users' numbers.
fn rows(place: &Place) -> Vec<Value> {
    let script = "import json, sqlite3, sys\n\
                  try:\n    \
                  table = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True, timeout=30)\n    \
                  rows = table.execute('SELECT id, name, email, age, active, created_at'\n        \
                  ' FROM validated_user ORDER BY id').fetchall()\n\
                  except sqlite3.OperationalError:\n    \
                  rows = []\n\
                  print(json.dumps(rows))\n";
    let path = place.path("out/cluster.db");
    let done = Command::new("python3").args(["-c", script]).arg(path).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// The lines of the users that are valid, as the fixtures say, and the row of each.
fn valid() -> (Vec<String>, Vec<Value>) {
    let expected = fs::read(project("fixtures/records/users.expect.json")).unwrap();
    let bad = serde_json::from_slice::<Value>(&expected).unwrap()["reject"].clone();
    let users = fs::read_to_string(project("fixtures/records/users.ndjson")).unwrap();
    let good = (1..).zip(users.lines()).filter(|(line, _)| bad[line.to_string()].is_null());
    let lines: Vec<String> = good.map(|(_, user)| user.to_owned()).collect();
    let mut rows: Vec<Value> = lines.iter().map(|line| row(line)).collect();
    rows.sort_by_key(|row| row[0].as_u64());
    (lines, rows)
}

fn row(line: &str) -> Value {
    let user: Value = serde_json::from_str(line).unwrap();
    let active = user["active"].as_bool().map(u8::from);
    json!([user["id"], user["name"], user["email"], user["age"], active, user["created_at"]])
}

/// Runs the example, and meanwhile ends so many of its workers, each once some users are in.
fn run(deaths: usize) {
    let place = copy();
    let file = "fixtures/pipelines/valid/cluster.toml";
    let running = place.esteira().pipeline(file, &["--events", "events"]).start();
    for death in 0..deaths {
        let over = || !events(&place, "run_finished").is_empty();
        until("more users are in", || rows(&place).len() > death * 500 || over());
        let starts = events(&place, "worker_started");
        // One of those that were there from the beginning: their records are suspects once only.
        let first = starts.iter().find(|start| start["worker"] == death).unwrap();
        let pid = i32::try_from(first["pid"].as_u64().unwrap()).unwrap();
        rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).ok();
    }
    let done = running.wait().exits(0);
    let (lines, wanted) = valid();
    let rows = rows(&place);
    assert!(rows == wanted, "{} rows: {}", rows.len(), done.stderr);
    let inserted = place.text("out/inserted-users.ndjson");
    assert!(inserted.lines().eq(&lines), "{}", done.stderr);
    let stage = done.report()["stages"]["insert"].clone();
    let counts = ["in", "accepted", "rejected"].map(|key| stage[key].as_u64().unwrap());
    let (all, good) = (USERS.0 as u64, USERS.1 as u64);
    assert_eq!(counts, [all, good, all - good], "{stage}");
    assert_eq!(place.text("out/cluster-rejects.ndjson").lines().count(), USERS.0 - USERS.1);
}

#[test]
fn the_table_holds_the_valid_users() {
    run(0);
}

#[test]
fn the_table_holds_the_valid_users_whoever_dies() {
    run(3);
}
