//! Whatever the lines and however they come: the same parts, each whole.

use std::io::{Read as _, Write as _};

use flate2::bufread::GzDecoder;
use proptest::prelude::{Strategy, any};
use proptest::{collection, prop_assert, prop_assert_eq, proptest};

use super::{CHUNK, Packer};
use crate::words::packing::Packing;

const BOTH: [Packing; 2] = [Packing::Gzip, Packing::Zstd];

/// Packs lines that come in batches of so many.
fn packed(packing: Packing, limit: usize, lines: &[Vec<u8>], batches: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut packer = Packer::with_parts(packing, limit);
    let mut rest = lines;
    for size in batches.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (batch, behind) = rest.split_at((*size).min(rest.len()));
        packer.pack(&batch.concat(), &mut |bytes, _| out.write_all(bytes)).unwrap();
        rest = behind;
    }
    packer.finish(&mut |bytes, _| out.write_all(bytes)).unwrap();
    assert_eq!(packer.written(), out.len() as u64);
    out
}

/// Unpacks each part alone.
fn parts(packing: Packing, mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let mut part = Vec::new();
        match packing {
            Packing::Gzip => {
                let mut one = GzDecoder::new(bytes);
                one.read_to_end(&mut part).unwrap();
                bytes = one.into_inner();
            }
            Packing::Zstd => {
                let mut one = zstd::Decoder::with_buffer(bytes).unwrap().single_frame();
                one.read_to_end(&mut part).unwrap();
                bytes = one.finish();
            }
        }
        parts.push(part);
    }
    parts
}

fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let line = collection::vec(any::<u8>().prop_filter("a line", |b| *b != b'\n'), 0..60);
    collection::vec(line.prop_map(|line| [line, vec![b'\n']].concat()), 0..200)
}

proptest! {
    #[test]
    fn the_same_lines_make_the_same_parts(
        lines in lines(),
        limit in 1_usize..600,
        batches in collection::vec(1_usize..50, 1..5),
    ) {
        for packing in BOTH {
            let bytes = packed(packing, limit, &lines, &batches);
            prop_assert!(bytes == packed(packing, limit, &lines, &[usize::MAX]));
            let parts = parts(packing, &bytes);
            prop_assert_eq!(parts.concat(), lines.concat());
            prop_assert!(parts.len() == 1 || parts.iter().all(|part| part.ends_with(b"\n")));
            let (_, all_but_last) = parts.split_last().unwrap();
            for part in all_but_last {
                let without_last = part[..part.len() - 1].iter().rposition(|b| *b == b'\n');
                prop_assert!(part.len() >= limit && without_last.map_or(0, |at| at + 1) < limit);
            }
        }
    }
}

#[test]
fn chunks_and_batches_may_meet_anywhere() {
    let line = |n: usize| [format!("{n}").repeat(97).into_bytes(), vec![b'\n']].concat();
    let lines: Vec<Vec<u8>> = (0..9000).map(line).collect();
    assert!(lines.concat().len() > 4 * CHUNK);
    for packing in BOTH {
        let whole = packed(packing, 3 * CHUNK, &lines, &[usize::MAX]);
        for batches in [[1, 1], [2, 7], [1000, 3], [5000, 5000]] {
            assert!(packed(packing, 3 * CHUNK, &lines, &batches) == whole, "{batches:?}");
        }
        assert!(parts(packing, &whole).concat() == lines.concat());
    }
}

#[test]
fn nothing_is_one_empty_part() {
    for packing in BOTH {
        let bytes = packed(packing, 10, &[], &[1]);
        assert_eq!(parts(packing, &bytes), [b""]);
    }
    let gzip = packed(Packing::Gzip, 10, &[], &[1]);
    // No name, no time, no system; and a head that `gzip` would write as well.
    assert_eq!(gzip[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
}

#[test]
fn who_cannot_write_is_told() {
    for packing in BOTH {
        let mut packer = Packer::with_parts(packing, 10);
        let mut full = |_: &[u8], _| Err(std::io::ErrorKind::StorageFull.into());
        let error = packer.pack(b"{\"a\":1234567}\n", &mut full).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
}
