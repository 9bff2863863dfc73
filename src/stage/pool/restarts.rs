//! How often and how soon workers may be replaced: pure, given the time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::words::units;

/// How long is waited before the first restart of a worker, and at most.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(10);

/// Counts the restarts of a stage.
#[derive(Debug)]
pub(super) struct Restarts {
    limit: units::Restarts,
    recent: VecDeque<Duration>,
    all: u64,
}

impl Restarts {
    /// Starts with none.
    pub(super) fn new(limit: units::Restarts) -> Self {
        Self { limit, recent: VecDeque::new(), all: 0 }
    }

    /// Takes one at the time `now`, counted from anywhere; returns how many there were in all.
    /// None is left where there were too many lately.
    pub(super) fn take(&mut self, now: Duration) -> Option<u64> {
        while self.recent.front().is_some_and(|then| now.saturating_sub(*then) > self.limit.period)
        {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.limit.count as usize {
            return None;
        }
        self.recent.push_back(now);
        self.all += 1;
        Some(self.all)
    }
}

/// How long to wait before a worker is started once more, after so many that came to nothing:
/// twice as long each time, and a part of it by chance, so that many do not come back at once.
pub(super) fn delay(vain: u32, chance: u64) -> Duration {
    let whole = FIRST.saturating_mul(1 << vain.min(16)).min(LONGEST);
    let half = whole / 2;
    let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    half + Duration::from_millis(chance % (millis + 1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{any, prop_assert, proptest};

    use super::{LONGEST, Restarts, delay};
    use crate::words::units;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn there_are_only_so_many_in_a_stretch_of_time() {
        let mut restarts = Restarts::new(units::Restarts { count: 3, period: seconds(60) });
        let taken: Vec<_> = [0, 1, 2, 3, 60, 61, 62, 120].map(|t| restarts.take(seconds(t))).into();
        let want = [Some(1), Some(2), Some(3), None, None, Some(4), Some(5), Some(6)];
        assert_eq!(taken, want);
        let mut none = Restarts::new(units::Restarts { count: 0, period: seconds(60) });
        assert_eq!(none.take(seconds(1000)), None);
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(1024))]

        #[test]
        fn the_wait_grows_and_stays_bounded(vain in 0u32..100, chance in any::<u64>()) {
            let now = delay(vain, chance);
            prop_assert!(now <= LONGEST);
            // Whatever chance says, it is never shorter than the longest of two before.
            prop_assert!(vain < 2 || now >= delay(vain - 2, u64::MAX / 3).min(LONGEST / 2));
        }
    }
}
