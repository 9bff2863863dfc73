//! Reads the inputs of a source, split by split, and sends marks on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::plan::Source as SourcePlan;
use crate::source::lines::Sorter;
use crate::source::split::splits;
use crate::source::{Read, Reader, Row, Source, Trouble};
use crate::words::belt::{Outlet, Stop, StopSign};
use crate::words::buffer::Pool;
use crate::words::frame::{BLOCK, Framer, Piece, READ};
use crate::words::ledger::Tally;
use crate::words::letters::Letters;
use crate::words::marks::{Adder, Mark, SourceAt, What};
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Check;
use crate::words::record::{Origin, Position, Split};

/// How many bytes of whole lines make a batch, when they come in small reads.
pub(super) const BATCH: usize = 128 << 10;

/// How large the splits of an input are.
const SPLIT: u64 = 64 << 20;

/// How often a mark is sent while all goes fast.
const MARKS: Duration = Duration::from_millis(100);

/// Behind how many bytes there is one at which everybody notes how he stands, if not sooner.
const FULL: u64 = 128 << 10;

/// How much is read at once in the beginning, and at least.
const LEAST: usize = 4 << 10;

/// Less is read at once where a mark takes longer than this to come to the end of the belt.
const SLOW: Duration = Duration::from_secs(1);

/// More is read at once where it takes less than this.
const FAST: Duration = Duration::from_millis(200);

/// How a source is read that may be taken up again.
#[derive(Debug)]
pub struct Keep {
    /// Its place in the order in which sources are read.
    pub place: u32,
    /// Where it begins.
    pub from: SourceAt,
    /// The sum of what was read of the input that it begins in.
    pub adder: Adder,
    /// The number of the last mark.
    pub numbers: Arc<AtomicU64>,
    /// The number of the last mark that came to the end of the belt.
    pub passed: Arc<AtomicU64>,
    /// How large splits are, if marks may stand at their ends only.
    pub split: Option<u64>,
    /// Ends well when it is its turn.
    pub turn: oneshot::Receiver<()>,
}

/// How reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Reached,
    Stopped,
}

/// A source that is read.
pub(super) struct Reading<'a> {
    pub(super) plan: &'a SourcePlan,
    pub(super) source: &'a dyn Source,
    pub(super) out: &'a Outlet,
    pub(super) letters: &'a mut Letters,
    pub(super) tally: &'a Tally,
    pub(super) stop: &'a StopSign,
    /// How marks are sent, if they are.
    pub(super) marks: Option<Marks>,
    pub(super) at: SourceAt,
    /// Whether more was sent than what lies before that.
    pub(super) ahead: bool,
    pub(super) pace: Pace,
}

/// How marks are sent.
pub(super) struct Marks {
    place: u32,
    numbers: Arc<AtomicU64>,
    passed: Arc<AtomicU64>,
    /// How large splits are, if marks may stand at their ends only.
    split: Option<u64>,
    last: Instant,
    /// When the last one was sent at which everybody notes how he stands, and what was read then.
    full: Option<(Instant, u64)>,
    /// Sums up what was read of the input.
    adder: Adder,
    /// The same up to the last line's end.
    whole: Adder,
}

impl Marks {
    pub(super) fn new(keep: Keep) -> (Self, SourceAt, oneshot::Receiver<()>) {
        let Keep { place, from, adder, numbers, passed, split, turn } = keep;
        let whole = adder.clone();
        let last = Instant::now();
        (Self { place, numbers, passed, split, last, full: None, adder, whole }, from, turn)
    }

    fn read(&mut self, bytes: &[u8]) {
        let lines = memchr::memrchr(b'\n', bytes).map_or(0, |lf| lf + 1);
        if lines > 0 {
            self.adder.add(&bytes[..lines]);
            self.whole = self.adder.clone();
        }
        self.adder.add(&bytes[lines..]);
    }
}

