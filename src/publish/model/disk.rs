//! A disk that loses power: what is not synced may be there afterwards, in any subset and torn.

use std::path::Path;
use std::sync::Arc;

use crate::words::fuzz::Dice;

/// Which operation goes wrong, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Never,
    /// This one fails.
    Once(usize),
    /// This one and all behind it fail.
    Forever(usize),
    /// The process dies before this one, or in its middle if it writes.
    Death(usize),
}

/// What a worse program would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// It does not sync its outputs.
    NoDataSync,
    /// It does not sync its records.
    NoRecordSync,
    /// It does not sync folders.
    NoFolderSync,
    /// It syncs the folder of the outputs only once they are published.
    NoEntrySync,
    /// It believes a record that the disk may not know yet.
    NoSyncBeforeLoad,
    /// All its temporary files have the same names.
    FixedNames,
    /// It tries a failed sync again.
    SyncRetried,
    /// It does not cut what it takes up.
    NoTruncation,
    /// It writes its record over the one before.
    InPlace,
    /// It discards what it promised to publish, should anything fail.
    Forgetful,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Part,
    Record,
    Other,
}

/// A change of a file that is not on the disk for certain.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Bytes(usize, Vec<u8>),
    Length(usize),
}

impl Write {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Bytes(at, bytes) => put(to, *at, bytes),
            Self::Length(length) => to.resize(*length, 0),
        }
    }
}

fn put(to: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[at..end].copy_from_slice(bytes);
}

/// A file's bytes as they are read now, and as far as they are on the disk for certain.
#[derive(Clone, Debug)]
pub(super) struct Inode {
    pub(super) kind: Kind,
    pub(super) now: Vec<u8>,
    pub(super) mode: u32,
    /// How many have it open and locked.
    pub(super) locked: usize,
    disk: Vec<u8>,
    pending: Vec<Write>,
}

impl Inode {
    pub(super) fn new(kind: Kind, bytes: &[u8], mode: u32) -> Self {
        let (now, disk) = (bytes.to_vec(), bytes.to_vec());
        Self { kind, now, mode, locked: 0, disk, pending: Vec::new() }
    }

    pub(super) fn write(&mut self, write: Write) {
        write.apply(&mut self.now);
        self.pending.push(write);
    }

    /// Brings all to the disk; if that fails, some of it, and the rest never.
    pub(super) fn sync(&mut self, fails: bool, dice: &mut Dice) {
        for write in self.pending.drain(..) {
            if !fails || dice.roll(2) == 0 {
                write.apply(&mut self.disk);
            }
        }
    }

    fn after_power_loss(&self, pick: Pick<'_>) -> Vec<u8> {
        let mut left = self.disk.clone();
        for write in &self.pending {
            match (write, pick(if matches!(write, Write::Bytes(..)) { 5 } else { 2 })) {
                (_, 0) => {}
                (_, 1) => write.apply(&mut left),
                (Write::Bytes(at, bytes), 2) => put(&mut left, *at, &bytes[..bytes.len() / 2]),
                (Write::Bytes(at, bytes), 3) => put(&mut left, *at, &vec![0; bytes.len()]),
                (Write::Bytes(at, bytes), _) => put(&mut left, *at, &vec![b'?'; bytes.len()]),
                (Write::Length(_), _) => {}
            }
        }
        left
    }
}

/// A change of a folder that is not on the disk for certain.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Link(Arc<Path>, usize),
    Move(Arc<Path>, Arc<Path>, usize),
    Unlink(Arc<Path>),
}

impl Change {
    fn is_in(&self, folder: &Path) -> bool {
        let (Self::Link(path, _) | Self::Move(_, path, _) | Self::Unlink(path)) = self;
        name_in(path, folder).is_some()
    }
}

/// Compares the letters of two paths, which are always written alike: that is far less work.
fn is_same(one: &Path, other: &Path) -> bool {
    one.as_os_str() == other.as_os_str()
}

/// The name of what lies in a folder.
pub(super) fn name_in<'a>(path: &'a Path, folder: &Path) -> Option<&'a str> {
    let name = path.to_str()?.strip_prefix(folder.to_str()?)?.strip_prefix('/')?;
    (!name.contains('/')).then_some(name)
}

/// Decides between so many ways.
pub(super) type Pick<'a> = &'a mut dyn FnMut(usize) -> usize;

/// Which inode stands under which name.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Vec<(Arc<Path>, usize)>);

impl Names {
    pub(super) fn get(&self, path: &Path) -> Option<usize> {
        self.0.iter().find(|(name, _)| is_same(name, path)).map(|(_, inode)| *inode)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Arc<Path>, usize)> {
        self.0.iter()
    }

    fn insert(&mut self, path: &Arc<Path>, inode: usize) {
        self.remove(path);
        self.0.push((Arc::clone(path), inode));
    }

