//! A plan as a picture: who feeds whom, as text for people and in the language of Mermaid.

mod mermaid;
mod text;

pub use mermaid::mermaid;
pub use text::text;

use crate::plan::describe::{what_sink, what_source, whole_stage};
use crate::plan::{Plan, Work};
use crate::words::id::Name;
use crate::words::ledger::{Edge, Port};

/// Says what is worth a word beside an arrow, such as that records wait in a file there.
pub type Note<'a> = &'a dyn Fn(&Edge) -> Option<&'static str>;

/// What a table is, as far as a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Source,
    Program,
    Builtin,
    Sink,
    Letters,
}

/// A table.
struct Table<'a> {
    name: &'a Name,
    kind: Kind,
    what: String,
}

/// Who feeds whom, by places in the list of tables.
struct Arrow {
    from: usize,
    to: usize,
    rejects: bool,
    /// Its turn, from 1, where several feed the same table one after the other.
    turn: Option<usize>,
    /// What is to be said of it.
    note: Option<&'static str>,
}

/// All that is drawn, in the order of the belt.
struct Picture<'a> {
    tables: Vec<Table<'a>>,
    arrows: Vec<Arrow>,
}

impl<'a> Picture<'a> {
    fn new(plan: &'a Plan, note: Note<'_>) -> Self {
        let caller = &plan.caller;
        let sources = plan.sources.iter().map(|source| Table {
            name: &source.name,
            kind: Kind::Source,
            what: what_source(source, caller),
        });
        let stages = plan.stages.iter().map(|stage| Table {
            name: &stage.name,
            kind: match stage.work {
                Work::Program(_) => Kind::Program,
                Work::Builtin(_) => Kind::Builtin,
            },
            what: whole_stage(stage, caller),
        });
        let sinks = plan.sinks.iter().map(|sink| Table {
            name: &sink.name,
            kind: if sink.letters { Kind::Letters } else { Kind::Sink },
            what: what_sink(sink, caller),
        });
        let tables: Vec<Table<'_>> = sources.chain(stages).chain(sinks).collect();
        let arrows = plan.edges.iter().filter_map(|edge| arrow(plan, &tables, edge, note));
        Self { arrows: arrows.collect(), tables }
    }
}

fn arrow(plan: &Plan, tables: &[Table<'_>], edge: &Edge, note: Note<'_>) -> Option<Arrow> {
    let place = |name: &Name| tables.iter().position(|table| table.name == name);
    let to = place(&edge.to)?;
    let mut feeders = plan.edges.iter().filter(|other| other.to == edge.to);
    let several = feeders.clone().count() > 1;
    let turn = feeders.position(|other| other == edge).map(|place| place + 1);
    // Dead letters of several tables come as they come.
    let mixed = plan.mixed.contains(&edge.to);
    let ordered =
        several && !mixed && tables.get(to).is_some_and(|table| table.kind != Kind::Letters);
    Some(Arrow {
        from: place(&edge.from)?,
        to,
        rejects: edge.port == Port::Rejects,
        turn: turn.filter(|_| ordered),
        note: note(edge),
    })
}

#[cfg(test)]
mod tests;
