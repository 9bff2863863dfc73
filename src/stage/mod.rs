//! What records go through. A stage starts its workers before any input is read, then runs as
//! one task until all of them are gone.

pub mod builtin;
pub mod check;
pub mod doctor;
pub mod ended;
pub mod feed;
pub mod gather;
pub mod log;
pub mod order;
pub mod pieces;
pub mod pool;
pub mod protocol;
pub mod remedy;
pub mod stall;
pub mod stream;
pub mod teller;
pub mod verdict;

use std::ffi::OsString;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::child::nursery::{Nursery, SpawnError, Worker};
use crate::child::spawn::Spec;
use crate::plan::{Program, Protocol, Reply, Stage as StagePlan, Work};
use crate::words::belt::{Inlet, Outlet, Post, StopSign};
use crate::words::clock::Clock;
use crate::words::event::{Event, Events};
use crate::words::id::{Name, RunId};
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::outcome::{Exit, Failure};

/// What a stage works with.
#[derive(Debug)]
pub struct Io {
    /// Where records come from.
    pub input: Inlet,
    /// Where they go.
    pub output: Outlet,
    /// Where dead letters go.
    pub letters: Letters,
    /// Its counts.
    pub tally: Arc<Tally>,
    /// How the run is being stopped.
    pub stop: StopSign,
    /// Where its events go.
    pub events: Events,
    /// Where it tells the run what stops it.
    pub post: Post,
    /// The clock of the run.
    pub clock: Arc<Clock>,
}

/// The life of a stage; it gives what went wrong.
pub type Life = Pin<Box<dyn Future<Output = Vec<Failure>> + Send>>;

/// A stage whose workers run, waiting for its first record.
pub trait Stage: Send {
    /// Lives until all workers are gone and everything is counted.
    fn live(self: Box<Self>, io: Io) -> Life;
}

/// Starts the stage that the plan asks for.
pub async fn start(
    plan: &StagePlan,
    nursery: &Arc<Nursery>,
    run: &RunId,
    events: &Events,
) -> Result<Box<dyn Stage>, Failure> {
    match &plan.work {
        Work::Program(program) => start_program(program, nursery, run, events).await,
        Work::Builtin(builtin) => builtin::start(&plan.name, builtin),
    }
}

/// Tells why a stage must stop, once it has refused too many.
fn limit_passed(stage: &Name, letters: &Letters) -> Option<Failure> {
    let limit = letters.stop_above.filter(|_| letters.over_limit())?;
    let message = format!("`{stage}` stopped: more than {limit} rejects");
    let hint = "the dead letters, kept where `rejects` says, tell the records and why";
    Some(Failure::new(Exit::Data, message).hint(hint))
}

/// Starts the stage that a program works for: the list of all protocols.
async fn start_program(
    plan: &Program,
    nursery: &Arc<Nursery>,
    run: &RunId,
    events: &Events,
) -> Result<Box<dyn Stage>, Failure> {
    match &plan.protocol {
        Protocol::Stream(expected) => {
            let worker = hire(plan, nursery, run, events, 0).await?;
            Ok(Box::new(stream::Stream::new(plan.clone(), *expected, worker)))
        }
        Protocol::Pool(pool) => {
            let mut workers = Vec::new();
            // Where each record gets a process of its own, none is started before there is one.
            if !matches!(pool.reply, Reply::Command { .. }) {
                for number in 0..pool.workers {
                    workers.push(hire(plan, nursery, run, events, number).await?);
                }
            }
            let (nursery, run) = (Arc::clone(nursery), run.clone());
            Ok(Box::new(pool::Pool::new(plan.clone(), pool.clone(), nursery, run, workers)))
        }
    }
}

/// Starts one worker of a stage.
async fn hire(
    plan: &Program,
    nursery: &Arc<Nursery>,
    run: &RunId,
    events: &Events,
    number: u32,
) -> Result<Worker, Failure> {
    let mut env = plan.command.env.clone();
    env.push(("ESTEIRA_RUN".into(), run.as_str().into()));
    env.push(("ESTEIRA_WORKER".into(), OsString::from(number.to_string())));
    let title = format!("guard:{}", plan.stage);
    let spec = Spec {
        title: &title,
        program: &plan.command.program,
        argv: &plan.command.argv,
        folder: &plan.command.folder,
        env: &env,
    };
    let program = crate::words::text::escape(plan.command.program.as_os_str().as_encoded_bytes());
    let worker = nursery.spawn(&spec).await.map_err(|error| match error {
        SpawnError::Program(error) => {
            let errno = error.raw_os_error().unwrap_or(0);
            let message = error.to_string();
            let (stage, shown) = (plan.stage.clone(), program.clone());
            events.emit(Event::SpawnFailed { stage, program: shown, errno, message });
            let failure = Failure::new(
                Exit::Config,
                format!("stage `{}`: cannot run `{program}`: {error}", plan.stage),
            );
            match errno {
                libc::ENOEXEC => failure
                    .hint("a script needs a first line such as `#!/bin/sh`")
                    .hint("a binary must be whole, and made for this kind of machine"),
                libc::ENOENT => failure.hint("the interpreter in its first line may be missing"),
                libc::EACCES => failure
                    .hint("the interpreter in its first line may be none that can be run")
                    .hint("nothing can be run from a file system mounted as `noexec`"),
                _ => failure,
            }
        }
        SpawnError::Own(error) => Failure::new(
            Exit::World,
            format!("stage `{}`: cannot start a worker: {error}", plan.stage),
        ),
    })?;
    let (stage, pid) = (plan.stage.clone(), worker.pid());
    events.emit(Event::WorkerStarted { stage, worker: number, pid });
    Ok(worker)
}

/// Returns the CPU time of this process itself (user, system) and its peak memory in bytes.
pub fn controller_usage() -> (Duration, Duration, u64) {
    let (user, system) = crate::child::sys::own_cpu();
    let peak = crate::child::proc::own_peak_rss().unwrap_or(0);
    (Duration::from_millis(user), Duration::from_millis(system), peak)
}
