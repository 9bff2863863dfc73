//! esteira streams NDJSON through programs in any language and accounts for every record.
//!
//! The modules, in the order a record meets them:
//!
//! - [`cli`]: what the user typed becomes a plan; what the run tells becomes text.
//! - [`config`]: a pipeline as written, with every mistake underlined.
//! - [`plan`]: what it means: complete, absolute, nothing left open.
//! - [`run`]: open, wire, start, supervise, finish.
//! - [`source`]: where records come from.
//! - [`json`]: is this line one JSON text?
//! - [`stage`]: what records go through.
//! - [`child`]: one process and its descendants.
//! - [`sink`]: where records end.
//! - [`database`]: connections to databases, for sources and sinks.
//! - [`publish`]: output that appears whole, or not at all.
//! - [`report`]: listeners that read what the run tells.
//! - [`words`]: what all of them share.

#[cfg(windows)]
compile_error!("esteira needs process groups, sessions and signals: on Windows, build it in WSL");

pub mod child;
pub mod cli;
pub mod config;
pub mod database;
pub mod json;
pub mod plan;
pub mod publish;
pub mod report;
pub mod run;
pub mod sink;
pub mod source;
pub mod stage;
pub mod words;
