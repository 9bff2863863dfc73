//! `esteira graph`: who feeds whom.

use crate::cli::args::{Drawing, Graph};
use crate::cli::printer::Printer;
use crate::cli::run::plan;
use crate::plan::drawing::{mermaid, text};
use crate::words::outcome::Exit;

/// Draws.
pub(super) fn graph(options: &Graph, printer: &mut Printer) -> anyhow::Result<Exit> {
    match plan(&options.pipeline, &options.pipeline.sets)? {
        Ok(plan) => {
            printer.out(&match options.format {
                Drawing::Text => text(&plan, &|_| None),
                Drawing::Mermaid => mermaid(&plan, &|_| None),
            });
            Ok(Exit::Ok)
        }
        Err(diagnostics) => {
            printer.err(&diagnostics.render(printer.color()));
            Ok(Exit::Config)
        }
    }
}
