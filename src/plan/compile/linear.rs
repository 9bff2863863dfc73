//! What this version cannot run yet: anything but one chain from a source to a sink.
//!
//! Branching is read and wired like everything else; only here is it refused.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::schema::{Body, Config, Table};
use crate::plan::compile::letters::output_of;
use crate::plan::compile::wiring::wanting;
use crate::plan::graph::Graph;

/// Reports whatever makes the belt more than a chain.
pub(super) fn check(config: &Config, graph: &Graph, out: &mut Diagnostics) -> Option<Reported> {
    let mut reported = several_sources(config).map(|mistake| out.push(mistake));
    for (index, table) in config.tables.iter().enumerate() {
        let feeders = graph.inputs.get(index).map_or(0, Vec::len);
        if feeders > 1 {
            reported = Some(out.push(fan_in(table)));
        }
        let takers: Vec<&Table> = takers(config, graph, index).collect();
        let outputs = takers.len() + usize::from(!output_of(table).is_left_out());
        if outputs > 1 {
            reported = Some(out.push(fan_out(table, &takers)));
        }
    }
    reported
}

fn several_sources(config: &Config) -> Option<Diagnostic> {
    let mut sources = config.tables.iter().filter(|table| matches!(table.body, Body::Source(_)));
    let (first, second) = (sources.next()?, sources.next()?);
    Some(
        Diagnostic::new("more than one source is not in this version")
            .at(second.name.origin, "")
            .at(first.name.origin, "the first of them")
            .hint("a `file` source reads several files: `path = [\"A\", \"B\"]`"),
    )
}

fn takers<'a>(
    config: &'a Config,
    graph: &'a Graph,
    from: usize,
) -> impl Iterator<Item = &'a Table> {
    let all = config.tables.iter().zip(&graph.inputs);
    all.filter(move |(_, inputs)| inputs.contains(&from)).map(|(table, _)| table)
}

fn fan_in(table: &Table) -> Diagnostic {
    Diagnostic::new("taking from more than one table is not in this version")
        .at(wanting(table), "")
        .hint("a `file` source reads several files: `path = [\"A\", \"B\"]`")
}

fn fan_out(table: &Table, takers: &[&Table]) -> Diagnostic {
    let name = &table.name;
    let message =
        format!("`{}` feeds more than one table, which is not in this version", name.value);
    let mut mistake = Diagnostic::new(message).at(name.origin, "");
    let output = output_of(table).given().map(|path| path.origin);
    for origin in takers.iter().copied().map(wanting).chain(output) {
        mistake = mistake.at(origin, "takes from it");
    }
    mistake.hint("lead the belt through one table after the other: `inputs = [\"NAME\"]`")
}
