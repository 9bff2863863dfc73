use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{Counts, Edge, Ledger, Port, SinkCounts, SourceCounts, StageCounts};
use crate::words::id::Name;

fn name(text: &str) -> Name {
    Name::internal(text)
}

fn edge(from: &str, port: Port, to: &str) -> Edge {
    Edge { from: name(from), port, to: name(to) }
}

/// A linear belt in which every record has a fate, chosen at random.
fn balanced() -> impl Strategy<Value = Ledger> {
    let small = 0u64..1_000_000;
    (
        [small.clone(), small.clone(), small.clone()],
        [small.clone(), small.clone(), small],
        any::<bool>(),
    )
        .prop_map(|([blank, rejected, out], [dropped, doubt, stage_out], published)| {
            let dropped = dropped.min(out);
            let in_doubt = doubt.min(out - dropped);
            let stage = StageCounts {
                r#in: out,
                accepted: out - dropped - in_doubt,
                rejected: 0,
                dropped,
                in_doubt,
                out: stage_out,
            };
            let (written, lost) = if published { (stage_out, 0) } else { (0, stage_out) };
            let sink =
                SinkCounts { r#in: stage_out, written, dropped: lost, ..SinkCounts::default() };
            let letters = SinkCounts { r#in: rejected, written: rejected, ..SinkCounts::default() };
            let source = SourceCounts { lines: blank + rejected + out, blank, rejected, out };
            Ledger {
                tables: vec![
                    (name("in"), Counts::Source(source)),
                    (name("stage"), Counts::Stage(stage)),
                    (name("out"), Counts::Sink(sink)),
                    (name("in.rejects"), Counts::Sink(letters)),
                ],
                edges: vec![
                    edge("in", Port::Out, "stage"),
                    edge("stage", Port::Out, "out"),
                    edge("in", Port::Rejects, "in.rejects"),
                ],
                one_reply: vec![],
            }
        })
}

/// Changes one count of the ledger by `by`, as a lost or doubled record would.
fn disturb(ledger: &mut Ledger, table: usize, field: usize, by: i64) {
    let table = table % ledger.tables.len();
    let Some((_, counts)) = ledger.tables.get_mut(table) else {
        return;
    };
    let mut fields: Vec<&mut u64> = match counts {
        Counts::Source(c) => vec![&mut c.lines, &mut c.blank, &mut c.rejected, &mut c.out],
        // A stream stage's `out` is counted apart: its twin is the sink's `in`.
        Counts::Stage(c) => vec![
            &mut c.r#in,
            &mut c.accepted,
            &mut c.rejected,
            &mut c.dropped,
            &mut c.in_doubt,
            &mut c.out,
        ],
        Counts::Sink(c) => {
            vec![&mut c.r#in, &mut c.written, &mut c.rejected, &mut c.dropped, &mut c.in_doubt]
        }
    };
    let count = fields.len();
    if let Some(field) = fields.get_mut(field % count) {
        **field = field.checked_add_signed(by).unwrap_or(**field + by.unsigned_abs());
    }
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(2048))]

    #[test]
    fn a_belt_where_every_record_has_a_fate_balances(ledger in balanced()) {
        prop_assert_eq!(ledger.imbalances(), vec![]);
    }

    #[test]
    fn one_record_lost_or_doubled_anywhere_shows(
        ledger in balanced(),
        table in 0usize..4,
        field in 0usize..6,
        by in Just(1i64).prop_union(Just(-1i64)),
    ) {
        let mut ledger = ledger;
        disturb(&mut ledger, table, field, by);
        prop_assert!(!ledger.imbalances().is_empty(), "{ledger:?}");
    }
}

#[test]
fn an_imbalance_names_its_place_and_both_sides() {
    let ledger = Ledger {
        tables: vec![
            (name("in"), Counts::Source(SourceCounts { lines: 3, blank: 0, rejected: 0, out: 3 })),
            (
                name("out"),
                Counts::Sink(SinkCounts { r#in: 2, written: 2, ..SinkCounts::default() }),
            ),
        ],
        edges: vec![edge("in", Port::Out, "out")],
        one_reply: vec![],
    };
    let found = ledger.imbalances();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].place.as_str(), found[0].left, found[0].right), ("in -> out", 3, 2));
}
