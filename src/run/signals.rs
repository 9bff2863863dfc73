//! The signals that a run understands.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end; with the signal's number.
    End(i32),
    /// To pause, as Ctrl-Z does.
    Pause,
    /// To go on.
    Resume,
}

/// The handlers. They stay installed to the end of the process.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    quit: Signal,
    stop: Signal,
    resume: Signal,
    /// A file-size limit must be an error of the write, not the end of the process. A handler,
    /// unlike an ignored signal, is not handed down to children.
    _file_size: Signal,
}

impl Signals {
    /// Installs the handlers.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
            resume: signal(SignalKind::from_raw(libc::SIGCONT))?,
            _file_size: signal(SignalKind::from_raw(libc::SIGXFSZ))?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::End(libc::SIGINT),
            _ = self.terminate.recv() => Asked::End(libc::SIGTERM),
            _ = self.hangup.recv() => Asked::End(libc::SIGHUP),
            _ = self.quit.recv() => Asked::End(libc::SIGQUIT),
            _ = self.stop.recv() => Asked::Pause,
            _ = self.resume.recv() => Asked::Resume,
        }
    }
}
