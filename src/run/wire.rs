//! All channels of a run and their capacities.
//!
//! | channel | from → to | holds | why |
//! |---|---|---|---|
//! | edge | table → table | [`EDGE`] batches | bounds memory; enough to hide a hiccup |
//! | check | pump → check of a stage | 1 batch | as an edge (stage/stream) |
//! | post | tables → supervise | [`POST`] notices | a table sends a handful in its life |
//! | stop | supervise → tables | the latest | only ever more urgent |

use std::collections::HashMap;
use std::sync::Arc;

use crate::plan::Plan;
use crate::words::belt::{Inlet, Outlet, edge};
use crate::words::id::Name;
use crate::words::ledger::{Port, Tally};

/// Batches on an edge.
const EDGE: usize = 2;

/// Notices on their way to supervise.
pub const POST: usize = 1024;

/// The ends of all edges, for the tables to take.
#[derive(Debug, Default)]
pub struct Wires {
    inlets: HashMap<Name, Inlet>,
    outlets: HashMap<(Name, Port), Outlet>,
}

/// The running counts of all tables.
pub type Tallies = HashMap<Name, Arc<Tally>>;

impl Wires {
    /// Takes a table's input.
    pub fn inlet(&mut self, name: &Name) -> Option<Inlet> {
        self.inlets.remove(name)
    }

    /// Takes one of a table's outputs.
    pub fn outlet(&mut self, name: &Name, port: Port) -> Option<Outlet> {
        self.outlets.remove(&(name.clone(), port))
    }
}

/// Makes an edge for each that the plan has; edges to the same table share a channel.
pub fn wire(plan: &Plan) -> (Wires, Tallies) {
    let names = plan.sources.iter().map(|s| &s.name);
    let names = names.chain(plan.stages.iter().map(|s| &s.name));
    let names = names.chain(plan.sinks.iter().map(|s| &s.name));
    let tallies: Tallies = names.map(|name| (name.clone(), Arc::default())).collect();
    let tally = |name: &Name| tallies.get(name).cloned().unwrap_or_default();
    let mut wires = Wires::default();
    // The first outlet into each table, from which the others are joined.
    let mut first: HashMap<Name, (Name, Port)> = HashMap::new();
    for planned in &plan.edges {
        let key = (planned.from.clone(), planned.port);
        let known = first.get(&planned.to).and_then(|f| wires.outlets.get(f));
        let outlet = if let (Some(outlet), Some(inlet)) = (known, wires.inlets.get_mut(&planned.to))
        {
            outlet.join(tally(&planned.from), inlet)
        } else {
            let (outlet, inlet) = edge(EDGE, tally(&planned.from), tally(&planned.to));
            wires.inlets.insert(planned.to.clone(), inlet);
            first.insert(planned.to.clone(), key.clone());
            outlet
        };
        wires.outlets.insert(key, outlet);
    }
    // A rejects file stands at the end of every run, even when no table is there to fill it.
    for sink in &plan.sinks {
        let unfed = || Inlet::unfed(tally(&sink.name));
        wires.inlets.entry(sink.name.clone()).or_insert_with(unfed);
    }
    (wires, tallies)
}
