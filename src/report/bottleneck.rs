//! Which table holds up the others. Pure.

use std::time::Duration;

use crate::words::event::{Kind, Table};
use crate::words::gauge::Spent;

/// How much of the time the slowest must be busy, and by how much more than any other, to be
/// worth a word.
const SHARE: f64 = 0.5;
const AHEAD: f64 = 0.1;

/// Returns the table that all others waited for, and how it spent its time. Where several were
/// busy, or none, there is none.
pub(crate) fn bottleneck<'a>(
    tables: impl Iterator<Item = (&'a Table, Spent)>,
) -> Option<(&'a Table, Spent)> {
    let tables: Vec<(&Table, Spent)> = tables.filter(|(table, _)| !table.letters).collect();
    let whole = life(tables.iter().map(|(_, spent)| spent));
    let share = |(table, spent): &(&Table, Spent)| share(holds_up(table, spent), whole);
    let slowest = tables.iter().max_by(|a, b| share(a).total_cmp(&share(b)))?;
    let others = tables.iter().filter(|other| other.0.name != slowest.0.name).map(share);
    let next = others.fold(0.0, f64::max);
    (share(slowest) >= SHARE && share(slowest) - next >= AHEAD).then_some(*slowest)
}

/// Returns how long the longest of them lived.
pub(crate) fn life<'a>(times: impl Iterator<Item = &'a Spent>) -> Duration {
    times.map(Spent::life).max().unwrap_or_default()
}

/// Returns which part of a time another is, from 0 to 1; of no time it is 0.
pub(crate) fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { part.as_secs_f64() / whole.as_secs_f64() }
}

/// How long a table kept others waiting. What a source waits for is part of the run, too.
fn holds_up(table: &Table, spent: &Spent) -> Duration {
    match table.kind {
        Kind::Source => spent.busy + spent.starved,
        Kind::Stage | Kind::Sink => spent.busy,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{bottleneck, life};
    use crate::report::fixtures::{spent, table};
    use crate::words::event::{Kind, Table};

    fn tables() -> Vec<Table> {
        vec![
            table("in", Kind::Source, "in"),
            table("a", Kind::Stage, "a"),
            table("b", Kind::Stage, "b"),
            table("out", Kind::Sink, "out"),
            Table { letters: true, ..table("a.rejects", Kind::Sink, "bad") },
        ]
    }

    fn slowest(times: [[u64; 3]; 5]) -> Option<String> {
        let tables = tables();
        let times = times.map(|[busy, starved, blocked]| spent(busy, starved, blocked));
        bottleneck(tables.iter().zip(times)).map(|(table, _)| table.name.to_string())
    }

    #[test]
    fn it_is_the_one_that_all_others_wait_for() {
        let idle = [0, 100, 0];
        for (times, want) in [
            // A stage, before which all is blocked and behind which all is starved.
            ([[5, 0, 95], [97, 1, 2], [3, 97, 0], idle, idle], Some("a")),
            // Both are.
            ([[5, 0, 95], [97, 1, 2], [90, 10, 0], idle, idle], None),
            // A source that waits for its own input, and one that reads.
            ([[3, 97, 0], [5, 95, 0], idle, idle, idle], Some("in")),
            ([[99, 0, 1], [5, 95, 0], idle, idle, idle], Some("in")),
            ([[3, 0, 97], [5, 0, 95], [5, 0, 95], [96, 4, 0], idle], Some("out")),
            // Nobody was.
            ([[40, 0, 60], [30, 70, 0], idle, idle, idle], None),
            // A source that was done at once, however busy it was until then.
            ([[1, 0, 0], [99, 1, 0], idle, idle, idle], Some("a")),
            // What only collects dead letters is no stage to speed up.
            ([[40, 0, 60], idle, idle, idle, [100, 0, 0]], None),
            ([[0; 3]; 5], None),
        ] {
            assert_eq!(slowest(times).as_deref(), want, "{times:?}");
        }
        assert_eq!(life([spent(1, 2, 3), spent(4, 4, 4)].iter()), spent(12, 0, 0).busy);
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(512))]

        #[test]
        fn nobody_else_was_busy_for_longer(
            times in proptest::array::uniform4(proptest::array::uniform3(0u64..1000)),
        ) {
            let [a, b, c, d] = times;
            if let Some(name) = slowest([a, b, c, d, [0; 3]]) {
                let held = [a[0] + a[1], b[0], c[0], d[0]];
                let index = tables().iter().position(|table| table.name.as_str() == name).unwrap();
                prop_assert!(held.iter().all(|other| *other <= held[index]));
            }
        }
    }
}
