//! What is kept of a run so that another can take it up: one record in a folder that one run at
//! a time may have. A record is written whole beside the old one, made durable, then renamed
//! over it; so after a crash at any moment there is one of them.

mod closing;
mod record;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::publish::files::{Files, Lock, Locked, Look};
use crate::publish::part::{self, Hand, LeftError, add_up, is_part};

pub use closing::{Closing, Fate};
pub use record::{Fact, Phase, Record, RecordError, Verdict};

/// The record.
const RECORD: &str = "state";

/// How the name of a record that is being written ends.
const SUFFIX: &str = ".new";

/// The folder where a run keeps its state.
#[derive(Debug)]
pub struct State {
    files: Arc<dyn Files>,
    folder: PathBuf,
    run: String,
    written: u64,
    /// Whether there may be a record.
    holds: bool,
    _lock: Box<dyn Lock>,
}

/// Why a folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another run has it; what it says about itself.
    #[error("another run has it ({0})")]
    Locked(String),
    /// It cannot be made or written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A record.
    Record(Box<Record>),
    /// Something that is no record any more.
    Damaged(RecordError),
}

impl State {
    /// Takes a folder for a run, which is made if need be. What runs that were cut off left there
    /// half written is removed.
    pub fn open(files: Arc<dyn Files>, folder: &Path, run: &str) -> Result<Self, StateError> {
        files.create_folders(folder)?;
        let who = format!("run {run}, pid {}", std::process::id());
        let lock = match files.lock(&folder.join("lock"), &who)? {
            Locked::Ours(lock) => lock,
            Locked::Theirs(who) => return Err(StateError::Locked(who)),
        };
        files.remove_abandoned(folder, &format!("{RECORD}."), SUFFIX)?;
        // Nothing of it belongs to a repository.
        let ignore = folder.join(".gitignore");
        if files.look(&ignore)? == Look::Missing {
            files.create_new(&ignore)?.write_all(b"*\n")?;
        }
        let (folder, run) = (folder.to_owned(), run.to_owned());
        Ok(Self { files, folder, run, written: 0, holds: true, _lock: lock })
    }

    /// Tells whether what is in a folder speaks of outputs that are yet to appear.
    pub fn owes(files: &dyn Files, folder: &Path) -> bool {
        let Ok(Some(mut file)) = files.read(&folder.join(RECORD)) else { return false };
        let mut bytes = Vec::new();
        let record = file.read_to_end(&mut bytes).map(|_| Record::decode(&bytes));
        !matches!(record, Ok(Ok(Record { phase: Phase::Done(_), .. })))
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells whether there may be a record.
    pub(in crate::publish) fn holds(&self) -> bool {
        self.holds
    }

    /// Reads what is kept.
    pub fn load(&mut self) -> io::Result<Found> {
        // A run that was killed may have left a new record, or none, that the disk knows nothing
        // of yet: what is done in its name would meet the old one after a power loss.
        self.files.sync_folder(&self.folder)?;
        let Some(mut file) = self.files.read(&self.folder.join(RECORD))? else {
            self.holds = false;
            return Ok(Found::Nothing);
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(match Record::decode(&bytes) {
            Ok(record) => Found::Record(Box::new(record)),
            Err(error) => Found::Damaged(error),
        })
    }

    /// Keeps a record in the place of the one before. After an error the one before still holds,
    /// or this one does: do not retry.
    pub fn save(&mut self, record: &Record) -> io::Result<()> {
        let bytes = record.encode()?;
        // A name that was used before may bring back what once stood under it.
        let name = format!("{RECORD}.{}-{}{SUFFIX}", self.run, self.written);
        self.written += 1;
        let path = self.folder.join(name);
        let mut file = self.files.create_new(&path)?;
        let written = file.write_all(&bytes).and_then(|()| file.sync());
        self.holds |= written.is_ok();
        let renamed = written.and_then(|()| self.files.rename(&path, &self.folder.join(RECORD)));
        if let Err(error) = renamed {
            // The first error is what matters; what stays is swept by the next run.
            self.files.remove(&path).ok();
            return Err(error);
        }
        self.files.sync_folder(&self.folder)
    }

    /// Makes the outputs durable, then keeps a record that says how far they go.
    pub fn checkpoint(&mut self, outputs: &mut [Hand], record: &Record) -> io::Result<()> {
        outputs.iter_mut().try_for_each(Hand::sync)?;
        // Even if this fails the record may be there.
        outputs.iter().for_each(Hand::stay);
        self.save(record)
    }

    /// Returns where a copy of stdin is kept as long as the record is.
    pub fn copy(&self) -> PathBuf {
        self.folder.join("stdin")
    }

    /// Forgets what is kept.
    pub fn clear(&mut self) -> io::Result<()> {
        match self.files.remove(&self.copy()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match self.files.remove(&self.folder.join(RECORD)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed?,
        }
        self.files.sync_folder(&self.folder)?;
        self.holds = false;
        Ok(())
    }
}

/// Lets an output appear that a run found whole and durable but may not have put in its place.
pub fn roll_forward(
    files: &dyn Files,
    target: &Path,
    folder: &Path,
    at: &crate::words::marks::OutputAt,
) -> Result<(), LeftError> {
    let part = PathBuf::from(&at.part);
    if !is_part(&part) {
        return Err(LeftError::Changed);
    }
    let is_left = files.read(&part)?.is_some();
    let stands = if is_left { part.as_path() } else { target };
    let adder = match add_up(files, stands, u64::MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LeftError::Missing),
        adder => adder?,
    };
    if adder.bytes() < at.bytes {
        return Err(LeftError::Shorter { has: adder.bytes(), wrote: at.bytes });
    }
    if adder.bytes() != at.bytes || at.sum.is_some_and(|sum| sum != adder.sum()) {
        return Err(LeftError::Changed);
    }
    if is_left {
        files.rename(&part, target)?;
    }
    // A power loss may have left both names, of one file: then a rename does nothing. Or it may
    // have brought back a copy that was being made.
    part::sweep(files, target, folder)?;
    Ok(files.sync_folder(folder)?)
}
