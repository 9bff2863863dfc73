//! A clock for workers' time: what this process slept through is not counted.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// How often it is looked at, at most and at least.
const LOOK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

/// Ticks often enough to measure a limit.
#[derive(Debug)]
pub(super) struct Clock {
    look: Interval,
    last: Instant,
}

impl Clock {
    /// Starts a clock that can tell when `limit` has passed.
    pub(super) fn new(limit: Duration) -> Self {
        let every = (limit / 10).clamp(LOOK.0, LOOK.1);
        let mut look = interval_at(Instant::now() + every, every);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { look, last: Instant::now() }
    }

    /// Waits for the next look; returns how much time has passed, but never more than for two
    /// looks: the rest was slept through, here or by the machine.
    pub(super) async fn tick(&mut self) -> Duration {
        self.look.tick().await;
        let passed = std::mem::replace(&mut self.last, Instant::now()).elapsed();
        passed.min(2 * self.look.period())
    }
}
