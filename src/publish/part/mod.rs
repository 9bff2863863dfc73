//! One output on its way: a temporary file beside its target.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use crate::publish::files::{Files, Look, OpenFile};
use crate::words::marks::{Adder, OutputAt};

/// How the names of temporary files end.
const SUFFIX: &str = ".esteira-part";

/// How many characters of a target's name stand in that of its temporary file.
const KEPT: usize = 30;

/// How much of a file is read at once; where all files are small, less.
const READ: usize = if cfg!(test) { 100 } else { 256 << 10 };

/// Tells temporary files apart, also those of processes that had the same number one after the
/// other, as in containers: a name that was used before may bring back what stood under it.
static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
    let now = UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros());
    AtomicU64::new(u64::try_from(now).unwrap_or(0))
});

/// Where an output is to appear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The target.
    pub target: PathBuf,
    /// Its folder.
    pub folder: PathBuf,
    /// The permission bits that it is to have, where that is known.
    pub mode: Option<u32>,
}

/// An output being written. Dropped before it is published, it removes its file.
#[derive(Debug)]
pub struct Part {
    files: Arc<dyn Files>,
    file: Careful,
    temporary: PathBuf,
    place: Place,
    entry: Entry,
    written: u64,
    /// Sums up what is written, where the run may be taken up again.
    adder: Option<Adder>,
    /// Whether the file is to stay should its publication fail.
    noted: bool,
    /// Whether the file is to stay when this is dropped: a record speaks of it, or it has gone.
    stays: Arc<AtomicBool>,
}

/// A second hand on the file of an output.
#[derive(Debug)]
pub struct Hand {
    file: Box<dyn OpenFile>,
    /// Its folder, which must know the file before a record speaks of it.
    folder: Option<Entry>,
    stays: Arc<AtomicBool>,
}

/// The entry of a file in its folder.
#[derive(Clone, Debug)]
struct Entry {
    files: Arc<dyn Files>,
    folder: PathBuf,
    is_durable: Arc<AtomicBool>,
}

impl Entry {
    fn new(files: &Arc<dyn Files>, place: &Place, is_durable: bool) -> Self {
        let is_durable = Arc::new(AtomicBool::new(is_durable));
        Self { files: Arc::clone(files), folder: place.folder.clone(), is_durable }
    }

    fn sync(&self) -> io::Result<()> {
        if !self.is_durable.load(Ordering::Acquire) {
            self.files.sync_folder(&self.folder)?;
            self.is_durable.store(true, Ordering::Release);
        }
        Ok(())
    }
}

impl Hand {
    /// Takes a file that nobody removes.
    pub fn on(file: Box<dyn OpenFile>) -> Self {
        Self { file: Box::new(Careful::new(file)), folder: None, stays: Arc::default() }
    }

    /// Makes what was written durable.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        self.folder.as_ref().map_or(Ok(()), Entry::sync)
    }

    /// Notes that a record speaks of the file: it stays however the run ends.
    pub fn stay(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }
}

/// Why an output cannot be taken up again.
#[derive(Debug, thiserror::Error)]
pub enum LeftError {
    /// Its temporary file is not there.
    #[error("it is gone")]
    Missing,
    /// It has fewer bytes than were written and made durable.
    #[error("it has {has} bytes, and {wrote} were written")]
    Shorter {
        /// What it has.
        has: u64,
        /// What was written.
        wrote: u64,
    },
    /// What was written is not what stands there.
    #[error("it was changed since")]
    Changed,
    /// It cannot be read or cut.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// An open file. Once a sync has failed, every other fails, too: the system may hold what
/// was written for clean and never write it, and would say that all is well.
#[derive(Debug)]
struct Careful {
    file: Box<dyn OpenFile>,
    spoiled: Arc<AtomicBool>,
}

impl Careful {
    fn new(file: Box<dyn OpenFile>) -> Self {
        Self { file, spoiled: Arc::default() }
    }
}

impl OpenFile for Careful {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.spoiled.load(Ordering::Acquire) {
            return Err(io::Error::other("what was written could not be made durable before"));
        }
        let synced = self.file.sync();
        self.spoiled.fetch_or(synced.is_err(), Ordering::AcqRel);
        synced
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.file.set_mode(mode)
    }

