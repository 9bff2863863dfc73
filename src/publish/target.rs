//! What may be written to: a target is looked at before anything starts, and never followed.

use std::io;
use std::path::{Path, PathBuf};

use crate::publish::files::{Files, Look};

/// How a target will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By a temporary file that is renamed over it.
    Replace {
        /// The target.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
        /// The permission bits of the file that stands there now.
        mode: Option<u32>,
    },
    /// Directly, as a FIFO or device is.
    Through(PathBuf),
}

/// Why a target will not be written.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It is something that must not be replaced.
    #[error("it is {what}")]
    Unsafe {
        /// What it is, with the resolved path where that differs.
        what: String,
    },
    /// It cannot be looked at, or its folder cannot be made.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Decides how `path`, which must be absolute, will be written; creates its folder.
pub fn aim(files: &dyn Files, path: &Path) -> Result<Target, TargetError> {
    let refuse = |what: &str| Err(TargetError::Unsafe { what: what.to_owned() });
    let (Some(folder), Some(_)) = (path.parent(), path.file_name()) else {
        return refuse("a folder");
    };
    let replace = |mode| Target::Replace { path: path.to_owned(), folder: folder.to_owned(), mode };
    match files.look(path)? {
        Look::Missing => {
            files.create_folders(folder)?;
            Ok(replace(None))
        }
        Look::Regular { mode } => Ok(replace(Some(mode))),
        Look::Stream => Ok(Target::Through(path.to_owned())),
        Look::Folder => refuse("a folder"),
        Look::Block => refuse("a block device"),
        Look::Socket => refuse("a socket"),
        Look::Link { to, target } => {
            let what = match *target {
                Look::Stream => return Ok(Target::Through(path.to_owned())),
                Look::Missing => "nothing",
                Look::Folder => "a folder",
                Look::Block => "a block device",
                Look::Socket => "a socket",
                Look::Regular { .. } | Look::Link { .. } => "a regular file",
            };
            let to = crate::words::text::escape(to.as_os_str().as_encoded_bytes());
            refuse(&format!("a link to {what}, `{to}`"))
        }
    }
}
