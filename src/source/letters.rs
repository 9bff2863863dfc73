//! Dead letters as a source: those of one table, each at the place where its record stood first.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;

use sha2::Digest as _;

use crate::json;
use crate::plan::{Input, Source as SourcePlan, Unpack};
use crate::source::lines::{Sorter, complaint, long};
use crate::source::packed::Packed;
use crate::source::reading::{BATCH, End};
use crate::source::{self, Read, Reader, Source, Trouble};
use crate::words::belt::{Outlet, Stop, StopSign};
use crate::words::buffer::Pool;
use crate::words::dead_letter::Kept;
use crate::words::id::Name;
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::outcome::{Exit, Failure};
use crate::words::packing::Packing;
use crate::words::policy::Check;
use crate::words::record::{Batch, Lines, Origin, Position, Split};
use crate::words::returned::Returned;

/// How much is read at once.
const READ: usize = 256 << 10;

/// It was written here: no limit guards against it.
const UNPACK: Unpack = Unpack { most: u64::MAX, ratio: u64::MAX };

/// The source as a run opens it. It is read by [`read_all`], as its lines are no records.
pub(super) struct Returning;

impl Source for Returning {
    fn inputs(&self) -> Vec<source::Input> {
        Vec::new()
    }

    fn open(&self, _split: Split) -> Result<Box<dyn Reader>, Failure> {
        Err(Failure::new(Exit::Bug, "dead letters have no splits: this is a bug in esteira"))
    }

    fn name_of(&self, _input: u32) -> Arc<str> {
        "".into()
    }

    fn total(&self) -> Option<u64> {
        None
    }
}

struct Plain(File);

impl Reader for Plain {
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble> {
        Ok(Read::Bytes(io::Read::read(&mut self.0, room)?))
    }
}

struct Bytes(Box<dyn Reader>);

impl io::Read for Bytes {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.0.read(room) {
            Ok(Read::Bytes(count)) => Ok(count),
            // A regular file never makes one wait.
            Ok(Read::Idle | Read::Stopped) => Err(io::ErrorKind::Interrupted.into()),
            Err(Trouble::Io(error)) => Err(error),
            Err(trouble @ Trouble::Packed(_)) => Err(io::Error::other(trouble)),
        }
    }
}

/// What is done with each line and its number; it says whether more are wanted.
type Each<'a> = dyn FnMut(u64, &[u8]) -> Result<bool, Failure> + 'a;

/// Gives the lines of a regular file, packed or not, with their numbers from 1 and without their
/// line feeds, as long as `each` wants more. The longest is held whole.
pub fn each_line(path: &Path, each: &mut Each<'_>) -> Result<(), Failure> {
    let cannot = |error: io::Error| {
        let shown = crate::words::text::escape(path.as_os_str().as_encoded_bytes());
        Failure::new(Exit::World, format!("cannot read dead letters from `{shown}`: {error}"))
    };
    let mut reader: Box<dyn Reader> = Box::new(Plain(File::open(path).map_err(cannot)?));
    if let Some(packing) = Packing::of(path) {
        let packed = Packed::new(reader, packing, UNPACK);
        reader = Box::new(packed.map_err(|trouble| cannot(io::Error::other(trouble)))?);
    }
    let mut reader = BufReader::with_capacity(READ, Bytes(reader));
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(cannot)? == 0 {
            break;
        }
        line.pop_if(|last| *last == b'\n');
        if !each(number, &line)? {
            break;
        }
    }
    Ok(())
}

/// Tells whether a line is passed over.
pub fn is_blank(line: &[u8]) -> bool {
    json::is_blank(line)
}

/// Reads a line as a dead letter.
pub fn letter(number: u64, line: &[u8]) -> Result<Returned<'_>, Failure> {
    Returned::parse(line).map_err(|why| no_letter(number, &why))
}

/// Says that a line is none that can be replayed.
pub fn no_letter(number: u64, why: &str) -> Failure {
    Failure::new(Exit::Config, format!("line {number} of the dead letters is none: {why}"))
        .hint("`esteira replay` takes what `rejects` wrote, a letter a line; nothing was changed")
}

