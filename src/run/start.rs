//! Starts a belt: the workers first, before any input is read; then sinks, stages and sources.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};

use crate::child::nursery::Nursery;
use crate::plan::resume::Course;
use crate::plan::{Plan, Sink as SinkPlan, Source as SourcePlan, Stage as StagePlan, Tolerance};
use crate::publish::state::Record;
use crate::run::Opened;
use crate::run::keeper::{Keeper, Kept};
use crate::run::spooler::Place;
use crate::run::stats::Stats;
use crate::run::wire::{POST, Wires};
use crate::sink::{self, Done, Sink};
use crate::source::{self, Source};
use crate::stage::{self, Stage};
use crate::words::belt::{Notice, Outlet, Post, Stop, StopSign};
use crate::words::event::Events;
use crate::words::id::{Name, RunId};
use crate::words::ledger::Port;
use crate::words::letters::{Letters, Pending};
use crate::words::marks::{Adder, Noted, Notes, Refusals, What};
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::OnReject;
use crate::words::units::Limit;

/// What a belt is started from.
pub struct Belt<'a> {
    /// What to run.
    plan: &'a Plan,
    /// The run.
    id: &'a RunId,
    /// Who keeps the workers.
    nursery: &'a Arc<Nursery>,
    /// Where events go.
    events: &'a Events,
    /// The ends of the edges.
    wires: Wires,
    /// The counts.
    stats: &'a Stats,
    /// How the run is kept so that it can be taken up again, if it is.
    keep: Option<Keep<'a>>,
    /// What the tables refused before.
    refusals: HashMap<Name, Refusals>,
    /// Where they note how they stand.
    notes: Option<Notes>,
}

/// How a run is kept.
pub struct Keep<'a> {
    /// Where, and how it stands.
    pub keeper: Keeper,
    /// How it is read.
    pub course: &'a Course,
    /// Sums of what was read of the inputs, in the plan's order.
    pub adders: Vec<Adder>,
    /// Whether it goes on with another run.
    pub goes_on: bool,
    /// How large the splits of inputs are, if marks may stand at their ends only.
    pub split: Option<u64>,
}

/// A belt that runs.
pub struct Started {
    /// What the tables tell.
    pub notices: mpsc::Receiver<Notice>,
    /// How they are stopped.
    pub stop: watch::Sender<Stop>,
    /// How each source is, for itself.
    pub brakes: Vec<Brake>,
    /// Those that have not ended.
    pub running: Vec<Name>,
    /// The sinks' threads, in the plan's order.
    pub sinks: Vec<JoinHandle<Done>>,
    /// The keeper's thread, and what ends it.
    pub keeper: Option<(oneshot::Sender<()>, JoinHandle<Kept>)>,
}

/// What stops one source.
#[derive(Debug)]
pub struct Brake {
    /// The source.
    pub source: Name,
    /// Whether it was still reading when nobody wanted its records any more.
    pub cut_short: bool,
    stop: watch::Sender<Stop>,
    /// Closing it wakes the source where it waits for its input.
    wake: Option<OwnedFd>,
    /// Tells the source that it is its turn.
    turn: Option<oneshot::Sender<()>>,
}

impl Brake {
    /// Asks the source to stop, unless it was asked more urgently before.
    pub fn pull(&mut self, stop: Stop) {
        // Who wakes up looks at once why.
        raise(&self.stop, stop);
        self.wake = None;
        self.turn = None;
    }

    /// Lets the source begin.
    pub fn let_go(&mut self) {
        // It may have ended already.
        self.turn.take().map(|turn| turn.send(()).ok());
    }
}

/// Makes a stop more urgent, if it is.
pub fn raise(sign: &watch::Sender<Stop>, stop: Stop) {
    sign.send_if_modified(|now| {
        let more = stop > *now;
        *now = stop.max(*now);
        more
    });
}

impl<'a> Belt<'a> {
    /// Makes a belt that keeps nothing.
    pub fn new(
        plan: &'a Plan,
        id: &'a RunId,
        nursery: &'a Arc<Nursery>,
        events: &'a Events,
        wires: Wires,
        stats: &'a Stats,
    ) -> Self {
        let (keep, refusals, notes) = (None, HashMap::new(), None);
        Self { plan, id, nursery, events, wires, stats, keep, refusals, notes }
    }

    /// Keeps how it stands.
    #[must_use]
    pub fn kept(self, keep: Option<Keep<'a>>) -> Self {
        Self { keep, ..self }
    }
}

