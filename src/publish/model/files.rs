//! The disk as the program uses it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::publish::files::{Files, Lock, Locked, Look, OpenFile, is_between};
use crate::publish::model::disk::{Bad, Change, Disk, Fault, Inode, Kind, Write, name_in};
use crate::publish::model::program::STATE;

/// The disk, shared by all hands on it.
#[derive(Clone, Debug)]
pub(super) struct Model(Arc<Mutex<Disk>>);

#[derive(Debug)]
struct ModelFile {
    model: Model,
    inode: usize,
    at: usize,
}

impl Lock for ModelFile {}

pub(super) fn kind(path: &Path) -> Kind {
    let (_, end) = path.to_str().unwrap().rsplit_once('.').unwrap_or_default();
    match end {
        "esteira-part" => Kind::Part,
        "new" => Kind::Record,
        _ => Kind::Other,
    }
}

/// The name of a temporary file without what is its own.
pub(super) fn common(path: &Path) -> PathBuf {
    if kind(path) == Kind::Other {
        return path.to_owned();
    }
    let name = path.to_str().unwrap();
    let (front, end) = name.rsplit_once('.').unwrap();
    let front = front.rsplit_once('.').map_or(front, |(front, _)| front);
    format!("{front}.fixed.{end}").into()
}

impl Model {
    pub(super) fn new(disk: Disk) -> Self {
        Self(Arc::new(Mutex::new(disk)))
    }

    /// A process begins on what another left.
    pub(super) fn begin(left: &Disk, fault: Fault) -> Self {
        Self::new(left.after_death(fault))
    }

    pub(super) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(disk: &Disk, path: &Path) -> PathBuf {
        if disk.bad == Some(Bad::FixedNames) { common(path) } else { path.to_owned() }
    }

    fn open(&self, disk: &mut Disk, inode: usize) -> ModelFile {
        disk.inodes[inode].locked += 1;
        ModelFile { model: self.clone(), inode, at: 0 }
    }

    /// Creates a file; a record in the place of the one before, if that is what is tried.
    fn create(&self, disk: &mut Disk, path: &Path) -> io::Result<ModelFile> {
        let is_in_place = disk.bad == Some(Bad::InPlace) && kind(path) == Kind::Record;
        let name = if is_in_place { path.with_file_name("state") } else { Self::name(disk, path) };
        if let Some(inode) = disk.now.get(&name) {
            if !is_in_place {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            disk.inodes[inode].write(Write::Length(0));
            return Ok(self.open(disk, inode));
        }
        disk.inodes.push(Inode::new(kind(path), &[], 0o644));
        let inode = disk.inodes.len() - 1;
        disk.change(Change::Link(name.into(), inode));
        Ok(self.open(disk, inode))
    }
}

impl OpenFile for ModelFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.model.disk();
        let was_dead = disk.is_dead;
        let went = disk.step();
        // A write that fails, or dies, may have written something.
        let count = match went {
            Ok(()) => bytes.len(),
            Err(_) if was_dead => 0,
            Err(_) => bytes.len() * disk.dice.roll(3) / 2,
        };
        if count > 0 {
            disk.inodes[self.inode].write(Write::Bytes(self.at, bytes[..count].to_vec()));
            self.at += count;
        }
        went
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.model.disk();
        loop {
            let went = disk.step();
            if disk.is_dead {
                return went;
            }
            let kind = disk.inodes[self.inode].kind;
            match disk.bad {
                Some(Bad::NoDataSync) if kind == Kind::Part => return went,
                Some(Bad::NoRecordSync) if kind == Kind::Record => return went,
                _ => {}
            }
            let mut dice = disk.dice;
            disk.inodes[self.inode].sync(went.is_err(), &mut dice);
            disk.dice = dice;
            if went.is_ok() || disk.bad != Some(Bad::SyncRetried) {
                return went;
            }
            // Else it would never end where all fails.
            disk.fault = Fault::Never;
        }
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        let mut disk = self.model.disk();
        disk.step()?;
        disk.inodes[self.inode].mode = mode;
        Ok(())
    }

    fn set_length(&mut self, bytes: u64) -> io::Result<()> {
        let mut disk = self.model.disk();
        disk.step()?;
        self.at = usize::try_from(bytes).unwrap();
        if disk.bad == Some(Bad::NoTruncation) {
            self.at = disk.inodes[self.inode].now.len();
        } else {
            disk.inodes[self.inode].write(Write::Length(self.at));
        }
        Ok(())
    }

    fn twin(&self) -> io::Result<Box<dyn OpenFile>> {
        let mut disk = self.model.disk();
        disk.step()?;
        Ok(Box::new(self.model.open(&mut disk, self.inode)))
    }
}

