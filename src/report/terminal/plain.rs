//! Progress as lines of counters, for logs.

use crate::report::bottleneck::share;
use crate::report::show::{stretch, whole};
use crate::report::terminal::pace::Reading;
use crate::words::event::Kind;
use crate::words::text::{count, grouped};

/// How many seconds lie between two lines at least.
const PERIOD: f64 = 10.0;

/// What is said of the table that holds up the others.
pub(super) const BOTTLENECK: &str = "bottleneck";

/// Knows when the next line is due.
#[derive(Debug)]
pub(super) struct Clock {
    due: f64,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { due: PERIOD }
    }

    /// Tells whether a line is due at `t`, and if so waits another period.
    pub(super) fn strikes(&mut self, t: f64) -> bool {
        let due = t >= self.due;
        if due {
            self.due = t + PERIOD;
        }
        due
    }
}

/// Writes how all tables fare as one line.
pub(super) fn line(t: f64, readings: &[Reading<'_>]) -> String {
    let tables: Vec<String> = readings.iter().map(table).collect();
    format!("esteira: {}: {}", stretch(t), tables.join("; "))
}

fn table(reading: &Reading<'_>) -> String {
    format!("{} {}", reading.table.name, facts(reading).join(", "))
}

/// Returns what is to say about a table: its count, its rate, and more where there is more.
pub(super) fn facts(reading: &Reading<'_>) -> Vec<String> {
    let noun = if reading.table.kind == Kind::Source { "line" } else { "record" };
    let mut facts = vec![count(reading.taken, noun), format!("{}/s", grouped(whole(reading.rate)))];
    if reading.rejected > 0 {
        facts.push(format!("{} rejected", grouped(reading.rejected)));
    }
    if reading.table.kind == Kind::Stage {
        facts.push(count(reading.alive.into(), "worker"));
    }
    if let Some(spent) = reading.spent {
        let percent = |part| whole(share(part, spent.life()) * 100.0);
        if reading.table.kind == Kind::Source && spent.starved > spent.busy {
            facts.push(format!("{}% waiting for its input", percent(spent.starved)));
        } else {
            facts.push(format!("{}% busy", percent(spent.busy)));
        }
    }
    if reading.bottleneck {
        facts.push(BOTTLENECK.to_owned());
    }
    if let Some(left) = reading.left {
        facts.push(format!("{} left", stretch(left)));
    }
    facts
}
