//! Wiring on small graphs by hand and on random ones by the thousand.

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::{Fault, Kind, Node, wire};

fn node<'a>(kind: Kind, name: &'a str, inputs: &[&'a str]) -> Node<'a> {
    Node { name, kind, inputs: (!inputs.is_empty()).then(|| inputs.to_vec()), output: false }
}

#[test]
fn what_is_left_out_is_the_nearest_above_that_hands_on() {
    let nodes = [
        node(Kind::Source, "in", &[]),
        node(Kind::Sink, "copy", &[]),
        node(Kind::Stage, "a", &[]),
        node(Kind::Sink, "out", &[]),
    ];
    let (graph, faults) = wire(&nodes);
    assert_eq!(faults, []);
    assert_eq!(graph.inputs, [vec![], vec![0], vec![0], vec![2]]);
    assert_eq!(graph.order, [0, 1, 2, 3]);
}

#[test]
fn tables_are_sorted_behind_what_feeds_them() {
    let nodes = [
        node(Kind::Sink, "out", &["b"]),
        node(Kind::Stage, "b", &["a"]),
        node(Kind::Stage, "a", &["in"]),
        node(Kind::Source, "in", &[]),
    ];
    let (graph, faults) = wire(&nodes);
    assert_eq!(faults, []);
    assert_eq!(graph.order, [3, 2, 1, 0]);
}

#[test]
fn each_fault_is_found_beside_the_others() {
    let nodes = [
        node(Kind::Sink, "early", &[]),
        node(Kind::Source, "in", &[]),
        node(Kind::Stage, "in", &[]),
        node(Kind::Stage, "a", &["b", "in", "in"]),
        node(Kind::Stage, "b", &["a", "early"]),
        node(Kind::Stage, "below", &["b"]),
    ];
    let (_, faults) = wire(&nodes);
    let expected = [
        Fault::Clash { first: 1, second: 2 },
        Fault::NothingAbove(0),
        Fault::Twice { table: 3, input: 2 },
        Fault::FromSink { table: 4, input: 1, sink: 0 },
        Fault::Unused(2),
        Fault::Unused(5),
        Fault::Cycle(vec![3, 4]),
    ];
    assert_eq!(faults, expected);
}

#[test]
fn a_slip_in_a_name_is_told_once() {
    let nodes = [
        node(Kind::Source, "in", &[]),
        node(Kind::Stage, "validate", &[]),
        node(Kind::Sink, "out", &["validat"]),
    ];
    let (_, faults) = wire(&nodes);
    let nearest = Some(1);
    assert_eq!(faults, [Fault::Unknown { table: 2, input: 0, nearest }]);
    let nodes = [node(Kind::Source, "in", &[]), node(Kind::Sink, "out", &["elsewhere"])];
    let nearest = None;
    assert_eq!(wire(&nodes).1, [Fault::Unknown { table: 1, input: 0, nearest }]);
    let nodes = [node(Kind::Source, "in", &[]), node(Kind::Sink, "out", &["in.rejects"])];
    assert_eq!(wire(&nodes).1, [Fault::FromRejects { table: 1, input: 0 }]);
}

const NAMES: [&str; 8] = ["a", "bb", "ccc", "dddd", "eeeee", "ffffff", "ggggggg", "hhhhhhhh"];

/// Up to eight tables, each of any kind and with any inputs.
fn tables() -> impl Strategy<Value = Vec<Node<'static>>> {
    let inputs = prop::option::of(prop::collection::vec(prop::sample::select(&NAMES[..]), 0..4));
    let kinds = prop::sample::select(&[Kind::Source, Kind::Stage, Kind::Stage, Kind::Sink][..]);
    let table = (kinds, inputs, any::<bool>());
    prop::collection::vec(table, 0..NAMES.len()).prop_map(|tables| {
        let named = tables.into_iter().zip(NAMES);
        let node = |((kind, inputs, output), name)| Node { name, kind, inputs, output };
        named.map(node).collect()
    })
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(4096))]

    #[test]
    fn the_order_holds_or_a_ring_is_told(nodes in tables()) {
        let (graph, faults) = wire(&nodes);
        for (place, table) in graph.order.iter().enumerate() {
            let above = &graph.order[..place];
            prop_assert!(graph.inputs[*table].iter().all(|from| above.contains(from)));
        }
        let rings: Vec<_> = faults
            .iter()
            .filter_map(|fault| match fault {
                Fault::Cycle(ring) => Some(ring),
                _ => None,
            })
            .collect();
        prop_assert_eq!(graph.order.len() == nodes.len(), rings.is_empty());
        for ring in rings {
            let before = ring.iter().cycle().skip(ring.len() - 1);
            for (table, before) in ring.iter().zip(before) {
                prop_assert!(graph.inputs[*table].contains(before), "{ring:?}");
            }
        }
    }
}
