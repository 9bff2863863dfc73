//! Publishing on a model of a disk that fails, is unplugged or loses power at any operation.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{Part, Place, SUFFIX};
use crate::publish::files::{Files, Locked, Look, OpenFile};

const TARGET: &str = "/out/users.ndjson";
/// A run that still goes on writes it.
const LIVE: &str = "/out/.users.ndjson.1-0.esteira-part";
/// Files of others, whose names come close.
const OTHERS: [&str; 3] =
    ["/out/.users.ndjson", "/out/other.esteira-part", "/out/.users.ndjsom.2-2.esteira-part"];

/// Which operation goes wrong, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Never,
    /// This one fails.
    Once(usize),
    /// This one and all behind it fail.
    Forever(usize),
    /// The process dies before this one, or in its middle if it writes.
    Death(usize),
}

/// A file's bytes as they are read now, and as far as they are on the disk for certain.
#[derive(Clone, Debug, Default)]
struct Inode {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// A sync failed: the kernel took the pages for written, and never will write them.
    lost: bool,
    mode: u32,
    locked: bool,
}

/// A change of the folder that is not on the disk for certain.
#[derive(Clone, Debug)]
enum Change {
    Link(PathBuf, usize),
    Move(PathBuf, PathBuf, usize),
    Unlink(PathBuf),
}

type Names = BTreeMap<PathBuf, usize>;

#[derive(Debug, Default)]
struct State {
    inodes: Vec<Inode>,
    now: Names,
    durable: Names,
    pending: Vec<Change>,
    done: usize,
    fault: Option<Fault>,
    /// What the target may hold, at any time and after any power loss.
    allowed: Vec<Option<Vec<u8>>>,
}

#[derive(Clone, Debug, Default)]
struct Model(Arc<Mutex<State>>);

#[derive(Debug)]
struct ModelFile(Model, usize);

fn apply(names: &mut Names, change: &Change) {
    match change {
        Change::Link(path, inode) => drop(names.insert(path.clone(), *inode)),
        Change::Move(from, to, inode) => {
            names.remove(from);
            names.insert(to.clone(), *inode);
        }
        Change::Unlink(path) => drop(names.remove(path)),
    }
}

impl State {
    /// Counts an operation and checks that all is well before it; fails if it is to fail.
    fn step(&mut self) -> io::Result<()> {
        self.check();
        let number = self.done;
        self.done += 1;
        match self.fault.unwrap_or(Fault::Never) {
            Fault::Once(n) if n == number => Err(io::ErrorKind::StorageFull.into()),
            Fault::Forever(n) | Fault::Death(n) if n <= number => {
                Err(io::Error::other("no more of this disk"))
            }
            _ => Ok(()),
        }
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.now, &change);
        self.pending.push(change);
    }

    /// All that a power loss may leave at a path: any of the pending changes may have reached
    /// the disk, and of bytes that were not synced any beginning.
    fn after_power_loss(&self, path: &Path) -> Vec<Option<Vec<u8>>> {
        let mut left = Vec::new();
        for subset in 0..1u32 << self.pending.len() {
            let mut names = self.durable.clone();
            let chosen = (0u32..).zip(&self.pending).filter(|(bit, _)| subset >> bit & 1 == 1);
            chosen.for_each(|(_, change)| apply(&mut names, change));
            let Some(inode) = names.get(path).map(|inode| &self.inodes[*inode]) else {
                left.push(None);
                continue;
            };
            let half = usize::midpoint(inode.durable.len(), inode.bytes.len());
            left.extend(
                [inode.durable.len(), half, inode.bytes.len()]
                    .map(|l| Some(inode.bytes[..l].to_vec())),
            );
            left.push(Some(inode.durable.clone()));
        }
        left
    }

    #[track_caller]
    fn check(&self) {
        let now = self.now.get(Path::new(TARGET)).map(|inode| self.inodes[*inode].bytes.clone());
        assert!(self.allowed.contains(&now), "the target holds {now:?}");
        for left in self.after_power_loss(Path::new(TARGET)) {
            assert!(self.allowed.contains(&left), "after a power loss the target holds {left:?}");
        }
    }

    fn temporary(&self) -> Vec<&PathBuf> {
        let ours = |path: &&PathBuf| {
            let text = path.to_str().unwrap();
            text.starts_with("/out/.users.ndjson.") && text.ends_with(SUFFIX)
        };
        self.now.keys().filter(ours).filter(|path| *path != Path::new(LIVE)).collect()
    }
}

