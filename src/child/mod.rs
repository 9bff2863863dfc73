//! One process and its descendants; knows no stage.
//!
//! A worker runs under a guard: this same program in a session of its own, which reports the
//! worker's end, kills what the worker leaves behind, and kills everything when the controller
//! is gone. The controller talks to a guard through a socket and to the worker through pipes.

pub mod guard;
pub mod nursery;
pub mod proc;
pub mod pump;
pub mod spawn;
pub mod stop;
pub mod sys;
