//! What each event sounds like: one kind sentence that names the stage, the worker and what
//! happened. Pure.

use crate::report::closing::told;
use crate::report::show::{excerpt, float, shown, stretch};
use crate::words::event::{Event, Leaked, StderrKept};
use crate::words::id::Name;
use crate::words::text::{count, grouped};

/// How many leaked processes are named.
const NAMED: usize = 3;

/// Something to be said at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Good to know.
    Note(String),
    /// Something is not as it should be.
    Warning(String),
}

use Said::{Note, Warning};

/// Says what happened, if it is worth a line. While the run stops, what happens to its workers
/// is a consequence and is not told.
pub(super) fn said(event: &Event, stopping: bool) -> Option<Said> {
    of_run(event)
        .or_else(|| of_worker(event))
        .or_else(|| if stopping { None } else { of_end(event) })
}

fn of_run(event: &Event) -> Option<Said> {
    Some(match event {
        Event::Note { table, message } => Note(match table {
            Some(table) => format!("{table}: {}", shown(message)),
            None => shown(message),
        }),
        Event::TakenUp { run, at, .. } => Note(format!("goes on at {} (run {run})", shown(at))),
        Event::NotDurable { sink, target } => Note(format!(
            "{sink}: `{}` gets records as they come, however the run ends",
            shown(target)
        )),
        Event::CompressedLimit { source, file, limit, packed, unpacked } => Warning(format!(
            "{source}: `{}` holds more than `{limit}` allows: {} were unpacked to {}",
            shown(file),
            count(*packed, "byte"),
            grouped(*unpacked)
        )),
        Event::SinkClosed { sink } => {
            Note(format!("{sink}: its reader went away, what is left for it is dropped"))
        }
        Event::Storage { sink, path, error } => {
            Warning(format!("{sink}: cannot write `{}`: {}", shown(path), shown(error)))
        }
        Event::Database(told) if told.what != "failed" => {
            Note(format!("{}: {}", told.table, shown(&told.message)))
        }
        Event::Interrupted { signal, now: false } => Note(format!(
            "{}: stopping in good order; the same once more stops at once",
            shown(signal)
        )),
        Event::Interrupted { signal, now: true } => {
            Note(format!("{}: stopping at once", shown(signal)))
        }
        Event::Paused => Note("paused".to_owned()),
        Event::Resumed => Note("going on".to_owned()),
        Event::ClockGap { ms } => Note(format!(
            "the clock jumped by {}: this machine or process slept, time limits were moved",
            stretch(float(*ms) / 1000.0)
        )),
        Event::Stopping { reason } => Note(format!("stopping: {}", shown(&reason.message))),
        _ => return None,
    })
}

/// What concerns workers and is told at any time.
fn of_worker(event: &Event) -> Option<Said> {
    Some(match event {
        Event::SpawnFailed { stage, program, message, .. } => {
            Warning(format!("{stage}: cannot start `{}`: {}", shown(program), shown(message)))
        }
        Event::Leak { stage, worker, processes } => Warning(format!(
            "{} left {}; a program should wait for those it starts",
            who(stage, *worker),
            leaked(processes)
        )),
        Event::KilledAfterGrace { stage, worker } => Warning(format!(
            "{} did not end when asked to and was killed; a longer `grace` would give it time",
            who(stage, *worker)
        )),
        Event::SupervisorLost { stage, worker } => Warning(format!(
            "{} lost its guard, so it was killed with all that it had started",
            who(stage, *worker)
        )),
        Event::Stalled { stage, worker, seconds, hint, .. } => Warning(format!(
            "{} has neither read, written nor computed for {}: {}",
            who(stage, *worker),
            stretch(float(*seconds)),
            shown(hint)
        )),
        Event::StderrTruncated { stage, worker, shown } => Note(format!(
            "{} writes a lot to stderr: {} were shown, the last follow when it ends",
            who(stage, *worker),
            count(*shown, "byte")
        )),
        Event::Protocol { stage, worker, line, message } => Warning(format!(
            "{} broke its protocol in line {} of its output: {}",
            who(stage, *worker),
            grouped(*line),
            shown(message)
        )),
        Event::ReplyTimeout { stage, worker, seconds, .. } => Warning(format!(
            "{} took longer than {} for a record and is killed",
            who(stage, *worker),
            stretch(*seconds)
        )),
        Event::Log { stage, worker, level, message } => {
            let text = format!("{} says: {}", who(stage, *worker), shown(message));
            if matches!(level.as_str(), "warn" | "warning" | "error" | "fatal") {
                Warning(text)
            } else {
                Note(text)
            }
        }
        _ => return None,
    })
}

