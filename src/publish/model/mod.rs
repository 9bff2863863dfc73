//! Publishing, checkpoints and resumption on a model of a disk that fails and loses power, under
//! a program as small as can be: the code is the program's own. After each crash the targets must
//! be the old or the new ones, and whoever goes on must come to what an undisturbed run makes.
//!
//! `ESTEIRA_STATES` sets how many disks that a crash left are tried; `ESTEIRA_SEED` tries one world
//! only, which failed, as it was told.

#[cfg(test)]
mod disk;
#[cfg(test)]
mod files;
#[cfg(test)]
mod program;
#[cfg(test)]
mod world;

use std::num::NonZeroUsize;
use std::thread;

use crate::publish::model::disk::{Bad, Disk, Fault};
use crate::publish::model::world::{Seen, World};
use crate::words::fuzz::given;

/// How many disks are tried at least.
const STATES: u64 = 1_000_000;

/// How many records there are.
const RECORDS: usize = 5;

/// Up to how many ways to lose power all are tried, and how many otherwise.
const ALL: usize = 40;
const SOME: usize = 16;

/// A way through all decisions, one after the other.
#[derive(Default)]
struct Ways {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Ways {
    fn pick(&mut self, ways: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, ways));
        }
        self.at += 1;
        self.taken[self.at - 1].0
    }

    /// Goes on to the next; tells whether there is one.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((taken, ways)) = self.taken.pop() {
            if taken + 1 < ways {
                self.taken.push((taken + 1, ways));
                return true;
            }
        }
        false
    }
}

/// All disks that a power loss may leave, or some where there are many.
fn lost(world: &mut World) -> Vec<Disk> {
    let mut all = Vec::new();
    if world.disk.ways() <= ALL {
        let mut ways = Ways::default();
        loop {
            all.push(world.disk.after_power_loss(&mut |count| ways.pick(count)));
            if !ways.next() {
                return all;
            }
        }
    }
    // Nothing arrived, or everything; then anything.
    all.extend([0, 1].map(|way| world.disk.after_power_loss(&mut |_| way)));
    for _ in 0..SOME {
        let dice = &mut world.dice;
        all.push(world.disk.after_power_loss(&mut |ways| dice.roll(ways)));
    }
    all
}

/// Lets the power fail in one world, up to four times.
fn try_world(seed: u64, bad: Option<Bad>, seen: &mut Seen) -> Result<(), String> {
    let mut world = World::new(seed, RECORDS, bad);
    let crashes = 1 + world.dice.roll(4);
    for crash in 0..crashes {
        let step = world.dice.roll(world.steps + 8);
        let fault = match world.dice.roll(8) {
            0 => Fault::Never,
            1 => Fault::Once(step),
            2 => Fault::Forever(step),
            _ => Fault::Death(step),
        };
        let resumes = crash > 0 && world.dice.roll(4) > 0;
        world.go(resumes, fault)?;
        let mut left = lost(&mut world);
        // Killed only, all is as it was.
        left.push(world.disk.after_death(Fault::Never));
        for left in &left {
            world.recovers(left, seen)?;
        }
        let next = world.dice.roll(left.len() + left.len() / 2);
        world.disk = left.swap_remove(next.min(left.len() - 1));
    }
    Ok(())
}

/// Tries every so many-th world from one on until so many disks were seen, or one is wrong.
fn torture((first, every): (u64, usize), states: u64, bad: Option<Bad>) -> (u64, Option<String>) {
    let mut seen = Seen::new(states);
    let only = given::<u64>("ESTEIRA_SEED");
    for seed in (only.unwrap_or(first)..).step_by(every) {
        if let Err(why) = try_world(seed, bad, &mut seen) {
            return (seen.count, Some(format!("{why}; again with ESTEIRA_SEED={seed}")));
        }
        if seen.count >= states || only.is_some() {
            break;
        }
    }
    (seen.count, None)
}

#[test]
fn no_crash_leaves_anything_that_is_wrong() {
    let states = given("ESTEIRA_STATES").unwrap_or(STATES).max(STATES);
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = states.div_ceil(cores as u64);
    let found = thread::scope(|scope| {
        let start = |core| scope.spawn(move || torture((core, cores), share, None));
        let threads: Vec<_> = (0..cores as u64).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let seen: u64 = found.iter().map(|(seen, _)| seen).sum();
    let wrong: Vec<String> = found.into_iter().filter_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "after {seen} disks: {wrong:#?}");
    assert!(seen >= states || given::<u64>("ESTEIRA_SEED").is_some(), "{seen} disks");
}

#[test]
fn a_worse_program_is_found_out() {
    use Bad::{
        FixedNames, Forgetful, InPlace, NoDataSync, NoEntrySync, NoFolderSync, NoRecordSync,
        NoSyncBeforeLoad, NoTruncation, SyncRetried,
    };
    let all = [
        NoDataSync,
        NoRecordSync,
        NoFolderSync,
        NoEntrySync,
        NoSyncBeforeLoad,
        FixedNames,
        SyncRetried,
        NoTruncation,
        InPlace,
        Forgetful,
    ];
    let mut found = Vec::new();
    for bad in all {
        let (seen, wrong) = torture((0, 1), STATES / 2, Some(bad));
        found.push((bad, seen, wrong));
    }
    let all_found = found.iter().all(|(.., wrong)| wrong.is_some());
    assert!(all_found, "{found:#?}");
}