impl Belt<'_> {
    /// Starts everything, unless `interrupted` comes first. Should something not start, the
    /// workers that did are killed.
    pub async fn start(
        self,
        opened: Opened,
        interrupted: impl Future<Output = Failure>,
    ) -> Result<Started, Failure> {
        let nursery = self.nursery;
        // Both are kept while workers live: a closed stdin would look like an empty input.
        let mut stages = VecDeque::new();
        let mut start = pin!(self.start_all(opened, &mut stages));
        let failure = tokio::select! {
            started = &mut start => match started {
                Ok(started) => return Ok(started),
                Err(failure) => failure,
            },
            failure = interrupted => failure,
        };
        Err(match nursery.clear() {
            Ok(()) => failure,
            Err(error) => failure.hint(format!("what it started may still run: {error}")),
        })
    }

    async fn start_all(
        mut self,
        opened: Opened,
        stages: &mut VecDeque<Box<dyn Stage>>,
    ) -> Result<Started, Failure> {
        let (post, notices) = mpsc::channel(POST);
        let (stop, sign) = watch::channel(Stop::No);
        let (keep, notes) = (self.keep.take(), mpsc::channel(POST));
        if let Some(keep) = &keep {
            self.refusals = refusals(&keep.keeper.record);
            self.notes = Some(notes.0.clone());
        }
        for plan in &self.plan.stages {
            let place = (self.id, self.plan.spool.as_path());
            stages.push_back(stage::start(plan, self.nursery, place, self.events).await?);
        }
        let mut running = Vec::new();
        let spoolers = std::mem::take(&mut self.wires.spoolers);
        for (spooler, spool) in spoolers.into_iter().zip(opened.spools) {
            let folder = self.plan.display(&self.plan.spool);
            let place = Place { spool, folder, stop: sign.clone(), post: post.clone() };
            spooler.start(place).map_err(|error| no_thread(&error))?;
        }
        let mut sinks = Vec::new();
        for (plan, sink) in self.plan.sinks.iter().zip(opened.sinks) {
            running.push(plan.name.clone());
            sinks.push(self.start_sink(plan, sink, &post)?);
        }
        for plan in &self.plan.stages {
            let Some(stage) = stages.pop_front() else { return Err(unwired(&plan.name)) };
            running.push(plan.name.clone());
            self.start_stage(plan, stage, &sign, &post)?;
        }
        let mut brakes = Vec::new();
        let numbers = Arc::default();
        for (index, (plan, opened)) in self.plan.sources.iter().zip(opened.sources).enumerate() {
            running.push(plan.name.clone());
            let (stop, sign) = watch::channel(Stop::No);
            let (turn, kept) =
                keep.as_ref().and_then(|keep| keep.of(index, plan, &numbers)).unzip();
            self.start_source(plan, opened.source, (sign, kept), &post)?;
            let (source, wake) = (plan.name.clone(), Some(opened.wake));
            brakes.push(Brake { source, cut_short: false, stop, wake, turn });
        }
        self.notes = None;
        let keeper = keep.map(|keep| {
            if let Some(first) = keep.course.order.first().and_then(|i| brakes.get_mut(*i)) {
                first.let_go();
            }
            start_keeper(keep.keeper, notes.1, post.clone(), keep.goes_on)
        });
        Ok(Started { notices, stop, brakes, running, sinks, keeper: keeper.transpose()? })
    }

    fn start_sink(
        &mut self,
        plan: &SinkPlan,
        sink: Box<dyn Sink>,
        post: &Post,
    ) -> Result<JoinHandle<Done>, Failure> {
        let input = self.wires.inlet(&plan.name).ok_or_else(|| unwired(&plan.name))?;
        let io = sink::Io {
            input,
            tally: self.stats.tally(&plan.name),
            events: self.events.clone(),
            post: post.clone(),
            letters: self.letters(&plan.name, &plan.tolerance),
            notes: self.notes.clone(),
        };
        let (plan, post) = (plan.clone(), post.clone());
        let shown = crate::plan::describe::what_sink(&plan, &self.plan.caller);
        thread(format!("sink:{}", plan.name), move || {
            let done = catch_unwind(AssertUnwindSafe(|| sink::run(&plan, &shown, sink, io)));
            let (done, failures) = match done {
                Ok(done) => (done, Vec::new()),
                Err(_) => (sink::Done::panicked(), vec![bug(&plan.name)]),
            };
            ended(&post, plan.name, failures);
            done
        })
    }

    fn start_stage(
        &mut self,
        plan: &StagePlan,
        stage: Box<dyn stage::Stage>,
        sign: &StopSign,
        post: &Post,
    ) -> Result<(), Failure> {
        let name = &plan.name;
        let input = self.wires.inlet(name).ok_or_else(|| unwired(name))?;
        let output = self.output(name);
        let io = stage::Io {
            input,
            output,
            letters: self.letters(name, &plan.tolerance),
            tally: self.stats.tally(name),
            stop: sign.clone(),
            events: self.events.clone(),
            post: post.clone(),
            clock: Arc::clone(&self.stats.clock),
        };
        let life = tokio::spawn(stage.live(io));
        let (name, post) = (name.clone(), post.clone());
        tokio::spawn(async move {
            let failures = life.await.unwrap_or_else(|_| vec![bug(&name)]);
            // As in `ended`.
            post.send(Notice::Ended { table: name, failures }).await.ok();
        });
        Ok(())
    }

    fn start_source(
        &mut self,
        plan: &SourcePlan,
        source: Box<dyn Source>,
        (stop, keep): (StopSign, Option<source::Keep>),
        post: &Post,
    ) -> Result<(), Failure> {
        let out = self.output(&plan.name);
        let tally = self.stats.tally(&plan.name);
        let letters = self.letters(&plan.name, &plan.tolerance);
        let io = source::Io { out, letters, tally, stop, keep };
        let (plan, post) = (plan.clone(), post.clone());
        thread(format!("source:{}", plan.name), move || {
            let read = catch_unwind(AssertUnwindSafe(|| source::run(&plan, source.as_ref(), io)));
            if let Err(failure) = read.unwrap_or_else(|_| Err(bug(&plan.name))) {
                // As in `ended`. Told apart from the end, since it must stop the rest.
                post.blocking_send(Notice::Failed(failure)).ok();
            }
            ended(&post, plan.name, Vec::new());
        })?;
        Ok(())
    }
}