    fn set_length(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_length(bytes)
    }

    fn twin(&self) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(Self { file: self.file.twin()?, spoiled: Arc::clone(&self.spoiled) }))
    }
}

fn prefix(target: &Path) -> String {
    let name = target.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    // A name may be as long as the file system allows; ours must still fit behind it.
    if name.chars().count() <= KEPT {
        return format!(".{name}.");
    }
    let kept: String = name.chars().take(KEPT).collect();
    // Nobody else's may begin the same: whoever sweeps would take what another run goes on with.
    let mut sum = Adder::default();
    sum.add(name.as_bytes());
    format!(".{kept}~{:08x}.", sum.sum().0 >> 96)
}

impl Part {
    /// Creates the temporary file of a target, after removing those that ended runs left there.
    pub fn create(files: Arc<dyn Files>, place: Place) -> io::Result<Self> {
        let prefix = prefix(&place.target);
        sweep(files.as_ref(), &place.target, &place.folder)?;
        let (temporary, file) = loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let pid = std::process::id();
            let name = OsString::from(format!("{prefix}{pid:x}-{number:x}{SUFFIX}"));
            let path = place.folder.join(name);
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
        let mode = place.mode;
        let (file, stays) = (Careful::new(file), Arc::default());
        let (written, adder, noted) = (0, None, false);
        let entry = Entry::new(&files, &place, false);
        let mut part = Self { files, file, temporary, place, entry, written, adder, noted, stays };
        if let Some(mode) = mode {
            part.file.set_mode(mode)?;
        }
        Ok(part)
    }

    /// Takes up one that an ended run left: what counts of it must be as it was written, what is
    /// behind is cut off. It stays until it is published or discarded.
    pub fn take_up(files: Arc<dyn Files>, place: Place, at: &OutputAt) -> Result<Self, LeftError> {
        let temporary = PathBuf::from(&at.part);
        if !is_part(&temporary) {
            return Err(LeftError::Changed);
        }
        if !matches!(files.look(&temporary)?, Look::Regular { .. } | Look::Missing) {
            return Err(LeftError::Changed);
        }
        let file = match files.open_left(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LeftError::Missing);
            }
            file => file?,
        };
        let adder = add_up(files.as_ref(), &temporary, at.bytes)?;
        if adder.bytes() < at.bytes {
            return Err(LeftError::Shorter { has: adder.bytes(), wrote: at.bytes });
        }
        if at.sum != Some(adder.sum()) {
            return Err(LeftError::Changed);
        }
        let (file, stays) = (Careful::new(file), Arc::new(AtomicBool::new(true)));
        let (written, adder, noted) = (at.bytes, Some(adder), true);
        // A record spoke of it.
        let entry = Entry::new(&files, &place, true);
        let mut part = Self { files, file, temporary, place, entry, written, adder, noted, stays };
        part.file.set_length(at.bytes)?;
        // Ours is locked by now; a copy of it that was being made is not.
        sweep(part.files.as_ref(), &part.place.target, &part.place.folder)?;
        Ok(part)
    }

    /// Notes how far it goes, so that another run can publish it, or even, with `sums`, go on
    /// with it. Nothing may have been written yet.
    #[must_use]
    pub fn noted(mut self, sums: bool) -> Self {
        self.noted = true;
        self.adder = sums.then(Adder::default);
        self
    }

    /// Tells how far the output goes; none if that is not noted.
    pub fn at(&self) -> Option<OutputAt> {
        let part = self.temporary.to_str().filter(|_| self.noted)?.to_owned();
        let sum = self.adder.as_ref().map(Adder::sum);
        Some(OutputAt { part, bytes: self.written, sum, pending: Vec::new() })
    }

    /// Returns where the output is until it is published.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Returns a second hand on the file, for another thread.
    pub fn twin(&self) -> io::Result<Hand> {
        let (folder, stays) = (Some(self.entry.clone()), Arc::clone(&self.stays));
        Ok(Hand { file: self.file.twin()?, folder, stays })
    }

    fn stay(&self, stays: bool) {
        self.stays.store(stays, Ordering::Relaxed);
    }

    /// Appends bytes.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        if let Some(adder) = &mut self.adder {
            adder.add(bytes);
        }
        Ok(())
    }

    /// Makes what was written durable. After an error nothing may be assumed: do not retry.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        if self.noted { self.entry.sync() } else { Ok(()) }
    }

    /// Puts the output, which must be synced, in the place of its target.
    pub fn publish(self) -> io::Result<()> {
        // What was noted as whole is left for the next run to publish, should this fail.
        self.stay(self.noted);
        self.files.rename(&self.temporary, &self.place.target)?;
        self.stay(true);
        self.files.sync_folder(&self.place.folder)
    }

    /// Removes the file.
    pub fn discard(self) {
        self.stay(false);
    }

    /// Leaves the file where it is, for another run to take it up.
    pub fn leave(self) {
        self.stay(true);
    }

    /// Puts a copy of what was written in the place of the target, and leaves the file.
    pub fn publish_copy(self) -> io::Result<()> {
        self.stay(true);
        let (files, place) = (Arc::clone(&self.files), self.place.clone());
        // Its lock keeps it from being swept while it is copied.
        let mut copy = Self::create(Arc::clone(&files), place)?;
        read_through(files.as_ref(), &self.temporary, u64::MAX, |bytes| copy.write_all(bytes))?;
        copy.sync()?;
        copy.publish()
    }
}

