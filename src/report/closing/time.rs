//! How the tables spent their time, and in a sentence which of them to speed up.

use std::time::Duration;

use crate::report::bottleneck::share;
use crate::report::show::{Paint, shown, whole};
use crate::report::summary::{End, Summary};
use crate::words::event::{Kind, Table, Work};
use crate::words::gauge::Spent;
use crate::words::id::Name;
use crate::words::text::count;

/// Writes the shares of each table, of its own life, and the sentence; nothing of a short run.
pub(super) fn lines(summary: &Summary, end: &End<'_>, paint: Paint) -> Vec<String> {
    if !end.is_long() {
        return Vec::new();
    }
    let rows: Vec<&(Name, Spent)> =
        end.times.iter().filter(|(name, _)| !summary.is_letters(name)).collect();
    let first = rows.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
    let head = format!("{:first$}   busy   starved   blocked", "");
    let mut lines = vec![paint.dim(&head)];
    lines.extend(rows.into_iter().map(|(name, spent)| row(name, first, spent)));
    lines.extend(sentence(summary, end));
    lines
}

fn row(name: &Name, first: usize, spent: &Spent) -> String {
    let life = spent.life();
    let [busy, starved, blocked] =
        [spent.busy, spent.starved, spent.blocked].map(|part| percent(part, life));
    format!("{name:first$}   {busy:>4}   {starved:>7}   {blocked:>7}")
}

fn percent(part: Duration, life: Duration) -> String {
    format!("{}%", whole(share(part, life) * 100.0))
}

fn sentence(summary: &Summary, end: &End<'_>) -> Option<String> {
    let (table, spent) = end.bottleneck(summary)?;
    let life = spent.life();
    let busy = format!("busy {} of the time", percent(spent.busy, life));
    let why = match (table.kind, table.work) {
        (Kind::Source, _) if spent.starved > spent.busy => {
            format!("it waited {} of the time for its input", percent(spent.starved, life))
        }
        (Kind::Source, _) => format!("{busy} reading; no stage is slower"),
        (Kind::Sink, _) => written(summary, table, &busy),
        (Kind::Stage, Some(work)) => done(work, &busy),
        (Kind::Stage, None) => busy,
    };
    Some(format!("`{}` held up the run: {why}", table.name))
}

fn written(summary: &Summary, table: &Table, busy: &str) -> String {
    let what = shown(&table.what);
    if summary.is_through(&table.name) {
        format!("{busy} writing; whoever reads `{what}` sets the pace")
    } else {
        format!("{busy} writing; a faster disk for `{what}` would help")
    }
}

fn done(work: Work, busy: &str) -> String {
    match work {
        Work::Filter => format!(
            "{busy}; a faster program would help, or one that answers each record: `protocol = \"lines\"` or `\"records\"` lets it have more `workers`"
        ),
        Work::Alone => format!("{busy} on the one thread it can have"),
        Work::Workers { workers, cores } => {
            let with = count(workers.into(), "worker");
            if workers < cores {
                format!("{busy} with {with}; more `workers` would help")
            } else {
                let cores = count(cores.into(), "core");
                format!(
                    "{busy} with {with} on {cores}; more `workers` would help only if they wait for something else than this machine"
                )
            }
        }
    }
}
