//! How fast each table is, how busy, and which of them holds up the others. Pure: time comes
//! with the ticks.

use std::collections::VecDeque;

use crate::report::bottleneck::bottleneck;
use crate::report::show::float;
use crate::words::event::{Pace, Table};
use crate::words::gauge::Spent;
use crate::words::id::Name;

/// Over how many seconds rates and shares are taken, at most.
const WINDOW: f64 = 5.0;

/// How near two samples may be; ticks between them replace the later one.
const STEP: f64 = 0.1;

/// All tables of a run, but those that only collect dead letters.
#[derive(Debug, Default)]
pub(super) struct Board {
    meters: Vec<Meter>,
}

#[derive(Debug)]
struct Meter {
    table: Table,
    pace: Option<Pace>,
    samples: VecDeque<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    t: f64,
    taken: u64,
    bytes: u64,
    spent: Spent,
}

/// How one table fares.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) table: &'a Table,
    pub(super) taken: u64,
    pub(super) rejected: u64,
    pub(super) alive: u32,
    /// Records a second.
    pub(super) rate: f64,
    /// How it spent its time lately; none where it has ended.
    pub(super) spent: Option<Spent>,
    /// Whether all others wait for it.
    pub(super) bottleneck: bool,
    /// Bytes read and to read in all.
    pub(super) progress: Option<(u64, u64)>,
    /// Seconds left.
    pub(super) left: Option<f64>,
}

impl Board {
    pub(super) fn new(tables: &[Table]) -> Self {
        let shown = tables.iter().filter(|t| !t.letters);
        let meters =
            shown.map(|table| Meter { table: table.clone(), pace: None, samples: VecDeque::new() });
        Self { meters: meters.collect() }
    }

    /// Takes in a tick at `t` seconds.
    pub(super) fn tick(&mut self, t: f64, paces: &[Pace]) {
        for pace in paces {
            if let Some(meter) = self.meters.iter_mut().find(|m| m.table.name == pace.name) {
                meter.tick(t, pace);
            }
        }
    }

    /// Reads all tables that ticked yet, in their order.
    pub(super) fn readings(&self) -> Vec<Reading<'_>> {
        let bottleneck = self.bottleneck();
        let readings = self.meters.iter().filter_map(Meter::read);
        readings
            .map(|reading| Reading {
                bottleneck: bottleneck == Some(&reading.table.name),
                ..reading
            })
            .collect()
    }

    fn bottleneck(&self) -> Option<&Name> {
        let lately = self.meters.iter().filter_map(|m| Some((&m.table, m.spent()?)));
        bottleneck(lately).map(|(table, _)| &table.name)
    }
}

impl Meter {
    fn tick(&mut self, t: f64, pace: &Pace) {
        let sample = Sample { t, taken: pace.counts.taken(), bytes: pace.bytes, spent: pace.spent };
        let near = |of: Option<&Sample>, by| of.is_some_and(|s: &Sample| t - s.t < by);
        // The first of all stays until there is a second one apart from it.
        if self.samples.len() > 1 && near(self.samples.iter().nth_back(1), STEP) {
            self.samples.pop_back();
        }
        self.samples.push_back(sample);
        while self.samples.len() > 2 && !near(self.samples.get(1), WINDOW) {
            self.samples.pop_front();
        }
        self.pace = Some(pace.clone());
    }

