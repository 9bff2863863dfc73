//! Keeps in a file what a table is not ready to take yet: see plan/graph/turns for when.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::publish::spool::Spool;
use crate::words::belt::{Feed, Inlet, Notice, Outlet, Post, Stop, StopSign, Taken, feed, stopped};
use crate::words::id::Name;
use crate::words::ledger::{Edge, Tally};
use crate::words::outcome::{Exit, Failure};

/// Someone who stands between two tables and takes in all that comes until the second one is
/// ready for it.
#[derive(Debug)]
pub struct Spooler {
    to: Name,
    input: Inlet,
    turn: oneshot::Receiver<()>,
    output: Outlet,
    /// The counts of the table behind.
    tally: Arc<Tally>,
    /// Whether nothing is to reach it any more.
    over: bool,
}

/// What a spooler works with beside its edges.
#[derive(Debug)]
pub struct Place {
    /// The file.
    pub spool: Spool,
    /// Its folder, as messages show it.
    pub folder: String,
    /// How the run is being stopped.
    pub stop: StopSign,
    /// Where it tells what stops the run.
    pub post: Post,
}

impl Spooler {
    /// Puts one on an edge: it takes from `from`, and the table behind from what is returned.
    pub fn between(edge: &Edge, from: Feed, capacity: usize, tally: Arc<Tally>) -> (Self, Feed) {
        let (entry, mut kept) = feed(capacity);
        // What passes here was counted before, and is counted where it is taken.
        let mut output = Outlet::new(Arc::default());
        output.lead(&entry, &mut kept);
        let input = Inlet::new([from], Arc::default());
        let turn = kept.turn();
        (Self { to: edge.to.clone(), input, turn, output, tally, over: false }, kept)
    }

    /// Starts it, on a thread of its own: it writes files.
    pub fn start(self, place: Place) -> std::io::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let thread = std::thread::Builder::new().name(format!("spool:{}", self.to));
        thread.spawn(move || {
            let (to, post) = (self.to.clone(), place.post.clone());
            let work = || runtime.block_on(self.work(place));
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                let message = format!("the spool of `{to}` panicked: this is a bug in esteira");
                let failure = Failure::new(Exit::Bug, message);
                // The post closes only with the run.
                let hint = "please report it with the message above";
                post.blocking_send(Notice::Failed(failure.hint(hint))).ok();
            }
        })
    }

    async fn work(mut self, mut place: Place) {
        let mut end = self.keep(&mut place).await;
        self.give(&mut place).await;
        while end.is_none() {
            match self.input.take().await {
                Taken::Batch(batch) if self.over => self.lose(batch.records()),
                Taken::Batch(batch) => self.output.send(batch).await,
                // What waits in a file without a name cannot be taken up again.
                Taken::Mark(_) => {}
                Taken::End => end = Some(true),
                Taken::Broken => end = Some(false),
            }
            self.over |= is_over(&place.stop);
        }
        if end == Some(true) && !self.over {
            self.output.end().await;
        }
    }

    /// Takes in until the table behind is ready; tells whether the input is at its end, and is
    /// whole.
    async fn keep(&mut self, place: &mut Place) -> Option<bool> {
        loop {
            let taken = tokio::select! {
                biased;
                // Who takes from it may have ended with the run, too.
                _ = &mut self.turn => return None,
                () = stopped(&mut place.stop, Stop::Abort) => return None,
                taken = self.input.take() => taken,
            };
            match taken {
                Taken::Batch(batch) => {
                    if let Err(error) = place.spool.put(&batch) {
                        self.fail(place, "write", &error).await;
                        self.lose(batch.records());
                        return None;
                    }
                }
                Taken::Mark(_) => {}
                Taken::End => return Some(true),
                Taken::Broken => return Some(false),
            }
        }
    }

    /// Gives what was kept.
    async fn give(&mut self, place: &mut Place) {
        self.over |= is_over(&place.stop);
        while !self.over {
            match place.spool.take() {
                Ok(Some(batch)) => self.output.send(Arc::new(batch)).await,
                Ok(None) => return,
                Err(error) => self.fail(place, "read", &error).await,
            }
            self.over |= is_over(&place.stop);
        }
        self.lose(place.spool.records());
    }

    /// Enters records that the table behind never sees.
    fn lose(&self, records: u64) {
        self.tally.input.add(records);
        self.tally.in_doubt.add(records);
    }

    async fn fail(&mut self, place: &Place, what: &str, error: &std::io::Error) {
        self.over = true;
        let message = format!(
            "cannot {what} the records that wait for `{}`, in `{}`: {error}",
            self.to, place.folder
        );
        let failure = Failure::new(Exit::World, message)
            .hint("name a folder with room: `TMPDIR=FOLDER esteira run`")
            .hint(format!("or let `{}` take records as they come: `order = \"none\"`", self.to));
        // The post closes only with the run.
        place.post.send(Notice::Failed(failure)).await.ok();
    }
}

fn is_over(stop: &StopSign) -> bool {
    *stop.borrow() >= Stop::Abort
}

/// Makes the file of a spooler in a folder.
pub(super) fn create(folder: &Path, shown: &str) -> Result<Spool, Failure> {
    Spool::create(folder).map_err(|error| {
        let message = format!("cannot keep records that wait for their turn in `{shown}`: {error}");
        Failure::new(Exit::World, message).hint("name another folder: `TMPDIR=FOLDER esteira run`")
    })
}
