//! Notices a worker that neither reads, writes nor computes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::child::proc;
use crate::plan::{Program, Protocol, Reply};
use crate::stage::feed::Traffic;
use crate::stage::remedy::hint as hint_at;
use crate::words::clock::Timer;
use crate::words::event::{Event, Events};
use crate::words::id::Name;
use crate::words::outcome::{Exit, Failure};

/// How often to look. A look counts as one second at most, however long the machine slept.
const LOOK: Duration = Duration::from_secs(1);

/// What makes a Python program flush each line.
const UNBUFFERED: &str = "PYTHONUNBUFFERED";

/// After how many idle seconds the likely cause is told.
const TELL: u64 = 10;

/// Says what may keep back the answers of a stage's workers, as the end of a message.
pub fn buffers(plan: &Program) -> Option<String> {
    let command = &plan.command;
    let resolved = std::fs::canonicalize(&command.program).ok();
    let hint = hint_at(&command.argv, resolved.as_deref())?;
    // Workers of `records` have it set.
    let records = matches!(&plan.protocol, Protocol::Pool(pool) if matches!(pool.reply, Reply::Records { .. }));
    let set = records || command.env.iter().any(|(name, _)| name == UNBUFFERED);
    (!set || !hint.contains(UNBUFFERED)).then_some(hint)
}

/// What to watch.
#[derive(Debug)]
pub struct Watch<'a> {
    /// The stage.
    pub stage: &'a Name,
    /// The worker's number in the stage.
    pub worker: u32,
    /// Its process, and its session.
    pub process: (u32, u32),
    /// What can be seen of its traffic.
    pub traffic: &'a Traffic,
    /// After how long the stage fails; none is never.
    pub limit: Option<Duration>,
    /// What may keep its answers back, where it owes one for each record.
    pub buffers: Option<String>,
    /// Where to tell.
    pub events: &'a Events,
}

impl Watch<'_> {
    /// Watches until the worker has stalled for too long; returns that as a failure.
    pub async fn stalled(self) -> Failure {
        let mut look = Timer::every(LOOK);
        let mut idle = 0;
        let mut before = (0, 0, 0);
        loop {
            look.tick().await;
            let (pid, session) = self.process;
            let waited_for = self.traffic.pending.load(Ordering::Relaxed)
                && self.traffic.listening.load(Ordering::Relaxed);
            // One that has all of its input may take its time, but not if it stands still.
            let stopped = || proc::stat(pid).is_some_and(|seen| seen.state == 'T');
            let stuck = waited_for || stopped();
            let moved = (self.traffic.fed.get(), self.traffic.got.get());
            // The answer is there when it is looked at again.
            self.traffic.ask.notify_one();
            if !stuck || (before.0, before.1) != moved {
                (idle, before) = (0, (moved.0, moved.1, 0));
                continue;
            }
            let seen = proc::session(session, pid);
            if before.2 != seen.ticks {
                (idle, before.2) = (0, seen.ticks);
                continue;
            }
            idle += 1;
            let over = self.limit.is_some_and(|limit| Duration::from_secs(idle) >= limit);
            if idle == TELL || over {
                let hint = self.hint(seen.state).to_owned();
                let unread_bytes = self.traffic.unread();
                self.events.emit(Event::Stalled {
                    stage: self.stage.clone(),
                    worker: self.worker,
                    seconds: idle,
                    unread_bytes,
                    state: seen.state,
                    hint,
                });
            }
            if over {
                let with = if waited_for { ", with input waiting" } else { "" };
                let message = format!(
                    "stage `{}`: worker {} neither read, wrote nor computed for {idle} s{with}",
                    self.stage, self.worker
                );
                return Failure::new(Exit::Stage, message)
                    .hint(self.hint(seen.state))
                    .hint("raise `stall` of the stage, or set it to \"0\" to wait for ever");
            }
        }
    }

    fn hint(&self, state: Option<char>) -> &str {
        hint(state, self.traffic.unread(), self.buffers.as_deref())
    }
}

fn hint(state: Option<char>, unread: Option<u64>, buffers: Option<&str>) -> &str {
    match (state, buffers) {
        // It has read what it was given.
        (Some('S' | 'R'), Some(buffers)) if unread == Some(0) => buffers,
        (Some('S' | 'R'), None) if unread == Some(0) => {
            "it has read all that it was given: it may wait for something else, or have left out a reply"
        }
        _ => by_state(state),
    }
}

fn by_state(state: Option<char>) -> &'static str {
    match state {
        Some('T' | 't') => "it is stopped (state T): something sent it SIGSTOP or SIGTSTP",
        Some('D') => "it waits for a disk or a file server (state D)",
        Some('Z') => "it has ended, but a process that it started keeps its place",
        _ => "it does not read its stdin: it may wait for something else, or for a lock",
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn buffers_are_to_blame_where_everything_was_read() {
        let jq = Some("jq buffers its output in a pipe: add `--unbuffered`");
        assert_eq!(Some(hint(Some('S'), Some(0), jq)), jq);
        for (state, unread, buffers) in
            [(Some('S'), Some(9), jq), (Some('S'), Some(9), None), (Some('S'), None, jq)]
        {
            assert!(hint(state, unread, buffers).contains("does not read its stdin"));
        }
        assert!(hint(Some('S'), Some(0), None).contains("left out a reply"));
        assert!(hint(Some('T'), Some(0), jq).contains("stopped"));
    }
}
