//! Whatever workers do and however they die, each record has one fate, and nobody has too much.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{Desk, Next, Parcel};
use crate::plan::{Dispatch, InFlight, Pool as PoolPlan, Reply};
use crate::stage::order::{Outcome, Refusal};
use crate::words::buffer::Pool;
use crate::words::dead_letter::Trace;
use crate::words::id::Name;
use crate::words::policy::{OnCrash, Order};
use crate::words::record::{Batch, Lines, Origin, Position, Split};
use crate::words::units::Restarts;

fn plan(workers: u32, records: usize) -> PoolPlan {
    PoolPlan {
        reply: Reply::Records { ready: false },
        workers,
        dispatch: Dispatch::RoundRobin,
        in_flight: InFlight { records, bytes: 1 << 20 },
        order: Order::Input,
        restarts: Restarts { count: 3, period: Duration::from_mins(1) },
        on_crash: OnCrash::Retry,
        record_timeout: None,
    }
}

/// Records `{"id":N,"k":N % 5}`.
fn batch(first: u64, count: u64) -> Arc<Batch> {
    let line = |id: u64| format!("{{\"id\":{id},\"k\":{}}}\n", id % 5);
    let text: Vec<String> = (first..first + count).map(line).collect();
    let mut buffer = Pool::new(4096).take(text.concat().len());
    let (mut lines, mut filled) = (Lines::default(), 0);
    for (line, number) in text.iter().zip(first..) {
        buffer[filled..filled + line.len()].copy_from_slice(line.as_bytes());
        let at = Position { line: number + 1, offset: filled as u64 };
        lines.push(filled, filled + line.len(), at);
        filled += line.len();
    }
    let origin = Arc::new(Origin { table: Name::internal("in"), file: None });
    let split = Split { input: 0, start: 0, end: None };
    Arc::new(Batch::new(buffer, lines, first, origin, split).proven())
}

fn desk(plan: &PoolPlan) -> Desk {
    let mut desk = Desk::new(plan);
    for worker in 0..plan.workers as usize {
        desk.open(worker);
    }
    desk
}

fn refusal(attempts: u32) -> Refusal {
    Refusal { errors: Vec::new(), trace: Trace { attempts, ..Trace::default() } }
}

/// The ids in the requests that a worker's feeder finds.
fn mail(desk: &mut Desk, worker: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    while let Next::Parcel(parcel) = desk.next(worker) {
        let Parcel::Requests(requests) = parcel else { panic!("{parcel:?}") };
        for line in String::from_utf8(requests).unwrap().lines() {
            let id = line.strip_prefix("{\"id\":").and_then(|rest| rest.split(',').next());
            ids.push(id.unwrap().parse().unwrap());
        }
    }
    ids
}

#[test]
fn what_is_there_is_divided_among_all() {
    let mut desk = desk(&plan(4, 256));
    desk.admit(batch(0, 10));
    desk.give_out();
    let sizes: Vec<usize> = (0..4).map(|worker| mail(&mut desk, worker).len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 10);
    assert!(sizes.iter().all(|size| (2..=3).contains(size)), "{sizes:?}");
}

#[test]
fn none_is_given_out_before_all_are_there() {
    let mut desk = Desk::new(&plan(2, 256));
    desk.admit(batch(0, 10));
    desk.open(0);
    desk.give_out();
    assert_eq!(mail(&mut desk, 0), Vec::<u64>::new());
    desk.open(1);
    desk.give_out();
    assert_eq!(mail(&mut desk, 0).len(), 5);
}

#[test]
fn one_that_comes_in_the_place_of_one_that_never_came_is_the_one_to_wait_for() {
    let mut desk = Desk::new(&plan(2, 256));
    desk.admit(batch(0, 10));
    desk.open(0);
    desk.crashed(1, refusal);
    desk.give_out();
    assert_eq!(mail(&mut desk, 0), Vec::<u64>::new());
    desk.open(1);
    desk.crashed(0, refusal);
    desk.open(0);
    desk.give_out();
    assert_eq!((mail(&mut desk, 0).len(), mail(&mut desk, 1).len()), (5, 5));
}

#[test]
fn who_never_came_keeps_nobody_from_ending() {
    let mut desk = Desk::new(&plan(2, 256));
    desk.open(0);
    desk.end();
    desk.crashed(1, refusal);
    assert!(!desk.needs(1), "there is nothing to do");
    assert!(matches!(desk.next(0), Next::Close));
}

#[test]
fn a_window_of_one_is_one() {
    let mut desk = desk(&plan(1, 1));
    desk.admit(batch(0, 3));
    for id in 0..3 {
        desk.give_out();
        assert_eq!(mail(&mut desk, 0), [id]);
        desk.answer(0, id, Outcome::Kept).unwrap();
    }
    desk.end();
    assert!(matches!(desk.next(0), Next::Close));
}

#[test]
fn a_key_has_one_worker() {
    let mut desk = desk(&PoolPlan { dispatch: Dispatch::By("/k".into()), ..plan(3, 4) });
    let mut workers: BTreeMap<u64, usize> = BTreeMap::new();
    desk.admit(batch(0, 60));
    for _ in 0..60 {
        desk.give_out();
        for worker in 0..3 {
            let ids = mail(&mut desk, worker);
            assert!(ids.len() <= 4 && ids.is_sorted(), "{ids:?}");
            for id in ids {
                assert_eq!(*workers.entry(id % 5).or_insert(worker), worker, "{id}");
                desk.answer(worker, id, Outcome::Kept).unwrap();
            }
        }
    }
    desk.end();
    assert!(desk.order.take(false).is_some() && desk.is_through());
}

