//! Where records end. A sink writes on a thread of its own, by plain blocking calls; whether
//! its output is published is for the run to decide, when everything is known.

pub mod file;
pub mod packed;
pub mod rows;
pub mod stdout;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::plan::{Output, Sink as SinkPlan};
use crate::publish::files::Files;
use crate::publish::part::{Hand, LeftError, Place};
use crate::publish::target::{Target, TargetError, aim};
use crate::words::belt::{Inlet, Notice, Post, Taken};
use crate::words::event::{Event, Events};
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::marks::{Mark, Noted, Notes, OutputAt, Refusals, RowsAt, TableAt, What};
use crate::words::outcome::{Exit, Failure};
use crate::words::packing::Packing;
use crate::words::policy::Publish;
use crate::words::record::Batch;

/// Up to where a sink's output is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    /// All records before this number.
    UpTo(u64),
    /// It can never be told: a pipe, a terminal, a device.
    Never,
}

/// Something that takes batches.
pub trait Sink: Send {
    /// Writes a batch; a broken pipe means that the reader has gone.
    fn write(&mut self, batch: &Batch) -> io::Result<()>;

    /// Ends what was written, makes it as durable as it gets, and says how far that is.
    fn persist(&mut self) -> io::Result<Durable>;

    /// Whether the output is final as it is written, outside the gate.
    fn is_through(&self) -> bool;

    /// Tells how many bytes were written so far, packed ones where it packs.
    fn bytes(&self) -> u64;

    /// The file that must be gone at the end, should the sink be stuck till then.
    fn temporary(&self) -> Option<&Path> {
        None
    }

    /// Tells how far the output goes; none if it cannot be taken up again.
    fn at(&self) -> Option<OutputAt> {
        None
    }

    /// Tells how the output stands, for who takes the run up again; none if nobody can.
    fn stands(&self) -> Option<What> {
        self.at().map(What::Sink)
    }

    /// Returns the table, if it writes rows of one.
    fn table(&mut self) -> Option<&mut rows::Table> {
        None
    }

    /// Returns a second hand on the file that is written, to sync it from another thread.
    fn twin(&self) -> io::Result<Option<Hand>> {
        Ok(None)
    }

    /// Makes the output appear.
    fn publish(self: Box<Self>) -> io::Result<()>;

    /// Makes a copy of what was written appear, and leaves it for another run to take up.
    fn publish_copy(self: Box<Self>) -> io::Result<()> {
        self.publish()
    }

    /// Lets nothing of what was written stay. What is merely dropped stays only if it was taken
    /// up from another run.
    fn discard(self: Box<Self>) {}

    /// Leaves what was written for another run to take up.
    fn leave(self: Box<Self>) {}
}

