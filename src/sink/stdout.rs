//! Standard output, FIFOs and devices: written through, outside the gate.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};

use crate::publish::files::{Files, OpenFile};
use crate::sink::{Durable, Sink};
use crate::words::record::Batch;

/// Standard output.
#[derive(Debug)]
pub struct Stdout {
    to: OwnedFd,
    written: u64,
}

impl Stdout {
    /// Takes a second handle to it: the standard library's own buffers lines.
    pub fn new() -> io::Result<Self> {
        Ok(Self { to: io::stdout().as_fd().try_clone_to_owned()?, written: 0 })
    }

    fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.to, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(rustix::io::Errno::INTR) => {}
                // Whoever gave us this descriptor may have set it not to block.
                Err(rustix::io::Errno::AGAIN) => {
                    poll(&mut [PollFd::new(&self.to, PollFlags::OUT)], None)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Sink for Stdout {
    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        batch.slices().try_for_each(|slice| self.write_all(slice))?;
        self.written += batch.len() as u64;
        Ok(())
    }

    fn persist(&mut self) -> io::Result<Durable> {
        Ok(Durable::Never)
    }

    fn is_through(&self) -> bool {
        true
    }

    fn bytes(&self) -> u64 {
        self.written
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// A FIFO or a device. It is opened at the first write, on the sink's own thread: a FIFO makes
/// its writer wait for a reader.
#[derive(Debug)]
pub struct Through {
    files: Arc<dyn Files>,
    path: PathBuf,
    file: Option<Box<dyn OpenFile>>,
    written: u64,
}

impl Through {
    /// Makes the sink; opens nothing yet.
    pub fn new(files: Arc<dyn Files>, path: PathBuf) -> Self {
        Self { files, path, file: None, written: 0 }
    }

    fn file(&mut self) -> io::Result<&mut dyn OpenFile> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.files.open_stream(&self.path)?,
        };
        Ok(self.file.insert(file).as_mut())
    }
}

impl Sink for Through {
    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let file = self.file()?;
        batch.slices().try_for_each(|slice| file.write_all(slice))?;
        self.written += batch.len() as u64;
        Ok(())
    }

    fn persist(&mut self) -> io::Result<Durable> {
        // Without a record it was not opened yet; its reader waits for the end all the same.
        self.file().map(|_| Durable::Never)
    }

    fn is_through(&self) -> bool {
        true
    }

    fn bytes(&self) -> u64 {
        self.written
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}
