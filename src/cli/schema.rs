//! `esteira schema`: what may be written in a pipeline file.

use crate::cli::args::{Schema, SchemaFormat};
use crate::cli::printer::Printer;
use crate::config::manual::{json_schema, page};
use crate::words::outcome::Exit;

/// Prints the schema or the reference.
pub(super) fn schema(options: &Schema, printer: &mut Printer) -> anyhow::Result<Exit> {
    printer.out(&match options.format {
        SchemaFormat::Json => json_schema(),
        SchemaFormat::Markdown => page(),
    })?;
    Ok(Exit::Ok)
}
