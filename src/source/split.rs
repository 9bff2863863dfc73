//! Splits: byte ranges that tile an input. Each owns the lines whose first byte lies in it, so
//! where an input is cut takes no look into it, and a line may be longer than a split.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::source::{Read, Reader, Trouble};
use crate::words::record::Split;

/// How much is read at once in search of the first line that is owned.
const SEARCH: usize = 64 << 10;

/// Cuts what is left of an input behind `start` at all multiples of `size`; one that has no known
/// end is one split.
pub fn splits(input: u32, start: u64, end: Option<u64>, size: u64) -> impl Iterator<Item = Split> {
    let mut next = Some(start);
    std::iter::from_fn(move || {
        let start = next.take()?;
        let Some(last) = end else { return Some(Split { input, start, end: None }) };
        let cut = (start / size + 1).saturating_mul(size).min(last).max(start);
        next = (cut < last).then_some(cut);
        Some(Split { input, start, end: Some(cut) })
    })
}

/// The bytes that a split of a regular file owns.
#[derive(Debug)]
pub struct Owned {
    file: File,
    at: u64,
    end: u64,
    over: bool,
}

impl Owned {
    /// Finds the first line that belongs to `start..end`.
    pub fn new(file: File, start: u64, end: u64) -> io::Result<Self> {
        let mut owned = Self { file, at: start, end, over: start >= end };
        if start > 0 && !owned.over {
            owned.find_first(start - 1)?;
        }
        Ok(owned)
    }

    /// Looks for the end of the line that the byte before the split belongs to.
    fn find_first(&mut self, mut from: u64) -> io::Result<()> {
        let mut room = vec![0; SEARCH];
        while from + 1 < self.end {
            let count = match self.file.read_at(&mut room, from) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            if count == 0 {
                return Err(shorter());
            }
            if let Some(lf) = memchr::memchr(b'\n', &room[..count]) {
                self.at = from + lf as u64 + 1;
                self.over = self.at >= self.end;
                return Ok(());
            }
            from += count as u64;
        }
        self.over = true;
        Ok(())
    }

    /// Returns where the next byte lies.
    pub fn at(&self) -> u64 {
        self.at
    }
}

fn shorter() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read")
}

impl Reader for Owned {
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble> {
        if self.over {
            return Ok(Read::Bytes(0));
        }
        let mut count = self.file.read_at(room, self.at)?;
        if count == 0 {
            self.over = true;
            return if self.at < self.end { Err(shorter().into()) } else { Ok(Read::Bytes(0)) };
        }
        if self.at + count as u64 >= self.end {
            // The line that has the last byte of the split is the last one that it owns.
            let last = usize::try_from(self.end.saturating_sub(self.at + 1)).unwrap_or(usize::MAX);
            let rest = room[..count].get(last..).unwrap_or_default();
            if let Some(lf) = memchr::memchr(b'\n', rest) {
                count = last + lf + 1;
                self.over = true;
            }
        }
        self.at += count as u64;
        Ok(Read::Bytes(count))
    }

    fn begins(&self) -> Option<u64> {
        (!self.over).then_some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use proptest::{collection, sample};

    use super::{Owned, splits};
    use crate::source::{Read, Reader as _};

    /// Reads what a split owns, in reads of `room` bytes.
    fn owned(bytes: &[u8], start: u64, end: u64, room: usize) -> (Option<u64>, Vec<u8>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut owned = Owned::new(file, start, end).unwrap();
        let begins = owned.begins();
        let (mut all, mut room) = (Vec::new(), vec![0; room]);
        loop {
            match owned.read(&mut room).unwrap() {
                Read::Bytes(0) => return (begins, all),
                Read::Bytes(count) => all.extend_from_slice(&room[..count]),
                other => panic!("{other:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn the_splits_of_an_input_tile_it(
            bytes in collection::vec(sample::select(&b"\n\nab\r"[..]), 0..200),
            size in 1u64..60,
            from in any::<sample::Index>(),
            room in 1usize..50,
        ) {
            let end = bytes.len() as u64;
            // From any line on: that is where a run is taken up.
            let lines = std::iter::once(0).chain(memchr::memchr_iter(b'\n', &bytes).map(|lf| lf + 1));
            let start = from.get(&lines.collect::<Vec<_>>()).to_owned() as u64;
            let (mut next, mut cut) = (start, start);
            for split in splits(0, start, Some(end), size) {
                prop_assert_eq!(split.start, cut);
                cut = split.end.unwrap();
                let (begins, got) = owned(&bytes, split.start, cut, room);
                prop_assert_eq!(begins.is_some(), !got.is_empty(), "an empty one knows it");
                if let Some(begins) = begins {
                    prop_assert_eq!(begins, next, "each begins where the one before ends");
                    prop_assert!(split.start <= begins && begins < cut, "with its first line");
                    let behind = usize::try_from(next).unwrap() + got.len();
                    prop_assert_eq!(&bytes[usize::try_from(next).unwrap()..behind], &got[..]);
                    prop_assert!(behind == bytes.len() || got.ends_with(b"\n"));
                    let last = got.len() - 1;
                    let first_of_last = memchr::memrchr(b'\n', &got[..last]).map_or(0, |lf| lf + 1);
                    prop_assert!(begins + (first_of_last as u64) < cut, "and ends with its last");
                    next += got.len() as u64;
                }
            }
            prop_assert_eq!((next, cut), (end, end));
        }
    }

    #[test]
    fn an_input_without_a_known_end_is_one_split() {
        let all: Vec<_> = splits(3, 7, None, 10).collect();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].input, all[0].start, all[0].end), (3, 7, None));
        assert_eq!(splits(0, 0, Some(0), 10).count(), 1, "an empty one is one, too");
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"a\nb").unwrap();
        let mut owned = Owned::new(file, 0, 9).unwrap();
        let mut room = [0; 8];
        assert_eq!(owned.read(&mut room).unwrap(), Read::Bytes(3));
        assert!(owned.read(&mut room).unwrap_err().to_string().contains("became shorter"));
    }
}
