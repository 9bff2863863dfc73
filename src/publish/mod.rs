//! Output that appears whole: written to a temporary file beside its target, made durable,
//! then renamed over it. Until then the previous output stays. And files that never appear:
//! spools.

pub mod files;
#[cfg(test)]
mod model;
pub mod part;
pub mod spool;
pub mod state;
pub mod target;
