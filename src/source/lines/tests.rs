use std::sync::{Arc, mpsc::sync_channel};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::Digest as _;
use tokio::sync::watch;

use super::BOM;

use crate::json;
use crate::plan::{Input, Source as SourcePlan, Tolerance, Unpack};
use crate::source::{self, Io, Read, Reader, Source, Trouble, run};
use crate::words::belt::{Inlet, Stop, Taken, edge};
use crate::words::dead_letter::{HEAD, hex};
use crate::words::event::Events;
use crate::words::id::{Name, RunId};
use crate::words::ledger::Tally;
use crate::words::letters::{Letters, Pending};
use crate::words::marks::Refusals;
use crate::words::outcome::Failure;
use crate::words::policy::{Check, OnReject};
use crate::words::record::Split;
use crate::words::register::Register;

/// What became of one line.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Blank,
    Record(Vec<u8>),
    Refused { code: String, column: Option<u64>, kept: Vec<u8>, bytes: Option<u64>, sha256: String },
}

/// A line's place: which file, which line of it, at which byte.
type Place = (String, u64, u64);

/// Files in memory, read in pieces of the given sizes; 0 is a moment without anything to read.
#[derive(Debug)]
struct Memory {
    files: Vec<Vec<u8>>,
    sizes: Vec<usize>,
}

struct Pieces {
    rest: Vec<u8>,
    sizes: Vec<usize>,
    turn: usize,
}

impl Source for Memory {
    fn inputs(&self) -> Vec<source::Input> {
        self.files.iter().map(|_| source::Input { end: None }).collect()
    }

    fn open(&self, split: Split) -> Result<Box<dyn Reader>, Failure> {
        let rest = self.files[split.input as usize].clone();
        Ok(Box::new(Pieces { rest, sizes: self.sizes.clone(), turn: 0 }))
    }

    fn name_of(&self, input: u32) -> Arc<str> {
        input.to_string().into()
    }

