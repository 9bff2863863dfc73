//! Hears what a worker of a pool writes: each whole line is a reply, a word for the log, or a
//! violation of its protocol.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::child::pump::{Found, Reader};
use crate::json;
use crate::plan::Reply;
use crate::stage::ended::Ended;
use crate::stage::feed::Traffic;
use crate::stage::order::{Outcome, Refusal};
use crate::stage::pool::Shared;
use crate::stage::pool::desk::{Desk, without_feed};
use crate::stage::pool::slot::Heard;
use crate::stage::protocol::{self, ENVELOPE, Said, Verdict};
use crate::stage::teller::Teller;
use crate::words::buffer::Pool;
use crate::words::dead_letter::Trace;
use crate::words::event::Event;
use crate::words::frame::{BLOCK, Framer, Piece, Whole};
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Check;
use crate::words::text::{excerpt, grouped};

/// For how long to rest for each record that a fast worker may have, and at least.
const REST_FOR_EACH: Duration = Duration::from_nanos(700);
const SHORTEST: Duration = Duration::from_micros(40);

/// How many bytes of a worker's log are told, as of its stderr.
const LOG: usize = 16 << 10;

/// The ear of one worker.
pub(super) struct Hearing<'a> {
    shared: &'a Shared,
    number: usize,
    teller: &'a Teller,
    traffic: &'a Traffic,
    pid: u32,
    /// Whether it may be given records.
    open: bool,
    /// Whether it broke its protocol; then it is only drained.
    broke: bool,
    lines: u64,
    replies: u64,
    /// Bytes of its log.
    logged: usize,
}

impl<'a> Hearing<'a> {
    /// Starts to listen; one that need not say that it is ready, is.
    pub(super) fn new(
        shared: &'a Shared,
        (number, pid): (usize, u32),
        teller: &'a Teller,
        traffic: &'a Traffic,
    ) -> Self {
        let mut hearing = Self {
            shared,
            number,
            teller,
            traffic,
            pid,
            open: false,
            broke: false,
            lines: 0,
            replies: 0,
            logged: 0,
        };
        if matches!(shared.pool.reply, Reply::Records { ready: true }) {
            // Until then it is waited for.
            traffic.pending.store(true, Ordering::Relaxed);
        } else {
            hearing.opens(&mut shared.desk());
        }
        hearing
    }

    fn opens(&mut self, desk: &mut Desk) {
        self.open = true;
        desk.open(self.number);
        self.shared.give_out(desk);
    }

    /// Listens to the end of the output.
    pub(super) async fn gather(
        &mut self,
        stdout: &mut Reader,
        mut ended: Ended,
    ) -> io::Result<Heard> {
        let max = self.longest();
        let mut framer = Framer::new(Pool::new(BLOCK), max);
        let mut held = false;
        stdout.rest_at_most(self.rest());
        loop {
            tokio::task::coop::consume_budget().await;
            match stdout.read(framer.room())? {
                Found::Bytes(count) => {
                    framer.filled(count);
                    self.traffic.got.add(count as u64);
                    while let Some(piece) = framer.take() {
                        self.piece(piece);
                    }
                    if let Some(line) = framer.overlong() {
                        self.violates(line, &too_long(max));
                    }
                }
                Found::Idle => tokio::select! {
                    biased;
                    ready = stdout.ready() => ready?,
                    () = ended.pipes_over() => { held = true; break }
                },
                Found::End => break,
            }
        }
        let torn = match framer.finish() {
            Some(Piece::Lines(whole)) => (whole.end() - 1 - whole.start) as u64,
            Some(Piece::TooLong(long)) => long.bytes,
            None => 0,
        };
        Ok(Heard { replies: self.replies, torn, held, lines: self.lines })
    }

    /// A worker that may have only few records at a time must not wait for us.
    fn rest(&self) -> Duration {
        match self.shared.pool.reply {
            Reply::Lines { .. } => Duration::MAX,
            Reply::Records { .. } | Reply::Command { .. } => {
                let records = u32::try_from(self.shared.pool.in_flight.records);
                let rest = REST_FOR_EACH.saturating_mul(records.unwrap_or(u32::MAX));
                if rest < SHORTEST { Duration::ZERO } else { rest }
            }
        }
    }

    fn longest(&self) -> usize {
        let max = self.shared.plan.max_record;
        match self.shared.pool.reply {
            Reply::Records { .. } => max + ENVELOPE,
            Reply::Lines { .. } | Reply::Command { .. } => max,
        }
    }

    /// Takes whole lines in, gives out what there is room for now, and wakes who hands on.
    fn piece(&mut self, piece: Piece) {
        let whole = match piece {
            Piece::Lines(whole) => whole,
            Piece::TooLong(long) => {
                return self.violates(long.at.line, &too_long(self.longest()));
            }
        };
        if self.broke {
            return;
        }
        let shared = self.shared;
        let mut desk = shared.desk();
        let told = self.lines(&mut desk, &whole);
        let busy = desk.outstanding(self.number) > 0 || !self.open;
        self.traffic.pending.store(busy, Ordering::Relaxed);
        shared.give_out(&mut desk);
        drop(desk);
        shared.out.notify_one();
        if let Err((line, what)) = told {
            self.violates(line, &what);
        }
    }

