//! Paths: what they are relative to, which are fit for use, and which are the same file.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::Located;
use crate::config::schema::Setting;

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// To be read.
    Input,
    /// To be written.
    Output,
}

/// Finds the folder that everything is relative to.
pub(super) fn root(
    setting: &Setting<PathBuf>,
    default: &Path,
    out: &mut Diagnostics,
) -> Result<PathBuf, Reported> {
    let written = match setting {
        Setting::LeftOut => return Ok(default.to_path_buf()),
        Setting::Unreadable(reported) => return Err(*reported),
        Setting::Given(written) => written,
    };
    let found = under(default, &written.value);
    // `..` is resolved by the file system: taken away from the text it would miss links.
    let climbs = found.components().any(|part| part == Component::ParentDir);
    let found = if climbs { found.canonicalize() } else { Ok(found) };
    match found {
        Ok(folder) if folder.is_dir() => Ok(folder),
        _ => Err(out.push(
            Diagnostic::new("`root` takes a folder")
                .at(written.origin, "no such folder")
                .hint("it is relative to the pipeline file"),
        )),
    }
}

/// Returns `path` below `root`, without needless dots.
pub(super) fn under(root: &Path, path: &Path) -> PathBuf {
    root.join(path).components().collect()
}

/// Finds what is wrong with a path whatever the files are.
pub(super) fn fault(key: &str, path: &Located<PathBuf>, purpose: Use) -> Option<Diagnostic> {
    let bytes = path.value.as_os_str().as_encoded_bytes();
    let wrong = |found: &str| {
        let takes = format!("`{key}` takes the path of a file");
        Some(Diagnostic::new(takes).at(path.origin, found))
    };
    match bytes {
        [] => wrong("this is empty"),
        [b'-'] => {
            let hint = match (key, purpose) {
                ("path", Use::Input) => {
                    "write `type = \"stdin\"`, or `./-` for a file of that name"
                }
                ("path", Use::Output) => {
                    "write `type = \"stdout\"`, or `./-` for a file of that name"
                }
                _ => "write `./-` for a file of that name",
            };
            wrong("this names no file").map(|fault| fault.hint(hint))
        }
        [.., b'/'] => wrong("this names a folder"),
        _ if bytes.contains(&0) => wrong("no path can hold a NUL byte"),
        _ => None,
    }
}

/// Tells whether a path is a glob pattern: it holds the signs of one and no file is called so.
pub(super) fn is_pattern(root: &Path, path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
        && root.join(path).symlink_metadata().is_err()
}

/// Returns a pattern below `root`, whose own name is taken as it is.
pub(super) fn pattern(root: &Path, written: &Path) -> Result<PathBuf, glob::PatternError> {
    let Some(text) = written.to_str() else {
        return Ok(under(root, written));
    };
    glob::Pattern::new(text)?;
    let base = root
        .to_str()
        .map_or_else(|| root.to_path_buf(), |root| PathBuf::from(glob::Pattern::escape(root)));
    Ok(under(&base, written))
}

/// Tells whether two paths are of one regular file: by its links, hard ones included, or, where
/// it is not there yet, by its name.
pub(super) fn one_file(one: &Path, other: &Path) -> bool {
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => {
            one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino())
        }
        _ => identity(one) == identity(other),
    }
}

/// Lists what a pattern matches now; what cannot be looked at is for the source to report.
pub(super) fn matched(pattern: &Path) -> impl Iterator<Item = PathBuf> {
    let found = pattern.to_str().and_then(|pattern| glob::glob(pattern).ok());
    found.into_iter().flatten().filter_map(Result::ok)
}

/// Returns what is the same for two paths of one file: links and dots resolved as far as
/// anything is there.
pub(super) fn identity(path: &Path) -> PathBuf {
    let mut there = path;
    let mut missing = Vec::new();
    loop {
        if let Ok(real) = there.canonicalize() {
            return missing.iter().rev().fold(real, |mut real, part| {
                match part {
                    Component::ParentDir => drop(real.pop()),
                    part => real.push(part),
                }
                real
            });
        }
        missing.extend(there.components().next_back());
        match there.parent() {
            Some(parent) => there = parent,
            None => return path.to_path_buf(),
        }
    }
}
