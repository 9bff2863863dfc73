//! Which files a run reads and which it writes: what `--depfile` tells, and what `facts` looks into.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::plan::builtin::{Algorithm, Task};
use crate::plan::database::Server;
use crate::plan::{Command, Input, Output, Plan, Work};
use crate::source::file::expand;

/// Lists the files that results depend on, beside the pipeline file: input, programs that are
/// named by a path, what programs are given, schemas, keys, what is watched. All are absolute, and
/// were there.
pub fn needs(plan: &Plan) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for source in &plan.sources {
        match &source.input {
            // What cannot be found fails the run, which says so.
            Input::Files(paths) => found.extend(
                paths.iter().flat_map(|path| expand(path, &plan.caller).unwrap_or_default()),
            ),
            Input::Rows(rows) => found.extend(file_of(&rows.server)),
            Input::Letters { path, .. } => found.push(path.clone()),
            Input::Stdin { .. } | Input::Generate(_) => {}
        }
    }
    for stage in &plan.stages {
        match &stage.work {
            Work::Program(program) => {
                let command = &program.command;
                let named = command.argv.first().is_some_and(|name| is_path(name.as_ref()));
                let own = command.program.starts_with(&command.folder);
                found.extend((named || own).then(|| command.program.clone()));
                found.extend(arguments(command));
            }
            Work::Builtin(builtin) => match &builtin.task {
                Task::Hash(hash) => {
                    if let Algorithm::HmacSha256(key, _) = &hash.algorithm {
                        found.extend(key.file.clone());
                    }
                }
                Task::JsonSchema(schema) => found.extend(schema_files(&schema.schema)),
                Task::Select(_) | Task::Unique(_) => {}
            },
        }
    }
    found.extend(plan.watch.iter().flat_map(|pattern| matches(pattern)));
    let mut seen = BTreeSet::new();
    found.retain(|path| path.is_file() && seen.insert(path.clone()));
    found
}

/// Lists the files that a run writes, dead letters included; pipes and devices are none.
pub fn outputs(plan: &Plan) -> Vec<PathBuf> {
    let files = plan.sinks.iter().filter_map(|sink| match &sink.output {
        Output::File(path) => Some(path.clone()),
        Output::Table(target) => file_of(&target.server),
        Output::Stdout => None,
    });
    let mut seen = BTreeSet::new();
    let is_new = |path: &PathBuf| seen.insert(path.clone());
    files
        .filter(|path| path.metadata().map_or(true, |found| found.is_file()))
        .filter(is_new)
        .collect()
}

fn file_of(server: &Server) -> Option<PathBuf> {
    match server {
        Server::Sqlite(sqlite) => Some(sqlite.path.clone()),
        Server::Postgres(_) => None,
    }
}

fn is_path(name: &Path) -> bool {
    name.components().nth(1).is_some()
}

/// Finds the files that a program is given by name.
pub(super) fn arguments(command: &Command) -> impl Iterator<Item = PathBuf> {
    let paths = command.argv.iter().skip(1).map(|argument| command.folder.join(argument));
    paths.filter(|path| path.is_file())
}

/// Finds the files that a pattern matches now.
pub(super) fn matches(pattern: &Path) -> Vec<PathBuf> {
    let found = pattern.to_str().and_then(|pattern| glob::glob(pattern).ok());
    found.into_iter().flatten().filter_map(Result::ok).filter(|path| path.is_file()).collect()
}

/// Finds the files that a schema is made of: itself, and those that its `$ref`s lead to.
pub(super) fn schema_files(schema: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    follow(schema, &mut found);
    found
}

fn follow(path: &Path, found: &mut BTreeSet<PathBuf>) {
    if !path.is_file() || !found.insert(path.to_owned()) {
        return;
    }
    let text = fs::read(path).unwrap_or_default();
    // One that is no JSON text is refused when its stage starts.
    let Ok(schema) = serde_json::from_slice::<Value>(&text) else { return };
    let mut values = vec![&schema];
    while let Some(value) = values.pop() {
        match value {
            Value::Array(items) => values.extend(items),
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    let file = to.split('#').next().unwrap_or_default();
                    let file = file.rsplit_once("://").map_or(file, |(_, rest)| {
                        rest.rsplit_once('/').map_or(rest, |(_, last)| last)
                    });
                    if !file.is_empty() {
                        let folder = path.parent().unwrap_or(Path::new("/"));
                        follow(&folder.join(file), found);
                    }
                }
                values.extend(members.values());
            }
            _ => {}
        }
    }
}
