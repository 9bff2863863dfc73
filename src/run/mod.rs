//! One run, read aloud: open, wire, start, supervise, finish.

pub mod cancel;
mod deadline;
mod descriptors;
mod facts;
pub mod finish;
mod keeper;
mod keeping;
mod limits;
pub mod needs;
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
use std::sync::{Arc, OnceLock};

use crate::child::nursery::Nursery;
use crate::child::pump::Rhythm;
use crate::plan::resume::Course;
use crate::plan::{Input, Output, Plan};
use crate::publish::files::Files;
use crate::publish::spool::Spool;
use crate::publish::state::{Phase, Record, State, Verdict};
use crate::run::cancel::Cancel;
use crate::run::finish::Ending;
use crate::run::keeper::Keeper;
use crate::run::keeping::{Beginning, Begun, at_first, place};
use crate::run::stats::Stats;
use crate::sink::rows::Whose;
use crate::sink::{Begin, Sink};
use crate::source::Source;
use crate::words::event::{self, Ended, Event, Events, Finish, Kind, Table};
use crate::words::id::{Name, RunId};
use crate::words::ledger::{Edge, Ledger, Port};
use crate::words::outcome::{Exit, Failure};
use crate::words::register::Register;

pub use keeping::Keeping;

/// A run that is about to begin.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What to run.
    pub plan: &'a Plan,
    /// Which run it is.
    pub id: &'a RunId,
    /// Where outputs and state go.
    pub files: &'a Arc<dyn Files>,
    /// Where events go.
    pub events: &'a Events,
    /// How its state is kept.
    pub keeping: &'a Keeping,
    /// Where what is refused is entered.
    pub register: &'a Register,
}

/// Runs a plan to its end, whatever that is.
pub fn run(run: Run<'_>) -> Ended {
    let rhythm = Rhythm::default();
    let (before, after) = (rhythm.clone(), rhythm.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || before.before_waiting())
        .on_thread_unpark(move || after.after_waiting())
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run.story(rhythm)),
        Err(error) => refuse(own_failure(&error), run.events),
    }
}

