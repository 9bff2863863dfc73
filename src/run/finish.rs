//! The end of a run: the books are checked, the limits judged, the gate opened or kept shut.

use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::plan::describe::what_sink;
use crate::plan::{Output, Plan, Sink as SinkPlan};
use crate::publish::part::Hand;
use crate::publish::state::{Closing, Fate, Record, State, Verdict};
use crate::run::cancel::Cancel;
use crate::run::keeper::{Kept, cannot_keep};
use crate::run::keeping::{Begun, Keeping, place};
use crate::run::limits::over_limits;
use crate::run::start::{Started, bug};
use crate::run::stats::{self, Stats};
use crate::sink::{Done, Health};
use crate::words::event::{Ended, Event, Events, Finish};
use crate::words::id::Name;
use crate::words::ledger::{Count, Counts, Ledger, Tally};
use crate::words::marks::What;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Publish;
use crate::words::text::grouped;

/// What becomes of the state of a run at its end.
#[derive(Debug)]
pub struct Ending {
    /// Where it is kept, if it is.
    pub state: Option<State>,
    /// How the run stood at its beginning, and at its last mark.
    pub record: Record,
    /// Whether there was a mark.
    some: bool,
    /// Whether what is durable goes some way.
    saved: bool,
    /// A hand on each output.
    outputs: Vec<Hand>,
    settles: bool,
    again: String,
}

impl Ending {
    /// Prepares for the end of a run that begins.
    pub(super) fn new(begun: &mut Begun, record: Record, keeping: &Keeping) -> Self {
        let (state, settles, again) = (begun.state.take(), begun.settles, keeping.again.clone());
        let (some, saved, outputs) = (false, false, Vec::new());
        Self { state, record, some, saved, outputs, settles, again }
    }

    /// Takes the state back from its keeper.
    pub(super) fn collect(&mut self, keeper: Option<(oneshot::Sender<()>, JoinHandle<Kept>)>) {
        let Some((end, thread)) = keeper else { return };
        drop(end);
        // What it panicked over is told; the last record that it saved still holds.
        let Ok(kept) = thread.join() else { return };
        let Kept { state, record, some, saved, outputs } = kept;
        (self.state, self.record, self.outputs) = (Some(state), record, outputs);
        (self.some, self.saved) = (some, saved);
    }

    /// Keeps what is done so far, if the run was cut off and another may go on with it.
    fn keep(&mut self, cancel: &mut Cancel, events: &Events) -> bool {
        let cut_off = match cancel.exit() {
            Exit::Signal(_) => self.some,
            // What broke before there was much to keep is better begun again.
            Exit::Stage | Exit::World | Exit::Bug => self.saved,
            Exit::Ok | Exit::Data | Exit::Config | Exit::Locked | Exit::Ledger => false,
        };
        let cut_off = cut_off && !self.record.lacks_input();
        let Some(state) = self.state.as_mut().filter(|_| cut_off) else {
            return false;
        };
        if let Err(error) = state.checkpoint(&mut self.outputs, &self.record) {
            cancel.add(cannot_keep(state, &error));
            if self.saved {
                cancel.hint(format!("what was kept before stays: `{}` goes on there", self.again));
            }
            return self.saved;
        }
        let (lines, at) = (self.record.lines(), place(&self.record));
        events.emit(Event::Kept { lines, at: at.clone() });
        cancel
            .hint(format!("what is done is kept up to {at}: `{}` goes on from there", self.again));
        true
    }

    /// Notes which outputs will appear, before the first one does.
    fn commit(
        &mut self,
        closing: &mut Closing,
        verdict: &Verdict,
        ledger: &Ledger,
    ) -> Result<(), Failure> {
        self.count(ledger);
        let appears = |name: &Name| verdict.outputs.iter().any(|(output, _)| output == name);
        for table in self.record.tables.iter_mut().filter(|table| !appears(&table.name)) {
            if let (Counts::Sink(counts), What::Sink(_)) = (&mut table.counts, &table.what) {
                counts.dropped += std::mem::take(&mut counts.written);
            }
        }
        let Some(state) = &mut self.state else { return Ok(()) };
        closing.commit(state, &self.record, verdict).map_err(|error| cannot_keep(state, &error))
    }

