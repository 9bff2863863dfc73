//! Records leave in the order they came, whatever order they are settled in, and none is lost.

use std::sync::Arc;

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{Order, Outcome, Place, Refusal};
use crate::words::buffer::Pool;
use crate::words::dead_letter::Trace;
use crate::words::id::Name;
use crate::words::policy;
use crate::words::record::{Batch, Lines, Origin, Position, Split};

fn batch(first: u64, count: u64) -> Arc<Batch> {
    let text: Vec<String> = (first..first + count).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    let mut buffer = Pool::new(4096).take(text.concat().len());
    let (mut lines, mut filled) = (Lines::default(), 0);
    for (line, number) in text.iter().zip(first..) {
        let end = filled + line.len();
        buffer[filled..end].copy_from_slice(line.as_bytes());
        lines.push(filled, end, Position { line: number + 1, offset: number * 100 });
        // As if something stood between them, so that each has a place of its own.
        lines.gap();
        filled = end;
    }
    let origin = Arc::new(Origin { table: Name::internal("in"), file: Some("in".into()) });
    let split = Split { input: 0, start: 0, end: None };
    Arc::new(Batch::new(buffer, lines, first, origin, split).proven())
}

fn refusal() -> Refusal {
    Refusal { errors: Vec::new(), trace: Trace::default() }
}

/// What left: the bytes with their lines, what was dropped, and the lines that were refused.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    out: Vec<(Vec<u8>, u64)>,
    dropped: u64,
    refused: Vec<u64>,
}

fn drain(order: &mut Order, all: bool, left: &mut Left) {
    while let Some(leaving) = order.take(all) {
        left.dropped += leaving.dropped;
        left.refused.extend(leaving.refused.iter().map(|refused| refused.at.line));
        for record in leaving.batch.iter().flat_map(|batch| batch.iter()) {
            left.out.push((record.bytes.to_vec(), record.at.line));
        }
    }
}

#[test]
fn a_batch_that_nobody_changed_leaves_as_it_is() {
    let mut order = Order::new(policy::Order::Input, true);
    let came = batch(0, 5);
    for id in order.admit(Arc::clone(&came)).rev() {
        assert!(order.take(false).is_none());
        order.settle(id, Outcome::Kept);
    }
    let left = order.take(false).and_then(|leaving| leaving.batch).unwrap();
    assert!(Arc::ptr_eq(&left, &came));
    assert!(order.is_empty() && order.held() == 0);
}

#[test]
fn it_is_known_who_has_a_record() {
    let mut order = Order::new(policy::Order::Input, true);
    order.admit(batch(0, 3));
    order.give(1..3, 7);
    let places: Vec<Place> = (0..4).map(|id| order.place(id)).collect();
    assert_eq!(places, [Place::Waiting, Place::With(7), Place::With(7), Place::Never]);
    order.settle(1, Outcome::Dropped);
    order.take_back(2);
    assert_eq!((order.place(1), order.place(2)), (Place::Settled, Place::Waiting));
    assert_eq!(order.line(2), Some(&b"{\"id\":2}\n"[..]));
}

#[test]
fn replies_that_are_not_checked_prove_nothing() {
    for checked in [true, false] {
        let mut order = Order::new(policy::Order::Input, checked);
        let ids = order.admit(batch(0, 2));
        order.settle(ids.start, Outcome::Replaced(b"x"));
        order.settle(ids.start + 1, Outcome::Kept);
        let left = order.take(false).and_then(|leaving| leaving.batch).unwrap();
        assert_eq!(left.is_proven(), checked);
    }
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(1024))]

    #[test]
    fn nothing_is_lost_doubled_or_moved(
        sizes in proptest::collection::vec(1u64..6, 1..6),
        fates in proptest::collection::vec(0u8..5, 30),
        turns in proptest::collection::vec(any::<u16>(), 30),
        eager in any::<bool>(),
        ordered in any::<bool>(),
    ) {
        let policy = if ordered { policy::Order::Input } else { policy::Order::None };
        let mut order = Order::new(policy, true);
        let (mut open, mut want, mut left) = (Vec::new(), Left::default(), Left::default());
        let mut first = 0;
        for size in sizes {
            open.extend(order.admit(batch(first, size)));
            first += size;
        }
        for id in open.clone() {
            let line = format!("{{\"id\":{id}}}").into_bytes();
            match fates[usize::try_from(id).unwrap()] {
                0 | 1 => want.out.push((line, id + 1)),
                2 => want.out.push((format!("\"new {id}\"").into_bytes(), id + 1)),
                3 => want.dropped += 1,
                _ => want.refused.push(id + 1),
            }
        }
        for turn in turns.into_iter().chain(std::iter::repeat(0)) {
            if open.is_empty() {
                break;
            }
            let id = open.swap_remove(usize::from(turn) % open.len());
            let new = format!("\"new {id}\"");
            order.settle(id, match fates[usize::try_from(id).unwrap()] {
                0 | 1 => Outcome::Kept,
                2 => Outcome::Replaced(new.as_bytes()),
                3 => Outcome::Dropped,
                _ => Outcome::Rejected(refusal()),
            });
            // What comes late about a settled record changes nothing.
            order.settle(id, Outcome::Dropped);
            drain(&mut order, eager, &mut left);
            prop_assert!(!(eager && !ordered && order.waits()), "all that is settled has left");
        }
        prop_assert!(order.is_empty() && !order.waits());
        prop_assert_eq!(order.held(), 0);
        if !ordered {
            left.out.sort_by_key(|(_, line)| *line);
            left.refused.sort_unstable();
        }
        prop_assert_eq!(left, want);
    }
}
