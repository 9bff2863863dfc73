//! How fast each table is, how busy, and which of them holds up the others. Pure: time comes
//! with the ticks.

use std::collections::VecDeque;
use std::time::Duration;

use crate::report::show::float;
use crate::words::event::{Kind, Pace, Table};
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
    idle: Duration,
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
    /// The share of time it neither waited for input nor for room, from 0 to 1.
    pub(super) busy: Option<f64>,
    /// Whether it is the busiest.
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
        let busy = self.meters.iter().filter(|m| m.counts());
        let busy = busy.filter_map(|m| Some((m.busy()?, &m.table.name)));
        let busiest = busy.max_by(|a, b| a.0.total_cmp(&b.0));
        busiest.filter(|(share, _)| *share > 0.0).map(|(_, name)| name)
    }
}

impl Meter {
    fn tick(&mut self, t: f64, pace: &Pace) {
        let sample = Sample {
            t,
            taken: pace.counts.taken(),
            bytes: pace.bytes,
            idle: pace.starved + pace.blocked,
        };
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

    fn busy(&self) -> Option<f64> {
        let (first, last, time) = self.window()?;
        let idle = last.idle.saturating_sub(first.idle).as_secs_f64();
        Some((1.0 - idle / time).clamp(0.0, 1.0))
    }

    /// Tells whether the table takes part: one that is done waits for nothing any more and would
    /// pass for busy.
    fn counts(&self) -> bool {
        let moved = self.window().is_some_and(|(a, b, _)| (a.taken, a.bytes) != (b.taken, b.bytes));
        match self.table.kind {
            Kind::Stage => self.pace.as_ref().is_some_and(|p| p.alive > 0),
            Kind::Source | Kind::Sink => moved,
        }
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
            busy: self.busy().filter(|_| self.counts()),
            bottleneck: false,
            progress,
            left,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Board;
    use crate::report::fixtures::{pace, table};
    use crate::words::event::{Kind, Pace};

    fn board() -> Board {
        Board::new(&[
            table("in", Kind::Source, "in.ndjson"),
            table("check", Kind::Stage, "python3 check.py"),
            table("out", Kind::Sink, "out.ndjson"),
        ])
    }

    fn idle(name: &str, kind: Kind, taken: u64, starved: f64, blocked: f64) -> Pace {
        Pace {
            starved: Duration::from_secs_f64(starved),
            blocked: Duration::from_secs_f64(blocked),
            ..pace(name, kind, taken)
        }
    }

    fn tick(board: &mut Board, t: f64, done: u64, waits: [f64; 3]) {
        board.tick(
            t,
            &[
                idle("in", Kind::Source, done, 0.0, waits[0]),
                idle("check", Kind::Stage, done, waits[1], 0.0),
                idle("out", Kind::Sink, done, waits[2], 0.0),
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
    fn the_busiest_between_two_ticks_is_the_bottleneck() {
        let mut board = board();
        assert_eq!(bottleneck(&board), None);
        tick(&mut board, 0.0, 0, [0.0, 0.0, 0.0]);
        assert_eq!(bottleneck(&board), None, "one tick says nothing");
        tick(&mut board, 1.0, 100, [0.9, 0.1, 0.8]);
        assert_eq!(bottleneck(&board).as_deref(), Some("check"));
        let readings = board.readings();
        assert!((readings[1].busy.unwrap() - 0.9).abs() < 1e-9);
        assert!((readings[1].rate - 100.0).abs() < 1e-9);
        // Long ago counts no more.
        for t in 2..12_u32 {
            let past = f64::from(t) - 1.0;
            let waits = [0.9 + past, 0.1 + past, 0.8 + past * 0.2];
            tick(&mut board, f64::from(t), 100 * u64::from(t), waits);
        }
        assert_eq!(bottleneck(&board).as_deref(), Some("out"));
    }

    #[test]
    fn who_is_done_is_not_busy() {
        let mut board = board();
        tick(&mut board, 0.0, 0, [0.0, 0.0, 0.0]);
        for t in 1..10 {
            let t = f64::from(t);
            board.tick(
                t,
                &[
                    idle("in", Kind::Source, 50, 0.0, 0.0),
                    idle("check", Kind::Stage, 10, t * 0.5, 0.0),
                    idle("out", Kind::Sink, 10, t * 0.9, 0.0),
                ],
            );
        }
        assert_eq!(bottleneck(&board).as_deref(), Some("check"));
        assert_eq!(board.readings()[0].busy, None);
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
            tick(&mut board, f64::from(n) * 0.003, 1, [0.0; 3]);
        }
        assert!(board.meters.iter().all(|m| m.samples.len() <= 60));
    }
}
