//! Time as far as this process is awake. While it is stopped, or the machine sleeps, it stands
//! still: nobody is late for what could not be heard meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval_at};

/// How often the clock of a run is looked at.
pub const TICK: Duration = Duration::from_millis(200);

/// How far it goes on from one look; what is longer was slept through.
const STEP: Duration = Duration::from_millis(400);

/// How often a timer looks, at most and at least.
const LOOK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

/// The clock of a run. Somebody must look at it every [`TICK`].
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    reading: Mutex<Reading>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    awake: Duration,
    /// When it was looked at.
    at: Duration,
}

impl Reading {
    fn now(self, at: Duration) -> Duration {
        self.awake + at.saturating_sub(self.at).min(STEP)
    }

    fn look(&mut self, at: Duration) -> Duration {
        let passed = at.saturating_sub(self.at);
        *self = Self { awake: self.now(at), at: self.at.max(at) };
        passed
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self { began: Instant::now(), reading: Mutex::default() }
    }
}

impl Clock {
    /// Looks at it; returns how long nobody had, awake or not.
    pub fn look(&self) -> Duration {
        self.reading().look(self.began.elapsed())
    }

    /// Returns how long the process has been awake since the clock was made.
    pub fn now(&self) -> Duration {
        self.reading().now(self.began.elapsed())
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Measures time spent awake, for what is to be looked at again and again.
#[derive(Debug)]
pub struct Timer {
    look: Interval,
    meter: Meter,
}

impl Timer {
    /// Starts a timer that can tell when `limit` has passed.
    pub fn new(limit: Duration) -> Self {
        Self::every(period(limit))
    }

    /// Starts a timer that looks so often.
    pub fn every(period: Duration) -> Self {
        let mut look = interval_at(tokio::time::Instant::now() + period, period);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { look, meter: Meter::new(period) }
    }

    /// Waits for the next look; returns how much time has passed, never more than for two looks.
    pub async fn tick(&mut self) -> Duration {
        loop {
            self.look.tick().await;
            if let Some(passed) = self.meter.look() {
                return passed;
            }
        }
    }
}

/// Waits until so much time was spent awake.
pub async fn sleep(limit: Duration) {
    let period = period(limit);
    let mut meter = Meter::new(period);
    let mut left = limit;
    while !left.is_zero() {
        tokio::time::sleep(left.min(period)).await;
        left = left.saturating_sub(meter.look().unwrap_or_default());
    }
}

/// Waits for a future, but no longer than so much time spent awake; none if that was not enough.
pub async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        come = future => Some(come),
        () = sleep(limit) => None,
    }
}

fn period(limit: Duration) -> Duration {
    (limit / 10).clamp(LOOK.0, LOOK.1)
}

/// Adds up looks.
#[derive(Debug)]
struct Meter {
    period: Duration,
    last: Instant,
    late: bool,
}

impl Meter {
    fn new(period: Duration) -> Self {
        Self { period, last: Instant::now(), late: false }
    }

    fn look(&mut self) -> Option<Duration> {
        let passed = std::mem::replace(&mut self.last, Instant::now()).elapsed();
        self.count(passed)
    }

    /// Says how much of what passed counts. At a look that comes late nothing does: what came
    /// while this process slept is to be heard first. Two in a row are no excuse.
    fn count(&mut self, passed: Duration) -> Option<Duration> {
        let most = 2 * self.period;
        self.late = passed > most && !self.late;
        (!self.late).then(|| passed.min(most))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::{Meter, Reading, STEP, TICK};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// What passed counts up to two looks, so a sleep in between costs no more than that.
    #[test]
    fn a_sleep_is_not_counted() {
        let mut reading = Reading::default();
        assert_eq!(reading.look(ms(200)), ms(200));
        assert_eq!((reading.awake, reading.now(ms(300))), (ms(200), ms(300)));
        // Ten minutes of it, asked for before anybody looked, and after.
        assert_eq!(reading.now(ms(600_200)), ms(200) + STEP);
        assert_eq!(reading.look(ms(600_200)), ms(600_000));
        assert_eq!(reading.now(ms(600_300)), ms(300) + STEP);
    }

    #[test]
    fn a_timer_that_wakes_up_late_looks_again_first() {
        let mut meter = Meter::new(ms(200));
        assert_eq!(meter.count(ms(200)), Some(ms(200)));
        assert_eq!(meter.count(ms(400)), Some(ms(400)));
        assert_eq!(meter.count(ms(3000)), None);
        assert_eq!(meter.count(ms(200)), Some(ms(200)));
        // On a machine that is always late it goes on all the same.
        let late: Vec<_> = (0..4).map(|_| meter.count(ms(500))).collect();
        assert_eq!(late, [None, Some(ms(400)), None, Some(ms(400))]);
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(512))]

        #[test]
        fn the_clock_never_goes_back_nor_faster_than_time(
            steps in proptest::collection::vec((0u64..5000, proptest::bool::ANY), 1..60),
        ) {
            let (mut reading, mut at, mut before) = (Reading::default(), 0, Duration::ZERO);
            for (step, look) in steps {
                let from = at;
                at += step;
                if look {
                    reading.look(ms(at));
                }
                let now = reading.now(ms(at));
                prop_assert!(now >= before && now <= before + ms(at - from));
                before = now;
            }
        }

        /// Looked at as often as it should be, it shows the time.
        #[test]
        fn awake_all_time_counts(steps in proptest::collection::vec(0u64..=400, 1..60)) {
            let mut reading = Reading::default();
            let mut meter = Meter::new(TICK);
            let (mut at, mut timed) = (0, Duration::ZERO);
            for step in steps {
                at += step;
                reading.look(ms(at));
                timed += meter.count(ms(step)).unwrap_or_default();
            }
            prop_assert_eq!(reading.awake, ms(at));
            prop_assert_eq!(timed, ms(at));
        }
    }
}
