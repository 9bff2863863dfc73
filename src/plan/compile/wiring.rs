//! Puts the wiring into words: what `graph` finds wrong becomes diagnostics.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::{Located, Origin, Span};
use crate::config::schema::{Body, Config, Setting, Table};
use crate::config::suggest::one_of;
use crate::plan::compile::letters::{can_reject, output_of};
use crate::plan::compile::{checked, endless};
use crate::plan::graph::{self, Fault, Graph, Kind, Node};
use crate::words::id::Name;
use crate::words::ledger::Port;
use crate::words::policy::Order;

/// Wires the tables, or reports all that is wrong with it.
pub(super) fn wire(config: &Config, out: &mut Diagnostics) -> Result<Graph, Reported> {
    if let Some(reported) = unreadable(config) {
        return Err(reported);
    }
    if config.tables.is_empty() {
        let top = Origin::Written(Span { text: 0, start: 0, end: 0 });
        let mistake = Diagnostic::new("the pipeline is empty").at(top, "");
        let hint = "it takes a `[sources.NAME]`, a `[stages.NAME]` and a `[sinks.NAME]`";
        return Err(out.push(mistake.hint(hint)));
    }
    let nodes: Vec<Node<'_>> = config.tables.iter().map(node).collect();
    let (graph, faults) = graph::wire(&nodes);
    let said = faults.iter().filter_map(|fault| explain(config, fault));
    let wrong = said.map(|diagnostic| out.push(diagnostic)).last();
    let barren = barren(config, &graph, out);
    let unchecked = if wrong.is_none() { checked::check(config, &graph, out) } else { None };
    let endless = if wrong.is_none() { endless::check(config, &graph, out) } else { None };
    wrong.or(barren).or(unchecked).or(endless).map_or(Ok(graph), Err)
}

/// Where tables or inputs could not be read, their wiring cannot be judged.
fn unreadable(config: &Config) -> Option<Reported> {
    let inputs = config.tables.iter().find_map(|table| match inputs(table) {
        Some(Setting::Unreadable(reported)) => Some(*reported),
        _ => None,
    });
    config.unreadable().or(inputs)
}

/// Returns `inputs`, which sources do not have.
pub(super) fn inputs(table: &Table) -> Option<&Setting<Vec<Located<String>>>> {
    match &table.body {
        Body::Source(_) => None,
        Body::Stage(stage) => Some(&stage.inputs),
        Body::Builtin(builtin) => Some(&builtin.inputs),
        Body::Sink(sink) => Some(&sink.inputs),
    }
}

fn node(table: &Table) -> Node<'_> {
    let written = inputs(table).and_then(Setting::value);
    Node {
        name: table.name.value.as_str(),
        kind: match table.body {
            Body::Source(_) => Kind::Source,
            Body::Stage(_) | Body::Builtin(_) => Kind::Stage,
            Body::Sink(_) => Kind::Sink,
        },
        inputs: written.map(|inputs| inputs.iter().map(|name| name.value.as_str()).collect()),
        output: !output_of(table).is_left_out(),
        mixed: order(table) == Some(&Order::None),
    }
}

/// Names the tables that take from their inputs as records come.
pub(super) fn mixed(config: &Config) -> Vec<Name> {
    let mixed = config.tables.iter().filter(|table| order(table) == Some(&Order::None));
    mixed.map(|table| table.name.value.clone()).collect()
}

/// Returns `order`, which sources do not have.
pub(super) fn order(table: &Table) -> Option<&Order> {
    match &table.body {
        Body::Source(_) => None,
        Body::Stage(stage) => stage.order.value(),
        Body::Builtin(builtin) => builtin.order.value(),
        Body::Sink(sink) => sink.order.value(),
    }
}

/// Reports whoever takes the dead letters of a table that never has any.
fn barren(config: &Config, graph: &Graph, out: &mut Diagnostics) -> Option<Reported> {
    let mut reported = None;
    for (table, links) in config.tables.iter().zip(&graph.inputs) {
        for link in links.iter().filter(|link| link.port == Port::Rejects) {
            let Some(from) = config.tables.get(link.from).filter(|from| !can_reject(from)) else {
                continue;
            };
            let name = &from.name;
            let mistake = Diagnostic::new(format!(
                "`{}` is a `stream` stage and rejects no record",
                name.value
            ))
            .at(naming(table, &format!("{}.rejects", name.value)), "")
            .at(name.origin, "judged as a whole, by how it ends");
            reported = Some(out.push(mistake.hint(
                "a program that answers each record can reject: `protocol = \"records\"` or `\"command\"`",
            )));
        }
    }
    reported
}

