//! What each way to end means, a row each.

use super::{Facts, Fate, judge, refusal};
use crate::plan::{Command, Program, Protocol, Reply, Stream};
use crate::stage::verdict::Left;
use crate::words::event::StderrKept;
use crate::words::id::Name;
use crate::words::outcome::Exit;
use crate::words::policy::{Check, EarlyExit, ExitPolicy, Expect};

fn stage() -> Program {
    let stream = Stream {
        expect: Expect::Any,
        check_output: Check::Json,
        early_exit: EarlyExit::Fail,
        pieces: None,
    };
    Program {
        stage: Name::internal("work"),
        command: Command {
            argv: Vec::new(),
            program: "/bin/true".into(),
            folder: "/".into(),
            env: Vec::new(),
            set: Vec::new(),
        },
        // Not looked at here: the facts say what was to be replied.
        protocol: Protocol::Stream(stream),
        max_record: 1 << 20,
        exit: ExitPolicy { ok: vec![0], invalid: vec![65] },
        grace: std::time::Duration::ZERO,
        stall: None,
    }
}

const RECORDS: Reply = Reply::Records { ready: false };
const LINES: Reply = Reply::Lines { check_output: Check::Json };

fn facts<'a>(plan: &'a Program, reply: Reply, stderr: &'a StderrKept) -> Facts<'a> {
    Facts {
        plan,
        reply,
        worker: 3,
        left: Left::Code(0),
        all_fed: true,
        unread: Some(0),
        outstanding: 0,
        oldest: None,
        gap: false,
        torn: 0,
        lines: 7,
        late: false,
        stderr,
    }
}

/// What a fate is, in a word: over, again, or why the stage failed.
fn said(fate: &Fate) -> String {
    match fate {
        Fate::Again(_) => "again".to_owned(),
        Fate::Over(failures) => match &failures[..] {
            [] => "over".to_owned(),
            [failure] if failure.exit == Exit::Data => "data".to_owned(),
            [failure] => failure.message.clone(),
            more => panic!("{more:?}"),
        },
    }
}

#[test]
fn a_worker_that_answers_records_is_replaced_unless_it_breaks_its_word() {
    let (plan, stderr) = (stage(), StderrKept::default());
    let row = |change: &dyn Fn(&mut Facts<'_>)| {
        let mut facts = facts(&plan, RECORDS, &stderr);
        change(&mut facts);
        said(&judge(&facts))
    };
    let owing = |facts: &mut Facts<'_>| (facts.outstanding, facts.oldest) = (2, Some(17));
    assert_eq!(row(&|_| {}), "over");
    assert_eq!(row(&|f| f.left = Left::Code(65)), "data");
    let seven = row(&|f| f.left = Left::Code(7));
    assert_eq!(seven, "stage `work`: worker 3 left with exit code 7");
    assert_eq!(row(&|f| f.left = Left::Signal(11)), "again");
    assert_eq!(row(&owing), "again", "it stopped early");
    assert_eq!(row(&|f| f.all_fed = false), "again", "nobody told it to end");
    for left in [Left::Code(1), Left::Signal(9), Left::Lost] {
        let crashed = row(&|f| {
            owing(f);
            f.left = left;
        });
        assert_eq!(crashed, "again");
    }
    let left_out = row(&|f| {
        owing(f);
        f.gap = true;
    });
    let words = "stage `work`: worker 3 left with exit code 0 and never answered 2 records, the first with id 17";
    assert_eq!(left_out, words);
    let torn = row(&|f| f.torn = 12);
    assert_eq!(torn, "stage `work`: worker 3 ended with a line that has no end (12 bytes)");
    let in_mid_word = row(&|f| (f.torn, f.left) = (12, Left::Signal(9)));
    assert_eq!(in_mid_word, "again", "what it was about to say is asked again");
}

#[test]
fn a_worker_that_answers_by_position_is_never_replaced() {
    let (plan, stderr) = (stage(), StderrKept::default());
    let row = |change: &dyn Fn(&mut Facts<'_>)| {
        let mut facts = facts(&plan, LINES, &stderr);
        change(&mut facts);
        said(&judge(&facts))
    };
    assert_eq!(row(&|_| {}), "over");
    assert_eq!(row(&|f| f.left = Left::Code(65)), "data");
    let unread = row(&|f| f.unread = Some(9));
    assert!(unread.ends_with("left with exit code 0, but left 9 bytes unread"), "{unread}");
    let few = row(&|f| f.outstanding = 1);
    assert!(few.ends_with("after 7 lines, with 1 record not answered"), "{few}");
    let killed = row(&|f| f.left = Left::Signal(9));
    assert!(killed.ends_with("was ended by SIGKILL"), "{killed}");
    let early = row(&|f| f.all_fed = false);
    assert!(early.ends_with("left with exit code 0 before the end of its input"), "{early}");
}

#[test]
fn a_refusal_says_the_same_from_run_to_run() {
    let plan = stage();
    let stderr = StderrKept { head: vec!["why".to_owned()], ..StderrKept::default() };
    let mut facts = facts(&plan, RECORDS, &stderr);
    facts.left = Left::Signal(6);
    let one = refusal(&facts, 42, 2);
    assert_eq!(one.errors[0].code, "worker.crashed");
    let words = "a worker was ended by SIGABRT with this record, for the second time";
    assert_eq!(one.errors[0].message, words);
    let trace = (one.trace.pid, one.trace.signal.as_deref(), one.trace.attempts);
    assert_eq!(trace, (42, Some("SIGABRT"), 2));
    assert_eq!(one.trace.stderr, ["why"]);
    // Whether its input had ended already is a matter of the moment.
    facts.all_fed = false;
    assert_eq!(refusal(&facts, 43, 2).errors, one.errors);
    facts.late = true;
    assert_eq!(refusal(&facts, 43, 1).errors[0].code, "worker.timeout");
}
