//! Where several tables send into one channel as it comes: what a table sends behind a mark waits
//! here until the others have come to that mark, too. So whoever takes finds one mark, with all
//! that belongs before it before it. Pure.
//!
//! Nobody who sends ever waits for another, and what waits here is bounded: if it is too much, the
//! marks in it are given up. They are of use, but nothing depends on a single one.

use std::collections::VecDeque;

use crate::words::belt::Flow;
use crate::words::marks::Mark;

/// How many bytes may wait for a mark.
const MOST: usize = 8 << 20;

/// What some tables send, in order.
#[derive(Debug)]
pub struct Gather {
    /// How many of them the marks of each source come to.
    expected: Vec<usize>,
    senders: Vec<Sender>,
    /// How many of them are at the mark that is waited for.
    arrived: usize,
    /// Marks up to this number are given up.
    given_up: u64,
    /// Bytes that wait.
    bytes: usize,
    ready: VecDeque<Flow>,
}

#[derive(Debug, Default)]
struct Sender {
    /// The mark that it has come to.
    at: Option<Mark>,
    /// What it sent behind that.
    behind: VecDeque<Flow>,
}

impl Gather {
    /// Prepares for marks that come to so many senders, for each source in its turn.
    pub fn new(expected: Vec<usize>) -> Self {
        let (senders, ready) = (Vec::new(), VecDeque::new());
        Self { expected, senders, arrived: 0, given_up: 0, bytes: 0, ready }
    }

    /// Takes in what a sender sent.
    pub fn put(&mut self, sender: usize, flow: Flow) {
        if self.senders.len() <= sender {
            self.senders.resize_with(sender + 1, Sender::default);
        }
        let Some(own) = self.senders.get_mut(sender) else { return };
        if own.at.is_none() {
            return self.pass(sender, flow);
        }
        self.bytes += flow.held();
        own.behind.push_back(flow);
        if self.bytes > MOST {
            self.give_up();
        }
    }

    /// Gives what is next, if that is known.
    pub fn take(&mut self) -> Option<Flow> {
        self.ready.pop_front()
    }

    /// Gives up all marks that are waited for: what waits is next, as it is.
    pub fn give_up(&mut self) {
        let mut marks = Vec::new();
        for sender in &mut self.senders {
            marks.extend(sender.at.take());
            for flow in sender.behind.drain(..) {
                match flow {
                    Flow::Mark(mark) => marks.push(mark),
                    flow => self.ready.push_back(flow),
                }
            }
        }
        (self.arrived, self.bytes) = (0, 0);
        self.given_up = marks.iter().map(|mark| mark.number).fold(self.given_up, u64::max);
    }

    /// Passes on what a sender sent that is at no mark.
    fn pass(&mut self, sender: usize, flow: Flow) {
        let mark = match flow {
            Flow::Mark(mark) => mark,
            flow => return self.ready.push_back(flow),
        };
        if mark.number <= self.given_up {
            return;
        }
        if let Some(own) = self.senders.get_mut(sender) {
            own.at = Some(mark);
            self.arrived += 1;
        }
        if self.expected.get(mark.source as usize).is_some_and(|all| self.arrived >= *all) {
            self.ready.push_back(Flow::Mark(mark));
            self.release();
        }
    }

    /// Lets go on who was at a mark that all have come to.
    fn release(&mut self) {
        self.arrived = 0;
        self.senders.iter_mut().for_each(|sender| sender.at = None);
        for sender in 0..self.senders.len() {
            // The last one may come to a next mark that all have come to: then this is over.
            while let Some(own) = self.senders.get_mut(sender).filter(|own| own.at.is_none())
                && let Some(flow) = own.behind.pop_front()
            {
                self.bytes -= flow.held();
                self.pass(sender, flow);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
    use proptest::{collection, sample};

    use super::{Gather, MOST};
    use crate::words::belt::Flow;
    use crate::words::buffer::Pool;
    use crate::words::id::Name;
    use crate::words::marks::Mark;
    use crate::words::record::{Batch, Lines, Origin, Position, Split};

    /// A batch of one record, which says who sent it and behind how many marks.
    fn batch(sender: usize, marks: u64, room: usize) -> Flow {
        let mut buffer = Pool::new(room.max(64)).take(room.max(64));
        let text = format!("{sender} {marks}\n");
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        let mut lines = Lines::default();
        lines.push(0, text.len(), Position { line: 1, offset: 0 });
        let origin = Arc::new(Origin { table: Name::internal("t"), file: None });
        let split = Split { input: 0, start: 0, end: None };
        Flow::Batch(Arc::new(Batch::new(buffer, lines, 0, origin, split)))
    }

    fn mark(number: u64) -> Flow {
        Flow::Mark(Mark { number, source: 0, end: false, full: true })
    }

    fn said(flow: &Flow) -> (usize, u64) {
        let Flow::Batch(batch) = flow else { panic!("{flow:?}") };
        let text = String::from_utf8(batch.slices().collect::<Vec<_>>().concat()).unwrap();
        let (sender, marks) = text.trim_end().split_once(' ').unwrap();
        (sender.parse().unwrap(), marks.parse().unwrap())
    }

    proptest! {
        /// However the senders are interleaved: between two marks is what each sent between them.
        #[test]
        fn a_mark_parts_what_all_sent_before_it_from_what_all_sent_behind(
            order in collection::vec(sample::select(&[0usize, 1, 2][..]), 0..200),
            marked in 2u64..4,
        ) {
            let mut gather = Gather::new(vec![3]);
            let (mut turns, mut marks) = ([0u64; 3], [0u64; 3]);
            let mut flows = Vec::new();
            let mut put = |gather: &mut Gather, sender: usize| {
                turns[sender] += 1;
                if turns[sender].is_multiple_of(marked) {
                    marks[sender] += 1;
                    gather.put(sender, mark(marks[sender]));
                } else {
                    gather.put(sender, batch(sender, marks[sender], 0));
                }
                flows.extend(std::iter::from_fn(|| gather.take()));
            };
            for sender in &order {
                put(&mut gather, *sender);
            }
            // Whoever is behind comes to the same mark, as tables do.
            for _ in 0..1000 {
                put(&mut gather, 0);
                put(&mut gather, 1);
                put(&mut gather, 2);
            }
            let mut passed = 0;
            for flow in &flows {
                match flow {
                    Flow::Mark(mark) => {
                        prop_assert_eq!(mark.number, passed + 1);
                        passed = mark.number;
                    }
                    flow => prop_assert_eq!(said(flow).1, passed),
                }
            }
            prop_assert!(passed >= 200);
        }
    }

    #[test]
    fn what_waits_is_bounded_and_nothing_of_it_is_lost() {
        let mut gather = Gather::new(vec![2]);
        gather.put(0, mark(1));
        let (mut sent, mut got) = (0, 0);
        while gather.ready.is_empty() {
            gather.put(0, batch(0, 1, 1 << 20));
            gather.put(0, mark(sent + 2));
            sent += 1;
            assert!(gather.bytes <= MOST && sent < 20);
        }
        while let Some(flow) = gather.take() {
            assert!(matches!(flow, Flow::Batch(_)));
            got += 1;
        }
        assert_eq!(got, sent);
        // The other comes to these marks when they are given up; the last one is whole again.
        (1..=sent).for_each(|number| gather.put(1, mark(number)));
        assert!(gather.take().is_none());
        gather.put(1, mark(sent + 1));
        assert!(matches!(gather.take(), Some(Flow::Mark(mark)) if mark.number == sent + 1));
    }
}
