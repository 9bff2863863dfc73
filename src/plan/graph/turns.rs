//! Which inputs have to be kept in a file until it is their turn: pure.
//!
//! A table takes its inputs one after the other, so whoever feeds a later one waits, and with it
//! everything before it, up to its sources. That is how independent sources are read one after the
//! other. But if what comes first hangs on one of these very sources, none would ever go on: two
//! branches of one source, or two tables that take two sources in opposite orders. There the
//! later input has to be taken in at once and kept.

use std::collections::BTreeSet;

use crate::plan::graph::{Kind, Link, Node};

/// Marks the inputs that have to be kept, as few as can be seen going from top to bottom.
///
/// Each that is not is a promise: these sources come before those. Promises that hold no ring
/// leave at every moment a source that waits for nobody.
pub(super) fn spool(nodes: &[Node<'_>], order: &[usize], inputs: &mut [Vec<Link>]) {
    let mut sources: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); nodes.len()];
    let mut before = Before::default();
    for &table in order {
        let Some(node) = nodes.get(table) else { continue };
        let mut all = BTreeSet::new();
        for link in inputs.get_mut(table).into_iter().flatten() {
            let later = sources.get(link.from).cloned().unwrap_or_default();
            link.spooled = !node.mixed && !before.promise(&all, &later);
            all.extend(later);
        }
        if node.kind == Kind::Source {
            all.insert(table);
        }
        if let Some(own) = sources.get_mut(table) {
            *own = all;
        }
    }
}

/// Which sources are read before which, directly or not.
#[derive(Default)]
struct Before(BTreeSet<(usize, usize)>);

impl Before {
    /// Notes that all of `first` are read before any of `later`; false if that cannot be.
    fn promise(&mut self, first: &BTreeSet<usize>, later: &BTreeSet<usize>) -> bool {
        let pairs = || first.iter().flat_map(|f| later.iter().map(move |l| (*f, *l)));
        if pairs().any(|(first, later)| first == later || self.0.contains(&(later, first))) {
            return false;
        }
        for (first, later) in pairs() {
            self.note(first, later);
        }
        true
    }

    /// Notes a pair and all that follows from it.
    fn note(&mut self, first: usize, later: usize) {
        let with = |end: usize, of: fn(&(usize, usize)) -> (usize, usize)| {
            let all = self.0.iter().map(of).filter(move |(at, _)| *at == end);
            let mut all: Vec<usize> = all.map(|(_, other)| other).collect();
            all.push(end);
            all
        };
        let above = with(first, |(first, later)| (*later, *first));
        let below = with(later, |pair| *pair);
        self.0.extend(above.iter().flat_map(|a| below.iter().map(move |b| (*a, *b))));
    }
}