impl Model {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// A disk with `old` at the target, and other people's files beside it.
    fn new(old: Option<&[u8]>, mode: u32) -> Self {
        let model = Self::default();
        let mut state = model.state();
        let others = OTHERS.iter().map(|path| (*path, &b"theirs"[..], false));
        let files =
            others.chain([(LIVE, &b"half"[..], true)]).chain(old.map(|old| (TARGET, old, false)));
        for (path, bytes, locked) in files {
            let number = state.inodes.len();
            let (bytes, durable) = (bytes.to_vec(), bytes.to_vec());
            state.inodes.push(Inode { bytes, durable, mode, locked, lost: false });
            state.now.insert(path.into(), number);
        }
        state.durable = state.now.clone();
        state.allowed = vec![old.map(<[u8]>::to_vec)];
        drop(state);
        model
    }

    /// Publishes `chunks` as a sink does; from now on they may stand at the target, too.
    fn publish(&self, chunks: &[Vec<u8>], mode: Option<u32>, fault: Fault) -> io::Result<()> {
        let mut state = self.state();
        state.allowed.push(Some(chunks.concat()));
        (state.done, state.fault) = (0, Some(fault));
        drop(state);
        let files: Arc<dyn Files> = Arc::new(self.clone());
        let mut part = {
            let place = Place { target: TARGET.into(), folder: "/out".into(), mode };
            Part::create(files, place)?
        };
        for chunk in chunks {
            part.write_all(chunk)?;
        }
        part.sync()?;
        part.publish()
    }

    /// The process is gone, and all its locks. If the power was cut, so may be some of its work.
    fn restart(&self, power_loss: Option<u32>) {
        let mut state = self.state();
        if let Some(luck) = power_loss {
            let mut names = state.durable.clone();
            let pending = std::mem::take(&mut state.pending);
            let chosen = (0u32..).zip(&pending).filter(|(bit, _)| luck >> (bit % 32) & 1 == 1);
            chosen.for_each(|(_, change)| apply(&mut names, change));
            (state.now, state.durable) = (names.clone(), names);
            for inode in &mut state.inodes {
                inode.bytes = inode.durable.clone();
            }
        }
        let live = state.now.get(Path::new(LIVE)).copied();
        for (number, inode) in state.inodes.iter_mut().enumerate() {
            inode.locked = Some(number) == live;
        }
        drop(state);
    }

    fn target(&self) -> Option<Inode> {
        let state = self.state();
        let inode = state.now.get(Path::new(TARGET)).map(|inode| state.inodes[*inode].clone());
        drop(state);
        inode
    }
}

