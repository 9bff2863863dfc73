//! How a run begins where its state is kept: afresh, where another was cut off, or not at all
//! because nothing is left to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::plan::resume::{Course, course};
use crate::plan::{Output, Plan, Sink as SinkPlan};
use crate::publish::files::{Files, Look};
use crate::publish::part;
use crate::publish::state::{Fact, Found, Phase, Record, State, StateError, Verdict, roll_forward};
use crate::run::OpenSource;
use crate::run::facts::facts;
use crate::run::keeper::cannot_keep;
use crate::sink::Begin;
use crate::source::verify;
use crate::words::event::{Event, Events};
use crate::words::id::{Name, RunId};
use crate::words::ledger::{Counts, SinkCounts, SourceCounts, StageCounts};
use crate::words::marks::{Adder, OutputAt, Refusals, SourceAt, TableAt, What};
use crate::words::outcome::{Exit, Failure};
use crate::words::text::count;

/// How the state of a run is kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// Where; none to keep none.
    pub folder: Option<PathBuf>,
    /// Whether to go on where another run was cut off.
    pub resume: bool,
    /// How often it is made durable, if not as often as is cheap.
    pub every: Option<Duration>,
    /// The command that goes on with this one.
    pub again: String,
    /// What else than the plan the results depend on.
    pub facts: Vec<Fact>,
}

impl Keeping {
    /// Keeps nothing.
    pub fn nothing() -> Self {
        Self { folder: None, resume: false, every: None, again: String::new(), facts: Vec::new() }
    }
}

/// How a run begins.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// Where its state is kept.
    pub(super) state: Option<State>,
    /// What its results depend on.
    pub(super) facts: Vec<Fact>,
    /// How it is read so that it can be taken up again.
    pub(super) course: Option<Course>,
    /// Whether it can be told later that nothing is left to do.
    pub(super) settles: bool,
    /// The record that it goes on from.
    pub(super) from: Option<Box<Record>>,
    /// Sums of what was read of the inputs, in the plan's order.
    pub(super) adders: Vec<Adder>,
    /// That nothing is left to do.
    pub(super) over: Option<Box<(Record, Verdict)>>,
}

impl Begun {
    /// Says what a sink begins with.
    pub(super) fn sink(&self, name: &Name) -> Result<Begin<'_>, Failure> {
        let Some(record) = &self.from else {
            return Ok(match (&self.state, &self.course) {
                (None, _) => Begin::Anew,
                (Some(_), None) => Begin::Noted,
                (Some(_), Some(_)) => Begin::Kept,
            });
        };
        let table = record.tables.iter().find(|table| table.name == *name);
        match table.map(|table| &table.what) {
            Some(What::Sink(at)) => return Ok(Begin::TakeUp(at)),
            Some(What::Rows(at)) => return Ok(Begin::GoOn(at)),
            Some(What::Source(_) | What::Stage) | None => {}
        }
        let message = format!("cannot go on: nothing is kept of the sink `{name}`");
        Err(Failure::new(Exit::Locked, message).hint("without `--resume` the run starts afresh"))
    }
}

/// Who begins a run.
pub(super) struct Beginning<'a> {
    pub(super) plan: &'a Plan,
    pub(super) id: &'a RunId,
    pub(super) files: &'a Arc<dyn Files>,
    pub(super) keeping: &'a Keeping,
    pub(super) events: &'a Events,
}

