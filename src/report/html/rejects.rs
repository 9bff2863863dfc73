//! What was refused, by code and by field.

use std::collections::BTreeMap;

use minijinja::Value;
use serde::Serialize;

use crate::report::html::charts::{self, Bars, KNOWN, NEW};
use crate::report::html::{rest, text};
use crate::report::show::float;
use crate::report::summary::End;
use crate::words::kinds::Times;
use crate::words::text::{count, grouped};

/// How many bars a chart has, and how many rows the table.
const BARS: usize = 12;
const KINDS: usize = 100;

#[derive(Debug, Serialize)]
pub(super) struct Rejects {
    /// How many of the errors a baseline knows, in a sentence.
    known: Option<String>,
    charts: Vec<Chart>,
    kinds: Vec<Kind>,
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct Chart {
    title: &'static str,
    svg: Value,
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct Kind {
    table: String,
    code: String,
    path: String,
    count: String,
    known: String,
}

/// Sums up what was refused; none where nothing was.
pub(super) fn rejects(end: &End<'_>) -> charts_rs::Result<Option<Rejects>> {
    let kinds = &end.finish.kinds;
    if kinds.is_empty() {
        return Ok(None);
    }
    let sum = |of: fn(Times) -> u64| kinds.iter().map(|kind| of(kind.times)).sum::<u64>();
    let (all, known) = (sum(|times| times.count), sum(|times| times.known));
    let by_code = kinds.iter().map(|kind| (kind.code.as_str(), kind.times));
    let by_path = kinds.iter().map(|kind| (kind.path.as_str(), kind.times));
    let charts = vec![
        chart("Errors by code", "code", by_code, known > 0)?,
        chart("Errors by field", "field", by_path, known > 0)?,
    ];
    let mut sorted: Vec<_> = kinds.iter().collect();
    sorted.sort_by_key(|kind| std::cmp::Reverse(kind.times.count));
    let row = |kind: &&crate::words::event::KindCount| Kind {
        table: text(kind.table.as_str()),
        code: text(&kind.code),
        path: text(&kind.path),
        count: grouped(kind.times.count),
        known: grouped(kind.times.known),
    };
    Ok(Some(Rejects {
        known: (known > 0)
            .then(|| format!("The baseline knows {} of {}.", grouped(known), count(all, "error"))),
        charts,
        kinds: sorted.iter().take(KINDS).map(row).collect(),
        more: rest(sorted.len(), KINDS, "kind"),
    }))
}

fn chart<'a>(
    title: &'static str,
    noun: &str,
    all: impl Iterator<Item = (&'a str, Times)>,
    known: bool,
) -> charts_rs::Result<Chart> {
    let mut sums: BTreeMap<&str, Times> = BTreeMap::new();
    all.for_each(|(of, times)| sums.entry(of).or_default().add(times));
    let mut sums: Vec<(&str, Times)> = sums.into_iter().collect();
    let more = rest(sums.len(), BARS, noun);
    sums.sort_by_key(|(_, times)| std::cmp::Reverse(times.count));
    sums.truncate(BARS);
    // The count stands with the name: an axis is not read to the last digit.
    let label = |(of, times): &(&str, Times)| {
        let of = if of.is_empty() { "the whole record".to_owned() } else { text(of) };
        format!("{}: {of}", grouped(times.count))
    };
    let labels: Vec<String> = sums.iter().map(label).collect();
    let values = |of: fn(&Times) -> u64| sums.iter().map(|(_, times)| float(of(times))).collect();
    let mut bars =
        vec![Bars { name: "new", colour: NEW, values: values(|times| times.count - times.known) }];
    if known {
        bars.push(Bars { name: "known", colour: KNOWN, values: values(|times| times.known) });
    }
    let named = format!("{title}: {}", labels.join("; "));
    Ok(Chart { title, svg: charts::bars(&named, &labels, &bars, false)?, more })
}
