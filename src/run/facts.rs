//! What the results of a run depend on beside its input: the plan, but for what only makes it
//! faster or breaks it off, and the files that programs are made of.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::plan::builtin::{Algorithm, Builtin, Task};
use crate::plan::describe::shell_words;
use crate::plan::{InFlight, Plan, Program, Protocol, Stage, Stream, Work};
use crate::publish::files::Disk;
use crate::publish::part::add_up;
use crate::publish::state::Fact;
use crate::words::dead_letter::hex;
use crate::words::marks::{Adder, Sum};
use crate::words::units::Restarts;

/// Collects the facts of a plan.
pub(super) fn facts(plan: &Plan) -> Vec<Fact> {
    let mut facts = Facts { plan, all: Vec::new() };
    facts.add("esteira", env!("CARGO_PKG_VERSION").to_owned());
    // Files are named as they are seen from there, in dead letters, too.
    facts.add("the folder it is called from", plan.caller.display().to_string());
    let wiring = format!("{:?} {:?}", plan.edges, plan.max_rejects);
    facts.add("who feeds whom, and the limits", text(&wiring));
    for source in &plan.sources {
        facts.add(&format!("the settings of `{}`", source.name), text(&format!("{source:?}")));
    }
    for stage in &plan.stages {
        facts.add_stage(stage);
    }
    for sink in &plan.sinks {
        facts.add(&format!("the settings of `{}`", sink.name), text(&format!("{sink:?}")));
    }
    for path in plan.watch.iter().flat_map(|pattern| matches(pattern)) {
        facts.add_file(&path);
    }
    facts.all
}

fn matches(pattern: &Path) -> Vec<PathBuf> {
    let found = pattern.to_str().and_then(|pattern| glob::glob(pattern).ok());
    found.into_iter().flatten().filter_map(Result::ok).filter(|path| path.is_file()).collect()
}

struct Facts<'a> {
    plan: &'a Plan,
    all: Vec<Fact>,
}

impl Facts<'_> {
    fn add(&mut self, what: &str, value: String) {
        self.all.push(Fact { what: what.to_owned(), value });
    }

    /// Adds what a file holds.
    fn add_file(&mut self, path: &Path) {
        let shown = format!("`{}`", self.plan.display(path));
        if self.all.iter().any(|fact| fact.what == shown) {
            return;
        }
        let value = match add_up(&Disk, path, u64::MAX) {
            Ok(adder) => shown_sum(adder.sum()),
            Err(error) => error.to_string(),
        };
        self.add(&shown, value);
    }

    fn add_stage(&mut self, stage: &Stage) {
        let name = &stage.name;
        let tolerance = stage.tolerance;
        match &stage.work {
            Work::Builtin(builtin) => {
                let Builtin { task, order, threads: _ } = builtin;
                let settings = format!("{task:?} {order:?} {tolerance:?}");
                self.add(&format!("the settings of `{name}`"), text(&settings));
                self.add_task(&format!("the key of `{name}`"), task);
            }
            Work::Program(program) => {
                let settings = format!("{:?} {tolerance:?}", settings(program));
                self.add(&format!("the settings of `{name}`"), text(&settings));
                self.add_program(program);
            }
        }
    }

    fn add_task(&mut self, key: &str, task: &Task) {
        match task {
            Task::Hash(hash) => {
                if let Algorithm::HmacSha256(secret, _) = &hash.algorithm {
                    let digest = Sha256::new().chain_update("esteira state\n");
                    let digest = digest.chain_update(&secret.0).finalize();
                    self.add(key, hex(&digest));
                }
            }
            Task::JsonSchema(schema) => {
                let mut files = BTreeSet::new();
                schema_files(&schema.schema, &mut files);
                for path in &files {
                    self.add_file(path);
                }
            }
            Task::Select(_) | Task::Unique(_) => {}
        }
    }

    fn add_program(&mut self, program: &Program) {
        let (command, name) = (&program.command, &program.stage);
        self.add(&format!("`run` of `{name}`"), shell_words(&command.argv));
        let given: Vec<_> =
            command.env.iter().filter(|(name, _)| command.set.contains(name)).collect();
        self.add(&format!("`env` of `{name}`"), text(&format!("{given:?}")));
        // What belongs to the system is told by its place and stamp, which costs nothing.
        let is_own = |path: &Path| path.starts_with(&command.folder) && path.is_file();
        if is_own(&command.program) {
            self.add_file(&command.program);
        } else {
            let stamp = fs::metadata(&command.program).map_or_else(
                |error| error.to_string(),
                |found| {
                    format!("{} bytes, {}.{:09}", found.len(), found.mtime(), found.mtime_nsec())
                },
            );
            let path = &command.program;
            self.add(&format!("the program of `{name}`, `{}`", path.display()), stamp);
        }
        for argument in command.argv.iter().skip(1) {
            let path = command.folder.join(argument);
            if is_own(&path) {
                self.add_file(&path);
            }
        }
    }
}

/// Leaves out of a program's settings what only makes it faster, or breaks it off.
fn settings(program: &Program) -> String {
    let Program { protocol, max_record, exit, .. } = program;
    let mut protocol = protocol.clone();
    if let Protocol::Stream(Stream { pieces: Some(pieces), .. }) = &mut protocol {
        pieces.workers = 1;
    }
    if let Protocol::Pool(pool) = &mut protocol {
        pool.workers = 1;
        pool.in_flight = InFlight { records: 1, bytes: 1 };
        pool.restarts = Restarts { count: 0, period: Duration::ZERO };
    }
    format!("{protocol:?} {max_record} {exit:?}")
}

/// Finds the files that a schema's `$ref`s lead to, itself included.
fn schema_files(path: &Path, found: &mut BTreeSet<PathBuf>) {
    if !path.is_file() || !found.insert(path.to_owned()) {
        return;
    }
    let text = fs::read(path).unwrap_or_default();
    // One that is no JSON text is refused when its stage starts.
    let Ok(schema) = serde_json::from_slice::<Value>(&text) else { return };
    let mut values = vec![&schema];
    while let Some(value) = values.pop() {
        match value {
            Value::Array(items) => values.extend(items),
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    let file = to.split('#').next().unwrap_or_default();
                    let file = file.rsplit_once("://").map_or(file, |(_, rest)| {
                        rest.rsplit_once('/').map_or(rest, |(_, last)| last)
                    });
                    if !file.is_empty() {
                        let folder = path.parent().unwrap_or(Path::new("/"));
                        schema_files(&folder.join(file), found);
                    }
                }
                values.extend(members.values());
            }
            _ => {}
        }
    }
}

/// A long text in short.
fn text(text: &str) -> String {
    let mut adder = Adder::default();
    adder.add(text.as_bytes());
    shown_sum(adder.sum())
}

fn shown_sum(sum: Sum) -> String {
    format!("sum {:032x}", sum.0)
}
