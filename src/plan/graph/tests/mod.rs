//! Wiring on small graphs by hand and on random ones by the thousand.

mod model;

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::{Fault, Graph, Kind, Node, Port, wire};

fn node<'a>(kind: Kind, name: &'a str, inputs: &[&'a str]) -> Node<'a> {
    let inputs = (!inputs.is_empty()).then(|| inputs.to_vec());
    Node { name, kind, inputs, output: false, mixed: false }
}

fn feeders(graph: &Graph) -> Vec<Vec<usize>> {
    let from = |links: &Vec<super::Link>| links.iter().map(|link| link.from).collect();
    graph.inputs.iter().map(from).collect()
}

/// Names what is spooled: who takes it, from whom.
fn spooled<'a>(nodes: &[Node<'a>]) -> Vec<(&'a str, &'a str)> {
    let (graph, faults) = wire(nodes);
    assert_eq!(faults, []);
    let named = nodes.iter().zip(&graph.inputs);
    let spooled = named.flat_map(|(node, links)| {
        let links = links.iter().filter(|link| link.spooled);
        links.map(|link| (node.name, nodes[link.from].name))
    });
    spooled.collect()
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
    assert_eq!(feeders(&graph), [vec![], vec![0], vec![0], vec![2]]);
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
    let (nearest, port) = (Some(1), Port::Out);
    assert_eq!(faults, [Fault::Unknown { table: 2, input: 0, nearest, port }]);
    let nodes = [node(Kind::Source, "in", &[]), node(Kind::Sink, "out", &["elsewhere"])];
    let nearest = None;
    assert_eq!(wire(&nodes).1, [Fault::Unknown { table: 1, input: 0, nearest, port }]);
    let nodes = [
        node(Kind::Source, "in", &[]),
        node(Kind::Sink, "good", &["in"]),
        node(Kind::Sink, "bad", &["inn.rejects"]),
    ];
    let (nearest, port) = (Some(0), Port::Rejects);
    assert_eq!(wire(&nodes).1, [Fault::Unknown { table: 2, input: 0, nearest, port }]);
}

#[test]
fn dead_letters_are_an_edge_like_any_other() {
    let nodes = [
        node(Kind::Source, "in", &[]),
        node(Kind::Stage, "validate", &["in", "repair"]),
        node(Kind::Stage, "repair", &["validate.rejects"]),
        node(Kind::Sink, "out", &["validate"]),
    ];
    assert_eq!(wire(&nodes).1, [Fault::Cycle(vec![1, 2])]);
    let nodes = [
        node(Kind::Source, "in", &[]),
        node(Kind::Stage, "validate", &["in"]),
        node(Kind::Sink, "bad", &["validate.rejects"]),
    ];
    assert_eq!(wire(&nodes).1, [Fault::Unused(1)], "its records go nowhere");
    let nodes = [
        node(Kind::Source, "in", &[]),
        node(Kind::Sink, "both", &["in", "in.rejects"]),
        node(Kind::Sink, "twice", &["in.rejects", "in.rejects"]),
    ];
    assert_eq!(wire(&nodes).1, [Fault::Twice { table: 2, input: 1 }]);
}

#[test]
fn only_what_would_wait_for_itself_is_spooled() {
    let two = [node(Kind::Source, "a", &[]), node(Kind::Source, "b", &[])];
    let with = |more: &[Node<'static>]| [&two[..], more].concat();
    assert_eq!(spooled(&with(&[node(Kind::Sink, "ab", &["a", "b"])])), []);
    let same = [node(Kind::Sink, "ab", &["a", "b"]), node(Kind::Sink, "again", &["a", "b"])];
    assert_eq!(spooled(&with(&same)), []);
    let crossed = [node(Kind::Sink, "ab", &["a", "b"]), node(Kind::Sink, "ba", &["b", "a"])];
    assert_eq!(spooled(&with(&crossed)), [("ba", "a")]);
    let branches = [
        node(Kind::Stage, "left", &["a"]),
        node(Kind::Stage, "right", &["a"]),
        node(Kind::Sink, "out", &["left", "b", "right", "right.rejects"]),
    ];
    let all = with(&branches);
    assert_eq!(spooled(&all), [("out", "right"), ("out", "right")]);
    let mut mixed = all;
    mixed[4].mixed = true;
    assert_eq!(spooled(&mixed), []);
}

const NAMES: [&str; 8] = ["a", "bb", "ccc", "dddd", "eeeee", "ffffff", "ggggggg", "hhhhhhhh"];

/// Up to eight tables, each of any kind and with any inputs.
fn tables() -> impl Strategy<Value = Vec<Node<'static>>> {
    let inputs = prop::option::of(prop::collection::vec(prop::sample::select(&NAMES[..]), 0..4));
    let kinds = prop::sample::select(&[Kind::Source, Kind::Stage, Kind::Stage, Kind::Sink][..]);
    let table = (kinds, inputs, any::<bool>());
    prop::collection::vec(table, 0..NAMES.len()).prop_map(|tables| {
        let named = tables.into_iter().zip(NAMES);
        let node =
            |((kind, inputs, output), name)| Node { name, kind, inputs, output, mixed: false };
        named.map(node).collect()
    })
}

const REJECTS: [&str; 8] = [
    "a.rejects",
    "bb.rejects",
    "ccc.rejects",
    "dddd.rejects",
    "eeeee.rejects",
    "ffffff.rejects",
    "ggggggg.rejects",
    "hhhhhhhh.rejects",
];

/// Tables that take from those above them only, each from up to four, or as they come.
fn belts() -> impl Strategy<Value = Vec<Node<'static>>> {
    let picks = prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..5);
    let kinds = prop::sample::select(&[Kind::Source, Kind::Stage, Kind::Stage, Kind::Sink][..]);
    let table = (kinds, picks, prop::bool::weighted(0.2));
    prop::collection::vec(table, 2..NAMES.len()).prop_map(|tables| {
        let mut nodes: Vec<Node<'static>> = Vec::new();
        for (place, (kind, picks, mixed)) in tables.into_iter().enumerate() {
            let feeders: Vec<usize> =
                (0..place).filter(|place| nodes[*place].kind != Kind::Sink).collect();
            let kind = if feeders.is_empty() { Kind::Source } else { kind };
            let mut inputs: Vec<&'static str> = Vec::new();
            for (pick, rejects) in picks.iter().filter(|_| kind != Kind::Source) {
                let from = *pick.get(&feeders);
                let name = if *rejects { REJECTS[from] } else { NAMES[from] };
                if !inputs.contains(&name) {
                    inputs.push(name);
                }
            }
            let inputs = (kind != Kind::Source).then_some(inputs);
            nodes.push(Node { name: NAMES[place], kind, inputs, output: true, mixed });
        }
        nodes
    })
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(4096))]

    #[test]
    fn the_order_holds_or_a_ring_is_told(nodes in tables()) {
        let (graph, faults) = wire(&nodes);
        let inputs = feeders(&graph);
        for (place, table) in graph.order.iter().enumerate() {
            let above = &graph.order[..place];
            prop_assert!(inputs[*table].iter().all(|from| above.contains(from)));
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
                prop_assert!(inputs[*table].contains(before), "{ring:?}");
            }
        }
    }

    #[test]
    fn a_belt_never_waits_for_itself(nodes in belts(), turns in any::<u64>()) {
        let (graph, faults) = wire(&nodes);
        prop_assert_eq!(faults, []);
        let mut model = model::Model::new(&nodes, &graph, 5);
        prop_assert!(model.runs_to_its_end(turns), "{:?} {:?}", nodes, graph);
    }
}
