use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{Done, Stray, run};
use crate::json;
use crate::words::belt::{Taken, edge};
use crate::words::buffer::Pool;
use crate::words::id::Name;
use crate::words::policy::Check;
use crate::words::record::{Batch, Lines, Origin, Position, Split};

/// Puts lines into a batch; the first is line `number` of the output.
fn batch(lines: &[Vec<u8>], number: u64) -> Batch {
    let bytes: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    let mut buffer = Pool::new(1).take(bytes.len().max(1));
    buffer[..bytes.len()].copy_from_slice(&bytes);
    let mut end = 0;
    let ends = lines.iter().map(|line| {
        end += u32::try_from(line.len() + 1).unwrap();
        end
    });
    let lines = Lines::whole(0, ends.collect(), Position { line: number, offset: 0 });
    let origin = Arc::new(Origin { table: Name::internal("s"), file: None });
    Batch::new(buffer, lines, number - 1, origin, Split { input: 0, start: 0, end: None })
}

/// What a check passed on, and what it said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Passed {
    lines: Vec<(u64, Vec<u8>)>,
    blank: u64,
    stray: Option<u64>,
}

fn checked(check: Check, written: &[Vec<Vec<u8>>]) -> (Passed, Vec<Stray>) {
    let (entry, input) = edge(1000, Arc::default(), Arc::default());
    let (output, mut exit) = edge(1000, Arc::default(), Arc::default());
    let mut number = 1;
    for lines in written {
        entry.send_blocking(Arc::new(batch(lines, number)));
        number += lines.len() as u64;
    }
    entry.end_blocking();
    let mut strays = Vec::new();
    let Done { output, blank } = run(check, input, output, |stray| strays.push(stray));
    output.end_blocking();
    let mut passed = Passed { blank, stray: strays.first().map(|s| s.line), ..Passed::default() };
    while let Taken::Batch(batch) = exit.take_blocking() {
        assert!(!batch.is_empty(), "nothing is not passed on");
        passed.lines.extend(batch.iter().map(|record| (record.at.line, record.bytes.to_vec())));
    }
    (passed, strays)
}

/// What a check must pass, found line by line. A batch with a stray in it
/// is not passed on, nor is any behind it.
fn reference(check: Check, written: &[Vec<Vec<u8>>]) -> Passed {
    let mut passed = Passed::default();
    let mut number = 0;
    for lines in written {
        let (mut good, mut blank) = (Vec::new(), 0);
        for line in lines {
            number += 1;
            if json::is_blank(line) {
                blank += 1;
            } else if fault(check, line) {
                passed.stray = Some(number);
                return passed;
            } else {
                good.push((number, line.clone()));
            }
        }
        passed.lines.extend(good);
        passed.blank += blank;
    }
    passed
}

fn fault(check: Check, line: &[u8]) -> bool {
    match check {
        Check::Json => json::check(line).is_err(),
        Check::Utf8 => std::str::from_utf8(line).is_err(),
        Check::None => false,
    }
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        60 => "\\{\"id\":[1-9][0-9]?\\}".prop_map(String::into_bytes),
        2 => Just(b" \t".to_vec()),
        2 => Just(Vec::new()),
        1 => Just(b"stray".to_vec()),
        1 => Just(b"\"\xff\"".to_vec()),
        1 => Just(b"{\"a\":1".to_vec()),
    ]
}

fn cut(lines: &[Vec<u8>], sizes: &[usize]) -> Vec<Vec<Vec<u8>>> {
    let (mut rest, mut cut) = (lines, Vec::new());
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (some, behind) = rest.split_at((*size).min(rest.len()));
        cut.push(some.to_vec());
        rest = behind;
    }
    cut
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(2048))]

    #[test]
    fn it_passes_what_a_look_at_each_line_would_pass(
        written in vec(line(), 0..80),
        sizes in vec(1usize..30, 1..4),
        check in prop_oneof![3 => Just(Check::Json), 1 => Just(Check::Utf8), 1 => Just(Check::None)],
    ) {
        let written = cut(&written, &sizes);
        let (passed, strays) = checked(check, &written);
        prop_assert_eq!(passed, reference(check, &written));
        prop_assert!(strays.len() <= 1, "only the first one is told");
    }
}

#[test]
fn a_stray_line_is_shown_with_its_place_and_without_its_power() {
    let lines = [vec![b"{}".to_vec()], vec![b"{}".to_vec(), b"\x1b[2Jhi \xff".to_vec()]];
    let (_, strays) = checked(Check::Json, &lines);
    let message = "no JSON text (column 1: expected value): \\u{1b}[2Jhi \\xff".to_owned();
    assert_eq!(strays, [Stray { line: 3, message }]);
}

#[test]
fn what_it_passes_is_known_to_be_json() {
    let (entry, input) = edge(4, Arc::default(), Arc::default());
    let (output, mut exit) = edge(4, Arc::default(), Arc::default());
    entry.send_blocking(Arc::new(batch(&[b"{}".to_vec()], 1)));
    entry.end_blocking();
    let done = run(Check::Json, input, output, |stray| panic!("{stray:?}"));
    assert!(matches!(exit.take_blocking(), Taken::Batch(batch) if batch.is_proven()));
    done.output.end_blocking();
}
