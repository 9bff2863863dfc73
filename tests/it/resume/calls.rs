//! Killed before each of the system calls that change anything on the disk.

use std::collections::{BTreeMap, BTreeSet};

use super::super::harness::{Esteira, Finished, Place, events, needs};
use super::{BUILTIN, Case, GRAPH, POOL, call, nobody_is_left, resume, scattered, trials};

/// The calls that change what is on the disk.
const CALLS: &str = "trace=open,openat,write,fsync,fdatasync,rename,renameat,renameat2,unlink,\
                     unlinkat,ftruncate,mkdir,mkdirat,fchmod";

/// Where a run is hit: before which call, and its number among those of its name and thread.
pub(super) type Point = (String, u32);

/// A call of the program alone: what it starts is not traced.
pub(super) fn traced<'a>(place: &'a Place, what: &str, options: &[&str]) -> Esteira<'a> {
    let strace = needs("strace", "strace");
    let log = place.path("trace").display().to_string();
    let arguments = ["-f", "-qq", "-b", "execve", "-y", "-s", "0", "-o", &log, "-e", what];
    call(place.esteira().under(&strace, &arguments), place, options)
}

/// Runs it with a death before a call.
pub(super) fn killed(place: &Place, (name, number): &Point, options: &[&str]) -> Finished {
    let done = traced(place, &format!("inject={name}:signal=SIGKILL:when={number}"), options).run();
    nobody_is_left(place, name);
    done
}

/// Where some thread changed anything in the folder.
fn points(place: &Place) -> BTreeSet<Point> {
    let (trace, root) = (place.text("trace"), place.root().display().to_string());
    let mut numbers: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut points = BTreeSet::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((name, rest)) = rest.trim_start().split_once('(') else { continue };
        let number = numbers.entry((thread, name)).or_default();
        *number += 1;
        let changes = !name.starts_with("open") || rest.contains("O_CREAT");
        if changes && rest.contains(&root) {
            points.insert((name.to_owned(), *number));
        }
    }
    points
}

/// All points of a pipeline from its beginning, and from where it is taken up; or some of them.
pub(super) fn sample(case: Case, usual: u64) -> Vec<Point> {
    let place = case.place();
    let done = traced(&place, CALLS, &[]).run();
    assert_eq!(done.code(), 0, "{}", done.stderr);
    let mut all = points(&place);
    drop(killed(&place, &("rename".to_owned(), 3), &[]));
    let done = traced(&place, CALLS, &["--resume"]).run();
    assert_eq!(done.code(), 0, "{}", done.stderr);
    all.append(&mut points(&place));
    let step = all.len().div_ceil(usize::try_from(trials(usual)).unwrap()).max(1);
    // Of each name the first ones are among them.
    all.into_iter().step_by(step).collect()
}

/// Kills a run at each point; one that takes it up is as if nothing had happened.
fn killed_everywhere(case: Case) {
    let (whole, points) = (case.whole(), sample(case, 60));
    let (mut died, mut taken_up) = (0, 0);
    for point in &points {
        let which = format!("{point:?}");
        let place = case.place();
        let done = killed(&place, point, &[]);
        assert!([0, 137].contains(&done.code()), "{which}: {}", done.stderr);
        died += u32::from(done.code() == 137);
        whole.or_nothing_is_there(&place, &which);
        let done = resume(&place).run();
        taken_up += events(&place, "taken_up").len();
        case.is_whole(&place, done, &whole, &which);
    }
    let some = points.len() / 4;
    assert!(died > 0 && taken_up > some, "{died} died and {taken_up} went on of {points:?}");
}

#[test]
fn a_pool_killed_before_each_call() {
    killed_everywhere(POOL);
}

#[test]
fn a_graph_killed_before_each_call() {
    killed_everywhere(GRAPH);
}

#[test]
fn built_in_stages_killed_before_each_call() {
    killed_everywhere(BUILTIN);
}

/// Killed, and killed again where it was taken up, and where that was.
#[test]
fn who_takes_up_may_be_killed_as_well() {
    for case in [POOL, GRAPH, BUILTIN] {
        let (whole, points) = (case.whole(), sample(case, 1000));
        let mut died = 0;
        for trial in 0..trials(15) {
            let place = case.place();
            let mut which = format!("trial {trial}:");
            for again in 0..3_u8 {
                let chance = scattered(trial * 3 + u64::from(again));
                let point = &points[usize::try_from(chance).unwrap() % points.len()];
                let options: &[&str] = if again == 0 { &[] } else { &["--resume"] };
                let done = killed(&place, point, options);
                which = format!("{which} {point:?} {}", done.code());
                assert!([0, 137].contains(&done.code()), "{which}: {}", done.stderr);
                died += u32::from(done.code() == 137);
                whole.or_nothing_is_there(&place, &which);
            }
            case.is_whole(&place, resume(&place).run(), &whole, &which);
        }
        assert!(died > 5, "{died}");
    }
}
