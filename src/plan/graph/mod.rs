//! Who feeds whom: pure, on names and indices, so that it can be tested by the thousand.
//!
//! Tables are known by their place in the file. Whoever calls this turns a [`Fault`] into words.

mod turns;

use std::collections::HashMap;

use crate::config::suggest::nearest;
use crate::words::ledger::Port;

/// What stands behind a table's name where its dead letters are meant.
const REJECTS: &str = ".rejects";

/// What a table is, as far as wiring goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It hands on and takes nothing.
    Source,
    /// It takes and hands on.
    Stage,
    /// It takes and hands on nothing.
    Sink,
}

/// A table, as far as wiring goes.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
    /// The tables it says it takes from; without it, the nearest above that hands on.
    pub inputs: Option<Vec<&'a str>>,
    /// Whether what it hands on goes to a file of its own.
    pub output: bool,
    /// Whether it takes from all inputs as records come, not from one after the other.
    pub mixed: bool,
}

/// What a table takes from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The other.
    pub from: usize,
    /// What it takes from it: its records, or its dead letters.
    pub port: Port,
    /// Whether what comes has to be kept in a file until its turn: see [`turns`].
    pub spooled: bool,
}

/// How the tables hang together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// For each table what it takes, in the order it names it.
    pub inputs: Vec<Vec<Link>>,
    /// All tables, each behind what feeds it, otherwise in file order.
    pub order: Vec<usize>,
}

impl Graph {
    /// Tells whether some table takes the dead letters of another as records.
    pub fn takes_rejects_of(&self, table: usize) -> bool {
        let mut links = self.inputs.iter().flatten();
        links.any(|link| link.from == table && link.port == Port::Rejects)
    }
}

/// Something wrong with the wiring. `input` counts within the table's `inputs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Two tables have one name.
    Clash {
        /// The one above.
        first: usize,
        /// The one below.
        second: usize,
    },
    /// A stage or sink without `inputs` stands above all that hands on.
    NothingAbove(usize),
    /// `inputs` is empty.
    NoInputs(usize),
    /// `inputs` names no table.
    Unknown {
        /// The table.
        table: usize,
        /// Which of its inputs.
        input: usize,
        /// The table that may have been meant.
        nearest: Option<usize>,
        /// What was to be taken from it.
        port: Port,
    },
    /// `inputs` names a sink.
    FromSink {
        /// The table.
        table: usize,
        /// Which of its inputs.
        input: usize,
        /// The sink.
        sink: usize,
    },
    /// `inputs` names a table twice.
    Twice {
        /// The table.
        table: usize,
        /// Which of its inputs, the second time.
        input: usize,
    },
    /// The tables feed each other in a ring, each fed by the one before it.
    Cycle(Vec<usize>),
    /// Nobody takes what a source or stage hands on.
    Unused(usize),
}

/// Wires tables given in file order, and finds all that is wrong with it.
pub fn wire(nodes: &[Node<'_>]) -> (Graph, Vec<Fault>) {
    let mut faults = Vec::new();
    let names = index(nodes, &mut faults);
    let mut guessed = false;
    let mut inputs = Vec::with_capacity(nodes.len());
    for (table, node) in nodes.iter().enumerate() {
        let before = faults.len();
        inputs.push(match (&node.inputs, node.kind) {
            (_, Kind::Source) => Vec::new(),
            (None, _) => above(nodes, table, &mut faults),
            (Some(written), _) => resolve(nodes, &names, table, written, &mut faults),
        });
        guessed |= faults.iter().skip(before).any(|fault| {
            matches!(fault, Fault::Unknown { nearest: None, .. } | Fault::NoInputs(_))
        });
    }
    let mut taken = vec![false; nodes.len()];
    for link in inputs.iter().flatten().filter(|link| link.port == Port::Out) {
        if let Some(taken) = taken.get_mut(link.from) {
            *taken = true;
        }
    }
    // Where an input is lost, whoever seems unused may be the one that was meant.
    if !guessed {
        let unused = nodes
            .iter()
            .zip(taken)
            .enumerate()
            .filter(|(_, (node, taken))| node.kind != Kind::Sink && !node.output && !taken);
        faults.extend(unused.map(|(table, _)| Fault::Unused(table)));
    }
    let order = sort(&inputs, &mut faults);
    turns::spool(nodes, &order, &mut inputs);
    (Graph { inputs, order }, faults)
}

fn index<'a>(nodes: &[Node<'a>], faults: &mut Vec<Fault>) -> HashMap<&'a str, usize> {
    let mut names = HashMap::with_capacity(nodes.len());
    for (second, node) in nodes.iter().enumerate() {
        let first = *names.entry(node.name).or_insert(second);
        if first != second {
            faults.push(Fault::Clash { first, second });
        }
    }
    names
}

