//! Where records come from. A source opens its splits one after the other and reads them on a
//! thread of its own: regular files are read by plain blocking calls.

pub mod file;
pub mod letters;
pub mod lines;
pub mod packed;
pub mod stdin;

use std::io;
use std::sync::Arc;

use crate::plan::{Input, Source as SourcePlan};
use crate::source::lines::Sorter;
use crate::source::packed::Fault;
use crate::words::belt::{Outlet, Stop, StopSign};
use crate::words::buffer::Pool;
use crate::words::frame::{BLOCK, Framer, Piece};
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Check;
use crate::words::record::{Origin, Split};

/// How many bytes of whole lines make a batch, when they come in small reads.
const BATCH: usize = 128 << 10;

/// Something that yields bytes split by split.
pub trait Source: Send {
    /// Lists the splits, in the order they are to be read.
    fn splits(&self) -> Vec<Split>;

    /// Opens one of them.
    fn open(&self, split: Split) -> Result<Box<dyn Reader>, Failure>;

    /// Names an input in messages.
    fn name_of(&self, input: u32) -> Arc<str>;

    /// Tells how many bytes there are to read, where that is known.
    fn total(&self) -> Option<u64>;
}

/// The open bytes of one split.
pub trait Reader: Send {
    /// Reads into `room`; 0 is the end.
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble>;

    /// Tells how many bytes of the input itself, as it lies there, the last read of `count` took.
    fn spent(&mut self, count: usize) -> u64 {
        count as u64
    }
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
/// `wake` becomes readable when the run stops, so that waiting for input can end.
pub fn open(
    plan: &SourcePlan,
    caller: &std::path::Path,
    wake: std::os::fd::OwnedFd,
) -> Result<Box<dyn Source>, Failure> {
    match &plan.input {
        Input::Files(paths) => Ok(Box::new(file::Files::find(paths, plan.unpack, caller, wake)?)),
        Input::Stdin => Ok(Box::new(stdin::Stdin::new(wake))),
        Input::Letters { .. } => Ok(Box::new(letters::Returning)),
    }
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
}

/// Reads all splits to their end, or to the stop; returns what went wrong.
pub fn run(plan: &SourcePlan, source: &dyn Source, io: Io) -> Result<(), Failure> {
    let Io { out, mut letters, tally, stop } = io;
    let end = match &plan.input {
        Input::Letters { .. } => letters::read_all(plan, &out, &mut letters, &tally, &stop),
        Input::Files(_) | Input::Stdin => read_all(plan, source, &out, &mut letters, &tally, &stop),
    };
    let limit = letters.stop_above.filter(|_| letters.over_limit());
    // Dead letters arrive whatever the end: they are what explains it.
    letters.end();
    if let Some(limit) = limit {
        let message = format!("`{}` stopped: more than {limit} rejects", plan.name);
        let failure = Failure::new(Exit::Data, message);
        return Err(failure.hint(
            "the rest was not read; the dead letters, kept where `rejects` says, tell the lines",
        ));
    }
    // A source that was told to stop for good leaves its edge broken: what it sent is not whole.
    if end? == End::Reached || *stop.borrow() == Stop::Drain {
        out.end_blocking();
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Reached,
    Stopped,
}

fn read_all(
    plan: &SourcePlan,
    source: &dyn Source,
    out: &Outlet,
    letters: &mut Letters,
    tally: &Tally,
    stop: &StopSign,
) -> Result<End, Failure> {
    let pool = Pool::new(BLOCK);
    let mut seq = 0;
    for split in source.splits() {
        let file = source.name_of(split.input);
        let origin = Arc::new(Origin { table: plan.name.clone(), file: Some(Arc::clone(&file)) });
        // Where the end is not known beforehand, opening may wait for who writes there.
        let hungry = split.end.is_none().then(|| tally.gauge.hungry());
        let mut reader = source.open(split)?;
        drop(hungry);
        let mut framer = Framer::new(pool.clone(), plan.max_record);
        if plan.check != Check::None {
            framer = framer.without_mark();
        }
        let mut sorter = Sorter::new(plan, origin, split, seq);
        let mut settle = |piece: Piece| {
            if let Some(batch) = sorter.sort(piece, tally, letters) {
                out.send_blocking(Arc::new(batch));
            }
            !letters.over_limit()
        };
        let end = read_split(reader.as_mut(), &mut framer, tally, stop, &mut settle);
        let end = end.map_err(|trouble| match trouble {
            Trouble::Io(error) => {
                Failure::new(Exit::World, format!("cannot read input `{file}`: {error}"))
            }
            Trouble::Packed(fault) => {
                fault.event(&plan.name, &file).into_iter().for_each(|e| letters.events.emit(e));
                fault.failure(&file)
            }
        })?;
        seq = sorter.next_seq();
        if end == End::Stopped {
            return Ok(end);
        }
    }
    Ok(End::Reached)
}

fn read_split(
    reader: &mut dyn Reader,
    framer: &mut Framer,
    tally: &Tally,
    stop: &StopSign,
    settle: &mut dyn FnMut(Piece) -> bool,
) -> Result<End, Trouble> {
    let mut idle = false;
    loop {
        let room = framer.room();
        let wanted = room.len();
        let hungry = idle.then(|| tally.gauge.hungry());
        let found = reader.read(room);
        drop(hungry);
        let found = match found {
            Err(Trouble::Io(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
            found => found?,
        };
        idle = found == Read::Idle;
        if let Read::Bytes(count) = found {
            tally.bytes.add(reader.spent(count));
        }
        let flush = match found {
            Read::Stopped => return Ok(End::Stopped),
            Read::Idle => true,
            Read::Bytes(0) => break,
            Read::Bytes(count) => {
                framer.filled(count);
                count == wanted || framer.waiting() >= BATCH
            }
        };
        while flush && let Some(piece) = framer.take() {
            if !settle(piece) {
                return Ok(End::Stopped);
            }
        }
        if *stop.borrow() > Stop::No {
            return Ok(End::Stopped);
        }
    }
    while let Some(piece) = framer.take() {
        if !settle(piece) {
            return Ok(End::Stopped);
        }
    }
    let over = framer.finish().is_some_and(|piece| !settle(piece));
    Ok(if over { End::Stopped } else { End::Reached })
}
