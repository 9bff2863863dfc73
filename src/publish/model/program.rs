//! A small program whose outputs are written, kept and published as those of any run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::publish::files::Files;
use crate::publish::model::disk::Bad;
use crate::publish::part::Hand;
use crate::publish::part::{LeftError, Place, add_up};
use crate::publish::state::{
    Closing, Fate, Found, Phase, Record, State, StateError, Verdict, roll_forward,
};
use crate::sink::Sink;
use crate::sink::file::File;
use crate::words::buffer::Pool;
use crate::words::fuzz::Dice;
use crate::words::id::Name;
use crate::words::ledger::{Counts, SinkCounts, SourceCounts};
use crate::words::marks::{OutputAt, Refusals, SourceAt, TableAt, What};
use crate::words::packing::Packing;
use crate::words::record::{Batch, Lines, Origin, Position, Split};

pub(super) const OUT: &str = "/out";
pub(super) const STATE: &str = "/state";

/// Targets whose names come close to each other; which of them are packed, or dead letters.
const NAMES: [&str; 6] = [
    "users",
    "users.ndjson",
    "users-of-the-year-before-last-1.ndjson",
    "users-of-the-year-before-last-2.ndjson",
    "packed.gz",
    "letters",
];

/// An output.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) name: Name,
    pub(super) target: PathBuf,
    pub(super) is_packed: bool,
    /// Whether it appears whatever becomes of the run.
    pub(super) is_letters: bool,
}

/// What is to be done.
pub(super) struct Program {
    pub(super) outputs: Vec<Output>,
    /// Each record as it is written, and into which outputs.
    records: Vec<(Batch, usize)>,
}

