//! How fast the tables were, and how they spent their time.

use minijinja::Value;
use serde::Serialize;

use crate::report::bottleneck::share;
use crate::report::closing::{lived, percent, sentence};
use crate::report::html::charts::{self, BLOCKED, BUSY, Bars, STARVED};
use crate::report::html::{TABLES, rest, text};
use crate::report::show::{float, stretch, whole};
use crate::report::summary::{End, Summary};
use crate::words::gauge::Spent;
use crate::words::ledger::Counts;
use crate::words::text::{clipped, grouped};

/// How many tables there are rates of.
const RATES: usize = 24;

/// How many points a line needs to say anything.
const POINTS: usize = 3;

#[derive(Debug, Default, Serialize)]
pub(super) struct Time {
    sentence: Option<String>,
    svg: Option<Value>,
    shares: Vec<Shares>,
}

#[derive(Debug, Serialize)]
struct Shares {
    name: String,
    lived: String,
    busy: String,
    starved: String,
    blocked: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Rates {
    charts: Vec<Rate>,
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct Rate {
    name: String,
    text: String,
    svg: Value,
}

/// Says how each table spent its life; nothing of a short run.
pub(super) fn time(summary: &Summary, end: &End<'_>) -> charts_rs::Result<Time> {
    if !end.is_long() {
        return Ok(Time::default());
    }
    let rows = end.finish.times.iter().filter(|(name, _)| !summary.is_letters(name)).take(TABLES);
    let rows: Vec<(String, &Spent)> =
        rows.map(|(name, spent)| (text(name.as_str()), spent)).collect();
    let shares = rows.iter().map(|(name, spent)| Shares {
        name: name.clone(),
        lived: lived(spent),
        busy: percent(spent.busy, spent.life()),
        starved: percent(spent.starved, spent.life()),
        blocked: percent(spent.blocked, spent.life()),
    });
    let labels: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    let values = |of: fn(&Spent) -> std::time::Duration| {
        rows.iter().map(|(_, spent)| share(of(spent), spent.life()) * 100.0).collect()
    };
    let bars = [
        Bars { name: "busy", colour: BUSY, values: values(|spent| spent.busy) },
        Bars { name: "starved", colour: STARVED, values: values(|spent| spent.starved) },
        Bars { name: "blocked", colour: BLOCKED, values: values(|spent| spent.blocked) },
    ];
    let title = "Busy, starved and blocked shares of each table, in percent; the table says them";
    Ok(Time {
        sentence: sentence(summary, end).map(|line| clipped(&line, 1000).to_owned()),
        svg: Some(charts::bars(title, &labels, &bars, true)?),
        shares: shares.collect(),
    })
}

/// Leaves out the last rate where it is that of a moment: the last tick comes when the run is over,
/// perhaps just behind another one, and what it shows is no pace.
fn steady(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if let [.., (a, _), (b, _), (c, _)] = points[..]
        && c - b < (b - a) / 2.0
    {
        points.pop();
    }
    points
}

/// Draws how fast each table was at which time; nothing of a short run.
pub(super) fn rates(summary: &Summary, end: &End<'_>) -> charts_rs::Result<Rates> {
    let tables = summary.tables.iter().enumerate().filter(|(_, table)| !table.letters);
    let lines = tables.map(|(index, table)| (table, steady(summary.history.rates(index))));
    let lines: Vec<_> = lines.filter(|(_, points)| points.len() >= POINTS).collect();
    let mut charts = Vec::new();
    for (table, points) in lines.iter().take(RATES) {
        let name = text(table.name.as_str());
        let most = points.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        let taken = end.finish.ledger.get(&table.name).map_or(0, Counts::taken);
        let average = if end.seconds > 0.0 { float(taken) / end.seconds } else { 0.0 };
        let (average, most) = (grouped(whole(average)), grouped(whole(most)));
        let text = format!("{average}/s on average, {most}/s at most");
        let title = format!("Records a second of {name} over {}: {text}", stretch(end.seconds));
        charts.push(Rate { name, svg: charts::line(&title, points, end.seconds)?, text });
    }
    let more = rest(lines.len(), charts.len(), "table");
    Ok(Rates { charts, more })
}

#[cfg(test)]
mod tests {
    use super::steady;

    #[test]
    fn the_rate_of_a_last_moment_is_none() {
        let points = |last: f64| vec![(1.0, 50.0), (2.0, 50.0), (last, 0.0)];
        assert_eq!(steady(points(2.1)), points(2.1)[..2]);
        assert_eq!(steady(points(2.9)), points(2.9));
        assert_eq!(steady(vec![(0.1, 5.0)]), [(0.1, 5.0)]);
    }
}
