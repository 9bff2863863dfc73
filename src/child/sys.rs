//! Unsafe code: system calls that no safe wrapper here covers.
#![allow(unsafe_code, reason = "system calls without a safe wrapper; kept in this one file")]

use std::ffi::{CString, OsStr, OsString, c_char, c_int};
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What `wait4` tells of a process that ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Its exit code, if it exited.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// CPU time in user mode, in milliseconds.
    pub user_ms: u64,
    /// CPU time in the kernel, in milliseconds.
    pub system_ms: u64,
    /// Peak resident memory, in bytes.
    pub peak_rss: u64,
}

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn milliseconds(time: libc::timeval) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1000 + u64::try_from(time.tv_usec).unwrap_or(0) / 1000
}

/// Marks every file descriptor from `first` on to be closed by the next `exec`.
pub fn close_on_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: the call takes three integers and touches no memory of ours.
    let result = unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes ownership of a file descriptor that was handed down by number.
pub fn own_fd(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD takes an integer; a number that is no descriptor is an error.
    checked(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
    // SAFETY: it is open, and by contract of the hidden argument nobody else here owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Makes the process that `command` starts die with the thread that starts it, puts back the one
/// signal setting that `exec` would keep, and has it become `program`, which is run as it is:
/// the standard library's way has a shell try what the kernel does not take for a program.
pub fn become_program(command: &mut Command, program: &OsStr, argv: &[OsString]) -> io::Result<()> {
    let program = CString::new(program.as_bytes())?;
    let words = argv.iter().map(|word| CString::new(word.as_bytes()));
    let words: Vec<CString> = words.collect::<Result<_, _>>()?;
    let before_exec = move || {
        let ended = [std::ptr::null()];
        let argv: Vec<*const c_char> =
            words.iter().map(|word| word.as_ptr()).chain(ended).collect();
        // SAFETY: the strings outlive the calls, and the list of them ends with a null pointer.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
            checked(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            libc::execv(program.as_ptr(), argv.as_ptr());
        }
        Err(io::Error::last_os_error())
    };
    // SAFETY: the caller has one thread, so after the fork no lock is held, not even malloc's.
    unsafe { command.pre_exec(before_exec) };
    Ok(())
}

/// Waits for one ended child and tells what it used.
pub fn reap(pid: u32) -> io::Result<Ended> {
    let pid = c_int::try_from(pid).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut status = 0;
    // SAFETY: an all-zero rusage is a valid one: it is a struct of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live locals of the right type.
        match checked(unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) }) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => {
                result?;
                break;
            }
        }
    }
    Ok(Ended {
        code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
        signal: libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status)),
        user_ms: milliseconds(usage.ru_utime),
        system_ms: milliseconds(usage.ru_stime),
        peak_rss: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
    })
}

/// Returns this process's own CPU time (user, system), in milliseconds.
pub fn own_cpu() -> (u64, u64) {
    // SAFETY: as in `reap`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live local; the call cannot fail with these arguments.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    (milliseconds(usage.ru_utime), milliseconds(usage.ru_stime))
}

/// Has the signals that ask for an end do it themselves, but for those that are ignored.
pub fn end_by_signals() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGTSTP] {
        // SAFETY: integers only.
        unsafe {
            if libc::signal(signal, libc::SIG_DFL) == libc::SIG_IGN {
                libc::signal(signal, libc::SIG_IGN);
            }
        }
    }
}

/// Ends this process by `signal`, so that whoever waits for it sees the true cause.
pub fn die_by(signal: i32) {
    // SAFETY: integers only; the default action of the signal ends the process here.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}
