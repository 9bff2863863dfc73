//! Stages that put records into requests, or look into them, take only what was checked.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::{Located, Origin};
use crate::config::schema::{Body, Config, Dispatch, Protocol, Setting, Stage};
use crate::plan::graph::Graph;
use crate::words::ledger::Port;
use crate::words::policy::Check;

/// Reports every stage that needs JSON and may get something else.
pub(super) fn check(config: &Config, graph: &Graph, out: &mut Diagnostics) -> Option<Reported> {
    let mut reported = None;
    for (index, table) in config.tables.iter().enumerate() {
        let Some((what, label, origin)) = needs(&table.body) else { continue };
        let Some((key, unchecked)) = unchecked(config, graph, index) else { continue };
        let mistake = Diagnostic::new(format!("{what} takes only what is known to be JSON"))
            .at(origin, format!("`{}` {label}", table.name.value))
            .at(unchecked.origin, "not checked here");
        let hint = format!("leave `{key}` at \"json\" there (`--check` of `esteira pipe`)");
        reported = Some(out.push(mistake.hint(hint)));
    }
    reported
}

/// Returns what of a table needs JSON, and where that stands.
fn needs(body: &Body) -> Option<(&'static str, &'static str, Origin)> {
    let stage = match body {
        Body::Stage(stage) => stage,
        Body::Builtin(builtin) => return Some(("`use`", "looks into it", builtin.task.origin())),
        Body::Sink(sink) if sink.target.is_some() => {
            return Some(("a database", "looks into it", sink.kind.origin()));
        }
        Body::Source(_) | Body::Sink(_) => return None,
    };
    match (stage.protocol.or(Protocol::Stream), stage.dispatch.given()) {
        (Protocol::Records, _) => {
            Some(("`protocol = \"records\"`", "speaks it", stage.protocol.origin()))
        }
        (Protocol::Lines, Some(Located { value: Dispatch::By(_), origin })) => {
            Some(("`dispatch` by key", "looks into it", *origin))
        }
        _ => None,
    }
}

/// Finds where on the way to a table nobody asked for JSON.
fn unchecked<'a>(
    config: &'a Config,
    graph: &Graph,
    table: usize,
) -> Option<(&'static str, &'a Located<Check>)> {
    // Dead letters are JSON, whatever they tell of.
    let links = graph.inputs.get(table)?.iter().filter(|link| link.port == Port::Out);
    let mut open: Vec<usize> = links.map(|link| link.from).collect();
    // A belt has no circles when this is asked.
    while let Some(index) = open.pop() {
        let found = match &config.tables.get(index)?.body {
            Body::Source(source) => less("check", &source.check),
            // What it hands on is JSON, or it was reported for what it takes.
            Body::Stage(stage) if stage.protocol.or(Protocol::Stream) == Protocol::Records => None,
            Body::Stage(stage) => {
                if passes_on(stage) {
                    let links = graph.inputs.get(index)?.iter();
                    let links = links.filter(|link| link.port == Port::Out);
                    open.extend(links.map(|link| link.from));
                }
                less("check_output", &stage.check_output)
            }
            Body::Builtin(_) | Body::Sink(_) => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Whether what a stage hands on may be what it took, unseen.
fn passes_on(stage: &Stage) -> bool {
    stage.protocol.or(Protocol::Stream) == Protocol::Command
}

fn less<'a>(
    key: &'static str,
    setting: &'a Setting<Check>,
) -> Option<(&'static str, &'a Located<Check>)> {
    setting.given().filter(|check| check.value != Check::Json).map(|check| (key, check))
}
