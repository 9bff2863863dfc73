//! What `/proc` tells of processes: children, command lines, state and CPU time.

use std::fs;
use std::io;

use crate::words::text::escape;

/// How much of a command line a message shows, in bytes.
const COMMAND: usize = 200;

/// Lists the children of this process, ended ones included.
pub fn children() -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for task in fs::read_dir("/proc/self/task")? {
        let path = task?.path().join("children");
        match fs::read_to_string(path) {
            Ok(text) => found.extend(text.split_whitespace().filter_map(|p| p.parse::<u32>().ok())),
            // A thread may end between the listing and the look; its children move to another.
            Err(error) if gone(&error) && found_elsewhere() => {}
            Err(error) => return children_by_parent().map_err(|_| error),
        }
    }
    Ok(found)
}

fn gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// Whether this kernel lists children at all (`CONFIG_PROC_CHILDREN`).
fn found_elsewhere() -> bool {
    fs::exists("/proc/thread-self/children").unwrap_or(false)
}

/// The slow way: every process that names this one as its parent.
fn children_by_parent() -> io::Result<Vec<u32>> {
    let own = std::process::id();
    Ok(all()?.into_iter().filter(|&pid| stat(pid).is_some_and(|s| s.parent == own)).collect())
}

fn all() -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        found.extend(entry?.file_name().to_str().and_then(|n| n.parse::<u32>().ok()));
    }
    Ok(found)
}

/// What `/proc/PID/stat` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// `R`, `S`, `D`, `T`, `Z` …
    pub state: char,
    /// The parent's number.
    pub parent: u32,
    /// The session's number.
    pub session: u32,
    /// CPU time used, in clock ticks.
    pub ticks: u64,
}

/// Looks at one process; none if it is gone.
pub fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The name in parentheses may hold anything, a closing parenthesis too: fields follow the last.
fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    let behind = bytes.iter().rposition(|&b| b == b')')? + 1;
    let text = std::str::from_utf8(&bytes[behind..]).ok()?;
    let fields: Vec<&str> = text.split_whitespace().collect();
    let number = |index: usize| fields.get(index).and_then(|f| f.parse::<u64>().ok());
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: u32::try_from(number(1)?).ok()?,
        session: u32::try_from(number(3)?).ok()?,
        ticks: number(11)? + number(12)?,
    })
}

/// What the processes of a session do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// CPU time of all of them, in clock ticks.
    pub ticks: u64,
    /// The state of the one asked for.
    pub state: Option<char>,
}

/// Adds up the CPU time of a session and looks at one of its processes.
pub fn session(id: u32, leader: u32) -> Session {
    let pids = all().unwrap_or_default();
    let stats = pids.into_iter().filter_map(|pid| stat(pid).map(|s| (pid, s)));
    let mut seen = Session { ticks: 0, state: None };
    for (pid, stat) in stats.filter(|(_, s)| s.session == id) {
        seen.ticks += stat.ticks;
        if pid == leader {
            seen.state = Some(stat.state);
        }
    }
    seen
}

/// Returns the peak resident memory of this process, in bytes. What `getrusage` tells is
/// inherited through `exec` and may be the caller's.
pub fn own_peak_rss() -> Option<u64> {
    let kib: u64 = own_status("VmHWM:")?.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Returns the signals that this process ignores: the lowest bit is signal 1.
pub fn ignored_signals() -> u64 {
    own_status("SigIgn:").and_then(|mask| u64::from_str_radix(&mask, 16).ok()).unwrap_or(0)
}

fn own_status(key: &str) -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned()))
}

/// Returns the command line of a process, escaped and cut short; its name in brackets if it
/// has none.
pub fn command_of(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    if line.is_empty() {
        let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        return format!("[{}]", escape(name.trim_ascii_end()));
    }
    let words: Vec<String> = line
        .strip_suffix(b"\0")
        .unwrap_or(&line)
        .split(|&b| b == 0)
        .map(|word| escape(&word[..word.len().min(COMMAND)]))
        .collect();
    let mut text = words.join(" ");
    if text.len() > COMMAND {
        text.truncate(text.floor_char_boundary(COMMAND));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Stat, children, command_of, parse_stat, stat};

    #[test]
    fn a_hostile_process_name_does_not_shift_the_fields() {
        let line = b"42 (a) R 1 (b)) S 7 42 40 0 -1 4194560 1 2 3 4 50 60 0 0 20 0 1 0 9 9 9";
        let want = Stat { state: 'S', parent: 7, session: 40, ticks: 110 };
        assert_eq!(parse_stat(line), Some(want));
        assert_eq!(parse_stat(b"42 no parentheses"), None);
    }

    #[test]
    fn this_process_is_there() {
        let own = std::process::id();
        assert!(stat(own).is_some_and(|s| s.state == 'R' || s.state == 'S'));
        assert!(!command_of(own).is_empty());
        children().unwrap();
    }
}
