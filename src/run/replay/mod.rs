//! What comes before and after the run of a replay: which letters go in, and what becomes of their
//! file when the run is over.
//!
//! Whatever moment a replay is killed at, the same command again ends with the same files. The
//! outputs are named after the letters that go in, so until the letters are rewritten the same
//! command replaces the same outputs. Then what `REJECTS.settled` and `REJECTS` are to be is
//! written beside them, durably, under names that hold the sum of `REJECTS`; the rename of the
//! second is the moment that decides. Before it, nothing has happened; after it, all that is left
//! is two renames, which the next replay does first, so long as `REJECTS` is the same.

mod rewrite;

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use rewrite::{Rewritten, rewrite};

use crate::plan::replay::{Refusal, Replay};
use crate::publish::files::{Files, Look};
use crate::source::letters::{Sum, each_line, letter, no_letter};
use crate::words::outcome::{Exit, Failure};
use crate::words::returned::Key;
use crate::words::text::escape;

/// A file of dead letters that nobody else replays meanwhile.
#[derive(Debug)]
pub struct Letters {
    path: PathBuf,
    settled: PathBuf,
    shown: String,
    mode: u32,
    /// Its lock, till this is dropped.
    _lock: File,
}

/// What is in it.
#[derive(Debug)]
pub struct Survey {
    /// What to replay.
    pub replay: Replay,
    /// How many letters that is.
    pub letters: u64,
    /// How many cannot be replayed, since only their beginning was kept.
    pub truncated: u64,
    /// How many were settled by an earlier replay.
    pub before: u64,
    /// The lines of these, in order.
    gone: Vec<u64>,
    /// The sum of the whole file.
    sum: String,
}

impl Letters {
    /// Takes hold of a file, which must be a regular one.
    pub fn open(path: &Path, files: &dyn Files) -> Result<Self, Failure> {
        let shown = escape(path.as_os_str().as_encoded_bytes());
        let cannot = |error: io::Error| {
            Failure::new(Exit::World, format!("cannot read dead letters from `{shown}`: {error}"))
        };
        let path = std::path::absolute(path).map_err(cannot)?;
        let Look::Regular { mode } = files.look(&path).map_err(cannot)? else {
            File::open(&path).map_err(cannot)?;
            let message = format!("will not replay `{shown}`: it is no regular file");
            return Err(Failure::new(Exit::Config, message)
                .hint("what is still bad is written in its place: name the file itself"));
        };
        let lock = loop {
            let file = File::open(&path).map_err(cannot)?;
            if let Err(error) = file.try_lock() {
                let std::fs::TryLockError::Error(error) = error else {
                    let message = format!("another replay of `{shown}` is going on");
                    return Err(Failure::new(Exit::Locked, message).hint("wait for its end"));
                };
                return Err(cannot(error));
            }
            // Another replay may have put a new one in its place between the two.
            let (ours, there) =
                (file.metadata().map_err(cannot)?, path.metadata().map_err(cannot)?);
            if (ours.dev(), ours.ino()) == (there.dev(), there.ino()) {
                break file;
            }
        };
        let mut settled = path.clone().into_os_string();
        settled.push(".settled");
        Ok(Self { path, settled: settled.into(), shown, mode, _lock: lock })
    }

    /// Returns the name of the file as it was given.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns the path of a file beside it.
    fn beside(&self, end: &str) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        // As the name may be as long as the file system allows.
        let name: String = name.chars().take(30).collect();
        self.path.with_file_name(format!(".{name}.{end}"))
    }

    /// Ends what an earlier replay decided, and finds out what there is to replay.
    pub fn survey(&self, files: &dyn Files) -> Result<Survey, Failure> {
        let sum = self.sum()?;
        let sum = if self.end_earlier(files, &sum)? { self.sum()? } else { sum };
        let settled = self.settled_before()?;
        let (mut skip, mut gone, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
        let (mut letters, mut truncated, mut run) = (0, 0, Sum::default());
        each_line(&self.path, &mut |line, bytes| {
            if crate::source::letters::is_blank(bytes) {
                return Ok(true);
            }
            let letter = letter(line, bytes)?;
            if settled.contains(&letter.key()) {
                skip.push(line);
                gone.push(line);
                return Ok(true);
            }
            run.add(bytes);
            if letter.is_truncated() {
                truncated += 1;
                skip.push(line);
                return Ok(true);
            }
            letter.bytes().map_err(|why| no_letter(line, &why))?;
            letters += 1;
            let known = |refusal: &Refusal| {
                refusal.stage == letter.stage && refusal.source == letter.source
            };
            if !refusals.iter().any(known) {
                refusals.push(Refusal { stage: letter.stage, source: letter.source, line });
            }
            Ok(true)
        })?;
        let run = run.digits();
        let again = self.beside(&format!("replay-{run}.again"));
        let replay =
            Replay { letters: self.path.clone(), run, refusals, skip: Arc::from(skip), again };
        Ok(Survey { replay, letters, truncated, before: gone.len() as u64, gone, sum })
    }

    fn sum(&self) -> Result<String, Failure> {
        let mut sum = Sum::default();
        each_line(&self.path, &mut |_, bytes| {
            sum.add(bytes);
            Ok(true)
        })?;
        Ok(sum.digits())
    }

    /// Finds the letters that were settled by earlier replays.
    fn settled_before(&self) -> Result<HashSet<Key>, Failure> {
        let mut both = HashSet::new();
        if !self.settled.exists() {
            return Ok(both);
        }
        // Of the two files the letters are the smaller one in the long run.
        let mut here = HashSet::new();
        each_line(&self.path, &mut |line, bytes| {
            if !crate::source::letters::is_blank(bytes) {
                here.insert(letter(line, bytes)?.key());
            }
            Ok(true)
        })?;
        each_line(&self.settled, &mut |line, bytes| {
            let settled = letter(line, bytes).map_err(|failure| {
                failure.hint("that is in the file of settled letters: move it away to go on")
            })?;
            let key = settled.key();
            both.extend(here.contains(&key).then_some(key));
            Ok(true)
        })?;
        Ok(both)
    }

    /// Does the last renames of a replay that was ended after it had decided.
    fn end_earlier(&self, files: &dyn Files, sum: &str) -> Result<bool, Failure> {
        let next = self.beside(&format!("replay-{sum}.next"));
        if !next.exists() {
            return Ok(false);
        }
        self.put_in_place(files, sum).map_err(|error| self.cannot_write(&error))?;
        Ok(true)
    }

    fn put_in_place(&self, files: &dyn Files, sum: &str) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let settled = self.beside(&format!("replay-{sum}.settled"));
        if settled.exists() {
            files.rename(&settled, &self.settled)?;
            files.sync_folder(folder)?;
        }
        files.rename(&self.beside(&format!("replay-{sum}.next")), &self.path)?;
        files.sync_folder(folder)
    }

    fn cannot_write(&self, error: &io::Error) -> Failure {
        let message = format!("cannot rewrite the dead letters `{}`: {error}", self.shown);
        Failure::new(Exit::World, message).hint(
            "what passed is published; the same command again replaces it and doubles nothing",
        )
    }
}
