//! Runs a plan with its listeners: what the run tells goes to the terminal and the reports.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::child::sys;
use crate::cli::args::{Accepting, Progress, Telling};
use crate::cli::baseline::Accepted;
use crate::cli::failure;
use crate::cli::listeners::{Listeners, listeners, refuse_clashes};
use crate::cli::printer::Printer;
use crate::cli::world;
use crate::plan::Plan;
use crate::publish::files::{Disk, Files};
use crate::report::depfile::Depfile;
use crate::report::{Listener, listen};
use crate::run::{Keeping, Run};
use crate::words::event::Events;
use crate::words::outcome::{Exit, Failure};
use crate::words::register::Register;

/// How many events may wait for the listeners.
const QUEUE: usize = 4096;

/// How long the listeners may take after the run before that is worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is asked of a run beside the plan.
pub(super) struct Asked<'a> {
    pub(super) telling: &'a Telling,
    pub(super) accepting: &'a Accepting,
    /// The pipeline file, if there is one.
    pub(super) pipeline: Option<&'a Path>,
    pub(super) keeping: &'a Keeping,
    /// Who writes a rule for make, if one is wanted.
    pub(super) depfile: Option<Depfile>,
}

/// Runs a plan to its end.
pub(super) fn launch(plan: &Plan, asked: Asked<'_>, printer: &mut Printer) -> anyhow::Result<Exit> {
    let Asked { telling, accepting, pipeline, keeping, depfile } = asked;
    // One may be written in the place of the other.
    let renewed = accepting.baseline == accepting.write_baseline;
    let written = accepting.write_baseline.iter().filter(|_| !renewed);
    let rule = depfile.as_ref().map(Depfile::path);
    let others = accepting.baseline.iter().chain(written).map(AsRef::as_ref).chain(rule);
    refuse_clashes(plan, telling, (pipeline.into_iter(), others))?;
    let (known, accepted) = Accepted::open(accepting)?;
    let Listeners { mut all, tell } = listeners(plan, telling, pipeline, printer)?;
    all.extend(depfile.map(|depfile| Box::new(depfile) as Box<dyn Listener>));
    let register = Register::new(tell, known, accepted.collects());
    let (to, from) = sync_channel(QUEUE);
    let events = Events::new(to);
    let (tell_done, done) = sync_channel(1);
    let listener = std::thread::Builder::new().name("listen".to_owned());
    let listener = listener
        .spawn(move || {
            let errors = listen(from, all);
            // Who launched may not be there any more.
            tell_done.send(()).ok();
            errors
        })
        .map_err(|error| Failure::new(Exit::World, format!("cannot start a thread: {error}")))?;
    let files: Arc<dyn Files> = Arc::new(Disk);
    let id = world::run_id();
    let run = Run { plan, id: &id, files: &files, events: &events, keeping, register: &register };
    let ended = crate::run::run(run);
    drop(events);
    if done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        // The run is over: nobody is left who would hear a signal and end in good order.
        sys::end_by_signals();
        printer.err("esteira: waiting for whoever reads a report or the events\n");
    }
    let mut exit = ended.code;
    match listener.join() {
        Ok(errors) => {
            for error in errors {
                exit = exit.max(error.exit());
                failure::show(&error.into(), printer);
            }
        }
        Err(_) => exit = exit.max(Exit::Bug),
    }
    let quiet = telling.quiet || telling.progress == Progress::None;
    accepted.write(&register, (exit, quiet), printer)?;
    Ok(exit)
}
