//! `esteira replay`: dead letters go back in, and nothing is lost or doubled whatever happens.

mod killed;
mod letters;

use std::fs;

use super::harness::{Finished, Place};

/// A worker that refuses what a file says: fixed by writing it anew.
const WORKER: &str = r#"
import json, sys
bad = set(open(sys.argv[1]).read().split())
for line in sys.stdin:
    request = json.loads(line)
    record = request["record"]
    if str(record["id"]) in bad:
        print(json.dumps({"id": request["id"], "ok": False, "errors": [
            {"path": "/id", "code": "id.bad", "message": "not this one"}]}), flush=True)
    else:
        print(json.dumps({"id": request["id"], "ok": True}), flush=True)
"#;

const PIPELINE: &str = r#"
[pipeline]
name = "p"
max_rejects = "100%"
rejects = "bad.ndjson"

[sources.a]
type = "file"
path = ["a1.ndjson", "a2.ndjson"]

[sources.b]
type = "file"
path = "b.ndjson"

[stages.first]
run = ["python3", "worker.py", "bad"]
protocol = "records"
workers = 1
inputs = ["a", "b"]

[stages.second]
run = ["python3", "worker.py", "worse"]
protocol = "records"
workers = 1

[sinks.out]
type = "file"
path = "out/good.ndjson"
"#;

/// A folder in which a run has left letters of both sources, and of both stages.
fn place() -> Place {
    let place = Place::new();
    place.write("worker.py", WORKER);
    place.write("p.toml", PIPELINE);
    place.write("a1.ndjson", "{\"id\":1}\n{\"id\":2}\r\n");
    place.write("a2.ndjson", "{bad\n{\"id\":3}\n");
    place.write("b.ndjson", "{\"id\":4}\n{\"id\":5}\n[1,\n");
    place.write("bad", "2 5");
    place.write("worse", "4");
    drop(place.esteira().pipeline("p.toml", &[]).run().exits(0));
    assert_eq!(place.text("out/good.ndjson"), "{\"id\":1}\n{\"id\":3}\n");
    place
}

fn replay(place: &Place, options: &[&str]) -> Finished {
    place.esteira().args(["replay", "bad.ndjson", "p.toml"]).args(options).run()
}

/// What all replays have added to the output.
fn added(place: &Place) -> Vec<String> {
    let files = fs::read_dir(place.path("out")).unwrap();
    let mut names: Vec<String> =
        files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("good.replay-"));
    let mut texts: Vec<String> =
        names.iter().map(|name| place.text(&format!("out/{name}"))).collect();
    texts.sort();
    texts
}
