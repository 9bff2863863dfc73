//! A filter that keeps nothing from line to line (`per_record`): its input is cut into pieces.

pub mod cut;
pub mod queue;
