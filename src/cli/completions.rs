//! `esteira completions`: scripts that complete commands.

use clap::CommandFactory as _;

use crate::cli::args::{Arguments, Completions};
use crate::cli::printer::Printer;
use crate::words::outcome::Exit;

/// Prints the script of a shell.
pub(super) fn completions(options: &Completions, printer: &mut Printer) -> anyhow::Result<Exit> {
    // Into memory first: the generator cannot bear a stdout whose reader is gone.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "esteira", &mut script);
    printer.out(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
