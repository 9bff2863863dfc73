//! A report's file: it appears whole or not at all.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::report::shown_path;
use crate::words::outcome::Exit;

/// How the name of the temporary file begins and ends.
const PREFIX: &str = ".esteira-report.";
const SUFFIX: &str = ".tmp";

/// How many names are tried for the temporary file.
const ATTEMPTS: u32 = 1000;

/// Why a report's path is refused or could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It is a link to a file that would be replaced without being named.
    #[error("it is a link to `{}`: name that path instead", shown_path(.to))]
    Link {
        /// Where the link leads.
        to: PathBuf,
    },
    /// It is something that cannot be replaced by a file.
    #[error("it is {what}")]
    NoFile {
        /// What it is.
        what: &'static str,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl TargetError {
    /// Returns the end of a run that this leads to.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Link { .. } | Self::NoFile { .. } => Exit::Config,
            Self::Io(_) => Exit::World,
        }
    }
}

/// Where a report goes.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    through: bool,
}

impl Target {
    /// Looks at what is at `path`, and refuses what a report must not replace.
    pub fn check(path: &Path) -> Result<Self, TargetError> {
        if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(TargetError::NoFile { what: "a folder" });
        }
        let is_link = fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink());
        let kind = match fs::metadata(path) {
            Ok(there) => Some(there.file_type()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(e.into()),
        };
        let through = kind.is_some_and(|k| k.is_fifo() || k.is_char_device());
        match kind.and_then(refused) {
            Some(what) => return Err(TargetError::NoFile { what }),
            None if is_link && !through => {
                let to = fs::canonicalize(path).or_else(|_| fs::read_link(path))?;
                return Err(TargetError::Link { to });
            }
            None if !through => can_create(folder_of(path))?,
            None => {}
        }
        Ok(Self { path: path.to_owned(), through })
    }

    /// Puts `bytes` there. Devices and FIFOs get them as they are (a FIFO waits for its reader,
    /// as everywhere); a file is replaced as a whole.
    pub fn put(&self, bytes: &[u8]) -> io::Result<()> {
        if self.through {
            return match OpenOptions::new().write(true).open(&self.path)?.write_all(bytes) {
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                done => done,
            };
        }
        let folder = folder_of(&self.path);
        fs::create_dir_all(folder)?;
        sweep(folder);
        let (mut file, temporary) = create_beside(folder)?;
        let replaced = self.replace(&mut file, &temporary, bytes);
        if replaced.is_err() {
            // The first error is the one to tell; this one would only follow from it.
            fs::remove_file(&temporary).unwrap_or(());
        }
        replaced?;
        File::open(folder)?.sync_all()
    }

    fn replace(&self, file: &mut File, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)?;
        if let Ok(previous) = fs::metadata(&self.path) {
            file.set_permissions(previous.permissions())?;
        }
        file.sync_all()?;
        fs::rename(temporary, &self.path)
    }
}

fn refused(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() {
        Some("a folder")
    } else if kind.is_block_device() {
        Some("a block device")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        None
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Tells before a long run what would otherwise only show at its end.
fn can_create(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|at| at.exists());
    let there = there.unwrap_or_else(|| Path::new("."));
    Ok(access(there, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Removes what runs left there that were killed while they wrote. Nothing depends on it.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if !name.starts_with(PREFIX.as_bytes()) || !name.ends_with(SUFFIX.as_bytes()) {
            continue;
        }
        // Whoever writes it holds its lock.
        if File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            fs::remove_file(entry.path()).unwrap_or(());
        }
    }
}

fn create_beside(folder: &Path) -> io::Result<(File, PathBuf)> {
    let pid = std::process::id();
    for attempt in 0..ATTEMPTS {
        let path = folder.join(format!("{PREFIX}{pid}-{attempt}{SUFFIX}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
            // A sweep that comes between finds it without a lock: then the next name will do.
            Ok(file) if file.try_lock().is_ok() => return Ok((file, path)),
            Ok(_) => {}
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::{Target, TargetError};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/r.json");
        Target::check(&path).unwrap().put(b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Target::check(&path).unwrap().put(b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(path.parent().unwrap()), ["r.json"]);
    }

    #[test]
    fn nothing_stays_behind_when_it_cannot_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        let target = Target::check(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(target.put(b"one").is_err());
        assert_eq!(names(folder.path()), ["r.json"]);
    }

    #[test]
    fn links_and_folders_are_refused_and_devices_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "kept").unwrap();
        for (name, to) in [("link", file.as_path()), ("dangling", Path::new("nowhere"))] {
            let link = folder.path().join(name);
            symlink(to, &link).unwrap();
            let error = Target::check(&link).unwrap_err();
            assert!(matches!(error, TargetError::Link { .. }), "{error}");
        }
        for (path, why) in [
            (folder.path().to_owned(), "it is a folder"),
            (folder.path().join("new/"), "it is a folder"),
            (file.join("r.json"), "Not a directory (os error 20)"),
            (file.join("new/r.json"), "Not a directory (os error 20)"),
        ] {
            assert_eq!(Target::check(&path).unwrap_err().to_string(), why, "{path:?}");
        }
        let null = folder.path().join("null");
        symlink("/dev/null", &null).unwrap();
        Target::check(&null).unwrap().put(b"gone").unwrap();
        assert!(fs::symlink_metadata(&null).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }
}
