//! The end of a run: the books are checked, the limits judged, the gate opened or kept shut.

use crate::plan::{Output, Plan, Sink as SinkPlan};
use crate::run::cancel::Cancel;
use crate::run::start::Started;
use crate::run::stats::{self, Stats};
use crate::sink::{Done, Health};
use crate::words::event::{Ended, Event, Events};
use crate::words::id::Name;
use crate::words::ledger::{Count, Ledger, Port, Tally};
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Publish;
use crate::words::text::{count, grouped};
use crate::words::units::Limit;

/// Finishes a run whose tables have ended; tells and returns how it ended.
pub fn finish(
    plan: &Plan,
    started: Started,
    stats: &Stats,
    mut cancel: Cancel,
    events: &Events,
) -> Ended {
    abandon(plan, &started.running, stats);
    let cut_short = cut_short(&started);
    let mut sinks = collect(plan, started, &mut cancel);
    // As if every output that can be published were: that is what the gate asks about.
    for (sink, done) in &sinks {
        foresee(&stats.tally(&sink.name), done);
    }
    let ledger = stats.ledger();
    for imbalance in ledger.imbalances() {
        let crate::words::ledger::Imbalance { place, identity, left, right } = imbalance;
        let message = format!(
            "the ledger does not balance at `{place}`: {identity} reads {} = {}",
            grouped(left),
            grouped(right)
        );
        cancel.add(
            Failure::new(Exit::Ledger, message).hint("this is a bug in esteira: please report it"),
        );
    }
    let gone = sinks.iter().any(|(_, done)| done.health == Health::ReaderGone);
    let sound = cancel.exit() == Exit::Ok && cut_short.is_none() && !gone;
    for failure in over_limits(plan, &ledger) {
        cancel.add(failure);
    }
    // Dead letters first: should they fail, the data's gate stays shut.
    sinks.sort_by_key(|(sink, _)| !sink.letters);
    for (sink, done) in sinks {
        let so_far = SoFar { exit: cancel.exit(), sound };
        if let Err(failure) = settle(plan, sink, done, stats, so_far, events) {
            cancel.add(failure);
        }
    }
    let ledger = stats.ledger();
    let imbalances = ledger.imbalances();
    let mut ended = cancel.ended();
    if let Some(why) = cut_short.filter(|_| ended.code == Exit::Ok) {
        ended.reason = why;
    }
    events.emit(Event::RunFinished {
        exit: ended.clone(),
        ledger,
        imbalances,
        errors: stats.codes.list(),
        times: stats.times(),
        controller: stats::usage(),
    });
    ended
}

/// Says what was not read although all is well.
fn cut_short(started: &Started) -> Option<String> {
    let brakes = started.brakes.iter().filter(|brake| brake.cut_short);
    let names: Vec<String> = brakes.map(|brake| format!("`{}`", brake.source)).collect();
    let names = names.join(", ");
    (!names.is_empty()).then(|| format!("{names} not read to the end, nobody wants the rest"))
}

/// Settles the books of tables that did not end in time: what they had is in doubt, and what a
/// source has in hand is as if it were not read.
fn abandon(plan: &Plan, late: &[Name], stats: &Stats) {
    for source in plan.sources.iter().filter(|source| late.contains(&source.name)) {
        let tally = stats.tally(&source.name);
        tally.lines.set(tally.blank.get() + tally.rejected.get() + tally.output.get());
    }
    for name in late.iter().filter(|name| plan.sources.iter().all(|s| s.name != **name)) {
        let tally = stats.tally(name);
        tally.input.set(stats.sent_to(name));
        let settled = [&tally.accepted, &tally.written, &tally.dropped, &tally.rejected];
        let known: u64 = settled.into_iter().map(Count::get).sum();
        tally.in_doubt.set(tally.input.get().saturating_sub(known));
    }
}

/// Takes the sinks back from their threads; one that is stuck is left behind.
fn collect<'a>(plan: &'a Plan, started: Started, cancel: &mut Cancel) -> Vec<(&'a SinkPlan, Done)> {
    let mut done = Vec::new();
    for (sink, thread) in plan.sinks.iter().zip(started.sinks) {
        if started.running.contains(&sink.name) {
            // Only a stop has an end in time: this follows from its reason, and is no worse.
            let message = format!("sink `{}` did not end in time", sink.name);
            cancel.add(Failure::new(cancel.exit(), message));
            continue;
        }
        // The thread catches its own panics, so it can be joined.
        done.push((sink, thread.join().unwrap_or_else(|_| Done::panicked())));
    }
    done
}

/// Enters what becomes of a sink's records if its output is published.
fn foresee(tally: &Tally, done: &Done) {
    let through = done.sink.as_ref().is_some_and(|sink| sink.is_through());
    let input = tally.input.get();
    match done.health {
        _ if through => {}
        Health::Whole => tally.written.set(input),
        // A spool that failed entered its own.
        Health::Broken => tally.dropped.set(input.saturating_sub(tally.in_doubt.get())),
        Health::Failed => tally.in_doubt.set(input),
        Health::ReaderGone => {}
    }
}

/// What is known of the end when outputs are published.
#[derive(Clone, Copy)]
struct SoFar {
    exit: Exit,
    /// Whether all was read and written, and nothing is wrong but that records were refused.
    sound: bool,
}

