//! Tests of the closing's text.

use super::{render, verdict};
use crate::report::fixtures::{
    bad, ended, every_event, finished, name, published, spent, stage, stamped, started, times,
};
use crate::report::show::Paint;
use crate::report::summary::{End, Summary};
use crate::words::event::{CodeCount, Event, Finish, Stamped, Usage, Work};
use crate::words::ledger::{Counts, StageCounts};
use crate::words::outcome::{Exit, Failure};

const PLAIN: Paint = Paint { color: false, width: None };

fn closing(events: &[Event], last: Event) -> String {
    let mut summary = Summary::default();
    for event in events {
        summary.add(&stamped(0.1, event.clone()));
    }
    let last = stamped(0.5, last);
    render(&summary, &End::of(&last).unwrap(), PLAIN).join("\n")
}

#[test]
fn a_good_run_is_short() {
    let text = closing(
        &[
            started(),
            published("file", "out/users.ndjson", 5000),
            published("users.rejects", "out/rejects.ndjson", 0),
        ],
        finished(ended(Exit::Ok, "all accounted for"), 5000, 0, 5000),
    );
    assert_eq!(
        text,
        "              in   accepted   rejected     out
users      5,000          -          0   5,000
validate   5,000      5,000          0   5,000
file       5,000      5,000          0       -

wrote out/users.ndjson: 5,000 records, 1.2 MiB
5,000 lines in 0.50 s, 10,000/s
esteira: exit 0, all accounted for"
    );
}

#[test]
fn rejects_over_the_limit_are_counted_shown_and_located() {
    let mut exit = ended(Exit::Data, "users: 150 of 5,000 lines rejected, 0 are allowed");
    exit.hints = vec!["`--max-rejects 150` or `--max-rejects 3%` would let them pass".into()];
    exit.failures = vec![
        Failure::new(Exit::Data, exit.reason.clone()),
        Failure::new(Exit::Data, "validate: something else"),
    ];
    let syntax = |line| bad(Some("data/users.ndjson"), line, "json.syntax", "expected `:`");
    let mut events = vec![started()];
    events.extend((17..25).map(syntax));
    events.push(Event::Withheld { sink: name("file"), path: "out/users.ndjson".into() });
    events.push(published("users.rejects", "out/rejects.ndjson", 150));
    let text = closing(&events, finished(exit, 5000, 150, 4850));
    assert_eq!(
        text,
        "                   in   accepted   rejected     out
users           5,000          -        150   4,850
validate        4,850      4,850          0   4,850
file            4,850      4,850          0       -
users.rejects     150        150          0       -

150 errors with code json.syntax
  at data/users.ndjson:17:5 json.syntax expected `:`
  at data/users.ndjson:18:5 json.syntax expected `:`
  at data/users.ndjson:19:5 json.syntax expected `:`

not published: out/users.ndjson (what stood there before, if anything, stays)
dead letters: out/rejects.ndjson, 150 records
5,000 lines in 0.50 s, 10,000/s
esteira: exit 1, the data is bad: users: 150 of 5,000 lines rejected, 0 are allowed
also: validate: something else
hint: `--max-rejects 150` or `--max-rejects 3%` would let them pass"
    );
}

