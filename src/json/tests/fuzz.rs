//! Lines made and broken at random, in buffers of good and bad ones, held against the oracle.

use std::time::{Duration, Instant};

use crate::json::tests::agree;
use crate::words::fuzz::{self, Dice};
use crate::words::trials;

fn pick<'a>(dice: &mut Dice, from: &[&'a [u8]]) -> &'a [u8] {
    from[dice.roll(from.len())]
}

const BLANKS: [&[u8]; 8] = [b"", b"", b"", b"", b" ", b"\t", b"\r", b"  \r\t "];
const SCALARS: [&[u8]; 20] = [
    b"0",
    b"1",
    b"-1",
    b"12",
    b"1234567890123456789012345678901234567890123456789012345678901234567890",
    b"-0.5",
    b"1e5",
    b"1.25E-10",
    b"3.14159265358979",
    b"true",
    b"false",
    b"null",
    b"1e400",
    b"-0",
    b"-37.8136276",
    b"144.9630576",
    b"20",
    b"100",
    b"7",
    b"0.0",
];
const PIECES: [&[u8]; 16] = [
    b"a",
    b"name",
    b" ",
    b"\\n",
    b"\\\"",
    b"\\\\",
    b"\\u00e9",
    b"\\ud83d\\ude00",
    b"\xc3\xa9",
    b"{}[],:",
    b"\xe2\x82\xac",
    b"0123456789",
    b"\xf0\x9f\x98\x80",
    b"\\/",
    b"true",
    b"                         ",
];
/// What is put into a line to break it, or not.
const SPLINTERS: [&[u8]; 40] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\t",
    b"\r",
    b"0",
    b"1",
    b"9",
    b"-",
    b"+",
    b".",
    b"e",
    b"E",
    b"t",
    b"true",
    b"null",
    b"u",
    b"\\u",
    b"\\u12",
    b"\x00",
    b"\x1f",
    b"\x7f",
    b"\x80",
    b"\xc3",
    b"\xff",
    b"\xc3\xa9",
    b"/",
    b"00",
    b"{}",
    b"[]",
    b"\"\"",
    b",,",
    b"::",
    b"\xed\xa0\x80",
];

fn value(dice: &mut Dice, depth: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(pick(dice, &BLANKS));
    match dice.roll(if depth > 5 { 6 } else { 10 }) {
        0..3 => out.extend_from_slice(pick(dice, &SCALARS)),
        3..6 => string(dice, out),
        kind => {
            let (open, close) = if kind < 8 { (b'{', b'}') } else { (b'[', b']') };
            out.push(open);
            for index in 0..dice.roll(5) {
                if index > 0 {
                    out.push(b',');
                }
                if open == b'{' {
                    out.extend_from_slice(pick(dice, &BLANKS));
                    string(dice, out);
                    out.extend_from_slice(pick(dice, &BLANKS));
                    out.push(b':');
                }
                value(dice, depth + 1, out);
            }
            out.extend_from_slice(pick(dice, &BLANKS));
            out.push(close);
        }
    }
    out.extend_from_slice(pick(dice, &BLANKS));
}

fn string(dice: &mut Dice, out: &mut Vec<u8>) {
    out.push(b'"');
    for _ in 0..dice.roll(6) {
        out.extend_from_slice(pick(dice, &PIECES));
    }
    out.push(b'"');
}

/// Changes a line a little: harsh, or where it is more likely to stay whole.
fn break_up(dice: &mut Dice, line: &mut Vec<u8>) {
    let at = dice.roll(line.len() + 1);
    match dice.roll(8) {
        0 => {
            line.truncate(at);
        }
        1 if at < line.len() => {
            line.remove(at);
        }
        2 if at < line.len() => line[at] = u8::try_from(dice.roll(256)).unwrap_or(0),
        3 => {
            // A run as long as a block or two, of a byte that means something.
            let byte = b" \\0a[\"\t"[dice.roll(7)];
            let run = vec![byte; dice.roll(140)];
            line.splice(at..at, run);
        }
        4 if at < line.len() => {
            let end = (at + dice.roll(12)).min(line.len());
            let copy = line[at..end].to_vec();
            let to = dice.roll(line.len() + 1);
            line.splice(to..to, copy);
        }
        5 if at < line.len() => {
            let other = dice.roll(line.len());
            line.swap(at, other);
        }
        _ => {
            line.splice(at..at, pick(dice, &SPLINTERS).iter().copied());
        }
    }
    line.retain(|byte| *byte != b'\n');
}

#[test]
fn fuzz_json() {
    let wanted = u64::from(trials::at_least(1_000_000).cases);
    let seconds = fuzz::given("ESTEIRA_FUZZ_SECONDS").map(Duration::from_secs);
    let seed = fuzz::given("ESTEIRA_FUZZ_SEED");
    let seed: u64 = seed.unwrap_or_else(|| if seconds.is_some() { fuzz::now() } else { 1 });
    // What is wrong is shown as it is found, so that it can be tried again.
    fuzz::say("json", &format!("seed {seed}"));
    let mut dice = Dice(seed | 1 << 63);
    let (mut lines, mut buffer, began) = (0u64, Vec::new(), Instant::now());
    while seconds.map_or(lines < wanted, |most| began.elapsed() < most) {
        buffer.clear();
        for _ in 0..=dice.roll(24) {
            let mut line = Vec::new();
            match dice.roll(40) {
                0 => line.extend(std::iter::repeat_n(b' ', dice.roll(130))),
                1 => {
                    let depth = [60, 64, 65, 100, 128, 129, 200][dice.roll(7)];
                    line.extend(std::iter::repeat_n(b'[', depth));
                    line.extend(std::iter::repeat_n(b']', depth));
                }
                _ => value(&mut dice, 0, &mut line),
            }
            line.retain(|byte| *byte != b'\n');
            for _ in 0..[0, 0, 1, 1, 1, 2, 5][dice.roll(7)] {
                break_up(&mut dice, &mut line);
            }
            buffer.extend_from_slice(&line);
            buffer.push(b'\n');
            lines += 1;
        }
        if buffer.len() > 1 && dice.roll(4) == 0 {
            buffer.pop();
        }
        agree(&buffer);
    }
    fuzz::say("json", &format!("{lines} lines in {} ms", began.elapsed().as_millis()));
}
