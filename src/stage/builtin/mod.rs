//! Stages that run in this process, on threads of their own: the list of all tasks.

mod hash;
mod json_schema;
mod made;
mod select;
mod threads;
mod turns;
mod unique;

use std::path::Path;
use std::sync::Arc;

use crate::json::pointer::Pointer;
use crate::plan::builtin::{Builtin, Task as TaskPlan};
use crate::stage::Stage;
use crate::words::dead_letter::Complaint;
use crate::words::id::Name;
use crate::words::outcome::{Exit, Failure};
use crate::words::record::{Origin, Record};

/// How much stack each thread has: address space, of which only what is used is memory.
const STACK: usize = 32 << 20;

/// What a built-in stage does with a record. All threads of the stage share one.
pub trait Task: Send + Sync {
    /// Treats one record, which is known to be one JSON text. What is to stand in its place is
    /// appended to `out`.
    fn treat(&self, record: &Record<'_>, origin: &Arc<Origin>, out: &mut Vec<u8>) -> Outcome;
}

/// What becomes of a record.
#[derive(Debug)]
pub enum Outcome {
    /// It goes on as it came.
    Kept,
    /// What was appended goes on in its place.
    Replaced,
    /// It is left out on purpose.
    Dropped,
    /// It is refused.
    Rejected(Vec<Complaint>),
    /// The stage cannot go on.
    Broken(Failure),
}

/// Makes a stage of a task, with all that the task needs read and compiled.
pub fn start(name: &Name, plan: &Builtin) -> Result<Box<dyn Stage>, Failure> {
    let task = prepare(name, &plan.task)?;
    Ok(Box::new(threads::Threads::new(name.clone(), task, plan.threads, plan.order)))
}

/// Reads and compiles all that a task needs; what is wrong with it shows here.
pub fn prepare(name: &Name, task: &TaskPlan) -> Result<Box<dyn Task>, Failure> {
    let prepared: Result<Box<dyn Task>, Failure> = match task {
        TaskPlan::Hash(plan) => hash::Hash::new(plan).map(|task| Box::new(task) as _),
        TaskPlan::JsonSchema(plan) => {
            let task = json_schema::JsonSchema::compile(plan, |path| shown(path, &plan.root));
            task.map(|task| Box::new(task) as _)
        }
        TaskPlan::Select(plan) => select::Select::new(plan).map(|task| Box::new(task) as _),
        TaskPlan::Unique(plan) => unique::Unique::new(plan).map(|task| Box::new(task) as _),
    };
    prepared.map_err(|failure| failure.within(name))
}

/// Returns a path as messages show it: relative to `root` where below it, links resolved or not.
fn shown(path: &Path, root: &Path) -> String {
    let real = root.canonicalize().ok();
    let below = |root: &Path| path.strip_prefix(root).ok().map(Path::to_path_buf);
    let found = below(root).or_else(|| real.as_deref().and_then(below));
    crate::words::text::escape(found.as_deref().unwrap_or(path).as_os_str().as_encoded_bytes())
}

/// Reads a JSON Pointer, which was checked when it was written.
fn pointer(text: &str) -> Result<Pointer, Failure> {
    Pointer::parse(text).ok_or_else(|| broken(text))
}

/// Says that what was checked before is wrong after all.
fn broken(what: &str) -> Failure {
    let what = crate::words::text::excerpt(what.as_bytes());
    let message = format!("`{what}` was let through and cannot be used: this is a bug in esteira");
    Failure::new(Exit::Bug, message)
}
