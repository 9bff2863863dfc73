//! Fits the pools of a plan to the file descriptors that this process may have.

use crate::plan::{Plan, Program, Protocol, Stage, Stream, Work};
use crate::words::event::{Event, Events};
use crate::words::outcome::{Exit, Failure};
use crate::words::text::{count, grouped};

/// What a worker needs: three pipes, the socket of its guard, and a look at its unread input.
const WORKER: u64 = 5;

/// What the run needs beside what is open when this is asked: the other ends of the pipes of a
/// worker that is being started, the looks into `/proc`, outputs that are put in their place.
const SPARE: u64 = 16;

/// Returns the plan with as many workers as there is room for, at least one for each stage.
pub(super) fn fit(plan: &Plan, events: &Events) -> Result<Plan, Failure> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let used = std::fs::read_dir("/proc/self/fd").map_or(0, |open| open.count() as u64);
    let Some(limit) = limit else { return Ok(plan.clone()) };
    // What sources and sinks open later.
    let spare = SPARE + (plan.sources.len() + plan.sinks.len()) as u64;
    let room = limit.saturating_sub(used + spare) / WORKER;
    let wanted: Vec<u64> = programs(&plan.stages).map(|p| workers(&p.protocol)).collect();
    let Some(given) = shares(&wanted, room) else {
        let needed = used + spare + WORKER * wanted.len() as u64;
        let message = format!(
            "{} file descriptors are needed, and no more than {} are allowed",
            grouped(needed),
            grouped(limit)
        );
        return Err(Failure::new(Exit::Config, message)
            .hint(format!("raise the limit: `ulimit -n {}`", needed.next_power_of_two())));
    };
    let mut plan = plan.clone();
    let programs = plan.stages.iter_mut().filter_map(|stage| match &mut stage.work {
        Work::Program(program) => Some(program),
        Work::Builtin(_) => None,
    });
    for (program, (wanted, given)) in programs.zip(wanted.into_iter().zip(given)) {
        let workers = match &mut program.protocol {
            Protocol::Pool(pool) => &mut pool.workers,
            Protocol::Stream(Stream { pieces: Some(pieces), .. }) => &mut pieces.workers,
            Protocol::Stream(_) => continue,
        };
        let (wanted, given) = if u64::from(*workers) < wanted {
            (wanted / 2, (given / 2).max(1))
        } else {
            (wanted, given)
        };
        if given < wanted {
            let message = format!(
                "{} instead of {wanted}: no more than {} file descriptors are allowed (`ulimit -n`)",
                count(given, "worker"),
                grouped(limit)
            );
            events.emit(Event::Note { table: Some(program.stage.clone()), message });
            *workers = u32::try_from(given).unwrap_or(1);
        }
    }
    Ok(plan)
}

fn programs(stages: &[Stage]) -> impl Iterator<Item = &Program> {
    stages.iter().filter_map(Stage::program)
}

fn workers(protocol: &Protocol) -> u64 {
    match protocol {
        // Those that are ahead of their turn keep a file each.
        Protocol::Stream(Stream { pieces: Some(pieces), .. }) => u64::from(pieces.workers) * 2,
        Protocol::Stream(_) => 1,
        Protocol::Pool(pool) => pool.workers.into(),
    }
}

/// Divides `room` among those who want so many each; none if there is not one for each.
fn shares(wanted: &[u64], room: u64) -> Option<Vec<u64>> {
    let all: u64 = wanted.iter().sum();
    if all <= room {
        return Some(wanted.to_vec());
    }
    let spare = room.checked_sub(wanted.len() as u64)?;
    let more = all - wanted.len() as u64;
    // One for each, and of what is left a part that is as large as what it wants.
    Some(wanted.iter().map(|one| 1 + (one - 1) * spare / more.max(1)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::shares;

    #[test]
    fn there_is_one_for_each_or_none_at_all() {
        assert_eq!(shares(&[4, 1], 100), Some(vec![4, 1]));
        assert_eq!(shares(&[400, 1], 100), Some(vec![99, 1]));
        assert_eq!(shares(&[10, 10], 2), Some(vec![1, 1]));
        assert_eq!(shares(&[10, 10], 1), None);
        assert_eq!(shares(&[], 0), Some(vec![]));
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(512))]

        #[test]
        fn no_more_is_given_than_there_is(
            wanted in proptest::collection::vec(1u64..2000, 1..6),
            room in 0u64..3000,
        ) {
            let Some(given) = shares(&wanted, room) else {
                prop_assert!(room < wanted.len() as u64);
                return Ok(());
            };
            prop_assert!(given.iter().sum::<u64>() <= room);
            prop_assert!(given.iter().zip(&wanted).all(|(given, wanted)| (1..=*wanted).contains(given)));
        }
    }
}
