//! Records that are made here: killed at any moment, the next run makes those that are left.

use super::super::harness::events;
use super::kills::{Who, ended};
use super::refused::{cut_off, is_refused};
use super::{Case, nobody_is_left, resume, run, trials};

/// Some dirty records, of which the source refuses some and the stage others.
const MADE: Case = Case {
    tables: r#"
        [sources.in]
        type = "generate"
        count = 4000
        seed = 7
        locale = "pt_BR"
        dirt = "5%"
        [sources.in.fields]
        n = "sequence"
        user = "email"
        name = "name"
        [stages.work]
        run = ["perl", "work.pl", "1999"]
        protocol = "records"
        workers = 2
        output = "out/plain"
    "#,
    outputs: &["out/plain"],
};

#[test]
fn killed_at_any_moment_the_next_run_ends_with_the_same_bytes() {
    let whole = MADE.whole();
    let mut taken_up = 0;
    for trial in 0..trials(12) {
        let place = MADE.place();
        let checkpoints = usize::try_from(trial % 4).unwrap();
        let who = if trial % 3 == 0 { Who::Group } else { Who::Program };
        let which = format!("trial {trial}: {who:?} after {checkpoints}");
        let done = ended(&place, who, checkpoints, false);
        assert_eq!(done.code(), 137, "{which}: {}", done.stderr);
        nobody_is_left(&place, &which);
        whole.or_nothing_is_there(&place, &which);
        let done = resume(&place).run();
        taken_up += events(&place, "taken_up").len();
        MADE.is_whole(&place, done, &whole, &which);
    }
    assert!(taken_up > 5, "{taken_up}");
}

#[test]
fn a_run_that_ended_has_nothing_left_to_do() {
    let (place, whole) = (MADE.place(), MADE.whole());
    drop(run(&place, &[]).run().exits(0));
    let done = resume(&place).run();
    MADE.is_whole(&place, done, &whole, "over");
}

#[test]
fn another_seed_is_other_work() {
    let place = cut_off(MADE);
    let written = place.text("p.toml");
    for (before, after) in [
        ("seed = 7", "seed = 8"),
        ("pt_BR", "en"),
        ("4000", "5000"),
        ("5%", "4%"),
        ("name =", "n2 ="),
    ] {
        assert!(written.contains(before), "{before}");
        place.write("p.toml", written.replace(before, after));
        is_refused(&place, &["the settings of `in` has changed since the run began"]);
    }
    place.write("p.toml", written);
    MADE.is_whole(&place, resume(&place).run(), &MADE.whole(), "the same again");
}
