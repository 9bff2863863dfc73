//! Who is next to hand on what was made: pure. Pieces of work get tickets in the order they are
//! taken; what is made of them leaves in that order, or as it is made where that was chosen.

use std::collections::BTreeMap;

use crate::words::policy::Order;

/// The tickets given out and what was made of them.
#[derive(Debug)]
pub(super) struct Turns<T> {
    order: Order,
    /// How many tickets may be out.
    most: u64,
    given: u64,
    left: u64,
    ready: BTreeMap<u64, T>,
    /// Whether somebody is handing on.
    busy: bool,
}

impl<T> Turns<T> {
    /// Starts with none; at most `most` tickets may be out at a time.
    pub(super) fn new(order: Order, most: u64) -> Self {
        Self { order, most, given: 0, left: 0, ready: BTreeMap::new(), busy: false }
    }

    /// Tells whether no ticket may be given just now.
    pub(super) fn is_full(&self) -> bool {
        self.given - self.left >= self.most
    }

    /// Gives a ticket.
    pub(super) fn give(&mut self) -> u64 {
        self.given += 1;
        self.given - 1
    }

    /// Brings back what was made for a ticket; true if the caller is now the one to hand on.
    pub(super) fn bring(&mut self, ticket: u64, made: T) -> bool {
        self.ready.insert(ticket, made);
        !std::mem::replace(&mut self.busy, true)
    }

    /// Takes what is to be handed on next; none ends the caller's turn.
    pub(super) fn next(&mut self) -> Option<T> {
        let made = match self.order {
            Order::Input => self.ready.remove(&self.left),
            Order::None => self.ready.pop_first().map(|(_, made)| made),
        };
        match made {
            Some(_) => self.left += 1,
            None => self.busy = false,
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::Turns;
    use crate::words::policy::Order;

    proptest! {
        #![proptest_config(crate::words::trials::at_least(512))]

        /// Some take tickets and bring back what they made in any order.
        #[test]
        fn everything_leaves_once_and_in_turn(
            steps in proptest::collection::vec(any::<(bool, u8)>(), 0..200),
            most in 1u64..8,
            ordered in any::<bool>(),
        ) {
            let order = if ordered { Order::Input } else { Order::None };
            let mut turns = Turns::new(order, most);
            let (mut out, mut seen) = (Vec::new(), Vec::new());
            let mut bring = |turns: &mut Turns<u64>, ticket: u64| {
                // Nobody is in the middle of handing on when one thread does all.
                assert!(turns.bring(ticket, ticket));
                while let Some(made) = turns.next() {
                    seen.push(made);
                }
            };
            for (take, which) in steps {
                if take && !turns.is_full() {
                    out.push(turns.give());
                } else if !out.is_empty() {
                    bring(&mut turns, out.swap_remove(usize::from(which) % out.len()));
                }
                prop_assert!(out.len() as u64 <= most);
            }
            while let Some(ticket) = out.pop() {
                bring(&mut turns, ticket);
            }
            let all: Vec<u64> = (0..turns.given).collect();
            if order == Order::None {
                seen.sort_unstable();
            }
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn one_hands_on_and_the_others_leave_it_to_that_one() {
        let mut turns = Turns::new(Order::Input, 3);
        let tickets = [turns.give(), turns.give(), turns.give()];
        assert!(turns.is_full());
        assert!(turns.bring(tickets[1], 'b'), "the first to come hands on");
        assert!(!turns.bring(tickets[0], 'a'), "another does so already");
        assert_eq!((turns.next(), turns.next(), turns.next()), (Some('a'), Some('b'), None));
        assert!(!turns.is_full() && turns.bring(tickets[2], 'c'));
    }
}
