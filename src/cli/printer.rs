//! Where text goes: data and what was asked for to stdout, all else to stderr. A stream whose
//! reader is gone is silent from then on, and fails nothing.

use std::io::{self, IsTerminal as _, Write as _};

use crate::cli::world;
use crate::words::outcome::{Exit, Failure};

/// The standard streams, as far as people read them.
#[derive(Debug)]
pub(super) struct Printer {
    stdout: io::Stdout,
    stderr: io::Stderr,
    /// Whether stdout and stderr show colour.
    color: [bool; 2],
}

impl Printer {
    /// Looks at the terminal and the environment.
    pub(super) fn new() -> Self {
        Self { stdout: io::stdout(), stderr: io::stderr(), color: wants_color() }
    }

    /// Tells whether stderr shows colour.
    pub(super) fn color(&self) -> bool {
        self.color[1]
    }

    /// Tells whether stdout does.
    pub(super) fn color_out(&self) -> bool {
        self.color[0]
    }

    /// Writes what was asked for. Where nobody reads it, nobody misses it.
    pub(super) fn out(&mut self, text: &str) -> Result<(), Failure> {
        match self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::World, format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes what people should know.
    pub(super) fn err(&mut self, text: &str) {
        self.stderr.write_all(text.as_bytes()).ok();
    }
}

fn wants_color() -> [bool; 2] {
    let set = |name: &str| world::variable(name).is_some_and(|value| !value.is_empty());
    if set("NO_COLOR") {
        return [false; 2];
    }
    if set("FORCE_COLOR") || set("CLICOLOR_FORCE") {
        return [true; 2];
    }
    let dumb = world::variable("TERM").is_some_and(|term| term == "dumb");
    [io::stdout().is_terminal(), io::stderr().is_terminal()].map(|seen| seen && !dumb)
}
