//! Reports of real runs, read by what they are made for.

mod browser;
