//! Writes what came out of tests in the place of what was expected: files whole, arrays of the
//! pipeline file between the bytes around them.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::cli::pipeline::PipelineFile;
use crate::cli::test::judge::{Of, Step, Verdict, judge};
use crate::cli::test::play::Played;
use crate::cli::test::show::Told;
use crate::cli::test::toml;
use crate::config::golden::Reject;
use crate::config::origin::Span;
use crate::plan::Plan;
use crate::plan::compile::{World, same_file, with_tests};
use crate::plan::golden::{Case, Place};
use crate::words::outcome::{Exit, Failure};
use crate::words::text::escape;

/// How `rejects` begins that were not there.
const KEY: &str = "rejects = ";

/// What is to be written.
pub(super) struct Update<'a> {
    file: &'a PipelineFile,
    world: &'a World,
    sets: &'a [String],
    /// Whole files.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// What comes in the place of stretches of the pipeline file.
    edits: Vec<(Span, String)>,
    /// What was played, by the names of the tests whose part of the pipeline file changes.
    played: Vec<(String, Played)>,
}

impl<'a> Update<'a> {
    /// Starts with nothing to write.
    pub(super) fn new(file: &'a PipelineFile, world: &'a World, sets: &'a [String]) -> Self {
        Self { file, world, sets, files: Vec::new(), edits: Vec::new(), played: Vec::new() }
    }

    /// Notes what came of a test that did not pass.
    pub(super) fn note(
        &mut self,
        case: &Case,
        plan: &Plan,
        played: &Played,
        verdict: &Verdict<'_>,
    ) -> Result<(), Failure> {
        let told = Told::of(plan, case);
        let before = self.edits.len();
        for (of, steps) in &verdict.differences {
            match *of {
                Of::Output(index) => {
                    let Some((_, wanted)) = case.output.get(index) else { continue };
                    let came = verdict.outputs.get(index).copied().unwrap_or_default();
                    self.output(case, &wanted.place, steps, came)?;
                }
                Of::Rejects => {
                    let new = |index: &usize| verdict.refused.get(*index).map(|r| told.expects(r));
                    self.rejects(case, steps, &new)?;
                }
            }
        }
        if self.edits.len() > before {
            self.played.push((case.name.clone(), played.clone()));
        }
        Ok(())
    }

    fn output(
        &mut self,
        case: &Case,
        place: &Place,
        steps: &[Step],
        came: &[Vec<u8>],
    ) -> Result<(), Failure> {
        let (whole, items) = match place {
            Place::File(path) => {
                let bytes = came.iter().flat_map(|line| [line.as_slice(), b"\n"]);
                self.files.push((path.clone(), bytes.flatten().copied().collect()));
                return Ok(());
            }
            Place::Below(_) => return Ok(()),
            Place::Text { whole, items } => (whole, items),
        };
        let texts: Vec<&str> = items.iter().map(|span| self.text(*span)).collect();
        let tables = texts.is_empty() || texts.iter().any(|text| text.starts_with('{'));
        let mut lines = Vec::new();
        for step in steps {
            match step {
                Step::Missing(_) => {}
                Step::Same(wanted, _) => lines.extend(texts.get(*wanted).map(ToString::to_string)),
                Step::Extra(index) => {
                    let line = came.get(*index).map(Vec::as_slice).unwrap_or_default();
                    lines.push(toml::line(line, tables).ok_or_else(|| self.unwritable(case))?);
                }
            }
        }
        self.splice(*whole, &lines);
        Ok(())
    }

    fn rejects(
        &mut self,
        case: &Case,
        steps: &[Step],
        new: &dyn Fn(&usize) -> Option<Reject>,
    ) -> Result<(), Failure> {
        let old = |index: &usize| case.rejects.items.get(*index).cloned();
        let all = steps.iter().filter_map(|step| match step {
            Step::Missing(_) => None,
            Step::Same(wanted, _) => old(wanted),
            Step::Extra(index) => new(index),
        });
        match &case.rejects.place {
            Place::File(path) => {
                let mut bytes = Vec::new();
                for reject in all {
                    serde_json::to_writer(&mut bytes, &reject)
                        .map_err(|error| cannot(path, &error.into()))?;
                    bytes.push(b'\n');
                }
                self.files.push((path.clone(), bytes));
            }
            Place::Text { whole, items } => {
                let written = |index: &usize| items.get(*index).map(|s| self.text(*s).to_owned());
                let lines = steps.iter().filter_map(|step| match step {
                    Step::Missing(_) => None,
                    Step::Same(wanted, _) => written(wanted),
                    Step::Extra(index) => new(index).map(|reject| toml::reject(&reject)),
                });
                self.splice(*whole, &lines.collect::<Vec<_>>());
            }
            Place::Below(above) => {
                let lines: Vec<String> = all.map(|reject| toml::reject(&reject)).collect();
                let (_, indent, feed) = self.around(*above);
                let array = toml::array(&lines, indent.len() + KEY.len(), indent, feed);
                // Behind the whole line: what stands there may have a comment.
                let rest = self.file.text.get(above.end..).unwrap_or_default();
                let line = rest.split('\n').next().unwrap_or_default();
                let end = above.end + line.trim_end_matches('\r').len();
                let at = Span { start: end, end, ..*above };
                self.edits.push((at, format!("{feed}{indent}{KEY}{array}")));
            }
        }
        Ok(())
    }

