//! Batches that wait for their turn in a file without a name: nothing of it can stay behind.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use crate::words::buffer::Pool;
use crate::words::frame::BLOCK;
use crate::words::record::{Batch, Origin, Packed};

/// What stands before each batch: how many runs, how many numbers, which origin, how many bytes.
const HEAD: usize = 4 * size_of::<u64>();

/// First in, first out: first everything is put in, then everything is taken out.
#[derive(Debug)]
pub struct Spool {
    file: File,
    /// Up to where was read.
    read: u64,
    records: u64,
    origins: Vec<Arc<Origin>>,
    known: HashMap<Arc<Origin>, usize>,
    pool: Pool,
}

impl Spool {
    /// Makes a spool in a folder.
    pub fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(folder)?,
            read: 0,
            records: 0,
            origins: Vec::new(),
            known: HashMap::new(),
            pool: Pool::new(BLOCK),
        })
    }

    /// Tells how many records wait.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Puts a batch behind all others.
    pub fn put(&mut self, batch: &Batch) -> io::Result<()> {
        let packed = batch.pack();
        let (runs, numbers) = packed.size();
        let mut head = Vec::with_capacity(HEAD + Packed::bytes(numbers));
        for number in [runs, numbers, self.place_of(batch.origin()), batch.len()] {
            head.extend((number as u64).to_le_bytes());
        }
        packed.write(&mut head);
        self.file.write_all(&head)?;
        for slice in batch.slices() {
            self.file.write_all(slice)?;
        }
        self.records += batch.records();
        Ok(())
    }

    fn place_of(&mut self, origin: &Arc<Origin>) -> usize {
        if let Some(place) = self.known.get(origin) {
            return *place;
        }
        let place = self.origins.len();
        self.origins.push(Arc::clone(origin));
        self.known.insert(Arc::clone(origin), place);
        place
    }

    /// Takes the first batch out; none if all are.
    pub fn take(&mut self) -> io::Result<Option<Batch>> {
        if self.records == 0 {
            return Ok(None);
        }
        let mut head = [0; HEAD];
        self.read_next(&mut head)?;
        let mut numbers = head.as_chunks().0.iter().map(|number| u64::from_le_bytes(*number));
        let mut next = || numbers.next().and_then(|number| usize::try_from(number).ok());
        let (Some(runs), Some(count), Some(origin), Some(bytes)) = (next(), next(), next(), next())
        else {
            return Err(damaged());
        };
        let mut packed = vec![0; Packed::bytes(count)];
        self.read_next(&mut packed)?;
        let mut buffer = self.pool.take(bytes);
        self.read_next(buffer.get_mut(..bytes).ok_or_else(damaged)?)?;
        let origin = self.origins.get(origin).ok_or_else(damaged)?;
        let packed = Packed::read(&packed, runs);
        let batch = Batch::unpack(&packed, buffer, Arc::clone(origin)).ok_or_else(damaged)?;
        self.records = self.records.checked_sub(batch.records()).ok_or_else(damaged)?;
        Ok(Some(batch))
    }

    fn read_next(&mut self, room: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(room, self.read)?;
        self.read += room.len() as u64;
        Ok(())
    }
}

/// Nobody else can reach the file, so this would be the disk's doing.
fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what was read is not what was written")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Spool;
    use crate::words::buffer::Pool;
    use crate::words::id::Name;
    use crate::words::record::{Batch, Lines, Origin, Position, Split};

    fn batch(table: &str, lines: &[&str], first: u64) -> Batch {
        let mut buffer = Pool::new(64).take(64);
        let (mut made, mut filled) = (Lines::default(), 0);
        for (line, text) in (first..).zip(lines) {
            let end = filled + text.len();
            buffer[filled..end].copy_from_slice(text.as_bytes());
            made.push(filled, end, Position { line, offset: 100 * line });
            filled = end;
        }
        let origin = Arc::new(Origin { table: Name::internal(table), file: None });
        Batch::new(buffer, made, first, origin, Split { input: 0, start: 0, end: None })
    }

    #[test]
    fn what_is_taken_out_is_what_was_put_in() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(folder.path()).unwrap();
        assert!(spool.take().unwrap().is_none());
        let all =
            [batch("a", &["1\n", "22\n"], 1), batch("b", &["333\n"], 7), batch("a", &["4\n"], 3)];
        for batch in &all {
            spool.put(batch).unwrap();
        }
        assert_eq!(spool.records(), 4);
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 0, "it has no name");
        for batch in &all {
            let again = spool.take().unwrap().unwrap();
            assert_eq!(again.iter().collect::<Vec<_>>(), batch.iter().collect::<Vec<_>>());
            assert_eq!((again.origin(), again.seqs()), (batch.origin(), batch.seqs()));
        }
        assert!(spool.take().unwrap().is_none());
        assert_eq!(spool.records(), 0);
    }
}
