//! Feeds a worker: whatever comes in goes to its stdin, in order, as fast as it reads.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::child::pump::{Unread, Writer};
use crate::stage::ended::Ended;
use crate::stage::teller::Teller;
use crate::words::belt::{Inlet, Stop, StopSign, Taken, stopped};
use crate::words::ledger::Count;
use crate::words::record::Batch;

/// What can be seen of a worker's traffic from outside the pumps.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes that the worker's stdin took.
    pub fed: Count,
    /// Bytes that came from its stdout.
    pub got: Count,
    /// Whether bytes wait that its stdin does not take.
    pub pending: AtomicBool,
    /// Whether it is waited for, not for the place behind.
    pub listening: AtomicBool,
    /// Asks how many bytes wait in its stdin.
    pub ask: Notify,
    /// The latest answer.
    unread: Mutex<Option<u64>>,
}

impl Traffic {
    /// Tells how many bytes waited in its stdin when that was asked; none if it has closed it.
    pub fn unread(&self) -> Option<u64> {
        *self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers it.
    pub fn answer(&self, unread: Option<u64>) {
        *self.unread.lock().unwrap_or_else(PoisonError::into_inner) = unread;
    }
}

/// How feeding ended.
#[derive(Debug)]
pub enum Feed {
    /// Everything was written and stdin was closed.
    All(Unread),
    /// The worker closed its stdin or ended first.
    Part,
    /// The run was stopped. Stdin stays open until the worker is gone: it must not take a
    /// broken-off input for a whole one.
    Stopped(Writer),
}

/// What feeding leaves behind.
#[derive(Debug)]
pub struct Fed {
    /// How it ended.
    pub end: Feed,
    /// Records handed to the pipe as a whole.
    pub sent: u64,
}

/// What feeding works with.
#[derive(Debug)]
pub struct Feeder<'a> {
    /// Where records come from.
    pub input: &'a mut Inlet,
    /// What can be seen from outside.
    pub traffic: &'a Traffic,
    /// How the run is being stopped.
    pub stop: StopSign,
    /// Whether the worker has ended.
    pub ended: Ended,
    /// Whom to tell that it does not read any more.
    pub teller: &'a Teller,
}

impl Feeder<'_> {
    /// Feeds until the input ends, the worker stops reading, or the run stops; then takes what
    /// still comes, so that all of it is counted.
    pub async fn feed(mut self, stdin: Writer) -> io::Result<Fed> {
        let fed = self.feed_some(stdin).await?;
        // A worker that stopped reading and lives on without a sign of life has stalled, too.
        let deaf = matches!(fed.end, Feed::Part);
        self.traffic.pending.store(deaf, Ordering::Relaxed);
        self.traffic.answer(None);
        if deaf {
            self.teller.stopped_reading(fed.sent);
        }
        match &fed.end {
            Feed::All(unread) => self.look_after(unread).await?,
            Feed::Part | Feed::Stopped(_) => self.input.drain().await,
        }
        Ok(fed)
    }

    /// Tells, when asked, whether a worker that was given everything has read it all.
    async fn look_after(&mut self, unread: &Unread) -> io::Result<()> {
        loop {
            tokio::select! {
                () = self.ended.over() => return Ok(()),
                () = self.traffic.ask.notified() => {
                    let bytes = unread.bytes()?;
                    self.traffic.answer(Some(bytes));
                    self.traffic.pending.store(bytes > 0, Ordering::Relaxed);
                }
            }
        }
    }

    async fn feed_some(&mut self, mut stdin: Writer) -> io::Result<Fed> {
        let mut sent = 0;
        let mut stop = self.stop.clone();
        let mut ended = self.ended.clone();
        let mut failed = self.ended.clone();
        loop {
            let taken = tokio::select! {
                biased;
                () = stopped(&mut stop, Stop::Abort) => Taken::Broken,
                taken = self.input.take() => taken,
                // One that ended before it was given anything may have had an empty input.
                () = ended.over(), if sent > 0 => return Ok(Fed { end: Feed::Part, sent }),
                // One that failed is of no use in any case.
                () = failed.failed() => return Ok(Fed { end: Feed::Part, sent }),
            };
            let batch = match taken {
                Taken::Batch(batch) => batch,
                // Of what a filter is in the middle of nothing can be taken up again.
                Taken::Mark(_) => continue,
                Taken::End => {
                    return Ok(Fed { end: Feed::All(stdin.close()?), sent });
                }
                Taken::Broken => {
                    return Ok(Fed { end: Feed::Stopped(stdin), sent });
                }
            };
            self.traffic.pending.store(true, Ordering::Relaxed);
            let written = tokio::select! {
                written = write(&mut stdin, &batch, self.traffic) => written?,
                () = stopped(&mut stop, Stop::Abort) => {
                    return Ok(Fed { end: Feed::Stopped(stdin), sent });
                }
                // A descendant may hold the reading end for ever, so no broken pipe would come.
                () = ended.over() => false,
            };
            self.traffic.pending.store(false, Ordering::Relaxed);
            if !written {
                return Ok(Fed { end: Feed::Part, sent });
            }
            sent += batch.records();
        }
    }
}

/// Writes a batch; false if the worker does not read any more.
async fn write(stdin: &mut Writer, batch: &Arc<Batch>, traffic: &Traffic) -> io::Result<bool> {
    for mut slice in batch.slices() {
        while !slice.is_empty() {
            tokio::task::coop::consume_budget().await;
            let written = tokio::select! {
                biased;
                written = stdin.write(slice) => written?,
                () = traffic.ask.notified() => {
                    traffic.answer(stdin.unread());
                    continue;
                }
            };
            match written {
                Ok(count) => {
                    traffic.fed.add(count as u64);
                    slice = &slice[count..];
                }
                Err(_closed) => return Ok(false),
            }
        }
    }
    Ok(true)
}
