//! `--report json=PATH`: the ledger, the workers and the errors as one JSON object.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::ser::Serializer;

use crate::report::summary::{End, Example, Summary, Worker};
use crate::report::whole::Target;
use crate::report::{Listener, ReportError, TargetError, show};
use crate::words::event::{CodeCount, Stamped, Usage};
use crate::words::gauge::Spent;
use crate::words::id::{Name, RunId};
use crate::words::ledger::{Counts, SinkCounts, SourceCounts, StageCounts};
use crate::words::outcome::Exit;

/// The name and version of the report's shape.
const SCHEMA: &str = "esteira.report/1";

/// Writes the report when the run is over.
#[derive(Debug)]
pub struct JsonReport {
    path: PathBuf,
    target: Target,
    summary: Summary,
}

impl JsonReport {
    /// Prepares a report to `path`, and refuses a path that it must not replace.
    pub fn new(path: &Path) -> Result<Self, ReportError> {
        let target = Target::check(path).map_err(|why| failed(path, why))?;
        Ok(Self { path: path.to_owned(), target, summary: Summary::default() })
    }
}

impl Listener for JsonReport {
    fn on(&mut self, event: &Stamped) -> Result<(), ReportError> {
        self.summary.add(&event.event);
        match End::of(event) {
            // A start that was refused consumed nothing: there is nothing to report.
            Some(end) if !matches!(end.exit.code, Exit::Config | Exit::Locked) => {
                let text = text(&self.summary, &end)
                    .map_err(|e| failed(&self.path, TargetError::Io(e.into())))?;
                self.target.put(&text).map_err(|e| failed(&self.path, TargetError::Io(e)))
            }
            _ => Ok(()),
        }
    }
}

fn failed(path: &Path, why: TargetError) -> ReportError {
    ReportError { report: "json", path: path.to_owned(), why }
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    run: Option<&'a RunId>,
    pipeline: &'a str,
    exit: Outcome<'a>,
    sources: Map<'a, Timed<SourceCounts>>,
    stages: Map<'a, Stage<'a>>,
    sinks: Map<'a, Timed<SinkCounts>>,
    bottleneck: Option<&'a Name>,
    errors: Vec<Reason<'a>>,
    duration_s: f64,
    controller: Usage,
}

#[derive(Serialize)]
struct Outcome<'a> {
    code: Exit,
    reason: &'a str,
}

#[derive(Serialize)]
struct Stage<'a> {
    #[serde(flatten)]
    counts: Timed<StageCounts>,
    workers: Vec<&'a Worker>,
}

/// Counts, and how the time was spent.
#[derive(Serialize)]
struct Timed<T> {
    #[serde(flatten)]
    counts: T,
    time: Spent,
}

#[derive(Serialize)]
struct Reason<'a> {
    #[serde(flatten)]
    of: &'a CodeCount,
    examples: &'a [Example],
}

/// Tables by name, in the order a record meets them.
struct Map<'a, T>(Vec<(&'a Name, T)>);

impl<T: Serialize> Serialize for Map<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, table)| (name, table)))
    }
}

fn text(summary: &Summary, end: &End<'_>) -> serde_json::Result<Vec<u8>> {
    let (mut sources, mut stages, mut sinks) = (Vec::new(), Vec::new(), Vec::new());
    for (name, counts) in &end.ledger.tables {
        let time = end.spent(name);
        match *counts {
            Counts::Source(counts) => sources.push((name, Timed { counts, time })),
            Counts::Stage(counts) => {
                let counts = Timed { counts, time };
                let workers = summary.workers(name);
                stages.push((name, Stage { counts, workers }));
            }
            Counts::Sink(counts) => sinks.push((name, Timed { counts, time })),
        }
    }
    let report = Report {
        schema: SCHEMA,
        run: summary.run.as_ref(),
        pipeline: &summary.pipeline,
        exit: Outcome { code: end.exit.code, reason: &end.exit.reason },
        sources: Map(sources),
        stages: Map(stages),
        sinks: Map(sinks),
        bottleneck: end.bottleneck(summary).map(|(table, _)| &table.name),
        errors: end
            .worst()
            .into_iter()
            .map(|of| Reason { of, examples: summary.examples(&of.code) })
            .collect(),
        duration_s: show::float(show::whole(end.seconds * 1000.0)) / 1000.0,
        controller: end.controller,
    };
    let mut text = serde_json::to_vec_pretty(&report)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests;
