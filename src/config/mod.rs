//! What may be written in a pipeline file, and how it is read: text, `--set` and the environment
//! become a typed [`schema::Config`] in which each value knows the place it came from.
//!
//! This room judges form: syntax, keys, types, words, units. What the values mean together
//! (required keys, defaults, wiring, programs) is the business of `plan::compile`. It reads no
//! file and no environment by itself: the caller hands both in.

pub mod builtin;
pub mod database;
pub mod diagnostic;
pub mod generate;
pub mod golden;
pub mod load;
pub mod manual;
pub mod origin;
pub mod schema;
pub mod suggest;

mod expand;
mod keys;
mod read;
mod secrets;
mod set;
mod syntax;
mod tables;
mod tree;
mod values;

/// What was written: the pipeline file and the settings of the command line over it.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// The file as messages show it.
    pub name: &'a str,
    /// What it holds.
    pub text: &'a str,
    /// Each `KEY=VALUE` of `--set`, as typed.
    pub sets: &'a [String],
}

#[cfg(test)]
mod tests;
