//! What is packed comes out as it was, however it comes in; what is no packed file is told.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::{Strategy as _, any};
use proptest::{collection, prop_assert_eq, proptest};

use super::{Fault, FaultKind, Over, Packed};
use crate::plan::Unpack;
use crate::source::{Read, Reader, Trouble};
use crate::words::fuzz::fuzz;
use crate::words::packing::Packing;

const BOTH: [Packing; 2] = [Packing::Gzip, Packing::Zstd];

const FREE: Unpack = Unpack { most: u64::MAX, ratio: u64::MAX };

/// Gives its bytes in reads of these sizes; 0 is a wait.
struct Pieces {
    rest: Vec<u8>,
    sizes: Vec<usize>,
    turn: usize,
}

impl Reader for Pieces {
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        if size == 0 {
            return Ok(Read::Idle);
        }
        let count = size.min(room.len()).min(self.rest.len());
        room[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(Read::Bytes(count))
    }
}

/// What came of some packed bytes.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    bytes: Vec<u8>,
    fault: Option<FaultKind>,
    spent: u64,
    waits: usize,
}

fn reader(packing: Packing, packed: &[u8], sizes: &[usize], limits: Unpack) -> Packed {
    let pieces = Pieces { rest: packed.to_vec(), sizes: sizes.to_vec(), turn: 0 };
    Packed::new(Box::new(pieces), packing, limits).unwrap()
}

fn drained(mut reader: Packed, room: usize) -> Came {
    let mut came = Came { bytes: Vec::new(), fault: None, spent: 0, waits: 0 };
    let mut room = vec![0; room];
    loop {
        match reader.read(&mut room) {
            Ok(Read::Bytes(count)) => {
                came.spent += reader.spent(count);
                came.bytes.extend_from_slice(&room[..count]);
                if count == 0 {
                    return came;
                }
            }
            Ok(Read::Idle) => came.waits += 1,
            Ok(Read::Stopped) => panic!("nobody stops it"),
            Err(Trouble::Packed(Fault { kind, .. })) => {
                came.fault = Some(kind);
                return came;
            }
            Err(Trouble::Io(error)) => panic!("{error}"),
        }
    }
}

fn unpacked(packing: Packing, packed: &[u8]) -> Came {
    drained(reader(packing, packed, &[usize::MAX], FREE), 1000)
}

