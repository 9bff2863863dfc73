//! Listeners: they read what a run tells and turn it into what people and programs read.
//!
//! A listener steers nothing. All it can say is that it failed, and then the run ends otherwise
//! than it would have, but does not stop.

mod bottleneck;
mod closing;
pub mod depfile;
pub mod events;
mod findings;
#[cfg(test)]
mod fixtures;
mod github;
mod gitlab;
mod history;
mod html;
mod json;
mod junit;
mod markdown;
mod reports;
mod sarif;
mod show;
mod summary;
pub mod terminal;
mod whole;

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

pub use findings::Around;
pub use junit::tested;
pub use reports::{Format, Reports};
pub use whole::{Target, TargetError};

use crate::words::event::{Event, Stamped};
use crate::words::outcome::Exit;

/// Reads the events of a run, one by one.
pub trait Listener: Send {
    /// Takes in an event. After an error the listener is not called again.
    fn on(&mut self, event: &Stamped) -> Result<(), ReportError>;

    /// Ends the listening; also called where the run broke off without a `run_finished`.
    fn finish(&mut self) -> Vec<ReportError> {
        Vec::new()
    }
}

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the `{report}` report `{}`", shown_path(.path))]
pub struct ReportError {
    /// Which report.
    pub report: &'static str,
    /// Where it was to go.
    pub path: PathBuf,
    /// Why it could not.
    #[source]
    pub why: TargetError,
}

impl ReportError {
    /// Returns the end of the run that this leads to.
    pub fn exit(&self) -> Exit {
        self.why.exit()
    }
}

fn shown_path(path: &Path) -> String {
    show::shown(path.as_os_str().as_encoded_bytes())
}

/// Reads events until the run is finished, and hands each to every listener in turn. (The end
/// of the channel is not waited for: a table that is stuck may hold on to it.)
///
/// Runs on a thread of its own. A listener that fails is dropped; the events are read on even
/// when none is left, since the run waits where nobody takes them.
pub fn listen(
    events: Receiver<Stamped>,
    mut listeners: Vec<Box<dyn Listener>>,
) -> Vec<ReportError> {
    let mut errors = Vec::new();
    for event in events {
        listeners.retain_mut(|listener| match listener.on(&event) {
            Ok(()) => true,
            Err(error) => {
                errors.push(error);
                false
            }
        });
        if matches!(event.event, Event::RunFinished(_)) {
            break;
        }
    }
    errors.extend(listeners.iter_mut().flat_map(|listener| listener.finish()));
    errors
}

#[cfg(test)]
mod tests;
