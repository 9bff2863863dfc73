//! `--depfile`: the rule for make is put together before the run, so that a name that make cannot
//! hold is found out before anything is consumed.

use std::path::{Path, PathBuf};

use crate::cli::paths::seen_from;
use crate::plan::Plan;
use crate::plan::compile::same_file;
use crate::report::depfile::{Depfile, Unnameable, rule};
use crate::run::needs::{needs, outputs};
use crate::words::outcome::{Exit, Failure};
use crate::words::text::escape;

/// Prepares the rule of a run of `plan`, which depends on files of its `own`, absolute ones, too.
pub(super) fn depfile(
    path: &Path,
    own: impl Iterator<Item = PathBuf>,
    plan: &Plan,
) -> anyhow::Result<Depfile> {
    if path == Path::new("-") {
        let failure = Failure::new(Exit::Config, "`--depfile` takes the path of a file");
        return Err(failure.hint("`/dev/stdout` is one, `./-` another").into());
    }
    let seen = |path: &PathBuf| seen_from(&plan.caller, path);
    let outputs = outputs(plan);
    if outputs.is_empty() {
        let message = "`--depfile` has no target: nothing that this run writes is a file";
        let hint = "give a sink `type = \"file\"` and a `path`";
        return Err(Failure::new(Exit::Config, message).hint(hint).into());
    }
    // A database may be read and written; make would call that circular.
    let mut all: Vec<PathBuf> = own.chain(needs(plan)).collect();
    all.retain(|need| !outputs.contains(need));
    let whole = plan.caller.join(path);
    if let Some(same) = all.iter().find(|need| same_file(need, &whole)) {
        let message = format!("two files of this run are the same: `{}`", plan.display(same));
        return Err(Failure::new(Exit::Config, message).hint("give each a file of its own").into());
    }
    let targets: Vec<PathBuf> = outputs.iter().map(seen).collect();
    let needs: Vec<PathBuf> = all.iter().map(seen).collect();
    let rule = rule(&targets, &needs).map_err(unnameable)?;
    Ok(Depfile::new(path, rule)
        .map_err(|error| Failure::new(error.exit(), format!("{error}: {}", error.why)))?)
}

/// Says that make has no way to write a name.
pub(super) fn unnameable(Unnameable(path): Unnameable) -> Failure {
    let shown = escape(path.as_os_str().as_encoded_bytes());
    let message = format!("make has no way to write the name of `{shown}`");
    let hint = "rename it: make takes `;`, `|`, a `~` at the beginning, and a space, `\\` or `(…)` \
                at the end for its own";
    Failure::new(Exit::Config, message).hint(hint)
}
