//! What to try next where the command line cannot be read.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Puts better hints in the place of those that would lead astray.
pub(super) fn explain(mut error: clap::Error) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let hint = match error.kind() {
        ErrorKind::UnknownArgument
            if text(ContextKind::InvalidArg).starts_with('-') && !is_of("doctor", &error) =>
        {
            None
        }
        ErrorKind::UnknownArgument if is_of("doctor", &error) => {
            Some("a program stands behind `--`, as in `esteira doctor -- jq -c .`".to_owned())
        }
        ErrorKind::UnknownArgument if !is_of("pipe", &error) => return error,
        // A pattern that the shell filled in comes here too.
        ErrorKind::UnknownArgument => Some(
            "a program and its arguments stand behind `--`, as in `esteira pipe -i IN -o OUT -- \
             jq -c .`; a pattern stands in quotes, as in `-i 'data/*.ndjson'`"
                .to_owned(),
        ),
        ErrorKind::InvalidSubcommand => {
            let typed = text(ContextKind::InvalidSubcommand);
            let is_file = std::path::Path::new(&typed).extension().is_some();
            if !is_file {
                return error;
            }
            Some(format!("`esteira run {typed}` runs a pipeline file"))
        }
        _ => return error,
    };
    // Clap's own would make an option that was misspelled the program to run.
    error.remove(ContextKind::Suggested);
    if let Some(hint) = hint {
        let hint = ContextValue::StyledStrs(vec![StyledStr::from(hint)]);
        error.insert(ContextKind::Suggested, hint);
    }
    error
}

fn is_of(verb: &str, error: &clap::Error) -> bool {
    matches!(error.get(ContextKind::Usage), Some(ContextValue::StyledStr(usage))
        if usage.to_string().contains(&format!("esteira {verb}")))
}