impl Belt<'_> {
    /// Takes the outlet of a table; what nobody takes is counted all the same.
    fn output(&mut self, table: &Name) -> Outlet {
        let outlet = self.wires.outlet(table, Port::Out);
        outlet.unwrap_or_else(|| Outlet::new(self.stats.tally(table)))
    }

    /// Makes the edge for what a table refuses.
    fn letters(&mut self, table: &Name, tolerance: &Tolerance) -> Letters {
        Letters {
            table: table.clone(),
            run: self.id.clone(),
            to: self.wires.outlet(table, Port::Rejects),
            tally: self.stats.tally(table),
            register: self.stats.register.clone(),
            events: self.events.clone(),
            stop_above: stop_above(self.plan, tolerance),
            pending: Pending::default(),
            refusals: self.refusals.remove(table).unwrap_or_default(),
            notes: self.notes.clone(),
        }
    }
}

impl Keep<'_> {
    /// Says how a source is read, and what lets it begin.
    fn of(
        &self,
        index: usize,
        plan: &SourcePlan,
        numbers: &Arc<AtomicU64>,
    ) -> Option<(oneshot::Sender<()>, source::Keep)> {
        let place = self.course.order.iter().position(|i| *i == index)?;
        let table = self.keeper.record.tables.iter().find(|table| table.name == plan.name)?;
        let What::Source(from) = &table.what else { return None };
        let (tell, turn) = oneshot::channel();
        let kept = source::Keep {
            place: u32::try_from(place).ok()?,
            from: from.clone(),
            adder: self.adders.get(index).cloned().unwrap_or_default(),
            numbers: Arc::clone(numbers),
            passed: Arc::clone(&self.keeper.passed),
            split: self.split,
            turn,
        };
        Some((tell, kept))
    }
}

fn refusals(record: &Record) -> HashMap<Name, Refusals> {
    let tables = record.tables.iter();
    tables.map(|table| (table.name.clone(), table.refusals.clone())).collect()
}

/// Starts the keeper, on a thread of its own: it writes files.
fn start_keeper(
    keeper: Keeper,
    notes: mpsc::Receiver<Noted>,
    post: Post,
    goes_on: bool,
) -> Result<(oneshot::Sender<()>, JoinHandle<Kept>), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| no_thread(&error))?;
    let (end, over) = oneshot::channel();
    let keep = move || runtime.block_on(keeper.keep(notes, (over, post), goes_on));
    Ok((end, thread("keeper".to_owned(), keep)?))
}

/// Above how many rejects a table must stop at once, if it must at all.
fn stop_above(plan: &Plan, tolerance: &Tolerance) -> Option<u64> {
    match tolerance.max_rejects.unwrap_or(plan.max_rejects) {
        Limit::Count(count) if tolerance.on_reject == OnReject::Stop => Some(count),
        Limit::Count(_) | Limit::Share { .. } => None,
    }
}

fn thread<T: Send + 'static>(
    name: String,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    let builder = std::thread::Builder::new().name(name);
    builder.spawn(body).map_err(|error| no_thread(&error))
}

fn no_thread(error: &io::Error) -> Failure {
    Failure::new(Exit::World, format!("cannot start a thread: {error}"))
}

/// Tells that a table ended. The post closes only with the run, which waits for this.
fn ended(post: &Post, table: Name, failures: Vec<Failure>) {
    post.blocking_send(Notice::Ended { table, failures }).ok();
}

/// Says that a table panicked.
pub(super) fn bug(name: &Name) -> Failure {
    Failure::new(Exit::Bug, format!("`{name}` panicked: this is a bug in esteira"))
        .hint("please report it with the message above")
}

fn unwired(name: &Name) -> Failure {
    Failure::new(Exit::Bug, format!("`{name}` was never wired: this is a bug in esteira"))
}
