//! Runs that are cut off and taken up again: whatever happened to the first, the second ends with
//! the bytes and the counts of one that nothing happened to, or refuses and says why.

mod asked;
mod calls;
mod damaged;
mod errors;
mod kept;
mod kills;
mod made;
mod over;
mod refused;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::harness::{Esteira, Finished, Place, alive, eventually, strays};
use super::workers::fake;

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(30);

/// How many records an input has.
const RECORDS: u64 = 4000;

/// A pipeline that is tried: from `a` (and `b`) to files in `out`.
#[derive(Clone, Copy)]
struct Case {
    tables: &'static str,
    /// Outputs whose bytes are the same each time.
    outputs: &'static [&'static str],
}

/// What all begin with.
const HEAD: &str = "[pipeline]\nrejects = \"out/rejects\"\nmax_rejects = \"50%\"\n";

/// Programs, a built-in stage, an output that is packed.
const POOL: Case = Case {
    tables: r#"
        [sources.in]
        type = "file"
        path = "a"
        [stages.work]
        run = ["perl", "work.pl", "1999"]
        protocol = "records"
        workers = 2
        [stages.sign]
        use = "hash"
        field = "/user"
        algorithm = "sha256"
        [sinks.plain]
        type = "file"
        path = "out/plain"
        [sinks.packed]
        type = "file"
        inputs = ["sign"]
        path = "out/packed.gz"
    "#,
    outputs: &["out/plain", "out/packed.gz"],
};

/// Two sources one after the other, branches, dead letters that are repaired.
const GRAPH: Case = Case {
    tables: r#"
        [sources.first]
        type = "file"
        path = "a"
        [sources.second]
        type = "file"
        path = ["b", "c"]
        [stages.work]
        run = ["perl", "work.pl", "1999"]
        protocol = "records"
        inputs = ["first", "second"]
        output = "out/all"
        [stages.few]
        use = "select"
        field = "/n"
        max = 1500
        inputs = ["work"]
        output = "out/few"
        [stages.mend]
        run = ["perl", "work.pl", "repair"]
        protocol = "records"
        inputs = ["work.rejects"]
        output = "out/mended"
    "#,
    outputs: &["out/all", "out/few", "out/mended"],
};

/// No program at all.
const BUILTIN: Case = Case {
    tables: r#"
        [sources.in]
        type = "file"
        path = ["a", "c", "b"]
        [stages.most]
        use = "select"
        field = "/n"
        min = 100
        [stages.sign]
        use = "hash"
        field = "/user"
        algorithm = "sha512"
        workers = 2
        output = "out/plain"
    "#,
    outputs: &["out/plain"],
};

/// What a run that nothing happened to leaves.
#[derive(Debug, PartialEq, Eq)]
struct Whole {
    outputs: BTreeMap<String, Vec<u8>>,
    letters: Vec<String>,
    counts: Vec<(String, u64)>,
}

impl Case {
    /// A folder with the pipeline and its inputs.
    fn place(self) -> Place {
        let place = Place::new();
        place.write("p.toml", format!("{HEAD}{}", self.tables));
        place.write("work.pl", fs::read(fake("replies.pl")).unwrap());
        place.write("a", records(1, RECORDS));
        place.write("b", records(RECORDS, 1000));
        place.write("c", records(RECORDS * 2, 1000));
        place
    }

    /// What there is to be in the end.
    fn whole(self) -> Whole {
        let place = self.place();
        let done = run(&place, &[]).run().exits(0);
        let whole = self.found(&place, &done);
        assert!(!whole.letters.is_empty());
        assert!(whole.outputs.values().all(|output| !output.is_empty()));
        whole
    }

    /// What there is.
    fn found(self, place: &Place, done: &Finished) -> Whole {
        let outputs = self.outputs.iter().map(|name| ((*name).to_owned(), place.read(name)));
        Whole {
            outputs: outputs.collect(),
            letters: letters(&place.text("out/rejects")),
            counts: counts(&done.report()),
        }
    }

