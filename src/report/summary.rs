//! What the events of a run add up to: what a closing or a report needs beside the ledger.
//!
//! It does not grow with the input: only so many refused records are told one by one, and of each
//! worker only sums are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::report::history::History;
use crate::report::{bottleneck, show};
use crate::words::event::{BadRecord, CodeCount, Event, Finish, Stamped, Table, WorkerEnd};
use crate::words::gauge::Spent;
use crate::words::id::{Name, RunId};
use crate::words::text::clipped;

/// How long a run must take before it is said how the time was spent.
const LONG: Duration = Duration::from_secs(1);

/// How many bytes of a path, and of a message, an example keeps.
const MESSAGE: usize = 1024;

/// What one worker's processes used and how the last of them ended.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Worker {
    #[serde(rename = "worker")]
    pub(crate) number: u32,
    pub(crate) starts: u64,
    /// How often it was replaced by a fresh one.
    #[serde(skip)]
    pub(crate) restarts: u64,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) outstanding: u64,
    pub(crate) user_ms: u64,
    pub(crate) system_ms: u64,
    pub(crate) peak_rss: u64,
}

/// What became of an output file.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) sink: Name,
    pub(crate) path: String,
    /// Its records and bytes; none where it was not published.
    pub(crate) published: Option<(u64, u64)>,
}

/// What was told so far.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) run: Option<RunId>,
    pub(crate) pipeline: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) outputs: Vec<Output>,
    /// Sinks whose reader takes what they write as it comes.
    through: Vec<Name>,
    workers: BTreeMap<(Name, u32), Worker>,
    examples: BTreeMap<String, Vec<BadRecord>>,
    /// How many of each code are kept, if not all that are told.
    most: Option<usize>,
    /// How fast the tables were.
    pub(crate) history: History,
    /// Whether it was not run to its end.
    pub(crate) cut_short: bool,
    /// Lines that a run before this one had read.
    pub(crate) before: u64,
}

/// How a run ended, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'a> {
    pub(crate) finish: &'a Finish,
    /// How long the run took.
    pub(crate) seconds: f64,
}

impl<'a> End<'a> {
    /// Takes the event apart if it is the last one.
    pub(crate) fn of(event: &'a Stamped) -> Option<Self> {
        let Event::RunFinished(finish) = &event.event else { return None };
        Some(Self { finish, seconds: event.t })
    }

    /// Tells whether the run took long enough for shares of its time to mean something.
    pub(crate) fn is_long(&self) -> bool {
        bottleneck::life(self.finish.times.iter().map(|(_, spent)| spent)) >= LONG
    }

    /// Returns how a table spent its time.
    pub(crate) fn spent(&self, name: &Name) -> Spent {
        let found = self.finish.times.iter().find(|(of, _)| of == name);
        found.map(|(_, spent)| *spent).unwrap_or_default()
    }

    /// Returns the table that held up a run long enough to say so.
    pub(crate) fn bottleneck<'b>(&self, summary: &'b Summary) -> Option<(&'b Table, Spent)> {
        let all = summary.tables.iter().map(|table| (table, self.spent(&table.name)));
        self.is_long().then(|| bottleneck::bottleneck(all)).flatten()
    }

    /// Returns the codes, those first that are most often new.
    pub(crate) fn worst(&self) -> Vec<&'a CodeCount> {
        let mut codes: Vec<&CodeCount> = self.finish.errors.iter().collect();
        codes.sort_by(|a, b| {
            let new = b.times.new_ones().cmp(&a.times.new_ones());
            let all = new.then_with(|| b.times.count.cmp(&a.times.count));
            all.then_with(|| a.code.cmp(&b.code))
        });
        codes
    }
}

impl Summary {
    /// Begins one that keeps so many refused records of each code.
    pub(crate) fn with_few(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// Takes in an event.
    pub(crate) fn add(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::Tick { tables } => self.history.tick(stamped.t, tables),
            Event::TakenUp { lines, .. } => self.before = *lines,
            Event::Stopping { .. } | Event::Interrupted { .. } => self.cut_short = true,
            Event::RunStarted { run, pipeline, tables } => {
                self.run = Some(run.clone());
                self.pipeline.clone_from(pipeline);
                self.tables.clone_from(tables);
            }
            Event::WorkerStarted { stage, worker, .. } => self.worker(stage, *worker).starts += 1,
            Event::Restart { stage, worker, .. } => self.worker(stage, *worker).restarts += 1,
            Event::WorkerExit { stage, worker, end, outstanding, .. } => {
                self.worker(stage, *worker).ended(end, *outstanding);
            }
            Event::NotDurable { sink, .. } => self.through.push(sink.clone()),
            Event::Published { sink, path, records, bytes } => {
                self.output(sink, path, Some((*records, *bytes)));
            }
            Event::Withheld { sink, path } => self.output(sink, path, None),
            Event::BadRecord(bad) => self.example(bad),
            _ => {}
        }
    }

    /// Returns the examples of a code.
    pub(crate) fn examples(&self, code: &str) -> &[BadRecord] {
        self.examples.get(code).map_or(&[], Vec::as_slice)
    }

    /// Returns the workers of a stage, in the order of their numbers.
    pub(crate) fn workers(&self, stage: &Name) -> Vec<&Worker> {
        let all = (stage.clone(), 0)..=(stage.clone(), u32::MAX);
        self.workers.range(all).map(|(_, worker)| worker).collect()
    }

    /// Returns how many seconds of a core a stage's workers used.
    pub(crate) fn cpu(&self, stage: &Name) -> f64 {
        let used = self.workers(stage).into_iter().map(|w| w.user_ms + w.system_ms);
        show::float(used.sum()) / 1000.0
    }

    /// Tells whether a table only collects dead letters.
    pub(crate) fn is_letters(&self, name: &Name) -> bool {
        self.tables.iter().any(|t| t.letters && t.name == *name)
    }

    /// Tells whether a sink writes to a pipe, a terminal or a device.
    pub(crate) fn is_through(&self, name: &Name) -> bool {
        self.through.contains(name)
    }

    fn worker(&mut self, stage: &Name, number: u32) -> &mut Worker {
        self.workers
            .entry((stage.clone(), number))
            .or_insert_with(|| Worker { number, ..Worker::default() })
    }

    fn output(&mut self, sink: &Name, path: &str, published: Option<(u64, u64)>) {
        self.outputs.push(Output { sink: sink.clone(), path: path.to_owned(), published });
    }

    /// Those that are told one by one are few: whoever tells them sees to that.
    fn example(&mut self, bad: &BadRecord) {
        let mut bad = bad.clone();
        for text in [&mut bad.path, &mut bad.message] {
            text.truncate(clipped(text, MESSAGE).len());
        }
        let examples = self.examples.entry(bad.code.clone()).or_default();
        if self.most.is_none_or(|most| examples.len() < most) {
            examples.push(bad);
        }
    }
}

impl Worker {
    fn ended(&mut self, end: &WorkerEnd, outstanding: u64) {
        self.code = end.code;
        self.signal = end.signal;
        self.outstanding += outstanding;
        self.user_ms += end.user_ms;
        self.system_ms += end.system_ms;
        self.peak_rss = self.peak_rss.max(end.peak_rss);
    }
}
