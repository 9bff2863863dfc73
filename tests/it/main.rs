//! The program as its users run it: real files, real children, real signals.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests start programs and look at their environment"
)]

mod harness;

mod belt;
mod builtin;
mod data;
mod databases;
mod docs;
mod doctor;
mod ends;
mod generate;
mod graphs;
mod languages;
mod layout;
mod packed;
mod pieces;
mod pipelines;
mod pools;
mod replay;
mod reports;
mod resume;
mod storage;
mod text;
mod time;
mod verbs;
mod workers;
