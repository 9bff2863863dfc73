//! Every line is seen once, wherever the reads fall.

mod fuzz;

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use sha2::Digest as _;

use super::{BLOCK, Framer, Piece};
use crate::words::buffer::Pool;

/// A line as a reader sees it: its number, its offset, and its bytes or how long they were.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Line(u64, u64, Vec<u8>),
    Long(u64, u64, u64, [u8; 32]),
}

thread_local! {
    static POOL: Pool = Pool::new(BLOCK);
}

fn framer(max: usize) -> Framer {
    Framer::new(POOL.with(Pool::clone), max)
}

/// Feeds `input` in reads of the given sizes and takes pieces now and then.
fn frame(mut framer: Framer, input: &[u8], sizes: &[usize], eager: bool) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut rest = input;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let room = framer.room();
        assert!(!room.is_empty(), "there is always room");
        let count = sizes.next().copied().unwrap_or(1).clamp(1, rest.len()).min(room.len());
        room[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        framer.filled(count);
        if eager || framer.waiting() > 1000 {
            while let Some(piece) = framer.take() {
                note(&piece, &mut seen);
            }
        }
    }
    while let Some(piece) = framer.take() {
        note(&piece, &mut seen);
    }
    if let Some(piece) = framer.finish() {
        note(&piece, &mut seen);
    }
    seen
}

fn note(piece: &Piece, seen: &mut Vec<Seen>) {
    match piece {
        Piece::TooLong(long) => {
            seen.push(Seen::Long(long.at.line, long.at.offset, long.bytes, long.digest));
        }
        Piece::Lines(whole) => {
            let (mut start, mut offset) = (whole.start, whole.at.offset);
            for (line, &end) in (whole.at.line..).zip(whole.ends()) {
                let bytes = whole.buffer[start..end as usize - 1].to_vec();
                assert_eq!(whole.buffer[end as usize - 1], b'\n');
                let length = end as usize - start;
                seen.push(Seen::Line(line, offset, bytes));
                (start, offset) = (end as usize, offset + length as u64);
            }
        }
    }
}

/// What must be seen, found the slow and obvious way.
fn reference(input: &[u8]) -> Vec<Seen> {
    let mut offset = 0;
    let mut lines: Vec<&[u8]> = input.split(|&b| b == b'\n').collect();
    if lines.last().is_some_and(|l| l.is_empty()) {
        lines.pop();
    }
    let see = |(line, bytes): (u64, &&[u8])| {
        let at = offset;
        offset += bytes.len() as u64 + 1;
        Seen::Line(line, at, bytes.to_vec())
    };
    (1u64..).zip(&lines).map(see).collect()
}

/// Lines over the limit may arrive whole, when they fit the buffer, or as what is left of them:
/// who takes the pieces judges the length of whole ones. Both must be the same line.
fn agree(seen: &[Seen], want: &[Seen], max: usize) -> Result<(), String> {
    if seen.len() != want.len() {
        return Err(format!("{} lines seen, {} wanted", seen.len(), want.len()));
    }
    for pair in seen.iter().zip(want) {
        match pair {
            (Seen::Line(..), Seen::Line(..)) if pair.0 == pair.1 => {}
            (Seen::Long(line, offset, bytes, digest), Seen::Line(l, o, b))
                if (line, offset) == (l, o)
                    && *bytes == b.len() as u64
                    && b.len() > max
                    && *digest == <[u8; 32]>::from(sha2::Sha256::digest(b)) => {}
            (seen, want) => return Err(format!("{seen:?} is not {want:?}")),
        }
    }
    Ok(())
}

fn input() -> impl Strategy<Value = Vec<u8>> {
    let line = proptest::prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => (100usize..2000).prop_map(|n| vec![b'x'; n]),
    ];
    (proptest::collection::vec(line, 0..40), any::<bool>()).prop_map(|(lines, last)| {
        let mut bytes = lines.join(&b'\n');
        if last && !bytes.is_empty() {
            bytes.push(b'\n');
        }
        bytes
    })
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(2048))]

    #[test]
    fn every_line_is_seen_once_wherever_the_reads_fall(
        input in input(),
        sizes in proptest::collection::vec(1usize..300, 1..8),
        max in 1usize..500,
        eager in any::<bool>(),
    ) {
        let seen = frame(framer(max), &input, &sizes, eager);
        let verdict = agree(&seen, &reference(&input), max);
        prop_assert!(verdict.is_ok(), "{verdict:?}");
        let bytes: u64 = seen.iter().map(|s| match s {
            Seen::Line(_, _, b) => b.len() as u64 + 1,
            Seen::Long(_, _, n, _) => n + 1,
        }).sum();
        let ended = input.last().is_none_or(|&b| b == b'\n');
        prop_assert_eq!(bytes, input.len() as u64 + u64::from(!ended));
    }
}

#[test]
fn lines_longer_than_any_block_pass_whole_up_to_the_limit() {
    for length in [BLOCK - 1, BLOCK, 3 * BLOCK, (1 << 20) - 1, 1 << 20] {
        let mut input = b"first\n".to_vec();
        input.resize(6 + length, b'y');
        input.extend_from_slice(b"\nlast");
        let seen = frame(framer(1 << 20), &input, &[65_536], true);
        assert_eq!(agree(&seen, &reference(&input), 1 << 20), Ok(()), "{length}");
        assert!(seen.iter().all(|s| matches!(s, Seen::Line(..))), "{length} is within the limit");
    }
}

#[test]
fn a_line_far_over_the_limit_is_never_held() {
    let mut framer = framer(1000);
    let mut longest = 0;
    for _ in 0..10_000 {
        let room = framer.room();
        room.fill(b'z');
        let count = room.len();
        framer.filled(count);
        longest = longest.max(framer.buffer.len());
        assert!(framer.take().is_none());
    }
    assert!(longest <= BLOCK, "{longest} bytes are held");
    match framer.finish() {
        Some(Piece::TooLong(long)) => {
            assert_eq!((long.at.line, long.head.len()), (1, super::HEAD));
            assert!(long.bytes > 1 << 30, "{} bytes went by", long.bytes);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn whole_lines_survive_a_long_one_that_fills_their_buffer() {
    let mut framer = framer(1 << 20);
    let input = [b"first\nsecond\n".to_vec(), vec![b'y'; 2 * BLOCK], b"\nlast\n".to_vec()].concat();
    let (mut rest, mut seen) = (&input[..], Vec::new());
    while !rest.is_empty() {
        let room = framer.room();
        let count = room.len().min(rest.len());
        room[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        framer.filled(count);
    }
    while let Some(piece) = framer.take() {
        note(&piece, &mut seen);
    }
    assert_eq!(agree(&seen, &reference(&input), 1 << 20), Ok(()));
}
