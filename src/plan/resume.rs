//! Whether a run of a plan can be taken up again in its middle, and how it is read for that: pure.
//!
//! Sources that reach a table in common are read one after the other, as its inputs want it. So
//! there is one order of all records, and a place in it is all there is to know.

use crate::plan::builtin::{Builtin, Task};
use crate::plan::{Input, Output, Plan, Protocol, Reply, Sink, Source, Stage, Stream, Work};
use crate::words::id::Name;
use crate::words::ledger::Edge;
use crate::words::policy::{EarlyExit, Order, Transaction};

/// How a plan is read so that it can be taken up again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// The sources, by their places in the plan, in the order in which they are read.
    pub order: Vec<usize>,
    /// For each of these, the tables that its records or their letters get to, itself included.
    pub reach: Vec<Vec<Name>>,
}

impl Course {
    /// Counts those among some tables that the marks of each source come to.
    pub fn expected<'a>(&self, tables: &(impl Iterator<Item = &'a Name> + Clone)) -> Vec<usize> {
        let count = |reach: &Vec<Name>| tables.clone().filter(|name| reach.contains(name)).count();
        self.reach.iter().map(count).collect()
    }
}

/// Says how a plan is read so that it can be taken up again, or all that hinders it.
pub fn course(plan: &Plan) -> Result<Course, Vec<String>> {
    let stdin = |source: &&Source| source.input == Input::Stdin { spool: false };
    let sources = plan.sources.iter().filter(stdin);
    let sources = sources
        .map(|source| format!("`{}` reads stdin, and keeps no copy (`spool = true`)", source.name));
    let stages = plan.stages.iter().filter_map(hindrance);
    let spooled = plan.spooled.iter().map(|edge| {
        format!("what waits for its turn at `{}` is in a file without a name", edge.to)
    });
    let mixed = plan.mixed.iter().map(|name| format!("`{name}` takes records as they come"));
    let stdout = |sink: &&Sink| sink.output == Output::Stdout;
    let sinks = plan.sinks.iter().filter(stdout);
    let sinks = sinks.map(|sink| format!("`{}` writes to stdout", sink.name));
    let whole = plan.sinks.iter().filter(
        |sink| matches!(&sink.output, Output::Table(to) if to.transaction == Transaction::Run),
    );
    let whole = whole.map(|sink| format!("`{}` holds all rows in one transaction", sink.name));
    let sinks = sinks.chain(whole);
    let hindrances: Vec<String> =
        sources.chain(stages).chain(spooled).chain(mixed).chain(sinks).collect();
    if !hindrances.is_empty() {
        return Err(hindrances);
    }
    let order = order(plan).ok_or_else(|| vec!["its sources are taken in no one order".into()])?;
    let sources = || order.iter().filter_map(|index| plan.sources.get(*index));
    if let Some(source) = sources().rev().skip(1).find(|source| source.is_endless()) {
        return Err(vec![format!("`{}` has no end, and others would wait for it", source.name)]);
    }
    let reach = order.iter().filter_map(|index| plan.sources.get(*index));
    let reach = reach.map(|source| reached(plan, &source.name)).collect();
    Ok(Course { order, reach })
}

/// Says why a stage cannot be taken up again in the middle.
fn hindrance(stage: &Stage) -> Option<String> {
    let name = &stage.name;
    let none = |order| order == Order::None;
    match &stage.work {
        Work::Builtin(Builtin { task: Task::Unique(_), .. }) => {
            Some(format!("`{name}` would have to remember all keys"))
        }
        Work::Builtin(builtin) if none(builtin.order) => {
            Some(format!("`{name}` has `order = \"none\"`"))
        }
        Work::Builtin(_) => None,
        Work::Program(program) => match &program.protocol {
            Protocol::Stream(Stream { pieces: Some(_), early_exit: EarlyExit::Ok, .. }) => {
                Some(format!("`{name}` need not read all of its input"))
            }
            Protocol::Stream(Stream { pieces: Some(_), .. }) => None,
            Protocol::Stream(_) => Some(format!("`{name}` speaks `stream`")),
            Protocol::Pool(pool) if matches!(pool.reply, Reply::Lines { .. }) => {
                Some(format!("`{name}` speaks `lines`"))
            }
            Protocol::Pool(_) if !program.exit.invalid.is_empty() => {
                Some(format!("`{name}` judges all of its input by its exit code"))
            }
            Protocol::Pool(pool) if none(pool.order) => {
                Some(format!("`{name}` has `order = \"none\"`"))
            }
            Protocol::Pool(_) => None,
        },
    }
}

/// Tells whether marks come along an edge: a sink that refuses nothing sends none.
pub fn passes(plan: &Plan, edge: &Edge) -> bool {
    let from = plan.sinks.iter().find(|sink| sink.name == edge.from);
    from.is_none_or(|sink| matches!(sink.output, Output::Table(_)))
}

/// Lists all tables that something of a source gets to, itself included.
fn reached(plan: &Plan, source: &Name) -> Vec<Name> {
    let mut reached = vec![source.clone()];
    let mut next = 0;
    while let Some(from) = reached.get(next).cloned() {
        next += 1;
        for edge in plan.edges.iter().filter(|edge| edge.from == from && passes(plan, edge)) {
            if !reached.contains(&edge.to) {
                reached.push(edge.to.clone());
            }
        }
    }
    reached
}

/// Lists all sources that something of gets to a table.
fn feeding(plan: &Plan, table: &Name) -> Vec<usize> {
    let reaches = |(_, source): &(usize, &Source)| reached(plan, &source.name).contains(table);
    plan.sources.iter().enumerate().filter(reaches).map(|(index, _)| index).collect()
}

/// Finds an order of the sources in which each table gets its inputs as it takes them; the first
/// in the file come first where they may.
fn order(plan: &Plan) -> Option<Vec<usize>> {
    let mut before: Vec<(usize, usize)> = Vec::new();
    let stages = plan.stages.iter().map(|stage| &stage.name);
    let ordered = stages.chain(plan.sinks.iter().filter(|s| !s.letters).map(|sink| &sink.name));
    for to in ordered {
        let inputs = plan.edges.iter().filter(|edge| edge.to == *to);
        let inputs: Vec<Vec<usize>> = inputs.map(|edge| feeding(plan, &edge.from)).collect();
        for (index, first) in inputs.iter().enumerate() {
            for later in inputs.iter().skip(index + 1) {
                let pairs = first.iter().flat_map(|a| later.iter().map(|b| (*a, *b)));
                before.extend(pairs.filter(|(a, b)| a != b));
            }
        }
    }
    let mut left: Vec<usize> = (0..plan.sources.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let free = |index: &&usize| {
            before.iter().all(|(first, later)| later != *index || !left.contains(first))
        };
        let ends = |index: &&usize| plan.sources.get(**index).is_some_and(|s| !s.is_endless());
        let mut all = left.iter().filter(free);
        let next = *all.clone().find(ends).or_else(|| all.next())?;
        left.retain(|index| *index != next);
        order.push(next);
    }
    Some(order)
}
