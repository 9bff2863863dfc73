//! What a stage tells about its worker: events for people, notices for the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::child::guard::Report;
use crate::child::nursery::End;
use crate::stage::ended::Ended;
use crate::stage::verdict::{Left, signal_name};
use crate::words::belt::{Notice, Post};
use crate::words::clock;
use crate::words::event::{Event, Events, Leaked, StderrKept, WorkerEnd};
use crate::words::id::Name;
use crate::words::outcome::{Exit, Failure};
use crate::words::text::{count, escape};

/// How long a worker may live on after closing its stdout before that is worth a word.
const CLOSED: Duration = Duration::from_secs(1);

/// Speaks for one worker of a stage.
#[derive(Clone, Debug)]
pub struct Teller {
    /// The stage.
    pub stage: Name,
    /// The worker's number.
    pub worker: u32,
    /// Where events go.
    pub events: Events,
    /// Where notices go.
    pub post: Post,
    /// Whether the worker broke its protocol.
    pub broke: Arc<AtomicBool>,
    /// Whether there are others who do the same work.
    of_many: bool,
}

impl Teller {
    /// Makes the one who speaks for a worker that broke nothing so far.
    pub fn new(stage: Name, worker: u32, events: Events, post: Post) -> Self {
        Self { stage, worker, events, post, broke: Arc::default(), of_many: false }
    }

    /// Speaks for one of many: that it reads no more does not mean that nobody does.
    #[must_use]
    pub fn one_of_many(self) -> Self {
        Self { of_many: true, ..self }
    }

    /// Tells an event about the stage.
    pub fn tell(&self, event: impl FnOnce(Name) -> Event) {
        self.events.emit(event(self.stage.clone()));
    }

    /// Tells the run about something that must stop it.
    pub fn failed(&self, failure: Failure) {
        self.notice(Notice::Failed(failure));
    }

    /// A stage has a handful of notices in its life, and the post holds hundreds.
    fn notice(&self, notice: Notice) {
        self.post.try_send(notice).ok();
    }

    /// Tells that the worker wrote something that its protocol does not allow.
    pub fn protocol(&self, line: u64, message: &str) {
        if self.broke.swap(true, Ordering::Relaxed) {
            return;
        }
        self.tell_protocol(line, message);
        let message = format!(
            "stage `{}`: worker {} wrote line {line}, which is {message}",
            self.stage, self.worker
        );
        let of_many = message.ends_with(['{', '[']);
        let failure = Failure::new(Exit::Stage, message)
            .hint("stdout is for records: print what people should read to stderr");
        self.failed(failure.hint(if of_many {
            "a record is one line: `jq`, for one, needs `-c`"
        } else {
            "a filter that writes something else, such as CSV, declares `check_output = \"none\"` in a pipeline file"
        }));
    }

    /// Tells the event of a broken protocol.
    pub fn tell_protocol(&self, line: u64, message: &str) {
        let (worker, message) = (self.worker, message.to_owned());
        self.tell(|stage| Event::Protocol { stage, worker, line, message });
    }

    /// Tells that the worker does not read any more: no further input is of use.
    pub fn stopped_reading(&self, accepted: u64) {
        self.tell_deaf(accepted);
        if self.of_many {
            return;
        }
        self.notice(Notice::ReaderGone(self.stage.clone()));
    }

    /// Tells the event of a closed stdin.
    pub fn tell_deaf(&self, accepted: u64) {
        let worker = self.worker;
        self.tell(|stage| Event::StdinClosed { stage, worker, accepted });
    }

    /// Tells that the worker closed its stdout, if it does not end soon after.
    pub async fn closed_early(&self, mut ended: Ended) {
        if clock::within(CLOSED, ended.over()).await.is_none() {
            let worker = self.worker;
            self.tell(|stage| Event::StdoutClosedEarly { stage, worker });
        }
    }

    /// Tells how many blank lines of the output were skipped.
    pub fn blank(&self, blank: u64) {
        if blank > 0 {
            let message = format!("skipped {} of its output", count(blank, "blank line"));
            self.events.emit(Event::Note { table: Some(self.stage.clone()), message });
        }
    }

    /// Reads how the worker went.
    pub fn left(&self, end: &End) -> Left {
        match end {
            End::Told(Report::Ended { code: Some(code), .. }) => Left::Code(*code),
            End::Told(Report::Ended { signal: Some(signal), .. }) => Left::Signal(*signal),
            End::Told(_) | End::Lost => Left::Lost,
        }
    }

    /// Tells how the worker went, and what it left behind; `unread` are the bytes that it did not
    /// read, none where that could not be seen.
    pub fn worker_ended(
        &self,
        end: &End,
        unread: Option<u64>,
        outstanding: u64,
        stderr: StderrKept,
    ) {
        let worker = self.worker;
        let End::Told(Report::Ended { code, signal, user_ms, system_ms, peak_rss, leaked }) = end
        else {
            return self.tell(|stage| Event::SupervisorLost { stage, worker });
        };
        if let Some(signal) = *signal {
            self.tell(|stage| Event::WorkerSignal { stage, worker, signal: signal_name(signal) });
        }
        if unread != Some(0) {
            self.tell(|stage| Event::EarlyExit { stage, worker, unread_bytes: unread });
        }
        let end = WorkerEnd {
            code: *code,
            signal: *signal,
            user_ms: *user_ms,
            system_ms: *system_ms,
            peak_rss: *peak_rss,
        };
        self.tell(|stage| Event::WorkerExit { stage, worker, end, outstanding, stderr });
        if !leaked.is_empty() {
            let processes = leaked
                .iter()
                .map(|(pid, command)| Leaked { pid: *pid, command: escape(command.as_bytes()) })
                .collect();
            self.tell(|stage| Event::Leak { stage, worker, processes });
        }
    }
}
