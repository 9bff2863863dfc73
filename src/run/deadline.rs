//! Whether a stage, or the run, has taken longer than it may, and how far it was by then.

use std::time::Duration;

use crate::plan::Plan;
use crate::run::stats::Stats;
use crate::words::event::{Event, Pace};
use crate::words::gauge::Spent;
use crate::words::id::Name;
use crate::words::ledger::Counts;
use crate::words::outcome::{Exit, Failure};
use crate::words::text::{count, grouped};
use crate::words::units::written;

/// Says what is overdue; while the run starts, no table is `running` yet.
pub(super) fn overdue(plan: &Plan, stats: &Stats, running: Option<&[Name]>) -> Option<Failure> {
    let now = stats.clock.now();
    let over = |limit: &Duration| now >= *limit;
    let runs = |name: &Name| running.is_none_or(|running| running.contains(name));
    let mut stages = plan.stages.iter().filter(|stage| runs(&stage.name));
    let stage = stages.find_map(|s| Some((&s.name, s.deadline.filter(over)?)));
    let (who, limit) = match stage {
        Some((name, limit)) => (Some(name), limit),
        None => (None, plan.deadline.filter(over)?),
    };
    let name = who.map_or_else(|| "the run".to_owned(), |name| format!("stage `{name}`"));
    let limit = written(limit);
    if running.is_none() {
        let message = format!("{name} did not start within its deadline of {limit}");
        return Some(raise(Failure::new(Exit::Stage, message)));
    }
    let Event::Tick { tables } = stats.tick() else { return None };
    let far: Vec<String> = tables.iter().filter_map(|pace| far(pace, who)).collect();
    let message = format!("{name} did not end within its deadline of {limit}: {}", far.join(", "));
    let pace = tables.iter().find(|pace| Some(&pace.name) == who);
    let failure = Failure::new(Exit::Stage, message);
    Some(raise(match pace.and_then(|pace| waited(&pace.spent)) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }))
}

fn raise(failure: Failure) -> Failure {
    failure.hint("raise `deadline`, or leave it out")
}

/// Says how far a table was, if it is the one in question; of a run its sources.
fn far(pace: &Pace, stage: Option<&Name>) -> Option<String> {
    match (&pace.counts, stage) {
        (Counts::Source(counts), None) => {
            let read = format!("`{}` had read {}", pace.name, count(counts.lines, "line"));
            let total = pace.total.filter(|total| *total > 0);
            let share = total.map(|total| pace.bytes.min(total).saturating_mul(100) / total);
            Some(share.map_or(read.clone(), |share| format!("{read}, {share}% of its input")))
        }
        (Counts::Stage(counts), Some(stage)) if pace.name == *stage => {
            let (taken, out) = (count(counts.r#in, "record"), grouped(counts.out));
            Some(format!("it had taken {taken} and handed on {out}"))
        }
        _ => None,
    }
}

/// Says what a stage waited for, where that was most of its time.
fn waited(spent: &Spent) -> Option<&'static str> {
    let most = |time: Duration| time * 2 > spent.life();
    match spent {
        spent if most(spent.starved) => {
            Some("most of the time it waited for input: what is above it is too slow")
        }
        spent if most(spent.blocked) => {
            Some("most of the time it waited for room behind it: what is below it is too slow")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{far, waited};
    use crate::words::event::Pace;
    use crate::words::gauge::Spent;
    use crate::words::id::Name;
    use crate::words::ledger::{Counts, SourceCounts, StageCounts};

    fn pace(name: &str, counts: Counts, total: Option<u64>) -> Pace {
        let name = Name::internal(name);
        Pace { name, counts, bytes: 450, total, alive: 1, spent: Spent::default() }
    }

    #[test]
    fn how_far_it_was_is_told_of_the_stage_or_of_what_was_read() {
        let source = Counts::Source(SourceCounts { lines: 1, out: 1, ..SourceCounts::default() });
        let stage = Counts::Stage(StageCounts { r#in: 2000, out: 5, ..StageCounts::default() });
        let work = Name::internal("work");
        let told = far(&pace("work", stage, None), Some(&work));
        assert_eq!(told.unwrap(), "it had taken 2,000 records and handed on 5");
        assert_eq!(far(&pace("other", stage, None), Some(&work)), None);
        assert_eq!(far(&pace("work", stage, None), None), None);
        for (total, told) in [
            (Some(1000), "`in` had read 1 line, 45% of its input"),
            (Some(400), "`in` had read 1 line, 100% of its input"),
            (Some(0), "`in` had read 1 line"),
            (None, "`in` had read 1 line"),
        ] {
            assert_eq!(far(&pace("in", source, total), None).as_deref(), Some(told));
        }
    }

    #[test]
    fn who_waited_most_of_the_time_is_not_to_blame() {
        let spent = |busy, starved, blocked| Spent {
            busy: Duration::from_secs(busy),
            starved: Duration::from_secs(starved),
            blocked: Duration::from_secs(blocked),
        };
        assert!(waited(&spent(1, 3, 1)).unwrap().contains("above"));
        assert!(waited(&spent(1, 1, 3)).unwrap().contains("below"));
        assert_eq!(waited(&spent(2, 1, 1)), None);
        assert_eq!(waited(&Spent::default()), None);
    }
}
