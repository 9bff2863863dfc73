//! A file that appears whole, or not at all.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::publish::files::Files;
use crate::publish::part::Part;
use crate::sink::{Durable, Sink};
use crate::words::record::Batch;

/// A file sink.
#[derive(Debug)]
pub struct File {
    part: Part,
    next: u64,
}

impl File {
    /// Creates the temporary file of `target`.
    pub fn create(
        files: Arc<dyn Files>,
        target: PathBuf,
        folder: PathBuf,
        mode: Option<u32>,
    ) -> io::Result<Self> {
        Ok(Self { part: Part::create(files, target, folder, mode)?, next: 0 })
    }
}

impl Sink for File {
    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        for slice in batch.slices() {
            self.part.write_all(slice)?;
        }
        self.next = batch.seqs().end;
        Ok(())
    }

    fn persist(&mut self) -> io::Result<Durable> {
        self.part.sync()?;
        Ok(Durable::UpTo(self.next))
    }

    fn is_through(&self) -> bool {
        false
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        self.part.publish()
    }
}
