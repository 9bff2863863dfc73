//! The guard of one worker: this program started again, single-threaded, in its own session.
//!
//! It starts the worker, tells the controller how it ended, and sees to it that nothing the
//! worker started is left, whoever dies first. It reads commands (a byte each) and writes
//! reports (a line of JSON each) on one socket; its closing is the sign that the other is gone.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitIdOptions, WaitIdStatus, WaitOptions};
use serde::{Deserialize, Serialize};

use crate::child::{proc, spawn, sys};

/// The hidden first argument by which `main` knows that it is to be a guard.
pub const ARGUMENT: &str = "__guard";

/// How long descendants may outlive their worker before they count as left behind.
const LINGER: Duration = Duration::from_millis(200);

/// How often the guard looks whether they are gone, and collects orphans that ended.
const LOOK: Duration = Duration::from_millis(5);
const COLLECT: Duration = Duration::from_secs(1);

/// Asks the worker's group to end, waking it if it is stopped.
pub const TERM: u8 = b't';
/// Kills the worker and all its descendants.
pub const KILL: u8 = b'k';
/// Stops the worker's group, as Ctrl-Z would.
pub const PAUSE: u8 = b's';
/// Lets it go on.
pub const RESUME: u8 = b'c';

/// What a guard reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The worker runs.
    Started {
        /// Its process number.
        pid: u32,
    },
    /// It could not be started.
    Failed {
        /// The error number.
        errno: i32,
    },
    /// It ended, and everything it started is gone.
    Ended {
        /// Its exit code, if it exited.
        code: Option<i32>,
        /// The signal that ended it, if one did.
        signal: Option<i32>,
        /// CPU time in user mode, in milliseconds.
        user_ms: u64,
        /// CPU time in the kernel, in milliseconds.
        system_ms: u64,
        /// Peak resident memory, in bytes.
        peak_rss: u64,
        /// Processes that outlived it and were killed: number and command line.
        leaked: Vec<(u32, String)>,
    },
}

/// What the controller hands down: everything but the program's own arguments.
#[derive(Debug)]
pub struct Orders {
    /// The number of the socket.
    pub socket: RawFd,
    /// The controller.
    pub parent: u32,
    /// What `ps` shows.
    pub title: String,
    /// The program's file.
    pub program: OsString,
    /// Its argument vector, `argv[0]` first.
    pub argv: Vec<OsString>,
}

/// Reads the arguments behind [`ARGUMENT`]; as child/spawn writes them.
pub fn orders(mut arguments: impl Iterator<Item = OsString>) -> Option<Orders> {
    let mut text = || arguments.next().and_then(|a| a.into_string().ok());
    let socket = text()?.parse().ok()?;
    let parent = text()?.parse().ok()?;
    let title = text()?;
    let program = arguments.next()?;
    let argv: Vec<OsString> = arguments.collect();
    (!argv.is_empty()).then_some(Orders { socket, parent, title, program, argv })
}

/// Runs as a guard to the end; an error means that the worker never ran.
pub fn main(orders: &Orders) -> io::Result<()> {
    let socket = UnixStream::from(sys::own_fd(orders.socket)?);
    let name = std::ffi::CString::new(orders.title.as_str())?;
    rustix::thread::set_name(&name)?;
    rustix::process::setsid()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    sys::close_on_exec_from(3)?;
    // The parent may have died before the session was ours: then nobody would ever tell us.
    let parent = rustix::process::getppid().map(|p| p.as_raw_nonzero().get().cast_unsigned());
    if parent != Some(orders.parent) {
        return Ok(());
    }
    let started = spawn::worker(orders);
    release_standard_streams()?;
    let mut guard = Guard { socket, leader: Pid::INIT, told_to_end: false };
    match started {
        Err(error) => guard.report(&Report::Failed { errno: error.raw_os_error().unwrap_or(0) }),
        Ok(pid) => {
            guard.leader = pid;
            // If the controller is gone already, watching finds that out and ends the worker.
            guard.report(&Report::Started { pid: number(pid) }).ok();
            guard.watch()
        }
    }
}

/// Lets go of the worker's pipes, or their readers would never see the end.
fn release_standard_streams() -> io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().cast_unsigned()
}

fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

