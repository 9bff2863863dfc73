//! One run, read aloud: open, wire, start, supervise, finish.

pub mod cancel;
mod deadline;
mod descriptors;
pub mod finish;
mod reach;
pub mod replay;
pub mod signals;
mod spooler;
pub mod start;
pub mod stats;
pub mod supervise;
pub mod wire;

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use crate::child::nursery::Nursery;
use crate::child::pump::Rhythm;
use crate::plan::{Output, Plan};
use crate::publish::files::Files;
use crate::publish::spool::Spool;
use crate::run::cancel::Cancel;
use crate::run::stats::Stats;
use crate::sink::Sink;
use crate::source::Source;
use crate::words::event::{Ended, Event, Events, Kind, Table};
use crate::words::id::RunId;
use crate::words::ledger::{Edge, Port};
use crate::words::outcome::{Exit, Failure};

/// Runs a plan to its end, whatever that is.
pub fn run(plan: &Plan, id: &RunId, files: &Arc<dyn Files>, events: &Events) -> Ended {
    let rhythm = Rhythm::default();
    let (before, after) = (rhythm.clone(), rhythm.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || before.before_waiting())
        .on_thread_unpark(move || after.after_waiting())
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(story(plan, id, files, events, rhythm)),
        Err(error) => refuse(own_failure(&error), events),
    }
}

async fn story(
    plan: &Plan,
    id: &RunId,
    files: &Arc<dyn Files>,
    events: &Events,
    rhythm: Rhythm,
) -> Ended {
    let prepared = match prepare(plan, files, rhythm) {
        Ok(prepared) => prepared,
        Err(failure) => {
            if failure.exit == Exit::World {
                leave_empty_letters(plan, files);
            }
            return refuse(failure, events);
        }
    };
    let Prepared { opened, nursery, mut signals } = prepared;
    let fitted = match descriptors::fit(plan, events) {
        Ok(fitted) => fitted,
        Err(failure) => return refuse(failure, events),
    };
    let plan = &fitted;
    announce(plan, id, &opened, events);
    let (wires, tallies) = wire::wire(plan);
    let stats = Stats::new(plan, &opened, &tallies);
    let sinks = opened.sinks.iter();
    let temporary: Vec<Option<PathBuf>> =
        sinks.map(|sink| sink.temporary().map(PathBuf::from)).collect();
    let belt = start::Belt { plan, id, nursery: &nursery, events, wires, stats: &stats };
    let start = belt.start(opened, supervise::broken_off(&mut signals, plan, &stats, events));
    let mut started = match start.await {
        Ok(started) => started,
        Err(failure) => return refuse(failure, events),
    };
    let mut cancel = Cancel::default();
    let watch = supervise::Watch { plan, nursery: &nursery, stats: &stats, events };
    watch.supervise(signals, &mut started, &mut cancel).await;
    let late = plan.sinks.iter().map(|sink| started.running.contains(&sink.name));
    let left: Vec<PathBuf> =
        temporary.into_iter().zip(late).filter_map(|(path, late)| path.filter(|_| late)).collect();
    let ended = finish::finish(plan, started, &stats, cancel, events);
    for path in left {
        // Whoever is stuck with it goes with this process; what cannot be removed the next run will.
        files.remove(&path).unwrap_or(());
    }
    ended
}

/// Everything that a plan reads and writes, open but untouched.
pub struct Opened {
    /// The sources, in the plan's order.
    pub sources: Vec<OpenSource>,
    /// The files of what is spooled, in the plan's order.
    pub spools: Vec<Spool>,
    /// The sinks, in the plan's order.
    pub sinks: Vec<Box<dyn Sink>>,
}

/// A source, open but untouched.
pub struct OpenSource {
    /// The source itself.
    pub source: Box<dyn Source>,
    /// Closing it wakes the source where it waits for its input.
    pub wake: OwnedFd,
}

struct Prepared {
    opened: Opened,
    nursery: Arc<Nursery>,
    signals: signals::Signals,
}

