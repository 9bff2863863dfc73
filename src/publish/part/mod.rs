//! One output on its way: a temporary file beside its target.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::publish::files::{Files, OpenFile};

/// How the names of temporary files end.
const SUFFIX: &str = ".esteira-part";

/// Tells temporary files of one process apart.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// An output being written. Dropped before it is published, it removes its file.
#[derive(Debug)]
pub struct Part {
    files: Arc<dyn Files>,
    file: Box<dyn OpenFile>,
    temporary: PathBuf,
    target: PathBuf,
    folder: PathBuf,
    published: bool,
}

fn prefix(target: &Path) -> String {
    let name = target.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    // A name may be as long as the file system allows; ours must still fit behind it.
    let kept: String = name.chars().take(30).collect();
    format!(".{kept}.")
}

impl Part {
    /// Creates the temporary file of a target, after removing those that ended runs left there.
    pub fn create(
        files: Arc<dyn Files>,
        target: PathBuf,
        folder: PathBuf,
        mode: Option<u32>,
    ) -> io::Result<Self> {
        let prefix = prefix(&target);
        files.remove_abandoned(&folder, &prefix, SUFFIX)?;
        let (temporary, file) = loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let pid = std::process::id();
            let name = OsString::from(format!("{prefix}{pid:x}-{number:x}{SUFFIX}"));
            let path = folder.join(name);
            match files.create_new(&path) {
                // Another process of that number (in another container), or a sweep at the very
                // moment between creation and lock: the next name will do.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::AlreadyExists | io::ErrorKind::WouldBlock
                    ) => {}
                result => break (path, result?),
            }
        };
        let mut part = Self { files, file, temporary, target, folder, published: false };
        if let Some(mode) = mode {
            part.file.set_mode(mode)?;
        }
        Ok(part)
    }

    /// Returns where the output is until it is published.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Appends bytes.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Makes what was written durable. After an error nothing may be assumed: do not retry.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    /// Puts the output, which must be synced, in the place of its target.
    pub fn publish(mut self) -> io::Result<()> {
        self.files.rename(&self.temporary, &self.target)?;
        self.published = true;
        self.files.sync_folder(&self.folder)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.published {
            // Nobody is left to tell; a file that stays is removed by the next run.
            self.files.remove(&self.temporary).ok();
        }
    }
}

#[cfg(test)]
mod tests;