fn pack(packing: Packing, plain: &[u8]) -> Vec<u8> {
    match packing {
        Packing::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Packing::Zstd => {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// Something that packs neither to nothing nor not at all.
fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| format!("{{\"id\":{}}}\n", n * 7919 % 10_007).into_bytes()).collect()
}

proptest! {
    #[test]
    fn parts_come_out_one_behind_the_other(
        parts in collection::vec(collection::vec(any::<u8>(), 0..300), 1..6),
        sizes in collection::vec(0_usize..40, 0..6),
        room in 1_usize..300,
    ) {
        let sizes = [sizes, vec![11]].concat();
        for packing in BOTH {
            let packed: Vec<u8> = parts.iter().flat_map(|part| pack(packing, part)).collect();
            let came = drained(reader(packing, &packed, &sizes, FREE), room);
            prop_assert_eq!(came.fault, None);
            prop_assert_eq!(came.bytes, parts.concat());
            prop_assert_eq!(came.spent, packed.len() as u64);
        }
    }

    #[test]
    fn what_is_cut_off_anywhere_is_torn(at in any::<proptest::sample::Index>()) {
        for packing in BOTH {
            let (first, second) = (pack(packing, &lines(50)), pack(packing, &lines(100)));
            let whole = [&first[..], &second].concat();
            let at = at.index(whole.len());
            let fault = unpacked(packing, &whole[..at]).fault;
            let wanted = match at {
                0 => Some(FaultKind::Empty),
                at if at == first.len() => None,
                _ => Some(FaultKind::Torn),
            };
            prop_assert_eq!(fault, wanted, "cut off at {}", at);
        }
    }
}

/// What was unpacked goes on before a wait, and a wait is told before the next one.
#[test]
fn a_wait_comes_behind_the_bytes_before_it() {
    for packing in BOTH {
        let part = pack(packing, &lines(1000));
        let sizes = [part.len() + 5, 0, 0, usize::MAX];
        let mut reader = reader(packing, &part.repeat(2), &sizes, FREE);
        let mut room = vec![0; 100_000];
        let first = reader.read(&mut room).unwrap();
        assert!(matches!(first, Read::Bytes(1..)), "{first:?}");
        assert_eq!(reader.read(&mut room).unwrap(), Read::Idle);
        assert_eq!(reader.read(&mut room).unwrap(), Read::Idle);
        assert!(matches!(reader.read(&mut room).unwrap(), Read::Bytes(1..)));
        assert_eq!(reader.read(&mut room).unwrap(), Read::Bytes(0));
    }
}

#[test]
fn a_flipped_bit_never_passes_for_something_else() {
    for packing in BOTH {
        let plain = lines(200);
        let packed = pack(packing, &plain);
        for at in 0..packed.len() * 8 {
            let mut flipped = packed.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            let came = unpacked(packing, &flipped);
            // Some bits of a head mean nothing: time, system, flags of a text.
            assert!(came.fault.is_some() || came.bytes == plain, "{packing}: bit {at}");
        }
    }
}

#[test]
fn what_stands_behind_the_last_part_is_told_with_its_place() {
    for packing in BOTH {
        let packed = pack(packing, b"{}\n");
        let at = packed.len() as u64;
        let came = unpacked(packing, &[&packed[..], b"junk"].concat());
        assert_eq!((&came.bytes[..], came.fault), (&b"{}\n"[..], Some(FaultKind::Behind(at))));
        let zeros = unpacked(packing, &[packed.clone(), vec![0; 100_000]].concat());
        let wanted = (packing == Packing::Zstd).then_some(FaultKind::Behind(at));
        assert_eq!((&zeros.bytes[..], zeros.fault), (&b"{}\n"[..], wanted));
        // Zeros are a filling at the very end only.
        let again = unpacked(packing, &[&packed[..], &[0; 9], &packed].concat());
        let wanted = if packing == Packing::Zstd { at } else { at + 9 };
        assert_eq!(again.fault, Some(FaultKind::Behind(wanted)));
    }
}

#[test]
fn what_is_no_packed_file_is_shown() {
    for packing in BOTH {
        let came = unpacked(packing, b"{\"a\":1}\n{\"b\":2}\n{}");
        assert_eq!(came.fault, Some(FaultKind::Foreign(b"{\"a\":1}\n{\"b\":2}\n".to_vec())));
    }
    let swapped = unpacked(Packing::Gzip, &pack(Packing::Zstd, b"{}\n"));
    let Some(kind @ FaultKind::Foreign(_)) = swapped.fault else { panic!("{swapped:?}") };
    let fault = Fault { packing: Packing::Gzip, kind, packed: 0, unpacked: 0 };
    assert_eq!(fault.failure("a.gz").hints, ["it looks like zstd: give it a name in `.zst`"]);
}

#[test]
fn frames_to_be_skipped_are_skipped() {
    let skipped = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let frame = pack(Packing::Zstd, b"{}\n");
    let came = unpacked(Packing::Zstd, &[&skipped[..], &frame, &skipped, &frame].concat());
    assert_eq!((&came.bytes[..], came.fault), (&b"{}\n{}\n"[..], None));
}

#[test]
fn a_frame_with_too_large_a_window_is_refused_and_the_largest_is_not() {
    for (log, refused) in [(27, None), (28, Some(FaultKind::Over(Over::Window)))] {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(b"{}\n").unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(unpacked(Packing::Zstd, &packed).fault, refused);
    }
}

#[test]
fn limits_are_kept_however_many_parts_there_are() {
    for packing in BOTH {
        let part = pack(packing, &[b'\n'; 10_000]);
        let packed = part.repeat(10);
        let total = Unpack { most: 99_999, ratio: u64::MAX };
        let came = drained(reader(packing, &packed, &[7, 1000], total), 1000);
        assert_eq!(came.fault, Some(FaultKind::Over(Over::Total(99_999))));
        assert!(came.bytes.len() <= 101_000, "{}", came.bytes.len());
        let fits = Unpack { most: 100_000, ratio: 10_000 };
        assert_eq!(drained(reader(packing, &packed, &[1000], fits), 1000).fault, None);

        let real = 10_000 / part.len() as u64;
        for (ratio, from, fault) in [
            (real / 2, 1000, Some(FaultKind::Over(Over::Ratio(real / 2)))),
            (real + 1000, 1000, None),
            (1, 100_000, None),
        ] {
            let limits = Unpack { most: u64::MAX, ratio };
            let mut reader = reader(packing, &packed, &[1000], limits);
            reader.ratio_from = from;
            assert_eq!(drained(reader, 1000).fault, fault, "{packing}: {ratio} from {from}");
        }
    }
}

/// Whatever comes: an end or a fault, within the limits, and the same however it comes.
#[test]
fn fuzz_unpack() {
    let part = (0..2_usize, collection::vec(any::<u8>(), 0..40));
    let parts = collection::vec(part, 1..3);
    let fresh = parts.prop_map(|parts| {
        parts.iter().flat_map(|(which, plain)| pack(BOTH[*which], plain)).collect::<Vec<u8>>()
    });
    let splinters: [&[u8]; 3] =
        [&[0; 9], &[0x1f, 0x8b, 8, 0], &[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]];
    fuzz("unpack", &fresh, &splinters, |bytes| {
        let mut sound = false;
        for packing in BOTH {
            let limits = Unpack { most: 1 << 20, ratio: u64::MAX };
            let whole = drained(reader(packing, bytes, &[usize::MAX], limits), 4096);
            let pieces = drained(reader(packing, bytes, &[1, 5, 100], limits), 333);
            if whole.bytes.len() > (1 << 20) + 4096 {
                return Err(format!("{} bytes came", whole.bytes.len()));
            }
            if whole.fault.is_none() && whole != pieces {
                return Err(format!("{whole:?}, in pieces {pieces:?}"));
            }
            if whole.fault.is_some() != pieces.fault.is_some() {
                return Err(format!("{:?}, in pieces {:?}", whole.fault, pieces.fault));
            }
            sound |= whole.fault.is_none();
        }
        Ok(sound)
    });
}
