//! What every test here stands on: a folder of its own, the program, and a look at what it left.

mod program;
mod traces;

pub(crate) use program::{Esteira, Finished, Running};
pub(crate) use traces::{alive, eventually, kept, strays};

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of a test's own. Its path is unique, so that a child given it can be told from all
/// other processes of the machine.
pub(crate) struct Place(TempDir);

impl Place {
    /// Makes the folder.
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("esteira-it-").tempdir().unwrap())
    }

    /// Returns a path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns the folder.
    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }

    /// Writes a script that can be run.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Reads a file.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Reads a file as text.
    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// Tells whether there is such a file.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Starts to put together a call of the program, from within the folder.
    pub(crate) fn esteira(&self) -> Esteira<'_> {
        Esteira::new(self)
    }
}

/// Returns a program that a test stands on. Without it the test fails, and says so.
#[track_caller]
pub(crate) fn needs(program: &str, package: &str) -> String {
    let found = which::which(program);
    let found = found.unwrap_or_else(|_| panic!("`{program}` is not there: install {package}"));
    found.into_os_string().into_string().unwrap()
}

/// Tells whether a program is there. One that is not is named: `scripts/tally` counts such lines.
pub(crate) fn here(program: &str) -> bool {
    let found = which::which(program).is_ok();
    if !found {
        // Past the test's own capture, on a line of its own.
        let line = format!("\nskipped: {program} is not there\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    found
}

/// Reads the events of one kind that are in the file `events` by now; a line may be half written.
pub(crate) fn events(place: &Place, kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(place.path("events")).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let events = whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == kind).collect()
}

/// Makes `count` small records: `{"id":1}` and so on.
pub(crate) fn records(count: u64) -> Vec<u8> {
    (1..=count).flat_map(|id| format!("{{\"id\":{id}}}\n").into_bytes()).collect()
}

/// Returns dead letters as text, the part that may differ from run to run left out.
pub(crate) fn without_trace(letters: &str) -> String {
    let cut = |line: &str| line.split_once(",\"trace\":{").unwrap().0.to_owned() + "}\n";
    letters.lines().map(cut).collect()
}

/// Returns a file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
