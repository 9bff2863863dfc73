//! The end of a worker, for those who would otherwise wait in vain for its pipes or its input.

use std::time::Duration;

use tokio::sync::watch;

use crate::words::clock;

/// How long a pipe of a worker that ended may stay silent before it is given up. All its
/// descendants are gone by then; only a stranger that was handed the pipe can hold it open.
const HELD: Duration = Duration::from_millis(200);

/// How long after a worker that failed at its start a first record may come: what it was to be
/// given is counted as in doubt, but cannot be waited for.
const FIRST: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Lives,
    Ended,
    /// In a way that is a failure whatever its input was.
    Failed,
}

/// Who tells it. One that is dropped without a word never tells.
#[derive(Debug)]
pub struct Herald(watch::Sender<Life>);

/// Who waits for it.
#[derive(Clone, Debug)]
pub struct Ended(watch::Receiver<Life>);

/// Makes both sides, the worker still alive.
pub fn ended() -> (Herald, Ended) {
    let (herald, ended) = watch::channel(Life::Lives);
    (Herald(herald), Ended(ended))
}

impl Herald {
    /// Tells that the worker has ended, and whether in a way that is always a failure.
    pub fn tell(&self, failed: bool) {
        self.0.send_replace(if failed { Life::Failed } else { Life::Ended });
    }
}

impl Ended {
    /// Waits until the worker has ended.
    pub async fn over(&mut self) {
        self.until(|life| life != Life::Lives).await;
    }

    /// Waits until it ended so long ago that whoever still holds its pipes is a stranger.
    pub async fn pipes_over(&mut self) {
        self.over().await;
        clock::sleep(HELD).await;
    }

    /// Waits until it failed so long ago that no further input can excuse it.
    pub async fn failed(&mut self) {
        self.until(|life| life == Life::Failed).await;
        clock::sleep(FIRST).await;
    }

    async fn until(&mut self, come: impl Fn(Life) -> bool) {
        if self.0.wait_for(|life| come(*life)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
