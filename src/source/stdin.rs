//! Standard input, and whatever else may keep a reader waiting: pipes, terminals, devices.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::source::{Input, Read, Reader, Source, Trouble};
use crate::words::outcome::{Exit, Failure};
use crate::words::record::Split;

/// Standard input as a source.
#[derive(Debug)]
pub struct Stdin {
    wake: OwnedFd,
}

impl Stdin {
    /// Makes the source; `wake` becomes readable when the run stops.
    pub fn new(wake: OwnedFd) -> Self {
        Self { wake }
    }
}

impl Source for Stdin {
    fn inputs(&self) -> Vec<Input> {
        vec![Input { end: None }]
    }

    fn open(&self, _split: Split) -> Result<Box<dyn Reader>, Failure> {
        let unreadable =
            |error: io::Error| Failure::new(Exit::World, format!("cannot read stdin: {error}"));
        let input = io::stdin().as_fd().try_clone_to_owned().map_err(unreadable)?;
        let wake = self.wake.try_clone().map_err(unreadable)?;
        Ok(Box::new(Waiting::new(input, wake)))
    }

    fn name_of(&self, _input: u32) -> Arc<str> {
        "-".into()
    }

    fn total(&self) -> Option<u64> {
        None
    }
}

/// A reader that waits for its input and for the end of the run at once.
#[derive(Debug)]
pub struct Waiting<F> {
    input: F,
    wake: OwnedFd,
    told_idle: bool,
}

impl<F: AsFd> Waiting<F> {
    /// Makes the reader.
    pub fn new(input: F, wake: OwnedFd) -> Self {
        Self { input, wake, told_idle: false }
    }
}

impl<F: AsFd + Send> Reader for Waiting<F> {
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble> {
        let mut fds =
            [PollFd::new(&self.input, PollFlags::IN), PollFd::new(&self.wake, PollFlags::IN)];
        // The first time nothing is there, say so at once; the second time, wait.
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let patience = if self.told_idle { None } else { Some(&at_once) };
        let ready = poll(&mut fds, patience).map_err(io::Error::from)?;
        if !fds[1].revents().is_empty() {
            return Ok(Read::Stopped);
        }
        if ready == 0 {
            self.told_idle = true;
            return Ok(Read::Idle);
        }
        self.told_idle = false;
        Ok(Read::Bytes(rustix::io::read(&self.input, room).map_err(io::Error::from)?))
    }
}
