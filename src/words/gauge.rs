//! How a table spends its time: busy, starved (it waits for input) or blocked (it waits for room
//! behind it). At each moment it is one of them, so the three add up to its life.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::words::clock::Clock;

/// How a table spent its time so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// With work of its own.
    #[serde(serialize_with = "seconds")]
    pub busy: Duration,
    /// Waiting for input.
    #[serde(serialize_with = "seconds")]
    pub starved: Duration,
    /// Waiting for room behind it.
    #[serde(serialize_with = "seconds")]
    pub blocked: Duration,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1000.0).round() / 1000.0)
}

impl Spent {
    /// Returns all of it: how long the table has lived.
    pub fn life(&self) -> Duration {
        self.busy + self.starved + self.blocked
    }

    /// Returns what was spent since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(before.busy),
            starved: self.starved.saturating_sub(before.starved),
            blocked: self.blocked.saturating_sub(before.blocked),
        }
    }
}

/// Measures it. Before a gauge begins and after it has ended it measures nothing.
#[derive(Debug, Default)]
pub struct Gauge {
    clock: OnceLock<Arc<Clock>>,
    state: Mutex<State>,
}

/// Who waits and who works just now, and what came of it so far.
#[derive(Clone, Debug, Default)]
struct State {
    /// How many wait for input, and for room.
    hungry: u32,
    stuck: u32,
    /// How many of its workers are seen at work.
    working: u32,
    /// Whether no worker would have a use for input.
    full: bool,
    /// Since when that is so; none where time is not measured.
    since: Option<Duration>,
    spent: Spent,
}

impl State {
    /// Enters the time up to now.
    fn settle(&mut self, now: Duration) {
        let Some(since) = self.since else { return };
        let passed = now.saturating_sub(since);
        self.since = Some(since.max(now));
        // Who is out of work for want of input could be faster if more came, whatever the others
        // do. Room is wanted in earnest only when nobody is at work any more.
        let starved = self.hungry > 0 && !self.full;
        let spent = &mut self.spent;
        if self.working > 0 && !starved {
            spent.busy += passed;
        } else if self.stuck > 0 {
            spent.blocked += passed;
        } else if starved {
            spent.starved += passed;
        } else {
            spent.busy += passed;
        }
    }
}

/// What somebody of a table is in, until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Phase<'a> {
    gauge: &'a Gauge,
    of: fn(&mut State) -> &mut u32,
}

impl Drop for Phase<'_> {
    fn drop(&mut self) {
        self.gauge.change(|state| *(self.of)(state) -= 1);
    }
}

impl Gauge {
    /// Begins to measure.
    pub fn begin(&self, clock: &Arc<Clock>) {
        let clock = self.clock.get_or_init(|| Arc::clone(clock));
        self.state().since.get_or_insert(clock.now());
    }

    /// Ends it: the table has ended.
    pub fn end(&self) {
        self.change(|_| ());
        self.state().since = None;
    }

    /// Returns how the time was spent, a wait that goes on included.
    pub fn spent(&self) -> Spent {
        self.change(|state| state.spent)
    }