    /// Notes that all of them have appeared.
    fn settle(&mut self, verdict: &Verdict, ledger: &Ledger) -> Result<(), Failure> {
        self.count(ledger);
        let Some(state) = &mut self.state else { return Ok(()) };
        state
            .settle(&self.record, verdict, self.settles)
            .map_err(|error| cannot_keep(state, &error))
    }

    /// Takes the counts as they are in the end: they tell it to who finds nothing left to do.
    fn count(&mut self, ledger: &Ledger) {
        for table in &mut self.record.tables {
            if let Some(counts) = ledger.get(&table.name) {
                table.counts = *counts;
            }
        }
    }
}

/// Finishes a run whose tables have ended; tells and returns how it ended, and whether what it
/// did is kept.
pub fn finish(
    plan: &Plan,
    started: Started,
    stats: &Stats,
    (mut cancel, mut ending): (Cancel, Ending),
    events: &Events,
) -> (Ended, bool) {
    abandon(plan, &started.running, stats);
    let cut_short = cut_short(&started);
    let mut sinks = collect(plan, started, &mut cancel);
    // As if every output that can be published were: that is what the gate asks about.
    for (sink, done) in &sinks {
        foresee(&stats.tally(&sink.name), done);
    }
    let gone = sinks.iter().any(|(_, done)| done.health == Health::ReaderGone);
    check_books(stats, &mut cancel);
    let sound = cancel.exit() == Exit::Ok && cut_short.is_none() && !gone;
    let (failures, over) = over_limits(plan, stats);
    for failure in failures {
        cancel.add(failure);
    }
    // Dead letters first: should they fail, the data's gate stays shut.
    sinks.sort_by_key(|(sink, _)| !sink.letters);
    let kept = ending.keep(&mut cancel, events);
    let closing = if kept { Closing::kept() } else { Closing::default() };
    let mut publisher = Publisher { plan, stats, events, closing, sound };
    if kept {
        publisher.settle_all(sinks, &mut cancel);
    } else {
        publisher.publish_all(sinks, &mut cancel, &mut ending);
    }
    let kept = publisher.closing.is_kept();
    let ledger = stats.ledger();
    let imbalances = ledger.imbalances();
    let mut ended = cancel.ended();
    if let Some(why) = cut_short.filter(|_| ended.code == Exit::Ok) {
        ended.reason = why;
    }
    events.emit(Event::RunFinished(Box::new(Finish {
        exit: ended.clone(),
        ledger,
        imbalances,
        errors: stats.register.codes(),
        kinds: stats.register.kinds(),
        over,
        baseline: stats.register.baseline(),
        times: stats.times(),
        controller: stats::usage(),
    })));
    (ended, kept)
}

fn check_books(stats: &Stats, cancel: &mut Cancel) {
    for imbalance in stats.ledger().imbalances() {
        let crate::words::ledger::Imbalance { place, identity, left, right } = imbalance;
        let message = format!(
            "the ledger does not balance at `{place}`: {identity} reads {} = {}",
            grouped(left),
            grouped(right)
        );
        cancel.add(
            Failure::new(Exit::Ledger, message).hint("this is a bug in esteira: please report it"),
        );
    }
}

/// Says what was not read although all is well.
fn cut_short(started: &Started) -> Option<String> {
    let brakes = started.brakes.iter().filter(|brake| brake.cut_short);
    let names: Vec<String> = brakes.map(|brake| format!("`{}`", brake.source)).collect();
    let names = names.join(", ");
    (!names.is_empty()).then(|| format!("{names} not read to the end, nobody wants the rest"))
}

