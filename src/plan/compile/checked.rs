//! Stages that put records into requests, or look into them, take only what was checked.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::Located;
use crate::config::schema::{Body, Config, Dispatch, Protocol, Setting, Stage};
use crate::plan::graph::Graph;
use crate::words::policy::Check;

/// Reports every stage that needs JSON and may get something else.
pub(super) fn check(config: &Config, graph: &Graph, out: &mut Diagnostics) -> Option<Reported> {
    let mut reported = None;
    for (index, table) in config.tables.iter().enumerate() {
        let Body::Stage(stage) = &table.body else { continue };
        let protocol = stage.protocol.or(Protocol::Stream);
        let (what, origin) = if protocol == Protocol::Records {
            ("`protocol = \"records\"`", stage.protocol.origin())
        } else if let Some(Located { value: Dispatch::By(_), origin }) = stage.dispatch.given()
            && protocol == Protocol::Lines
        {
            ("`dispatch` by key", *origin)
        } else {
            continue;
        };
        let Some((key, unchecked)) = unchecked(config, graph, index) else { continue };
        let mistake = Diagnostic::new(format!("{what} takes only what is known to be JSON"))
            .at(origin, format!("`{}` speaks it", table.name.value))
            .at(unchecked.origin, "not checked here");
        let hint = format!("leave `{key}` at \"json\" there (`--check` of `esteira pipe`)");
        reported = Some(out.push(mistake.hint(hint)));
    }
    reported
}

/// Finds where on the way to a table nobody asked for JSON.
fn unchecked<'a>(
    config: &'a Config,
    graph: &Graph,
    mut index: usize,
) -> Option<(&'static str, &'a Located<Check>)> {
    // A belt has no circles when this is asked, and is no longer than its tables.
    for _ in 0..config.tables.len() {
        index = *graph.inputs.get(index)?.first()?;
        match &config.tables.get(index)?.body {
            Body::Source(source) => return less("check", &source.check),
            // What it hands on is JSON, or it was reported for what it takes.
            Body::Stage(stage) if stage.protocol.or(Protocol::Stream) == Protocol::Records => {
                return None;
            }
            Body::Stage(stage) => {
                if let Some(found) = less("check_output", &stage.check_output) {
                    return Some(found);
                }
                if !passes_on(stage) {
                    return None;
                }
            }
            Body::Sink(_) => return None,
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
