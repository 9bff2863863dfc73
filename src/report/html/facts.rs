//! Workers, outputs, and what else there is to know of a run.

use bytesize::ByteSize;
use serde::Serialize;

use crate::report::findings::Around;
use crate::report::html::{rest, text};
use crate::report::show::{float, stretch};
use crate::report::summary::{End, Output, Summary, Worker};
use crate::words::text::{count, grouped};

/// How many workers and outputs are listed.
const ROWS: usize = 200;

/// What has rows, and a word where there are more.
#[derive(Debug, Serialize)]
pub(super) struct List<T> {
    rows: Vec<T>,
    more: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct WorkerRow {
    name: String,
    starts: String,
    restarts: String,
    restarted: bool,
    end: String,
    bad: bool,
    outstanding: String,
    cpu: String,
    memory: String,
}

#[derive(Debug, Serialize)]
pub(super) struct OutputRow {
    path: String,
    sink: String,
    published: bool,
    records: String,
    size: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Fact {
    name: &'static str,
    value: String,
}

/// Lists what became of all workers.
pub(super) fn workers(summary: &Summary) -> List<WorkerRow> {
    let all = summary.tables.iter().flat_map(|table| {
        summary.workers(&table.name).into_iter().map(|worker| worker_row(&table.name, worker))
    });
    list(all, "worker")
}

fn worker_row(stage: impl std::fmt::Display, worker: &Worker) -> WorkerRow {
    let (end, bad) = match (worker.code, worker.signal) {
        (Some(code), _) => (format!("exit code {code}"), code != 0),
        (None, Some(signal)) => (format!("signal {signal}"), true),
        (None, None) => ("–".to_owned(), false),
    };
    WorkerRow {
        name: text(&format!("{stage} {}", worker.number)),
        starts: grouped(worker.starts),
        restarts: grouped(worker.restarts),
        restarted: worker.restarts > 0,
        end,
        bad,
        outstanding: grouped(worker.outstanding),
        cpu: stretch(float(worker.user_ms + worker.system_ms) / 1000.0),
        memory: ByteSize::b(worker.peak_rss).to_string(),
    }
}

/// Lists what became of all outputs.
pub(super) fn outputs(summary: &Summary) -> List<OutputRow> {
    list(summary.outputs.iter().map(output_row), "output")
}

fn output_row(output: &Output) -> OutputRow {
    let (records, bytes) = output.published.unwrap_or_default();
    OutputRow {
        path: text(&output.path),
        sink: text(output.sink.as_str()),
        published: output.published.is_some(),
        records: grouped(records),
        size: ByteSize::b(bytes).to_string(),
    }
}

/// Lists the rest.
pub(super) fn facts(summary: &Summary, end: &End<'_>, around: &Around) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    if let Some(run) = &summary.run {
        fact("run", text(run.as_str()));
    }
    if let Some(file) = &around.pipeline {
        fact("pipeline file", text(file));
    }
    fact("took", stretch(end.seconds));
    if summary.before > 0 {
        fact("read by the run before", count(summary.before, "line"));
    }
    let usage = end.finish.controller;
    let (user, system) = (stretch(usage.user_s), stretch(usage.system_s));
    fact("CPU of esteira itself", format!("{user} in user mode, {system} in the kernel"));
    fact("peak memory of esteira itself", ByteSize::b(usage.peak_rss).to_string());
    if let Some(baseline) = end.finish.baseline {
        let (entries, known) = (grouped(baseline.entries), count(baseline.known, "record"));
        let unmet = grouped(baseline.unmet);
        fact("baseline", format!("accepted {known}; {unmet} of its {entries} entries not met"));
    }
    fact("esteira", env!("CARGO_PKG_VERSION").to_owned());
    facts
}

fn list<T>(all: impl Iterator<Item = T>, noun: &str) -> List<T> {
    let mut rows: Vec<T> = all.collect();
    let more = rest(rows.len(), ROWS, noun);
    rows.truncate(ROWS);
    List { rows, more }
}