impl Beginning<'_> {
    /// Takes the folder of the state, before anything is opened.
    pub(super) fn lock(&self) -> Result<Option<State>, Failure> {
        let Some(folder) = &self.keeping.folder else { return Ok(None) };
        match State::open(Arc::clone(self.files), folder, self.id.as_str()) {
            Ok(state) => Ok(Some(state)),
            Err(StateError::Locked(who)) => {
                let message = format!("`{}` is being run already, by {who}", self.plan.name);
                Err(Failure::new(Exit::Locked, message).hint(
                    "wait for its end, or give this run a state of its own: `--state-dir FOLDER`",
                ))
            }
            Err(StateError::Io(error)) => {
                let folder = self.plan.display(folder);
                let message = format!("no state can be kept in `{folder}`: {error}");
                if self.keeping.resume {
                    return Err(Failure::new(Exit::Locked, format!("cannot go on: {message}"))
                        .hint("`--state-dir FOLDER` says where the state is"));
                }
                let message = format!("{message}; should it be cut off, this run starts over");
                self.events.emit(Event::Note { table: None, message });
                Ok(None)
            }
        }
    }

    /// Decides how the run begins, once its sources are open.
    pub(super) fn begin(
        &self,
        state: Option<State>,
        sources: &mut [OpenSource],
    ) -> Result<Begun, Failure> {
        let Some(mut state) = state else { return Ok(Begun::default()) };
        let (settles, hindered) = self.outlook(sources);
        let course = course(self.plan).map_err(|why| why.join("; "));
        let course = course.and_then(|course| hindered.map_or(Ok(course), Err));
        let mut facts = facts(self.plan);
        facts.extend(self.keeping.facts.iter().cloned());
        if course.is_err() {
            // Of a run that cannot be taken up in its middle, no sums of what it read are kept.
            facts.extend(sources.iter().flat_map(|open| open.source.stamps().unwrap_or_default()));
        }
        let found = state.load().map_err(|error| cannot_keep(&state, &error))?;
        let mut begun = Begun { facts, settles, ..Begun::default() };
        match found {
            Found::Nothing => {
                if self.keeping.resume {
                    let why = course.as_ref().err().map(|why| format!(" ({why})"));
                    let why = why.unwrap_or_default();
                    self.note(format!("nothing is kept to go on with{why}: from the beginning"));
                }
            }
            Found::Damaged(error) if self.keeping.resume => {
                let folder = self.plan.display(state.folder());
                let message = format!("cannot go on: of the state in `{folder}`, {error}");
                return Err(Failure::new(Exit::Locked, message)
                    .hint("without `--resume` the run starts afresh"));
            }
            Found::Damaged(_) => state.clear().map_err(|error| cannot_keep(&state, &error))?,
            Found::Record(record) if self.keeping.resume => {
                self.resume(&mut state, record, sources, &mut begun)?;
            }
            Found::Record(record) => self.discard(&mut state, &record)?,
        }
        begun.state = Some(state);
        begun.course = course.ok();
        Ok(begun)
    }

    fn note(&self, message: String) {
        self.events.emit(Event::Note { table: None, message });
    }

    /// Tells whether the end of the run will settle it, and what only the files themselves show
    /// to hinder that it is taken up again.
    fn outlook(&self, sources: &[OpenSource]) -> (bool, Option<String>) {
        let mut endless = sources.iter().zip(&self.plan.sources);
        let endless = endless.find(|(open, _)| open.source.stamps().is_none());
        let endless =
            endless.map(|(_, plan)| format!("what `{}` reads cannot be read again", plan.name));
        let through = self.plan.sinks.iter().find(|sink| is_through(self.files.as_ref(), sink));
        let through =
            through.map(|sink| format!("what `{}` has written cannot be taken back", sink.name));
        let hindered = endless.or(through);
        let settles = sources.iter().all(|open| open.source.settles());
        (settles && hindered.is_none(), hindered)
    }

    fn resume(
        &self,
        state: &mut State,
        record: Box<Record>,
        sources: &mut [OpenSource],
        begun: &mut Begun,
    ) -> Result<(), Failure> {
        if !matches!(record.phase, Phase::Publishing(_)) {
            if let Some((what, before, now)) = record.differs(&begun.facts) {
                return Err(differs(&what, before.as_deref(), now.as_deref()));
            }
            begun.adders = self.verify(&record, sources)?;
        }
        match &record.phase {
            Phase::Running => {
                let (run, lines) = (record.run.clone(), record.lines());
                let at = place(&record);
                self.events.emit(Event::TakenUp { run, lines, at });
                begun.from = Some(record);
            }
            Phase::Publishing(verdict) => {
                let verdict = verdict.clone();
                for (name, at) in &verdict.outputs {
                    self.roll_forward(name, at)?;
                }
                state
                    .settle(&record, &verdict, begun.settles)
                    .map_err(|error| cannot_keep(state, &error))?;
                // What a run publishes that did not come to its end is no reason not to begin it.
                if verdict.code <= Exit::Data.code() {
                    begun.over = Some(Box::new((*record, verdict)));
                } else {
                    self.note(format!(
                        "run {} did not come to its end: from the beginning",
                        record.run
                    ));
                }
            }
            Phase::Done(verdict) => {
                for (name, at) in &verdict.outputs {
                    self.stands(name, at)?;
                }
                begun.over = Some(Box::new((*record.clone(), verdict.clone())));
            }
        }
        Ok(())
    }

    /// Sees to it that the inputs are what was read, and end where they did.
    fn verify(&self, record: &Record, sources: &mut [OpenSource]) -> Result<Vec<Adder>, Failure> {
        let mut adders = Vec::new();
        for (plan, open) in self.plan.sources.iter().zip(sources) {
            let table = record.tables.iter().find(|table| table.name == plan.name);
            let Some(What::Source(at)) = table.map(|table| &table.what) else {
                adders.push(Adder::default());
                continue;
            };
            let ends: Vec<Option<u64>> = at.inputs.iter().map(|input| input.end).collect();
            open.source.freeze(&ends)?;
            adders.push(verify(open.source.as_ref(), at)?);
        }
        Ok(adders)
    }

    fn target(&self, name: &Name) -> Result<(&Path, &Path, String), Failure> {
        let sink = self.plan.sinks.iter().find(|sink| sink.name == *name);
        let path = match sink.map(|sink| &sink.output) {
            Some(Output::File(path)) => path,
            Some(Output::Stdout | Output::Table(_)) | None => {
                let message = format!("cannot go on: there is no file sink `{name}`");
                return Err(Failure::new(Exit::Locked, message));
            }
        };
        Ok((path, path.parent().unwrap_or(Path::new("/")), self.plan.display(path)))
    }

    fn roll_forward(&self, name: &Name, at: &OutputAt) -> Result<(), Failure> {
        let (target, folder, shown) = self.target(name)?;
        roll_forward(self.files.as_ref(), target, folder, at)
            .map_err(|error| crate::sink::left_error(&shown, &at.part, &error))?;
        self.note(format!("`{shown}` is published: the run before was whole"));
        Ok(())
    }

    /// Sees to it that an output is as it was left.
    fn stands(&self, name: &Name, at: &OutputAt) -> Result<(), Failure> {
        let (target, _, shown) = self.target(name)?;
        let found = part::add_up(self.files.as_ref(), target, u64::MAX);
        let is_same =
            |adder: Adder| adder.bytes() == at.bytes && at.sum.is_none_or(|sum| sum == adder.sum());
        if found.is_ok_and(is_same) {
            return Ok(());
        }
        let message = format!("the run before ended well, and `{shown}` is not as it was left");
        Err(Failure::new(Exit::Locked, message).hint("without `--resume` the run starts afresh"))
    }

    /// Gives up what a run before left.
    fn discard(&self, state: &mut State, record: &Record) -> Result<(), Failure> {
        if !matches!(record.phase, Phase::Done(_)) {
            let lines = count(record.lines(), "line");
            self.note(format!(
                "discards the unfinished work of run {} ({lines}): `--resume` would have gone on with it",
                record.run
            ));
        }
        state.discard(record).map_err(|error| cannot_keep(state, &error))
    }
}

