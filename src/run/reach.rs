//! Whose records get where: pure.

use crate::plan::Plan;
use crate::words::id::Name;
use crate::words::ledger::{Edge, Port};

/// Tells whether nobody wants the records of a source any more: all ways that they go lead to
/// tables that take nothing more, `gone`. Dead letters are no end in themselves.
pub(super) fn is_in_vain(plan: &Plan, source: &Name, gone: &[Name]) -> bool {
    let mut reached = vec![source];
    let mut next = 0;
    while let Some(from) = reached.get(next).copied() {
        next += 1;
        for edge in plan.edges.iter().filter(|edge| edge.from == *from && !gone.contains(from)) {
            if !reached.contains(&&edge.to) {
                reached.push(&edge.to);
            }
        }
    }
    let is_end = |name: &Name| match plan.sinks.iter().find(|sink| sink.name == *name) {
        Some(sink) => !sink.letters,
        // What nobody takes is judged for its own sake.
        None => !plan.edges.iter().any(|edge: &Edge| edge.from == *name && edge.port == Port::Out),
    };
    reached.iter().any(|name| gone.contains(name))
        && reached.iter().all(|name| gone.contains(name) || !is_end(name))
}
