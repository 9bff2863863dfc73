//! All workers of a run: started here, signalled together, and swept up after.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, WaitOptions};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;

use crate::child::guard::{KILL, Report};
use crate::child::pump::{Reader, Rhythm, Writer};
use crate::child::spawn::{self, Spec};
use crate::child::stop::Remote;
use crate::child::{proc, sys};

/// The guards of a run.
#[derive(Debug)]
pub struct Nursery {
    guards: Mutex<HashMap<u32, Arc<Remote>>>,
    /// Children that were there before the run: not ours to touch.
    strangers: Vec<u32>,
    /// Shared by the pumps of all workers, which run on one thread.
    rhythm: Rhythm,
}

/// A worker that runs.
#[derive(Debug)]
pub struct Worker {
    /// Its process number.
    pid: u32,
    /// Its stdin.
    pub stdin: Writer,
    /// Its stdout.
    pub stdout: Reader,
    /// Its stderr.
    pub stderr: Reader,
    /// Its guard.
    pub keeper: Keeper,
}

/// The line to a worker's guard.
#[derive(Debug)]
pub struct Keeper {
    guard: std::process::Child,
    reports: BufReader<OwnedReadHalf>,
    remote: Arc<Remote>,
    nursery: Arc<Nursery>,
}

/// How a worker ended.
#[derive(Debug)]
pub enum End {
    /// Its guard told.
    Told(Report),
    /// Its guard died; what it left behind was killed.
    Lost,
}

/// Why a worker did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The program itself could not be run.
    #[error("{0}")]
    Program(io::Error),
    /// Something the controller needs for it failed.
    #[error("{0}")]
    Own(io::Error),
}

impl Nursery {
    /// Prepares this process to have workers: orphans come to it, descriptors stay with it.
    pub fn new(rhythm: Rhythm) -> io::Result<Arc<Self>> {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        sys::close_on_exec_from(3)?;
        Ok(Arc::new(Self { guards: Mutex::default(), strangers: proc::children()?, rhythm }))
    }

    fn guards(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Arc<Remote>>> {
        self.guards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a worker and waits until it runs.
    pub async fn spawn(self: &Arc<Self>, spec: &Spec<'_>) -> Result<Worker, SpawnError> {
        let spawned = spawn::guard(spec).map_err(SpawnError::Own)?;
        let stdin = Writer::new(spawned.stdin, self.rhythm.clone()).map_err(SpawnError::Own)?;
        let stdout = Reader::new(spawned.stdout, self.rhythm.clone()).map_err(SpawnError::Own)?;
        let stderr = Reader::new(spawned.stderr, self.rhythm.clone()).map_err(SpawnError::Own)?;
        spawned.socket.set_nonblocking(true).map_err(SpawnError::Own)?;
        let socket = UnixStream::from_std(spawned.socket).map_err(SpawnError::Own)?;
        let (reports, commands) = socket.into_split();
        let number = i32::try_from(spawned.guard.id()).ok().and_then(Pid::from_raw);
        let number = number.ok_or(SpawnError::Own(io::ErrorKind::InvalidData.into()))?;
        let remote = Arc::new(Remote::new(number, commands));
        self.guards().insert(spawned.guard.id(), Arc::clone(&remote));
        let mut keeper = Keeper {
            guard: spawned.guard,
            reports: BufReader::new(reports),
            remote,
            nursery: Arc::clone(self),
        };
        match keeper.report().await {
            Ok(Some(Report::Started { pid })) => Ok(Worker { pid, stdin, stdout, stderr, keeper }),
            Ok(Some(Report::Failed { errno })) => {
                keeper.dismiss().map_err(SpawnError::Own)?;
                Err(SpawnError::Program(io::Error::from_raw_os_error(errno)))
            }
            Ok(_) => {
                keeper.dismiss().map_err(SpawnError::Own)?;
                Err(SpawnError::Own(io::Error::other("its guard ended before it began")))
            }
            Err(error) => Err(SpawnError::Own(error)),
        }
    }

    /// Sends a command to every guard.
    pub fn tell_all(&self, command: u8) {
        for remote in self.guards().values() {
            remote.tell(command);
        }
    }

    /// Kills all workers and waits until they are gone, those of guards that died included.
    pub fn clear(&self) -> io::Result<()> {
        self.tell_all(KILL);
        // Our ends of the sockets go first, all of them: a guard may wait for that.
        let guards: Vec<u32> = self.guards().drain().map(|(guard, _)| guard).collect();
        for guard in guards {
            let pid = i32::try_from(guard).ok().and_then(Pid::from_raw);
            // Reaped already, or gone: either way it keeps nothing any more.
            pid.map(|pid| rustix::process::waitpid(Some(pid), WaitOptions::empty()).ok());
        }
        self.sweep().map(|_| ())
    }

    /// Kills and reaps orphans that a dead guard left to us; returns how many there were.
    fn sweep(&self) -> io::Result<usize> {
        let mut swept = 0;
        loop {
            let guards: Vec<u32> = self.guards().keys().copied().collect();
            let orphans: Vec<Pid> = proc::children()?
                .into_iter()
                .filter(|pid| !guards.contains(pid) && !self.strangers.contains(pid))
                .filter_map(|pid| i32::try_from(pid).ok().and_then(Pid::from_raw))
                .collect();
            if orphans.is_empty() {
                return Ok(swept);
            }
            for pid in orphans {
                // It may have ended meanwhile; the wait takes it in any case.
                rustix::process::kill_process(pid, Signal::KILL).ok();
                match rustix::process::waitpid(Some(pid), WaitOptions::empty()) {
                    Ok(_) => swept += 1,
                    Err(rustix::io::Errno::INTR | rustix::io::Errno::CHILD) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}

impl Worker {
    /// Returns its process number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns the number of its session, which is its guard's process.
    pub fn session(&self) -> u32 {
        self.keeper.guard.id()
    }
}

impl Keeper {
    /// Returns the handle that commands go through.
    pub fn remote(&self) -> Arc<Remote> {
        Arc::clone(&self.remote)
    }

    /// Reads the next report; none if the guard is gone.
    async fn report(&mut self) -> io::Result<Option<Report>> {
        let mut line = Vec::new();
        match self.reports.read_until(b'\n', &mut line).await {
            Ok(_) if line.ends_with(b"\n") => Ok(Some(serde_json::from_slice(&line)?)),
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Waits until the worker and all it started are gone.
    pub async fn end(mut self) -> io::Result<End> {
        let report = self.report().await?;
        self.dismiss()?;
        if let Some(report @ Report::Ended { .. }) = report {
            return Ok(End::Told(report));
        }
        self.nursery.sweep()?;
        Ok(End::Lost)
    }

    /// Reaps the guard, which has closed its socket and is about to be gone.
    fn dismiss(&mut self) -> io::Result<()> {
        self.guard.wait()?;
        self.nursery.guards().remove(&self.guard.id());
        Ok(())
    }
}
