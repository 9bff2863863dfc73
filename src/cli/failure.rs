//! The one place where an error becomes text: what, why, and what to try next.

use std::fmt::Write as _;

use crate::cli::printer::Printer;
use crate::words::outcome::Failure;
use crate::words::text::shown;

/// Shows an error with its causes and hints.
pub(super) fn show(error: &anyhow::Error, printer: &mut Printer) {
    let mut text = format!("esteira: error: {}\n", shown(error.to_string()));
    for cause in error.chain().skip(1) {
        // Writing to a String cannot fail.
        writeln!(text, "  because: {}", shown(cause.to_string())).ok();
    }
    if let Some(failure) = error.downcast_ref::<Failure>() {
        for hint in &failure.hints {
            writeln!(text, "  hint: {}", shown(hint)).ok();
        }
    }
    printer.err(&text);
}
