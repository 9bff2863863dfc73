//! Gathers what a worker writes to stdout into batches of whole lines.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::child::pump::{Found, Reader};
use crate::stage::ended::Ended;
use crate::stage::feed::Traffic;
use crate::words::belt::Outlet;
use crate::words::buffer::Pool;
use crate::words::frame::{BLOCK, Framer, Piece, Whole};
use crate::words::record::{Batch, Lines, Origin, Split};
use crate::words::text::grouped;

/// How many bytes of whole lines are worth sending on.
const BATCH: usize = 128 << 10;

/// How long a line may wait for company.
const PATIENCE: Duration = Duration::from_millis(20);

/// How long to wait for more before whole lines are sent on as they are.
const COMPANY: Duration = Duration::from_millis(2);

/// How gathering ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// At the end of the output.
    End,
    /// The worker is gone, but something outside its tree holds its output open.
    Held,
}

/// What came of waiting for output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    Ready,
    InVain,
    Held,
}

/// A line that no batch can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// Which line of the output, from 1.
    pub line: u64,
    /// What to say about it.
    pub message: String,
}

/// What gathering works with.
#[derive(Debug)]
pub struct Gatherer<'a> {
    /// Where the lines come from, for positions.
    pub origin: Arc<Origin>,
    /// The longest line allowed.
    pub max_record: usize,
    /// Where batches go.
    pub output: &'a Outlet,
    /// What can be seen from outside.
    pub traffic: &'a Traffic,
    /// Whether the worker has ended.
    pub ended: Ended,
}

impl Gatherer<'_> {
    /// Reads to the end of the output. After a line that is too long it only drains.
    pub async fn gather(
        mut self,
        stdout: &mut Reader,
        mut too_long: impl FnMut(TooLong),
    ) -> io::Result<Gathered> {
        let mut framer = Framer::new(Pool::new(BLOCK), self.max_record);
        let (mut seq, mut told) = (0, false);
        let mut oldest: Option<Instant> = None;
        loop {
            // A program that writes without end must not keep the others from their turn.
            tokio::task::coop::consume_budget().await;
            let found = stdout.read(framer.room())?;
            let flush = match found {
                Found::Bytes(count) => {
                    framer.filled(count);
                    // Its end may never come, and need not be waited for.
                    if let Some(line) = framer.overlong().filter(|_| !told) {
                        told = true;
                        too_long(self.endless(line));
                    }
                    self.traffic.got.add(count as u64);
                    let waited = *oldest.get_or_insert_with(Instant::now);
                    framer.waiting() >= BATCH || waited.elapsed() >= PATIENCE
                }
                Found::Idle => {
                    let rest = if framer.waiting() > 0 { COMPANY } else { Duration::MAX };
                    match self.wait(stdout, rest).await? {
                        Waited::Ready => false,
                        Waited::InVain => true,
                        Waited::Held => {
                            self.flush(&mut framer, &mut seq, &mut too_long).await;
                            self.finish(&mut framer, &mut seq, &mut too_long).await;
                            return Ok(Gathered::Held);
                        }
                    }
                }
                Found::End => true,
            };
            if flush {
                oldest = None;
                self.flush(&mut framer, &mut seq, &mut too_long).await;
            }
            if found == Found::End {
                self.finish(&mut framer, &mut seq, &mut too_long).await;
                return Ok(Gathered::End);
            }
        }
    }

    fn endless(&self, line: u64) -> TooLong {
        let max = grouped(self.max_record as u64);
        TooLong { line, message: format!("longer than the {max} bytes of `max_record`") }
    }

    async fn wait(&mut self, stdout: &mut Reader, rest: Duration) -> io::Result<Waited> {
        self.traffic.listening.store(true, Ordering::Relaxed);
        let waited = tokio::select! {
            biased;
            ready = stdout.ready() => ready.map(|()| Waited::Ready),
            () = tokio::time::sleep(rest) => Ok(Waited::InVain),
            () = self.ended.pipes_over() => Ok(Waited::Held),
        };
        self.traffic.listening.store(false, Ordering::Relaxed);
        waited
    }

    async fn flush(&self, framer: &mut Framer, seq: &mut u64, too_long: &mut impl FnMut(TooLong)) {
        while let Some(piece) = framer.take() {
            self.emit(piece, seq, too_long).await;
        }
    }

    async fn finish(&self, framer: &mut Framer, seq: &mut u64, too_long: &mut impl FnMut(TooLong)) {
        if let Some(piece) = framer.finish() {
            self.emit(piece, seq, too_long).await;
        }
    }

    fn ended(&self, line: u64, bytes: u64) -> TooLong {
        let (bytes, max) = (grouped(bytes), grouped(self.max_record as u64));
        let message = format!("a line of {bytes} bytes, more than the {max} of `max_record`");
        TooLong { line, message }
    }

    /// Finds a line that is too long although it came as a whole.
    fn overlong(&self, whole: &Whole) -> Option<TooLong> {
        let all = whole.end() - whole.start;
        // Mostly all of them together are shorter than a single one may be.
        if all <= self.max_record {
            return None;
        }
        let mut start = whole.start;
        (whole.at.line..).zip(whole.ends()).find_map(|(line, &end)| {
            let bytes = end as usize - 1 - std::mem::replace(&mut start, end as usize);
            (bytes > self.max_record).then(|| self.ended(line, bytes as u64))
        })
    }

    async fn emit(&self, piece: Piece, seq: &mut u64, too_long: &mut impl FnMut(TooLong)) {
        let whole = match piece {
            Piece::Lines(whole) => whole,
            Piece::TooLong(long) => return too_long(self.ended(long.at.line, long.bytes)),
        };
        if let Some(long) = self.overlong(&whole) {
            return too_long(long);
        }
        let lines = Lines::whole(whole.start, whole.counted, whole.at);
        let split = Split { input: 0, start: 0, end: None };
        let batch = Batch::new(whole.buffer, lines, *seq, Arc::clone(&self.origin), split);
        *seq += batch.records();
        self.output.send(Arc::new(batch)).await;
    }
}
