//! The ledger as a table, and what in it needs a word.

use crate::report::show::Paint;
use crate::report::summary::{End, Summary};
use crate::words::id::Name;
use crate::words::ledger::{Counts, Ledger};
use crate::words::text::grouped;

/// The columns: their heads, and whether they are left out where they hold nothing.
const COLUMNS: [(&str, bool); 7] = [
    ("in", false),
    ("blank", true),
    ("accepted", false),
    ("rejected", false),
    ("dropped", true),
    ("in doubt", true),
    ("out", false),
];

/// What a table without such a count shows.
const NONE: &str = "-";

/// The ledger as a table whose columns all hold something. A sink's `accepted` is what it wrote; a
/// source's `in` its lines.
#[derive(Debug)]
pub(crate) struct Books<'a> {
    pub(crate) heads: Vec<&'static str>,
    /// A row for each table; none where it has no such count.
    pub(crate) rows: Vec<(&'a Name, Vec<Option<u64>>)>,
}

/// Makes it, without those that only collect dead letters and had none.
pub(crate) fn books<'a>(summary: &Summary, ledger: &'a Ledger) -> Books<'a> {
    let rows: Vec<(&Name, [Option<u64>; 7])> = ledger
        .tables
        .iter()
        .filter(|(name, counts)| counts.taken() > 0 || !summary.is_letters(name))
        .map(|(name, counts)| (name, cells(counts)))
        .collect();
    let holds = |column: usize| rows.iter().any(|(_, row)| row[column].is_some_and(|n| n > 0));
    let columns: Vec<usize> =
        (0..COLUMNS.len()).filter(|&column| !COLUMNS[column].1 || holds(column)).collect();
    let row = |(name, cells): (&'a Name, [Option<u64>; 7])| {
        (name, columns.iter().map(|&column| cells[column]).collect())
    };
    Books {
        heads: columns.iter().map(|&column| COLUMNS[column].0).collect(),
        rows: rows.into_iter().map(row).collect(),
    }
}

/// Writes a row for each table.
pub(super) fn table(summary: &Summary, ledger: &Ledger, paint: Paint) -> Vec<String> {
    let books = books(summary, ledger);
    let Books { heads, rows } = &books;
    if rows.is_empty() {
        return Vec::new();
    }
    let first = rows.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
    let mut head = " ".repeat(first);
    let mut lines: Vec<String> = rows.iter().map(|(name, _)| format!("{name:first$}")).collect();
    for (column, title) in heads.iter().enumerate() {
        let cells: Vec<String> = rows.iter().map(|(_, row)| cell(row[column])).collect();
        let width = cells.iter().map(String::len).fold(title.len(), usize::max);
        head.push_str(&right(title, width));
        for (line, cell) in lines.iter_mut().zip(cells) {
            line.push_str(&right(&cell, width));
        }
    }
    if paint.width.is_some_and(|width| head.len() > width) {
        return rows.iter().flat_map(|(name, row)| sentence(name, heads, row, paint)).collect();
    }
    lines.insert(0, paint.dim(&head));
    lines
}

/// Writes what became of a table's records where a table is too wide: a line for the name, and
/// below it as many counts as fit beside each other.
fn sentence(name: &Name, heads: &[&str], row: &[Option<u64>], paint: Paint) -> Vec<String> {
    let width = paint.width.unwrap_or(usize::MAX);
    let told = |title: &str, count: u64| {
        count > 0 || COLUMNS.iter().any(|(head, optional)| *head == title && !optional)
    };
    let counts = heads.iter().zip(row).filter_map(|(title, count)| {
        let count = count.filter(|count| told(title, *count))?;
        Some(format!("{} {title}", grouped(count)))
    });
    let mut lines = vec![paint.bold(name.as_str())];
    let mut line = String::new();
    for count in counts {
        if !line.is_empty() && line.len() + 2 + count.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(if line.is_empty() { "  " } else { ", " });
        line.push_str(&count);
    }
    lines.push(line);
    lines
}

fn cells(counts: &Counts) -> [Option<u64>; 7] {
    match *counts {
        Counts::Source(c) => {
            [Some(c.lines), Some(c.blank), None, Some(c.rejected), None, None, Some(c.out)]
        }
        Counts::Stage(c) => [
            Some(c.r#in),
            None,
            Some(c.accepted),
            Some(c.rejected),
            Some(c.dropped),
            Some(c.in_doubt),
            Some(c.out),
        ],
        Counts::Sink(c) => [
            Some(c.r#in),
            None,
            Some(c.written),
            Some(c.rejected),
            Some(c.dropped),
            Some(c.in_doubt),
            None,
        ],
    }
}

fn right(text: &str, width: usize) -> String {
    format!("   {text:>width$}")
}

fn cell(count: Option<u64>) -> String {
    count.map_or_else(|| NONE.to_owned(), grouped)
}

/// Writes where more or less came out than went in, and where the books do not balance.
pub(crate) fn differences(end: &End<'_>) -> Vec<String> {
    let mut lines: Vec<String> = end
        .finish
        .ledger
        .tables
        .iter()
        .filter_map(|(name, counts)| difference(name, counts))
        .collect();
    for wrong in &end.finish.imbalances {
        let (left, right) = (grouped(wrong.left), grouped(wrong.right));
        lines.push(format!(
            "{} does not balance: {}, but {left} is not {right}",
            wrong.place, wrong.identity
        ));
    }
    lines
}

/// A stage in doubt says nothing by what came out of it.
fn difference(name: &Name, counts: &Counts) -> Option<String> {
    let Counts::Stage(c) = counts else {
        return None;
    };
    if c.in_doubt > 0 || c.out == c.accepted {
        return None;
    }
    let by = grouped(c.out.abs_diff(c.accepted));
    let (out, accepted) = (grouped(c.out), grouped(c.accepted));
    Some(if c.out < c.accepted {
        format!("{name}: {out} of {accepted} came out ({by} fewer)")
    } else {
        format!("{name}: {out} came out of {accepted} ({by} more)")
    })
}