/// Publishes or discards an output and enters what became of its records.
fn settle(
    plan: &Plan,
    sink: &SinkPlan,
    done: Done,
    stats: &Stats,
    SoFar { exit, sound }: SoFar,
    events: &Events,
) -> Result<(), Failure> {
    let Output::File(path) = &sink.output else {
        return Ok(());
    };
    let Some(output) = done.sink.filter(|output| !output.is_through()) else {
        return Ok(());
    };
    let tally = stats.tally(&sink.name);
    let (name, path) = (sink.name.clone(), plan.display(path));
    let open = match sink.publish {
        Publish::Gate => exit == Exit::Ok,
        Publish::Always => exit <= Exit::Data,
        Publish::EveryEnd => exit != Exit::Config && exit != Exit::Locked,
        // A replay adds to what is there: without a record it adds nothing.
        Publish::Sound if !sink.letters && tally.input.get() == 0 => return Ok(()),
        Publish::Sound => sound && exit <= Exit::Data,
    };
    if !open || done.health != Health::Whole {
        drop(output);
        if done.health == Health::Whole {
            tally.written.set(0);
            tally.dropped.set(tally.input.get());
        }
        events.emit(Event::Withheld { sink: name, path });
        return Ok(());
    }
    match output.publish() {
        Ok(()) => {
            let (records, bytes) = (tally.written.get(), tally.bytes.get());
            if sink.letters && sink.publish == Publish::Sound {
                // Whoever replays makes the file of it that people know.
                return Ok(());
            }
            events.emit(Event::Published { sink: name, path, records, bytes });
            Ok(())
        }
        Err(error) => {
            tally.written.set(0);
            tally.in_doubt.set(tally.input.get());
            let message = format!("cannot publish `{path}`: {error}");
            let error = error.to_string();
            events.emit(Event::Storage { sink: name, path, error });
            Err(Failure::new(Exit::World, message))
        }
    }
}

/// Writes a limit as one would on the command line, or in the pipeline file.
fn setting(option: &str, limit: &Limit) -> String {
    match limit {
        _ if option.starts_with("--") => format!("`{option} {limit}`"),
        Limit::Count(_) => format!("`{option} = {limit}`"),
        Limit::Share { .. } => format!("`{option} = \"{limit}\"`"),
    }
}

/// Judges the rejects: a table with a limit of its own alone, the others together.
fn over_limits(plan: &Plan, ledger: &Ledger) -> Vec<Failure> {
    let sources = plan.sources.iter().map(|t| (&t.name, t.tolerance.max_rejects));
    let stages = plan.stages.iter().map(|t| (&t.name, t.tolerance.max_rejects));
    let sinks = plan.sinks.iter().map(|t| (&t.name, t.tolerance.max_rejects));
    let mut failures = Vec::new();
    let mut together: Vec<&Name> = Vec::new();
    let mut rejected_together = 0;
    for (name, own) in sources.chain(stages).chain(sinks) {
        let (rejected, taken) = ledger.get(name).map_or((0, 0), |c| (c.rejected(), c.taken()));
        match own {
            Some(limit) if limit.allows(rejected, taken) => {}
            Some(limit) => {
                failures.push(over(plan, &[name], limit, rejected, taken, "max_rejects"));
            }
            None => {
                rejected_together += rejected;
                together.extend((rejected > 0).then_some(name));
            }
        }
    }
    let (limit, taken) = (plan.max_rejects, ledger.lines_read());
    if !limit.allows(rejected_together, taken) {
        failures.push(over(plan, &together, limit, rejected_together, taken, "--max-rejects"));
    }
    failures
}

fn over(
    plan: &Plan,
    tables: &[&Name],
    limit: Limit,
    rejected: u64,
    taken: u64,
    option: &str,
) -> Failure {
    let names: Vec<String> = tables.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "{} of {} rejected by {}, more than the limit of {limit}",
        grouped(rejected),
        count(taken, "line"),
        names.join(", "),
    );
    let kept = plan.edges.iter().find(|e| e.port == Port::Rejects && tables.contains(&&e.from));
    let sink = kept.and_then(|edge| plan.sinks.iter().find(|sink| sink.name == edge.to));
    let place = match sink.map(|sink| &sink.output) {
        Some(Output::File(_)) if sink.is_some_and(|sink| sink.publish == Publish::Sound) => {
            "their dead letters stay".to_owned()
        }
        Some(Output::File(path)) => format!("they are in `{}`", plan.display(path)),
        Some(Output::Stdout) => "they went to stdout".to_owned(),
        None => "to keep them, give `rejects = \"FILE\"` (`--rejects FILE` of `esteira pipe`)"
            .to_owned(),
    };
    let passing: Vec<String> =
        Limit::passing(rejected, taken).iter().map(|limit| setting(option, limit)).collect();
    let mut failure = Failure::new(Exit::Data, message).hint(place);
    let of_source = plan.sources.iter().any(|source| tables.contains(&&source.name));
    if rejected == taken && of_source {
        failure = failure.hint(
            "not one line is good: what is no NDJSON goes through with `--check none` (or `check = \"none\"`)",
        );
    }
    failure.hint(format!("{} would let them pass", passing.join(" or ")))
}
