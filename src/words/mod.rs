//! The words every room shares: plain data and pure rules, no I/O.

pub mod baseline;
pub mod belt;
pub mod buffer;
pub mod clock;
pub mod dead_letter;
pub mod event;
pub mod fields;
pub mod frame;
#[cfg(test)]
pub mod fuzz;
pub mod gather;
pub mod gauge;
pub mod id;
pub mod kinds;
pub mod ledger;
pub mod letters;
pub mod marks;
pub mod outcome;
pub mod packing;
pub mod policy;
pub mod record;
pub mod register;
pub mod returned;
pub mod sample;
pub mod tested;
pub mod text;
#[cfg(test)]
pub mod trials;
pub mod units;