impl Run<'_> {
    async fn story(self, rhythm: Rhythm) -> Ended {
        let Self { plan, id, files, events, .. } = self;
        let prepared = match self.prepare(rhythm) {
            Ok(prepared) => prepared,
            Err(failure) => {
                // To what another run may go on with, its letters belong.
                let folder = self.keeping.folder.as_deref();
                let owes = folder.is_some_and(|folder| State::owes(files.as_ref(), folder));
                if failure.exit == Exit::World && !owes {
                    leave_empty_letters(plan, id, files);
                }
                return refuse(failure, events);
            }
        };
        let Prepared { mut opened, nursery, mut signals, mut begun } = prepared;
        if let Some(over) = begun.over {
            return self.nothing_left(&over, &opened);
        }
        let fitted = match descriptors::fit(plan, events) {
            Ok(fitted) => fitted,
            Err(failure) => return refuse(failure, events),
        };
        let plan = &fitted;
        announce(plan, id, &opened, events);
        let course = begun.course.take();
        let (wires, tallies) = wire::wire(plan, course.as_ref());
        let stats = Stats::new(plan, &opened, &tallies, self.register);
        let sinks = opened.sinks.iter();
        let temporary: Vec<Option<PathBuf>> =
            sinks.map(|sink| sink.temporary().map(PathBuf::from)).collect();
        let (mut ending, keep) = match self.keep(&mut begun, &mut opened, course.as_ref(), &stats) {
            Ok(kept) => kept,
            Err(failure) => return refuse(failure, events),
        };
        let drains = keep.is_some();
        let belt = start::Belt::new(plan, id, &nursery, events, wires, &stats);
        let belt = belt.kept(keep);
        let start = belt.start(opened, supervise::broken_off(&mut signals, plan, &stats, events));
        let mut started = match start.await {
            Ok(started) => started,
            Err(failure) => return refuse(failure, events),
        };
        let mut cancel = Cancel::default();
        let order = course.map(|course| course.order).unwrap_or_default();
        let watch =
            supervise::Watch { plan, nursery: &nursery, stats: &stats, events, order, drains };
        watch.supervise(signals, &mut started, &mut cancel).await;
        ending.collect(started.keeper.take());
        let late = plan.sinks.iter().map(|sink| started.running.contains(&sink.name));
        let left = temporary.into_iter().zip(late).filter_map(|(path, late)| path.filter(|_| late));
        let left: Vec<PathBuf> = left.collect();
        let (ended, kept) = finish::finish(plan, started, &stats, (cancel, ending), events);
        for path in left.iter().filter(|_| !kept) {
            // Whoever is stuck with it goes with this process; what cannot be removed the next run will.
            files.remove(path).unwrap_or(());
        }
        ended
    }

    /// Opens everything; what fails here fails before anything was consumed.
    fn prepare(&self, rhythm: Rhythm) -> Result<Prepared, Failure> {
        let Self { plan, id, files, events, keeping, .. } = *self;
        let file_size = signals::FileSize::new().map_err(|error| own_failure(&error))?;
        let beginning = Beginning { plan, id, files, keeping, events };
        let state = beginning.lock()?;
        let mut sources = Vec::new();
        for source in &plan.sources {
            let (asleep, wake) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
                .map_err(|error| own_failure(&error.into()))?;
            let copy = state.as_ref().map(State::copy);
            let source = crate::source::open(source, &plan.caller, copy, asleep)?;
            sources.push(OpenSource { source, wake });
        }
        // Looking through all that was read may take a while, in which a signal just ends us.
        let begun = beginning.begin(state, &mut sources)?;
        // Handlers come before the first file and child, so that no signal finds us without.
        let signals = signals::Signals::new(file_size).map_err(|error| own_failure(&error))?;
        let nursery = Nursery::new(rhythm).map_err(|error| own_failure(&error))?;
        let (mut spools, mut sinks) = (Vec::new(), Vec::new());
        if begun.over.is_none() {
            sources.iter().try_for_each(|open| open.source.prepare())?;
            for _ in &plan.spooled {
                spools.push(spooler::create(&plan.spool, &plan.display(&plan.spool))?);
            }
            for sink in &plan.sinks {
                let begin = begun.sink(&sink.name)?;
                let run = id.to_string();
                let whose = Whose { pipeline: plan.name.clone(), run };
                sinks.push(crate::sink::open(sink, files, &plan.caller, (&whose, begin))?);
            }
        }
        Ok(Prepared { opened: Opened { sources, spools, sinks }, nursery, signals, begun })
    }

    /// Sets up how the run is kept, and takes up the counts of the one that it goes on with.
    fn keep<'a>(
        &self,
        begun: &mut Begun,
        opened: &mut Opened,
        course: Option<&'a Course>,
        stats: &Stats,
    ) -> Result<(Ending, Option<start::Keep<'a>>), Failure> {
        let outputs: Vec<_> = opened.sinks.iter().map(|sink| sink.stands()).collect();
        let goes_on = begun.from.is_some();
        let record = match begun.from.take() {
            Some(record) => *record,
            None => Record {
                run: self.id.to_string(),
                phase: Phase::Running,
                facts: std::mem::take(&mut begun.facts),
                tables: at_first(self.plan, &opened.sources, &outputs),
            },
        };
        for table in &record.tables {
            stats.tally(&table.name).take_up(&table.counts, table.bytes);
            stats.register.take_up(&table.name, &table.refusals);
            stats.tally(&table.name).known.set(table.refusals.known);
            let told = table.refusals.examples.iter().cloned();
            told.for_each(|bad| self.events.emit(Event::BadRecord(bad)));
        }
        let mut ending = Ending::new(begun, record, self.keeping);
        let course = course.filter(|_| outputs.iter().all(Option::is_some));
        let Some(course) = course else { return Ok((ending, None)) };
        let Some(state) = ending.state.take() else { return Ok((ending, None)) };
        let mut hands = Vec::new();
        for source in &opened.sources {
            hands.extend(source.source.twin().map_err(|error| own_failure(&error))?);
        }
        for sink in &opened.sinks {
            hands.extend(sink.twin().map_err(|error| own_failure(&error))?);
        }
        let keeper = Keeper {
            state,
            record: ending.record.clone(),
            reach: course.reach.clone(),
            outputs: hands,
            lengths: lengths(self.plan, &opened.sources),
            every: self.keeping.every,
            passed: Arc::default(),
            events: self.events.clone(),
        };
        let adders = std::mem::take(&mut begun.adders);
        Ok((
            ending,
            Some(start::Keep { keeper, course, adders, goes_on, split: self.plan.split() }),
        ))
    }

    /// Ends a run that has nothing to do: another was whole.
    fn nothing_left(&self, (record, verdict): &(Record, Verdict), opened: &Opened) -> Ended {
        let (run, lines, at) = (record.run.clone(), record.lines(), place(record));
        self.events.emit(Event::TakenUp { run, lines, at });
        announce(self.plan, self.id, opened, self.events);
        let tables = record.tables.iter().map(|table| (table.name.clone(), table.counts));
        let ledger = Ledger {
            tables: tables.collect(),
            edges: self.plan.edges.clone(),
            one_reply: Vec::new(),
        };
        let code = if verdict.code == 0 { Exit::Ok } else { Exit::Data };
        let ended = Ended {
            code,
            reason: format!("nothing left to do, {} since run {}", verdict.reason, record.run),
            hints: Vec::new(),
            failures: Vec::new(),
        };
        self.events.emit(Event::RunFinished(Box::new(Finish {
            imbalances: ledger.imbalances(),
            ledger,
            ..Finish::new(ended.clone(), stats::usage())
        })));
        ended
    }
}

