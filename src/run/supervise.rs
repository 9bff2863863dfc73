//! The only `select!` of the run, and the only one who decides to stop it.

use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::child::guard::{PAUSE, RESUME};
use crate::child::nursery::Nursery;
use crate::plan::{Plan, Stage};
use crate::run::cancel::Cancel;
use crate::run::deadline::overdue;
use crate::run::reach;
use crate::run::signals::{Asked, Signals};
use crate::run::start::{Started, raise};
use crate::run::stats::Stats;
use crate::stage::verdict::signal_name;
use crate::words::belt::{Notice, Stop};
use crate::words::clock::TICK;
use crate::words::event::{Event, Events};
use crate::words::id::Name;
use crate::words::outcome::{Exit, Failure};

/// A tick later than this shows that the machine or this process slept.
const GAP: Duration = Duration::from_millis(1500);

/// How long a start may take before it can be interrupted.
const START: Duration = Duration::from_secs(1);

/// A second signal this soon is the same press of a key, not impatience.
const BOUNCE: Duration = Duration::from_millis(250);

/// How long after the last grace a table may take to end before the run ends without it.
const ABANDON: Duration = Duration::from_millis(1900);

/// How long what is on its way may take to arrive when a signal ends the run: what sends signals
/// may not wait for more than seven seconds before it kills.
const DRAIN: Duration = Duration::from_secs(4);

/// How long workers have after that.
const LAST: Duration = Duration::from_secs(1);

/// What supervising works with.
pub struct Watch<'a> {
    /// What runs.
    pub plan: &'a Plan,
    /// Who keeps the workers.
    pub nursery: &'a Nursery,
    /// The counts.
    pub stats: &'a Stats,
    /// Where events go.
    pub events: &'a Events,
    /// In which order sources are read, if one after the other.
    pub order: Vec<usize>,
    /// Whether what is on its way is worth waiting for when a signal ends the run.
    pub drains: bool,
}

/// A run that is watched.
struct Vigil<'a> {
    plan: &'a Plan,
    nursery: &'a Nursery,
    stats: &'a Stats,
    events: &'a Events,
    /// Sinks whose reader went away.
    gone: Vec<Name>,
    started: &'a mut Started,
    cancel: &'a mut Cancel,
    signalled: Option<Instant>,
    order: Vec<usize>,
    drains: bool,
    /// Since when what is on its way is waited for.
    draining_since: Option<Duration>,
    stopping_since: Option<Duration>,
    /// Whether the last tick came so late that much may be waiting to be heard.
    late: bool,
}

impl Watch<'_> {
    /// Watches until every table has ended, or the time to end is over.
    pub async fn supervise(self, mut signals: Signals, started: &mut Started, cancel: &mut Cancel) {
        let Self { plan, nursery, stats, events, order, drains } = self;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut vigil = Vigil {
            plan,
            nursery,
            stats,
            events,
            gone: Vec::new(),
            started,
            cancel,
            signalled: None,
            order,
            drains,
            draining_since: None,
            stopping_since: None,
            late: false,
        };
        stats.begin();
        while !vigil.started.running.is_empty() && !vigil.is_late() {
            tokio::select! {
                notice = vigil.started.notices.recv() => vigil.hear(notice),
                asked = signals.next() => vigil.obey(asked),
                _ = tick.tick() => vigil.look(),
            }
        }
        events.offer(stats.tick());
    }
}

/// Waits until a start that is not over by then must be broken off; returns why.
pub async fn broken_off(
    signals: &mut Signals,
    plan: &Plan,
    stats: &Stats,
    events: &Events,
) -> Failure {
    let asked = async {
        // A start takes milliseconds; then the run itself hears what came meanwhile.
        tokio::time::sleep(START).await;
        signals.end().await
    };
    let overdue = async {
        loop {
            tokio::time::sleep(TICK).await;
            stats.clock.look();
            if let Some(failure) = overdue(plan, stats, None) {
                return failure;
            }
        }
    };
    tokio::select! {
        signal = asked => interrupted(signal, events),
        failure = overdue => failure,
    }
}

/// Tells that a signal asks the run to end; returns that as its reason.
fn interrupted(signal: i32, events: &Events) -> Failure {
    let name = signal_name(signal);
    events.emit(Event::Interrupted { signal: name.clone(), now: false });
    Failure::new(Exit::Signal(signal), format!("interrupted by {name}"))
}

