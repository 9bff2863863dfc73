//! How fast each table was at which time, in a bounded number of points.

use crate::words::event::Pace;

/// How many points are kept at most. With one more, each second one is left out.
const POINTS: usize = 256;

/// What all tables had taken at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    /// The moment, in seconds since the run began.
    pub(crate) t: f64,
    /// Records, for a source lines, of each table.
    pub(crate) taken: Vec<u64>,
}

/// The points of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    points: Vec<Point>,
    /// How many ticks there are between two points, and since the last one.
    every: usize,
    since: usize,
}

impl History {
    /// Takes in a tick.
    pub(crate) fn tick(&mut self, t: f64, tables: &[Pace]) {
        self.since += 1;
        if self.since < self.every {
            return;
        }
        self.since = 0;
        let taken = tables.iter().map(|pace| pace.counts.taken()).collect();
        self.points.push(Point { t, taken });
        if self.points.len() > POINTS {
            let mut odd = false;
            self.points.retain(|_| {
                odd = !odd;
                odd
            });
            self.every = 2 * self.every.max(1);
        }
    }

    /// Returns for one table (its place among all) how many records a second it took between each
    /// two points: the later moment, and the rate.
    pub(crate) fn rates(&self, table: usize) -> Vec<(f64, f64)> {
        let pairs = self.points.windows(2).filter_map(|pair| {
            let [from, to] = pair else { return None };
            let (before, after) = (from.taken.get(table)?, to.taken.get(table)?);
            let seconds = to.t - from.t;
            let more = crate::report::show::float(after.saturating_sub(*before));
            (seconds > 0.0).then(|| (to.t, more / seconds))
        });
        pairs.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{History, POINTS};
    use crate::report::fixtures::pace;
    use crate::words::event::Kind;

    #[test]
    fn a_long_run_has_as_many_points_as_a_short_one_and_the_same_rate() {
        for ticks in [3_u32, 300, 30_000] {
            let mut history = History::default();
            for tick in 0..ticks {
                let taken = 500 * u64::from(tick);
                history.tick(f64::from(tick), &[pace("users", Kind::Source, taken)]);
            }
            let rates = history.rates(0);
            assert!(rates.len() >= 2 && rates.len() <= POINTS, "{}", rates.len());
            assert!(rates.iter().all(|(_, rate)| (rate - 500.0).abs() < 1e-6), "{rates:?}");
            assert_eq!(history.rates(1), []);
        }
    }
}
