//! Compiles how a stage's workers are spoken to: the protocol, the pool, what goes with what.

use std::time::Duration;

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::Origin;
use crate::config::schema::{self, Dispatch, MOST_WORKERS, Protocol, Setting, Workers};
use crate::config::suggest::one_of;
use crate::plan::{self, InFlight, Pieces, Pool, Reply, Stream};
use crate::words::policy::{Check, EarlyExit, Expect, OnCrash, Order};
use crate::words::units::Restarts;

const RECORDS: usize = 256;
const BYTES: usize = 256 << 10;
const SPLIT: usize = 16 << 20;
const RESTARTS: Restarts = Restarts { count: 3, period: Duration::from_mins(1) };

use Protocol::{Command, Lines, Records, Stream as Filter};

/// Says what was written about the protocol.
pub(super) fn compile(
    written: &schema::Stage,
    out: &mut Diagnostics,
) -> Result<plan::Protocol, Reported> {
    let protocol = match &written.protocol {
        Setting::Given(given) => given.value,
        Setting::LeftOut => Filter,
        // What goes with it cannot be judged.
        Setting::Unreadable(reported) => return Err(*reported),
    };
    for mistake in strangers(written, protocol) {
        out.push(mistake);
    }
    let check_output = written.check_output.or(Check::Json);
    let reply = match protocol {
        Filter => {
            let pieces = pieces(written, out);
            return Ok(plan::Protocol::Stream(Stream {
                expect: written.expect.or(Expect::Any),
                check_output,
                early_exit: written.early_exit.or(EarlyExit::Fail),
                pieces,
            }));
        }
        Lines => Reply::Lines { check_output },
        Records => Reply::Records { ready: written.ready.or(false) },
        Command => Reply::Command { check_output },
    };
    let on_crash = written.on_crash.or(OnCrash::Retry);
    let records = match (protocol, on_crash) {
        (Lines, _) => usize::MAX,
        (Command, _) | (_, OnCrash::Reject) => 1,
        (_, OnCrash::Retry) => RECORDS,
    };
    Ok(plan::Protocol::Pool(Pool {
        reply,
        workers: workers(written.workers.or(Workers::Count(1))),
        dispatch: match written.dispatch.or(Dispatch::RoundRobin) {
            Dispatch::RoundRobin => plan::Dispatch::RoundRobin,
            Dispatch::By(pointer) => plan::Dispatch::By(pointer),
        },
        in_flight: InFlight {
            records: written.in_flight_records.or(records),
            bytes: written.in_flight_bytes.or(BYTES),
        },
        order: written.order.or(Order::Input),
        restarts: written.restarts.or(RESTARTS),
        on_crash,
        record_timeout: written.record_timeout.value().copied(),
    }))
}

/// As many as the machine has use for, where nobody said how many.
pub(super) fn workers(written: Workers) -> u32 {
    match written {
        Workers::Count(count) => count,
        Workers::Auto => std::thread::available_parallelism()
            .ok()
            .and_then(|cores| u32::try_from(cores.get()).ok())
            .unwrap_or(1)
            .min(MOST_WORKERS),
    }
}

/// Says how the input of a filter is cut, if it is.
fn pieces(written: &schema::Stage, out: &mut Diagnostics) -> Option<Pieces> {
    if written.per_record.or(false) {
        let split = written.split.or(SPLIT) as u64;
        return Some(Pieces { split, workers: workers(written.workers.or(Workers::Count(1))) });
    }
    if let Some(mistake) = one_worker(&written.workers) {
        out.push(mistake);
    }
    None
}

fn one_worker(written: &Setting<Workers>) -> Option<Diagnostic> {
    let workers = written.given().filter(|w| w.value != Workers::Count(1))?;
    Some(
        Diagnostic::new("a `stream` stage has one worker")
            .at(workers.origin, "no other number goes with it")
            .hint("a filter that keeps nothing from line to line can have many: `per_record = true` (`--per-record` of `esteira pipe`)")
            .hint("a program that answers each record can have many: `protocol = \"records\"`, `\"lines\"` or `\"command\"` (`--protocol` of `esteira pipe`)"),
    )
}

/// Finds keys that say nothing about the protocol.
fn strangers(written: &schema::Stage, protocol: Protocol) -> Vec<Diagnostic> {
    let keys: [(&str, Option<Origin>, &[Protocol]); 14] = [
        ("expect", at(&written.expect), &[Filter]),
        ("per_record", at(&written.per_record), &[Filter]),
        ("split", at(&written.split), &[Filter]),
        ("early_exit", at(&written.early_exit), &[Filter]),
        ("check_output", at(&written.check_output), &[Filter, Lines, Command]),
        ("exit", at(&written.exit_ok), &[Filter, Lines, Records]),
        ("exit", at(&written.exit_invalid), &[Filter, Lines, Records]),
        ("dispatch", at(&written.dispatch), &[Lines, Records]),
        ("in_flight", at(&written.in_flight_bytes), &[Lines, Records]),
        ("in_flight.records", at(&written.in_flight_records), &[Records]),
        ("restarts", at(&written.restarts), &[Records, Command]),
        ("on_crash", at(&written.on_crash), &[Records, Command]),
        ("record_timeout", at(&written.record_timeout), &[Records, Command]),
        ("ready", at(&written.ready), &[Records]),
    ];
    let own = spelling(protocol);
    let mut told = None;
    let strange = keys.into_iter().filter_map(|(key, at, goes_with)| {
        let at = at.filter(|_| !goes_with.contains(&protocol) && told != Some(key))?;
        told = Some(key);
        let mistake = Diagnostic::new(format!("`{key}` does not go with `protocol = \"{own}\"`"));
        let goes_with = one_of(goes_with.iter().map(|protocol| spelling(*protocol)));
        Some(mistake.at(at, "").hint(format!("it goes with {goes_with}")))
    });
    strange.collect()
}

fn at<T>(setting: &Setting<T>) -> Option<Origin> {
    setting.given().map(|given| given.origin)
}

fn spelling(protocol: Protocol) -> &'static str {
    match protocol {
        Filter => "stream",
        Lines => "lines",
        Records => "records",
        Command => "command",
    }
}
