//! Where several tables send into one channel as it comes: each that has sent a mark waits until
//! the others have, too. So whoever takes from the channel finds one mark, with all that belongs
//! before it before it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::words::marks::Mark;

/// The senders of one channel.
#[derive(Debug)]
pub struct Align(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How many of them the marks of each source come to.
    expected: Vec<usize>,
    arrived: usize,
    waiting: Vec<oneshot::Sender<()>>,
    /// Whether one broke off, so that no mark will ever be whole again.
    over: bool,
}

/// What a sender finds that has come to a mark.
#[derive(Debug)]
pub enum Arrival {
    /// It is the last: it sends the mark, then lets the others go by dropping these.
    Last(Vec<oneshot::Sender<()>>),
    /// It waits until this ends, in whatever way, before it sends on.
    Wait(oneshot::Receiver<()>),
}

impl Align {
    /// Prepares for marks that come to so many senders, for each source in its turn.
    pub fn new(expected: Vec<usize>) -> Self {
        let (arrived, waiting) = (0, Vec::new());
        Self(Mutex::new(State { expected, arrived, waiting, over: false }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that one more sender has come to a mark.
    pub fn arrive(&self, mark: Mark) -> Arrival {
        let mut state = self.state();
        state.arrived += 1;
        let (tell, told) = oneshot::channel();
        if state.over {
            return Arrival::Wait(told);
        }
        if state.expected.get(mark.source as usize).is_some_and(|all| state.arrived >= *all) {
            state.arrived = 0;
            return Arrival::Last(std::mem::take(&mut state.waiting));
        }
        state.waiting.push(tell);
        Arrival::Wait(told)
    }

    /// Notes that a sender broke off: nobody waits any more.
    pub fn give_up(&self) {
        let mut state = self.state();
        state.over = true;
        state.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Align, Arrival};
    use crate::words::marks::Mark;

    fn mark(number: u64, source: u32) -> Mark {
        Mark { number, source, end: false }
    }

    #[test]
    fn the_last_to_come_lets_the_others_go() {
        let align = Align::new(vec![1, 3]);
        assert!(matches!(align.arrive(mark(1, 0)), Arrival::Last(waiting) if waiting.is_empty()));
        let Arrival::Wait(mut one) = align.arrive(mark(2, 1)) else { panic!("two are missing") };
        let Arrival::Wait(mut two) = align.arrive(mark(2, 1)) else { panic!("one is missing") };
        assert!(
            one.try_recv().is_err_and(|e| e == tokio::sync::oneshot::error::TryRecvError::Empty)
        );
        let Arrival::Last(waiting) = align.arrive(mark(2, 1)) else { panic!("all have come") };
        assert_eq!(waiting.len(), 2);
        drop(waiting);
        for told in [&mut one, &mut two] {
            assert!(
                told.try_recv()
                    .is_err_and(|e| e == tokio::sync::oneshot::error::TryRecvError::Closed)
            );
        }
        assert!(matches!(align.arrive(mark(3, 0)), Arrival::Last(_)), "the next one begins anew");
    }

    #[test]
    fn nobody_waits_for_one_that_broke_off() {
        let align = Align::new(vec![2]);
        let Arrival::Wait(one) = align.arrive(mark(1, 0)) else { panic!("one is missing") };
        align.give_up();
        assert!(one.blocking_recv().is_err());
        let Arrival::Wait(late) = align.arrive(mark(1, 0)) else { panic!("it never is whole") };
        assert!(late.blocking_recv().is_err());
    }
}
