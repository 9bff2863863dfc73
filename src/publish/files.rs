//! The few file-system operations that publishing needs, behind a trait, so that a model of a
//! disk can take the real one's place.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

/// What stands at a path, links not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing.
    Missing,
    /// A regular file with these permission bits.
    Regular {
        /// Its permission bits.
        mode: u32,
    },
    /// A link, and what stands where it leads in the end.
    Link {
        /// Where it leads, as far as that can be told.
        to: PathBuf,
        /// What stands there.
        target: Box<Look>,
    },
    /// A folder.
    Folder,
    /// A block device.
    Block,
    /// A FIFO or a character device: written through.
    Stream,
    /// A socket.
    Socket,
}

/// A file being written.
pub trait OpenFile: Send + fmt::Debug {
    /// Appends all of `bytes`.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written so far durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Sets the permission bits.
    fn set_mode(&mut self, mode: u32) -> io::Result<()>;

    /// Cuts off what is behind the first `bytes`, and goes on from there.
    fn set_length(&mut self, bytes: u64) -> io::Result<()>;

    /// Gives a second hand on the same open file, to sync it from another thread.
    fn twin(&self) -> io::Result<Box<dyn OpenFile>>;
}

/// That a file is locked, as long as it lives.
pub trait Lock: Send + fmt::Debug {}

/// Whether a file could be locked.
#[derive(Debug)]
pub enum Locked {
    /// Yes.
    Ours(Box<dyn Lock>),
    /// Another process has it; what that wrote into it.
    Theirs(String),
}

/// A file system.
pub trait Files: Send + Sync + fmt::Debug {
    /// Looks at what stands at a path.
    fn look(&self, path: &Path) -> io::Result<Look>;

    /// Creates a folder and those above it that are missing, durably.
    fn create_folders(&self, folder: &Path) -> io::Result<()>;

    /// Creates a file that must not exist and marks it as in use while it is open.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Opens a file of ours that an ended run left, and marks it as in use. It must be a regular
    /// one with no other name.
    fn open_left(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Opens a file for reading; none if there is none.
    fn read(&self, path: &Path) -> io::Result<Option<Box<dyn io::Read + Send>>>;

    /// Locks a file, which is made if need be and told who has it.
    fn lock(&self, path: &Path, who: &str) -> io::Result<Locked>;

    /// Opens a FIFO or device for writing.
    fn open_stream(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Renames a file, replacing what stands at `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the entries of a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Removes the files of a folder whose name begins with `prefix` and ends with `suffix`, without
    /// a dot between, and that nobody has in use any more; returns how many.
    fn remove_abandoned(&self, folder: &Path, prefix: &str, suffix: &str) -> io::Result<usize>;
}

/// The real one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

/// How much is written before the disk is asked to begin with it.
const BEGIN: u64 = 16 << 20;

#[derive(Debug)]
struct DiskFile {
    file: File,
    written: u64,
    /// Up to where the disk was asked to begin.
    begun: u64,
}

impl DiskFile {
    fn new(file: File) -> Self {
        Self { file, written: 0, begun: 0 }
    }
}

impl OpenFile for DiskFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A std file has no buffer of its own, so an error is told by the write it belongs to.
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        if self.written - self.begun >= BEGIN {
            // Left to itself the kernel keeps everything for the sync at the end, which then
            // takes as long as the writing did. Asked to let go of pages that are still dirty,
            // it starts to write them and lets go of none. Only a hint: errors show at the sync.
            let length = std::num::NonZeroU64::new(self.written - self.begun);
            rustix::fs::fadvise(&self.file, self.begun, length, rustix::fs::Advice::DontNeed).ok();
            self.begun = self.written;
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.file.set_permissions(fs::Permissions::from_mode(mode))
    }

    fn set_length(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.file.seek(io::SeekFrom::Start(bytes))?;
        (self.written, self.begun) = (bytes, bytes);
        Ok(())
    }

    fn twin(&self) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(Self::new(self.file.try_clone()?)))
    }
}

#[derive(Debug)]
struct DiskLock(#[expect(dead_code, reason = "open as long as it is locked")] File);

impl Lock for DiskLock {}

/// Makes a hand on a file that something else writes, to sync it.
pub fn hand(file: File) -> Box<dyn OpenFile> {
    Box::new(DiskFile::new(file))
}

/// Tells whether a name is `prefix`, something without a dot, and `suffix`: with a dot it belongs
/// to another whose name only begins the same.
pub(in crate::publish) fn is_between(name: &str, prefix: &str, suffix: &str) -> bool {
    let between = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix));
    between.is_some_and(|between| !between.contains('.'))
}

fn look_of(metadata: &fs::Metadata) -> Look {
    let kind = metadata.file_type();
    if kind.is_file() {
        Look::Regular { mode: metadata.permissions().mode() & 0o7777 }
    } else if kind.is_dir() {
        Look::Folder
    } else if kind.is_block_device() {
        Look::Block
    } else if kind.is_socket() {
        Look::Socket
    } else {
        Look::Stream
    }
}

fn none_if_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Files for Disk {
    fn look(&self, path: &Path) -> io::Result<Look> {
        let Some(metadata) = none_if_missing(fs::symlink_metadata(path))? else {
            return Ok(Look::Missing);
        };
        if !metadata.file_type().is_symlink() {
            return Ok(look_of(&metadata));
        }
        let target = none_if_missing(fs::metadata(path))?;
        let to = fs::canonicalize(path).or_else(|_| fs::read_link(path))?;
        let target = Box::new(target.as_ref().map_or(Look::Missing, look_of));
        Ok(Look::Link { to, target })
    }

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        let above = folder.parent().unwrap_or(Path::new("/"));
        self.create_folders(above)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.sync_folder(above),
        }
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let mut options = File::options();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o666)
            .custom_flags(libc::O_NOFOLLOW)
            .open(path)?;
        file.try_lock().map_err(io::Error::from)?;
        Ok(Box::new(DiskFile::new(file)))
    }

    fn open_left(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let file = File::options().write(true).custom_flags(libc::O_NOFOLLOW).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.nlink() != 1 {
            return Err(io::Error::other("it is no regular file with one name"));
        }
        file.try_lock().map_err(io::Error::from)?;
        Ok(Box::new(DiskFile::new(file)))
    }

    fn read(&self, path: &Path) -> io::Result<Option<Box<dyn io::Read + Send>>> {
        let file = File::options().read(true).custom_flags(libc::O_NOFOLLOW).open(path);
        Ok(none_if_missing(file)?.map(|file| Box::new(file) as Box<dyn io::Read + Send>))
    }

    fn lock(&self, path: &Path, who: &str) -> io::Result<Locked> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.custom_flags(libc::O_NOFOLLOW).open(path)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                file.write_all(who.as_bytes())?;
                Ok(Locked::Ours(Box::new(DiskLock(file))))
            }
            Err(fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                Ok(Locked::Theirs(holder))
            }
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn open_stream(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(DiskFile::new(File::options().write(true).open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn remove_abandoned(&self, folder: &Path, prefix: &str, suffix: &str) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let ours = name.to_str().is_some_and(|name| is_between(name, prefix, suffix));
            if !ours || !entry.file_type()?.is_file() {
                continue;
            }
            // What may not even be opened is not ours: it is in nobody's way.
            let Ok(file) = File::open(entry.path()) else {
                continue;
            };
            // Whoever writes it holds its lock; a lock that can be had belongs to nobody alive.
            if file.try_lock().is_ok() {
                removed += usize::from(fs::remove_file(entry.path()).is_ok());
            }
        }
        Ok(removed)
    }
}
