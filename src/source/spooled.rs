//! Standard input with a copy: what comes is written to a file as fast as it comes, and read from
//! there, so that a run that was cut off can read it again.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::plan;
use crate::publish::files::hand;
use crate::publish::part::Hand;
use crate::publish::state::Fact;
use crate::source::split::Owned;
use crate::source::stdin::Waiting;
use crate::source::{Input, Read, Reader, Source, Trouble};
use crate::words::outcome::{Exit, Failure};
use crate::words::record::Split;

/// How much is copied at once.
const COPY: usize = 256 << 10;

/// Standard input with a copy.
#[derive(Debug)]
pub struct Spooled {
    path: PathBuf,
    shown: String,
    wake: OwnedFd,
    copy: Arc<Copy>,
    /// How long the copy is that another run left, which is read in place of stdin.
    left: Option<u64>,
}

#[derive(Debug)]
struct Copy {
    state: Mutex<State>,
    more: Condvar,
    /// How long it is, once all of it is there.
    whole: Arc<OnceLock<u64>>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<Arc<File>>,
    length: u64,
    end: Option<End>,
}

#[derive(Debug)]
enum End {
    Reached,
    Stopped,
    Failed(String),
}

impl Copy {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: End) {
        let mut state = self.state();
        if let End::Reached = end {
            self.whole.get_or_init(|| state.length);
        }
        state.end = Some(end);
        drop(state);
        self.more.notify_all();
    }
}

impl Spooled {
    /// Makes the source; its copy lies at `path`, and `wake` becomes readable when the run stops.
    pub fn new(path: PathBuf, caller: &Path, wake: OwnedFd) -> Self {
        let shown = plan::display(caller, &path);
        let copy =
            Arc::new(Copy { state: Mutex::default(), more: Condvar::new(), whole: Arc::default() });
        Self { path, shown, wake, copy, left: None }
    }

    fn cannot(&self, error: &io::Error) -> Failure {
        let message = format!("cannot keep a copy of stdin in `{}`: {error}", self.shown);
        Failure::new(Exit::World, message)
            .hint("`--state-dir FOLDER` keeps it elsewhere; without `spool` there is none")
    }

    /// Starts to copy, on a thread of its own.
    fn start(&self) -> io::Result<()> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        let file = Arc::new(options.custom_flags(libc::O_NOFOLLOW).open(&self.path)?);
        self.copy.state().file = Some(Arc::clone(&file));
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let mut input = Waiting::new(input, self.wake.try_clone()?);
        let copy = Arc::clone(&self.copy);
        std::thread::Builder::new().name("copy:stdin".to_owned()).spawn(move || {
            let mut room = vec![0; COPY];
            let end = loop {
                let count = match input.read(&mut room) {
                    Ok(Read::Idle) => continue,
                    Ok(Read::Stopped) => break End::Stopped,
                    Ok(Read::Bytes(0)) => break End::Reached,
                    Ok(Read::Bytes(count)) => count,
                    Err(Trouble::Io(e)) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Err(trouble) => break End::Failed(trouble.to_string()),
                };
                if let Err(error) = (&*file).write_all(&room[..count]) {
                    break End::Failed(format!("no copy can be kept of it: {error}"));
                }
                copy.state().length += count as u64;
                copy.more.notify_all();
            };
            copy.end(end);
        })?;
        Ok(())
    }
}

impl Source for Spooled {
    fn inputs(&self) -> Vec<Input> {
        vec![Input { end: self.left }]
    }

    fn length(&self) -> Option<Arc<OnceLock<u64>>> {
        Some(Arc::clone(&self.copy.whole))
    }

    fn freeze(&mut self, ends: &[Option<u64>]) -> Result<(), Failure> {
        let [Some(end)] = ends else {
            let message = "cannot go on: stdin had not come to its end when the run was cut off";
            return Err(Failure::new(Exit::Locked, message).hint(
                "without `--resume` the run starts afresh, and reads stdin from its beginning",
            ));
        };
        self.left = Some(*end);
        Ok(())
    }

    fn stamps(&self) -> Option<Vec<Fact>> {
        Some(Vec::new())
    }

    fn settles(&self) -> bool {
        // The copy goes when the run is over.
        false
    }

    fn twin(&self) -> io::Result<Option<Hand>> {
        let file = self.copy.state().file.clone();
        file.map(|file| Ok(Hand::on(hand(file.try_clone()?)))).transpose()
    }

    fn prepare(&self) -> Result<(), Failure> {
        if self.left.is_some() {
            return Ok(());
        }
        self.start().map_err(|error| self.cannot(&error))
    }

    fn open(&self, split: Split) -> Result<Box<dyn Reader>, Failure> {
        let file = match self.left {
            None => self.copy.state().file.clone(),
            Some(_) => Some(Arc::new(File::open(&self.path).map_err(|e| self.cannot(&e))?)),
        };
        let file = file.ok_or_else(|| self.cannot(&io::ErrorKind::NotFound.into()))?;
        if let Some(end) = self.left {
            let file = file.try_clone().map_err(|error| self.cannot(&error))?;
            let end = split.end.unwrap_or(end);
            let owned = Owned::new(file, split.start, end).map_err(|e| self.cannot(&e))?;
            return Ok(Box::new(owned));
        }
        Ok(Box::new(Tail { copy: Arc::clone(&self.copy), file, at: 0, told_idle: false }))
    }

    fn name_of(&self, _input: u32) -> Arc<str> {
        "-".into()
    }

    fn total(&self) -> Option<u64> {
        self.left
    }
}

/// Reads the copy as it grows.
struct Tail {
    copy: Arc<Copy>,
    file: Arc<File>,
    at: u64,
    told_idle: bool,
}

impl Reader for Tail {
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble> {
        let mut state = self.copy.state();
        while state.length == self.at {
            match &state.end {
                Some(End::Reached) => return Ok(Read::Bytes(0)),
                Some(End::Stopped) => return Ok(Read::Stopped),
                Some(End::Failed(why)) => return Err(io::Error::other(why.clone()).into()),
                None if !std::mem::replace(&mut self.told_idle, true) => return Ok(Read::Idle),
                None => state = self.copy.more.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        let left = usize::try_from(state.length - self.at).unwrap_or(usize::MAX);
        drop(state);
        self.told_idle = false;
        let wanted = room.len().min(left);
        let count = self.file.read_at(&mut room[..wanted], self.at)?;
        self.at += count as u64;
        Ok(Read::Bytes(count))
    }
}
