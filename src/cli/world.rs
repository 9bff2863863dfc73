//! The world outside, looked at once and handed down: environment and working folder.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::plan::compile::World;
use crate::plan::describe::shell_words;
use crate::words::id::RunId;
use crate::words::outcome::{Exit, Failure};

/// Returns a variable of the environment.
#[expect(clippy::disallowed_methods, reason = "cli is the room that reads the environment")]
pub(super) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Returns a variable as text, for `${NAME}` in a pipeline file.
pub(super) fn text_variable(name: &str) -> Option<String> {
    variable(name).and_then(|value| value.into_string().ok())
}

/// Returns the folder that the caller stands in.
#[expect(clippy::disallowed_methods, reason = "cli is the room that knows where the caller stands")]
pub(super) fn caller() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::new(Exit::World, format!("cannot tell the working folder: {error}"))
    })
}

/// Puts together what a plan is compiled against; `root` is where its paths begin.
#[expect(clippy::disallowed_methods, reason = "cli is the room that reads the environment")]
pub(super) fn world(root: PathBuf, caller: PathBuf) -> World {
    World { root_default: root, caller, env: std::env::vars_os().collect() }
}

/// Writes the command that goes on with this one.
pub(super) fn again() -> String {
    let typed: Vec<OsString> = std::env::args_os().collect();
    let shown = shell_words(&typed);
    let resumes = typed.iter().any(|word| word == "--resume");
    if resumes { shown } else { format!("{shown} --resume") }
}

/// Makes the id of this run.
pub(super) fn run_id() -> RunId {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    RunId::new(since.as_secs(), std::process::id())
}