fn is_through(files: &dyn Files, sink: &SinkPlan) -> bool {
    match &sink.output {
        Output::Stdout => true,
        Output::Table(_) => false,
        Output::File(path) => match files.look(path) {
            Ok(Look::Link { target, .. }) => *target == Look::Stream,
            Ok(look) => look == Look::Stream,
            // It is told when it is opened.
            Err(_) => false,
        },
    }
}

fn differs(what: &str, before: Option<&str>, now: Option<&str>) -> Failure {
    let is_sum = |value: &str| value.starts_with("sum ");
    let message = match (before, now) {
        (Some(before), Some(now)) if !is_sum(before) && !is_sum(now) => {
            format!("cannot go on: {what} is {now}, and was {before}")
        }
        (None, _) => format!("cannot go on: {what} is new"),
        (_, None) => format!("cannot go on: {what} is gone"),
        _ => format!("cannot go on: {what} has changed since the run began"),
    };
    Failure::new(Exit::Locked, message)
        .hint("put it back as it was, or start afresh without `--resume`")
}

/// Says where a run stands, as people read it.
pub(super) fn place(record: &Record) -> String {
    let sources = record.tables.iter().filter_map(|table| match &table.what {
        What::Source(at) => Some((&table.name, at)),
        What::Stage | What::Sink(_) | What::Rows(_) => None,
    });
    let mut last = String::from("the beginning");
    for (name, at) in sources {
        match at.inputs.get(at.input as usize) {
            Some(input) if at.at.line > 1 => {
                return format!("line {} of `{}`", at.at.line, input.name);
            }
            Some(input) if at.input > 0 => return format!("the beginning of `{}`", input.name),
            Some(_) => {}
            None => last = format!("the end of `{name}`"),
        }
    }
    last
}

/// Says how the tables of a plan stand before anything is done.
pub(super) fn at_first(
    plan: &Plan,
    sources: &[OpenSource],
    outputs: &[Option<What>],
) -> Vec<TableAt> {
    let table = |name: &Name, counts, what| TableAt {
        name: name.clone(),
        counts,
        bytes: 0,
        refusals: Refusals::default(),
        what,
    };
    let source = |(plan, open): (&crate::plan::Source, &OpenSource)| {
        let inputs = open.source.inputs();
        let inputs = (0..).zip(inputs).map(|(number, input)| crate::words::marks::InputAt {
            name: open.source.name_of(number).to_string(),
            end: input.end,
            read: 0,
            sum: Adder::default().sum(),
            row: None,
        });
        let at = SourceAt { inputs: inputs.collect(), ..SourceAt::default() };
        table(&plan.name, Counts::Source(SourceCounts::default()), What::Source(at))
    };
    let sources = plan.sources.iter().zip(sources).map(source);
    let stage = |stage: &crate::plan::Stage| {
        table(&stage.name, Counts::Stage(StageCounts::default()), What::Stage)
    };
    let sink = |(sink, at): (&SinkPlan, &Option<What>)| {
        let what = at.clone().unwrap_or(What::Stage);
        table(&sink.name, Counts::Sink(SinkCounts::default()), what)
    };
    let stages = plan.stages.iter().map(stage);
    sources.chain(stages).chain(plan.sinks.iter().zip(outputs).map(sink)).collect()
}