    fn remove(&mut self, path: &Path) {
        self.0.retain(|(name, _)| !is_same(name, path));
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Link(path, inode) => self.insert(path, *inode),
            Change::Unlink(path) => self.remove(path),
            Change::Move(from, to, inode) => {
                self.remove(from);
                self.insert(to, *inode);
            }
        }
    }

    /// A rename may have reached the disk as it was meant, with both names of the file, or as a
    /// note of the two names only, which then moves what else stood under the first.
    fn apply_some(&mut self, change: &Change, pick: Pick<'_>) {
        let ways = if matches!(change, Change::Move(..)) { 4 } else { 2 };
        match (pick(ways), change) {
            (0, _) => {}
            (2, Change::Move(_, to, inode)) => self.insert(to, *inode),
            (3, Change::Move(from, to, _)) => {
                if let Some(other) = self.get(from) {
                    self.remove(from);
                    self.insert(to, other);
                }
            }
            _ => self.apply(change),
        }
    }
}

/// A disk, and what the running process sees of it.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) inodes: Vec<Inode>,
    pub(super) now: Names,
    pub(super) bad: Option<Bad>,
    pub(super) dice: Dice,
    /// How many operations the process has begun.
    pub(super) done: usize,
    pub(super) is_dead: bool,
    /// How often the process synced a folder of records.
    pub(super) synced: usize,
    pub(super) fault: Fault,
    durable: Names,
    changes: Vec<Change>,
}

impl Disk {
    pub(super) fn new(bad: Option<Bad>, seed: u64) -> Self {
        Self {
            inodes: Vec::new(),
            now: Names::default(),
            bad,
            dice: Dice(seed | 1 << 63),
            done: 0,
            is_dead: false,
            synced: 0,
            fault: Fault::Never,
            durable: Names::default(),
            changes: Vec::new(),
        }
    }

    /// Puts a file on the disk that was there before all.
    pub(super) fn place(&mut self, path: &Path, inode: Inode) {
        let path = Arc::from(path);
        self.now.insert(&path, self.inodes.len());
        self.durable.insert(&path, self.inodes.len());
        self.inodes.push(inode);
    }

    pub(super) fn file(&self, path: &Path) -> Option<&Inode> {
        self.now.get(path).map(|inode| &self.inodes[inode])
    }

    /// Begins an operation; tells why it fails, if it does.
    pub(super) fn step(&mut self) -> std::io::Result<()> {
        let number = self.done;
        self.done += 1;
        self.is_dead |= matches!(self.fault, Fault::Death(n) if n <= number);
        match self.fault {
            Fault::Once(n) if n == number => Err(std::io::ErrorKind::StorageFull.into()),
            Fault::Forever(n) | Fault::Death(n) if n <= number => {
                Err(std::io::Error::other("no more of this disk"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn change(&mut self, change: Change) {
        self.now.apply(&change);
        self.changes.push(change);
    }

    /// Tells whether something in a folder was renamed and not synced.
    pub(super) fn has_moved(&self, folder: &Path) -> bool {
        let moved = |change: &Change| matches!(change, Change::Move(..)) && change.is_in(folder);
        self.changes.iter().any(moved)
    }

    pub(super) fn sync_folder(&mut self, folder: &Path) {
        let Self { changes, durable, .. } = self;
        changes.retain(|change| {
            let is_elsewhere = !change.is_in(folder);
            if !is_elsewhere {
                durable.apply(change);
            }
            is_elsewhere
        });
    }

    /// What another process finds once this one is gone, with its locks.
    pub(super) fn after_death(&self, fault: Fault) -> Self {
        let mut left = Self { fault, done: 0, is_dead: false, synced: 0, ..self.clone() };
        left.inodes.iter_mut().for_each(|inode| inode.locked = 0);
        left
    }

    /// What is there once the power is back.
    pub(super) fn after_power_loss(&self, pick: Pick<'_>) -> Self {
        let mut names = self.durable.clone();
        self.changes.iter().for_each(|change| names.apply_some(change, pick));
        let mut left = Self::new(self.bad, self.dice.0);
        let mut known: Vec<(usize, usize)> = Vec::new();
        for (path, inode) in names.iter() {
            let number = known.iter().find(|(was, _)| was == inode).map(|(_, is)| *is);
            let number = number.unwrap_or_else(|| {
                let was = &self.inodes[*inode];
                left.inodes.push(Inode::new(was.kind, &was.after_power_loss(pick), was.mode));
                known.push((*inode, left.inodes.len() - 1));
                left.inodes.len() - 1
            });
            left.now.insert(path, number);
        }
        left.durable = left.now.clone();
        left
    }

    /// Tells in how many ways the power may be lost, or more.
    pub(super) fn ways(&self) -> usize {
        let of_changes = self.changes.iter().map(|change| match change {
            Change::Move(..) => 4,
            Change::Link(..) | Change::Unlink(_) => 2,
        });
        let of_writes =
            self.inodes.iter().flat_map(|inode| &inode.pending).map(|write| match write {
                Write::Bytes(..) => 5,
                Write::Length(_) => 2,
            });
        of_changes.chain(of_writes).fold(1, usize::saturating_mul)
    }
}