/// How it is done this time.
#[derive(Clone, Debug)]
pub(super) struct How {
    pub(super) run: String,
    pub(super) resumes: bool,
    /// Behind which records there is a mark, and behind which it is made durable; bit by bit.
    pub(super) marks: usize,
    pub(super) saves: usize,
    /// Behind how many records it is stopped.
    pub(super) stop: usize,
    /// No state is kept.
    pub(super) is_plain: bool,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All is published.
    Done,
    /// Something failed, or it was stopped.
    CutOff,
    /// It does not go on with what it found.
    Refused(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exit {
    Ok,
    World,
    Signal,
}

/// What a run writes to.
struct Going {
    sinks: Vec<Option<Box<dyn Sink>>>,
    hands: Vec<Hand>,
    record: Record,
    exit: Exit,
    /// Whether there was a mark, and whether one is durable.
    some: bool,
    saved: bool,
}

impl Program {
    pub(super) fn new(dice: &mut Dice, count: usize, packed: bool) -> Self {
        let outputs = 1 + dice.roll(3);
        let first = dice.roll(NAMES.len());
        let names = (first..first + outputs).map(|number| NAMES[number % NAMES.len()]);
        let names = names.filter(|name| packed || Packing::of(Path::new(name)).is_none());
        let mut names: Vec<&str> = names.collect();
        if names.is_empty() || names == ["letters"] {
            names.push("users");
        }
        let output = |name: &&str| Output {
            name: Name::internal(name),
            target: Path::new(OUT).join(name),
            is_packed: Packing::of(Path::new(name)).is_some(),
            is_letters: *name == "letters",
        };
        let outputs: Vec<Output> = names.iter().map(output).collect();
        let record = |number: usize| {
            let line = format!("{{\"n\":{number},\"is\":{}}}\n", dice.roll(1 << 20));
            (batch(line.as_bytes(), number), 1 + dice.roll((1 << outputs.len()) - 1))
        };
        let records = (0..count).map(record).collect();
        Self { outputs, records }
    }

    pub(super) fn count(&self) -> usize {
        self.records.len()
    }

    /// What an output that is not packed holds in the end.
    pub(super) fn lines(&self, output: usize) -> Vec<u8> {
        let own = self.records.iter().filter(|(_, into)| into >> output & 1 == 1);
        own.flat_map(|(batch, _)| batch.slices().collect::<Vec<_>>().concat()).collect()
    }

    fn output(&self, name: &Name) -> &Output {
        self.outputs.iter().find(|output| output.name == *name).unwrap()
    }

    /// Runs it, as `run` does.
    pub(super) fn run(&self, files: &Arc<dyn Files>, how: &How, bad: Option<Bad>) -> End {
        if how.is_plain {
            let Some(going) = self.open(files, how, None, None) else { return End::CutOff };
            return self.go(going, None, how, bad);
        }
        let mut state = match State::open(Arc::clone(files), Path::new(STATE), &how.run) {
            Ok(state) => state,
            Err(StateError::Io(_)) => return End::CutOff,
            Err(error @ StateError::Locked(_)) => return End::Refused(error.to_string()),
        };
        let from = match state.load() {
            Err(_) => return End::CutOff,
            Ok(Found::Nothing) => None,
            Ok(Found::Damaged(error)) if how.resumes => return End::Refused(error.to_string()),
            Ok(Found::Damaged(_)) => match state.clear() {
                Ok(()) => None,
                Err(_) => return End::CutOff,
            },
            Ok(Found::Record(record)) if how.resumes => match &record.phase {
                Phase::Running => Some(record),
                Phase::Publishing(verdict) => {
                    return self.roll_forward(files, &mut state, &record, verdict);
                }
                Phase::Done(verdict) => return self.stands(files, verdict),
            },
            Ok(Found::Record(record)) => match state.discard(&record) {
                Ok(()) => None,
                Err(_) => return End::CutOff,
            },
        };
        let mut refused = None;
        let Some(going) = self.open(files, how, from, Some(&mut refused)) else {
            return refused.map_or(End::CutOff, End::Refused);
        };
        self.go(going, Some(state), how, bad)
    }

    fn roll_forward(
        &self,
        files: &Arc<dyn Files>,
        state: &mut State,
        record: &Record,
        verdict: &Verdict,
    ) -> End {
        for (name, at) in &verdict.outputs {
            let target = &self.output(name).target;
            match roll_forward(files.as_ref(), target, Path::new(OUT), at) {
                Ok(()) => {}
                Err(LeftError::Io(_)) => return End::CutOff,
                Err(error) => return End::Refused(format!("{name}: {error}")),
            }
        }
        match state.settle(record, verdict, true) {
            Ok(()) if verdict.code == 0 => End::Done,
            _ => End::CutOff,
        }
    }

    fn stands(&self, files: &Arc<dyn Files>, verdict: &Verdict) -> End {
        for (name, at) in &verdict.outputs {
            match add_up(files.as_ref(), &self.output(name).target, u64::MAX) {
                Err(_) => return End::CutOff,
                Ok(found) if Some(found.sum()) == at.sum => {}
                Ok(_) => return End::Refused(format!("{name} is not as it was left")),
            }
        }
        End::Done
    }

    fn open(
        &self,
        files: &Arc<dyn Files>,
        how: &How,
        from: Option<Box<Record>>,
        refused: Option<&mut Option<String>>,
    ) -> Option<Going> {
        let mut sinks: Vec<Option<Box<dyn Sink>>> = Vec::new();
        for output in &self.outputs {
            let (target, folder) = (output.target.clone(), PathBuf::from(OUT));
            let place = Place { target, folder, mode: Some(0o640) };
            let left = from.as_ref().map(|record| at(record, &output.name));
            let sink = match left {
                None if how.is_plain => File::create(Arc::clone(files), place).ok()?,
                None => File::noted(Arc::clone(files), place, true).ok()?,
                Some(at) => match File::take_up(Arc::clone(files), place, at) {
                    Ok(sink) => sink,
                    Err(LeftError::Io(_)) => return None,
                    Err(error) => {
                        *refused? = Some(format!("{}: {error}", output.name));
                        return None;
                    }
                },
            };
            sinks.push(Some(Box::new(sink)));
        }
        let hands = sinks.iter().flatten().map(|sink| sink.twin());
        let hands = hands.collect::<Result<Vec<_>, _>>().ok()?.into_iter().flatten().collect();
        let goes_on = from.is_some();
        let record = from.map_or_else(|| self.record(how, 0, &sinks), |record| *record);
        Some(Going { sinks, hands, record, exit: Exit::Ok, some: goes_on, saved: goes_on })
    }

    /// How it stands behind so many records.
    fn record(&self, how: &How, done: usize, sinks: &[Option<Box<dyn Sink>>]) -> Record {
        let table = |name: &str, counts, what| TableAt {
            name: Name::internal(name),
            counts,
            bytes: 0,
            refusals: Refusals::default(),
            what,
        };
        let at = SourceAt { seq: done as u64, ..SourceAt::default() };
        let source = table("in", Counts::Source(SourceCounts::default()), What::Source(at));
        let sinks = self.outputs.iter().zip(sinks).filter_map(|(output, sink)| {
            let at = sink.as_ref()?.at()?;
            let counts = Counts::Sink(SinkCounts::default());
            Some(table(output.name.as_str(), counts, What::Sink(at)))
        });
        let tables = std::iter::once(source).chain(sinks).collect();
        Record { run: how.run.clone(), phase: Phase::Running, facts: Vec::new(), tables }
    }

    fn go(&self, mut going: Going, mut state: Option<State>, how: &How, bad: Option<Bad>) -> End {
        let mut healthy = vec![true; self.outputs.len()];
        if self.write(&mut going, state.as_mut(), how).is_err() {
            going.exit = Exit::World;
        }
        for (number, output) in self.outputs.iter().enumerate() {
            // What was broken off is not ended, but for dead letters.
            let ends = going.exit != Exit::World || output.is_letters;
            let sink = going.sinks[number].as_mut().filter(|_| ends);
            healthy[number] = sink.is_some_and(|sink| sink.persist().is_ok());
            if ends && !healthy[number] {
                going.exit = Exit::World;
            }
        }
        self.end(&mut going, state.as_mut(), &healthy, bad);
        if going.exit == Exit::Ok { End::Done } else { End::CutOff }
    }

    fn write(
        &self,
        going: &mut Going,
        mut state: Option<&mut State>,
        how: &How,
    ) -> std::io::Result<()> {
        for number in begins(&going.record)..self.records.len() {
            if how.stop == number {
                going.exit = Exit::Signal;
                return Ok(());
            }
            let (batch, into) = &self.records[number];
            for (_, sink) in (0..).zip(&mut going.sinks).filter(|(bit, _)| into >> bit & 1 == 1) {
                sink.as_mut().map_or(Ok(()), |sink| sink.write(batch))?;
            }
            let Some(state) = state.as_deref_mut().filter(|_| how.marks >> number & 1 == 1) else {
                continue;
            };
            going.record = self.record(how, number + 1, &going.sinks);
            going.some = true;
            if how.saves >> number & 1 == 1 {
                state.checkpoint(&mut going.hands, &going.record)?;
                going.saved = true;
            }
        }
        Ok(())
    }

    /// Ends as `run::finish` does.
    fn end(
        &self,
        going: &mut Going,
        mut state: Option<&mut State>,
        healthy: &[bool],
        bad: Option<Bad>,
    ) {
        let opens = |number: usize, exit| {
            healthy[number] && (exit == Exit::Ok || self.outputs[number].is_letters)
        };
        let cut_off = match going.exit {
            Exit::Signal => going.some,
            Exit::World => going.saved,
            Exit::Ok => false,
        };
        if let Some(state) = state.as_deref_mut().filter(|_| cut_off) {
            let kept = state.checkpoint(&mut going.hands, &going.record);
            if kept.is_err() {
                going.exit = Exit::World;
            }
            if kept.is_ok() || going.saved {
                return self.settle(going, &Closing::kept(), opens, bad);
            }
        }
        let outputs = self.outputs.iter().enumerate().filter_map(|(number, output)| {
            let at = going.sinks[number].as_ref()?.at()?;
            opens(number, going.exit).then(|| (output.name.clone(), at))
        });
        let code = if going.exit == Exit::Ok { 0 } else { 4 };
        let verdict = Verdict { code, reason: String::new(), outputs: outputs.collect() };
        let mut closing = Closing::default();
        let exit = going.exit;
        if let Some(state) = state.as_deref_mut()
            && closing.commit(state, &going.record, &verdict).is_err()
        {
            going.exit = Exit::World;
        }
        self.settle(going, &closing, opens, bad);
        if going.exit == exit
            && let Some(state) = state
            && state.settle(&going.record, &verdict, true).is_err()
        {
            going.exit = Exit::World;
        }
    }

    /// Lets each output appear or not, dead letters first.
    fn settle(
        &self,
        going: &mut Going,
        closing: &Closing,
        opens: impl Fn(usize, Exit) -> bool,
        bad: Option<Bad>,
    ) {
        let mut order: Vec<usize> = (0..self.outputs.len()).collect();
        order.sort_by_key(|number| !self.outputs[*number].is_letters);
        for number in order {
            let Some(sink) = going.sinks[number].take() else { continue };
            let fate = closing.fate(&self.outputs[number].name, opens(number, going.exit));
            let published = match fate {
                Fate::Publish => sink.publish(),
                // Where all names are the same, there is none for a copy.
                Fate::Copy if bad != Some(Bad::FixedNames) => sink.publish_copy(),
                Fate::Leave | Fate::Copy if bad != Some(Bad::Forgetful) => {
                    sink.leave();
                    Ok(())
                }
                Fate::Leave | Fate::Copy | Fate::Discard => {
                    sink.discard();
                    Ok(())
                }
            };
            if published.is_err() {
                going.exit = Exit::World;
            }
        }
    }
}

fn at<'a>(record: &'a Record, name: &Name) -> &'a OutputAt {
    let table = record.tables.iter().find(|table| table.name == *name);
    match table.map(|table| &table.what) {
        Some(What::Sink(at)) => at,
        other => panic!("nothing is kept of `{name}`: {other:?}"),
    }
}

/// Where a run goes on.
fn begins(record: &Record) -> usize {
    match record.tables.first().map(|table| &table.what) {
        Some(What::Source(at)) => usize::try_from(at.seq).unwrap(),
        other => panic!("nothing is kept of the source: {other:?}"),
    }
}

fn batch(line: &[u8], number: usize) -> Batch {
    let mut buffer = Pool::new(line.len()).take(line.len());
    buffer[..line.len()].copy_from_slice(line);
    let (mut lines, seq) = (Lines::default(), number as u64 + 1);
    lines.push(0, line.len(), Position { line: seq, offset: 0 });
    let origin = Arc::new(Origin { table: Name::internal("in"), file: None });
    Batch::new(buffer, lines, seq, origin, Split { input: 0, start: 0, end: None })
}
