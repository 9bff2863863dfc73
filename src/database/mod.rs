//! Connections to databases, for sources and sinks alike: how one is opened, what an error of it
//! means. What is read and written there is not known here.

pub mod postgres;
pub mod sqlite;
mod tls;

use std::io;

/// A runtime of one's own, for a connection that lives on the thread of whoever uses it.
#[derive(Debug)]
pub struct Own(Option<tokio::runtime::Runtime>);

impl Own {
    /// Makes one.
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Waits for something; not to be used where another runtime waits.
    pub fn wait<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        self.0.as_ref().map(|runtime| runtime.block_on(what))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // A run drops what it has where its own runtime waits: there, none may be waited for.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Does something on a thread of its own, and waits for it: for connections that are used where
/// another runtime waits.
pub fn aside<T: Send>(what: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| scope.spawn(what).join().ok())
}