/// Tells whether a file is a temporary one of ours by its name: no other is ever touched.
pub fn is_part(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    path.is_absolute() && name.is_some_and(|name| name.starts_with('.') && name.ends_with(SUFFIX))
}

/// Removes the temporary files of a target that ended runs left.
pub(in crate::publish) fn sweep(
    files: &dyn Files,
    target: &Path,
    folder: &Path,
) -> io::Result<usize> {
    files.remove_abandoned(folder, &prefix(target), SUFFIX)
}

/// Removes the temporary file that an ended run left, if it is still there.
pub fn remove(files: &dyn Files, path: &Path) -> io::Result<()> {
    if !is_part(path) {
        return Ok(());
    }
    match files.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Reads a file's first bytes, at most `limit`.
fn read_through(
    files: &dyn Files,
    path: &Path,
    mut limit: u64,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut from = files.read(path)?.ok_or(io::ErrorKind::NotFound)?;
    let mut room = vec![0; usize::try_from(limit).unwrap_or(READ).min(READ)];
    while limit > 0 {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX).min(READ);
        match from.read(&mut room[..wanted]) {
            Ok(0) => break,
            Ok(count) => {
                take(&room[..count])?;
                limit -= count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Sums up a file's first bytes, at most `limit`.
pub fn add_up(files: &dyn Files, path: &Path, limit: u64) -> io::Result<Adder> {
    let mut adder = Adder::default();
    read_through(files, path, limit, |bytes| {
        adder.add(bytes);
        Ok(())
    })?;
    Ok(adder)
}

impl Drop for Part {
    fn drop(&mut self) {
        // A record may speak of what was noted, and a panic asks nobody.
        let stays = self.stays.load(Ordering::Relaxed);
        if !stays && (!self.noted || !std::thread::panicking()) {
            // Nobody is left to tell; a file that stays is removed by the next run.
            self.files.remove(&self.temporary).ok();
        }
    }
}

#[cfg(test)]
mod tests;