/// Says what is only told when much is asked for.
pub(super) fn more(event: &Event) -> Option<Said> {
    Some(match event {
        Event::RunStarted { run, tables, .. } => {
            Note(format!("run {run} with {}", count(tables.len() as u64, "table")))
        }
        Event::WorkerStarted { stage, worker, pid } => {
            Note(format!("{} runs as process {pid}", who(stage, *worker)))
        }
        Event::WorkerExit { stage, worker, end, .. } => {
            let how = match (end.code, end.signal) {
                (Some(code), _) => format!("left with code {code}"),
                (None, Some(signal)) => format!("was ended by signal {signal}"),
                (None, None) => "ended".to_owned(),
            };
            let cpu = stretch(float(end.user_ms + end.system_ms) / 1000.0);
            let peak = bytesize::ByteSize::b(end.peak_rss);
            Note(format!("{} {how}; it used {cpu} of a core, {peak} at most", who(stage, *worker)))
        }
        Event::BadRecord(bad) => Note(format!("rejected {}", told(bad).trim_start())),
        Event::Checkpoint { lines, ms } => {
            Note(format!("what came of {} is durable ({ms} ms)", count(*lines, "line")))
        }
        _ => return None,
    })
}

/// How workers end, or begin to.
fn of_end(event: &Event) -> Option<Said> {
    Some(match event {
        Event::WorkerSignal { stage, worker, signal } => {
            Warning(format!("{} was ended by {}", who(stage, *worker), shown(signal)))
        }
        // A code alone may be just what the stage allows; with records in doubt it is not.
        Event::WorkerExit { stage, worker, end, outstanding: outstanding @ 1.., .. } => {
            Warning(format!(
                "{} ended with code {} while {} of its records were not settled",
                who(stage, *worker),
                end.code?,
                grouped(*outstanding)
            ))
        }
        Event::Restart { stage, worker, outstanding, .. } => Warning(format!(
            "{} is replaced by a fresh one; it had {}",
            who(stage, *worker),
            count(*outstanding, "record")
        )),
        Event::TornReply { stage, worker, bytes } => Warning(format!(
            "{} ended in the middle of a reply, {} into it",
            who(stage, *worker),
            count(*bytes, "byte")
        )),
        Event::OutputHeld { stage, worker } => Warning(format!(
            "{} has ended, but something outside its tree of processes keeps its output open",
            who(stage, *worker)
        )),
        Event::StdinClosed { stage, worker, accepted } => Warning(format!(
            "{} closed its input early: {} were handed over, how many it read is not known",
            who(stage, *worker),
            count(*accepted, "record")
        )),
        Event::StdoutClosedEarly { stage, worker } => Warning(format!(
            "{} closed its output and lives on; its exit status will decide",
            who(stage, *worker)
        )),
        Event::EarlyExit { stage, worker, unread_bytes } => Warning(format!(
            "{} ended without reading all of its input{}",
            who(stage, *worker),
            unread_bytes.map_or_else(String::new, |n| format!(" ({} unread)", count(n, "byte")))
        )),
        _ => return None,
    })
}

/// Returns the lines of a worker's stderr that were held back until its end.
pub(super) fn held_back(stderr: &StderrKept) -> Vec<String> {
    let omitted =
        (stderr.omitted > 0).then(|| format!("… {} left out …", count(stderr.omitted, "byte")));
    omitted.into_iter().chain(stderr.tail.iter().cloned()).collect()
}

fn who(stage: &Name, worker: u32) -> String {
    format!("{stage}, worker {worker},")
}

fn leaked(processes: &[Leaked]) -> String {
    let noun = if processes.len() == 1 { "process" } else { "processes" };
    let named = processes.iter().take(NAMED).map(|p| format!("`{}`", excerpt(&p.command)));
    let named: Vec<String> = named.collect();
    let more = if processes.len() > NAMED { ", …" } else { "" };
    format!("{} {noun} behind, now killed: {}{more}", processes.len(), named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Note, Said, Warning, said};
    use crate::report::fixtures::{every_event, name};
    use crate::words::event::{Event, Leaked};

    fn texts(stopping: bool) -> Vec<String> {
        let texts = every_event().into_iter().filter_map(|e| said(&e, stopping));
        texts.map(|(Note(text) | Warning(text))| text).collect()
    }

    #[test]
    fn every_sentence_names_its_table_and_holds_no_control() {
        for text in texts(false) {
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(!text.contains("##["), "{text:?}");
        }
        let about = texts(false).into_iter().filter(|t| t.starts_with("validate, worker 0, "));
        assert_eq!(about.count(), 16);
    }

    #[test]
    fn what_the_stop_did_to_workers_is_not_told() {
        let quiet = texts(true);
        for word in ["ended by", "not settled", "closed its", "unread"] {
            assert!(!quiet.iter().any(|t| t.contains(word)), "{word}: {quiet:?}");
        }
        assert!(quiet.iter().any(|t| t.contains("was killed")));
    }

    #[test]
    fn a_leak_names_a_few_of_the_processes() {
        let leak = |n: u32| {
            let leaked = |pid| Leaked { pid, command: "sleep 9".into() };
            let processes = (0..n).map(leaked).collect();
            said(&Event::Leak { stage: name("v"), worker: 1, processes }, false)
        };
        assert_eq!(
            leak(1),
            Some(Said::Warning(
                "v, worker 1, left 1 process behind, now killed: `sleep 9`; \
                 a program should wait for those it starts"
                    .into()
            ))
        );
        let Some(Warning(many)) = leak(5) else { panic!() };
        assert!(
            many.contains("5 processes behind, now killed: `sleep 9`, `sleep 9`, `sleep 9`, …;")
        );
    }
}
