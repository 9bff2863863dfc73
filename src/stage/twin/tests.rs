use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};

use super::{AHEAD, MEMORY, Sent, Twin};
use crate::words::buffer::Pool;
use crate::words::id::Name;
use crate::words::record::{Batch, Lines, Origin, Position, Split};

/// Puts lines, each with its line feed, into a batch.
fn batch(lines: &[Vec<u8>]) -> Batch {
    let bytes = lines.concat();
    let mut buffer = Pool::new(1).take(bytes.len().max(1));
    buffer[..bytes.len()].copy_from_slice(&bytes);
    let mut end = 0;
    let ends = lines.iter().map(|line| {
        end += u32::try_from(line.len()).unwrap();
        end
    });
    let lines = Lines::whole(0, ends.collect(), Position { line: 1, offset: 0 });
    let origin = Arc::new(Origin { table: Name::internal("s"), file: None });
    Batch::new(buffer, lines, 0, origin, Split { input: 0, start: 0, end: None })
}

fn proven(lines: &[Vec<u8>]) -> Arc<Batch> {
    Arc::new(batch(lines).proven())
}

/// Short lines of few letters, so that many are alike.
fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec("[ab]{0,3}\n".prop_map(String::into_bytes), 1..24)
}

/// A batch so large that a few of them are more than is remembered. Made once.
fn huge() -> Arc<Batch> {
    static HUGE: OnceLock<Arc<Batch>> = OnceLock::new();
    let lines = || vec![[vec![b'h'; MEMORY / 4], b"\n".to_vec()].concat(); 2];
    Arc::clone(HUGE.get_or_init(|| proven(&lines())))
}

/// What happens at a worker, as the twin sees it.
#[derive(Clone, Debug)]
enum Step {
    /// Lines are sent.
    Send(Vec<Vec<u8>>),
    /// So many that others are forgotten.
    SendHuge,
    /// Lines that nobody proved are sent.
    SendUnproven(Vec<Vec<u8>>),
    /// The next of the sent lines comes back, some left out before it.
    Return(usize),
    /// Some line comes back.
    Invent(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => lines().prop_map(Step::Send),
        1 => Just(Step::SendHuge),
        1 => lines().prop_map(Step::SendUnproven),
        12 => (0usize..AHEAD + 3).prop_map(Step::Return),
        4 => "[abc]{0,4}\n".prop_map(|line| Step::Invent(line.into_bytes())),
    ]
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(2048))]

    #[test]
    fn what_it_knows_was_sent(steps in vec(step(), 0..60)) {
        let sent = Sent::default();
        let mut twin = Twin::new(sent.clone());
        let (mut ever, mut order, mut next) = (HashSet::new(), Vec::new(), 0);
        for step in steps {
            let line = match step {
                Step::Send(lines) => {
                    sent.remember(&proven(&lines));
                    ever.extend(lines.iter().cloned());
                    order.extend(lines);
                    continue;
                }
                Step::SendHuge => {
                    let huge = huge();
                    sent.remember(&huge);
                    let line = huge.line(0).unwrap().to_vec();
                    order.extend([line.clone(), line.clone()]);
                    ever.insert(line);
                    continue;
                }
                Step::SendUnproven(lines) => {
                    sent.remember(&Arc::new(batch(&lines)));
                    continue;
                }
                Step::Return(skip) => {
                    let Some(line) = order.get(next + skip) else { continue };
                    next += skip + 1;
                    line.clone()
                }
                Step::Invent(line) => line,
            };
            prop_assert!(!twin.knows(&line) || ever.contains(&line), "{:?} was never sent", line);
        }
    }

    #[test]
    fn what_comes_back_in_order_is_known(
        batches in vec(lines(), 1..12),
        late in any::<bool>(),
    ) {
        let sent = Sent::default();
        let mut twin = Twin::new(sent.clone());
        if late {
            prop_assert!(!twin.knows(b"early\n"));
        }
        for lines in &batches {
            sent.remember(&proven(lines));
        }
        for line in batches.concat() {
            prop_assert!(twin.knows(&line), "{:?} was sent and came back", line);
        }
        prop_assert!(!twin.knows(b"aa\n"), "each line is known once");
    }

    #[test]
    fn a_few_lines_may_be_left_out(
        gaps in vec(0..=AHEAD, 1..30),
    ) {
        let numbered = |n: usize| format!("{n}\n").into_bytes();
        let all: Vec<Vec<u8>> = (0..gaps.iter().sum::<usize>() + gaps.len()).map(numbered).collect();
        let sent = Sent::default();
        sent.remember(&proven(&all));
        let mut twin = Twin::new(sent);
        let mut next = 0;
        for gap in gaps {
            next += gap;
            prop_assert!(twin.knows(&all[next]), "{} lines before it were left out", gap);
            next += 1;
        }
    }
}

#[test]
fn what_was_forgotten_is_not_known_and_what_is_left_still_is() {
    let sent = Sent::default();
    let mut twin = Twin::new(sent.clone());
    let numbered =
        |n: usize| vec![[format!("{n}").as_bytes(), &vec![b'x'; MEMORY / 4], b"\n"].concat()];
    for n in 0..20 {
        sent.remember(&proven(&numbered(n)));
    }
    assert!(!twin.knows(&numbered(0)[0]), "memory is bounded");
    assert!(twin.knows(&numbered(18)[0]) && twin.knows(&numbered(19)[0]));
}