/// Settles the books of tables that did not end in time: what they had is in doubt, and what a
/// source has in hand is as if it were not read.
fn abandon(plan: &Plan, late: &[Name], stats: &Stats) {
    for source in plan.sources.iter().filter(|source| late.contains(&source.name)) {
        let tally = stats.tally(&source.name);
        tally.lines.set(tally.blank.get() + tally.rejected.get() + tally.output.get());
    }
    for name in late.iter().filter(|name| plan.sources.iter().all(|s| s.name != **name)) {
        let tally = stats.tally(name);
        tally.input.set(stats.sent_to(name));
        let settled = [&tally.accepted, &tally.written, &tally.dropped, &tally.rejected];
        let known: u64 = settled.into_iter().map(Count::get).sum();
        tally.in_doubt.set(tally.input.get().saturating_sub(known));
    }
}

/// Takes the sinks back from their threads; one that is stuck is left behind.
fn collect<'a>(plan: &'a Plan, started: Started, cancel: &mut Cancel) -> Vec<(&'a SinkPlan, Done)> {
    let mut done = Vec::new();
    for (sink, thread) in plan.sinks.iter().zip(started.sinks) {
        if started.running.contains(&sink.name) {
            // Only a stop has an end in time: this follows from its reason, and is no worse.
            let message = format!("sink `{}` did not end in time", sink.name);
            cancel.add(Failure::new(cancel.exit(), message));
            continue;
        }
        let joined = thread.join().unwrap_or_else(|_| {
            // It catches what its work panics over; this came behind that, and told nobody.
            cancel.add(bug(&sink.name));
            Done::panicked()
        });
        done.push((sink, joined));
    }
    done
}

/// Enters what becomes of a sink's records if its output is published.
fn foresee(tally: &Tally, done: &Done) {
    let through = done.sink.as_ref().is_some_and(|sink| sink.is_through());
    let input = tally.input.get();
    match done.health {
        _ if through => {}
        Health::Whole => {
            let others = tally.rejected.get() + tally.dropped.get();
            tally.written.set(input.saturating_sub(others));
        }
        // A spool that failed entered its own.
        Health::Broken => {
            let others = tally.in_doubt.get() + tally.rejected.get();
            tally.dropped.set(input.saturating_sub(others));
        }
        Health::Failed => {
            tally.in_doubt.set(input.saturating_sub(tally.rejected.get()));
            tally.dropped.set(0);
        }
        Health::ReaderGone => {}
    }
}

/// Who lets outputs appear.
struct Publisher<'a> {
    plan: &'a Plan,
    stats: &'a Stats,
    events: &'a Events,
    /// What is owed to the record.
    closing: Closing,
    /// Whether all was read and written, and nothing is wrong but that records were refused.
    sound: bool,
}

