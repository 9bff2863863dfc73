//! Ending a worker: asked first, killed when its grace is over. Its pipes are drained meanwhile
//! by whoever reads them, or a chatty program could never end.

use std::time::Duration;

use rustix::net::SendFlags;
use rustix::process::{Pid, Signal};
use tokio::net::unix::OwnedWriteHalf;

use crate::child::guard::{KILL, TERM};
use crate::words::belt::{Stop, StopSign, stopped};
use crate::words::clock;

/// Where commands to a guard go in.
#[derive(Debug)]
pub struct Remote {
    guard: Pid,
    socket: OwnedWriteHalf,
}

impl Remote {
    /// Wraps a guard that is not reaped yet, and the sending half of its socket.
    pub fn new(guard: Pid, socket: OwnedWriteHalf) -> Self {
        Self { guard, socket }
    }

    /// Sends a command. A guard that is gone needs none, and a few bytes always fit.
    pub fn tell(&self, command: u8) {
        // Not by the runtime, which would have to hear first that a new socket can be written to.
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        rustix::net::send(self.socket.as_ref(), &[command], flags).ok();
        // Its worker may have stopped it, and it would never hear of this.
        rustix::process::kill_process(self.guard, Signal::CONT).ok();
    }
}

/// How far the ladder was climbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// The grace passed: the worker had to be killed.
    GraceOver,
    /// The user did not want to wait.
    AtOnce,
}

/// Waits for the stop, asks the worker to end, and kills it when its grace is over or the stop
/// turns urgent. Meant to be raced against the worker's end: it returns once it has killed.
pub async fn ladder(remote: &Remote, grace: Duration, sign: &mut StopSign) -> Rung {
    stopped(sign, Stop::Abort).await;
    remote.tell(TERM);
    let rung = tokio::select! {
        () = clock::sleep(grace) => Rung::GraceOver,
        () = stopped(sign, Stop::Kill) => Rung::AtOnce,
    };
    remote.tell(KILL);
    rung
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::{KILL, Remote};

    /// A start that is interrupted kills a guard that it made a moment ago.
    #[tokio::test]
    async fn a_socket_that_was_never_waited_for_takes_commands() {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let (reports, commands) = tokio::net::UnixStream::from_std(ours).unwrap().into_split();
        Remote::new(rustix::process::getpid(), commands).tell(KILL);
        drop(reports);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, [KILL]);
    }
}
