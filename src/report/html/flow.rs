//! The ledger: a card for each table, in columns by how far down the belt it stands, and the same
//! as a table.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::closing::{Books, books, differences};
use crate::report::html::{TABLES, rest, text};
use crate::report::show::float;
use crate::report::summary::{End, Summary};
use crate::words::event::{Kind, Table};
use crate::words::id::Name;
use crate::words::ledger::{Counts, Edge, Port};
use crate::words::text::grouped;

#[derive(Debug, Serialize)]
pub(super) struct Flow {
    columns: Vec<Vec<Card>>,
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct Card {
    number: usize,
    kind: &'static str,
    name: String,
    what: String,
    over: bool,
    cells: Vec<Cell>,
    parts: Vec<Part>,
    arrows: Vec<Arrow>,
}

#[derive(Debug, Serialize)]
pub(super) struct Cell {
    name: &'static str,
    value: String,
    class: &'static str,
}

/// A part of a bar, in hundredths of it.
#[derive(Debug, Serialize)]
struct Part {
    class: &'static str,
    from: f64,
    width: f64,
}

#[derive(Debug, Serialize)]
struct Arrow {
    /// The card that it leads to; none where dead letters go into a file.
    number: Option<usize>,
    to: String,
    sent: String,
    rejects: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Sheet {
    heads: Vec<&'static str>,
    rows: Vec<Row>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    cells: Vec<Cell>,
}

/// Makes a card for each table that does not only collect dead letters.
pub(super) fn flow(summary: &Summary, end: &End<'_>) -> Flow {
    let tables = || summary.tables.iter().filter(|table| !table.letters);
    let known = tables().filter_map(|table| Some((table, end.finish.ledger.get(&table.name)?)));
    let shown: Vec<(&Table, &Counts)> = known.take(TABLES).collect();
    let numbers: BTreeMap<&Name, usize> =
        shown.iter().enumerate().map(|(number, (table, _))| (&table.name, number)).collect();
    let mut columns: Vec<Vec<Card>> = Vec::new();
    for (number, column) in depths(&shown, &end.finish.ledger.edges).into_iter().enumerate() {
        let Some((table, counts)) = shown.get(number) else { continue };
        columns.resize_with(columns.len().max(column + 1), Vec::new);
        columns[column].push(card(number, table, counts, &numbers, (summary, end)));
    }
    columns.retain(|column| !column.is_empty());
    let more = rest(tables().count(), shown.len(), "table").filter(|_| !shown.is_empty());
    Flow { columns, more }
}

/// Says how far down the belt each table stands. They come in the order a record meets them.
fn depths(tables: &[(&Table, &Counts)], edges: &[Edge]) -> Vec<usize> {
    let mut depths: BTreeMap<&Name, usize> = BTreeMap::new();
    for (index, (table, _)) in tables.iter().enumerate() {
        let into = edges.iter().filter(|edge| edge.to == table.name);
        let behind = into.filter_map(|edge| depths.get(&edge.from)).max().map(|depth| depth + 1);
        let depth = if edges.is_empty() { index } else { behind.unwrap_or(0) };
        depths.insert(&table.name, depth);
    }
    tables.iter().map(|(table, _)| depths.get(&table.name).copied().unwrap_or(0)).collect()
}

fn card(
    number: usize,
    table: &Table,
    counts: &Counts,
    numbers: &BTreeMap<&Name, usize>,
    (summary, end): (&Summary, &End<'_>),
) -> Card {
    let edges = end.finish.ledger.edges.iter().filter(|edge| edge.from == table.name);
    let arrows = edges.map(|edge| arrow(edge, numbers, summary, end.finish.ledger.emitted(edge)));
    Card {
        number,
        kind: match table.kind {
            Kind::Source => "source",
            Kind::Stage => "stage",
            Kind::Sink => "sink",
        },
        name: text(table.name.as_str()),
        what: text(&table.what),
        over: end.finish.over.contains(&table.name),
        cells: cells(counts),
        parts: parts(counts),
        arrows: arrows.take(TABLES).collect(),
    }
}

/// Dead letters that only go into a file have no card: the arrow names the file.
fn arrow(edge: &Edge, numbers: &BTreeMap<&Name, usize>, summary: &Summary, sent: u64) -> Arrow {
    let number = numbers.get(&edge.to).copied();
    let file = summary.tables.iter().find(|table| table.letters && table.name == edge.to);
    let to = file.map_or(edge.to.as_str(), |table| table.what.as_str());
    let (sent, rejects) = (grouped(sent), edge.port == Port::Rejects);
    Arrow { number, to: text(to), sent, rejects }
}

/// What a card says: what came in and what became of it. What never occurs is left out.
fn cells(counts: &Counts) -> Vec<Cell> {
    let all = match *counts {
        Counts::Source(c) => vec![
            ("lines", c.lines, "in"),
            ("blank", c.blank, ""),
            ("rejected", c.rejected, "rejected"),
            ("out", c.out, "out"),
        ],
        Counts::Stage(c) => vec![
            ("in", c.r#in, "in"),
            ("accepted", c.accepted, "accepted"),
            ("rejected", c.rejected, "rejected"),
            ("dropped", c.dropped, "dropped"),
            ("in doubt", c.in_doubt, "doubt"),
            ("out", c.out, "out"),
        ],
        Counts::Sink(c) => vec![
            ("in", c.r#in, "in"),
            ("written", c.written, "accepted"),
            ("rejected", c.rejected, "rejected"),
            ("dropped", c.dropped, "dropped"),
            ("in doubt", c.in_doubt, "doubt"),
        ],
    };
    let worth = |n: u64, class: &str| n > 0 || !matches!(class, "" | "dropped" | "doubt");
    let all = all.into_iter().filter(|(_, n, class)| worth(*n, class));
    all.map(|(name, n, class)| Cell {
        name,
        value: grouped(n),
        class: if n == 0 { "zero" } else { class },
    })
    .collect()
}

/// What became of what came in, as parts of a bar.
fn parts(counts: &Counts) -> Vec<Part> {
    let (good, rejected, dropped, doubt) = match *counts {
        Counts::Source(c) => (c.out, c.rejected, c.blank, 0),
        Counts::Stage(c) => (c.accepted, c.rejected, c.dropped, c.in_doubt),
        Counts::Sink(c) => (c.written, c.rejected, c.dropped, c.in_doubt),
    };
    let all = [(good, "accepted"), (rejected, "rejected"), (dropped, "dropped"), (doubt, "doubt")];
    let sum: f64 = all.iter().map(|(n, _)| float(*n)).sum();
    let mut from = 0.0;
    let mut parts = Vec::new();
    for (n, class) in all.into_iter().filter(|(n, _)| *n > 0) {
        // One record among millions can be seen, too.
        let width = (float(n) * 100.0 / sum).max(1.0);
        let begin = f64::min(from, 99.0);
        parts.push(Part { class, from: hundredths(begin), width: hundredths(width) });
        from = begin + width;
    }
    parts
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// Writes the ledger as the closing of a run does.
pub(super) fn ledger(summary: &Summary, end: &End<'_>) -> Sheet {
    let Books { heads, rows } = books(summary, &end.finish.ledger);
    let class = |head: &str, n: Option<u64>| match (head, n) {
        (_, None | Some(0)) => "",
        ("rejected", _) => "rejected",
        ("in doubt", _) => "doubt",
        _ => "",
    };
    let row = |(name, cells): (&Name, Vec<Option<u64>>)| Row {
        name: text(name.as_str()),
        cells: heads
            .iter()
            .zip(cells)
            .map(|(name, n)| Cell {
                name,
                value: n.map_or_else(|| "–".to_owned(), grouped),
                class: class(name, n),
            })
            .collect(),
    };
    let notes = differences(end).iter().map(|line| text(line)).take(TABLES).collect();
    let rows = rows.into_iter().take(2 * TABLES).map(row).collect();
    Sheet { heads, rows, notes }
}
