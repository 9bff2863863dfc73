//! In which order pieces leave: as they were cut, whichever ends first. A mark keeps its place
//! between them. Pure.

use std::collections::VecDeque;

/// Pieces that have not left yet, and the marks `M` between them; `F` is how one failed.
#[derive(Debug)]
pub struct Queue<M, F> {
    entries: VecDeque<Entry<M, F>>,
    opened: u64,
    /// Whether any piece failed, its turn come or not.
    broken: bool,
    /// Whether a failure left: nothing does any more.
    over: bool,
}

#[derive(Debug)]
enum Entry<M, F> {
    Piece { number: u64, has_turn: bool, end: Option<Result<(), F>> },
    Mark(M),
}

/// What leaves next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<M, F> {
    /// It is this piece's turn: its output goes straight on from now.
    Turn(u64),
    /// This piece has ended well, as have all before it.
    Settled(u64),
    /// All before it has left.
    Mark(M),
    /// This piece is the first of those that failed. It is the last that leaves.
    Failed(u64, F),
}

impl<M, F> Default for Queue<M, F> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), opened: 0, broken: false, over: false }
    }
}

impl<M, F> Queue<M, F> {
    /// Puts a piece behind all others; returns its number, from 0.
    pub fn open(&mut self) -> u64 {
        let number = self.opened;
        self.opened += 1;
        self.entries.push_back(Entry::Piece { number, has_turn: false, end: None });
        number
    }

    /// Puts a mark behind all others.
    pub fn mark(&mut self, mark: M) {
        self.entries.push_back(Entry::Mark(mark));
    }

    /// Takes note of how a piece ended.
    pub fn end(&mut self, ended: u64, how: Result<(), F>) {
        self.broken |= how.is_err();
        let piece = self.entries.iter_mut().find_map(|entry| match entry {
            Entry::Piece { number, end, .. } if *number == ended => Some(end),
            Entry::Piece { .. } | Entry::Mark(_) => None,
        });
        if let Some(end) = piece {
            *end = Some(how);
        }
    }

    /// Tells whether any piece failed: another one would be begun in vain.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Gives what leaves next; none while a piece is waited for.
    pub fn leave(&mut self) -> Option<Next<M, F>> {
        if self.over {
            return None;
        }
        match self.entries.front_mut()? {
            Entry::Piece { number, has_turn, .. } if !*has_turn => {
                *has_turn = true;
                return Some(Next::Turn(*number));
            }
            Entry::Piece { end: None, .. } => return None,
            Entry::Piece { .. } | Entry::Mark(_) => {}
        }
        Some(match self.entries.pop_front()? {
            Entry::Mark(mark) => Next::Mark(mark),
            Entry::Piece { number, end: Some(Err(failure)), .. } => {
                self.over = true;
                Next::Failed(number, failure)
            }
            Entry::Piece { number, .. } => Next::Settled(number),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::Just, prelude::Strategy, prop_assert_eq, proptest};

    use super::{Next, Queue};
    use crate::words::trials::at_least;

    /// Pieces, each with whether it fails and whether a mark stands behind it, and the order in
    /// which they end.
    fn pieces() -> impl Strategy<Value = (Vec<(bool, bool)>, Vec<usize>)> {
        let piece = (proptest::bool::weighted(0.1), proptest::bool::ANY);
        collection::vec(piece, 0..12).prop_flat_map(|pieces| {
            let order: Vec<usize> = (0..pieces.len()).collect();
            (Just(pieces), Just(order).prop_shuffle())
        })
    }

    proptest! {
        #![proptest_config(at_least(512))]
        #[test]
        fn they_leave_as_they_were_cut_up_to_the_first_that_failed((pieces, order) in pieces()) {
            let (mut queue, mut wanted) = (Queue::default(), Vec::new());
            for (fails, marked) in &pieces {
                let number = queue.open();
                if *marked {
                    queue.mark(number);
                }
                if !matches!(wanted.last(), Some(Next::Failed(..))) {
                    wanted.push(Next::Turn(number));
                    wanted.push(if *fails {
                        Next::Failed(number, ())
                    } else {
                        Next::Settled(number)
                    });
                    if *marked && !fails {
                        wanted.push(Next::Mark(number));
                    }
                }
            }
            let mut left: Vec<Next<u64, ()>> = std::iter::from_fn(|| queue.leave()).collect();
            prop_assert_eq!(left.len(), usize::from(!pieces.is_empty()), "only the first has its turn");
            for ended in order {
                let (fails, _) = pieces[ended];
                queue.end(ended as u64, if fails { Err(()) } else { Ok(()) });
                left.extend(std::iter::from_fn(|| queue.leave()));
            }
            prop_assert_eq!(left, wanted);
            prop_assert_eq!(queue.is_broken(), pieces.iter().any(|(fails, _)| *fails));
        }
    }

    #[test]
    fn a_mark_before_any_piece_leaves_at_once() {
        let mut queue: Queue<&str, ()> = Queue::default();
        queue.mark("m");
        assert_eq!(queue.leave(), Some(Next::Mark("m")));
        assert_eq!(queue.leave(), None);
    }
}
