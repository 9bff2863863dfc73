//! Files of tests: what goes in, what must come out, and folders of these.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::golden::{Line, Reject};
use crate::config::origin::{Located, Origin};
use crate::plan::compile::Scope;
use crate::plan::compile::paths::{self, Use};
use crate::plan::golden::{Place, Wanted};
use crate::words::packing::Packing;
use crate::words::text::escape;

/// Reads what tests name.
pub(super) struct Files<'a> {
    root: &'a Path,
}

/// A test that is a folder: its name, its input, its output if it has one, its rejects.
pub(super) type Folder = (String, PathBuf, Option<Wanted<Line>>, Wanted<Reject>);

impl<'a> Files<'a> {
    pub(super) fn new(scope: &'a Scope<'_>) -> Result<Self, Reported> {
        Ok(Self { root: scope.root()? })
    }

    /// Finds a file of lines that go in.
    pub(super) fn input(
        &self,
        path: &Path,
        origin: Origin,
        out: &mut Diagnostics,
    ) -> Result<PathBuf, Reported> {
        self.file("input", path, origin, out)
    }

    /// Reads a file of lines that must come out.
    pub(super) fn output(
        &self,
        path: &Path,
        origin: Origin,
        out: &mut Diagnostics,
    ) -> Result<Wanted<Line>, Reported> {
        let path = self.plain_file("output", path, origin, out)?;
        let bytes = read(&path, origin, out)?;
        let items = lines(&bytes).map(|line| Line::Text(line.to_vec())).collect();
        Ok(Wanted { items, place: Place::File(path) })
    }

    /// Reads a file of what must be refused.
    pub(super) fn rejects(
        &self,
        path: &Path,
        origin: Origin,
        out: &mut Diagnostics,
    ) -> Result<Wanted<Reject>, Reported> {
        let path = self.plain_file("rejects", path, origin, out)?;
        let bytes = read(&path, origin, out)?;
        let mut items = Vec::new();
        for (number, line) in (1..).zip(lines(&bytes)) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let found: Result<Reject, String> =
                serde_json::from_slice(line).map_err(|error| error.to_string());
            let found = match found {
                Ok(reject) if reject.is_empty() => Err("it says nothing".to_owned()),
                found => found,
            };
            items.push(found.map_err(|why| {
                let shown = escape(self.short(&path).as_os_str().as_encoded_bytes());
                let message = format!("line {number} of `{shown}` is no reject: {why}");
                let hint = "as in `{\"line\":2,\"code\":\"missing\",\"path\":\"/id\"}`";
                out.push(Diagnostic::new(message).at(origin, "").hint(hint))
            })?);
        }
        Ok(Wanted { items, place: Place::File(path) })
    }

    /// Finds folders by a path or a pattern.
    pub(super) fn folders(
        &self,
        folder: &Located<PathBuf>,
        out: &mut Diagnostics,
    ) -> Result<Vec<PathBuf>, Reported> {
        let trimmed = folder.value.components().collect::<PathBuf>();
        let written = Located { value: trimmed, origin: folder.origin };
        if let Some(fault) = paths::fault("folder", &written, Use::Input) {
            return Err(out.push(fault));
        }
        if !paths::is_pattern(self.root, &written.value) {
            let found = paths::under(self.root, &written.value);
            if found.is_dir() {
                return Ok(vec![found]);
            }
            let mistake = Diagnostic::new("`folder` takes a folder");
            let hint = "it is relative to the pipeline's `root`";
            return Err(out.push(mistake.at(folder.origin, "no such folder").hint(hint)));
        }
        let pattern = paths::pattern(self.root, &written.value).map_err(|error| {
            let mistake = Diagnostic::new("invalid pattern in `folder`");
            out.push(mistake.at(folder.origin, error.msg).hint("`[*]` stands for a plain `*`"))
        })?;
        let found: Vec<PathBuf> =
            paths::matched(&pattern).filter(|path| path.join(INPUT).is_file()).collect();
        if found.is_empty() {
            let mistake = Diagnostic::new(format!("no folder with `{INPUT}` matches"));
            return Err(out.push(mistake.at(folder.origin, "")));
        }
        Ok(found)
    }

    /// Reads a folder.
    pub(super) fn case(
        &self,
        folder: &Path,
        origin: Origin,
        out: &mut Diagnostics,
    ) -> Result<Folder, Reported> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let shown = escape(self.short(folder).as_os_str().as_encoded_bytes());
        let [input, output, rejects] = [INPUT, OUTPUT, REJECTS].map(|file| folder.join(file));
        let wrong = |message: String| Diagnostic::new(message).at(origin, "");
        if !input.is_file() {
            return Err(out.push(wrong(format!("there is no `{shown}/{INPUT}`"))));
        }
        if !output.exists() && !rejects.exists() {
            let mistake = wrong(format!("`{shown}` says nothing of what comes out"));
            let hint = format!(
                "write an empty `{OUTPUT}` there: `esteira test --update` fills it with what comes out"
            );
            return Err(out.push(mistake.hint(hint)));
        }
        let out_there = output.exists().then(|| self.output(&output, origin, out)).transpose()?;
        let rejected = if rejects.exists() {
            self.rejects(&rejects, origin, out)?
        } else {
            Wanted { items: Vec::new(), place: Place::File(rejects) }
        };
        Ok((name, input, out_there, rejected))
    }

    fn file(
        &self,
        key: &str,
        path: &Path,
        origin: Origin,
        out: &mut Diagnostics,
    ) -> Result<PathBuf, Reported> {
        let written = Located { value: path.to_owned(), origin };
        let found = paths::under(self.root, path);
        let fault = paths::fault(key, &written, Use::Input);
        if fault.is_none() && found.is_file() {
            return Ok(found);
        }
        let fault = fault.unwrap_or_else(|| {
            Diagnostic::new(format!("`{key}` takes lines, or the path of a file"))
                .at(origin, "no such file")
                .hint("it is relative to the pipeline's `root`")
        });
        let text = path.as_os_str().as_encoded_bytes();
        let is_record = text.starts_with(b"{") || text.starts_with(b"[");
        let hint = format!("a line stands in an array: `{key} = ['…']`");
        Err(out.push(if is_record { fault.hint(hint) } else { fault }))
    }

    fn plain_file(
        &self,
        key: &str,
        path: &Path,
        origin: Origin,
        out: &mut Diagnostics,
    ) -> Result<PathBuf, Reported> {
        if Packing::of(path).is_some() {
            let mistake = Diagnostic::new(format!("`{key}` takes the path of a plain file"));
            let hint = "what a test expects is for people to read: unpack it";
            return Err(out.push(mistake.at(origin, "packed, by its name").hint(hint)));
        }
        self.file(key, path, origin, out)
    }

    /// Returns a path as the pipeline file would name it.
    fn short<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(self.root).unwrap_or(path)
    }
}

const INPUT: &str = "input.ndjson";
const OUTPUT: &str = "output.ndjson";
const REJECTS: &str = "rejects.ndjson";

fn read(path: &Path, origin: Origin, out: &mut Diagnostics) -> Result<Vec<u8>, Reported> {
    fs::read(path).map_err(|error| {
        let shown = escape(path.file_name().unwrap_or_default().as_encoded_bytes());
        let message = format!("cannot read `{shown}`: {error}");
        out.push(Diagnostic::new(message).at(origin, ""))
    })
}

/// Gives the lines of a file; the last one may lack its line feed.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}