impl OpenFile for ModelFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.state();
        let went = state.step();
        // A write that fails, or dies, may have written something.
        let count = if went.is_ok() { bytes.len() } else { bytes.len() / 2 };
        state.inodes[self.1].bytes.extend_from_slice(&bytes[..count]);
        went
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.0.state();
        let went = state.step();
        let inode = &mut state.inodes[self.1];
        inode.lost |= went.is_err();
        if !inode.lost {
            inode.durable = inode.bytes.clone();
        }
        went
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        let mut state = self.0.state();
        state.step()?;
        state.inodes[self.1].mode = mode;
        Ok(())
    }

    fn set_length(&mut self, _bytes: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn twin(&self) -> io::Result<Box<dyn OpenFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Drop for ModelFile {
    fn drop(&mut self) {
        self.0.state().inodes[self.1].locked = false;
    }
}

impl Files for Model {
    fn look(&self, _path: &Path) -> io::Result<Look> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn create_folders(&self, _folder: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let mut state = self.state();
        state.step()?;
        if state.now.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = state.inodes.len();
        state.inodes.push(Inode { mode: 0o644, locked: true, ..Inode::default() });
        state.change(Change::Link(path.into(), number));
        drop(state);
        Ok(Box::new(ModelFile(self.clone(), number)))
    }

    fn open_left(&self, _path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read(&self, _path: &Path) -> io::Result<Option<Box<dyn io::Read + Send>>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn lock(&self, _path: &Path, _who: &str) -> io::Result<Locked> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn open_stream(&self, _path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        let inode = *state.now.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.change(Change::Move(from.into(), to.into(), inode));
        state.check();
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.change(Change::Unlink(path.into()));
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        assert_eq!(folder, Path::new("/out"));
        state.pending.clear();
        state.durable = state.now.clone();
        Ok(())
    }

    fn remove_abandoned(&self, folder: &Path, prefix: &str, suffix: &str) -> io::Result<usize> {
        let mut state = self.state();
        state.step()?;
        let abandoned = |(path, inode): (&PathBuf, &usize)| {
            let name = path.strip_prefix(folder).ok()?.to_str()?;
            let ours = name.starts_with(prefix) && name.ends_with(suffix);
            (ours && !state.inodes[*inode].locked).then(|| path.clone())
        };
        let found: Vec<PathBuf> = state.now.iter().filter_map(abandoned).collect();
        for path in &found {
            state.change(Change::Unlink(path.clone()));
        }
        Ok(found.len())
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        1 => Just(Fault::Never),
        3 => (0usize..12).prop_map(Fault::Once),
        3 => (0usize..12).prop_map(Fault::Forever),
        3 => (0usize..12).prop_map(Fault::Death),
    ]
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(4096))]

    #[test]
    fn the_target_is_the_old_or_the_new_one_whatever_happens(
        old in option::of(vec(any::<u8>(), 0..20)),
        new in vec(vec(any::<u8>(), 0..20), 0..5),
        again in vec(vec(any::<u8>(), 0..20), 0..3),
        fault in fault(),
        power_loss in option::of(any::<u32>()),
    ) {
        let model = Model::new(old.as_deref(), 0o640);
        let mode = old.as_ref().map(|_| 0o640);
        let published = model.publish(&new, mode, fault);
        let state = model.state();
        // The part is gone by now, so this is also what it left behind.
        state.check();
        let (steps, temporary) = (state.done, state.temporary().len());
        drop(state);
        let target = model.target();
        match &published {
            Ok(()) => {
                let target = target.unwrap();
                prop_assert_eq!((target.bytes, target.mode), (new.concat(), mode.unwrap_or(0o644)));
                let sure = model.state().after_power_loss(Path::new(TARGET));
                prop_assert!(sure.iter().all(|left| *left == Some(new.concat())), "it is durable");
            }
            Err(_) => prop_assert!(fault != Fault::Never),
        }
        match fault {
            Fault::Forever(n) | Fault::Death(n) if n < steps => {
                prop_assert!(published.is_err());
            }
            _ => prop_assert_eq!(temporary, 0, "nothing is left behind"),
        }

        // The next run finds its way, whatever was left.
        model.restart(power_loss.filter(|_| published.is_err()));
        let left = model.state().after_power_loss(Path::new(TARGET));
        model.state().allowed = left;
        model.publish(&again, None, Fault::Never).unwrap();
        prop_assert_eq!(model.target().unwrap().bytes, again.concat());
        let state = model.state();
        prop_assert_eq!(state.temporary(), Vec::<&PathBuf>::new());
        for path in OTHERS.iter().chain([&LIVE]) {
            prop_assert!(state.now.contains_key(Path::new(path)), "{} is not ours to touch", path);
        }
    }
}

#[test]
fn a_name_as_long_as_can_be_has_room_for_a_temporary_one() {
    for name in ["n".repeat(255), "\u{e9}".repeat(127)] {
        let target = tempfile::tempdir().unwrap();
        let path = target.path().join(name);
        let files: Arc<dyn Files> = Arc::new(crate::publish::files::Disk);
        let folder = target.path().to_owned();
        let mut part = {
            let place = Place { target: path.clone(), folder, mode: Some(0o604) };
            Part::create(files, place).unwrap()
        };
        part.write_all(b"whole").unwrap();
        part.sync().unwrap();
        part.publish().unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 1);
    }
}