impl Vigil<'_> {
    fn hear(&mut self, notice: Option<Notice>) {
        match notice {
            Some(Notice::Ended { table, failures }) => {
                self.started.running.retain(|name| *name != table);
                self.stats.ended(&table);
                for failure in failures {
                    // Bad data is for the end to judge; the run goes on.
                    let stop = failure.exit != Exit::Data;
                    self.fail(failure, stop);
                }
            }
            Some(Notice::Failed(failure)) => self.fail(failure, true),
            Some(Notice::ReaderGone(sink)) => self.lose_reader(sink),
            Some(Notice::Through(place)) => self.read_next(place),
            // Each table holds a sender until it has told its end.
            None => self.started.running.clear(),
        }
    }

    fn fail(&mut self, failure: Failure, stop: bool) {
        self.cancel.add(failure.clone());
        if stop {
            self.stop(failure);
        }
    }

    fn obey(&mut self, asked: Asked) {
        match asked {
            Asked::End(signal) => self.end(signal),
            Asked::Pause => {
                self.events.emit(Event::Paused);
                self.nursery.tell_all(PAUSE);
                // Stopped here, as the shell expects; it goes on behind this line.
                rustix::process::kill_process(
                    rustix::process::getpid(),
                    rustix::process::Signal::STOP,
                )
                .ok();
                self.nursery.tell_all(RESUME);
                self.events.emit(Event::Resumed);
                // Told already, in other words.
                self.stats.clock.look();
            }
            Asked::Resume => self.nursery.tell_all(RESUME),
        }
    }

    fn end(&mut self, signal: i32) {
        let bounced = self.signalled.is_some_and(|at| at.elapsed() < BOUNCE);
        if bounced {
            return;
        }
        let again = self.signalled.replace(Instant::now()).is_some();
        if again {
            let signal = signal_name(signal);
            self.events.emit(Event::Interrupted { signal, now: true });
            self.raise(Stop::Kill);
            return;
        }
        let failure = interrupted(signal, self.events);
        self.cancel.add(failure.clone());
        if self.drains && !self.cancel.is_stopping() {
            self.drain(failure);
        } else {
            self.stop(failure);
        }
    }

    /// Lets the sources end where they are, and what they sent arrive.
    fn drain(&mut self, reason: Failure) {
        self.cancel.begin();
        self.events.emit(Event::Stopping { reason });
        self.draining_since = Some(self.stats.clock.now());
        for brake in &mut self.started.brakes {
            brake.pull(Stop::Drain);
        }
    }

    /// Ends a drain that takes too long.
    fn hasten(&mut self) {
        let Some(since) = self.draining_since else { return };
        let drained = self.stats.clock.now().saturating_sub(since);
        if drained > DRAIN && self.stopping_since.is_none() {
            self.stopping_since = Some(self.stats.clock.now());
            self.raise(Stop::Abort);
        } else if drained > DRAIN + LAST {
            self.raise(Stop::Kill);
        }
    }

    /// Lets the source begin that is read behind the one at `place`.
    fn read_next(&mut self, place: u32) {
        let next = self.order.get(place as usize + 1);
        if let Some(brake) = next.and_then(|index| self.started.brakes.get_mut(*index)) {
            brake.let_go();
        }
    }

    fn look(&mut self) {
        let passed = self.stats.clock.look();
        if passed > GAP {
            let ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
            self.events.emit(Event::ClockGap { ms });
        }
        self.events.offer(self.stats.tick());
        self.hasten();
        // Who ended meanwhile is heard first; on a machine that is always late nobody is spared.
        self.late = passed > 2 * TICK && !self.late;
        if self.late || self.cancel.is_stopping() {
            return;
        }
        if let Some(failure) = overdue(self.plan, self.stats, Some(&self.started.running)) {
            self.fail(failure, true);
        }
    }

    fn stop(&mut self, reason: Failure) {
        if self.cancel.begin() {
            self.events.emit(Event::Stopping { reason });
        }
        self.stopping_since.get_or_insert(self.stats.clock.now());
        self.raise(Stop::Abort);
    }

    fn raise(&mut self, stop: Stop) {
        raise(&self.started.stop, stop);
        for brake in &mut self.started.brakes {
            brake.pull(stop);
        }
    }

    /// Lets the sources end whose records no sink wants any more.
    fn lose_reader(&mut self, sink: Name) {
        self.gone.push(sink);
        let Started { brakes, running, .. } = &mut *self.started;
        for brake in brakes {
            if reach::is_in_vain(self.plan, &brake.source, &self.gone) {
                brake.cut_short |= running.contains(&brake.source);
                brake.pull(Stop::Drain);
            }
        }
    }

    /// Tells whether the tables had all the time they can want to end.
    fn is_late(&self) -> bool {
        let grace = self
            .plan
            .stages
            .iter()
            .filter_map(Stage::program)
            .map(|p| p.grace)
            .max()
            .unwrap_or_default();
        let grace = self.draining_since.map_or(grace, |_| LAST);
        self.stopping_since.is_some_and(|since| self.stats.clock.now() > since + grace + ABANDON)
    }
}
