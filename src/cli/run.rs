//! `esteira run`: a pipeline file becomes a plan, and the plan runs.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::cli::args::{Accepting, Pipeline, Run};
use crate::cli::depfile::depfile;
use crate::cli::launch::{self, Asked};
use crate::cli::pipeline::PipelineFile;
use crate::cli::printer::Printer;
use crate::cli::world;
use crate::config::diagnostic::Diagnostics;
use crate::plan::Plan;
use crate::plan::compile::{World, compile};
use crate::publish::state::Fact;
use crate::run::Keeping;
use crate::words::dead_letter::hex;
use crate::words::outcome::{Exit, Failure};

/// Runs.
pub(super) fn run(options: &Run, printer: &mut Printer) -> anyhow::Result<Exit> {
    let mut sets = options.pipeline.sets.clone();
    sets.extend(options.max_rejects.iter().map(|limit| format!("pipeline.max_rejects={limit}")));
    match plan(&options.pipeline, &sets)? {
        Ok(plan) => {
            let all = options.stages.is_empty();
            let plan = if all { plan } else { plan.only(&options.stages)? };
            let keeping = keeping(options)?;
            if options.resume && options.accepting.write_baseline.is_some() {
                let message = "`--write-baseline` needs a whole run: with `--resume`, what was refused before is not seen";
                return Err(Failure::new(Exit::Config, message)
                    .hint("leave out `--resume`")
                    .into());
            }
            let own = std::iter::once(&options.pipeline.file).chain(&options.accepting.baseline);
            let own = own.map(std::path::absolute).collect::<Result<Vec<_>, _>>()?;
            let rule = |path: &PathBuf| depfile(path, own.into_iter(), &plan);
            let depfile = options.depfile.as_ref().map(rule);
            let asked = Asked {
                telling: &options.telling,
                accepting: &options.accepting,
                pipeline: Some(&options.pipeline.file),
                keeping: &keeping,
                depfile: depfile.transpose()?,
            };
            launch::launch(&plan, asked, printer)
        }
        Err(diagnostics) => {
            printer.err(&diagnostics.render(printer.color()));
            Ok(Exit::Config)
        }
    }
}

/// Says what the verdict of a run depends on beside its plan.
fn facts(accepting: &Accepting) -> Vec<Fact> {
    let fact = |what: &str, value: String| Fact { what: what.to_owned(), value };
    // What cannot be read is told when it is read.
    let known = accepting.baseline.as_ref().and_then(|path| std::fs::read(path).ok());
    let known = known.map(|bytes| fact("the baseline", hex(&Sha256::digest(bytes))));
    let written = accepting.write_baseline.as_ref();
    let written = written.map(|_| fact("whether a baseline is written", "it is".to_owned()));
    known.into_iter().chain(written).collect()
}

/// Says where the state of a run is kept: beside the pipeline file, unless told otherwise.
fn keeping(options: &Run) -> anyhow::Result<Keeping> {
    let file = std::path::absolute(&options.pipeline.file)?;
    let beside = || file.parent().map_or_else(PathBuf::new, |folder| folder.join(".esteira"));
    let base = options.state_dir.as_ref().map(std::path::absolute).transpose()?;
    let name = file.file_stem().unwrap_or_default();
    Ok(Keeping {
        folder: Some(base.unwrap_or_else(beside).join(name)),
        resume: options.resume,
        every: options.checkpoint_every,
        again: world::again(),
        facts: facts(&options.accepting),
    })
}

/// Reads a pipeline file and says what it means, or everything that is wrong with it.
pub(super) fn plan(
    pipeline: &Pipeline,
    sets: &[String],
) -> anyhow::Result<Result<Plan, Diagnostics>> {
    plan_in(pipeline, sets, world::world)
}

/// The same in a world of one's own making, from where the file and the caller are.
pub(super) fn plan_in(
    pipeline: &Pipeline,
    sets: &[String],
    world: impl FnOnce(PathBuf, PathBuf) -> World,
) -> anyhow::Result<Result<Plan, Diagnostics>> {
    let file = PipelineFile::read(pipeline)?;
    let config = file.config(sets);
    Ok(config.and_then(|config| compile(&config, &world(file.root, file.caller))))
}
