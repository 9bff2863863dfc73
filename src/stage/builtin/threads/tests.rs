use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use tokio::sync::{mpsc, watch};

use super::Threads;
use crate::stage::builtin::{Outcome, Task};
use crate::stage::{Io, Stage as _};
use crate::words::belt::{Stop, Taken, edge};
use crate::words::buffer::Pool;
use crate::words::dead_letter::Complaint;
use crate::words::event::Events;
use crate::words::id::{Name, RunId};
use crate::words::ledger::Tally;
use crate::words::letters::{Letters, Pending};
use crate::words::marks::Refusals;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Order;
use crate::words::record::{Batch, Lines, Origin, Position, Record, Split};
use crate::words::register::Register;

/// Does with each record what is written in it.
struct Obedient;

impl Task for Obedient {
    fn treat(&self, record: &Record<'_>, _origin: &Arc<Origin>, out: &mut Vec<u8>) -> Outcome {
        match record.bytes {
            b"\"keep\"" => Outcome::Kept,
            b"\"drop\"" => Outcome::Dropped,
            b"\"reject\"" => Outcome::Rejected(vec![Complaint::new("", "no", "as it says")]),
            b"\"break\"" => Outcome::Broken(Failure::new(Exit::Stage, "as it says")),
            b"\"panic\"" => std::panic::resume_unwind(Box::new("as it says")),
            other => {
                out.extend_from_slice(other);
                out.extend_from_slice(b" changed");
                Outcome::Replaced
            }
        }
    }
}

/// What came of a run: lines with what came out for them, lines refused with why, and failures.
#[derive(Debug, Default)]
struct Came {
    out: Vec<(u64, Vec<u8>)>,
    refused: Vec<String>,
    failures: Vec<String>,
    whole: bool,
    counts: [u64; 5],
}

fn batch(lines: &[Vec<u8>], number: u64) -> Arc<Batch> {
    let bytes: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    let mut buffer = Pool::new(bytes.len().max(1)).take(bytes.len().max(1));
    buffer[..bytes.len()].copy_from_slice(&bytes);
    let ends = lines.iter().scan(0, |end, line| {
        *end += u32::try_from(line.len() + 1).unwrap();
        Some(*end)
    });
    let lines = Lines::whole(0, ends.collect(), Position { line: number, offset: 0 });
    let origin = Arc::new(Origin { table: Name::internal("in"), file: None });
    let split = Split { input: 0, start: 0, end: None };
    Arc::new(Batch::new(buffer, lines, number - 1, origin, split).proven())
}

fn run(batches: &[Vec<Vec<u8>>], threads: u32, order: Order) -> Came {
    let tally = Arc::new(Tally::default());
    let (entry, input) = edge(1000, Arc::default(), Arc::clone(&tally));
    let (output, mut exit) = edge(1000, Arc::clone(&tally), Arc::default());
    let (to, mut letters_out) = edge(1000, Arc::clone(&tally), Arc::default());
    let (events, _listener) = sync_channel(100_000);
    let events = Events::new(events);
    let letters = Letters {
        table: Name::internal("work"),
        run: RunId::new(1, 2),
        to: Some(to),
        tally: Arc::clone(&tally),
        register: Register::default(),
        events: events.clone(),
        stop_above: None,
        pending: Pending::default(),
        refusals: Refusals::default(),
        notes: None,
    };
    let mut number = 1;
    for lines in batches {
        entry.send_blocking(batch(lines, number));
        number += lines.len() as u64;
    }
    entry.end_blocking();
    let (post, mut notices) = mpsc::channel(100);
    let (_go, stop) = watch::channel(Stop::No);
    let io = Io {
        input,
        output,
        letters,
        tally: Arc::clone(&tally),
        stop,
        events,
        post,
        clock: Arc::default(),
    };
    let stage = Threads::new(Name::internal("work"), Box::new(Obedient), threads, order);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let failures = runtime.block_on(Box::new(stage).live(io));
    let mut came = Came::default();
    came.failures.extend(failures.into_iter().map(|failure| failure.message));
    while let Ok(crate::words::belt::Notice::Failed(failure)) = notices.try_recv() {
        came.failures.push(failure.message);
    }
    came.whole = loop {
        match exit.take_blocking() {
            Taken::Batch(batch) => {
                came.out.extend(batch.iter().map(|r| (r.at.line, r.bytes.to_vec())));
            }
            Taken::Mark(_) => panic!("nobody sent one"),
            Taken::End => break true,
            Taken::Broken => break false,
        }
    };
    while let Taken::Batch(batch) = letters_out.take_blocking() {
        let text = |r: Record<'_>| String::from_utf8(r.bytes.to_vec()).unwrap();
        came.refused.extend(batch.iter().map(text));
    }
    let counts = [&tally.input, &tally.accepted, &tally.rejected, &tally.dropped, &tally.in_doubt];
    came.counts = counts.map(crate::words::ledger::Count::get);
    came
}

fn words(lines: &[u8]) -> Vec<Vec<u8>> {
    let word: [&[u8]; 6] =
        [b"\"keep\"", b"\"keep\"", b"1", b"\"drop\"", b"\"reject\"", b"\"panic\""];
    lines.iter().map(|line| word[usize::from(*line) % word.len()].to_vec()).collect()
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(256))]

    #[test]
    fn each_record_has_its_fate_in_its_turn_on_any_number_of_threads(
        sizes in vec(vec(any::<u8>(), 1..60), 0..20),
        threads in 1u32..5,
        ordered in any::<bool>(),
    ) {
        let batches: Vec<Vec<Vec<u8>>> = sizes.iter().map(|lines| words(lines)).collect();
        let order = if ordered { Order::Input } else { Order::None };
        let mut came = run(&batches, threads, order);
        let all = batches.concat();
        let number = |index: usize| index as u64 + 1;
        let count = |word: &[u8]| all.iter().filter(|line| *line == word).count();
        let out: Vec<(u64, Vec<u8>)> = all.iter().enumerate().filter_map(|(index, line)| {
            match line.as_slice() {
                b"\"keep\"" => Some((number(index), line.clone())),
                b"1" => Some((number(index), b"1 changed".to_vec())),
                _ => None,
            }
        }).collect();
        if !ordered {
            came.out.sort();
        }
        prop_assert_eq!(&came.out, &out);
        prop_assert!(came.whole && came.failures.is_empty(), "{:?}", came.failures);
        let panics = count(b"\"panic\"");
        let bad = count(b"\"reject\"") + panics;
        prop_assert_eq!(came.refused.len(), bad);
        let told = came.refused.iter().filter(|l| l.contains("\"code\":\"stage.panicked\"")).count();
        prop_assert_eq!(told, panics, "who panicked is refused, and the run goes on");
        let dropped = count(b"\"drop\"");
        let want = [all.len(), out.len(), bad, dropped, 0].map(|count| count as u64);
        prop_assert_eq!(came.counts, want);
    }
}

#[test]
fn a_task_that_cannot_go_on_stops_the_stage_and_what_is_not_known_is_in_doubt() {
    let line = |text: &str| text.as_bytes().to_vec();
    let batches = [vec![line("1"), line("\"break\""), line("1")], vec![line("1"); 50]];
    let came = run(&batches, 1, Order::Input);
    assert_eq!(came.out, [(1, line("1 changed"))], "what was made before goes on");
    assert!(!came.whole, "the edge is left broken");
    assert_eq!(came.failures, ["stage `work`: as it says"]);
    assert_eq!(came.counts, [53, 1, 0, 0, 52]);
}
