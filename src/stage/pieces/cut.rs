//! Cuts an input into pieces of whole lines. A piece ends with the line that reaches so many
//! bytes, whatever the batches were that the lines came in. Pure.

use std::sync::Arc;

use crate::words::buffer::Pool;
use crate::words::record::{Batch, Lines};

/// What comes of a batch, in order.
#[derive(Clone, Debug)]
pub enum Cut {
    /// Lines that belong to the open piece.
    Lines(Arc<Batch>),
    /// The open piece is whole.
    End,
}

/// Whoever cuts.
#[derive(Debug)]
pub struct Cutter {
    split: u64,
    /// How many bytes the open piece has.
    filled: u64,
}

impl Cutter {
    /// Makes one whose pieces reach `split` bytes.
    pub fn new(split: u64) -> Self {
        Self { split: split.max(1), filled: 0 }
    }

    /// Ends the open piece.
    pub fn close(&mut self) {
        self.filled = 0;
    }

    /// Cuts a batch. One that lies in one piece stays as it is; only one that a piece ends in is
    /// copied.
    pub fn cut(&mut self, batch: &Arc<Batch>) -> Vec<Cut> {
        let mut cuts = Vec::new();
        let all = batch.len() as u64;
        if self.filled + all < self.split {
            self.filled += all;
            cuts.push(Cut::Lines(Arc::clone(batch)));
            return cuts;
        }
        let (mut first, mut next, mut records) = (0, 0, batch.iter());
        for record in records.by_ref() {
            next += 1;
            self.filled += record.bytes.len() as u64 + 1;
            if self.filled >= self.split {
                self.filled = 0;
                cuts.push(Cut::Lines(part(batch, first, next)));
                cuts.push(Cut::End);
                first = next;
            }
        }
        if first < next {
            cuts.push(Cut::Lines(part(batch, first, next)));
        }
        cuts
    }
}

/// Makes a batch of the records `from..to` of another, each in its place and with its number.
fn part(batch: &Arc<Batch>, from: usize, to: usize) -> Arc<Batch> {
    if from == 0 && to as u64 == batch.records() {
        return Arc::clone(batch);
    }
    let bytes = batch.stretch(from, to).map(<[u8]>::len).sum::<usize>().max(1);
    let mut memory = Pool::new(bytes).take(bytes);
    let (mut lines, mut filled) = (Lines::default(), 0);
    for record in batch.iter().skip(from).take(to - from) {
        let end = filled + record.bytes.len() + 1;
        memory[filled..end - 1].copy_from_slice(record.bytes);
        memory[end - 1] = b'\n';
        lines.put(filled, end, (record.at, record.changed));
        filled = end;
    }
    let first = batch.seqs().start + from as u64;
    let origin = Arc::clone(batch.origin());
    let part = Batch::new(memory, lines, first, origin, batch.split());
    Arc::new(if batch.is_proven() { part.proven() } else { part })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::{collection, prop_assert_eq, proptest};

    use super::{Cut, Cutter};
    use crate::words::buffer::Pool;
    use crate::words::id::Name;
    use crate::words::record::{Batch, Lines, Origin, Position, Split};
    use crate::words::trials::at_least;

    /// Makes a batch of lines of such lengths, of which the first has this number and stands at
    /// ten times its number; each second one is changed.
    fn batch(lengths: &[usize], first: u64) -> Arc<Batch> {
        let bytes: usize = lengths.iter().sum();
        let mut buffer = Pool::new(bytes).take(bytes);
        let (mut lines, mut filled) = (Lines::default(), 0);
        for (number, length) in (first..).zip(lengths) {
            let end = filled + length;
            buffer[filled..end].fill(b'a' + (number % 26) as u8);
            buffer[end - 1] = b'\n';
            let at = Position { line: 10 * number, offset: 0 };
            lines.put(filled, end, (at, number % 2 == 1));
            filled = end;
        }
        let origin = Arc::new(Origin { table: Name::internal("t"), file: None });
        Arc::new(Batch::new(buffer, lines, first, origin, Split { input: 0, start: 0, end: None }))
    }

    proptest! {
        #![proptest_config(at_least(256))]
        #[test]
        fn pieces_are_the_same_however_the_lines_came(
            lengths in collection::vec(1_usize..40, 0..120),
            sizes in collection::vec(1_usize..30, 1..9),
            split in 1_u64..300,
        ) {
            // What is to come out: the numbers of the lines of each piece.
            let (mut wanted, mut filled) = (vec![Vec::new()], 0);
            for (number, length) in lengths.iter().enumerate() {
                wanted.last_mut().unwrap().push((number as u64, *length));
                filled += *length as u64;
                if filled >= split {
                    filled = 0;
                    wanted.push(Vec::new());
                }
            }
            let (mut cutter, mut found) = (Cutter::new(split), vec![Vec::new()]);
            let (mut rest, mut first) = (lengths.as_slice(), 0);
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, behind) = rest.split_at((*size).min(rest.len()));
                for cut in cutter.cut(&batch(now, first)) {
                    match cut {
                        Cut::End => found.push(Vec::new()),
                        Cut::Lines(part) => for record in part.iter() {
                            prop_assert_eq!(record.at.line, 10 * record.seq, "it kept its place");
                            prop_assert_eq!(record.changed, record.seq % 2 == 1);
                            let of = b'a' + (record.seq % 26) as u8;
                            prop_assert_eq!(record.bytes.iter().all(|b| *b == of), true);
                            let line = (record.seq, record.bytes.len() + 1);
                            found.last_mut().unwrap().push(line);
                        },
                    }
                }
                first += now.len() as u64;
                rest = behind;
            }
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn a_batch_within_a_piece_is_not_copied() {
        let whole = batch(&[3, 4], 0);
        let cuts = Cutter::new(8).cut(&whole);
        assert!(matches!(cuts.as_slice(), [Cut::Lines(same)] if Arc::ptr_eq(same, &whole)));
        // Nor one that ends where the piece does.
        let cuts = Cutter::new(7).cut(&whole);
        assert!(
            matches!(cuts.as_slice(), [Cut::Lines(same), Cut::End] if Arc::ptr_eq(same, &whole))
        );
    }
}
