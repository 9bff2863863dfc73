//! From what was written to what it means: a whole [`Plan`], or all mistakes at once.
//!
//! It looks around (programs, folders) and changes nothing. Mistakes of form arrive inside the
//! [`Config`] and leave together with those found here.

mod builtin;
mod checked;
mod clash;
mod database;
mod endless;
mod environment;
mod generate;
mod golden;
mod key;
mod letters;
mod paths;
mod program;
mod protocol;
mod rules;
mod stage;
mod tables;
mod wiring;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::Located;
use crate::config::schema::Config;
use crate::plan::Plan;
use crate::plan::compile::letters::Aside;
use crate::plan::compile::tables::Piece;
use crate::plan::golden::Case;
use crate::plan::graph::{Graph, Link};
use crate::words::ledger::Edge;
use crate::words::text::escape;
use crate::words::units::Limit;

/// What a pipeline file's meaning depends on beside its text.
#[derive(Clone)]
pub struct World {
    /// The folder that the pipeline file lies in, or the caller's for `pipe`; absolute.
    pub root_default: PathBuf,
    /// The folder that the caller stands in; absolute.
    pub caller: PathBuf,
    /// The caller's environment.
    pub env: Vec<(OsString, OsString)>,
}

/// What all tables are compiled against.
struct Scope<'a> {
    config: &'a Config,
    world: &'a World,
    /// The pipeline's name.
    name: String,
    /// The folder that paths are relative to, if it is there.
    root: Result<PathBuf, Reported>,
}

/// That something is wrong, which was reported.
struct Wrong;

impl<'a> Scope<'a> {
    fn new(config: &'a Config, world: &'a World, out: &mut Diagnostics) -> Self {
        let root = paths::root(&config.pipeline.root, &world.root_default, out);
        Self { config, world, name: name(config, out), root }
    }

    fn root(&self) -> Result<&PathBuf, Reported> {
        self.root.as_ref().map_err(|reported| *reported)
    }
}

/// Compiles what was written. Of tests only mistakes of form are told: who runs a pipeline need
/// not have their files.
pub fn compile(config: &Config, world: &World) -> Result<Plan, Diagnostics> {
    let mut out = config.mistakes().clone();
    let scope = Scope::new(config, world, &mut out);
    plan(&scope, &mut out).map_err(|_| out)
}

/// Compiles what was written, and the tests of it.
pub fn with_tests(config: &Config, world: &World) -> Result<(Plan, Vec<Case>), Diagnostics> {
    let mut out = config.mistakes().clone();
    let scope = Scope::new(config, world, &mut out);
    let cases = golden::cases(&scope, &mut out);
    match (plan(&scope, &mut out), cases) {
        (Ok(plan), Ok(cases)) => Ok((plan, cases)),
        _ => Err(out),
    }
}

/// Makes the plan if nothing at all is wrong.
fn plan(scope: &Scope<'_>, out: &mut Diagnostics) -> Result<Plan, Wrong> {
    let config = scope.config;
    rules::check_pipeline(&config.pipeline.rules, out);
    let pieces: Vec<_> =
        config.tables.iter().map(|table| tables::piece(scope, table, out)).collect();
    let graph = wiring::wire(config, out);
    let unwired = Graph::default();
    let aside = letters::aside(scope, graph.as_ref().unwrap_or(&unwired), out);
    clash::check(scope, out);
    let watch = scope.config.pipeline.watch.value();
    let watch = watch.map_or(Ok(Vec::new()), |paths| tables::inputs(scope, paths, out));
    let pieces: Result<Vec<Piece>, Reported> = pieces.into_iter().collect();
    match (pieces, aside, graph, watch) {
        (Ok(pieces), Ok(aside), Ok(graph), Ok(watch)) if out.is_empty() => {
            let mut plan = Plan { watch, ..assemble(scope, pieces, aside, &graph) };
            database::hold_back(&mut plan, config);
            Ok(plan)
        }
        _ => Err(Wrong),
    }
}

/// Tells whether two paths are of one file, links resolved.
pub fn same_file(one: &Path, other: &Path) -> bool {
    clash::same(one, other)
}

/// Tells whether a plan reads or writes the file at `path`, which is absolute.
pub fn touches(plan: &Plan, path: &Path) -> bool {
    clash::touches(plan, path)
}

fn name(config: &Config, out: &mut Diagnostics) -> String {
    let pipeline = &config.pipeline;
    let Some(Located { value, origin }) = pipeline.name.given() else {
        let stem = pipeline.stem.as_deref().unwrap_or("pipeline");
        // A file's name may hold what no message, variable or report should.
        return escape(stem.as_bytes());
    };
    if value.is_empty() || value.contains(char::is_control) {
        let mistake = Diagnostic::new("`name` takes a text on one line");
        out.push(mistake.at(*origin, "empty, or with control characters"));
    }
    value.clone()
}

fn assemble(scope: &Scope<'_>, pieces: Vec<Piece>, aside: Aside, graph: &Graph) -> Plan {
    let (mut sources, mut stages, mut sinks) = (Vec::new(), Vec::new(), Vec::new());
    let links = || edges(&pieces, graph);
    let spooled = links().filter(|(link, _)| link.spooled).map(|(_, edge)| edge).collect();
    let edges = links().map(|(_, edge)| edge).chain(aside.edges).collect();
    let mixed = wiring::mixed(scope.config);
    let mut pieces: Vec<Option<Piece>> = pieces.into_iter().map(Some).collect();
    for index in &graph.order {
        let mut piece = pieces.get_mut(*index).and_then(Option::take);
        if graph.takes_rejects_of(*index) {
            // They are not the end of a record: what becomes of it is for whoever takes them.
            piece.iter_mut().for_each(Piece::allow_all);
        }
        match piece {
            Some(Piece::Source(source)) => sources.push(source),
            Some(Piece::Stage(stage)) => stages.push(*stage),
            Some(Piece::Sink(sink)) => sinks.push(sink),
            None => {}
        }
    }
    sinks.extend(aside.sinks);
    let pipeline = &scope.config.pipeline;
    Plan {
        name: scope.name.clone(),
        caller: scope.world.caller.clone(),
        sources,
        stages,
        sinks,
        edges,
        spooled,
        mixed,
        spool: spool(&scope.world.env),
        watch: Vec::new(),
        max_rejects: pipeline.rules.max_rejects.or(Limit::Count(0)),
        deadline: pipeline.deadline.value().copied(),
    }
}

fn edges<'a>(pieces: &'a [Piece], graph: &'a Graph) -> impl Iterator<Item = (Link, Edge)> + 'a {
    graph.order.iter().flat_map(move |index| {
        let to = pieces.get(*index);
        let inputs = graph.inputs.get(*index).into_iter().flatten();
        inputs.filter_map(move |link| {
            let from = pieces.get(link.from)?.name().clone();
            Some((*link, Edge { from, port: link.port, to: to?.name().clone() }))
        })
    })
}

/// Where records are kept that wait for their turn: large files belong there, and not in memory,
/// which many a `/tmp` is.
fn spool(env: &[(OsString, OsString)]) -> PathBuf {
    let chosen = env.iter().find(|(name, value)| name == "TMPDIR" && !value.is_empty());
    let usual = || ["/var/tmp", "/tmp"].map(PathBuf::from).into_iter().find(|path| path.is_dir());
    let chosen = chosen.map(|(_, value)| PathBuf::from(value));
    chosen.or_else(usual).unwrap_or_else(|| PathBuf::from("."))
}

#[cfg(test)]
mod tests;
