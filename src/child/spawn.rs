//! The only builder of processes: a guard (by the controller), a worker (by its guard).

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::io::FdFlags;
use rustix::pipe::PipeFlags;
use rustix::process::Pid;

use crate::child::guard::{ARGUMENT, Orders};
use crate::child::sys;

/// How large the pipes of stdin and stdout are made, where the system allows it.
const PIPE: usize = 1 << 20;

/// A program to start and the world it wakes up in.
#[derive(Clone, Copy, Debug)]
pub struct Spec<'a> {
    /// What the guard is called: `guard:STAGE`.
    pub title: &'a str,
    /// The program's file, absolute.
    pub program: &'a Path,
    /// Its argument vector, `argv[0]` first.
    pub argv: &'a [OsString],
    /// Its working folder.
    pub folder: &'a Path,
    /// Its whole environment.
    pub env: &'a [(OsString, OsString)],
}

/// Our ends of a worker's pipes, and its guard.
#[derive(Debug)]
pub struct Spawned {
    /// The guard's process.
    pub guard: Child,
    /// The socket to the guard.
    pub socket: UnixStream,
    /// The writing end of the worker's stdin.
    pub stdin: OwnedFd,
    /// The reading end of its stdout.
    pub stdout: OwnedFd,
    /// The reading end of its stderr.
    pub stderr: OwnedFd,
}

/// Starts a guard, which starts the worker.
pub fn guard(spec: &Spec<'_>) -> io::Result<Spawned> {
    let (stdin_theirs, stdin) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let (stdout, stdout_theirs) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let (stderr, stderr_theirs) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    for pipe in [&stdin, &stdout] {
        // Unprivileged users have a quota of pipe pages; the usual size works too.
        rustix::pipe::fcntl_setpipe_size(pipe, PIPE).ok();
    }
    for ours in [&stdin, &stdout, &stderr] {
        rustix::io::ioctl_fionbio(ours, true)?;
    }
    let (socket, socket_theirs) = UnixStream::pair()?;
    // Inherited by number. Should another guard be started just now, it closes what is not its own.
    rustix::io::fcntl_setfd(&socket_theirs, FdFlags::empty())?;
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(spec.title)
        .args(guard_arguments(spec, socket_theirs.as_raw_fd()))
        .current_dir(spec.folder)
        .env_clear()
        .envs(spec.env.iter().map(|(k, v)| (k, v)))
        .stdin(Stdio::from(stdin_theirs))
        .stdout(Stdio::from(stdout_theirs))
        .stderr(Stdio::from(stderr_theirs));
    let guard = command.spawn()?;
    Ok(Spawned { guard, socket, stdin, stdout, stderr })
}

/// Writes what [`crate::child::guard::orders`] reads.
fn guard_arguments<'a>(
    spec: &'a Spec<'_>,
    socket: RawFd,
) -> impl Iterator<Item = OsString> + use<'a> {
    let own = [
        OsString::from(ARGUMENT),
        OsString::from(socket.to_string()),
        OsString::from(std::process::id().to_string()),
        OsString::from(spec.title),
        spec.program.as_os_str().to_owned(),
    ];
    own.into_iter().chain(spec.argv.iter().cloned())
}

/// Starts the worker, from its guard: in a process group of its own, with the guard's standard
/// streams and no other descriptor, bound to die with the guard.
pub fn worker(orders: &Orders) -> io::Result<Pid> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let mut command = Command::new(&orders.program);
    command.process_group(0);
    sys::become_program(&mut command, &orders.program, &orders.argv)?;
    let child = command.spawn()?;
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData.into())
}

/// Opens a second, reading end of the pipe that `writer` writes to.
pub fn second_reader(writer: &impl std::os::fd::AsFd) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let path = format!("/proc/self/fd/{}", writer.as_fd().as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}
