//! Finds the program of a stage before anything is read.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::Located;
use crate::plan::compile::environment::Variables;
use crate::plan::compile::paths::under;

const PATH_RULE: &str = "a name without a slash is looked up in the `PATH` that the stage's `env` \
                         sets, or else in the caller's";
const WORDS_RULE: &str = "a program and each of its arguments stand for themselves: `jq -c .` on \
                          the command line, `[\"jq\", \"-c\", \".\"]` in a pipeline file";
const SLASH_RULE: &str = "a name with a slash is relative to `root`";

/// Finds the program that `name` stands for, absolute.
pub(super) fn find(
    name: &Located<OsString>,
    root: &Result<PathBuf, Reported>,
    path: Option<&OsStr>,
    out: &mut Diagnostics,
) -> Result<PathBuf, Reported> {
    let root = root.as_ref().map_err(|reported| *reported)?;
    if name.value.as_encoded_bytes().contains(&b'/') {
        let program = under(root, Path::new(&name.value));
        return match obstacle(&program) {
            None => Ok(program),
            Some(obstacle) => Err(out.push(obstacle.explain(name))),
        };
    }
    let found = path.and_then(|path| which::which_in(&name.value, Some(path), root).ok());
    found.map(|program| under(root, &program)).ok_or_else(|| {
        let mistake = Diagnostic::new(format!("program `{}` not found", name.shown_path()));
        let spaced = name.value.as_encoded_bytes().contains(&b' ');
        let hint = if spaced { WORDS_RULE } else { PATH_RULE };
        out.push(mistake.at(name.origin, "not on the `PATH`").hint(hint))
    })
}

/// Returns the `PATH` that programs of a stage are looked up in.
pub(super) fn search_path<'a>(own: &'a Variables, caller: &'a Variables) -> Option<&'a OsStr> {
    let path = |variables: &'a Variables| {
        let mut named = variables.iter().filter(|(name, _)| name == "PATH");
        named.next_back().map(|(_, value)| value.as_os_str())
    };
    path(own).or_else(|| path(caller))
}

/// Why a file cannot be run.
enum Obstacle {
    Missing,
    Hidden,
    Folder,
    Special,
    NotExecutable,
}

fn obstacle(program: &Path) -> Option<Obstacle> {
    match program.metadata() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Some(Obstacle::Hidden),
        Err(_) => Some(Obstacle::Missing),
        Ok(found) if found.is_dir() => Some(Obstacle::Folder),
        Ok(found) if !found.is_file() => Some(Obstacle::Special),
        Ok(_) => access(program, Access::EXEC_OK).err().map(|_| Obstacle::NotExecutable),
    }
}

impl Obstacle {
    fn explain(&self, name: &Located<OsString>) -> Diagnostic {
        let shown = name.shown_path();
        let say = |what: &str, label: &str| {
            Diagnostic::new(format!("program `{shown}` {what}")).at(name.origin, label)
        };
        match self {
            Self::Missing => say("not found", "no such file").hint(SLASH_RULE),
            Self::Hidden => say("is out of reach", "permission denied on the way to it"),
            Self::Folder => say("is a folder", "a folder cannot be run"),
            Self::Special => say("is no regular file", "this cannot be run"),
            Self::NotExecutable => say("is not executable", "no right to run it").hint(format!(
                "`chmod +x {shown}`, or name what runs it first: `run = [\"INTERPRETER\", \
                 \"{shown}\"]`"
            )),
        }
    }
}
