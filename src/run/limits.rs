//! Whether more was refused than may be: a table with a limit of its own is judged alone, the others
//! together.

use crate::plan::{Output, Plan};
use crate::run::stats::Stats;
use crate::words::id::Name;
use crate::words::ledger::Port;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Publish;
use crate::words::text::{count, grouped};
use crate::words::units::Limit;

/// Judges, and returns what is wrong and the tables that are over their limit. What a baseline knows
/// counts for none.
pub(super) fn over_limits(plan: &Plan, stats: &Stats) -> (Vec<Failure>, Vec<Name>) {
    let ledger = stats.ledger();
    let sources = plan.sources.iter().map(|t| (&t.name, t.tolerance.max_rejects));
    let stages = plan.stages.iter().map(|t| (&t.name, t.tolerance.max_rejects));
    let sinks = plan.sinks.iter().map(|t| (&t.name, t.tolerance.max_rejects));
    let (mut failures, mut over_own) = (Vec::new(), Vec::new());
    let mut together: Vec<&Name> = Vec::new();
    let mut rejected_together = 0;
    for (name, own) in sources.chain(stages).chain(sinks) {
        let (rejected, taken) = ledger.get(name).map_or((0, 0), |c| (c.rejected(), c.taken()));
        let rejected = rejected.saturating_sub(stats.tally(name).known.get());
        match own {
            Some(limit) if limit.allows(rejected, taken) => {}
            Some(limit) => {
                failures.push(over(plan, &[name], limit, rejected, taken, "max_rejects"));
                over_own.push(name.clone());
            }
            None => {
                rejected_together += rejected;
                together.extend((rejected > 0).then_some(name));
            }
        }
    }
    let (limit, taken) = (plan.max_rejects, ledger.lines_read());
    if !limit.allows(rejected_together, taken) {
        failures.push(over(plan, &together, limit, rejected_together, taken, "--max-rejects"));
        over_own.extend(together.into_iter().cloned());
    }
    (failures, over_own)
}

fn over(
    plan: &Plan,
    tables: &[&Name],
    limit: Limit,
    rejected: u64,
    taken: u64,
    option: &str,
) -> Failure {
    let names: Vec<String> = tables.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "{} of {} rejected by {}, more than the limit of {limit}",
        grouped(rejected),
        count(taken, "line"),
        names.join(", "),
    );
    let passing: Vec<String> =
        Limit::passing(rejected, taken).iter().map(|limit| setting(option, limit)).collect();
    let failure = Failure::new(Exit::Data, message);
    let mut failure = places(plan, tables).into_iter().fold(failure, Failure::hint);
    let of_source = plan.sources.iter().any(|source| tables.contains(&&source.name));
    if rejected == taken && of_source {
        failure = failure.hint(
            "not one line is good: what is no NDJSON goes through with `--check none` (or `check = \"none\"`)",
        );
    }
    failure.hint(format!("{} would let them pass", passing.join(" or ")))
}

/// Says where the dead letters of tables are, and whose are nowhere.
fn places(plan: &Plan, tables: &[&Name]) -> Vec<String> {
    let place = |table: &Name| {
        let mut edges = plan.edges.iter().filter(|e| e.port == Port::Rejects && e.from == *table);
        let sink = edges.find_map(|edge| plan.sinks.iter().find(|sink| sink.name == edge.to));
        match sink.map(|sink| (&sink.output, sink.publish)) {
            Some((Output::File(_), Publish::Sound)) => Place::Stay,
            Some((Output::File(path), _)) => Place::In(plan.display(path)),
            Some((Output::Stdout | Output::Table(_), _)) => Place::Stdout,
            None => Place::Nowhere,
        }
    };
    let mut places: Vec<(Place, Vec<String>)> = Vec::new();
    for table in tables {
        let (place, name) = (place(table), format!("`{table}`"));
        match places.iter_mut().find(|(other, _)| *other == place) {
            Some((_, names)) => names.push(name),
            None => places.push((place, vec![name])),
        }
    }
    let all = places.len() == 1;
    places.iter().map(|(place, names)| place.told((!all).then(|| names.join(", ")))).collect()
}

/// Where dead letters are.
#[derive(PartialEq)]
enum Place {
    In(String),
    Stdout,
    /// A replay leaves them where they came from.
    Stay,
    Nowhere,
}

impl Place {
    /// Says so, of all or of those of some tables.
    fn told(&self, of: Option<String>) -> String {
        let they = of.as_ref().map_or_else(|| "they".to_owned(), |of| format!("those of {of}"));
        match (self, of) {
            (Self::In(path), _) => format!("{they} are in `{path}`"),
            (Self::Stdout, _) => format!("{they} went to stdout"),
            (Self::Stay, None) => "their dead letters stay".to_owned(),
            (Self::Stay, Some(of)) => format!("the dead letters of {of} stay"),
            (Self::Nowhere, None) => {
                "to keep them, give `rejects = \"FILE\"` (`--rejects FILE` of `esteira pipe`)"
                    .to_owned()
            }
            (Self::Nowhere, Some(of)) => format!(
                "those of {of} are kept nowhere: `rejects = \"FILE\"` in `[pipeline]` keeps all"
            ),
        }
    }
}

/// Writes a limit as one would on the command line, or in the pipeline file.
fn setting(option: &str, limit: &Limit) -> String {
    match limit {
        _ if option.starts_with("--") => format!("`{option} {limit}`"),
        Limit::Count(_) => format!("`{option} = {limit}`"),
        Limit::Share { .. } => format!("`{option} = \"{limit}\"`"),
    }
}