/// How much is read at once: little of what is treated slowly, so that there are marks in it, and
/// much of what is not.
/// It is judged by one mark at a time.
#[derive(Debug)]
pub(super) struct Pace {
    room: usize,
    /// A mark that is on its way, and since when.
    probe: Option<(u64, Instant)>,
}

impl Pace {
    pub(super) fn new(marks: bool) -> Self {
        Self { room: if marks { LEAST } else { READ }, probe: None }
    }

    fn sent(&mut self, mark: u64) {
        self.probe.get_or_insert_with(|| (mark, Instant::now()));
    }

    fn look(&mut self, passed: u64) {
        let Some((_, since)) = self.probe.take_if(|(mark, _)| *mark <= passed) else { return };
        let took = since.elapsed();
        if took > SLOW {
            self.room = (self.room / 2).max(LEAST);
        } else if took < FAST {
            self.room = (self.room * 2).min(READ);
        }
    }
}

impl Reading<'_> {
    /// Reads from where it is to the end of all inputs, or to the stop.
    pub(super) fn read_all(&mut self) -> Result<End, Failure> {
        let pool = Pool::new(BLOCK);
        let inputs = self.source.inputs();
        while let Some(input) = inputs.get(self.at.input as usize) {
            if self.read_input(input.end, &pool)? == End::Stopped {
                let at_splits = self.marks.as_ref().is_some_and(|marks| marks.split.is_some());
                let drains = *self.stop.borrow() == Stop::Drain && !self.letters.over_limit();
                if drains && !at_splits && !self.ahead {
                    // As far as it came, all that was sent belongs together.
                    self.mark(true);
                }
                return Ok(End::Stopped);
            }
            self.at.input += 1;
            self.at.at = Position::default();
            if let Some(marks) = &mut self.marks {
                (marks.adder, marks.whole) = (Adder::default(), Adder::default());
            }
        }
        self.mark(true);
        Ok(End::Reached)
    }

    fn read_input(&mut self, end: Option<u64>, pool: &Pool) -> Result<End, Failure> {
        let input = self.at.input;
        let name = self.source.name_of(input);
        let table = self.plan.name.clone();
        let origin = Arc::new(Origin { table, file: Some(Arc::clone(&name)) });
        let size = self.marks.as_ref().and_then(|marks| marks.split);
        for split in splits(input, self.at.at.offset, end, size.unwrap_or(SPLIT)) {
            let read = match self.read_split(split, &origin, pool) {
                Err(SplitError::Open(failure)) => return Err(failure),
                Err(SplitError::Read(trouble)) => return Err(self.failure(trouble, &name)),
                Ok(read) => read,
            };
            if read == End::Stopped {
                return Ok(read);
            }
            if size.is_some() {
                self.mark(false);
            }
        }
        Ok(End::Reached)
    }

    /// Says what went wrong with an input.
    fn failure(&self, trouble: Trouble, name: &Arc<str>) -> Failure {
        match trouble {
            Trouble::Io(error) => {
                Failure::new(Exit::World, format!("cannot read input `{name}`: {error}"))
            }
            Trouble::Packed(fault) => {
                if let Some(event) = fault.event(&self.plan.name, name) {
                    self.letters.events.emit(event);
                }
                fault.failure(name)
            }
        }
    }

    /// Reads the lines that a split owns.
    fn read_split(
        &mut self,
        split: Split,
        origin: &Arc<Origin>,
        pool: &Pool,
    ) -> Result<End, SplitError> {
        // Where the end is not known beforehand, opening may wait for who writes there.
        let hungry = split.end.is_none().then(|| self.tally.gauge.hungry());
        let row = self.at.inputs.get(split.input as usize).and_then(|input| input.row.clone());
        let behind = row.map_or(Ok(None), |row| self.source.open_behind(&row));
        let behind = behind.map_err(SplitError::Open)?;
        let by_row = behind.is_some();
        let opened = behind.map_or_else(|| self.source.open(split), Ok);
        let mut reader = opened.map_err(SplitError::Open)?;
        drop(hungry);
        if split.end.is_none() && !by_row {
            skip(reader.as_mut(), split.start, &mut Adder::default()).map_err(SplitError::Read)?;
        }
        if reader.begins().is_some_and(|begins| begins != self.at.at.offset) {
            let message = "its lines are not where they were: it is being changed";
            return Err(SplitError::Read(std::io::Error::other(message).into()));
        }
        let mut framer = Framer::new(pool.clone(), self.plan.max_record).from(self.at.at);
        if self.plan.check != Check::None {
            framer = framer.without_mark();
        }
        let mut sorter = Sorter::new(self.plan, Arc::clone(origin), split, self.at.seq);
        let mut idle = false;
        loop {
            let room = framer.room();
            let wanted = room.len().min(self.pace.room);
            let room = &mut room[..wanted];
            let hungry = idle.then(|| self.tally.gauge.hungry());
            let found = reader.read(room);
            drop(hungry);
            let found = match found {
                Err(Trouble::Io(e)) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                found => found.map_err(SplitError::Read)?,
            };
            idle = found == Read::Idle;
            let flush = match found {
                Read::Stopped => return Ok(End::Stopped),
                Read::Idle => true,
                Read::Bytes(0) => break,
                Read::Bytes(count) => {
                    self.tally.bytes.add(reader.spent(count));
                    if let Some(marks) = &mut self.marks {
                        marks.read(&room[..count]);
                    }
                    framer.filled(count);
                    // Rows come by the page, and fill no room to its end.
                    let rows = matches!(reader.row(), Row::Behind(_));
                    count == wanted || rows || framer.waiting() >= BATCH
                }
            };
            if flush && !self.settle(&mut framer, &mut sorter, &reader.row()) {
                return Ok(End::Stopped);
            }
            if *self.stop.borrow() > Stop::No {
                return Ok(End::Stopped);
            }
        }
        if !self.settle(&mut framer, &mut sorter, &reader.row()) {
            return Ok(End::Stopped);
        }
        if let Some(marks) = &mut self.marks {
            marks.whole = marks.adder.clone();
        }
        let last = framer.finish();
        let behind = framer.place();
        let all = last.is_none_or(|piece| self.send(piece, &mut sorter));
        self.stand(behind, &sorter, &reader.row());
        Ok(if all { End::Reached } else { End::Stopped })
    }

    /// Sends all whole lines that were read; false if too many were refused.
    fn settle(&mut self, framer: &mut Framer, sorter: &mut Sorter, row: &Row) -> bool {
        let mut some = false;
        while let Some(piece) = framer.take() {
            some = true;
            if !self.send(piece, sorter) {
                return false;
            }
        }
        let Some(marks) = &self.marks else { return true };
        self.pace.look(marks.passed.load(Ordering::Relaxed));
        let due = self.pace.room < READ || marks.last.elapsed() >= MARKS;
        let place = framer.place().filter(|_| *row != Row::Within);
        let (some, at_splits) = (some && place.is_some(), marks.split.is_some());
        self.stand(place, sorter, row);
        if some && due && !at_splits {
            self.mark(false);
        }
        true
    }

    fn send(&mut self, piece: Piece, sorter: &mut Sorter) -> bool {
        if let Some(batch) = sorter.sort(piece, self.tally, self.letters) {
            self.out.send_blocking(Arc::new(batch));
        }
        !self.letters.over_limit()
    }

    /// Notes where the next line begins; none in the middle of one, or of a page of rows.
    fn stand(&mut self, place: Option<Position>, sorter: &Sorter, row: &Row) {
        self.ahead = place.is_none();
        let Some(place) = place else { return };
        (self.at.at, self.at.seq) = (place, sorter.next_seq());
        let Some(marks) = &self.marks else { return };
        let Some(input) = self.at.inputs.get_mut(self.at.input as usize) else { return };
        match row {
            Row::None => (input.read, input.sum) = (marks.whole.bytes(), marks.whole.sum()),
            // Rows are found again by their key, not read again.
            Row::Within | Row::Behind(None) => {}
            Row::Behind(Some(row)) => input.row = Some(row.clone()),
        }
    }

    /// Sends a mark where it stands.
    fn mark(&mut self, end: bool) {
        let Some(marks) = &mut self.marks else { return };
        marks.last = Instant::now();
        let number = marks.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        self.pace.sent(number);
        let read = self.tally.bytes.get();
        let full = end
            || marks.full.is_none_or(|(at, before)| at.elapsed() >= MARKS || read - before >= FULL);
        if full {
            marks.full = Some((marks.last, read));
        }
        let mark = Mark { number, source: marks.place, end, full };
        let (counts, what) = (self.tally.source(), What::Source(self.at.clone()));
        self.letters.pass(mark, self.out, counts, what);
    }
}

