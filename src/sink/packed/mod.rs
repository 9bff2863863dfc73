//! Packs lines into parts (gzip members, zstd frames) that each hold whole lines and can be
//! unpacked alone, the same bytes however the lines come. Knows no file.

use std::io::{self, Write as _};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use zstd::stream::write::Encoder as ZstdEncoder;

use crate::words::packing::Packing;

/// How many plain bytes a part has: it ends with the line that reaches them.
const PART: usize = 4 << 20;

/// How many plain bytes are packed at once. What an encoder makes may depend on how it is fed, so
/// it is always fed the same.
const CHUNK: usize = 128 << 10;

/// How many packed bytes are worth a write.
const WRITE: usize = 128 << 10;

/// What `gzip` does without being told otherwise.
const GZIP_LEVEL: u32 = 6;

/// What `zstd` does without being told otherwise.
const ZSTD_LEVEL: i32 = 3;

/// Packs lines into parts.
pub struct Packer {
    packing: Packing,
    /// How many plain bytes a part has.
    limit: usize,
    /// The part that was begun.
    part: Option<Encoder>,
    /// How many plain bytes it has so far.
    size: usize,
    /// The last of these, not packed yet.
    chunk: Vec<u8>,
    /// Packed bytes, not written yet.
    out: Vec<u8>,
    /// How many packed bytes were written.
    written: u64,
    /// The plain bytes of the part that was begun, where they are kept.
    plain: Option<Vec<u8>>,
}

/// Takes packed bytes, and hears whether a part ends with them.
pub type Write<'a> = &'a mut dyn FnMut(&[u8], bool) -> io::Result<()>;

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(ZstdEncoder<'static, Vec<u8>>),
}

impl Encoder {
    /// Begins a part whose bytes go behind those in `out`.
    fn begin(packing: Packing, out: Vec<u8>) -> io::Result<Self> {
        Ok(match packing {
            Packing::Gzip => {
                // Neither time nor name, nor the system it was made on.
                let head = GzBuilder::new().mtime(0).operating_system(255);
                Self::Gzip(head.write(out, Compression::new(GZIP_LEVEL)))
            }
            Packing::Zstd => {
                let mut encoder = ZstdEncoder::new(out, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
        })
    }

    /// Packs `plain`; returns what is packed by now.
    fn pack(&mut self, plain: &[u8]) -> io::Result<&mut Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(plain).map(|()| encoder.get_mut()),
            Self::Zstd(encoder) => encoder.write_all(plain).map(|()| encoder.get_mut()),
        }
    }

    fn end(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Packer {
    /// Makes a packer.
    pub fn new(packing: Packing) -> Self {
        Self::with_parts(packing, PART)
    }

    /// Makes one whose parts have `limit` plain bytes.
    fn with_parts(packing: Packing, limit: usize) -> Self {
        let chunk = Vec::with_capacity(CHUNK);
        let (part, out, plain) = (None, Vec::new(), None);
        Self { packing, limit, part, size: 0, chunk, out, written: 0, plain }
    }

    /// Keeps the lines of the part that was begun, which begins behind `written` packed bytes.
    #[must_use]
    pub fn keeping(self, written: u64) -> Self {
        Self { written, plain: Some(Vec::new()), ..self }
    }

    /// Returns these lines.
    pub fn pending(&self) -> &[u8] {
        self.plain.as_deref().unwrap_or_default()
    }

    /// Tells how many packed bytes were written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Packs whole lines and writes by `write` what is packed by now.
    pub fn pack(&mut self, mut lines: &[u8], write: Write<'_>) -> io::Result<()> {
        while !lines.is_empty() {
            let (part, rest) = lines.split_at(self.cut(lines));
            self.append(part, write)?;
            if self.size >= self.limit {
                self.end_part(write)?;
            }
            lines = rest;
        }
        Ok(())
    }

    /// Ends the output: the last part, or an empty one if there was none, since nothing at all is
    /// no packed file.
    pub fn finish(&mut self, write: Write<'_>) -> io::Result<()> {
        if self.size > 0 || self.written == 0 { self.end_part(write) } else { Ok(()) }
    }

    /// Tells how much of `lines` belongs to the part that is open.
    fn cut(&self, lines: &[u8]) -> usize {
        // The line that holds the byte that fills the part is its last.
        let last = self.limit - self.size - 1;
        let rest = lines.get(last..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(lines.len(), |end| last + end + 1)
    }

    fn append(&mut self, mut plain: &[u8], write: Write<'_>) -> io::Result<()> {
        self.size += plain.len();
        if let Some(kept) = &mut self.plain {
            kept.extend_from_slice(plain);
        }
        while self.chunk.len() + plain.len() >= CHUNK {
            let (fits, rest) = plain.split_at(CHUNK - self.chunk.len());
            self.chunk.extend_from_slice(fits);
            let packed = self.pack_chunk()?;
            if packed.len() >= WRITE {
                write(packed, false)?;
                let count = packed.len() as u64;
                packed.clear();
                self.written += count;
            }
            plain = rest;
        }
        self.chunk.extend_from_slice(plain);
        Ok(())
    }

    /// Packs what was gathered, in a part that is begun if there is none; returns what is packed
    /// and not yet written.
    fn pack_chunk(&mut self) -> io::Result<&mut Vec<u8>> {
        let part = match self.part.take() {
            Some(part) => part,
            None => Encoder::begin(self.packing, std::mem::take(&mut self.out))?,
        };
        let packed = self.part.insert(part).pack(&self.chunk)?;
        self.chunk.clear();
        Ok(packed)
    }

    fn end_part(&mut self, write: Write<'_>) -> io::Result<()> {
        self.pack_chunk()?;
        self.size = 0;
        self.plain.iter_mut().for_each(Vec::clear);
        let Some(part) = self.part.take() else { return Ok(()) };
        self.out = part.end()?;
        write(&self.out, true)?;
        self.written += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
