//! Where records end. A sink writes on a thread of its own, by plain blocking calls; whether
//! its output is published is for the run to decide, when everything is known.

pub mod file;
pub mod packed;
pub mod stdout;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::plan::{Output, Sink as SinkPlan};
use crate::publish::files::Files;
use crate::publish::target::{Target, TargetError, aim};
use crate::words::belt::{Inlet, Notice, Post, Taken};
use crate::words::event::{Event, Events};
use crate::words::ledger::Tally;
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

    /// Makes the output appear. Not to call it is to discard the output.
    fn publish(self: Box<Self>) -> io::Result<()>;
}

/// Opens the sink that the plan asks for: the list of all kinds.
pub fn open(
    plan: &SinkPlan,
    files: &Arc<dyn Files>,
    caller: &Path,
) -> Result<Box<dyn Sink>, Failure> {
    let path = match &plan.output {
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
            let sink = file::File::create(Arc::clone(files), path, folder, mode).map_err(cannot)?;
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

/// Writes everything that comes. Whatever goes wrong, it takes until its senders are gone, so
/// that every record is counted.
pub fn run(plan: &SinkPlan, shown: &str, mut sink: Box<dyn Sink>, io: Io) -> Done {
    let Io { mut input, tally, events, post } = io;
    let mut health = Health::Whole;
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
    Done { sink: Some(sink), health }
}