/// Why a split cannot be read.
enum SplitError {
    Open(Failure),
    Read(Trouble),
}

/// Reads again what was read of a source's inputs, and sums it up; each must be as it was.
/// Returns the sum of the one that is read next.
pub fn verify(source: &dyn Source, at: &SourceAt) -> Result<Adder, Failure> {
    let changed = |name: &str, what: &str| {
        let message = format!("cannot go on: the input `{name}` {what} since it was read");
        Failure::new(Exit::Locked, message).hint("without `--resume` the run starts afresh")
    };
    let now: Vec<_> = (0..).zip(source.inputs()).map(|(i, _)| source.name_of(i)).collect();
    let then: Vec<&str> = at.inputs.iter().map(|input| input.name.as_str()).collect();
    if let Some(new) = now.iter().find(|name| !then.contains(&name.as_ref())) {
        return Err(changed(new, "has come"));
    }
    if let Some(gone) = then.iter().find(|name| now.iter().all(|n| n.as_ref() != **name)) {
        return Err(changed(gone, "has gone"));
    }
    let mut adder = Adder::default();
    for (number, input) in (0..).zip(&at.inputs).take(at.input as usize + 1) {
        let found = add_up(source, number, input.read);
        adder = found.map_err(|failure| {
            changed(&input.name, "cannot be read as it was").hint(failure.message)
        })?;
        if adder.bytes() < input.read {
            return Err(changed(&input.name, "became shorter"));
        }
        if adder.sum() != input.sum {
            return Err(changed(&input.name, "was changed"));
        }
    }
    let next = at.inputs.len() as u64 > u64::from(at.input);
    Ok(if next { adder } else { Adder::default() })
}

/// Sums up the first bytes of an input.
fn add_up(source: &dyn Source, input: u32, bytes: u64) -> Result<Adder, Failure> {
    let mut adder = Adder::default();
    if bytes > 0 {
        let name = source.name_of(input);
        let mut reader = source.open(Split { input, start: 0, end: None })?;
        skip(reader.as_mut(), bytes, &mut adder).map_err(|trouble| {
            Failure::new(Exit::World, format!("cannot read input `{name}`: {trouble}"))
        })?;
    }
    Ok(adder)
}

/// Reads over bytes, as many as there are, and sums them up.
fn skip(reader: &mut dyn Reader, bytes: u64, adder: &mut Adder) -> Result<(), Trouble> {
    let mut room = if bytes > 0 { vec![0; READ] } else { Vec::new() };
    while adder.bytes() < bytes {
        let left = usize::try_from(bytes - adder.bytes()).unwrap_or(usize::MAX).min(READ);
        match reader.read(&mut room[..left]) {
            Ok(Read::Bytes(0) | Read::Stopped) => break,
            Ok(Read::Idle) => {}
            Ok(Read::Bytes(count)) => adder.add(&room[..count]),
            Err(Trouble::Io(error)) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}