    /// Gives the first and the last sample of the window, if there is time between them.
    fn window(&self) -> Option<(&Sample, &Sample, f64)> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let time = last.t - first.t;
        (time > 0.0).then_some((first, last, time))
    }

    /// Tells how the table spent its time lately; one that has ended spends none.
    fn spent(&self) -> Option<Spent> {
        let (first, last, _) = self.window()?;
        let spent = last.spent.since(&first.spent);
        (!spent.life().is_zero()).then_some(spent)
    }

    fn read(&self) -> Option<Reading<'_>> {
        let pace = self.pace.as_ref()?;
        let per_second = |of: fn(&Sample) -> u64| {
            self.window()
                .map_or(0.0, |(first, last, time)| float(of(last).saturating_sub(of(first))) / time)
        };
        let bytes = per_second(|s| s.bytes);
        let progress = pace.total.map(|total| (pace.bytes.min(total), total));
        let left = progress
            .filter(|(done, total)| bytes > 0.0 && done < total)
            .map(|(done, total)| float(total - done) / bytes);
        Some(Reading {
            table: &self.table,
            taken: pace.counts.taken(),
            rejected: pace.counts.rejected(),
            alive: pace.alive,
            rate: per_second(|s| s.taken),
            spent: self.spent(),
            bottleneck: false,
            progress,
            left,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Board;
    use crate::report::fixtures::{pace, spent, table};
    use crate::report::show::float;
    use crate::words::event::{Kind, Pace};

    fn board() -> Board {
        Board::new(&[
            table("in", Kind::Source, "in.ndjson"),
            table("check", Kind::Stage, "python3 check.py"),
            table("out", Kind::Sink, "out.ndjson"),
        ])
    }

    fn idle(name: &str, kind: Kind, taken: u64, times: [u64; 3]) -> Pace {
        let [busy, starved, blocked] = times;
        Pace { spent: spent(busy, starved, blocked), ..pace(name, kind, taken) }
    }

    /// A tick with the milliseconds that each table was busy, starved and blocked.
    fn tick(board: &mut Board, t: f64, done: u64, times: [[u64; 3]; 3]) {
        board.tick(
            t,
            &[
                idle("in", Kind::Source, done, times[0]),
                idle("check", Kind::Stage, done, times[1]),
                idle("out", Kind::Sink, done, times[2]),
            ],
        );
    }

    fn bottleneck(board: &Board) -> Option<String> {
        let mut all = board.readings().into_iter().filter(|r| r.bottleneck);
        let first = all.next().map(|r| r.table.name.to_string());
        assert!(all.next().is_none(), "one at most");
        first
    }

    #[test]
    fn who_holds_up_the_others_lately_is_the_bottleneck() {
        let mut board = board();
        assert_eq!(bottleneck(&board), None);
        tick(&mut board, 0.0, 0, [[0; 3]; 3]);
        assert_eq!(bottleneck(&board), None, "one tick says nothing");
        tick(&mut board, 1.0, 100, [[100, 0, 900], [900, 100, 0], [200, 800, 0]]);
        assert_eq!(bottleneck(&board).as_deref(), Some("check"));
        let readings = board.readings();
        assert_eq!(readings[1].spent, Some(spent(900, 100, 0)));
        assert!((readings[1].rate - 100.0).abs() < 1e-9);
        // Long ago counts no more.
        for t in 1..12 {
            let past = 1000 * t;
            let times = [[100, 0, 900 + past], [900, 100, past], [200 + past, 800, 0]];
            tick(&mut board, float(t) + 1.0, 100 * t, times);
        }
        assert_eq!(bottleneck(&board).as_deref(), Some("out"));
    }

    #[test]
    fn who_is_done_is_not_busy() {
        let mut board = board();
        tick(&mut board, 0.0, 0, [[0; 3]; 3]);
        for t in 1..10 {
            let times = [[1000, 0, 0], [800 * t, 200 * t, 0], [100 * t, 900 * t, 0]];
            tick(&mut board, float(t), 50, times);
        }
        assert_eq!(bottleneck(&board).as_deref(), Some("check"));
        assert_eq!(board.readings()[0].spent, None);
    }

    #[test]
    fn time_left_follows_from_the_bytes() {
        let mut board = board();
        for (t, bytes) in [(0.0, 0), (2.0, 2000)] {
            let source = Pace { bytes, total: Some(8000), ..pace("in", Kind::Source, bytes / 10) };
            board.tick(t, &[source]);
        }
        let readings = board.readings();
        assert_eq!(readings.len(), 1, "who did not tick is not read");
        assert_eq!(readings[0].progress, Some((2000, 8000)));
        assert!((readings[0].left.unwrap() - 6.0).abs() < 1e-9);
        drop(readings);
        board
            .tick(4.0, &[Pace { bytes: 9000, total: Some(8000), ..pace("in", Kind::Source, 900) }]);
        assert_eq!(board.readings()[0].progress, Some((8000, 8000)));
        assert_eq!(board.readings()[0].left, None);
    }

    #[test]
    fn many_ticks_take_little_room() {
        let mut board = board();
        for n in 0..10_000 {
            tick(&mut board, f64::from(n) * 0.003, 1, [[0; 3]; 3]);
        }
        assert!(board.meters.iter().all(|m| m.samples.len() <= 60));
    }
}
