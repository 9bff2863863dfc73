//! A batch as bytes, for whoever keeps batches where there is more room than in memory.

use std::sync::Arc;

use crate::words::buffer::Buffer;
use crate::words::record::{Batch, Ends, Origin, Position, Run, Split, narrow};

/// How many numbers stand for all that is the same for a batch.
const HEAD: usize = 6;

/// How many numbers stand for a run.
const RUN: usize = 5;

/// What of a batch is neither its records' bytes nor their origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Numbers: of the batch, of its runs, and where its records end.
    numbers: Vec<u64>,
    runs: usize,
}

impl Packed {
    /// Returns how many runs and how many numbers in all: what [`Packed::read`] has to be told.
    pub fn size(&self) -> (usize, usize) {
        (self.runs, self.numbers.len())
    }

    /// Appends it to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.numbers.iter().flat_map(|number| number.to_le_bytes()));
    }

    /// Returns how many bytes `numbers` numbers take.
    pub fn bytes(numbers: usize) -> usize {
        numbers * size_of::<u64>()
    }

    /// Reads what was written.
    pub fn read(bytes: &[u8], runs: usize) -> Self {
        let numbers = bytes.as_chunks().0.iter().map(|number| u64::from_le_bytes(*number));
        Self { numbers: numbers.collect(), runs }
    }
}

impl Batch {
    /// Describes the batch as it is when its [`Batch::slices`] are put side by side.
    pub fn pack(&self) -> Packed {
        let split = self.split;
        let mut numbers = Vec::with_capacity(HEAD + RUN * self.runs.len() + self.ends().len());
        numbers.extend([
            self.first_seq,
            u64::from(self.proven),
            split.input.into(),
            split.start,
            u64::from(split.end.is_some()),
            split.end.unwrap_or_default(),
        ]);
        let (mut filled, mut ends) = (0, Vec::with_capacity(self.ends().len()));
        for (index, run) in self.runs.iter().enumerate() {
            let (at, changed) = (run.at, run.changed.into());
            numbers.extend([filled, run.first.into(), at.line, at.offset, changed]);
            let next =
                self.runs.get(index + 1).map_or(self.ends().len(), |next| next.first as usize);
            let own = self.ends().get(run.first as usize..next).unwrap_or_default();
            let place = |end: &u32| filled + u64::from(end - run.start);
            ends.extend(own.iter().map(place));
            filled = ends.last().copied().unwrap_or(filled);
        }
        numbers.extend(ends);
        Packed { numbers, runs: self.runs.len() }
    }

    /// Makes the batch that was packed of its records' bytes; none if they do not belong together.
    pub fn unpack(packed: &Packed, buffer: Buffer, origin: Arc<Origin>) -> Option<Self> {
        let (head, rest) = packed.numbers.split_first_chunk::<HEAD>()?;
        let (runs, ends) = rest.split_at_checked(RUN * packed.runs)?;
        let [first_seq, proven, input, start, ended, end] = *head;
        let small = |number: u64| u32::try_from(number).ok();
        let run = |numbers: &[u64; RUN]| {
            let [start, first, line, offset, changed] = *numbers;
            let (at, changed) = (Position { line, offset }, changed == 1);
            Some(Run { start: small(start)?, first: small(first)?, at, changed })
        };
        let ends: Ends = ends.iter().map(|end| small(*end)).collect::<Option<_>>()?;
        let fits = ends.last().is_none_or(|end| end <= narrow(buffer.len()));
        let batch = Self {
            buffer,
            runs: runs.as_chunks().0.iter().map(run).collect::<Option<_>>()?,
            ends,
            first_seq,
            origin,
            split: Split { input: small(input)?, start, end: (ended == 1).then_some(end) },
            proven: proven == 1,
        };
        fits.then_some(batch)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::Packed;
    use crate::words::buffer::Pool;
    use crate::words::id::Name;
    use crate::words::record::{Batch, Lines, Origin, Position, Split};

    proptest! {
        #![proptest_config(crate::words::trials::at_least(1024))]

        #[test]
        fn what_is_unpacked_is_what_was_packed(
            lines in prop::collection::vec(("[a-z]{0,9}", any::<bool>(), 0usize..5, any::<bool>()), 1..40),
            seq in any::<u64>(),
            end in any::<Option<u64>>(),
            proven in any::<bool>(),
        ) {
            let mut buffer = Pool::new(1 << 12).take(1 << 12);
            let (mut made, mut filled, mut line) = (Lines::default(), 0, 1);
            for (text, far, gap, changed) in &lines {
                let start = filled + gap;
                filled = start + text.len() + 1;
                buffer[start..filled - 1].copy_from_slice(text.as_bytes());
                buffer[filled - 1] = b'\n';
                line += if *far { 7 } else { 1 };
                if *gap > 0 {
                    made.gap();
                }
                made.put(start, filled, (Position { line, offset: 10 * line }, *changed));
            }
            let origin = Arc::new(Origin { table: Name::internal("s"), file: Some("f".into()) });
            let split = Split { input: 3, start: 5, end };
            let seq = seq >> 1;
            let batch = Batch::new(buffer, made, seq, Arc::clone(&origin), split);
            let batch = if proven { batch.proven() } else { batch };

            let packed = batch.pack();
            let (mut bytes, (runs, numbers)) = (Vec::new(), packed.size());
            packed.write(&mut bytes);
            prop_assert_eq!(bytes.len(), Packed::bytes(numbers));
            let mut memory = Pool::new(1 << 12).take(1 << 12);
            let all: Vec<u8> = batch.slices().flatten().copied().collect();
            memory[..all.len()].copy_from_slice(&all);
            let again = Batch::unpack(&Packed::read(&bytes, runs), memory, origin).unwrap();

            prop_assert_eq!(again.iter().collect::<Vec<_>>(), batch.iter().collect::<Vec<_>>());
            prop_assert_eq!(again.slices().flatten().copied().collect::<Vec<_>>(), all);
            prop_assert_eq!((again.seqs(), again.split()), (batch.seqs(), batch.split()));
            prop_assert_eq!((again.is_proven(), again.len()), (proven, batch.len()));
            prop_assert_eq!(again.origin(), batch.origin());
        }
    }
}
