//! Sinks that are not written as tables: `output` of a source or stage, and `rejects`.

use std::path::PathBuf;

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::Located;
use crate::config::schema::{Body, Protocol, Setting, Table};
use crate::plan::compile::{Scope, rules, tables};
use crate::plan::graph::Graph;
use crate::plan::{Output, Sink};
use crate::words::id::Name;
use crate::words::ledger::{Edge, Port};
use crate::words::policy::Publish;

/// The pipeline's own rejects go by this name.
const REJECTS: &str = "rejects";

/// Sinks beside the belt, and what feeds them.
#[derive(Default)]
pub(super) struct Aside {
    /// The sinks, those of dead letters last.
    pub(super) sinks: Vec<Sink>,
    /// What feeds them.
    pub(super) edges: Vec<Edge>,
}

/// Compiles every `output` and `rejects`.
pub(super) fn aside(
    scope: &Scope<'_>,
    graph: &Graph,
    out: &mut Diagnostics,
) -> Result<Aside, Reported> {
    let mut aside = Aside::default();
    let mut wrong = None;
    for table in &scope.config.tables {
        wrong = output(scope, table, &mut aside, out).err().or(wrong);
    }
    for table in &scope.config.tables {
        wrong = rejects(scope, table, &mut aside, out).err().or(wrong);
    }
    wrong = common_rejects(scope, graph, &mut aside, out).err().or(wrong);
    wrong.map_or(Ok(aside), Err)
}

fn output(
    scope: &Scope<'_>,
    table: &Table,
    aside: &mut Aside,
    out: &mut Diagnostics,
) -> Result<(), Reported> {
    let Setting::Given(path) = output_of(table) else {
        return Ok(());
    };
    let name = Name::internal(&format!("{}.output", table.name.value));
    aside.sinks.push(Sink {
        name: name.clone(),
        output: Output::File(tables::target(scope, "output", path, out)?),
        publish: Publish::Gate,
        letters: false,
        tolerance: rules::NEVER,
    });
    aside.edges.push(edge(table, Port::Out, name));
    Ok(())
}

/// Returns `output`, which sinks do not have.
pub(super) fn output_of(table: &Table) -> &Setting<PathBuf> {
    match &table.body {
        Body::Source(source) => &source.output,
        Body::Stage(stage) => &stage.output,
        Body::Builtin(builtin) => &builtin.output,
        Body::Sink(_) => &Setting::LeftOut,
    }
}

fn rejects(
    scope: &Scope<'_>,
    table: &Table,
    aside: &mut Aside,
    out: &mut Diagnostics,
) -> Result<(), Reported> {
    let Setting::Given(path) = &table.rules.rejects else {
        return Ok(());
    };
    let name = Name::internal(&format!("{}.{REJECTS}", table.name.value));
    aside.sinks.push(letters(scope, name.clone(), path, out)?);
    aside.edges.push(edge(table, Port::Rejects, name));
    Ok(())
}

/// The pipeline's rejects: those of all tables that can reject, have none of their own, and whose
/// dead letters nobody takes as records. A `stream` filter and a file take what they are given.
fn common_rejects(
    scope: &Scope<'_>,
    graph: &Graph,
    aside: &mut Aside,
    out: &mut Diagnostics,
) -> Result<(), Reported> {
    let Setting::Given(path) = &scope.config.pipeline.rules.rejects else {
        return Ok(());
    };
    let name = Name::internal(REJECTS);
    let tables = &scope.config.tables;
    if let Some(table) = tables.iter().find(|table| table.name.value == name) {
        return Err(out.push(
            Diagnostic::new("`rejects` is the name of the pipeline's own dead letters")
                .at(table.name.origin, "called the same")
                .at(path.origin, "these")
                .hint("give the table another name"),
        ));
    }
    aside.sinks.push(letters(scope, name.clone(), path, out)?);
    let open = tables.iter().enumerate().filter(|(index, table)| {
        can_reject(table) && table.rules.rejects.is_left_out() && !graph.takes_rejects_of(*index)
    });
    aside.edges.extend(open.map(|(_, table)| edge(table, Port::Rejects, name.clone())));
    Ok(())
}

/// Tells whether a table can refuse single records.
pub(super) fn can_reject(table: &Table) -> bool {
    match &table.body {
        Body::Source(_) | Body::Builtin(_) => true,
        Body::Stage(stage) => stage.protocol.or(Protocol::Stream) != Protocol::Stream,
        Body::Sink(sink) => sink.target.is_some(),
    }
}

fn letters(
    scope: &Scope<'_>,
    name: Name,
    path: &Located<PathBuf>,
    out: &mut Diagnostics,
) -> Result<Sink, Reported> {
    Ok(Sink {
        name,
        output: Output::File(tables::target(scope, "rejects", path, out)?),
        publish: Publish::EveryEnd,
        letters: true,
        tolerance: rules::NEVER,
    })
}

fn edge(from: &Table, port: Port, to: Name) -> Edge {
    let from = from.name.value.clone();
    Edge { from, port, to }
}