impl Drop for ModelFile {
    fn drop(&mut self) {
        self.model.disk().inodes[self.inode].locked -= 1;
    }
}

impl Files for Model {
    fn look(&self, path: &Path) -> io::Result<Look> {
        let mut disk = self.disk();
        disk.step()?;
        let found = disk.file(path);
        Ok(found.map_or(Look::Missing, |file| Look::Regular { mode: file.mode }))
    }

    /// All folders are there.
    fn create_folders(&self, _folder: &Path) -> io::Result<()> {
        self.disk().step()
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let mut disk = self.disk();
        disk.step()?;
        Ok(Box::new(self.create(&mut disk, path)?))
    }

    fn open_left(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let mut disk = self.disk();
        disk.step()?;
        let inode = disk.now.get(&Self::name(&disk, path)).ok_or(io::ErrorKind::NotFound)?;
        let names = disk.now.iter().filter(|(_, other)| *other == inode).count();
        if names != 1 {
            return Err(io::Error::other("it is no regular file with one name"));
        }
        if disk.inodes[inode].locked > 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(self.open(&mut disk, inode)))
    }

    fn read(&self, path: &Path) -> io::Result<Option<Box<dyn io::Read + Send>>> {
        let mut disk = self.disk();
        disk.step()?;
        let bytes = disk.file(&Self::name(&disk, path)).map(|file| file.now.clone());
        Ok(bytes.map(|bytes| Box::new(io::Cursor::new(bytes)) as Box<dyn io::Read + Send>))
    }

    fn lock(&self, path: &Path, _who: &str) -> io::Result<Locked> {
        let mut disk = self.disk();
        disk.step()?;
        let inode = match disk.now.get(path) {
            Some(inode) if disk.inodes[inode].locked > 0 => {
                return Ok(Locked::Theirs("somebody".to_owned()));
            }
            Some(inode) => inode,
            None => return Ok(Locked::Ours(Box::new(self.create(&mut disk, path)?))),
        };
        Ok(Locked::Ours(Box::new(self.open(&mut disk, inode))))
    }

    fn open_stream(&self, _path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        if disk.bad == Some(Bad::InPlace) && kind(from) == Kind::Record {
            return Ok(());
        }
        let from = Self::name(&disk, from);
        let inode = disk.now.get(&from).ok_or(io::ErrorKind::NotFound)?;
        if disk.now.get(to) != Some(inode) {
            disk.change(Change::Move(from.into(), to.into(), inode));
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        let path = Self::name(&disk, path);
        disk.now.get(&path).ok_or(io::ErrorKind::NotFound)?;
        disk.change(Change::Unlink(path.into()));
        Ok(())
    }

    /// A folder that could not be synced is as it was before: changes of folders stand in a
    /// journal, and one that failed takes nothing more, rather than to leave something out.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        let is_of_records = folder == Path::new(STATE);
        disk.synced += usize::from(is_of_records);
        let is_left_out = match disk.bad {
            Some(Bad::NoFolderSync) => true,
            Some(Bad::NoEntrySync) => !is_of_records && !disk.has_moved(folder),
            Some(Bad::NoSyncBeforeLoad) => is_of_records && disk.synced == 1,
            _ => false,
        };
        if !is_left_out {
            disk.sync_folder(folder);
        }
        Ok(())
    }

    fn remove_abandoned(&self, folder: &Path, prefix: &str, suffix: &str) -> io::Result<usize> {
        let mut disk = self.disk();
        disk.step()?;
        let abandoned = |(path, inode): &&(Arc<Path>, usize)| {
            let is_ours = |name| is_between(name, prefix, suffix);
            name_in(path, folder).is_some_and(is_ours) && disk.inodes[*inode].locked == 0
        };
        let found = disk.now.iter().filter(abandoned).map(|(path, _)| Arc::clone(path));
        let found: Vec<Arc<Path>> = found.collect();
        let count = found.len();
        for path in found {
            disk.change(Change::Unlink(path));
        }
        Ok(count)
    }
}