/// Opens everything; what fails here fails before anything was consumed.
fn prepare(plan: &Plan, files: &Arc<dyn Files>, rhythm: Rhythm) -> Result<Prepared, Failure> {
    // Handlers come before the first child, so that no signal finds us without.
    let signals = signals::Signals::new().map_err(|error| own_failure(&error))?;
    let nursery = Nursery::new(rhythm).map_err(|error| own_failure(&error))?;
    let mut sources = Vec::new();
    for source in &plan.sources {
        let (asleep, wake) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .map_err(|error| own_failure(&error.into()))?;
        let source = crate::source::open(source, &plan.caller, asleep)?;
        sources.push(OpenSource { source, wake });
    }
    let mut spools = Vec::new();
    for _ in &plan.spooled {
        spools.push(spooler::create(&plan.spool, &plan.display(&plan.spool))?);
    }
    let mut sinks = Vec::new();
    for sink in &plan.sinks {
        sinks.push(crate::sink::open(sink, files, &plan.caller)?);
    }
    Ok(Prepared { opened: Opened { sources, spools, sinks }, nursery, signals })
}

fn own_failure(error: &io::Error) -> Failure {
    Failure::new(Exit::World, format!("cannot prepare the run: {error}"))
}

/// Writes files of dead letters that hold none: those of another run would mislead. What fails
/// here is told already, or would only follow from it.
fn leave_empty_letters(plan: &Plan, files: &Arc<dyn Files>) {
    for sink in plan.sinks.iter().filter(|sink| sink.letters) {
        let Ok(mut sink) = crate::sink::open(sink, files, &plan.caller) else { continue };
        if !sink.is_through() && sink.persist().is_ok() {
            sink.publish().unwrap_or(());
        }
    }
}

/// Ends a run before it began.
fn refuse(failure: Failure, events: &Events) -> Ended {
    let mut cancel = Cancel::default();
    cancel.add(failure);
    let ended = cancel.ended();
    events.emit(Event::RunFinished {
        exit: ended.clone(),
        ledger: crate::words::ledger::Ledger::default(),
        imbalances: Vec::new(),
        errors: Vec::new(),
        times: Vec::new(),
        controller: stats::usage(),
    });
    ended
}

fn announce(plan: &Plan, id: &RunId, opened: &Opened, events: &Events) {
    let sources = plan.sources.iter().map(|s| Table {
        name: s.name.clone(),
        kind: Kind::Source,
        what: crate::plan::describe::what_source(s, &plan.caller),
        letters: false,
        work: None,
    });
    let stages = plan.stages.iter().map(|s| Table {
        name: s.name.clone(),
        kind: Kind::Stage,
        what: crate::plan::describe::what_stage(s, &plan.caller),
        letters: false,
        work: Some(crate::plan::describe::work(s)),
    });
    let sinks = plan.sinks.iter().map(|s| Table {
        name: s.name.clone(),
        kind: Kind::Sink,
        what: crate::plan::describe::what_sink(s, &plan.caller),
        letters: s.letters,
        work: None,
    });
    let tables = sources.chain(stages).chain(sinks).collect();
    events.emit(Event::RunStarted { run: id.clone(), pipeline: plan.name.clone(), tables });
    let names = plan.sources.iter().map(|source| &source.name);
    for name in names.chain(plan.stages.iter().map(|stage| &stage.name)) {
        let taken = |edge: &Edge| edge.from == *name && edge.port == Port::Out;
        if !plan.edges.iter().any(taken) {
            let message = "what it hands on goes nowhere: nobody who takes it is in this run";
            events.emit(Event::Note { table: Some(name.clone()), message: message.to_owned() });
        }
    }
    for (table, sink) in plan.sinks.iter().zip(&opened.sinks) {
        if sink.is_through() {
            let target = match &table.output {
                Output::Stdout => "stdout".to_owned(),
                Output::File(path) => plan.display(path),
            };
            events.emit(Event::NotDurable { sink: table.name.clone(), target });
        }
    }
}
