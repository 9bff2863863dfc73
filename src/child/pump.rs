//! The two pipes of a worker, without blocking and with few wake-ups.
//!
//! With a real child the cost is not copying but waking: it reads and writes in small pieces,
//! and once a pipe has been polled, the kernel wakes the poller at every one of them, wanted or
//! not; even looking makes the child wait, as both need the pipe's lock. So where the pieces are
//! small, a pump does not look again at once: the thread rests for a millisecond, in which they
//! gather, and then sees to all of its pipes.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::Notify;

/// A piece of fewer bytes is a small one, of more a large one.
const SMALL: usize = 16 << 10;
const LARGE: usize = 64 << 10;

/// How long to rest.
const REST: Duration = Duration::from_millis(1);

/// So many more small pieces than large ones must have come before the first rest: a start, an
/// end and a single record have a few, and should not wait for anything.
const PATIENCE: u32 = 16;

/// How the pumps of a thread rest: together.
#[derive(Clone, Debug, Default)]
pub struct Rhythm(Arc<Beat>);

#[derive(Debug, Default)]
struct Beat {
    /// How many more small pieces than large ones there were lately.
    small: AtomicU32,
    /// For how many microseconds pumps want to rest, at most; 0 where none does.
    asked: AtomicU32,
    /// Whom to wake when the rest is over.
    rested: Notify,
}

impl Rhythm {
    fn moved(&self, bytes: usize) {
        let small = self.0.small.load(Ordering::Relaxed);
        let small = match bytes {
            0..SMALL => (small + 1).min(2 * PATIENCE),
            SMALL..LARGE => small,
            LARGE.. => small.saturating_sub(1),
        };
        self.0.small.store(small, Ordering::Relaxed);
    }

    /// Tells whether a pump that moved a small piece should rest before the next.
    fn is_choppy(&self) -> bool {
        self.0.small.load(Ordering::Relaxed) > PATIENCE
    }

    /// Rests for so long at most; then something happened, maybe to another pipe.
    async fn rest(&self, most: Duration) {
        let micros = u32::try_from(most.as_micros()).unwrap_or(u32::MAX);
        let asked = self.0.asked.load(Ordering::Relaxed);
        let least = if asked == 0 { micros } else { asked.min(micros) };
        self.0.asked.store(least, Ordering::Relaxed);
        self.0.rested.notified().await;
    }

    /// To be called by the runtime's thread whenever it is about to wait.
    #[expect(clippy::disallowed_methods, reason = "resting is the point: see the module's head")]
    pub fn before_waiting(&self) {
        let micros = self.0.asked.swap(0, Ordering::Relaxed);
        if micros > 0 {
            std::thread::sleep(Duration::from_micros(micros.into()));
        }
    }

    /// To be called by the runtime's thread whenever it has waited. It waits for events of any
    /// pipe, so who rests misses none.
    pub fn after_waiting(&self) {
        self.0.rested.notify_waiters();
    }
}

/// The writing end of a worker's stdin.
#[derive(Debug)]
pub struct Writer {
    pipe: Sender,
    rhythm: Rhythm,
    /// Whether the last piece was a small one.
    small: bool,
}

/// The worker closed its stdin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl Writer {
    /// Takes a pipe's writing end, which must not block.
    pub fn new(pipe: OwnedFd, rhythm: Rhythm) -> io::Result<Self> {
        Ok(Self { pipe: Sender::from_owned_fd_unchecked(pipe)?, rhythm, small: false })
    }

    /// Writes some of `bytes`, waiting for room. Cancelling it loses nothing: what was written
    /// has been returned.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<Result<usize, Closed>> {
        loop {
            match self.pipe.try_write(bytes) {
                Ok(count) => {
                    self.rhythm.moved(count);
                    self.small = count < SMALL;
                    return Ok(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Err(Closed)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if std::mem::take(&mut self.small) && self.rhythm.is_choppy() {
                        self.rhythm.rest(REST).await;
                    } else {
                        self.pipe.writable().await?;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Tells whether nobody has the reading end any more, without writing anything.
    pub fn is_closed(&self) -> bool {
        let mut pipe = [PollFd::new(&self.pipe, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        // What cannot be asked is found out by the next write.
        poll(&mut pipe, Some(&now)).is_ok() && pipe[0].revents().contains(PollFlags::ERR)
    }

    /// Closes the pipe; the returned look tells later what was never read.
    ///
    /// A second reading end is opened just before: its presence keeps the rest in the pipe.
    pub fn close(self) -> io::Result<Unread> {
        let reader = crate::child::spawn::second_reader(&self.pipe)?;
        drop(self);
        Ok(Unread(reader))
    }

    /// Tells how many bytes wait in the pipe.
    pub fn unread(&self) -> Option<u64> {
        rustix::io::ioctl_fionread(self.pipe.as_fd()).ok()
    }
}

/// A look at a pipe whose writing end is closed.
#[derive(Debug)]
pub struct Unread(OwnedFd);

impl Unread {
    /// Tells how many bytes are still in the pipe.
    pub fn bytes(&self) -> io::Result<u64> {
        Ok(rustix::io::ioctl_fionread(&self.0)?)
    }
}

/// The reading end of a worker's stdout or stderr.
#[derive(Debug)]
pub struct Reader {
    pipe: Receiver,
    rhythm: Rhythm,
    /// For how long to rest where small pieces come.
    rest: Duration,
    /// Whether the last piece was a small one.
    small: bool,
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// So many bytes.
    Bytes(usize),
    /// Nothing: [`Reader::ready`] tells when there is more.
    Idle,
    /// The end: nobody holds the writing end any more.
    End,
}

impl Reader {
    /// Takes a pipe's reading end, which must not block.
    pub fn new(pipe: OwnedFd, rhythm: Rhythm) -> io::Result<Self> {
        let pipe = Receiver::from_owned_fd_unchecked(pipe)?;
        Ok(Self { pipe, rhythm, rest: REST, small: false })
    }

    /// Rests for at most so long where small pieces come: who writes may wait for an answer.
    pub fn rest_at_most(&mut self, rest: Duration) {
        self.rest = rest.min(REST);
    }

    /// Reads what there is into `room`, without waiting.
    pub fn read(&mut self, room: &mut [u8]) -> io::Result<Found> {
        if self.small && !self.rest.is_zero() && self.rhythm.is_choppy() {
            return Ok(Found::Idle);
        }
        loop {
            match self.pipe.try_read(room) {
                Ok(0) => return Ok(Found::End),
                Ok(count) => {
                    self.rhythm.moved(count);
                    self.small = count < SMALL;
                    return Ok(Found::Bytes(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.small = false;
                    return Ok(Found::Idle);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until it is worth reading again.
    pub async fn ready(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.small) && !self.rest.is_zero() && self.rhythm.is_choppy() {
            self.rhythm.rest(self.rest).await;
            return Ok(());
        }
        self.pipe.readable().await
    }
}