fn timespec(duration: Duration) -> Timespec {
    // Both parts of these short constants fit.
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

struct Guard {
    socket: UnixStream,
    leader: Pid,
    told_to_end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// Kill everything: by order, or because the controller is gone.
    Kill,
}

impl Guard {
    fn report(&mut self, report: &Report) -> io::Result<()> {
        let mut line = serde_json::to_vec(report)?;
        line.push(b'\n');
        self.socket.write_all(&line)
    }

    /// Watches the worker until it and everything it started is gone.
    fn watch(&mut self) -> io::Result<()> {
        let handle = rustix::process::pidfd_open(self.leader, PidfdFlags::empty())?;
        while !self.leader_ended()? {
            if self.listen(COLLECT, Some(&handle))? == Heard::Kill {
                self.kill_group();
                break;
            }
            self.collect_orphans()?;
        }
        // Its number stays taken while it is not reaped, so the group below is surely its own.
        let waiting = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        retry(|| rustix::process::waitid(rustix::process::WaitId::Pid(self.leader), waiting))?;
        let leaked = self.linger()?;
        self.kill_group();
        let ended = sys::reap(number(self.leader))?;
        sweep()?;
        let report = Report::Ended {
            code: ended.code,
            signal: ended.signal,
            user_ms: ended.user_ms,
            system_ms: ended.system_ms,
            peak_rss: ended.peak_rss,
            leaked,
        };
        // If the controller is gone there is nobody to tell, and nothing left to do.
        self.report(&report)
            .or_else(|e| if e.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(e) })
    }

    fn leader_ended(&self) -> io::Result<bool> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let status: Option<WaitIdStatus> =
            retry(|| rustix::process::waitid(rustix::process::WaitId::Pid(self.leader), look))?;
        Ok(status.is_some())
    }

    /// Waits for a command, for the worker's end, or for the time to pass; obeys the command.
    fn listen(&mut self, patience: Duration, leader: Option<&OwnedFd>) -> io::Result<Heard> {
        let mut fds = vec![PollFd::new(&self.socket, PollFlags::IN)];
        fds.extend(leader.map(|leader| PollFd::new(leader, PollFlags::IN)));
        retry(|| poll(&mut fds, Some(&timespec(patience))))?;
        let ready = !fds[0].revents().is_empty();
        drop(fds);
        if !ready {
            return Ok(Heard::Nothing);
        }
        let mut commands = [0u8; 16];
        let count = match rustix::io::read(self.socket.as_fd(), &mut commands) {
            // Reset is what an end looks like with unread reports on the other side.
            Err(rustix::io::Errno::CONNRESET) | Ok(0) => return Ok(Heard::Kill),
            Err(rustix::io::Errno::INTR) => 0,
            count => count?,
        };
        for command in &commands[..count] {
            match *command {
                TERM => {
                    self.told_to_end = true;
                    self.signal(Signal::TERM);
                    self.signal(Signal::CONT);
                }
                KILL => return Ok(Heard::Kill),
                PAUSE => self.signal(Signal::TSTP),
                RESUME => self.signal(Signal::CONT),
                _ => {}
            }
        }
        Ok(Heard::Nothing)
    }

    fn signal(&self, signal: Signal) {
        // The group may be gone already: then there is nobody to signal, which is what we want.
        rustix::process::kill_process_group(self.leader, signal).ok();
    }

    fn kill_group(&mut self) {
        self.told_to_end = true;
        self.signal(Signal::KILL);
        // It may have moved to another group of its session. It is not reaped, so the number is its.
        rustix::process::kill_process(self.leader, Signal::KILL).ok();
    }

    /// Gives descendants a moment to end by themselves; returns those that do not.
    fn linger(&mut self) -> io::Result<Vec<(u32, String)>> {
        let began = Instant::now();
        loop {
            self.collect_orphans()?;
            let left = self.others()?;
            if left.is_empty() || self.told_to_end {
                return Ok(Vec::new());
            }
            if began.elapsed() >= LINGER {
                let alive = |pid: &u32| proc::stat(*pid).is_some_and(|s| s.state != 'Z');
                let left = left.into_iter().filter(alive);
                return Ok(left.map(|pid| (pid, proc::command_of(pid))).collect());
            }
            if self.listen(LOOK, None)? == Heard::Kill {
                self.told_to_end = true;
            }
        }
    }

    fn others(&self) -> io::Result<Vec<u32>> {
        let leader = number(self.leader);
        Ok(proc::children()?.into_iter().filter(|&pid| pid != leader).collect())
    }

    /// Reaps orphans that ended; the leader stays as it is.
    fn collect_orphans(&self) -> io::Result<()> {
        for pid in self.others()?.into_iter().filter_map(pid) {
            // Gone already, or still alive: both are fine.
            rustix::process::waitpid(Some(pid), WaitOptions::NOHANG).ok();
        }
        Ok(())
    }
}

/// Kills and reaps every child until none is left. A killed process's own children come to us,
/// the subreaper, so the loop reaches the whole tree.
fn sweep() -> io::Result<()> {
    loop {
        let left = proc::children()?;
        if left.is_empty() {
            return Ok(());
        }
        for pid in left.into_iter().filter_map(pid) {
            // It may have ended meanwhile; the wait below takes it in any case.
            rustix::process::kill_process(pid, Signal::KILL).ok();
            match retry(|| rustix::process::waitpid(Some(pid), WaitOptions::empty())) {
                Err(error) if error.raw_os_error() == Some(libc::ECHILD) => {}
                result => result.map(|_| ())?,
            }
        }
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}