    /// Requires that a run ended well, with what one leaves that nothing happened to.
    #[track_caller]
    fn is_whole(self, place: &Place, done: Finished, whole: &Whole, which: &str) {
        assert_eq!(done.code(), 0, "{which}: {}", done.stderr);
        nobody_is_left(place, which);
        assert_eq!(strays(place.root()), Vec::<PathBuf>::new(), "{which}: {}", done.stderr);
        assert_eq!(unfinished(place), Vec::<PathBuf>::new(), "{which}: {}", done.stderr);
        let found = self.found(place, &done);
        for (name, bytes) in &whole.outputs {
            let (found, wanted) = (&found.outputs[name], bytes.len());
            assert!(found == bytes, "{which}: {name} has {} of {wanted} bytes", found.len());
        }
        assert_eq!(found.letters, whole.letters, "{which}");
        assert_eq!(found.counts, whole.counts, "{which}: {}", done.stderr);
        drop(done);
    }
}

impl Whole {
    /// Requires that no output appeared that is not whole.
    #[track_caller]
    fn or_nothing_is_there(&self, place: &Place, which: &str) {
        for (name, bytes) in &self.outputs {
            let path = place.path(name);
            let found = if path.exists() { fs::read(path).unwrap() } else { continue };
            assert!(found == *bytes, "{which}: {name} has {} bytes", found.len());
        }
    }
}

/// A run that is made durable at each of its marks.
fn call<'a>(esteira: Esteira<'a>, place: &Place, options: &[&str]) -> Esteira<'a> {
    // What one reads is of this run, or there is none.
    fs::remove_file(place.path("report.json")).ok();
    let options = [&["--events", "events", "--checkpoint-every", "0"], options].concat();
    esteira.pipeline("p.toml", &options)
}

fn run<'a>(place: &'a Place, options: &[&str]) -> Esteira<'a> {
    call(place.esteira(), place, options)
}

fn resume(place: &Place) -> Esteira<'_> {
    run(place, &["--resume"])
}

/// Numbered records; some are of a sort that is refused, some are no JSON.
fn records(first: u64, count: u64) -> Vec<u8> {
    let record = |n: u64| match n % 500 {
        0 => format!("not JSON: {n}\n"),
        1 => format!("{{\"n\":{n},\"user\":{n}}}\n"),
        _ => format!("{{\"n\":{n},\"user\":\"user number {n}\",\"pad\":\"{n:060}\"}}\n"),
    };
    (first..first + count).map(record).collect::<String>().into_bytes()
}

/// Dead letters, in some order, without what may differ.
fn letters(text: &str) -> Vec<String> {
    let letter = |line: &str| {
        let mut letter: Value = serde_json::from_str(line).unwrap();
        letter.as_object_mut().unwrap().remove("trace");
        letter.to_string()
    };
    let mut letters: Vec<String> = text.lines().map(letter).collect();
    letters.sort();
    letters
}

/// All counts of a report.
fn counts(report: &Value) -> Vec<(String, u64)> {
    let mut counts = Vec::new();
    for kind in ["sources", "stages", "sinks"] {
        for (name, table) in report[kind].as_object().unwrap() {
            for (key, value) in table.as_object().unwrap() {
                let told = ["restarts", "retried"].contains(&key.as_str());
                counts
                    .extend(value.as_u64().filter(|_| !told).map(|n| (format!("{name}.{key}"), n)));
            }
        }
    }
    counts
}

/// Requires that all processes of a run end, though the program itself could not wait for them.
#[track_caller]
fn nobody_is_left(place: &Place, which: &str) {
    let gone = eventually(LONG, || alive(place.root()).is_empty().then_some(()));
    assert!(gone.is_some(), "{which}: left are {:?}", alive(place.root()));
}

/// What stands in the folder of the state beside what may.
fn unfinished(place: &Place) -> Vec<PathBuf> {
    let known = ["lock", "state", ".gitignore"];
    let there = fs::read_dir(place.path(".esteira/p")).into_iter().flatten().flatten();
    let names = there.map(|entry| entry.path());
    let is_known = |path: &Path| known.iter().any(|name| path.ends_with(name));
    names.filter(|path| !is_known(path)).collect()
}

/// How often something is tried: `ESTEIRA_TRIALS`, or as often as there is time for.
fn trials(usual: u64) -> u64 {
    std::env::var("ESTEIRA_TRIALS").map_or(usual, |text| text.parse().unwrap()).max(usual)
}

/// Numbers without a pattern, but the same each time.
fn scattered(trial: u64) -> u64 {
    let mixed = (trial + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}
