//! A pipeline file as it lies there: its text, and where it and the caller are.

use std::path::PathBuf;

use crate::cli::args::Pipeline;
use crate::cli::world;
use crate::config::Written;
use crate::config::diagnostic::Diagnostics;
use crate::config::load::load;
use crate::config::schema::Config;
use crate::words::outcome::{Exit, Failure};

/// A pipeline file that was read.
pub(super) struct PipelineFile {
    /// What messages call it.
    pub(super) shown: String,
    /// What it holds.
    pub(super) text: String,
    /// Where it lies, absolute.
    pub(super) path: PathBuf,
    /// The folder that it lies in.
    pub(super) root: PathBuf,
    /// The folder that the caller stands in.
    pub(super) caller: PathBuf,
}

impl PipelineFile {
    /// Reads it.
    pub(super) fn read(pipeline: &Pipeline) -> Result<Self, Failure> {
        let caller = world::caller()?;
        let shown = pipeline.file.to_string_lossy().into_owned();
        let unreadable = |error: std::io::Error| {
            Failure::new(Exit::Config, format!("cannot read the pipeline file `{shown}`: {error}"))
                .hint("name one, as in `esteira run users.toml`, or write `esteira.toml`; `esteira pipe` needs none")
        };
        let text = std::fs::read_to_string(&pipeline.file).map_err(unreadable)?;
        if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
            let message = format!("`{shown}` is no pipeline file: it begins like NDJSON");
            let hint = format!("did you mean `esteira pipe -i {shown} -- PROGRAM`?");
            return Err(Failure::new(Exit::Config, message).hint(hint));
        }
        let path = std::path::absolute(&pipeline.file).map_err(unreadable)?;
        let root = path.parent().map_or_else(|| caller.clone(), PathBuf::from);
        Ok(Self { shown, text, path, root, caller })
    }

    /// Reads what is written in it.
    pub(super) fn config(&self, sets: &[String]) -> Result<Config, Diagnostics> {
        let written = Written { name: &self.shown, text: &self.text, sets };
        load(&written, &world::text_variable)
    }
}
