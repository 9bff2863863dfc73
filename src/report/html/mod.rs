//! `--report html=PATH`: one page that is complete in itself, for who opens it after a run.
//!
//! All foreign text goes through `show` and then through the template, which escapes it. Marked as
//! safe are only what lies in this folder and the charts; and the page forbids all else to run.

mod charts;
mod facts;
mod flow;
mod rejects;
mod samples;
#[cfg(test)]
mod tests;
mod time;
mod verdict;

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::report::findings::{Around, Check, checks};
use crate::report::show::{excerpt, size};
use crate::report::summary::{End, Summary};
use crate::words::text::count;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// How many tables there are cards of.
const TABLES: usize = 100;

#[derive(Debug, Serialize)]
struct Page<'a> {
    pipeline: String,
    version: &'static str,
    policy: String,
    css: Value,
    js: Value,
    verdict: verdict::Verdict,
    figures: Vec<verdict::Figure>,
    flow: flow::Flow,
    ledger: flow::Sheet,
    rejects: Option<rejects::Rejects>,
    samples: samples::Samples<'a>,
    time: time::Time,
    rates: time::Rates,
    workers: facts::List<facts::WorkerRow>,
    outputs: facts::List<facts::OutputRow>,
    facts: Vec<facts::Fact>,
}

/// Writes the report.
pub(super) fn render(summary: &Summary, end: &End<'_>, around: &Around) -> io::Result<Vec<u8>> {
    let checks = checks(summary, end);
    let page = page(summary, end, around, &checks).map_err(io::Error::other)?;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(io::Error::other)?);
    // By its name's end the library knows what is to be escaped, and how.
    let text = environment
        .render_named_str("page.html", TEMPLATE, context! { page => Serde(page) })
        .map_err(io::Error::other)?;
    Ok(text.into_bytes())
}

fn page<'a>(
    summary: &Summary,
    end: &End<'_>,
    around: &Around,
    checks: &'a [Check<'_>],
) -> charts_rs::Result<Page<'a>> {
    Ok(Page {
        pipeline: text(&summary.pipeline),
        version: env!("CARGO_PKG_VERSION"),
        policy: policy(),
        css: Value::from_safe_string(STYLE.to_owned()),
        js: Value::from_safe_string(SCRIPT.to_owned()),
        verdict: verdict::verdict(end),
        figures: verdict::figures(summary, end),
        flow: flow::flow(summary, end),
        ledger: flow::ledger(summary, end),
        rejects: rejects::rejects(end)?,
        samples: samples::samples(checks),
        time: time::time(summary, end)?,
        rates: time::rates(summary, end)?,
        workers: facts::workers(summary),
        outputs: facts::outputs(summary),
        facts: facts::facts(summary, end, around),
    })
}

/// Says what the page may do: show itself, with its own style and script, and nothing else.
fn policy() -> String {
    let of = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let (style, script) = (of(STYLE), of(SCRIPT));
    format!(
        "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
    )
}

/// Returns the beginning of a foreign text, fit to be shown.
fn text(foreign: &str) -> String {
    excerpt(foreign)
}

/// Says how many there are behind those that are shown, if any.
fn rest(all: usize, shown: usize, noun: &str) -> Option<String> {
    let more = all.saturating_sub(shown);
    (more > 0)
        .then(|| format!("And {}, not shown here.", count(size(more), &format!("more {noun}"))))
}