/// Lists where sources are told how long their input is.
fn lengths(plan: &Plan, sources: &[OpenSource]) -> Vec<(Name, Arc<OnceLock<u64>>)> {
    let told = plan.sources.iter().zip(sources);
    told.filter_map(|(plan, open)| Some((plan.name.clone(), open.source.length()?))).collect()
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
    begun: Begun,
}

fn own_failure(error: &io::Error) -> Failure {
    Failure::new(Exit::World, format!("cannot prepare the run: {error}"))
}

/// Writes files of dead letters that hold none: those of another run would mislead. What fails
/// here is told already, or would only follow from it.
fn leave_empty_letters(plan: &Plan, id: &RunId, files: &Arc<dyn Files>) {
    let whose = Whose { pipeline: plan.name.clone(), run: id.to_string() };
    for sink in plan.sinks.iter().filter(|sink| sink.letters) {
        let Ok(mut sink) = crate::sink::open(sink, files, &plan.caller, (&whose, Begin::Anew))
        else {
            continue;
        };
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
    events.emit(Event::RunFinished(Box::new(Finish::new(ended.clone(), stats::usage()))));
    ended
}

fn announce(plan: &Plan, id: &RunId, opened: &Opened, events: &Events) {
    let sources = plan.sources.iter().map(|s| Table {
        name: s.name.clone(),
        kind: Kind::Source,
        what: crate::plan::describe::what_source(s, &plan.caller),
        files: matches!(s.input, Input::Files(_) | Input::Letters { .. }),
        letters: false,
        work: None,
    });
    let stages = plan.stages.iter().map(|s| Table {
        name: s.name.clone(),
        kind: Kind::Stage,
        what: crate::plan::describe::what_stage(s, &plan.caller),
        files: false,
        letters: false,
        work: Some(crate::plan::describe::work(s)),
    });
    let sinks = plan.sinks.iter().map(|s| Table {
        name: s.name.clone(),
        kind: Kind::Sink,
        what: crate::plan::describe::what_sink(s, &plan.caller),
        files: false,
        letters: s.letters,
        work: matches!(s.output, Output::Table(_)).then_some(event::Work::Alone),
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
                // Each commit is durable.
                Output::Table(_) => continue,
            };
            events.emit(Event::NotDurable { sink: table.name.clone(), target });
        }
    }
}