/// The nearest source or stage above a table.
fn above(nodes: &[Node<'_>], table: usize, faults: &mut Vec<Fault>) -> Vec<Link> {
    let mut earlier = nodes.iter().enumerate().take(table).rev();
    if let Some((from, _)) = earlier.find(|(_, node)| node.kind != Kind::Sink) {
        return vec![Link { from, port: Port::Out, spooled: false }];
    }
    faults.push(Fault::NothingAbove(table));
    Vec::new()
}

fn resolve(
    nodes: &[Node<'_>],
    names: &HashMap<&str, usize>,
    table: usize,
    written: &[&str],
    faults: &mut Vec<Fault>,
) -> Vec<Link> {
    if written.is_empty() {
        faults.push(Fault::NoInputs(table));
    }
    let kind = |index: usize| nodes.get(index).map(|node| node.kind);
    let mut found: Vec<Link> = Vec::with_capacity(written.len());
    for (input, written) in written.iter().enumerate() {
        let (name, port) = match written.strip_suffix(REJECTS) {
            Some(name) => (name, Port::Rejects),
            None => (*written, Port::Out),
        };
        let known = names.get(name).copied();
        let from = match known {
            Some(sink) if kind(sink) == Some(Kind::Sink) => {
                faults.push(Fault::FromSink { table, input, sink });
                continue;
            }
            Some(from) => from,
            None => {
                let feeders = nodes.iter().filter(|node| node.kind != Kind::Sink);
                let meant = nearest(name, feeders.map(|node| node.name));
                let nearest = meant.and_then(|name| names.get(name).copied());
                faults.push(Fault::Unknown { table, input, nearest, port });
                // Going on with what was meant keeps one slip from looking like two.
                let Some(from) = nearest else { continue };
                from
            }
        };
        if found.iter().any(|link| (link.from, link.port) == (from, port)) {
            // What was only meant may be named as well.
            faults.extend(known.map(|_| Fault::Twice { table, input }));
        } else {
            found.push(Link { from, port, spooled: false });
        }
    }
    found
}

/// Sorts so that each table stands behind what feeds it; what remains is in rings.
fn sort(inputs: &[Vec<Link>], faults: &mut Vec<Fault>) -> Vec<usize> {
    let mut order = Vec::with_capacity(inputs.len());
    let mut placed = vec![false; inputs.len()];
    let is = |placed: &[bool], index: &usize| placed.get(*index).copied().unwrap_or(true);
    loop {
        let ready = inputs.iter().enumerate().find(|(table, from)| {
            !is(&placed, table) && from.iter().all(|link| is(&placed, &link.from))
        });
        let Some((table, _)) = ready else { break };
        if let Some(place) = placed.get_mut(table) {
            *place = true;
        }
        order.push(table);
    }
    // A table that only hangs below a ring is no part of it: walking upwards from any table left
    // over ends in a ring, and each ring is told once.
    for start in 0..inputs.len() {
        let Some(ring) = ring(inputs, &placed, start) else {
            continue;
        };
        for table in &ring {
            if let Some(place) = placed.get_mut(*table) {
                *place = true;
            }
        }
        faults.push(Fault::Cycle(ring));
    }
    order
}

/// Walks upwards from `start` over tables that are not placed until one comes again.
fn ring(inputs: &[Vec<Link>], placed: &[bool], start: usize) -> Option<Vec<usize>> {
    let open = |index: &usize| placed.get(*index) == Some(&false);
    let mut path = Vec::new();
    let mut at = Some(start).filter(open);
    while let Some(table) = at {
        if let Some(first) = path.iter().position(|seen| *seen == table) {
            let mut ring = path.split_off(first);
            ring.reverse();
            // It has no beginning: it is told from the table that stands first in the file.
            let first = ring.iter().enumerate().min_by_key(|(_, table)| **table);
            let first = first.map_or(0, |(place, _)| place);
            ring.rotate_left(first);
            return Some(ring);
        }
        path.push(table);
        at = inputs.get(table).and_then(|from| from.iter().map(|link| link.from).find(open));
    }
    None
}

#[cfg(test)]
mod tests;
