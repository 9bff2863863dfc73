//! What a belt does to its records, in memory: the simplest thing that could be right.

use std::collections::HashSet;

use proptest::prelude::{Strategy, any, prop};

/// What a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file of so many lines, some of which are no JSON.
    Source(u32),
    /// A filter that passes everything.
    Cat,
    /// A filter that leaves out what holds `"s":"b"`.
    Sed,
    /// Two workers that reply with what they get.
    Lines,
    /// Rejects what has no `id`, or one that 3 does not divide.
    Schema,
    /// Leaves out what has no `id`, or a larger one.
    Select(u32),
    /// Rejects what has no `id`, or one that came before.
    Unique,
    /// A file; `true`: what comes is written as it comes.
    Sink(bool),
}

/// What a table takes: from which, and whether its dead letters.
pub(super) type Input = (usize, bool);

/// A table of a belt; the ones it takes from stand above it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) kind: Kind,
    pub(super) inputs: Vec<Input>,
}

/// A record, or a dead letter of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    Line(String),
    Letter { by: usize, of: Box<Thing>, at: Place },
}

/// Where a record stood first: whose, and which line.
pub(super) type Place = (usize, u64);

/// What a table did.
#[derive(Clone, Debug, Default)]
pub(super) struct Did {
    pub(super) taken: u64,
    pub(super) out: Vec<(Thing, Place)>,
    pub(super) rejects: Vec<(Thing, Place)>,
    pub(super) dropped: u64,
}

/// The lines of a source: ids repeat, and differ in `s`.
pub(super) fn lines(index: usize, count: u32) -> Vec<String> {
    let line = |n: u32| {
        if n % 11 == 7 {
            return format!("no JSON {n}");
        }
        let s = if n.is_multiple_of(4) { "b" } else { "a" };
        let id = (n * 7 + u32::try_from(index).unwrap()) % (count / 2 + 1);
        format!("{{\"id\":{id},\"s\":\"{s}\",\"n\":{n}}}")
    };
    (1..=count).map(line).collect()
}

fn id(thing: &Thing) -> Option<u32> {
    let Thing::Line(line) = thing else { return None };
    let rest = line.strip_prefix("{\"id\":")?;
    rest.split_once(',')?.0.parse().ok()
}

fn holds_b(thing: &Thing) -> bool {
    match thing {
        Thing::Line(line) => line.contains("\"s\":\"b\""),
        Thing::Letter { of, .. } => holds_b(of),
    }
}

/// Runs all tables, each on all that comes, one after the other.
pub(super) fn run(tables: &[Table]) -> Vec<Did> {
    let mut all: Vec<Did> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let come = table.inputs.iter().flat_map(|(from, rejects)| {
            if *rejects { all[*from].rejects.clone() } else { all[*from].out.clone() }
        });
        let come: Vec<(Thing, Place)> = come.collect();
        all.push(treat(index, table.kind, come));
    }
    all
}

fn treat(index: usize, kind: Kind, come: Vec<(Thing, Place)>) -> Did {
    let mut did = Did { taken: come.len() as u64, ..Did::default() };
    let mut seen = HashSet::new();
    if let Kind::Source(count) = kind {
        for (number, line) in (1..).zip(lines(index, count)) {
            let bad = line.starts_with("no JSON");
            did.hand_on(index, !bad, Thing::Line(line), (index, number));
        }
        did.taken = count.into();
    }
    for (thing, at) in come {
        match kind {
            Kind::Source(_) => unreachable!("a source takes nothing"),
            Kind::Sink(_) | Kind::Lines => did.out.push((thing, at)),
            Kind::Cat | Kind::Sed if kind == Kind::Cat || !holds_b(&thing) => {
                did.out.push((thing, (index, did.out.len() as u64 + 1)));
            }
            Kind::Cat | Kind::Sed => {}
            Kind::Schema => {
                let good = id(&thing).is_some_and(|id| id.is_multiple_of(3));
                did.hand_on(index, good, thing, at);
            }
            Kind::Unique => {
                let good = id(&thing).is_some_and(|id| seen.insert(id));
                did.hand_on(index, good, thing, at);
            }
            Kind::Select(max) => {
                if id(&thing).is_some_and(|id| id <= max) {
                    did.out.push((thing, at));
                } else {
                    did.dropped += 1;
                }
            }
        }
    }
    did
}

impl Did {
    fn hand_on(&mut self, by: usize, good: bool, thing: Thing, at: Place) {
        if good {
            self.out.push((thing, at));
        } else {
            self.rejects.push((Thing::Letter { by, of: Box::new(thing), at }, at));
        }
    }
}

/// Belts of up to nine tables and a sink for each that nobody takes from.
pub(super) fn belts() -> impl Strategy<Value = Vec<Table>> {
    let kinds = prop::sample::select(
        &[
            Kind::Source(0),
            Kind::Source(40),
            Kind::Source(60_000),
            Kind::Cat,
            Kind::Sed,
            Kind::Lines,
            Kind::Schema,
            Kind::Schema,
            Kind::Select(3000),
            Kind::Unique,
            Kind::Sink(false),
            Kind::Sink(true),
        ][..],
    );
    let picks = prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..4);
    prop::collection::vec((kinds, picks), 1..9).prop_map(|wanted| {
        let mut tables: Vec<Table> = Vec::new();
        for (kind, picks) in wanted {
            let hands_on = |table: &Table| !matches!(table.kind, Kind::Sink(_));
            let above: Vec<usize> =
                (0..tables.len()).filter(|index| hands_on(&tables[*index])).collect();
            let source = matches!(kind, Kind::Source(_));
            let kind = if above.is_empty() && !source { Kind::Source(500) } else { kind };
            let mut inputs: Vec<Input> = Vec::new();
            for (pick, rejects) in picks.iter().filter(|_| !above.is_empty() && !source) {
                let from = *pick.get(&above);
                let rejects = *rejects && can_reject(tables[from].kind);
                if !inputs.contains(&(from, rejects)) {
                    inputs.push((from, rejects));
                }
            }
            tables.push(Table { kind, inputs });
        }
        for index in 0..tables.len() {
            let taken = tables.iter().any(|table| table.inputs.contains(&(index, false)));
            if !taken && !matches!(tables[index].kind, Kind::Sink(_)) {
                tables.push(Table { kind: Kind::Sink(false), inputs: vec![(index, false)] });
            }
        }
        tables
    })
}

/// Whether a table may have dead letters.
pub(super) fn can_reject(kind: Kind) -> bool {
    !matches!(kind, Kind::Cat | Kind::Sed | Kind::Sink(_))
}
