//! All channels of a run and their capacities.
//!
//! | channel | from → to | holds | why |
//! |---|---|---|---|
//! | edge | table → table | [`EDGE`] batches | bounds memory; enough to hide a hiccup |
//! | check | pump → check of a stage | 1 batch | as an edge (stage/stream) |
//! | spool | file → table | [`EDGE`] batches | as an edge; the rest is in the file |
//! | notes | tables → keeper | [`POST`] notes | as it comes; one a table and mark |
//! | post | tables → supervise | [`POST`] notices | a table sends a handful in its life |
//! | stop | supervise → tables | the latest | only ever more urgent |

use std::collections::HashMap;
use std::sync::Arc;

use crate::plan::Plan;
use crate::plan::resume::{Course, passes};
use crate::run::spooler::Spooler;
use crate::words::belt::{Feed, Inlet, Outlet, feed};
use crate::words::gather::Gather;
use crate::words::id::Name;
use crate::words::ledger::{Edge, Port, Tally};

/// Batches on an edge.
const EDGE: usize = 2;

/// Notices on their way to supervise.
pub const POST: usize = 1024;

/// The ends of all edges, for the tables to take.
#[derive(Debug, Default)]
pub struct Wires {
    inlets: HashMap<Name, Inlet>,
    outlets: HashMap<(Name, Port), Outlet>,
    /// Those who keep what waits for its turn, in the order of the plan's `spooled`.
    pub spoolers: Vec<Spooler>,
}

/// The running counts of all tables.
pub type Tallies = HashMap<Name, Arc<Tally>>;

impl Wires {
    /// Takes a table's input.
    pub fn inlet(&mut self, name: &Name) -> Option<Inlet> {
        self.inlets.remove(name)
    }

    /// Takes one of a table's outputs; none where nobody takes from it.
    pub fn outlet(&mut self, name: &Name, port: Port) -> Option<Outlet> {
        self.outlets.remove(&(name.clone(), port))
    }
}

/// Makes all edges of a plan.
///
/// `course` says how it is read if marks are sent: where several tables send into one as it comes,
/// they wait for each other.
pub fn wire(plan: &Plan, course: Option<&Course>) -> (Wires, Tallies) {
    let names = plan.sources.iter().map(|s| &s.name);
    let names = names.chain(plan.stages.iter().map(|s| &s.name));
    let names = names.chain(plan.sinks.iter().map(|s| &s.name));
    let tallies: Tallies = names.map(|name| (name.clone(), Arc::default())).collect();
    let tally = |name: &Name| tallies.get(name).cloned().unwrap_or_default();
    let mut wires = Wires::default();
    let stages = plan.stages.iter().map(|stage| (&stage.name, false));
    let sinks = plan.sinks.iter().map(|sink| (&sink.name, sink.letters));
    for (name, letters) in stages.chain(sinks) {
        let into: Vec<&Edge> = plan.edges.iter().filter(|edge| edge.to == *name).collect();
        let mixed = letters || plan.mixed.contains(name);
        let feeds = wires.feeds(plan, &into, (mixed, course), &tally);
        wires.inlets.insert(name.clone(), Inlet::new(feeds, tally(name)));
    }
    (wires, tallies)
}

impl Wires {
    /// Leads the outlets of some edges into one table: each into a feed of its own, or all into
    /// one.
    fn feeds(
        &mut self,
        plan: &Plan,
        into: &[&Edge],
        (mixed, course): (bool, Option<&Course>),
        tally: &dyn Fn(&Name) -> Arc<Tally>,
    ) -> Vec<Feed> {
        let mut feeds = Vec::new();
        for together in into.chunks(if mixed { into.len().max(1) } else { 1 }) {
            let (entry, mut own) = feed(EDGE);
            if let Some(course) = course.filter(|_| mixed) {
                let sends = together.iter().filter(|edge| passes(plan, edge));
                let from = sends.map(|edge| &edge.from);
                own = own.gathered(Gather::new(course.expected(&from)));
            }
            for edge in together {
                let key = (edge.from.clone(), edge.port);
                let outlet = self.outlets.entry(key);
                let outlet = outlet.or_insert_with(|| Outlet::new(tally(&edge.from)));
                outlet.lead(&entry, &mut own);
                if plan.spooled.contains(edge) {
                    let (spooler, kept) = Spooler::between(edge, own, EDGE, tally(&edge.to));
                    self.spoolers.push(spooler);
                    own = kept;
                }
            }
            feeds.push(own);
        }
        feeds
    }
}
