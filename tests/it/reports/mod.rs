//! Reports of runs: what they say, and that nothing in them is more than text.

mod baseline;
mod browser;
mod formats;
mod hostile;
mod readers;
mod terminal;
