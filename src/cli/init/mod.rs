//! `esteira init`: a pipeline that runs at once. What it writes lies in `fixtures/init`, where it
//! is tested as it stands.

mod ci;

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::args::Init;
use crate::cli::failure;
use crate::cli::init::ci::Step;
use crate::cli::paths::seen_from;
use crate::cli::printer::Printer;
use crate::cli::world;
use crate::config::manual::json_schema;
use crate::plan::describe::shell_words;
use crate::words::outcome::{Exit, Failure};
use crate::words::text::shown;

/// A file to write: its name, and what it holds.
type Template = (&'static str, &'static str);

const PYTHON: [Template; 2] = [
    ("esteira.toml", include_str!("../../../fixtures/init/python/esteira.toml")),
    ("validate.py", include_str!("../../../fixtures/init/python/validate.py")),
];

/// For machines without Python.
const SHELL: [Template; 2] = [
    ("esteira.toml", include_str!("../../../fixtures/init/sh/esteira.toml")),
    ("validate.sh", include_str!("../../../fixtures/init/sh/validate.sh")),
];

const RECORDS: Template = ("users.ndjson", include_str!("../../../fixtures/init/users.ndjson"));

/// The schema's file, which the pipeline file names in its first line, for editors.
const SCHEMA: &str = "esteira.schema.json";

/// A file to write.
struct File {
    path: PathBuf,
    text: String,
}

/// Writes the files and says what to do next.
pub(super) fn init(options: &Init, printer: &mut Printer) -> anyhow::Result<Exit> {
    let is_file = options.place.extension().is_some_and(|end| end == "toml");
    let folder = if is_file { options.place.parent() } else { Some(options.place.as_path()) };
    let folder = folder.unwrap_or(Path::new(""));
    let pipeline =
        plain(&if is_file { options.place.clone() } else { folder.join("esteira.toml") });
    let there = options.ci.is_some() && pipeline.symlink_metadata().is_ok();
    let files = if there { Vec::new() } else { templates(folder, &pipeline) };
    let mut missing = missing(files)?;
    let step = options.ci.map(|service| ci::step(service, &pipeline)).transpose()?;
    let mut says = String::new();
    if there {
        says = format!("left as it is: {}\n", show(&pipeline)?);
    }
    if let Some(step) = step {
        says.push_str(&step.next);
        match state(&step.file) {
            State::Missing => missing.push(step.file),
            State::Same => {}
            State::Other => return Ok(refuse(&step, printer)?),
        }
        if let Some(file) = step.includes {
            match state(&file) {
                State::Missing => missing.push(file),
                State::Same => {}
                State::Other => says.push_str(&to_add(&file)?),
            }
        }
    }
    for File { path, text } in &missing {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        }
        let written =
            fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| unwritable(path, &error))?;
        printer.err(&format!("wrote {}\n", show(path)?));
    }
    printer.err(&says);
    let mut next: Vec<OsString> = vec!["esteira".into(), "run".into()];
    if pipeline != Path::new("esteira.toml") {
        next.push(pipeline.into());
    }
    printer.err(&format!("next: {}\n", shell_words(&next)));
    Ok(Exit::Ok)
}

/// The pipeline and all that it needs.
fn templates(folder: &Path, pipeline: &Path) -> Vec<File> {
    let templates = if which::which("python3").is_ok() { PYTHON } else { SHELL };
    let schema = json_schema();
    let templates = templates.into_iter().chain([RECORDS, (SCHEMA, schema.as_str())]);
    let files = templates.map(|(name, text)| File {
        path: if name == "esteira.toml" { pipeline.to_owned() } else { plain(&folder.join(name)) },
        text: text.to_owned(),
    });
    files.collect()
}

/// How a file that is to be written is found.
enum State {
    Missing,
    Same,
    Other,
}

fn state(file: &File) -> State {
    match fs::read(&file.path) {
        Ok(bytes) if bytes == file.text.as_bytes() => State::Same,
        Err(error) if error.kind() == ErrorKind::NotFound && !file.path.is_symlink() => {
            State::Missing
        }
        Ok(_) | Err(_) => State::Other,
    }
}

/// Keeps the files that are not there. One that is and holds something else is an error.
fn missing(files: Vec<File>) -> Result<Vec<File>, Failure> {
    let mut missing = Vec::new();
    let mut others = Vec::new();
    for file in files {
        match state(&file) {
            State::Missing => missing.push(file),
            State::Same => {}
            State::Other => others.push(format!("`{}`", file.path.display())),
        }
    }
    if others.is_empty() {
        return Ok(missing);
    }
    let message = format!("nothing is overwritten, and {} is there already", others.join(", "));
    Err(Failure::new(Exit::Config, message).hint("name a new folder, as in `esteira init NAME`"))
}

/// Says what a file of CI that is there already lacks. Nothing is written then.
fn refuse(step: &Step, printer: &mut Printer) -> Result<Exit, Failure> {
    let path = show(&step.file.path)?;
    let message = format!("nothing is overwritten, and `{path}` is there already");
    let hint = "add by hand what follows, or move it away";
    failure::show(&Failure::new(Exit::Config, message).hint(hint).into(), printer);
    printer.err(&step.lacks);
    Ok(Exit::Config)
}

/// Says what a file that is left as it is lacks, unless the line is in it.
fn to_add(file: &File) -> Result<String, Failure> {
    let there = fs::read_to_string(&file.path).unwrap_or_default();
    let line = file.text.lines().last().unwrap_or_default();
    let named = line.rsplit(' ').next().unwrap_or_default().trim_start_matches('/');
    if there.contains(named) {
        return Ok(String::new());
    }
    Ok(format!("add to {}:\n{}", show(&file.path)?, file.text))
}

/// Shows a path as the caller would write it.
fn show(path: &Path) -> Result<String, Failure> {
    let path =
        if path.is_absolute() { seen_from(&world::caller()?, path) } else { path.to_owned() };
    Ok(shown(path.as_os_str().as_encoded_bytes()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Config, format!("cannot write `{}`: {error}", path.display()))
}

/// Leaves out a `.` at the beginning.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}