impl Publisher<'_> {
    /// Publishes what the end of the run allows, with a note of it before and after.
    fn publish_all(
        &mut self,
        sinks: Vec<(&SinkPlan, Done)>,
        cancel: &mut Cancel,
        ending: &mut Ending,
    ) {
        let appears = |(sink, done): &&(&SinkPlan, Done)| self.is_open(sink, cancel.exit(), done);
        let outputs = sinks.iter().filter(appears).filter_map(|(sink, done)| {
            let at = done.sink.as_ref().and_then(|output| output.at())?;
            Some((sink.name.clone(), at))
        });
        let (code, outputs) = (cancel.exit().code(), outputs.collect());
        let reason = cancel.exit().meaning().to_owned();
        let verdict = Verdict { code, reason, outputs };
        let exit = cancel.exit();
        let ledger = self.stats.ledger();
        if let Err(failure) = ending.commit(&mut self.closing, &verdict, &ledger) {
            cancel.add(failure);
        }
        self.settle_all(sinks, cancel);
        if cancel.exit() == exit
            && let Err(failure) = ending.settle(&verdict, &self.stats.ledger())
        {
            cancel.add(failure);
        }
    }

    fn settle_all(&mut self, sinks: Vec<(&SinkPlan, Done)>, cancel: &mut Cancel) {
        for (sink, done) in sinks {
            if let Err(failure) = self.settle(sink, done, cancel.exit()) {
                cancel.add(failure);
            }
        }
    }

    /// Tells whether an output appears at such an end.
    fn is_open(&self, sink: &SinkPlan, exit: Exit, done: &Done) -> bool {
        let through = done.sink.as_ref().is_none_or(|output| output.is_through());
        let empty = self.stats.tally(&sink.name).input.get() == 0;
        let open = match sink.publish {
            Publish::Gate => exit == Exit::Ok,
            Publish::Always => exit <= Exit::Data,
            Publish::EveryEnd => exit != Exit::Config && exit != Exit::Locked,
            // A replay adds to what is there: without a record it adds nothing.
            Publish::Sound if !sink.letters && empty => false,
            Publish::Sound => self.sound && exit <= Exit::Data,
        };
        open && !through && done.health == Health::Whole
    }

    /// Publishes or withholds an output, and enters what became of its records.
    fn settle(&self, sink: &SinkPlan, done: Done, exit: Exit) -> Result<(), Failure> {
        let path = match &sink.output {
            Output::File(path) => path,
            Output::Table(_) => return self.settle_rows(sink, done, exit),
            Output::Stdout => return Ok(()),
        };
        let open = self.is_open(sink, exit, &done);
        let Some(output) = done.sink.filter(|output| !output.is_through()) else {
            return Ok(());
        };
        let (tally, events) = (self.stats.tally(&sink.name), self.events);
        let (name, path) = (sink.name.clone(), self.plan.display(path));
        let published = match self.closing.fate(&sink.name, open) {
            Fate::Publish => Some(output.publish()),
            Fate::Copy => Some(output.publish_copy()),
            Fate::Leave => {
                output.leave();
                None
            }
            Fate::Discard => {
                output.discard();
                None
            }
        };
        let Some(published) = published else {
            if done.health == Health::Whole {
                tally.written.set(0);
                tally.dropped.set(tally.input.get());
            }
            if sink.publish != Publish::Sound || tally.input.get() > 0 {
                events.emit(Event::Withheld { sink: name, path });
            }
            return Ok(());
        };
        match published {
            Ok(()) => {
                let (records, bytes) = (tally.written.get(), tally.bytes.get());
                if sink.letters && sink.publish == Publish::Sound {
                    // Whoever replays makes the file of it that people know.
                    return Ok(());
                }
                events.emit(Event::Published { sink: name, path, records, bytes });
                Ok(())
            }
            Err(error) => {
                tally.written.set(0);
                tally.in_doubt.set(tally.input.get());
                let message = format!("cannot publish `{path}`: {error}");
                let error = error.to_string();
                events.emit(Event::Storage { sink: name, path, error });
                Err(Failure::new(Exit::World, message))
            }
        }
    }
}

impl Publisher<'_> {
    /// Commits or takes back rows that were held back to the end of the run.
    fn settle_rows(&self, sink: &SinkPlan, done: Done, exit: Exit) -> Result<(), Failure> {
        let opens = self.is_open(sink, exit, &done);
        let tally = self.stats.tally(&sink.name);
        let (name, path) = (sink.name.clone(), what_sink(sink, &self.plan.caller));
        let written = || {
            let (records, bytes) = (tally.written.get(), tally.bytes.get());
            Event::Published { sink: name.clone(), path: path.clone(), records, bytes }
        };
        let Some(mut output) = done.sink.filter(|output| !output.is_through()) else {
            // They are there, however the run ends.
            self.events.emit(written());
            return Ok(());
        };
        let held = tally.input.get() - tally.rejected.get().min(tally.input.get());
        if !opens {
            output.discard();
            if done.health == Health::Whole {
                tally.written.set(0);
                tally.dropped.set(held);
            }
            self.events.emit(Event::Withheld { sink: name.clone(), path: path.clone() });
            return Ok(());
        }
        let committed = output.table().map_or(Ok(()), |table| table.commit(self.events));
        if committed.is_ok() {
            self.events.emit(written());
        } else {
            tally.written.set(0);
            tally.dropped.set(0);
            tally.in_doubt.set(held);
        }
        committed
    }
}
