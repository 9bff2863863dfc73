//! No file may be written by two, or be read and written, and no standard stream be used by two:
//! seen before anything is opened.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::config::diagnostic::{Diagnostic, Diagnostics};
use crate::config::origin::{Located, Origin};
use crate::config::schema::{Body, Config, SinkKind, SourceKind};
use crate::plan::compile::Scope;
use crate::plan::compile::letters::output_of;
use crate::plan::compile::paths::{self, Use};
use crate::plan::database::Server;
use crate::plan::{Input, Output, Plan};

type Written<'a> = &'a Located<PathBuf>;

/// Reports every output that another output or an input is the same file as.
pub(super) fn check(scope: &Scope<'_>, out: &mut Diagnostics) {
    streams(scope.config, out);
    let Ok(root) = scope.root() else { return };
    let mut seen: HashMap<PathBuf, Written<'_>> = HashMap::new();
    for (key, output) in outputs(scope.config) {
        if paths::fault(key, output, Use::Output).is_some() {
            continue;
        }
        let target = paths::under(root, &output.value);
        let identity = paths::identity(&target);
        if let Some(other) = seen.get(&identity) {
            out.push(twice(output, other));
            continue;
        }
        let mut inputs = inputs(scope.config);
        if let Some(input) = inputs.find(|input| reads(root, input, &target, &identity)) {
            out.push(both(output, input));
        }
        seen.insert(identity, output);
    }
}

/// Reports a second source that reads stdin, and a second sink that writes to stdout: the one
/// would take lines away from the other, or break them up.
fn streams(config: &Config, out: &mut Diagnostics) {
    let stdin = config.tables.iter().filter_map(|table| match &table.body {
        Body::Source(source) => source.kind.given().filter(|kind| kind.value == SourceKind::Stdin),
        _ => None,
    });
    let stdout = config.tables.iter().filter_map(|table| match &table.body {
        Body::Sink(sink) => sink.kind.given().filter(|kind| kind.value == SinkKind::Stdout),
        _ => None,
    });
    let stdin: Vec<Origin> = stdin.map(|kind| kind.origin).collect();
    let stdout: Vec<Origin> = stdout.map(|kind| kind.origin).collect();
    let both = [
        ("two sources read stdin", stdin, "let both branches take from one source"),
        ("two sinks write to stdout", stdout, "let one sink take both: `inputs = [\"A\", \"B\"]`"),
    ];
    for (what, origins, hint) in both {
        if let [first, second, ..] = *origins {
            let mistake = Diagnostic::new(what).at(second, "").at(first, "the first of them");
            out.push(mistake.hint(hint));
        }
    }
}

/// All files that are written, in file order.
fn outputs(config: &Config) -> impl Iterator<Item = (&'static str, Written<'_>)> {
    let tables = config.tables.iter().flat_map(|table| {
        let path = match &table.body {
            Body::Sink(sink) => sink.path.given(),
            Body::Source(_) | Body::Stage(_) | Body::Builtin(_) => None,
        };
        let output = output_of(table).given();
        let rejects = table.rules.rejects.given();
        [("path", path), ("output", output), ("rejects", rejects)]
    });
    let common = ("rejects", config.pipeline.rules.rejects.given());
    let all = std::iter::once(common).chain(tables);
    all.filter_map(|(key, path)| path.map(|path| (key, path)))
}

fn inputs(config: &Config) -> impl Iterator<Item = Written<'_>> {
    let read = config.tables.iter().map(|table| match &table.body {
        Body::Source(source) => match source.rows.as_ref().and_then(|r| r.server.path.given()) {
            Some(path) => std::slice::from_ref(path),
            None => source.path.value().map_or(&[][..], Vec::as_slice),
        },
        Body::Builtin(builtin) => builtin.read().map_or(&[][..], std::slice::from_ref),
        Body::Stage(_) | Body::Sink(_) => &[],
    });
    read.flatten()
}

/// Tells whether an input is, or its pattern matches, the file that an output writes.
fn reads(root: &Path, input: Written<'_>, target: &Path, identity: &Path) -> bool {
    if !paths::is_pattern(root, &input.value) {
        return paths::identity(&paths::under(root, &input.value)) == identity;
    }
    let Ok(pattern) = paths::pattern(root, &input.value) else { return false };
    // A hard link of an input may be written: the new file takes the place of that name only.
    let is_target =
        |found: PathBuf| paths::one_file(&found, target) && paths::identity(&found) == identity;
    would_match(&pattern, target, identity) || paths::matched(&pattern).any(is_target)
}

/// Tells whether a pattern would match a file that is not there yet, by either of its names.
fn would_match(pattern: &Path, path: &Path, identity: &Path) -> bool {
    let options =
        glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let pattern = pattern.to_str().and_then(|pattern| glob::Pattern::new(pattern).ok());
    pattern.is_some_and(|pattern| {
        [path, identity].iter().any(|path| pattern.matches_path_with(path, options))
    })
}

/// Tells whether a plan reads or writes a file. Pipes and devices may be used by several.
pub(super) fn touches(plan: &Plan, path: &Path) -> bool {
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return false;
    }
    let identity = paths::identity(path);
    let written = plan.sinks.iter().any(|sink| match &sink.output {
        Output::File(output) => paths::one_file(output, path),
        Output::Stdout => false,
        Output::Table(to) => is_file(&to.server, path),
    });
    let files = plan.sources.iter().flat_map(|source| match &source.input {
        Input::Files(files) => files.as_slice(),
        Input::Stdin { .. } | Input::Generate(_) => &[],
        Input::Rows(rows) => match &rows.server {
            Server::Sqlite(sqlite) => std::slice::from_ref(&sqlite.path),
            Server::Postgres(_) => &[],
        },
        Input::Letters { path, .. } => std::slice::from_ref(path),
    });
    written || files.into_iter().any(|file| is_or_matches(file, path, &identity))
}

fn is_or_matches(file: &Path, path: &Path, identity: &Path) -> bool {
    if paths::is_pattern(Path::new("/"), file) {
        return would_match(file, path, identity)
            || paths::matched(file).any(|found| paths::one_file(&found, path));
    }
    paths::one_file(file, path)
}

fn is_file(server: &Server, path: &Path) -> bool {
    matches!(server, Server::Sqlite(sqlite) if paths::one_file(&sqlite.path, path))
}

/// Tells whether two paths are of one file.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    one == other || paths::one_file(one, other)
}

fn twice(output: Written<'_>, other: Written<'_>) -> Diagnostic {
    let path = output.shown_path();
    Diagnostic::new(format!("two outputs are the same file: `{path}`"))
        .at(output.origin, "")
        .at(other.origin, "the first of them")
        .hint("give each a file of its own")
}

fn both(output: Written<'_>, input: Written<'_>) -> Diagnostic {
    let path = output.shown_path();
    Diagnostic::new(format!("an output is among the inputs: `{path}`"))
        .at(output.origin, "")
        .at(input.origin, "read here")
        .hint("write it elsewhere: the next run would read what this one wrote")
}