    /// Waits for input.
    pub fn hungry(&self) -> Phase<'_> {
        self.phase(|state| &mut state.hungry)
    }

    /// Waits for room.
    pub fn stuck(&self) -> Phase<'_> {
        self.phase(|state| &mut state.stuck)
    }

    /// Is at work, one of several who are.
    pub fn working(&self) -> Phase<'_> {
        self.phase(|state| &mut state.working)
    }

    /// Notes how many workers are at work, and whether all that there are.
    pub fn hands(&self, working: u32, full: bool) {
        let same = {
            let state = self.state();
            (state.working, state.full) == (working, full)
        };
        // Mostly nothing changes, and then no clock is asked.
        if !same {
            self.change(|state| (state.working, state.full) = (working, full));
        }
    }

    fn phase(&self, of: fn(&mut State) -> &mut u32) -> Phase<'_> {
        self.change(|state| *of(state) += 1);
        Phase { gauge: self, of }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let now = self.clock.get().map(|clock| clock.now());
        let mut state = self.state();
        state.settle(now.unwrap_or_default());
        change(&mut state)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use proptest::prelude::{Strategy, prop_assert_eq, proptest};

    use super::{Gauge, Spent, State};
    use crate::words::clock::Clock;

    /// What a table that is in this state for a second was in.
    fn second(state: &State) -> &'static str {
        let mut state = State { since: Some(Duration::ZERO), ..state.clone() };
        state.settle(Duration::from_secs(1));
        match state.spent {
            Spent { busy, .. } if busy.as_secs() == 1 => "busy",
            Spent { starved, .. } if starved.as_secs() == 1 => "starved",
            Spent { blocked, .. } if blocked.as_secs() == 1 => "blocked",
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_table_is_one_thing_at_a_time() {
        for (hungry, stuck, working, full, what) in [
            // A source, a sink, a stage with one hand.
            (0, 0, 0, false, "busy"),
            (1, 0, 0, false, "starved"),
            (0, 1, 0, false, "blocked"),
            // A filter that is fed by one and emptied by another.
            (1, 1, 0, false, "blocked"),
            // A pool: all at work, one without work and no input, none at work.
            (1, 0, 4, true, "busy"),
            (1, 0, 3, false, "starved"),
            (0, 1, 3, false, "busy"),
            (1, 1, 4, true, "busy"),
            (1, 1, 3, false, "blocked"),
            (0, 1, 0, false, "blocked"),
            // Its workers are not there yet.
            (1, 0, 0, true, "busy"),
        ] {
            let state = State { hungry, stuck, working, full, ..State::default() };
            assert_eq!(second(&state), what, "{state:?}");
        }
    }

    #[test]
    fn only_what_lies_between_its_begin_and_its_end_is_measured() {
        let gauge = Gauge::default();
        let waiting = gauge.hungry();
        assert_eq!(gauge.spent(), Spent::default());
        let clock = Arc::new(Clock::default());
        gauge.begin(&clock);
        while gauge.spent().starved.is_zero() {}
        let spent = gauge.spent();
        assert!(spent.busy.is_zero() && spent.blocked.is_zero(), "a wait that goes on: {spent:?}");
        gauge.end();
        drop(waiting);
        let spent = gauge.spent();
        while clock.now() < spent.life() + Duration::from_millis(2) {}
        assert_eq!(gauge.spent(), spent);
    }

    #[test]
    fn workers_come_and_go() {
        let gauge = Gauge::default();
        gauge.begin(&Arc::new(Clock::default()));
        gauge.hands(1, true);
        gauge.hands(1, true);
        let hungry = gauge.hungry();
        gauge.hands(0, false);
        let spent = gauge.spent();
        while gauge.spent().starved == spent.starved {}
        drop(hungry);
        assert_eq!(gauge.spent().blocked, Duration::ZERO);
    }

    fn state() -> impl Strategy<Value = State> {
        (0u32..3, 0u32..3, 0u32..3, proptest::bool::ANY).prop_map(
            |(hungry, stuck, working, full)| State {
                hungry,
                stuck,
                working,
                full,
                ..State::default()
            },
        )
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(512))]

        /// However it goes back and forth, and however often it is asked.
        #[test]
        fn the_shares_add_up_to_its_life(
            steps in proptest::collection::vec((state(), 0u64..1000, 0u64..1000), 1..40),
        ) {
            let mut asked = State { since: Some(Duration::ZERO), ..State::default() };
            let mut unasked = asked.clone();
            let mut now = Duration::ZERO;
            for (next, before, behind) in steps {
                now += Duration::from_micros(before);
                asked.settle(now);
                now += Duration::from_micros(behind);
                for state in [&mut asked, &mut unasked] {
                    state.settle(now);
                    *state = State { since: state.since, spent: state.spent, ..next.clone() };
                }
                prop_assert_eq!(asked.spent, unasked.spent);
                prop_assert_eq!(asked.spent.life(), now);
            }
        }
    }
}
