//! The splitter against a naive split, whatever the lines, the limit and the reads.

use proptest::collection::vec;
use proptest::prelude::{Strategy as _, any};

use crate::words::buffer::ALIGN;
use crate::words::frame::tests::{Seen, agree, frame, framer, input, reference};
use crate::words::frame::{BLOCK, BOM, READ};
use crate::words::fuzz::fuzz;

/// An input begins with so many bytes that say how it is read; the rest is what is read.
const SETTINGS: usize = 6;

/// In what is read this byte and the next stand for a stretch, so that long lines are short inputs.
const STRETCH: u8 = 0x07;

/// How much is read at most.
const MOST: usize = 3 * BLOCK;

const LIMITS: [usize; 8] = [1, 40, 500, 5000, 65_536, READ, BLOCK, 2 * BLOCK];
const READS: [usize; 8] = [1, 3, 17, 64, 1000, 4096, 65_536, READ];
const SPLINTERS: [&[u8]; 10] = [
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\n\xef\xbb\xbf",
    BOM,
    b"\0",
    b"\x07\xff",
    b"\x07\x80",
    b"\x07\x20",
    b"x",
];

#[test]
fn fuzz_splitter() {
    let settings = vec(any::<u8>(), SETTINGS);
    let fresh = (settings, input()).prop_map(|(settings, input)| [settings, input].concat());
    fuzz("splitter", &fresh, &SPLINTERS, check);
}

fn check(input: &[u8]) -> Result<bool, String> {
    let Some((settings, text)) = input.split_at_checked(SETTINGS) else { return Ok(false) };
    let text = stretched(text);
    let pick = |from: [usize; 8], byte: u8| from[usize::from(byte & 7)] + usize::from(byte >> 5);
    let max = pick(LIMITS, settings[0]);
    // Reading much in tiny reads takes all the time.
    let least = if text.len() > 4096 { 1000 } else { 1 };
    let reads: Vec<usize> = settings[1..5].iter().map(|b| pick(READS, *b).max(least)).collect();
    let (eager, unmarked) = (settings[5] & 1 == 0, settings[5] & 2 == 0);
    let framer = if unmarked { framer(max).without_mark() } else { framer(max) };

    let seen = frame(framer, &text, &reads, eager);
    let mut want = reference(&text);
    if let (true, Some(Seen::Long(..)), Some(Seen::Line(1, _, line))) =
        (unmarked && text.starts_with(BOM), seen.first(), want.first())
    {
        // Of a line that is too long the mark is left out as well.
        want[0] = Seen::Line(1, BOM.len() as u64, line[BOM.len()..].to_vec());
    }
    agree(&seen, &want, max)?;
    let longest = seen.iter().map(|line| if let Seen::Line(_, _, b) = line { b.len() } else { 0 });
    match longest.max() {
        Some(held) if held > max + 2 * READ + ALIGN => {
            Err(format!("a line of {held} bytes is held"))
        }
        _ => Ok(seen.len() > 1),
    }
}

/// Writes stretches out.
fn stretched(text: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (&STRETCH, [length, behind @ ..]) => {
                let length = usize::from(*length);
                out.resize(out.len() + 5 * length * length, b'y');
                rest = behind;
            }
            _ => out.push(*first),
        }
        out.truncate(MOST);
    }
    out
}
