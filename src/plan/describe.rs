//! Says in a few words what a table does, for lists that people read. Environments are left out:
//! they may hold secrets.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::Path;

use crate::plan::builtin::{Algorithm, Builtin, Task};
use crate::plan::database::Relation;
use crate::plan::{Input, Output, Protocol, Reply, Sink, Source, Stage, Work, display};
use crate::words::event;
use crate::words::text::{count, escape};

/// The most that is shown of an argument vector or a list of files, in characters.
const WIDTH: usize = 80;

/// Says what a source reads.
pub fn what_source(source: &Source, caller: &Path) -> String {
    match &source.input {
        Input::Stdin { .. } => "stdin".to_owned(),
        Input::Rows(rows) => {
            let what = match &rows.relation {
                Relation::Table(name) => name.join("."),
                Relation::Query(_) => "query".to_owned(),
            };
            cut(&escape(format!("{}#{what}", rows.server.shown(caller)).as_bytes()))
        }
        Input::Generate(made) => {
            let records =
                made.count.map_or("records without end".to_owned(), |n| count(n, "record"));
            format!("{records}, made from seed {}", made.seed)
        }
        Input::Letters { path, .. } => cut(&display(caller, path)),
        Input::Files(files) => {
            let shown = files.iter().map(|file| display(caller, file));
            cut(&shown.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Says what a stage runs, quoted as a shell would have it, or does by itself.
pub fn what_stage(stage: &Stage, caller: &Path) -> String {
    cut(&match &stage.work {
        Work::Program(program) => shell_words(&program.command.argv),
        Work::Builtin(builtin) => what_task(&builtin.task, caller),
    })
}

fn what_task(task: &Task, caller: &Path) -> String {
    let list = |fields: &[String]| fields.iter().map(|field| shown(field)).collect::<Vec<_>>();
    match task {
        Task::Hash(hash) => {
            let into = hash.into.iter().map(|into| format!(" into {}", shown(into)));
            let algorithm = match hash.algorithm {
                Algorithm::Sha256(_) => "sha256",
                Algorithm::Sha512(_) => "sha512",
                Algorithm::HmacSha256(..) => "hmac-sha256",
                Algorithm::Argon2id(_) => "argon2id",
            };
            let fields = list(&hash.fields).join(", ");
            format!("{algorithm} of {fields}{}", into.collect::<String>())
        }
        Task::JsonSchema(schema) => format!("schema {}", display(caller, &schema.schema)),
        Task::Select(select) => format!("select by {}", shown(&select.field)),
        Task::Unique(unique) => format!("unique by {}", list(&unique.fields).join(", ")),
    }
}

/// Writes a JSON Pointer; the empty one is the whole record.
fn shown(pointer: &str) -> String {
    if pointer.is_empty() { "the record".to_owned() } else { escape(pointer.as_bytes()) }
}

/// Writes an argument vector, quoted as a shell would have it.
pub fn shell_words(argv: &[OsString]) -> String {
    let quoted = argv.iter().map(|argument| quote(&escape(argument.as_encoded_bytes())));
    quoted.collect::<Vec<_>>().join(" ")
}

/// Says how a stage's workers are spoken to, and how many there are; nothing for a filter.
pub fn how_stage(stage: &Stage) -> Option<String> {
    let program = match &stage.work {
        Work::Program(program) => program,
        Work::Builtin(builtin) if builtin.threads == 1 => return None,
        Work::Builtin(builtin) => return Some(count(builtin.threads.into(), "thread")),
    };
    if let Some(pieces) = stage.pieces() {
        return Some(match pieces.workers {
            1 => "per record".to_owned(),
            workers => format!("per record, {}", count(workers.into(), "worker")),
        });
    }
    let Protocol::Pool(pool) = &program.protocol else { return None };
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

/// Says who does a stage's work.
pub fn work(stage: &Stage) -> event::Work {
    let shared = |workers| {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        event::Work::Workers { workers, cores: u32::try_from(cores).unwrap_or(u32::MAX) }
    };
    match &stage.work {
        Work::Builtin(Builtin { task: Task::Unique(_), .. }) => event::Work::Alone,
        Work::Builtin(builtin) => shared(builtin.threads),
        Work::Program(program) => match &program.protocol {
            Protocol::Stream(stream) => match stream.pieces {
                Some(pieces) => shared(pieces.workers),
                None => event::Work::Filter,
            },
            Protocol::Pool(pool) => shared(pool.workers),
        },
    }
}

/// Says what a stage does and how.
pub fn whole_stage(stage: &Stage, caller: &Path) -> String {
    let what = what_stage(stage, caller);
    how_stage(stage).map_or_else(|| what.clone(), |how| format!("{what} ({how})"))
}

/// Says where a sink writes.
pub fn what_sink(sink: &Sink, caller: &Path) -> String {
    match &sink.output {
        Output::Stdout => "stdout".to_owned(),
        Output::File(path) => display(caller, path),
        Output::Table(to) => {
            let shown = format!("{}#{}", to.server.shown(caller), to.table.join("."));
            cut(&escape(shown.as_bytes()))
        }
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
