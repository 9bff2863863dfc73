//! Records that are made here, on demand: the same ones for the same seed, wherever, whoever
//! reads them, and however much at a time.

mod calendar;
mod lists;
mod random;
mod record;
mod value;

use std::sync::Arc;

use crate::plan::generate::Generate;
use crate::publish::state::Fact;
use crate::source::generate::record::Maker;
use crate::source::{Input, Read, Reader, Source, Trouble};
use crate::words::outcome::Failure;
use crate::words::record::Split;

/// What it is called in dead letters and messages.
const NAME: &str = "generate";

/// The source.
#[derive(Debug)]
pub struct Making {
    plan: Generate,
}

impl Making {
    /// Makes the source.
    pub fn new(plan: Generate) -> Self {
        Self { plan }
    }
}

impl Source for Making {
    fn inputs(&self) -> Vec<Input> {
        // How many bytes there will be shows only when they are made.
        vec![Input { end: None }]
    }

    fn stamps(&self) -> Option<Vec<Fact>> {
        // It can always be read again, and all that it depends on stands in the plan.
        Some(Vec::new())
    }

    fn open(&self, _split: Split) -> Result<Box<dyn Reader>, Failure> {
        let maker = Maker::new(&self.plan);
        let end = self.plan.count.unwrap_or(u64::MAX);
        Ok(Box::new(Made { maker, next: 0, end, bytes: Vec::new(), taken: 0 }))
    }

    fn name_of(&self, _input: u32) -> Arc<str> {
        NAME.into()
    }

    fn total(&self) -> Option<u64> {
        None
    }
}

/// Records in a row, as bytes.
struct Made {
    maker: Maker,
    /// The next record, from 0.
    next: u64,
    end: u64,
    /// What is made; more than there was room for is kept for the next read.
    bytes: Vec<u8>,
    /// How much of it was read.
    taken: usize,
}

impl Made {
    /// Hands out what is made, as far as there is room.
    fn hand_out(&mut self, room: &mut [u8]) -> usize {
        let left = self.bytes.get(self.taken..).unwrap_or_default();
        let count = left.len().min(room.len());
        room[..count].copy_from_slice(&left[..count]);
        self.taken += count;
        count
    }
}

impl Reader for Made {
    /// Fills the room: who asks for little at a time wants to be asked back soon.
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble> {
        let carried = self.hand_out(room);
        let room = &mut room[carried..];
        if room.is_empty() {
            return Ok(Read::Bytes(carried));
        }
        self.bytes.clear();
        self.taken = 0;
        while self.bytes.len() < room.len() && self.next < self.end {
            self.maker.make(self.next, &mut self.bytes);
            self.next += 1;
        }
        Ok(Read::Bytes(carried + self.hand_out(room)))
    }
}

#[cfg(test)]
mod tests;
