//! Files, one after the other: paths as written, patterns in sorted order.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::plan;
use crate::plan::Unpack;
use crate::publish::state::Fact;
use crate::source::packed::Packed;
use crate::source::split::Owned;
use crate::source::stdin::Waiting;
use crate::source::{Input, Read, Reader, Source, Trouble};
use crate::words::outcome::{Exit, Failure};
use crate::words::packing::Packing;
use crate::words::record::Split;

/// The files of one source.
#[derive(Debug)]
pub struct Files {
    found: Vec<Found>,
    unpack: Unpack,
    wake: OwnedFd,
}

#[derive(Debug)]
struct Found {
    path: PathBuf,
    shown: Arc<str>,
    /// Its length, if it is a regular file.
    length: Option<u64>,
}

impl Files {
    /// Finds all files of `paths`, in order; a pattern that matches nothing is a failure.
    pub fn find(
        paths: &[PathBuf],
        unpack: Unpack,
        caller: &Path,
        wake: OwnedFd,
    ) -> Result<Self, Failure> {
        let mut found = Vec::new();
        for path in paths {
            for path in expand(path, caller)? {
                found.push(look_at(path, caller)?);
            }
        }
        Ok(Self { found, unpack, wake })
    }
}

/// Finds the files of a path: one that exists is taken as it is, whatever characters it has; else
/// it may be a pattern, and matching nothing is a failure.
pub fn expand(path: &Path, caller: &Path) -> Result<Vec<PathBuf>, Failure> {
    let text = path.to_str().filter(|t| t.contains(['*', '?', '[']));
    let Some(pattern) = text.filter(|_| path.symlink_metadata().is_err()) else {
        return Ok(vec![path.to_owned()]);
    };
    let shown = plan::display(caller, path);
    let matches = glob::glob(pattern)
        .map_err(|error| Failure::new(Exit::Config, format!("`{shown}` is no pattern: {error}")))?;
    let paths: Result<Vec<PathBuf>, glob::GlobError> = matches.collect();
    let mut paths = paths.map_err(|error| {
        Failure::new(Exit::World, format!("cannot look for `{shown}`: {error}"))
    })?;
    paths.sort();
    if let Some(unseen) = unseen(pattern) {
        let name = plan::display(caller, &unseen);
        let message = format!("`{shown}` passes over `{name}`, whose name is not UTF-8");
        return Err(Failure::new(Exit::World, message).hint("rename it, or move it away"));
    }
    if paths.is_empty() {
        return Err(Failure::new(Exit::World, format!("no file matches `{shown}`"))
            .hint("`*` does not match a `/`; `**` matches any number of folders"));
    }
    Ok(paths)
}

/// Finds a file that a pattern would match if its name were UTF-8: whoever looks for matches passes
/// over such names without a word.
fn unseen(pattern: &str) -> Option<PathBuf> {
    let wild = |part: &str| part.contains(['*', '?', '[']);
    let literal = pattern.split('/').take_while(|part| !wild(part)).collect::<Vec<_>>().join("/");
    let depth = if pattern.contains("**") {
        usize::MAX
    } else {
        pattern.split('/').skip_while(|part| !wild(part)).count()
    };
    let parsed = glob::Pattern::new(pattern).ok()?;
    let options =
        glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
    let mut folders = vec![(PathBuf::from(literal + "/"), depth)];
    while let Some((folder, depth)) = folders.pop() {
        // What cannot be read was told by whoever looked for matches.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let odd = path.to_str().is_none();
            if odd && parsed.matches_with(&path.to_string_lossy(), options) {
                return Some(path);
            }
            if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push((path, depth - 1));
            }
        }
    }
    None
}

fn look_at(path: PathBuf, caller: &Path) -> Result<Found, Failure> {
    let shown = plan::display(caller, &path);
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::new(Exit::World, format!("cannot read input `{shown}`: {why}"))
    };
    let metadata = path.metadata().map_err(|error| unreadable(&error))?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(
            unreadable(&"it is a folder").hint(format!("name its files: `{shown}/*.ndjson`"))
        );
    }
    if kind.is_socket() {
        return Err(unreadable(&"it is a socket"));
    }
    if kind.is_file() {
        // Opening consumes nothing, and finds out about permissions before anything starts.
        drop(File::open(&path).map_err(|error| unreadable(&error))?);
    }
    let length = kind.is_file().then_some(metadata.len());
    Ok(Found { path, shown: shown.into(), length })
}

impl Source for Files {
    fn inputs(&self) -> Vec<Input> {
        // Of what is packed the length says nothing: a split is one of plain bytes.
        let end = |f: &Found| f.length.filter(|_| Packing::of(&f.path).is_none());
        // Some files of the system say that they are empty, and are not.
        self.found.iter().map(|f| Input { end: end(f).filter(|end| *end > 0) }).collect()
    }

    fn stamps(&self) -> Option<Vec<Fact>> {
        let stamp = |found: &Found| {
            let length = found.length?;
            let time = found.path.metadata().map(|m| (m.mtime(), m.mtime_nsec()));
            // One that is gone by now is missed when it is opened.
            let (seconds, nanos) = time.unwrap_or_default();
            let value = format!("{length} bytes, {seconds}.{nanos:09}");
            Some(Fact { what: format!("the input `{}`", found.shown), value })
        };
        self.found.iter().map(stamp).collect()
    }

    fn freeze(&mut self, ends: &[Option<u64>]) -> Result<(), Failure> {
        for (found, end) in self.found.iter_mut().zip(ends) {
            found.length = end.or(found.length);
        }
        Ok(())
    }

    fn open(&self, split: Split) -> Result<Box<dyn Reader>, Failure> {
        let found = &self.found[split.input as usize];
        let unreadable = |why: &dyn std::fmt::Display| {
            Failure::new(Exit::World, format!("cannot read input `{}`: {why}", found.shown))
        };
        let file = File::open(&found.path).map_err(|error| unreadable(&error))?;
        let reader: Box<dyn Reader> = if let Some(end) = split.end {
            let owned = Owned::new(file, split.start, end).map_err(|error| unreadable(&error))?;
            return Ok(Box::new(owned));
        } else if found.length.is_some() {
            // Only a hint: where it is not understood, reading works all the same.
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::Sequential).ok();
            Box::new(Regular(file))
        } else {
            let wake = self.wake.try_clone().map_err(|error| unreadable(&error))?;
            Box::new(Waiting::new(file, wake))
        };
        let Some(packing) = Packing::of(&found.path) else { return Ok(reader) };
        let packed = Packed::new(reader, packing, self.unpack);
        Ok(Box::new(packed.map_err(|trouble| unreadable(&trouble))?))
    }

    fn name_of(&self, input: u32) -> Arc<str> {
        Arc::clone(&self.found[input as usize].shown)
    }

    fn total(&self) -> Option<u64> {
        self.found.iter().map(|f| f.length).sum()
    }
}

/// A regular file: it never makes one wait for long.
struct Regular(File);

impl Reader for Regular {
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble> {
        Ok(Read::Bytes(io::Read::read(&mut self.0, room)?))
    }
}