/// What a sink begins with.
#[derive(Clone, Copy, Debug)]
pub enum Begin<'a> {
    /// Nothing, and nothing is known of it if the run is cut off.
    Anew,
    /// Nothing; a run that is cut off while it publishes can be ended.
    Noted,
    /// Nothing; a run that is cut off at any time can be taken up again.
    Kept,
    /// What a run that was cut off had written.
    TakeUp(&'a OutputAt),
    /// The rows that such a run had written.
    GoOn(&'a RowsAt),
}

/// Opens the sink that the plan asks for: the list of all kinds.
pub fn open(
    plan: &SinkPlan,
    files: &Arc<dyn Files>,
    caller: &Path,
    (whose, begin): (&rows::Whose, Begin<'_>),
) -> Result<Box<dyn Sink>, Failure> {
    let path = match &plan.output {
        Output::Table(target) => {
            let shown = crate::plan::describe::what_sink(plan, caller);
            return Ok(Box::new(rows::Table::open(plan, target, &shown, (whose, begin))?));
        }
        Output::Stdout => {
            return Ok(Box::new(stdout::Stdout::new().map_err(|e| stdout_error(&e))?));
        }
        Output::File(path) => path,
    };
    let shown = crate::plan::display(caller, path);
    let target = aim(files.as_ref(), path).map_err(|error| match error {
        TargetError::Unsafe { what } => {
            Failure::new(Exit::Config, format!("will not write `{shown}`: it is {what}"))
                .hint("name the file itself, or remove what stands there")
        }
        TargetError::Io(error) => {
            Failure::new(Exit::World, format!("cannot write `{shown}`: {error}"))
        }
    })?;
    let cannot =
        |error: io::Error| Failure::new(Exit::World, format!("cannot write `{shown}`: {error}"));
    match target {
        Target::Replace { path, folder, mode } => {
            let (files, place) = (Arc::clone(files), Place { target: path, folder, mode });
            let sink = match begin {
                Begin::Anew | Begin::GoOn(_) => file::File::create(files, place).map_err(cannot)?,
                Begin::Noted => file::File::noted(files, place, false).map_err(cannot)?,
                Begin::Kept => file::File::noted(files, place, true).map_err(cannot)?,
                Begin::TakeUp(at) => file::File::take_up(files, place, at)
                    .map_err(|error| left_error(&shown, &at.part, &error))?,
            };
            Ok(Box::new(sink))
        }
        Target::Through(path) => match Packing::of(&path) {
            None => Ok(Box::new(stdout::Through::new(Arc::clone(files), path))),
            // It would get nothing for 4 MiB at a time, and what is held back is not written.
            Some(packing) => {
                let what = "it is a pipe or device, which gets records as they come";
                let message = format!("will not write `{shown}` in {packing}: {what}");
                let hint = format!("name it without `.{}`, and pack behind it", packing.end());
                Err(Failure::new(Exit::Config, message).hint(hint))
            }
        },
    }
}

fn stdout_error(error: &io::Error) -> Failure {
    Failure::new(Exit::World, format!("cannot write to stdout: {error}"))
}

/// Says why an output cannot be gone on with.
pub fn left_error(target: &str, part: &str, error: &LeftError) -> Failure {
    let exit = if matches!(error, LeftError::Io(_)) { Exit::World } else { Exit::Locked };
    let message =
        format!("cannot go on with `{target}`: of what was written, in `{part}`, {error}");
    Failure::new(exit, message).hint("without `--resume` the run starts afresh")
}

/// What a sink's thread works with.
pub struct Io {
    /// Where records come from.
    pub input: Inlet,
    /// Its counts.
    pub tally: Arc<Tally>,
    /// Where its events go.
    pub events: Events,
    /// Where it tells the run what stops it.
    pub post: Post,
    /// Where it puts what it refuses.
    pub letters: Letters,
    /// Where it notes how it stands; none in a run that cannot be taken up again.
    pub notes: Option<Notes>,
}

/// A sink at the end of its input.
pub struct Done {
    /// The sink, ready to be published or discarded; none if it panicked.
    pub sink: Option<Box<dyn Sink>>,
    /// How it fared.
    pub health: Health,
}

impl Done {
    /// What is left of a sink that panicked.
    pub fn panicked() -> Self {
        Self { sink: None, health: Health::Failed }
    }
}

/// How a sink fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Everything that came is written and durable.
    Whole,
    /// A sender broke off, so what is written is not whole.
    Broken,
    /// Writing failed.
    Failed,
    /// The reader went away.
    ReaderGone,
}

/// How much a sink has to say about how it stands before it is much.
const MUCH: usize = 64 << 10;

/// Where a sink notes how it stands at marks.
struct Notebook {
    notes: Option<Notes>,
    /// Whether there was much to note the last time.
    much: bool,
}

impl Notebook {
    fn note(&mut self, mark: Mark, plan: &SinkPlan, tally: &Tally, sink: &dyn Sink) {
        let Some(notes) = &self.notes else { return };
        // Notes that are not read yet take memory. A mark that is not noted is one the less.
        if self.much && !mark.full {
            return;
        }
        let Some(at) = sink.at() else { return };
        self.much = at.pending.len() > MUCH;
        // Whoever keeps the notes ends with the run.
        notes.blocking_send(Noted { mark, table: table_at(plan, tally, at) }).ok();
    }
}

/// Says how a sink stands.
pub fn table_at(plan: &SinkPlan, tally: &Tally, at: OutputAt) -> TableAt {
    let (name, counts, bytes) = (plan.name.clone(), tally.sink(), tally.bytes.get());
    TableAt { name, counts, bytes, refusals: Refusals::default(), what: What::Sink(at) }
}

/// Writes everything that comes. Whatever goes wrong, it takes until its senders are gone, so
/// that every record is counted.
pub fn run(plan: &SinkPlan, shown: &str, mut sink: Box<dyn Sink>, io: Io) -> Done {
    if let Some(table) = sink.table() {
        let health = rows::run(plan, table, io);
        return Done { sink: Some(sink), health };
    }
    let Io { mut input, tally, events, post, letters, notes } = io;
    let mut health = Health::Whole;
    let mut notebook = Notebook { notes, much: false };
    let fail = |error: &io::Error| {
        let (path, error) = (shown.to_owned(), error.to_string());
        let message = format!("cannot write `{path}`: {error}");
        events.emit(Event::Storage { sink: plan.name.clone(), path, error });
        // The post is closed only when the run is over, which it is not before we are.
        post.blocking_send(Notice::Failed(Failure::new(Exit::World, message))).ok();
    };
    loop {
        let batch = match input.take_blocking() {
            Taken::Batch(batch) => batch,
            Taken::Mark(mark) => {
                if health == Health::Whole {
                    notebook.note(mark, plan, &tally, sink.as_ref());
                }
                continue;
            }
            Taken::End => break,
            Taken::Broken => {
                // Dead letters are of use whatever became of the rest.
                if health == Health::Whole && plan.publish != Publish::EveryEnd {
                    health = Health::Broken;
                }
                break;
            }
        };
        let records = batch.records();
        match health {
            Health::ReaderGone => tally.dropped.add(records),
            Health::Failed | Health::Broken => tally.in_doubt.add(records),
            Health::Whole => match sink.write(&batch) {
                Ok(()) => {
                    tally.bytes.set(sink.bytes());
                    if sink.is_through() {
                        tally.written.add(records);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    health = Health::ReaderGone;
                    tally.dropped.add(records);
                    events.emit(Event::SinkClosed { sink: plan.name.clone() });
                    post.blocking_send(Notice::ReaderGone(plan.name.clone())).ok();
                }
                Err(error) => {
                    health = Health::Failed;
                    tally.in_doubt.add(records);
                    fail(&error);
                }
            },
        }
    }
    if health == Health::Whole {
        match sink.persist() {
            Ok(_) => tally.bytes.set(sink.bytes()),
            Err(error) => {
                health = Health::Failed;
                fail(&error);
            }
        }
    }
    letters.end();
    Done { sink: Some(sink), health }
}
