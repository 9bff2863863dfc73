//! Exit codes, one by one:
//!
//! | code | meaning |
//! |---|---|
//! | 0 | all accounted for, within the limits |
//! | 1 | the data is bad: more rejects than allowed, or an `invalid` exit code |
//! | 2 | what was written is wrong: command line, pipeline file, a missing program, an unsafe target |
//! | 3 | a stage is broken: crashed, protocol error, timeout, unexpected exit code |
//! | 4 | the world is wrong: input missing, folder unwritable, disk full |
//! | 5 | locked by another run, or resuming refused |
//! | 6 | the ledger does not balance |
//! | 70 | a bug in esteira |
//! | 129, 130, 131, 143 | a signal, which is raised again |

use std::process::ExitCode;

use crate::child::sys;
use crate::words::outcome::Exit;

/// Ends with the right code; after a signal, by that signal, so that a shell sees the cause.
pub(super) fn leave(exit: Exit) -> ExitCode {
    if let Exit::Signal(signal) = exit {
        sys::die_by(signal);
    }
    ExitCode::from(exit.code())
}
