//! Belts that branch and join.

mod cases;
mod faults;
mod model;
mod random;
mod whole;