    fn total(&self) -> Option<u64> {
        None
    }
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

/// Everything a source gave away.
#[derive(Debug, Default)]
struct Given {
    fates: Vec<(Place, Fate)>,
    bytes: Vec<u8>,
    seqs: Vec<u64>,
    /// The places of the refused lines, in the order in which they were refused.
    refused: Vec<Place>,
    proven: Vec<bool>,
    /// Lines, blank, rejected and handed on, as counted.
    counts: (u64, u64, u64, u64),
}

/// Runs a source over files to their end.
fn sort(files: &[Vec<u8>], sizes: &[usize], check: Check, max_record: usize) -> Given {
    let plan = SourcePlan {
        name: Name::internal("in"),
        input: Input::Stdin { spool: false },
        check,
        max_record,
        unpack: Unpack { most: 1 << 40, ratio: 500 },
        tolerance: Tolerance { max_rejects: None, on_reject: OnReject::Continue },
    };
    let tally: Arc<Tally> = Arc::default();
    let (out, records) = edge(100_000, Arc::clone(&tally), Arc::default());
    let (to, refused) = edge(100_000, Arc::clone(&tally), Arc::default());
    // Nobody listens: what is told does not matter here.
    let events = Events::new(sync_channel(1).0);
    let letters = Letters {
        table: plan.name.clone(),
        run: RunId::new(1, 2),
        to: Some(to),
        tally: Arc::clone(&tally),
        register: Register::default(),
        events,
        stop_above: None,
        pending: Pending::default(),
        refusals: Refusals::default(),
        notes: None,
    };
    let (_go, stop) = watch::channel(Stop::No);
    let source = Memory { files: files.to_vec(), sizes: sizes.to_vec() };
    run(&plan, &source, Io { out, letters, tally: Arc::clone(&tally), stop, keep: None }).unwrap();
    let mut given = Given::default();
    take_records(records, &mut given);
    take_letters(refused, &mut given);
    given.counts = (tally.lines.get(), tally.blank.get(), tally.rejected.get(), tally.output.get());
    given.fates.sort_by(|a, b| a.0.cmp(&b.0));
    given
}

fn take_records(mut inlet: Inlet, given: &mut Given) {
    while let Taken::Batch(batch) = inlet.take_blocking() {
        let file = batch.origin().file.clone().unwrap().to_string();
        given.proven.push(batch.is_proven());
        given.bytes.extend(batch.slices().flatten());
        for record in batch.iter() {
            given.seqs.push(record.seq);
            let place = (file.clone(), record.at.line, record.at.offset);
            given.fates.push((place, Fate::Record(record.bytes.to_vec())));
        }
    }
}

fn take_letters(mut inlet: Inlet, given: &mut Given) {
    while let Taken::Batch(batch) = inlet.take_blocking() {
        for record in batch.iter() {
            let letter: Value = serde_json::from_slice(record.bytes).unwrap();
            let number = |key: &str| letter[key].as_u64().unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let place = (text(&letter["file"]), number("line"), number("offset"));
            let error = &letter["errors"][0];
            let refused = Fate::Refused {
                code: text(&error["code"]),
                column: error["column"].as_u64(),
                kept: STANDARD.decode(text(&letter["raw"])).unwrap(),
                bytes: letter["bytes"].as_u64(),
                sha256: text(&letter["sha256"]),
            };
            given.refused.push(place.clone());
            given.fates.push((place, refused));
        }
    }
}

/// What must become of each line, found the slow and obvious way.
fn reference(files: &[Vec<u8>], check: Check, max_record: usize) -> Vec<(Place, Fate)> {
    let mut fates = Vec::new();
    for (number, bytes) in files.iter().enumerate() {
        let bom = if check == Check::None { None } else { bytes.strip_prefix(BOM) };
        let text = bom.unwrap_or(bytes);
        let mut offset = (bytes.len() - text.len()) as u64;
        let ended = text.strip_suffix(b"\n").unwrap_or(text);
        if bytes.is_empty() {
            continue;
        }
        for (line, bytes) in (1..).zip(ended.split(|&b| b == b'\n')) {
            let place = (number.to_string(), line, offset);
            offset += bytes.len() as u64 + 1;
            fates.push((place, fate(bytes, check, max_record)));
        }
    }
    fates
}

fn fate(line: &[u8], check: Check, max_record: usize) -> Fate {
    let sha256 = hex(&sha2::Sha256::digest(line));
    if line.len() > max_record {
        let (code, kept) = ("json.too_long".to_owned(), line[..line.len().min(HEAD)].to_vec());
        return Fate::Refused { code, column: None, kept, bytes: Some(line.len() as u64), sha256 };
    }
    let text = std::str::from_utf8(line);
    let good = match check {
        Check::None => true,
        _ if line.iter().all(|b| b" \t\r\n".contains(b)) => return Fate::Blank,
        Check::Utf8 => text.is_ok(),
        Check::Json => text.is_ok_and(|t| serde_json::from_str::<&RawValue>(t).is_ok()),
    };
    if good {
        return Fate::Record(line.to_vec());
    }
    // Where and why is the judge's to say, which has tests of its own.
    let fault = if check == Check::Json { json::check(line) } else { json::check_utf8(line) };
    let (code, column) =
        fault.map_or_else(|f| (f.code.to_owned(), Some(f.column)), |()| Default::default());
    Fate::Refused { code, column, kept: line.to_vec(), bytes: None, sha256 }
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let json = prop_oneof![
        Just("{\"a\":1}"),
        Just(" [1, 2.50] "),
        Just("null"),
        Just("\"\u{e9}\u{feff}\""),
        Just("{\"a\":1,\"a\":2}"),
    ];
    let json = (json, any::<bool>()).prop_map(|(text, cr)| {
        let end: &[u8] = if cr { b"\r" } else { b"" };
        [text.as_bytes(), end].concat()
    });
    let blank = vec(prop_oneof![Just(b' '), Just(b'\t'), Just(b'\r')], 0..4);
    let foreign = any::<u8>().prop_map(|byte| if byte == b'\n' { 0 } else { byte });
    let foreign = vec(foreign, 0..40);
    let long = (1usize..6000).prop_map(|length| vec![b'7'; length]);
    prop_oneof![
        8 => json,
        3 => blank,
        3 => foreign,
        1 => long,
        1 => Just(b"\xef\xbb\xbf{}".to_vec()),
        1 => Just(b"\xef\xbb\xbf".to_vec()),
    ]
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), vec(line(), 0..20), any::<bool>()).prop_map(|(bom, lines, ended)| {
        let mut bytes = if bom { BOM.to_vec() } else { Vec::new() };
        bytes.extend(lines.join(&b'\n'));
        if ended && !lines.is_empty() {
            bytes.push(b'\n');
        }
        bytes
    })
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(4096))]

    #[test]
    fn every_line_has_one_fate_wherever_the_reads_fall(
        files in vec(file(), 1..4),
        sizes in vec(0usize..400, 0..6),
        check in prop_oneof![3 => Just(Check::Json), 1 => Just(Check::Utf8), 1 => Just(Check::None)],
        max_record in prop_oneof![1usize..60, 60usize..8000],
    ) {
        let sizes = [sizes, vec![97]].concat();
        let given = sort(&files, &sizes, check, max_record);
        let want = reference(&files, check, max_record);
        let (mut blank, mut refused, mut bytes) = (0, 0, Vec::new());
        for (_, fate) in &want {
            match fate {
                Fate::Blank => blank += 1,
                Fate::Refused { .. } => refused += 1,
                Fate::Record(record) => bytes.extend([record, &b"\n"[..]].concat()),
            }
        }
        let records = want.len() as u64 - blank - refused;
        prop_assert_eq!(given.counts, (want.len() as u64, blank, refused, records));
        let want: Vec<_> = want.into_iter().filter(|(_, fate)| *fate != Fate::Blank).collect();
        prop_assert_eq!(&given.fates, &want);
        prop_assert_eq!(given.seqs, (0..records).collect::<Vec<_>>());
        prop_assert_eq!(given.bytes, bytes);
        prop_assert_eq!(given.refused.is_sorted(), true, "dead letters stand in input order");
        let proven = check == Check::Json;
        prop_assert_eq!(given.proven.iter().all(|p| *p == proven), true);
    }
}

#[test]
fn a_first_line_that_is_too_long_is_the_same_letter_however_it_is_read() {
    let line = [b"\xef\xbb\xbf".to_vec(), vec![b'7'; 40], b"\n{}\n".to_vec()].concat();
    for max_record in 38..42 {
        let want = sort(std::slice::from_ref(&line), &[1000], Check::Json, max_record).fates;
        for size in 1..50 {
            let fates = sort(std::slice::from_ref(&line), &[size], Check::Json, max_record).fates;
            assert_eq!(fates, want, "`max_record` {max_record}, reads of {size}");
        }
    }
}
