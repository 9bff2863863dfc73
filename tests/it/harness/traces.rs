//! What a run leaves behind: processes and temporary files.

use std::fs;
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