#[test]
fn an_answer_that_is_nobodys_is_named() {
    let mut desk = desk(&plan(2, 2));
    desk.admit(batch(0, 8));
    desk.give_out();
    assert_eq!((mail(&mut desk, 0), mail(&mut desk, 1)), (vec![0, 1], vec![2, 3]));
    assert!(!desk.has_gap(0), "it may be on the first yet");
    let mut wrong = |id| desk.answer(0, id, Outcome::Kept).unwrap_err();
    assert_eq!(wrong(2), "a reply for id 2, which worker 1 was given");
    assert_eq!(wrong(5), "a reply for id 5, which it was not given");
    assert_eq!(wrong(8), "a reply for id 8, which was never given out");
    desk.answer(0, 1, Outcome::Kept).unwrap();
    let twice = desk.answer(0, 1, Outcome::Kept).unwrap_err();
    assert_eq!(twice, "a second reply for id 1");
    assert_eq!((desk.outstanding(0), desk.oldest(0)), (1, Some(0)));
    assert!(desk.has_gap(0), "it answered one that came later");
}

#[test]
fn what_was_with_one_that_died_is_tried_alone() {
    let mut desk = desk(&plan(1, 4));
    desk.admit(batch(0, 6));
    desk.give_out();
    assert_eq!(mail(&mut desk, 0), [0, 1, 2, 3]);
    desk.answer(0, 1, Outcome::Kept).unwrap();
    desk.crashed(0, refusal);
    desk.open(0);
    desk.give_out();
    assert_eq!(mail(&mut desk, 0), [0], "alone");
    assert_eq!(desk.attempts(0), 2);
    // It is the one: the next worker gets the others, one after the other, then the rest.
    desk.crashed(0, refusal);
    let mut order = Vec::new();
    desk.open(0);
    desk.end();
    while desk.needs(0) || desk.outstanding(0) > 0 {
        desk.give_out();
        let ids = mail(&mut desk, 0);
        order.push(ids.clone());
        for id in ids {
            desk.answer(0, id, Outcome::Kept).unwrap();
        }
    }
    assert_eq!(order, [vec![2], vec![3], vec![4, 5]]);
    let leaving = desk.order.take(false).unwrap();
    assert_eq!(leaving.refused.len(), 1);
    assert_eq!((leaving.refused[0].at.line, leaving.refused[0].refusal.trace.attempts), (1, 2));
}

#[test]
fn nothing_is_tried_again_that_must_not_be() {
    let mut desk = desk(&PoolPlan { on_crash: OnCrash::Reject, ..plan(1, 1) });
    desk.admit(batch(0, 2));
    desk.give_out();
    assert_eq!(mail(&mut desk, 0), [0]);
    desk.crashed(0, refusal);
    desk.open(0);
    desk.give_out();
    assert_eq!(mail(&mut desk, 0), [1]);
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(512))]

    #[test]
    fn each_record_has_one_fate_whoever_dies(
        workers in 1u32..5,
        window in 1usize..6,
        sizes in proptest::collection::vec(1u64..9, 1..5),
        turns in proptest::collection::vec((any::<u8>(), any::<u8>()), 400),
        keyed in any::<bool>(),
    ) {
        let dispatch = if keyed { Dispatch::By("/k".into()) } else { Dispatch::RoundRobin };
        let mut desk = desk(&PoolPlan { dispatch, ..plan(workers, window) });
        let mut with: Vec<Vec<u64>> = vec![Vec::new(); workers as usize];
        let (mut all, mut left, mut refused) = (0, Vec::new(), 0);
        let mut sizes = sizes.into_iter();
        for (who, what) in turns.into_iter().chain(std::iter::repeat_n((0, 0), 3000)) {
            if what % 4 == 0 {
                match sizes.next() {
                    Some(size) => {
                        desk.admit(batch(all, size));
                        all += size;
                    }
                    None => desk.end(),
                }
            }
            desk.give_out();
            for (worker, with) in with.iter_mut().enumerate() {
                with.extend(mail(&mut desk, worker));
                prop_assert!(with.len() <= window);
                prop_assert_eq!(with.len(), desk.outstanding(worker));
            }
            // Later, when nobody dies any more, each has its turn.
            let worker = if what == 0 { (0..with.len()).find(|w| !with[*w].is_empty()).unwrap_or(0) }
                else { usize::from(who) % with.len() };
            if what % 16 == 15 {
                with[worker].clear();
                desk.crashed(worker, refusal);
                desk.open(worker);
            } else if !with[worker].is_empty() {
                let index = usize::from(what) % with[worker].len();
                let id = with[worker].remove(index);
                prop_assert!(desk.answer(worker, id, Outcome::Kept).is_ok());
            }
            while let Some(leaving) = desk.order.take(false) {
                refused += leaving.refused.len();
                left.extend(leaving.refused.iter().map(|refused| refused.at.line));
                let batch = leaving.batch.iter().flat_map(|batch| batch.iter());
                left.extend(batch.map(|record| record.at.line));
            }
            if desk.is_through() {
                break;
            }
        }
        prop_assert!(desk.is_through());
        left.sort_unstable();
        prop_assert_eq!(left, (1..=all).collect::<Vec<u64>>());
        prop_assert!(refused as u64 <= all);
        for worker in 0..with.len() {
            prop_assert!(matches!(desk.next(worker), Next::Close));
        }
    }
}

#[test]
fn who_is_not_ready_does_not_get_the_end_either() {
    let mut desk = Desk::new(&plan(2, 256));
    desk.open(0);
    desk.end();
    assert!(matches!(desk.next(0), Next::Close));
    assert!(matches!(desk.next(1), Next::Wait), "it may still die of its start");
    desk.open(1);
    assert!(matches!(desk.next(1), Next::Close));
}
