//! Attends to one worker of a pool: feeds it, watches its clock, and sees to it that one that
//! cannot answer any more ends.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::child::guard::KILL;
use crate::child::pump::{Unread, Writer};
use crate::child::stop::Remote;
use crate::plan::Reply;
use crate::stage::ended::Ended;
use crate::stage::feed::Traffic;
use crate::stage::pool::Shared;
use crate::stage::pool::desk::{Next, Parcel};
use crate::stage::teller::Teller;
use crate::words::belt::{Stop, stopped};
use crate::words::clock::{self, Timer};
use crate::words::event::Event;

/// How long a worker may take to be gone once its stdin is closed before that is worth a word.
const GOING: Duration = Duration::from_millis(200);

/// No record is too late.
const IN_TIME: u64 = u64::MAX;

/// What the parts that attend to a worker share.
pub(super) struct Attendance<'a> {
    shared: &'a Shared,
    number: usize,
    traffic: &'a Traffic,
    teller: &'a Teller,
    ended: Ended,
    remote: Arc<Remote>,
    /// The record that was not answered in time.
    late: AtomicU64,
}

/// How feeding it ended.
pub(super) enum Fed {
    /// It got everything and its stdin was closed.
    All(Unread),
    /// It closed its stdin, or ended.
    Part,
    /// The run is stopped: its stdin stays open until it is gone.
    Stopped { _stdin: Writer },
}

impl<'a> Attendance<'a> {
    /// Prepares to attend to a worker.
    pub(super) fn new(
        shared: &'a Shared,
        number: usize,
        traffic: &'a Traffic,
        teller: &'a Teller,
        ended: Ended,
        remote: Arc<Remote>,
    ) -> Self {
        let late = AtomicU64::new(IN_TIME);
        Self { shared, number, traffic, teller, ended, remote, late }
    }

    /// Tells whether the worker was killed for being late with a record.
    pub(super) fn was_late(&self) -> bool {
        self.late.load(Ordering::Relaxed) != IN_TIME
    }

    /// Writes what the desk has for the worker, until nothing more will come.
    pub(super) async fn feed(&self, mut stdin: Writer) -> io::Result<Fed> {
        let (shared, number) = (self.shared, self.number);
        let mut stop = shared.stop.clone();
        let mut ended = self.ended.clone();
        let mut sent = 0;
        loop {
            let next = shared.desk().next(number);
            match next {
                Next::Close if stdin.is_closed() => {
                    drop(stdin);
                    self.deaf(sent).await;
                    return Ok(Fed::Part);
                }
                Next::Close => {
                    let unread = stdin.close()?;
                    self.look_after(&unread).await?;
                    return Ok(Fed::All(unread));
                }
                Next::Wait => tokio::select! {
                    biased;
                    () = stopped(&mut stop, Stop::Abort) => {
                        return Ok(Fed::Stopped { _stdin: stdin });
                    }
                    () = ended.over() => return Ok(Fed::Part),
                    () = shared.mail[number].notified() => {}
                    () = self.traffic.ask.notified() => {
                        self.traffic.answer(stdin.unread());
                        if stdin.is_closed() {
                            drop(stdin);
                            self.deaf(sent).await;
                            return Ok(Fed::Part);
                        }
                    }
                },
                Next::Parcel(parcel) => {
                    self.traffic.pending.store(true, Ordering::Relaxed);
                    let written = tokio::select! {
                        written = self.write(&mut stdin, &parcel) => written?,
                        () = stopped(&mut stop, Stop::Abort) => {
                            return Ok(Fed::Stopped { _stdin: stdin });
                        }
                        () = ended.over() => return Ok(Fed::Part),
                    };
                    if !written {
                        drop(stdin);
                        self.deaf(sent).await;
                        return Ok(Fed::Part);
                    }
                    sent += parcel.records();
                }
            }
        }
    }

    /// Writes a parcel; false if the worker does not read any more.
    async fn write(&self, stdin: &mut Writer, parcel: &Parcel) -> io::Result<bool> {
        let shared = self.shared;
        for mut slice in parcel.slices() {
            while !slice.is_empty() {
                tokio::task::coop::consume_budget().await;
                let written = tokio::select! {
                    biased;
                    written = stdin.write(slice) => written?,
                    () = self.traffic.ask.notified() => {
                        self.traffic.answer(stdin.unread());
                        continue;
                    }
                };
                match written {
                    Ok(count) => {
                        self.traffic.fed.add(count as u64);
                        slice = slice.get(count..).unwrap_or_default();
                    }
                    Err(_closed) => return Ok(false),
                }
            }
        }
        let busy = shared.desk().outstanding(self.number) > 0;
        self.traffic.pending.store(busy, Ordering::Relaxed);
        Ok(true)
    }

    /// Tells, when asked, whether a worker that was given everything has read it all. One that
    /// answers each record is waited for until the last of them is answered.
    async fn look_after(&self, unread: &Unread) -> io::Result<()> {
        let mut ended = self.ended.clone();
        let provisional = matches!(self.shared.pool.reply, Reply::Lines { .. });
        loop {
            tokio::select! {
                () = ended.over() => return Ok(()),
                () = self.traffic.ask.notified() => {
                    let bytes = unread.bytes()?;
                    self.traffic.answer(Some(bytes));
                    let owes = self.shared.desk().outstanding(self.number) > 0;
                    let pending = bytes > 0 || (owes && !provisional);
                    self.traffic.pending.store(pending, Ordering::Relaxed);
                }
            }
        }
    }

    /// A worker that does not read any more may still answer what it has read, and should end.
    async fn deaf(&self, sent: u64) {
        self.shared.desk().close(self.number);
        let mut ended = self.ended.clone();
        // One that is about to be gone has let go of its stdin, too.
        if clock::within(GOING, ended.over()).await.is_none() {
            self.teller.tell_deaf(sent);
            self.end_soon().await;
        }
    }

    /// A worker that closed its stdout cannot answer any more. If it owes nothing and nothing
    /// more will come, it may take its time.
    pub(super) async fn mute(&self) {
        self.shared.desk().close(self.number);
        self.teller.closed_early(self.ended.clone()).await;
        let owes = {
            let desk = self.shared.desk();
            desk.outstanding(self.number) > 0 || desk.needs(self.number)
        };
        if owes {
            self.end_soon().await;
        }
    }

    async fn end_soon(&self) {
        let mut ended = self.ended.clone();
        let grace = self.shared.plan.grace;
        if clock::within(grace, ended.over()).await.is_none() {
            self.remote.tell(KILL);
        }
    }

    /// Looks at how long the worker has been on its oldest record, and kills it when that is too
    /// long.
    pub(super) async fn time(&self) {
        let Some(limit) = self.shared.pool.record_timeout else {
            return std::future::pending().await;
        };
        let mut timer = Timer::new(limit);
        let (mut before, mut on) = (None, Duration::ZERO);
        loop {
            let passed = timer.tick().await;
            let oldest = self.shared.desk().oldest(self.number);
            let Some(id) = oldest.filter(|id| before == Some(*id)) else {
                (before, on) = (oldest, Duration::ZERO);
                continue;
            };
            on += passed;
            if on < limit {
                continue;
            }
            let (worker, seconds) = (self.teller.worker, limit.as_secs_f64());
            self.teller.tell(|stage| Event::ReplyTimeout { stage, worker, id, seconds });
            self.late.store(id, Ordering::Relaxed);
            self.shared.desk().close(self.number);
            self.remote.tell(KILL);
            return std::future::pending().await;
        }
    }
}
