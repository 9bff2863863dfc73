use super::{Facts, Fed, Left, Verdict, judge};
use crate::plan::Stream;
use crate::words::event::StderrKept;
use crate::words::id::Name;
use crate::words::outcome::Exit;
use crate::words::policy::{Check, EarlyExit, ExitPolicy, Expect};

const ALL: Fed = Fed::All { unread: 0 };

struct Case {
    left: Left,
    fed: Fed,
    early_exit: EarlyExit,
    expect: Expect,
    wrote: u64,
    stopping: bool,
}

fn case(left: Left, fed: Fed) -> Case {
    let (early_exit, expect) = (EarlyExit::Fail, Expect::Any);
    Case { left, fed, early_exit, expect, wrote: 5, stopping: false }
}

fn verdict(case: &Case) -> Verdict {
    let Case { left, fed, early_exit, expect, wrote, stopping } = *case;
    judge(&Facts {
        stage: &Name::internal("s"),
        worker: 3,
        expected: Stream { expect, check_output: Check::Json, early_exit, pieces: None },
        exit: &ExitPolicy { ok: vec![0], invalid: vec![1] },
        left,
        fed,
        sent: 7,
        taken: 10,
        wrote,
        stderr: &StderrKept { head: vec!["boom".into()], ..StderrKept::default() },
        stopping,
        broke_protocol: false,
    })
}

fn exit(case: &Case) -> Option<Exit> {
    verdict(case).failure.map(|f| f.exit)
}

#[test]
fn only_a_clean_end_accepts() {
    let good = verdict(&case(Left::Code(0), ALL));
    assert_eq!((good.accepted, good.in_doubt, good.clean, good.failure), (10, 0, true, None));
    for (left, fed) in [
        (Left::Code(7), ALL),
        (Left::Code(7), Fed::Part),
        (Left::Signal(11), ALL),
        (Left::Lost, ALL),
        (Left::Code(0), Fed::Part),
        (Left::Code(0), Fed::All { unread: 1 }),
    ] {
        let bad = verdict(&case(left, fed));
        assert_eq!((bad.accepted, bad.in_doubt, bad.clean), (0, 10, false), "{left:?} {fed:?}");
        assert_eq!(bad.failure.map(|f| f.exit), Some(Exit::Stage), "{left:?} {fed:?}");
    }
}

#[test]
fn a_failure_names_stage_code_doubt_and_last_words() {
    let failure = verdict(&case(Left::Code(7), Fed::Part)).failure.unwrap();
    assert_eq!(failure.message, "stage `s`: worker 3 left with exit code 7; 10 records in doubt");
    assert!(failure.hints.iter().any(|h| h.contains("| boom")), "{failure:?}");
}

#[test]
fn an_invalid_code_is_about_the_data() {
    let bad = verdict(&case(Left::Code(1), ALL));
    assert_eq!(bad.failure.map(|f| f.exit), Some(Exit::Data));
    assert_eq!((bad.accepted, bad.clean), (10, true));
}

#[test]
fn an_early_exit_may_be_wanted() {
    let head = Case { early_exit: EarlyExit::Ok, ..case(Left::Code(0), Fed::Part) };
    let left = verdict(&head);
    assert_eq!((left.accepted, left.in_doubt, left.dropped), (0, 7, 3));
    assert!(left.clean && left.failure.is_none());
    let broken = Case { early_exit: EarlyExit::Ok, ..case(Left::Code(2), Fed::Part) };
    assert_eq!(exit(&broken), Some(Exit::Stage));
}

#[test]
fn line_counts_are_held_to_what_is_expected() {
    for (expect, wrote, fits) in [
        (Expect::Any, 99, true),
        (Expect::AtMostOne, 10, true),
        (Expect::AtMostOne, 11, false),
        (Expect::OneToOne, 10, true),
        (Expect::OneToOne, 9, false),
        (Expect::OneToOne, 11, false),
    ] {
        let counted = Case { expect, wrote, ..case(Left::Code(0), ALL) };
        assert_eq!(exit(&counted), (!fits).then_some(Exit::Stage), "{expect:?} {wrote}");
    }
}

#[test]
fn what_happens_after_the_stop_began_is_nobodys_fault() {
    for left in [Left::Code(7), Left::Signal(15), Left::Code(0), Left::Lost] {
        let stopped = verdict(&Case { stopping: true, ..case(left, Fed::Stopped) });
        assert_eq!((stopped.failure, stopped.in_doubt, stopped.clean), (None, 10, false));
    }
}
