//! `--report json=PATH`: the ledger, the workers and the errors as one JSON object.

use serde::Serialize;
use serde::ser::Serializer;

use crate::report::show;
use crate::report::summary::{End, Summary, Worker};
use crate::words::event::{BadRecord, BaselineUse, Usage};
use crate::words::gauge::Spent;
use crate::words::id::{Name, RunId};
use crate::words::ledger::{Counts, SinkCounts, SourceCounts, StageCounts};
use crate::words::outcome::Exit;

/// The name and version of the report's shape.
const SCHEMA: &str = "esteira.report/1";

/// How many examples of a code it shows.
const EXAMPLES: usize = 5;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<BaselineUse>,
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
    code: &'a str,
    count: u64,
    /// Of these, how many in records that the baseline accepts.
    #[serde(skip_serializing_if = "is_none")]
    known: u64,
    examples: Vec<Example<'a>>,
}

/// A refused record.
#[derive(Serialize)]
struct Example<'a> {
    source: &'a Name,
    file: Option<&'a str>,
    line: u64,
    offset: u64,
    stage: Option<&'a Name>,
    path: &'a str,
    message: &'a str,
    column: Option<u64>,
}

impl<'a> Example<'a> {
    fn of(bad: &'a BadRecord) -> Self {
        Self {
            source: &bad.source,
            file: bad.file.as_deref(),
            line: bad.line,
            offset: bad.offset,
            stage: bad.stage.as_ref(),
            path: &bad.path,
            message: &bad.message,
            column: bad.column,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Tables by name, in the order a record meets them.
struct Map<'a, T>(Vec<(&'a Name, T)>);

impl<T: Serialize> Serialize for Map<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, table)| (name, table)))
    }
}

/// Writes the report.
pub(super) fn render(summary: &Summary, end: &End<'_>) -> serde_json::Result<String> {
    let (mut sources, mut stages, mut sinks) = (Vec::new(), Vec::new(), Vec::new());
    for (name, counts) in &end.finish.ledger.tables {
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
        exit: Outcome { code: end.finish.exit.code, reason: &end.finish.exit.reason },
        sources: Map(sources),
        stages: Map(stages),
        sinks: Map(sinks),
        bottleneck: end.bottleneck(summary).map(|(table, _)| &table.name),
        errors: end
            .worst()
            .into_iter()
            .map(|of| Reason {
                code: &of.code,
                count: of.times.count,
                known: of.times.known,
                examples: summary
                    .examples(&of.code)
                    .iter()
                    .take(EXAMPLES)
                    .map(Example::of)
                    .collect(),
            })
            .collect(),
        baseline: end.finish.baseline,
        duration_s: show::float(show::whole(end.seconds * 1000.0)) / 1000.0,
        controller: end.finish.controller,
    };
    let mut text = serde_json::to_string_pretty(&report)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests;
