//! Says in a few words what a table does, for lists that people read. Environments are left out:
//! they may hold secrets.

use std::ffi::OsString;
use std::path::Path;

use crate::plan::{Input, Output, Protocol, Reply, Sink, Source, Stage, display};
use crate::words::text::{count, escape};

/// The most that is shown of an argument vector or a list of files, in characters.
const WIDTH: usize = 80;

/// Says what a source reads.
pub fn what_source(source: &Source, caller: &Path) -> String {
    match &source.input {
        Input::Stdin => "stdin".to_owned(),
        Input::Files(files) => {
            let shown = files.iter().map(|file| display(caller, file));
            cut(&shown.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Says what a stage runs, quoted as a shell would have it.
pub fn what_stage(stage: &Stage) -> String {
    cut(&shell_words(&stage.command.argv))
}

/// Writes an argument vector, quoted as a shell would have it.
pub fn shell_words(argv: &[OsString]) -> String {
    let quoted = argv.iter().map(|argument| quote(&escape(argument.as_encoded_bytes())));
    quoted.collect::<Vec<_>>().join(" ")
}

/// Says how a stage's workers are spoken to, and how many there are; nothing for a filter.
pub fn how_stage(stage: &Stage) -> Option<String> {
    let Protocol::Pool(pool) = &stage.protocol else { return None };
    let protocol = match pool.reply {
        Reply::Lines { .. } => "lines",
        Reply::Records { .. } => "records",
        Reply::Command { .. } => "command",
    };
    Some(match pool.workers {
        1 => protocol.to_owned(),
        workers => format!("{protocol}, {}", count(workers.into(), "worker")),
    })
}

/// Says where a sink writes.
pub fn what_sink(sink: &Sink, caller: &Path) -> String {
    match &sink.output {
        Output::Stdout => "stdout".to_owned(),
        Output::File(path) => display(caller, path),
    }
}

fn quote(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{cut, quote};

    #[test]
    fn arguments_are_quoted_where_a_shell_would_need_it() {
        for (argument, shown) in [
            ("jq", "jq"),
            ("./a-b_c.py", "./a-b_c.py"),
            ("", "''"),
            ("select(.a)", "'select(.a)'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quote(argument), shown);
        }
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }
}
