//! Calls of the program.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::signal::unix::SignalKind;

use super::{Place, alive, eventually, kept, strays};

/// A call being put together.
pub(crate) struct Esteira<'a> {
    place: &'a Place,
    command: Command,
    input: Option<Vec<u8>>,
    limit: Duration,
    report: Option<PathBuf>,
}

/// A call that runs.
pub(crate) struct Running {
    child: Alive,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    limit: Duration,
    report: Option<PathBuf>,
    root: PathBuf,
}

/// A test that fails leaves no call behind.
struct Alive(Child);

impl Drop for Alive {
    fn drop(&mut self) {
        // Of one that was waited for there is nothing to kill; its guards see to what it started.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A call that ended. Forgetting to look at it is a mistake.
#[must_use]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    report: Option<PathBuf>,
    root: PathBuf,
}

impl<'a> Esteira<'a> {
    pub(super) fn new(place: &'a Place) -> Self {
        hear_all_signals();
        let mut command = Command::new(env!("CARGO_BIN_EXE_esteira"));
        // It turns a Python child that buffers into one that does not, and so hides mistakes.
        command.current_dir(place.root()).env_remove("PYTHONUNBUFFERED").env("NO_COLOR", "1");
        let limit = Duration::from_mins(1);
        Self { place, command, input: None, limit, report: None }
    }

    /// Runs it by another program, such as `strace` or `prlimit`, which stands before it.
    pub(crate) fn under(mut self, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).arg(env!("CARGO_BIN_EXE_esteira"));
        command.current_dir(self.place.root()).env_remove("PYTHONUNBUFFERED").env("NO_COLOR", "1");
        self.command = command;
        self
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes all variables away, but not those that are set later.
    pub(crate) fn env_clear(mut self) -> Self {
        self.command.env_clear();
        self
    }

    /// Gives it this as stdin; without, stdin is empty.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// `pipe -i IN -o OUT` with a report, whose ledger is checked when the call has ended.
    pub(crate) fn pipe(
        self,
        input: &str,
        output: &str,
        options: &[&str],
        program: &[&str],
    ) -> Self {
        let this = self.args(["pipe", "-i", input, "-o", output]).reported();
        this.args(options).args(["--"]).args(program)
    }

    /// `run FILE` with a report, as for `pipe`.
    pub(crate) fn pipeline(self, file: &str, options: &[&str]) -> Self {
        self.args(["run", file]).reported().args(options)
    }

    fn reported(mut self) -> Self {
        let report = self.place.path("report.json");
        let asked = format!("json={}", report.display());
        self.report = Some(report);
        self.args(["--report", &asked])
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        if let (Some(mut stdin), Some(bytes)) = (child.stdin.take(), self.input) {
            std::thread::spawn(move || {
                // It may end before it read everything; that is for the test to judge.
                stdin.write_all(&bytes).ok();
            });
        }
        let stdout = child.stdout.take().map(collect).unwrap();
        let stderr = child.stderr.take().map(collect).unwrap();
        let root = self.place.root().to_owned();
        let child = Alive(child);
        Running { child, stdout, stderr, limit: self.limit, report: self.report, root }
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Finished {
        self.start().wait()
    }
}

/// Sees to it that programs start with no signal ignored, however the tests were started: `nohup`
/// and a shell's background ignore some. That is handed down; that one is handled is not.
fn hear_all_signals() {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let entered = runtime.enter();
        let ignored = esteira::child::proc::ignored_signals();
        for number in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGTSTP] {
            if ignored & (1 << (number - 1)) != 0 {
                // The handler outlives it.
                drop(tokio::signal::unix::signal(SignalKind::from_raw(number)).unwrap());
            }
        }
        drop(entered);
        runtime
    });
}

fn collect(mut stream: impl std::io::Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

impl Running {
    /// Returns its process number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Whether it has not ended.
    pub(crate) fn lives(&self) -> bool {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.0.id()).ok().and_then(Pid::from_raw).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for its end; a call that takes too long is killed and fails the test.
    pub(crate) fn wait(mut self) -> Finished {
        let ended = eventually(self.limit, || self.child.0.try_wait().unwrap());
        let Some(status) = ended else {
            self.child.0.kill().unwrap();
            let stderr = String::from_utf8_lossy(&self.stderr.join().unwrap()).into_owned();
            panic!("not ended after {:?}; stderr:\n{stderr}", self.limit);
        };
        Finished {
            status,
            stdout: self.stdout.join().unwrap(),
            stderr: String::from_utf8_lossy(&self.stderr.join().unwrap()).into_owned(),
            report: self.report,
            root: self.root,
        }
    }
}

impl Finished {
    /// Returns the exit code as a shell shows it.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().or_else(|| self.status.signal().map(|s| 128 + s)).unwrap()
    }

    /// Requires an exit code, and that nothing temporary is left: no process, and no file but for
    /// what is kept to go on with, as the run says then.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "stderr:\n{}", self.stderr);
        let mut left = strays(&self.root);
        if self.stderr.contains("is kept up to") {
            let kept = kept(&self.root);
            left.retain(|path| !kept.contains(path.to_str().unwrap()));
        }
        assert_eq!(left, Vec::<PathBuf>::new(), "temporary files are left");
        assert_eq!(alive(&self.root), [], "processes are left; stderr:\n{}", self.stderr);
        self
    }

    /// Requires a text on stderr.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in stderr:\n{}", self.stderr);
        self
    }

    /// Returns the report, whose ledger must balance.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        let path = self.report.as_ref().expect("the call asked for a report");
        let mut text = String::new();
        File::open(path).unwrap().read_to_string(&mut text).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        for (kind, whole, parts) in [
            ("sources", "lines", &["blank", "rejected", "out"][..]),
            ("stages", "in", &["accepted", "rejected", "dropped", "in_doubt"]),
            ("sinks", "in", &["written", "rejected", "dropped", "in_doubt"]),
        ] {
            for (name, table) in report[kind].as_object().unwrap() {
                let sum: u64 = parts.iter().map(|part| table[*part].as_u64().unwrap()).sum();
                assert_eq!(table[whole].as_u64(), Some(sum), "{kind}.{name}: {table}");
            }
        }
        report
    }
}