#[test]
fn a_broken_stage_leaves_its_records_in_doubt() {
    let mut last = finished(ended(Exit::Stage, "validate, worker 0, left with code 7"), 10, 0, 10);
    if let Event::RunFinished(finish) = &mut last {
        let Finish { ledger, .. } = finish.as_mut();
        ledger.tables[1].1 =
            Counts::Stage(StageCounts { r#in: 10, in_doubt: 10, out: 4, ..StageCounts::default() });
    }
    let text = closing(&[started()], last);
    assert_eq!(
        text,
        "           in   accepted   rejected   in doubt   out
users      10          -          0          -    10
validate   10          0          0         10     4
file       10         10          0          0     -
10 lines in 0.50 s, 20/s
esteira: exit 3, a stage is broken: validate, worker 0, left with code 7"
    );
}

#[test]
fn a_filter_that_changes_the_number_says_by_how_much() {
    let last = |out| finished(ended(Exit::Ok, ""), 5000, 0, out);
    let text = closing(&[started()], last(4850));
    assert!(text.contains("\nvalidate: 4,850 of 5,000 came out (150 fewer)\n"), "{text}");
    let text = closing(&[started()], last(12_000));
    assert!(text.contains("\nvalidate: 12,000 came out of 5,000 (7,000 more)\n"), "{text}");
}

#[test]
fn a_place_behind_a_filter_says_that_it_is_one() {
    let mut last = finished(ended(Exit::Data, ""), 5, 1, 4);
    if let Event::RunFinished(finish) = &mut last {
        let Finish { errors, .. } = finish.as_mut();
        errors[0].code = "format".into();
    }
    let text = closing(&[started(), bad(None, 3, "format", "no address")], last);
    assert!(text.contains("\n  at output of users:3:5 format no address\n"), "{text}");
}

#[test]
fn only_the_worst_codes_and_a_few_failures_are_told() {
    let mut exit = ended(Exit::Data, "many");
    exit.failures = (0..9).map(|n| Failure::new(Exit::Data, format!("f{n}"))).collect();
    let mut last = finished(exit, 5, 1, 4);
    if let Event::RunFinished(finish) = &mut last {
        let Finish { errors, .. } = finish.as_mut();
        let count = |n: u64| CodeCount { code: format!("c{n}"), times: times(n) };
        *errors = (1..9).map(count).collect();
    }
    let text = closing(&[started()], last);
    assert!(
        text.contains("\n8 errors with code c8\n") && text.contains("\n4 errors with code c4\n")
    );
    assert!(text.contains("\n6 errors with 3 other codes\n"), "{text}");
    assert!(text.contains("\nalso: f4\nalso: 4 more"), "{text}");
}

#[test]
fn books_that_do_not_balance_are_shown() {
    let Some(last) = every_event().pop() else { panic!() };
    let text = closing(&[started()], last);
    let line = "users does not balance: lines = blank + rejected + out, but 5 is not 4";
    assert!(text.contains(line), "{text}");
}

#[test]
fn a_table_that_is_too_wide_is_told_line_by_line() {
    let last = stamped(0.5, finished(ended(Exit::Ok, ""), 5_000_000, 150, 4_999_850));
    let mut summary = Summary::default();
    summary.add(&stamped(0.0, started()));
    let lines = |width| {
        let paint = Paint { color: false, width: Some(width) };
        render(&summary, &End::of(&last).unwrap(), paint)
    };
    assert!(lines(80)[0].trim_start().starts_with("in "), "{:?}", lines(80));
    assert_eq!(lines(30)[..3], ["users", "  5,000,000 in, 150 rejected", "  4,999,850 out"]);
    assert!(lines(30)[..9].iter().all(|line| line.len() <= 30), "{:?}", lines(30));
}

#[test]
fn an_empty_ledger_is_no_table() {
    let last = Stamped {
        event: Event::RunFinished(Box::new(Finish::new(
            ended(Exit::World, "no such file"),
            Usage::default(),
        ))),
        t: 0.01,
    };
    let end = End::of(&last).unwrap();
    assert_eq!(
        render(&Summary::default(), &end, PLAIN),
        ["esteira: exit 4, the world is wrong: no such file"]
    );
    let red = verdict(&end, Paint { color: true, width: None });
    assert_eq!(red, ["esteira: \x1b[1;31mexit 4, the world is wrong\x1b[0m: no such file"]);
}

#[test]
fn nothing_foreign_begins_a_line_or_steers_a_terminal() {
    let mut events = every_event();
    let last = events.pop().unwrap();
    for line in closing(&events, last).lines() {
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(!line.trim_start().starts_with("::"), "{line:?}");
        assert!(!line.contains("##["), "{line:?}");
    }
}

#[test]
fn only_what_was_counted_has_a_column() {
    let mut last = finished(ended(Exit::Ok, ""), 5, 0, 5);
    if let Event::RunFinished(finish) = &mut last {
        let Finish { ledger, .. } = finish.as_mut();
        ledger.tables[1].1 = stage(5, 1, 4);
        if let Counts::Source(c) = &mut ledger.tables[0].1 {
            c.blank = 2;
        }
    }
    let text = closing(&[started()], last);
    let head = text.lines().next().unwrap_or_default();
    let columns: Vec<&str> = head.split_whitespace().collect();
    assert_eq!(columns, ["in", "blank", "accepted", "rejected", "out"]);
}

/// A run of ten seconds on the usual belt, its tables busy, starved and blocked for so many
/// hundredths of it.
fn long(work: Option<Work>, through: bool, times: [[u64; 3]; 3]) -> String {
    let mut events = vec![started()];
    if let Event::RunStarted { tables, .. } = &mut events[0] {
        tables[1].work = work;
    }
    if through {
        events.push(Event::NotDurable { sink: name("file"), target: "out/users.ndjson".into() });
    }
    let mut last = finished(ended(Exit::Ok, "all accounted for"), 5000, 0, 5000);
    if let Event::RunFinished(finish) = &mut last {
        let Finish { times: told, .. } = finish.as_mut();
        for ((_, told), [busy, starved, blocked]) in told.iter_mut().zip(times) {
            *told = spent(busy * 100, starved * 100, blocked * 100);
        }
    }
    closing(&events, last)
}

#[test]
fn a_long_run_tells_how_its_time_was_spent_and_which_stage_to_speed_up() {
    let two = Some(Work::Workers { workers: 2, cores: 8 });
    let text = long(two, false, [[2, 0, 98], [97, 1, 2], [1, 99, 0]]);
    let want = "
           lived   busy   starved   blocked
users       10 s     2%        0%       98%
validate    10 s    97%        1%        2%
file        10 s     1%       99%        0%
`validate` held up the run: busy 97% of the time with 2 workers; more `workers` would help
esteira: exit 0, all accounted for";
    assert!(text.ends_with(want), "{text}");
}

#[test]
fn what_would_help_depends_on_what_holds_up_the_run() {
    let stage = [[2, 0, 98], [97, 1, 2], [1, 99, 0]];
    let sink = [[2, 0, 98], [7, 1, 92], [90, 10, 0]];
    for (work, through, times, want) in [
        (
            Some(Work::Filter),
            false,
            stage,
            "`validate` held up the run: busy 97% of the time; a faster program would help, \
             or one that answers each record: `protocol = \"lines\"` or `\"records\"` lets it \
             have more `workers`",
        ),
        (
            Some(Work::Alone),
            false,
            stage,
            "`validate` held up the run: busy 97% of the time on the one thread it can have",
        ),
        (
            Some(Work::Workers { workers: 1, cores: 1 }),
            false,
            stage,
            "`validate` held up the run: busy 97% of the time with 1 worker on 1 core; more \
             would not help",
        ),
        (
            None,
            false,
            [[3, 95, 2], [4, 96, 0], [1, 99, 0]],
            "`users` held up the run: it waited 95% of the time for its input",
        ),
        (
            None,
            false,
            [[95, 3, 2], [4, 96, 0], [1, 99, 0]],
            "`users` held up the run: busy 95% of the time reading; no stage is slower",
        ),
        (
            None,
            false,
            sink,
            "`file` held up the run: busy 90% of the time writing; a faster disk for \
             `out/users.ndjson` would help",
        ),
        (
            None,
            true,
            sink,
            "`file` held up the run: busy 90% of the time writing; whoever reads \
             `out/users.ndjson` sets the pace",
        ),
    ] {
        let text = long(work, through, times);
        assert!(text.contains(&format!("\n{want}\n")), "{text}");
    }
    let text = long(None, false, [[2, 0, 98], [97, 1, 2], [95, 5, 0]]);
    assert!(text.contains("   blocked\n") && !text.contains("held up"), "nobody alone: {text}");
}