/// Gives the letters of one table back to it.
pub(super) fn read_all(
    plan: &SourcePlan,
    out: &Outlet,
    letters: &mut Letters,
    tally: &Tally,
    stop: &StopSign,
) -> Result<End, Failure> {
    let Input::Letters { path, of, skip } = &plan.input else { return Ok(End::Reached) };
    let mut held = Held::new(out);
    let mut end = End::Reached;
    each_line(path, &mut |number, line| {
        if *stop.borrow() > Stop::No {
            end = End::Stopped;
            return Ok(false);
        }
        if skip.binary_search(&number).is_ok() || json::is_blank(line) {
            return Ok(true);
        }
        let letter = letter(number, line)?;
        let mine = match of {
            Some(stage) => letter.stage.as_deref() == Some(stage.as_str()),
            None => letter.stage.is_none() && letter.source == plan.name.as_str(),
        };
        if mine {
            tally.lines.add(1);
            tally.bytes.add(line.len() as u64 + 1);
            let bytes = letter.bytes().map_err(|why| no_letter(number, &why))?;
            held.come_from(&letter);
            let checked = if of.is_some() {
                held.proven &= json::check(&bytes).is_ok();
                true
            } else {
                held.check(plan, &bytes, letter.at(), tally, letters)
            };
            if checked {
                let changed = letter.is_changed(&bytes);
                held.push(&bytes, (letter.at(), changed));
            }
        }
        Ok(true)
    })?;
    if end == End::Reached {
        held.flush();
    }
    Ok(end)
}

/// Records that wait to travel together.
struct Held<'a> {
    out: &'a Outlet,
    pool: Pool,
    bytes: Vec<u8>,
    lines: Lines,
    origin: Option<Arc<Origin>>,
    proven: bool,
    seq: u64,
}

const SPLIT: Split = Split { input: 0, start: 0, end: None };

impl<'a> Held<'a> {
    fn new(out: &'a Outlet) -> Self {
        let (pool, lines) = (Pool::new(2 * BATCH), Lines::default());
        Self { out, pool, bytes: Vec::new(), lines, origin: None, proven: true, seq: 0 }
    }

    /// Makes sure that what comes next travels with its like only.
    fn come_from(&mut self, letter: &Returned<'_>) {
        let same = |origin: &Arc<Origin>| {
            origin.table.as_str() == letter.source
                && origin.file.as_deref() == letter.file.as_deref()
        };
        if !self.origin.as_ref().is_some_and(same) {
            self.flush();
            let table = Name::internal(&letter.source);
            let file = letter.file.as_deref().map(Arc::from);
            self.origin = Some(Arc::new(Origin { table, file }));
        }
    }

    /// Judges a record as its source does; tells whether it goes on.
    fn check(
        &mut self,
        plan: &SourcePlan,
        bytes: &[u8],
        at: Position,
        tally: &Tally,
        letters: &mut Letters,
    ) -> bool {
        let Some(origin) = &self.origin else { return false };
        let sorter = Sorter::new(plan, Arc::clone(origin), SPLIT, 0);
        if bytes.len() > plan.max_record {
            letters.reject(&sorter.too_long(long(bytes, at)));
            return false;
        }
        let found = match plan.check {
            Check::None => {
                self.proven = false;
                return true;
            }
            _ if json::is_blank(bytes) => {
                tally.blank.add(1);
                return false;
            }
            Check::Json => json::check(bytes),
            Check::Utf8 => {
                self.proven = false;
                json::check_utf8(bytes)
            }
        };
        let Err(fault) = found else { return true };
        letters.reject(&sorter.letter(Kept::Raw(bytes.to_vec()), at, complaint(fault)));
        false
    }

    fn push(&mut self, bytes: &[u8], at: (Position, bool)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.bytes.push(b'\n');
        self.lines.put(start, self.bytes.len(), at);
        if self.bytes.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let proven = std::mem::replace(&mut self.proven, true);
        let Some(origin) = self.origin.clone().filter(|_| !lines.is_empty()) else { return };
        let mut buffer = self.pool.take(self.bytes.len());
        buffer[..self.bytes.len()].copy_from_slice(&self.bytes);
        self.bytes.clear();
        self.bytes.shrink_to(2 * BATCH);
        let batch = Batch::new(buffer, lines, self.seq, origin, SPLIT);
        self.seq += batch.records();
        self.out.send_blocking(Arc::new(if proven { batch.proven() } else { batch }));
    }
}

/// Makes the first digits of the SHA-256 of some lines.
#[derive(Default)]
pub struct Sum(sha2::Sha256);

impl Sum {
    /// Adds a line.
    pub fn add(&mut self, line: &[u8]) {
        self.0.update(line);
        self.0.update(b"\n");
    }

    /// Returns twelve digits.
    pub fn digits(self) -> String {
        let mut digits = crate::words::dead_letter::hex(&self.0.finalize());
        digits.truncate(12);
        digits
    }
}
