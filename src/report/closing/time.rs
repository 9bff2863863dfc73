//! How the tables spent their time, and in a sentence which of them to speed up.

use std::time::Duration;

use crate::report::bottleneck::share;
use crate::report::show::{Paint, float, shown, stretch, whole};
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
        end.finish.times.iter().filter(|(name, _)| !summary.is_letters(name)).collect();
    let first = rows.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
    let lives: Vec<String> = rows.iter().map(|(_, spent)| lived(spent)).collect();
    let wide = lives.iter().map(String::len).fold("lived".len(), usize::max);
    let head = format!("{:first$}   {:>wide$}   busy   starved   blocked", "", "lived");
    let mut lines = vec![paint.dim(&head)];
    lines.extend(rows.iter().zip(&lives).map(|((name, spent), lived)| {
        let [busy, starved, blocked] =
            [spent.busy, spent.starved, spent.blocked].map(|part| percent(part, spent.life()));
        format!("{name:first$}   {lived:>wide$}   {busy:>4}   {starved:>7}   {blocked:>7}")
    }));
    lines.extend(sentence(summary, end));
    lines
}

/// Returns how long a table lived, as people say it.
pub(crate) fn lived(spent: &Spent) -> String {
    stretch(spent.life().as_secs_f64())
}

/// Returns which part of its life that was, in whole percent.
pub(crate) fn percent(part: Duration, life: Duration) -> String {
    format!("{}%", whole(share(part, life) * 100.0))
}

/// Names the table that held up the run, and says what would help.
pub(crate) fn sentence(summary: &Summary, end: &End<'_>) -> Option<String> {
    let (table, spent) = end.bottleneck(summary)?;
    let life = spent.life();
    let busy = format!("busy {} of the time", percent(spent.busy, life));
    let why = match (table.kind, table.work) {
        (Kind::Source, _) if spent.starved > spent.busy => {
            format!("it waited {} of the time for its input", percent(spent.starved, life))
        }
        (Kind::Source, _) => format!("{busy} reading; no stage is slower"),
        (Kind::Sink, Some(_)) => {
            format!("{busy} writing rows; a larger `batch` would help, or a faster database")
        }
        (Kind::Sink, None) => written(summary, table, &busy),
        (Kind::Stage, Some(work)) => {
            done(work, summary.cpu(&table.name) / life.as_secs_f64(), &busy)
        }
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

/// Says what would help a stage whose workers together used `cpu` cores on the average; of threads
/// of this process that is not known.
fn done(work: Work, cpu: f64, busy: &str) -> String {
    match work {
        Work::Filter => format!(
            "{busy}; a faster program would help, or one that answers each record: `protocol = \"lines\"` or `\"records\"` lets it have more `workers`"
        ),
        Work::Alone => format!("{busy} on the one thread it can have"),
        Work::Workers { workers, cores } => {
            let with = count(workers.into(), "worker");
            // Who waits for something else leaves its core to others.
            let waits = cpu > 0.0 && cpu * 2.0 < float(workers.min(cores).into());
            if workers < cores || waits {
                format!("{busy} with {with}; more `workers` would help")
            } else {
                let cores = count(cores.into(), "core");
                format!("{busy} with {with} on {cores}; more would not help")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::done;
    use crate::words::event::Work;

    #[test]
    fn more_workers_help_where_there_are_cores_or_where_they_wait() {
        for (workers, cores, cpu, helps) in [
            (2, 8, 1.9, true),
            (2, 2, 1.9, false),
            (2, 2, 0.1, true),
            (16, 2, 0.1, true),
            (16, 2, 1.9, false),
            // Threads of this process, of which it is not known.
            (2, 2, 0.0, false),
        ] {
            let told = done(Work::Workers { workers, cores }, cpu, "busy");
            assert_eq!(told.ends_with("more `workers` would help"), helps, "{told}");
        }
    }
}
