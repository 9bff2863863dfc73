//! `esteira init`: a pipeline that runs at once. What it writes lies in `fixtures/init`, where it
//! is tested as it stands.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::args::Init;
use crate::cli::printer::Printer;
use crate::config::manual::json_schema;
use crate::plan::describe::shell_words;
use crate::words::outcome::{Exit, Failure};
use crate::words::text::shown;

/// A file to write: its name, and what it holds.
type Template = (&'static str, &'static str);

const PYTHON: [Template; 2] = [
    ("esteira.toml", include_str!("../../fixtures/init/python/esteira.toml")),
    ("validate.py", include_str!("../../fixtures/init/python/validate.py")),
];

/// For machines without Python.
const SHELL: [Template; 2] = [
    ("esteira.toml", include_str!("../../fixtures/init/sh/esteira.toml")),
    ("validate.sh", include_str!("../../fixtures/init/sh/validate.sh")),
];

const RECORDS: Template = ("users.ndjson", include_str!("../../fixtures/init/users.ndjson"));

/// The schema's file, which the pipeline file names in its first line, for editors.
const SCHEMA: &str = "esteira.schema.json";

/// Writes the files and says what to do next.
pub(super) fn init(options: &Init, printer: &mut Printer) -> anyhow::Result<Exit> {
    let is_file = options.place.extension().is_some_and(|end| end == "toml");
    let folder = if is_file { options.place.parent() } else { Some(options.place.as_path()) };
    let folder = folder.unwrap_or(Path::new(""));
    let pipeline = if is_file { options.place.clone() } else { folder.join("esteira.toml") };
    let templates = if which::which("python3").is_ok() { PYTHON } else { SHELL };
    let schema = json_schema();
    let templates = templates.into_iter().chain([RECORDS, (SCHEMA, schema.as_str())]);
    let files = templates.map(|(name, text)| match name {
        "esteira.toml" => (plain(&pipeline), text),
        name => (plain(&folder.join(name)), text),
    });
    let files: Vec<(PathBuf, &str)> = files.collect();
    let missing = missing(&files)?;
    if !folder.as_os_str().is_empty() {
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    for (path, text) in &missing {
        let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| unwritable(path, &error))?;
        printer.err(&format!("wrote {}\n", shown(path.as_os_str().as_encoded_bytes())));
    }
    let mut next: Vec<OsString> = vec!["esteira".into(), "run".into()];
    let pipeline = plain(&pipeline);
    if pipeline != Path::new("esteira.toml") {
        next.push(pipeline.into());
    }
    printer.err(&format!("next: {}\n", shell_words(&next)));
    Ok(Exit::Ok)
}

/// Returns the files that are not there. One that is and holds something else is an error.
fn missing<'a>(files: &'a [(PathBuf, &'a str)]) -> Result<Vec<&'a (PathBuf, &'a str)>, Failure> {
    let mut missing = Vec::new();
    let mut others = Vec::new();
    for file in files {
        let (path, text) = file;
        match fs::read(path) {
            Ok(bytes) if bytes == text.as_bytes() => {}
            Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => {
                missing.push(file);
            }
            Ok(_) | Err(_) => others.push(format!("`{}`", path.display())),
        }
    }
    if others.is_empty() {
        return Ok(missing);
    }
    let message = format!("nothing is overwritten, and {} is there already", others.join(", "));
    Err(Failure::new(Exit::Config, message).hint("name a new folder, as in `esteira init NAME`"))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Config, format!("cannot write `{}`: {error}", path.display()))
}

/// Leaves out a `.` at the beginning.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}
