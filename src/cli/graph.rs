//! `esteira graph`: who feeds whom.

use crate::cli::args::{Drawing, Graph};
use crate::cli::printer::Printer;
use crate::cli::run::plan;
use crate::plan::drawing::{mermaid, text};
use crate::words::ledger::Edge;
use crate::words::outcome::Exit;

/// Draws.
pub(super) fn graph(options: &Graph, printer: &mut Printer) -> anyhow::Result<Exit> {
    match plan(&options.pipeline, &options.pipeline.sets)? {
        Ok(plan) => {
            let waits =
                |edge: &Edge| plan.spooled.contains(edge).then_some("kept in a file till then");
            printer.out(&match options.format {
                Drawing::Text => text(&plan, &waits),
                Drawing::Mermaid => mermaid(&plan, &waits),
            })?;
            Ok(Exit::Ok)
        }
        Err(diagnostics) => {
            printer.err(&diagnostics.render(printer.color()));
            Ok(Exit::Config)
        }
    }
}
