//! Where records come from. A source opens its splits one after the other and reads them on a
//! thread of its own: regular files are read by plain blocking calls.

pub mod file;
pub mod generate;
pub mod letters;
pub mod lines;
pub mod packed;
pub mod reading;
pub mod rows;
pub mod split;
pub mod spooled;
pub mod stdin;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::plan::{Input as InputPlan, Source as SourcePlan};
use crate::publish::part::Hand;
use crate::publish::state::Fact;
use crate::source::packed::Fault;
use crate::source::reading::{End, Marks, Pace, Reading};
use crate::words::belt::{Outlet, Stop, StopSign};
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::marks::SourceAt;
use crate::words::outcome::{Exit, Failure};
use crate::words::record::Split;

pub use reading::{Keep, verify};

/// Something that yields bytes split by split.
pub trait Source: Send {
    /// Lists the inputs, in the order they are to be read.
    fn inputs(&self) -> Vec<Input>;

    /// Takes these as the ends of the inputs, as they were found when a run began.
    fn freeze(&mut self, _ends: &[Option<u64>]) -> Result<(), Failure> {
        Ok(())
    }

    /// Returns where it will be told how long its input is, if that shows only while it is read.
    fn length(&self) -> Option<Arc<OnceLock<u64>>> {
        None
    }

    /// Begins with what goes on while it is read; nothing was read before.
    fn prepare(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Returns a hand on the file that must be durable before a mark is.
    fn twin(&self) -> io::Result<Option<Hand>> {
        Ok(None)
    }

    /// Tells whether all of it can still be looked at when the run is over.
    fn settles(&self) -> bool {
        self.stamps().is_some()
    }

    /// Tells what its inputs look like from outside (a name, a stamp), if all of them can be read
    /// again.
    fn stamps(&self) -> Option<Vec<Fact>> {
        None
    }

    /// Opens what a split owns; of an input without a known end, all from its start on.
    fn open(&self, split: Split) -> Result<Box<dyn Reader>, Failure>;

    /// Opens an input behind a row, if it is made of rows.
    fn open_behind(&self, _row: &str) -> Result<Option<Box<dyn Reader>>, Failure> {
        Ok(None)
    }

    /// Names an input in messages.
    fn name_of(&self, input: u32) -> Arc<str>;

    /// Tells how many bytes there are to read, where that is known.
    fn total(&self) -> Option<u64>;
}

/// An input of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Where it ends, if that is known.
    pub end: Option<u64>,
}

/// The open bytes of one split.
pub trait Reader: Send {
    /// Reads into `room`; 0 is the end.
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble>;

    /// Tells where the first byte lies that will be read, where that is known before.
    fn begins(&self) -> Option<u64> {
        None
    }

    /// Tells behind which row it stands, if it reads rows.
    fn row(&self) -> Row {
        Row::None
    }

    /// Tells how many bytes of the input itself, as it lies there, the last read of `count` took.
    fn spent(&mut self, count: usize) -> u64 {
        count as u64
    }
}

/// Where a reader of rows stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// It reads no rows.
    None,
    /// Somewhere among rows.
    Within,
    /// Right behind the row with this key; none before the first.
    Behind(Option<String>),
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The system's reasons.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is packed, and cannot be unpacked.
    #[error("{0}")]
    Packed(Fault),
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes.
    Bytes(usize),
    /// Nothing yet: what was read so far should be passed on before the next read, which waits.
    Idle,
    /// The run is being stopped.
    Stopped,
}

/// Makes the source that the plan asks for: the list of all kinds.
///
/// `copy` is where a copy of stdin may be kept; `wake` becomes readable when the run stops, so
/// that waiting for input can end.
pub fn open(
    plan: &SourcePlan,
    caller: &Path,
    copy: Option<PathBuf>,
    wake: OwnedFd,
) -> Result<Box<dyn Source>, Failure> {
    match &plan.input {
        InputPlan::Files(paths) => {
            Ok(Box::new(file::Files::find(paths, plan.unpack, caller, wake)?))
        }
        InputPlan::Stdin { spool } => match copy.filter(|_| *spool) {
            Some(copy) => Ok(Box::new(spooled::Spooled::new(copy, caller, wake))),
            None => Ok(Box::new(stdin::Stdin::new(wake))),
        },
        InputPlan::Rows(rows) => Ok(Box::new(rows::Relational::find(rows, caller, wake)?)),
        InputPlan::Generate(made) => Ok(Box::new(generate::Making::new(made.clone()))),
        InputPlan::Letters { .. } => Ok(Box::new(letters::Returning)),
    }
}

/// Tells whether the run stops: then this becomes readable.
fn is_awake(wake: &OwnedFd) -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut fds = [PollFd::new(wake, PollFlags::IN)];
    poll(&mut fds, Some(&at_once)).is_ok() && !fds[0].revents().is_empty()
}

/// What a source's thread works with.
pub struct Io {
    /// Where records go.
    pub out: Outlet,
    /// Where dead letters go.
    pub letters: Letters,
    /// Its counts.
    pub tally: Arc<Tally>,
    /// How the run is being stopped.
    pub stop: StopSign,
    /// How it is read if it may be taken up again.
    pub keep: Option<Keep>,
}

/// Reads all inputs to their end, or to the stop; returns what went wrong.
pub fn run(plan: &SourcePlan, source: &dyn Source, io: Io) -> Result<(), Failure> {
    let Io { out, mut letters, tally, stop, keep } = io;
    let end = match &plan.input {
        InputPlan::Letters { .. } => letters::read_all(plan, &out, &mut letters, &tally, &stop),
        InputPlan::Files(_)
        | InputPlan::Stdin { .. }
        | InputPlan::Rows(_)
        | InputPlan::Generate(_) => read(plan, source, (&out, &mut letters), (&tally, &stop), keep),
    };
    let limit = letters.stop_above.filter(|_| letters.over_limit());
    let whole = matches!(end, Ok(End::Reached)) || *stop.borrow() == Stop::Drain;
    // Dead letters arrive whatever the end: they are what explains it.
    letters.end();
    if let Some(limit) = limit {
        let message = format!("`{}` stopped: more than {limit} rejects", plan.name);
        let failure = Failure::new(Exit::Data, message);
        return Err(failure.hint(
            "the rest was not read; the dead letters, kept where `rejects` says, tell the lines",
        ));
    }
    end?;
    // A source that was told to stop for good leaves its edge broken: what it sent is not whole.
    if whole {
        out.end_blocking();
    }
    Ok(())
}

fn read(
    plan: &SourcePlan,
    source: &dyn Source,
    (out, letters): (&Outlet, &mut Letters),
    (tally, stop): (&Tally, &StopSign),
    keep: Option<Keep>,
) -> Result<End, Failure> {
    let pace = Pace::new(keep.is_some());
    let (mut marks, mut at) = (None, SourceAt::default());
    if let Some(keep) = keep {
        let (own, from, turn) = Marks::new(keep);
        if turn.blocking_recv().is_err() {
            // The run is being stopped before it was this one's turn.
            return Ok(End::Stopped);
        }
        (marks, at) = (Some(own), from);
    }
    Reading { plan, source, out, letters, tally, stop, marks, at, ahead: false, pace }.read_all()
}