    fn lines(&mut self, desk: &mut Desk, whole: &Whole) -> Result<(), (u64, String)> {
        let mut start = whole.start;
        let (mut ends, behind) = (whole.ends(), whole.end());
        if let Reply::Lines { check_output } = self.shared.pool.reply {
            // The line numbers below go on behind these.
            while let Some((lines, bytes)) = desk.echoed(
                self.number,
                whole.buffer.get(start..behind).unwrap_or_default(),
                ends.len(),
                check_output,
            ) && lines > 0
            {
                start += bytes;
                ends = ends.get(lines..).unwrap_or_default();
                self.lines += lines as u64;
                self.replies += lines as u64;
            }
        }
        let first = whole.at.line + (whole.counted.len() - ends.len()) as u64;
        for (&end, number) in ends.iter().zip(first..) {
            let line = whole.buffer.get(start..end as usize - 1).unwrap_or_default();
            start = end as usize;
            self.lines = number;
            let heard = match self.shared.pool.reply {
                Reply::Lines { check_output } => self.positional(desk, line, check_output),
                Reply::Records { .. } | Reply::Command { .. } => self.by_id(desk, line),
            };
            heard.map_err(|what| (number, what))?;
        }
        Ok(())
    }

    /// A line of `lines`: the reply to the record that is due.
    fn positional(&mut self, desk: &mut Desk, line: &[u8], check: Check) -> Result<(), String> {
        let Some(id) = desk.oldest(self.number) else {
            return Err(format!("one more than it was given records: {}", excerpt(line)));
        };
        let max = self.shared.plan.max_record;
        let (known, same) = desk.order.batch(id).map_or((false, false), |(batch, index, _)| {
            (batch.is_proven(), batch.line(index).map(without_feed) == Some(line))
        });
        let outcome = if same && (known || check == Check::None) {
            Outcome::Kept
        } else if line.len() > max {
            return Err(too_long(max));
        } else {
            match check {
                Check::None => Outcome::Replaced(line),
                _ if json::is_blank(line) => {
                    return Err("blank, where each line is the reply to a record".to_owned());
                }
                Check::Json => {
                    let checked = json::check(line);
                    checked.map_err(|fault| no(&fault, "no JSON text", line))?;
                    if line.trim_ascii() == b"null" {
                        Outcome::Dropped
                    } else {
                        Outcome::Replaced(line)
                    }
                }
                Check::Utf8 => {
                    json::check_utf8(line).map_err(|fault| no(&fault, "no UTF-8", line))?;
                    Outcome::Replaced(line)
                }
            }
        };
        self.replies += 1;
        desk.answer(self.number, id, outcome)
    }

    /// A line of `records`.
    fn by_id(&mut self, desk: &mut Desk, line: &[u8]) -> Result<(), String> {
        let (id, verdict) = match protocol::reply(line, self.shared.plan.max_record)? {
            Said::Reply(id, verdict) => (id, verdict),
            Said::Log { level, message } => {
                self.log(level, message);
                return Ok(());
            }
            Said::Ready if self.open && self.lines > 1 => {
                return Err(format!(
                    "`ready` where it can only be the first line: {}",
                    excerpt(line)
                ));
            }
            Said::Ready => {
                if !self.open {
                    self.opens(desk);
                }
                return Ok(());
            }
        };
        if !self.open {
            return Err(format!("a reply before it said `{{\"ready\":true}}`: {}", excerpt(line)));
        }
        let outcome = match verdict {
            Verdict::Kept => Outcome::Kept,
            Verdict::Replaced(record) => {
                let line = desk.order.line(id).map(without_feed);
                if line.is_some_and(|line| protocol::is_echo(line, record)) {
                    Outcome::Kept
                } else {
                    Outcome::Replaced(record)
                }
            }
            Verdict::Dropped => Outcome::Dropped,
            Verdict::Rejected(errors) => {
                let (worker, pid) = (self.teller.worker, self.pid);
                let attempts = desk.attempts(id);
                let trace = Trace { worker, pid, attempts, ..Trace::default() };
                Outcome::Rejected(Refusal { errors, trace })
            }
        };
        self.replies += 1;
        desk.answer(self.number, id, outcome).map_err(|what| format!("{what}: {}", excerpt(line)))
    }

    /// Passes on what the worker has to say, unless it never stops.
    fn log(&mut self, level: String, message: String) {
        let before = self.logged;
        self.logged += level.len() + message.len() + 1;
        let worker = self.teller.worker;
        if before >= LOG {
            return;
        }
        self.teller.tell(|stage| Event::Log { stage, worker, level, message });
        if self.logged >= LOG {
            let message = format!("worker {worker} logs a lot: the rest is not shown");
            self.teller.tell(|stage| Event::Note { table: Some(stage), message });
        }
    }

    /// Tells that the worker broke its protocol, which ends the stage.
    fn violates(&mut self, line: u64, what: &str) {
        self.broke = true;
        if self.teller.broke.swap(true, Ordering::Relaxed) {
            return;
        }
        self.shared.broke.store(true, Ordering::Relaxed);
        self.shared.desk().close(self.number);
        self.teller.tell_protocol(line, what);
        let (stage, worker) = (&self.teller.stage, self.teller.worker);
        let message =
            format!("stage `{stage}`: worker {worker} wrote line {line}, which is {what}");
        let failure = Failure::new(Exit::Stage, message);
        self.teller.failed(match self.shared.pool.reply {
            Reply::Records { .. } => failure
                .hint("stdout is for replies: print what people should read to stderr, or send {\"log\":\"info\",\"message\":\"…\"}")
                .hint("`esteira doctor -- PROGRAM` says which protocols a program can serve; validators/PROTOCOL.md is the contract"),
            Reply::Lines { .. } | Reply::Command { .. } => failure
                .hint("`lines` takes one line for each record, in order: print what people should read to stderr")
                .hint("a filter that leaves records out or adds some speaks `stream`"),
        });
    }
}

fn too_long(max: usize) -> String {
    format!("longer than the {} bytes of `max_record`", grouped(max as u64))
}

fn no(fault: &json::Fault, what: &str, line: &[u8]) -> String {
    format!("{what} (column {}: {}): {}", fault.column, fault.message, excerpt(line))
}
