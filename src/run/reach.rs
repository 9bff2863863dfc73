//! Whose records get where: pure.

use crate::plan::Plan;
use crate::words::id::Name;

/// Tells whether nobody wants the records of a source any more: all sinks that they get to are
/// among `gone`. Dead letters are no end in themselves.
pub(super) fn is_in_vain(plan: &Plan, source: &Name, gone: &[Name]) -> bool {
    let mut reached = vec![source];
    let mut next = 0;
    while let Some(from) = reached.get(next).copied() {
        next += 1;
        for edge in plan.edges.iter().filter(|edge| edge.from == *from) {
            if !reached.contains(&&edge.to) {
                reached.push(&edge.to);
            }
        }
    }
    let mut sinks = plan.sinks.iter().filter(|sink| !sink.letters && reached.contains(&&sink.name));
    sinks.all(|sink| gone.contains(&sink.name)) && gone.iter().any(|sink| reached.contains(&sink))
}
