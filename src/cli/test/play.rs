//! Runs a test by the ordinary engine, in a folder of its own that is gone afterwards.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use serde::Deserialize;

use crate::cli::world;
use crate::plan::Plan;
use crate::plan::golden::Case;
use crate::publish::files::{Disk, Files};
use crate::run::{Keeping, Run};
use crate::words::dead_letter::Complaint;
use crate::words::event::{Event, Events, Stamped};
use crate::words::id::Name;
use crate::words::outcome::{Exit, Failure};
use crate::words::register::Register;

/// How many events may wait to be heard.
const QUEUE: usize = 4096;

/// How many lines of the children's stderr are kept, the last ones.
const KEPT: usize = 40;

/// What came of a test whose run went well.
#[derive(Clone, Debug, Default)]
pub(super) struct Played {
    /// The lines that came out, by the sink.
    pub(super) outputs: Vec<(Name, Vec<Vec<u8>>)>,
    /// What was refused, in input order.
    pub(super) refused: Vec<Refused>,
}

/// A record that was refused.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Refused {
    /// The number of its line.
    pub(super) line: u64,
    /// The table that its place is told by.
    pub(super) source: String,
    /// Who refused it; none for a source.
    pub(super) stage: Option<String>,
    /// Why.
    pub(super) errors: Vec<Complaint>,
}

/// A run that did not go well.
#[derive(Debug)]
pub(super) struct Broken {
    /// How it ended.
    pub(super) exit: Exit,
    /// Why.
    pub(super) reason: String,
    /// What to try next.
    pub(super) hints: Vec<String>,
    /// What the children wrote to stderr, the last of it, each line behind its stage.
    pub(super) stderr: Vec<String>,
}

/// Runs a test.
pub(super) fn play(plan: &Plan, case: &Case) -> Result<Result<Played, Broken>, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("esteira-test-")
        .tempdir()
        .map_err(|error| cannot(&error))?;
    let rehearsal = plan.clone().rehearse(case, folder.path());
    for (path, bytes) in &rehearsal.inputs {
        fs::write(path, bytes).map_err(|error| cannot(&error))?;
    }
    let (to, from) = sync_channel(QUEUE);
    let events = Events::new(to);
    let ear = std::thread::Builder::new().name("listen".to_owned());
    let ear = ear.spawn(move || listen(&from)).map_err(|error| cannot(&error))?;
    let files: Arc<dyn Files> = Arc::new(Disk);
    let (id, keeping) = (world::run_id(), Keeping::nothing());
    let plan = &rehearsal.plan;
    let ended = crate::run::run(Run {
        plan,
        id: &id,
        files: &files,
        events: &events,
        keeping: &keeping,
        register: &Register::default(),
    });
    drop(events);
    let stderr = ear.join().unwrap_or_default();
    if ended.code != Exit::Ok {
        let (reason, hints) = (ended.reason, ended.hints);
        return Ok(Err(Broken { exit: ended.code, reason, hints, stderr }));
    }
    let mut played = Played::default();
    for (name, path) in rehearsal.outputs {
        played.outputs.push((name, lines(&path)?));
    }
    for letter in lines(&rehearsal.letters)? {
        let refused = serde_json::from_slice(&letter).map_err(|error| cannot(&error.into()))?;
        played.refused.push(refused);
    }
    played.refused.sort_by_key(|refused| place(plan, refused));
    Ok(Ok(played))
}

fn cannot(error: &io::Error) -> Failure {
    Failure::new(Exit::World, format!("cannot run a test in a temporary folder: {error}"))
}

/// Hears what the children write to stderr, until the run is over. (The end of the channel is not
/// waited for: a table that is stuck may hold on to it.)
fn listen(from: &Receiver<Stamped>) -> Vec<String> {
    let mut kept = VecDeque::new();
    for Stamped { event, .. } in from {
        let line = match event {
            Event::RunFinished { .. } => break,
            Event::Stderr { stage, line, .. } => format!("{stage} | {line}"),
            Event::Log { stage, level, message, .. } => format!("{stage} | {level}: {message}"),
            _ => continue,
        };
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    kept.into()
}

/// Reads the lines of a file; one that is not there has none.
fn lines(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        found => found.map_err(|error| cannot(&error))?,
    };
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    Ok(lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line).to_vec()).collect())
}

/// Where a record stood, and who refused it.
fn place(plan: &Plan, refused: &Refused) -> (Option<usize>, u64, Option<usize>) {
    let sources = plan.sources.iter().map(|source| &source.name);
    let stages = || plan.stages.iter().map(|stage| &stage.name);
    // Behind a filter, places are told by its output.
    let source = sources.chain(stages()).position(|name| name.as_str() == refused.source);
    let stage = stages().position(|name| Some(name.as_str()) == refused.stage.as_deref());
    (source, refused.line, stage)
}
