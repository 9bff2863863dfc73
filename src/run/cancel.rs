//! Why a run stops, and which reason wins: pure.

use crate::words::event::Ended;
use crate::words::outcome::{Exit, Failure};

/// The reasons so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cancel {
    reasons: Vec<Failure>,
    stopping: bool,
}

impl Cancel {
    /// Takes a reason. What happens to children once the stop began is a consequence of it and
    /// does not count; what happens to files, and signals, still does.
    pub fn add(&mut self, failure: Failure) {
        let consequence = matches!(failure.exit, Exit::Stage | Exit::Data);
        let counts = !(self.stopping && consequence);
        if counts && !self.reasons.contains(&failure) {
            self.reasons.push(failure);
        }
    }

    /// Notes that the stop begins; true the first time.
    pub fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.stopping, true)
    }

    /// Tells whether the stop began.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Returns the worst end among the reasons.
    pub fn exit(&self) -> Exit {
        self.reasons.iter().map(|f| f.exit).max().unwrap_or(Exit::Ok)
    }

    /// Adds what to try next to the worst reason.
    pub fn hint(&mut self, hint: String) {
        let worst = self.exit();
        if let Some(reason) = self.reasons.iter_mut().find(|failure| failure.exit == worst) {
            reason.hints.push(hint);
        }
    }

    /// Sums up how the run ended, worst first.
    pub fn ended(mut self) -> Ended {
        self.reasons.sort_by_key(|failure| std::cmp::Reverse(failure.exit));
        let exit = self.exit();
        let reason = self.reasons.first().map_or(exit.meaning().to_owned(), |f| f.message.clone());
        let hints = self.reasons.first().map(|f| f.hints.clone()).unwrap_or_default();
        Ended { code: exit, reason, hints, failures: self.reasons }
    }
}

#[cfg(test)]
mod tests {
    use super::Cancel;
    use crate::words::outcome::{Exit, Failure};

    #[test]
    fn the_worst_reason_wins_and_consequences_do_not_count() {
        let mut cancel = Cancel::default();
        assert_eq!(cancel.exit(), Exit::Ok);
        cancel.add(Failure::new(Exit::Data, "bad data"));
        assert_eq!(cancel.exit(), Exit::Data);
        cancel.add(Failure::new(Exit::Stage, "first"));
        assert!(cancel.begin() && !cancel.begin());
        cancel.add(Failure::new(Exit::Stage, "a consequence"));
        assert_eq!((cancel.exit(), cancel.reasons.len()), (Exit::Stage, 2));
        cancel.add(Failure::new(Exit::World, "disk full"));
        cancel.add(Failure::new(Exit::Signal(15), "SIGTERM"));
        cancel.add(Failure::new(Exit::World, "disk full"));
        assert_eq!((cancel.exit(), cancel.reasons.len()), (Exit::Signal(15), 4));
    }
}