    /// Puts an array in the place of another.
    fn splice(&mut self, whole: Span, items: &[String]) {
        let (column, indent, feed) = self.around(whole);
        let array = toml::array(items, column, indent, feed);
        self.edits.push((whole, array));
    }

    /// Returns what stands in a stretch of the pipeline file.
    fn text(&self, span: Span) -> &'a str {
        self.file.text.get(span.start..span.end).unwrap_or_default()
    }

    /// Says in which column a stretch begins, with what its line does, and how lines end.
    fn around(&self, span: Span) -> (usize, &'a str, &'static str) {
        let before = self.file.text.get(..span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let rest = line.trim_start_matches([' ', '\t']);
        let indent = line.strip_suffix(rest).unwrap_or_default();
        let feed = if self.file.text.contains("\r\n") { "\r\n" } else { "\n" };
        (line.chars().count(), indent, feed)
    }

    /// Writes everything; returns what was written, as messages show it. Nothing is, unless the
    /// pipeline file as it will be means what came out.
    pub(super) fn write(mut self, plan: &Plan) -> Result<Vec<String>, Failure> {
        let mut changed = Vec::new();
        if !self.edits.is_empty() {
            let text = self.edited();
            self.proves(&text)?;
            let now = fs::read(&self.file.path).map_err(|error| cannot(&self.file.path, &error))?;
            if now != self.file.text.as_bytes() {
                let message = format!("`{}` was changed meanwhile", self.file.shown);
                return Err(
                    Failure::new(Exit::World, message).hint("nothing was written: try again")
                );
            }
            self.files.push((self.file.path.clone(), text.into_bytes()));
        }
        let files = once_each(std::mem::take(&mut self.files), plan)?;
        for (path, bytes) in &files {
            replace(path, bytes).map_err(|error| cannot(path, &error))?;
            changed.push(plan.display(path));
        }
        Ok(changed)
    }

    /// Returns the pipeline file with all edits.
    fn edited(&mut self) -> String {
        self.edits.sort_by_key(|(span, _)| span.start);
        let mut text = self.file.text.clone();
        for (span, new) in self.edits.iter().rev() {
            text.replace_range(span.start..span.end, new);
        }
        text
    }

    /// Makes sure that a pipeline file is whole, and that what came out passes by it.
    fn proves(&self, text: &str) -> Result<(), Failure> {
        let file = PipelineFile {
            shown: self.file.shown.clone(),
            text: text.to_owned(),
            path: self.file.path.clone(),
            root: self.file.root.clone(),
            caller: self.file.caller.clone(),
        };
        let compiled = file.config(self.sets).and_then(|config| with_tests(&config, self.world));
        let cases = compiled.map(|(_, cases)| cases).unwrap_or_default();
        for (name, played) in &self.played {
            let case = cases.iter().find(|case| case.name == *name);
            let in_text = |of: &Of| match of {
                Of::Output(index) => case
                    .and_then(|case| case.output.get(*index))
                    .is_none_or(|(_, wanted)| !matches!(wanted.place, Place::File(_))),
                Of::Rejects => {
                    case.is_none_or(|case| !matches!(case.rejects.place, Place::File(_)))
                }
            };
            // Files are not written yet.
            let passes = case.is_some_and(|case| {
                !judge(case, played).differences.iter().any(|(of, _)| in_text(of))
            });
            if !passes {
                let name = escape(name.as_bytes());
                let message =
                    format!("what came out of `{name}` cannot be put into `{}`", file.shown);
                return Err(Failure::new(Exit::Config, message)
                    .hint("nothing was written: write it by hand, as arrays below `[[tests]]`"));
            }
        }
        Ok(())
    }

    fn unwritable(&self, case: &Case) -> Failure {
        let name = escape(case.name.as_bytes());
        let message =
            format!("what came out of `{name}` is no UTF-8: `{}` cannot hold it", self.file.shown);
        Failure::new(Exit::Config, message)
            .hint("nothing was written: let `output` be the path of a file")
    }
}

/// Makes sure that each file is to hold one thing, and is written once.
fn once_each(
    files: Vec<(PathBuf, Vec<u8>)>,
    plan: &Plan,
) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let mut once: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (path, bytes) in files {
        match once.iter().find(|(other, _)| same_file(other, &path)) {
            None => once.push((path, bytes)),
            Some((_, same)) if *same == bytes => {}
            Some(_) => {
                let shown = plan.display(&path);
                let message =
                    format!("two tests expect what is in `{shown}`, and get this and that");
                return Err(Failure::new(Exit::Config, message)
                    .hint("nothing was written: give each a file of its own"));
            }
        }
    }
    Ok(once)
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    let shown = escape(path.as_os_str().as_encoded_bytes());
    Failure::new(Exit::World, format!("cannot write `{shown}`: {error}"))
}

/// Writes a file whole, or not at all; a link stays one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mode = target.metadata().map_or(0o666, |found| found.permissions().mode() & 0o777);
    let there = target.exists();
    let folder = target.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new()
        .prefix(".esteira-test-")
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    if there {
        // What a new file gets is less what the umask takes away; this one has its own.
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}
