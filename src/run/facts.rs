//! What the results of a run depend on beside its input: the plan, but for what only makes it
//! faster or breaks it off, and the files that programs are made of.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::plan::builtin::{Algorithm, Builtin, Task};
use crate::plan::describe::shell_words;
use crate::plan::{InFlight, Plan, Program, Protocol, Stage, Stream, Work};
use crate::publish::files::Disk;
use crate::publish::part::add_up;
use crate::publish::state::Fact;
use crate::run::needs::{arguments, matches, schema_files};
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
                    let digest = digest.chain_update(&secret.bytes).finalize();
                    self.add(key, hex(&digest));
                }
            }
            Task::JsonSchema(schema) => {
                for path in &schema_files(&schema.schema) {
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
        for path in arguments(command).filter(|path| is_own(path)) {
            self.add_file(&path);
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

/// A long text in short.
fn text(text: &str) -> String {
    let mut adder = Adder::default();
    adder.add(text.as_bytes());
    shown_sum(adder.sum())
}

fn shown_sum(sum: Sum) -> String {
    format!("sum {:032x}", sum.0)
}
