//! The signals that a run understands.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::child::proc;

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
    interrupt: Option<Signal>,
    terminate: Signal,
    hangup: Option<Signal>,
    quit: Option<Signal>,
    stop: Signal,
    resume: Signal,
    /// A file-size limit must be an error of the write, not the end of the process. A handler,
    /// unlike an ignored signal, is not handed down to children.
    _file_size: FileSize,
}

/// That a file-size limit is an error of the write.
#[derive(Debug)]
pub struct FileSize(#[expect(dead_code, reason = "heard as long as it lives")] Signal);

impl FileSize {
    /// Installs the handler, which must be there before the first write.
    pub fn new() -> io::Result<Self> {
        signal(SignalKind::from_raw(libc::SIGXFSZ)).map(Self)
    }
}

impl Signals {
    /// Installs the handlers. What the caller ignores, as `nohup` does with SIGHUP and a shell
    /// with the keys of what it starts in the background, stays ignored.
    pub fn new(file_size: FileSize) -> io::Result<Self> {
        let ignored = proc::ignored_signals();
        let unless_ignored = |number: i32| {
            let heard = ignored & (1 << (number - 1)) == 0;
            heard.then(|| signal(SignalKind::from_raw(number))).transpose()
        };
        Ok(Self {
            interrupt: unless_ignored(libc::SIGINT)?,
            terminate: signal(SignalKind::terminate())?,
            hangup: unless_ignored(libc::SIGHUP)?,
            quit: unless_ignored(libc::SIGQUIT)?,
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
            resume: signal(SignalKind::from_raw(libc::SIGCONT))?,
            _file_size: file_size,
        })
    }

    /// Waits for one that asks to end, while there is nothing yet that could pause.
    pub async fn end(&mut self) -> i32 {
        loop {
            if let Asked::End(signal) = self.next().await {
                return signal;
            }
        }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            () = heard(&mut self.interrupt) => Asked::End(libc::SIGINT),
            _ = self.terminate.recv() => Asked::End(libc::SIGTERM),
            () = heard(&mut self.hangup) => Asked::End(libc::SIGHUP),
            () = heard(&mut self.quit) => Asked::End(libc::SIGQUIT),
            _ = self.stop.recv() => Asked::Pause,
            _ = self.resume.recv() => Asked::Resume,
        }
    }
}

async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