fn explain(config: &Config, fault: &Fault) -> Option<Diagnostic> {
    let table = |index: &usize| config.tables.get(*index);
    let input = |index: &usize, input: &usize| {
        let written = inputs(config.tables.get(*index)?)?.value()?;
        written.get(*input)
    };
    Some(match fault {
        Fault::Clash { first, second } => clash(table(first)?, table(second)?),
        Fault::NothingAbove(index) => {
            let name = &table(index)?.name;
            Diagnostic::new(format!("`{}` has nothing to take records from", name.value))
                .at(name.origin, "no source or stage above")
                .hint("without `inputs` a table takes from the nearest source or stage above it")
        }
        Fault::NoInputs(index) => Diagnostic::new("`inputs` takes at least one name")
            .at(inputs(table(index)?)?.origin(), "this is empty")
            .hint("left out, it is the nearest source or stage above"),
        Fault::Unknown { table: index, input: number, nearest, port } => {
            let written = input(index, number)?;
            let mistake = Diagnostic::new(format!("no source or stage is called `{written}`"))
                .at(written.origin, "");
            match nearest.as_ref().and_then(table) {
                Some(meant) => {
                    let rejects = if *port == Port::Rejects { ".rejects" } else { "" };
                    mistake.hint(format!("did you mean `{}{rejects}`?", meant.name.value))
                }
                None => mistake.hint(format!("there is {}", one_of(feeders(config)))),
            }
        }
        Fault::FromSink { table: index, input: number, sink } => {
            let name = &table(sink)?.name;
            Diagnostic::new(format!("`{}` is a sink and hands nothing on", name.value))
                .at(input(index, number)?.origin, "")
                .at(name.origin, "the sink")
        }
        Fault::Twice { table: index, input: number } => {
            let written = input(index, number)?;
            Diagnostic::new(format!("`{written}` is named twice")).at(written.origin, "")
        }
        Fault::Cycle(ring) => cycle(&ring.iter().filter_map(table).collect::<Vec<_>>()),
        Fault::Unused(index) => {
            let name = &table(index)?.name;
            Diagnostic::new(format!("nobody takes what `{}` hands on", name.value))
                .at(name.origin, "")
                .hint("put a sink below it, or give it `output = \"PATH\"`")
        }
    })
}

fn feeders(config: &Config) -> impl Iterator<Item = &str> {
    let tables = config.tables.iter();
    let feeders = tables.filter(|table| !matches!(table.body, Body::Sink(_)));
    feeders.map(|table| table.name.value.as_str())
}

fn clash(first: &Table, second: &Table) -> Diagnostic {
    Diagnostic::new(format!("two tables are called `{}`", second.name.value))
        .at(second.name.origin, "")
        .at(first.name.origin, "the first of them")
        .hint("names are unique over sources, stages and sinks")
}

fn cycle(ring: &[&Table]) -> Diagnostic {
    let names: Vec<&str> = ring.iter().map(|table| table.name.value.as_str()).collect();
    let first = names.first().copied().unwrap_or_default();
    let way = format!("`{}` → `{first}`", names.join("` → `"));
    let mut mistake = Diagnostic::new(format!("records would go in circles: {way}"));
    let before = names.iter().cycle().skip(names.len() - 1);
    for (table, before) in ring.iter().zip(before) {
        mistake = mistake.at(wanting(table), format!("takes from `{before}`"));
    }
    mistake
}

/// Returns where a table names one of its inputs.
pub(super) fn naming(table: &Table, input: &str) -> Origin {
    let mut written = inputs(table).and_then(Setting::value).into_iter().flatten();
    written.find(|name| name.value == input).map_or(wanting(table), |name| name.origin)
}

/// Returns where a table says what it takes, or else where it stands.
fn wanting(table: &Table) -> Origin {
    let written = inputs(table).and_then(Setting::given);
    written.map_or(table.name.origin, |written| written.origin)
}
