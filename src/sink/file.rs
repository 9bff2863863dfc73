//! A file that appears whole, or not at all.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::publish::files::Files;
use crate::publish::part::{Hand, LeftError, Part, Place};
use crate::sink::packed::Packer;
use crate::sink::{Durable, Sink};
use crate::words::marks::OutputAt;
use crate::words::packing::Packing;
use crate::words::record::Batch;

/// A file sink.
pub struct File {
    part: Part,
    packer: Option<Packer>,
    /// How far the output goes up to the last whole part of a packed one.
    whole: Option<OutputAt>,
    written: u64,
    next: u64,
}

impl File {
    /// Creates the temporary file of a target, whose name tells how it is packed.
    pub fn create(files: Arc<dyn Files>, place: Place) -> io::Result<Self> {
        let packer = Packing::of(&place.target).map(Packer::new);
        let part = Part::create(files, place)?;
        Ok(Self { part, packer, whole: None, written: 0, next: 0 })
    }

    /// Creates one that tells how far it goes; with `sums`, so that it can be taken up again.
    pub fn noted(files: Arc<dyn Files>, place: Place, sums: bool) -> io::Result<Self> {
        let Self { part, packer, .. } = Self::create(files, place)?;
        let part = part.noted(sums);
        let packer = packer.map(|packer| if sums { packer.keeping(0) } else { packer });
        let whole = part.at();
        Ok(Self { part, packer, whole, written: 0, next: 0 })
    }

    /// Takes up one that an ended run left.
    pub fn take_up(files: Arc<dyn Files>, place: Place, at: &OutputAt) -> Result<Self, LeftError> {
        let packer = Packing::of(&place.target).map(|p| Packer::new(p).keeping(at.bytes));
        let part = Part::take_up(files, place, at)?;
        let whole = part.at();
        let mut file = Self { part, packer, whole, written: at.bytes, next: 0 };
        file.put(&at.pending)?;
        Ok(file)
    }

    /// Writes whole lines.
    fn put(&mut self, lines: &[u8]) -> io::Result<()> {
        let Self { part, packer, whole, written, .. } = self;
        let Some(packer) = packer else {
            *written += lines.len() as u64;
            return part.write_all(lines);
        };
        packer.pack(lines, &mut |bytes, ends| {
            part.write_all(bytes)?;
            if ends {
                *whole = part.at();
            }
            Ok(())
        })?;
        *written = packer.written();
        Ok(())
    }
}

impl Sink for File {
    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        batch.slices().try_for_each(|lines| self.put(lines))?;
        self.next = batch.seqs().end;
        Ok(())
    }

    fn at(&self) -> Option<OutputAt> {
        let Some(packer) = &self.packer else { return self.part.at() };
        Some(OutputAt { pending: packer.pending().to_vec(), ..self.whole.clone()? })
    }

    fn persist(&mut self) -> io::Result<Durable> {
        if let Some(packer) = &mut self.packer {
            let part = &mut self.part;
            packer.finish(&mut |bytes, _| part.write_all(bytes))?;
            self.written = packer.written();
            self.whole = part.at();
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

    fn twin(&self) -> io::Result<Option<Hand>> {
        self.part.twin().map(Some)
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        self.part.publish()
    }

    fn publish_copy(self: Box<Self>) -> io::Result<()> {
        self.part.publish_copy()
    }

    fn discard(self: Box<Self>) {
        self.part.discard();
    }

    fn leave(self: Box<Self>) {
        self.part.leave();
    }
}
