//! A packed input, unpacked as it is read: any number of gzip members or zstd frames, in memory
//! that depends on none of them. Whoever packed it may wish us ill, so there are limits.

mod decoder;
mod fault;

use std::io;

pub use fault::{Fault, FaultKind, Over};

use crate::plan::Unpack;
use crate::source::packed::decoder::{Decoder, Head, Refused};
use crate::source::{Read, Reader, Trouble};
use crate::words::packing::Packing;

/// How many packed bytes are read at once.
const INPUT: usize = 64 << 10;

/// From how many plain bytes on the ratio counts: a million equal lines are packed to nothing, and
/// harm nobody.
const RATIO_FROM: u64 = 1 << 30;

/// How many of its first bytes are shown of what is no packed file.
const SHOWN: usize = 16;

/// Unpacks what another reader reads.
pub struct Packed {
    inner: Box<dyn Reader>,
    packing: Packing,
    decoder: Decoder,
    limits: Unpack,
    ratio_from: u64,
    input: Vec<u8>,
    /// The part of `input` that is still to be unpacked.
    start: usize,
    end: usize,
    place: Place,
    /// Where the part begins that was begun last.
    part: u64,
    /// Packed bytes that were unpacked.
    taken: u64,
    /// Plain bytes that came of them.
    unpacked: u64,
    /// Packed bytes that were told of.
    told: u64,
    /// What was found behind the bytes of the last read.
    held: Option<Result<Read, Trouble>>,
}

/// Where in the file we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first part.
    Before,
    /// Within a part.
    Within,
    /// Behind a part.
    Behind,
    /// Behind the last part, where only zeros may stand.
    Padding,
}

impl Packed {
    /// Unpacks what `inner` reads.
    pub fn new(inner: Box<dyn Reader>, packing: Packing, limits: Unpack) -> Result<Self, Trouble> {
        let decoder = Decoder::new(packing).map_err(|refused| {
            Trouble::Io(io::Error::other(format!("no decoder for {packing}: {refused:?}")))
        })?;
        Ok(Self {
            inner,
            packing,
            decoder,
            limits,
            ratio_from: RATIO_FROM,
            input: vec![0; INPUT],
            start: 0,
            end: 0,
            place: Place::Before,
            part: 0,
            taken: 0,
            unpacked: 0,
            told: 0,
            held: None,
        })
    }

    /// Does one step: unpacks into `room`, looks at what comes next, or reads on.
    fn advance(&mut self, room: &mut [u8]) -> Result<Moved, Trouble> {
        if self.place != Place::Within {
            return self.between();
        }
        let step = self.decoder.step(&self.input[self.start..self.end], room);
        let step = step.map_err(|refused| {
            self.fault(match refused {
                Refused::Damaged(why) => FaultKind::Damaged { part: self.part, why },
                Refused::Window => FaultKind::Over(Over::Window),
            })
        })?;
        self.take(step.taken);
        self.unpacked += step.given as u64;
        if step.ended {
            self.place = Place::Behind;
        }
        self.check_limits()?;
        let stuck = step.taken == 0 && step.given == 0 && !step.ended;
        if stuck && self.start < self.end {
            let why = "it does not go on".to_owned();
            return Err(self.fault(FaultKind::Damaged { part: self.part, why }));
        }
        if stuck { self.read_on() } else { Ok(Moved::On(step.given)) }
    }

    /// Looks at what stands before, between or behind the parts.
    fn between(&mut self) -> Result<Moved, Trouble> {
        let next = &self.input[self.start..self.end];
        if next.is_empty() {
            return self.read_on();
        }
        // Tapes and block devices leave zeros behind; `gzip` passes over them, `zstd` does not.
        let may_pad = self.packing == Packing::Gzip && self.place != Place::Before;
        if may_pad && next[0] == 0 {
            let zeros = next.iter().take_while(|byte| **byte == 0).count();
            self.place = Place::Padding;
            self.take(zeros);
            return Ok(Moved::On(0));
        }
        match decoder::head(self.packing, next) {
            _ if self.place == Place::Padding => Err(self.fault(FaultKind::Behind(self.taken))),
            Head::TooShort => self.read_on(),
            Head::Begins => {
                self.decoder.again();
                self.part = self.taken;
                self.place = Place::Within;
                Ok(Moved::On(0))
            }
            Head::Foreign if self.place == Place::Before => {
                let head = next[..next.len().min(SHOWN)].to_vec();
                Err(self.fault(FaultKind::Foreign(head)))
            }
            Head::Foreign => Err(self.fault(FaultKind::Behind(self.taken))),
        }
    }

    /// Reads more packed bytes, behind those that are there.
    fn read_on(&mut self) -> Result<Moved, Trouble> {
        self.input.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        match self.inner.read(&mut self.input[self.end..])? {
            Read::Bytes(0) => match self.place {
                Place::Before if self.end == 0 => Err(self.fault(FaultKind::Empty)),
                Place::Behind | Place::Padding if self.end == 0 => Ok(Moved::Found(Read::Bytes(0))),
                _ => Err(self.fault(FaultKind::Torn)),
            },
            Read::Bytes(count) => {
                self.end += count;
                Ok(Moved::On(0))
            }
            found @ (Read::Idle | Read::Stopped) => Ok(Moved::Found(found)),
        }
    }

    fn take(&mut self, count: usize) {
        self.start += count;
        self.taken += count as u64;
    }

    fn check_limits(&self) -> Result<(), Trouble> {
        let Unpack { most, ratio } = self.limits;
        if self.unpacked > most {
            return Err(self.fault(FaultKind::Over(Over::Total(most))));
        }
        if self.unpacked > self.ratio_from && self.unpacked / ratio > self.taken {
            return Err(self.fault(FaultKind::Over(Over::Ratio(ratio))));
        }
        Ok(())
    }

    fn fault(&self, kind: FaultKind) -> Trouble {
        let (packed, unpacked) = (self.taken, self.unpacked);
        Trouble::Packed(Fault { packing: self.packing, kind, packed, unpacked })
    }
}

/// What a step led to.
enum Moved {
    /// On, and so many plain bytes were given.
    On(usize),
    /// To something that is told as it is.
    Found(Read),
}

impl Reader for Packed {
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble> {
        if let Some(held) = self.held.take() {
            return held;
        }
        let mut filled = 0;
        while filled < room.len() {
            let found = match self.advance(&mut room[filled..]) {
                Ok(Moved::On(given)) => {
                    filled += given;
                    continue;
                }
                Ok(Moved::Found(read)) => Ok(read),
                Err(trouble) => Err(trouble),
            };
            if filled == 0 {
                return found;
            }
            // What is there goes on first.
            self.held = Some(found);
            break;
        }
        Ok(Read::Bytes(filled))
    }

    fn spent(&mut self, _count: usize) -> u64 {
        let new = self.taken - self.told;
        self.told = self.taken;
        new
    }
}

#[cfg(test)]
mod tests;
