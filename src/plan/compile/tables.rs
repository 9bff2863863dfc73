//! Compiles sources and sinks: required keys, defaults, paths.

use std::path::PathBuf;

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::{Located, Origin};
use crate::config::schema::{self, Body, Setting, SinkKind, SourceKind, Table};
use crate::plan::compile::paths::{self, Use};
use crate::plan::compile::{Scope, builtin, database, generate, rules, stage};
use crate::plan::{Input, Output, Sink, Source, Stage, Tolerance, Unpack};
use crate::words::id::Name;
use crate::words::policy::{Check, OnReject, Publish};
use crate::words::units::Limit;

/// The longest line where `max_record` is left out.
pub(super) const MAX_RECORD: usize = 16 << 20;

/// What a packed file may hold where `max_unpacked` and `max_ratio` are left out. Records are
/// packed to a fifth or a hundredth; a million equal lines by gzip to a 300th, and zeros, which
/// are what bombs are made of, to a thousandth.
const UNPACK: Unpack = Unpack { most: 1 << 40, ratio: 500 };

/// A compiled table.
pub(super) enum Piece {
    /// Where records come from.
    Source(Source),
    /// What they go through.
    Stage(Box<Stage>),
    /// Where they end.
    Sink(Sink),
}

impl Piece {
    /// Returns the table's name.
    pub(super) fn name(&self) -> &Name {
        match self {
            Self::Source(source) => &source.name,
            Self::Stage(stage) => &stage.name,
            Self::Sink(sink) => &sink.name,
        }
    }

    /// Lets any number of rejects pass, where nobody said how many.
    pub(super) fn allow_all(&mut self) {
        let tolerance = match self {
            Self::Source(source) => &mut source.tolerance,
            Self::Stage(stage) => &mut stage.tolerance,
            Self::Sink(sink) => &mut sink.tolerance,
        };
        if tolerance.on_reject == OnReject::Continue {
            tolerance.max_rejects.get_or_insert(Limit::ALL);
        }
    }
}

/// Compiles a table.
pub(super) fn piece(
    scope: &Scope<'_>,
    table: &Table,
    out: &mut Diagnostics,
) -> Result<Piece, Reported> {
    let tolerance = rules::tolerance(&table.rules, &scope.config.pipeline.rules, out);
    match &table.body {
        Body::Source(written) => source(scope, table, written, tolerance, out),
        Body::Stage(written) => {
            let stage = stage::compile(scope, table, written, tolerance, out)?;
            Ok(Piece::Stage(Box::new(stage)))
        }
        Body::Builtin(written) => {
            let stage = builtin::compile(scope, table, written, tolerance, out)?;
            Ok(Piece::Stage(Box::new(stage)))
        }
        Body::Sink(written) => sink(scope, table, written, tolerance, out),
    }
}

fn source(
    scope: &Scope<'_>,
    table: &Table,
    written: &schema::Source,
    tolerance: Tolerance,
    out: &mut Diagnostics,
) -> Result<Piece, Reported> {
    let takes = "`file`, `stdin`, `generate`, `sqlite` or `postgres`";
    let kind = required(table, ("type", &written.kind), takes, out)?;
    strangers(written, kind.value, out);
    let input = match kind.value {
        SourceKind::Stdin => Input::Stdin { spool: written.spool.or(false) },
        SourceKind::Generate => Input::Generate(generate::compile(&written.generate, out)?),
        SourceKind::File => {
            let takes = "the files to read";
            let path = required(table, ("path", &written.path), takes, out)?;
            Input::Files(inputs(scope, &path.value, out)?)
        }
        SourceKind::Sqlite | SourceKind::Postgres => {
            let kind = match kind.value {
                SourceKind::Postgres => database::Kind::Postgres,
                _ => database::Kind::Sqlite,
            };
            let rows = written.rows.as_deref().cloned().unwrap_or_default();
            Input::Rows(Box::new(database::rows(scope, table, (kind, &rows), out)?))
        }
    };
    Ok(Piece::Source(Source {
        name: table.name.value.clone(),
        input,
        check: written.check.or(Check::Json),
        max_record: written.max_record.or(MAX_RECORD),
        unpack: Unpack {
            most: written.max_unpacked.or(UNPACK.most),
            ratio: written.max_ratio.or(UNPACK.ratio),
        },
        tolerance,
    }))
}

