//! A file that appears whole, or not at all.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::publish::files::Files;
use crate::publish::part::Part;
use crate::sink::packed::Packer;
use crate::sink::{Durable, Sink};
use crate::words::packing::Packing;
use crate::words::record::Batch;

/// A file sink.
pub struct File {
    part: Part,
    packer: Option<Packer>,
    written: u64,
    next: u64,
}

impl File {
    /// Creates the temporary file of `target`, whose name tells how it is packed.
    pub fn create(
        files: Arc<dyn Files>,
        target: PathBuf,
        folder: PathBuf,
        mode: Option<u32>,
    ) -> io::Result<Self> {
        let packer = Packing::of(&target).map(Packer::new);
        Ok(Self { part: Part::create(files, target, folder, mode)?, packer, written: 0, next: 0 })
    }
}

impl Sink for File {
    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let part = &mut self.part;
        let mut slices = batch.slices();
        if let Some(packer) = &mut self.packer {
            slices.try_for_each(|lines| packer.pack(lines, &mut |b| part.write_all(b)))?;
            self.written = packer.written();
        } else {
            slices.try_for_each(|lines| part.write_all(lines))?;
            self.written += batch.len() as u64;
        }
        self.next = batch.seqs().end;
        Ok(())
    }

    fn persist(&mut self) -> io::Result<Durable> {
        if let Some(packer) = &mut self.packer {
            let part = &mut self.part;
            packer.finish(&mut |bytes| part.write_all(bytes))?;
            self.written = packer.written();
        }
        self.part.sync()?;
        Ok(Durable::UpTo(self.next))
    }

    fn is_through(&self) -> bool {
        false
    }

    fn bytes(&self) -> u64 {
        self.written
    }

    fn temporary(&self) -> Option<&Path> {
        Some(self.part.temporary())
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        self.part.publish()
    }
}
