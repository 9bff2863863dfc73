//! A source without an end is no source before another: what comes after it would never be taken.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::schema::{Body, Config, SourceKind, Table};
use crate::plan::compile::wiring::{naming, order};
use crate::plan::graph::Graph;
use crate::words::ledger::Port;
use crate::words::policy::{EarlyExit, Order};

/// Reports whoever takes something after what never ends.
pub(super) fn check(config: &Config, graph: &Graph, out: &mut Diagnostics) -> Option<Reported> {
    let mut reported = None;
    // The source without an end that something of gets to a table.
    let mut endless: Vec<Option<usize>> = vec![None; config.tables.len()];
    for &index in &graph.order {
        let (Some(table), Some(links)) = (config.tables.get(index), graph.inputs.get(index)) else {
            continue;
        };
        let mut before = None;
        let mut own = is_endless(table).then_some(index);
        for link in links {
            let first = before.filter(|_| order(table) != Some(&Order::None));
            if let Some(source) = first.and_then(|index| config.tables.get(index)) {
                reported = config
                    .tables
                    .get(link.from)
                    .map(|from| out.push(mistake(table, from, link.port, source)));
                break;
            }
            before = before.or(endless.get(link.from).copied().flatten());
            own = own.or(before);
        }
        if let Some(found) = endless.get_mut(index).filter(|_| !may_end(table)) {
            *found = own;
        }
    }
    reported
}

fn is_endless(table: &Table) -> bool {
    let Body::Source(source) = &table.body else { return false };
    source.kind.value() == Some(&SourceKind::Generate) && source.generate.count.is_left_out()
}

/// Tells whether a table may end before what feeds it does, as `head` does.
fn may_end(table: &Table) -> bool {
    match &table.body {
        Body::Stage(stage) => stage.early_exit.value() == Some(&EarlyExit::Ok),
        Body::Source(_) | Body::Builtin(_) | Body::Sink(_) => false,
    }
}

fn mistake(table: &Table, from: &Table, port: Port, source: &Table) -> Diagnostic {
    let name = &source.name;
    let rejects = if port == Port::Rejects { ".rejects" } else { "" };
    let input = &format!("{}{rejects}", from.name.value);
    Diagnostic::new(format!("`{}` has no end, so `{input}` would never be taken", name.value))
        .at(naming(table, input), "comes after it")
        .at(name.origin, "no `count`")
        .hint("give it a `count`, or name it last in `inputs`; `order = \"none\"` takes records as they come")
}