/// Reports keys that go with another kind of source.
fn strangers(written: &schema::Source, kind: SourceKind, out: &mut Diagnostics) {
    use SourceKind::{File, Generate, Stdin};
    let made = &written.generate;
    let keys = [
        ("path", at(&written.path), File),
        ("max_unpacked", at(&written.max_unpacked), File),
        ("max_ratio", at(&written.max_ratio), File),
        ("spool", at(&written.spool), Stdin),
        ("count", at(&made.count), Generate),
        ("seed", at(&made.seed), Generate),
        ("locale", at(&made.locale), Generate),
        ("dirt", at(&made.dirt), Generate),
        ("fields", at(&made.fields), Generate),
    ];
    for (key, at, goes_with) in keys {
        let Some(at) = at.filter(|_| kind != goes_with) else { continue };
        let (word, why) = match (goes_with, kind) {
            (File, _) => ("file", ""),
            (Stdin, File) => ("stdin", "files can be read again"),
            (Stdin, _) => ("stdin", "what is made can be made again"),
            (_, _) => ("generate", ""),
        };
        out.push(only_with(key, word).at(at, why));
    }
}

fn at<T>(setting: &Setting<T>) -> Option<Origin> {
    setting.given().map(|given| given.origin)
}

fn only_with(key: &str, word: &str) -> Diagnostic {
    Diagnostic::new(format!("`{key}` goes with `type = \"{word}\"` only"))
}

/// Makes paths and patterns absolute.
pub(super) fn inputs(
    scope: &Scope<'_>,
    written: &[Located<PathBuf>],
    out: &mut Diagnostics,
) -> Result<Vec<PathBuf>, Reported> {
    let mut found = Vec::with_capacity(written.len());
    let mut wrong = None;
    for path in written {
        match input(scope, path, out) {
            Ok(input) => found.push(input),
            Err(reported) => wrong = Some(reported),
        }
    }
    wrong.map_or(Ok(found), Err)
}

fn input(
    scope: &Scope<'_>,
    path: &Located<PathBuf>,
    out: &mut Diagnostics,
) -> Result<PathBuf, Reported> {
    if let Some(fault) = paths::fault("path", path, Use::Input) {
        return Err(out.push(fault));
    }
    let root = scope.root()?;
    if !paths::is_pattern(root, &path.value) {
        return Ok(paths::under(root, &path.value));
    }
    paths::pattern(root, &path.value).map_err(|error| {
        let mistake = Diagnostic::new("invalid pattern in `path`");
        out.push(mistake.at(path.origin, error.msg).hint("`[*]` stands for a plain `*`"))
    })
}

fn sink(
    scope: &Scope<'_>,
    table: &Table,
    written: &schema::Sink,
    tolerance: Tolerance,
    out: &mut Diagnostics,
) -> Result<Piece, Reported> {
    let kind =
        required(table, ("type", &written.kind), "`file`, `stdout`, `sqlite` or `postgres`", out)?;
    let output = match kind.value {
        SinkKind::Stdout => {
            for (key, at) in [("path", at(&written.path)), ("publish", at(&written.publish))] {
                at.map(|at| out.push(only_with(key, "file").at(at, "")));
            }
            Output::Stdout
        }
        SinkKind::File => {
            let takes = "the file to write";
            let path = required(table, ("path", &written.path), takes, out)?;
            Output::File(target(scope, "path", path, out)?)
        }
        SinkKind::Sqlite | SinkKind::Postgres => {
            let kind = match kind.value {
                SinkKind::Postgres => database::Kind::Postgres,
                _ => database::Kind::Sqlite,
            };
            let written = written.target.as_deref().cloned().unwrap_or_default();
            Output::Table(Box::new(database::target(scope, table, (kind, &written), out)?))
        }
    };
    Ok(Piece::Sink(Sink {
        name: table.name.value.clone(),
        output,
        publish: written.publish.or(Publish::Gate),
        letters: false,
        tolerance,
    }))
}

/// Makes the path of an output absolute.
pub(super) fn target(
    scope: &Scope<'_>,
    key: &str,
    path: &Located<PathBuf>,
    out: &mut Diagnostics,
) -> Result<PathBuf, Reported> {
    match paths::fault(key, path, Use::Output) {
        Some(fault) => Err(out.push(fault)),
        None => Ok(paths::under(scope.root()?, &path.value)),
    }
}

/// Returns what must be there.
pub(super) fn required<'a, T>(
    table: &Table,
    (key, setting): (&str, &'a Setting<T>),
    takes: &str,
    out: &mut Diagnostics,
) -> Result<&'a Located<T>, Reported> {
    match setting {
        Setting::Given(located) => Ok(located),
        Setting::Unreadable(reported) => Err(*reported),
        Setting::LeftOut => {
            let noun = match table.body {
                Body::Source(_) => "source",
                Body::Stage(_) | Body::Builtin(_) => "stage",
                Body::Sink(_) => "sink",
            };
            let name = &table.name;
            let mistake = Diagnostic::new(format!("{noun} `{}` has no `{key}`", name.value));
            Err(out.push(mistake.at(name.origin, "").hint(format!("`{key}` takes {takes}"))))
        }
    }
}
