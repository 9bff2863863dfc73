//! What a run leaves behind: processes and temporary files.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Asks again and again until there is an answer, or the time is over.
pub(crate) fn eventually<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || began.elapsed() > limit {
            return answer;
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Lists the temporary files below a folder.
pub(crate) fn strays(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(strays(&path));
        } else if entry.file_name().to_string_lossy().contains(".esteira") {
            found.push(path);
        }
    }
    found
}

/// Returns what the states below a folder say.
pub(crate) fn kept(folder: &Path) -> String {
    let mut found = String::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push_str(&kept(&entry.path()));
        } else if entry.file_name() == "state" {
            found.push_str(&fs::read_to_string(entry.path()).unwrap());
        }
    }
    found
}

/// Lists the processes that work in a folder or below, or were given its path, with their
/// command lines. What has ended and only waits to be collected does not count.
pub(crate) fn alive(folder: &Path) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end while it is looked at: then it is not alive.
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let works_here =
            fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        let was_given = memchr::memmem::find(&command, folder.as_os_str().as_bytes()).is_some();
        if (works_here || was_given) && !is_zombie(pid) {
            found.push((pid, String::from_utf8_lossy(&command).replace('\0', " ")));
        }
    }
    found
}

/// Tells whether a process has ended and waits to be collected, or is gone.
fn is_zombie(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}
