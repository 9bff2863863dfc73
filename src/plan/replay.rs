//! A plan for dead letters instead of inputs: each goes back to the table that refused it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::suggest::{nearest, one_of};
use crate::plan::{Input, Output, Plan, Protocol, Sink, Source, Stage, Tolerance, Unpack, Work};
use crate::words::id::Name;
use crate::words::ledger::{Edge, Port};
use crate::words::outcome::{Exit, Failure};
use crate::words::packing::Packing;
use crate::words::policy::{Check, OnReject, Publish, Transaction};
use crate::words::text::escape;

/// Which letters to replay.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The file of the letters.
    pub letters: PathBuf,
    /// What tells the outputs of this replay from others.
    pub run: String,
    /// Who refused them, each once.
    pub refusals: Vec<Refusal>,
    /// The numbers of the lines that are left out, in order.
    pub skip: Arc<[u64]>,
    /// Where the letters of those that are refused again go.
    pub again: PathBuf,
}

/// By which tables letters were refused, and the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stage; none for the source itself.
    pub stage: Option<String>,
    /// The table that their places are told by.
    pub source: String,
    /// The number of the first one's line.
    pub line: u64,
}

impl Plan {
    /// Puts dead letters in the place of the inputs. Tables that none of them reaches are left
    /// out; file outputs go beside their targets. All that is refused is collected in one file
    /// and goes nowhere else: whoever takes dead letters as records had these already.
    pub fn replay(mut self, replay: &Replay) -> Result<Self, Failure> {
        self.know_all(&replay.refusals)?;
        self.edges.retain(|edge| edge.port == Port::Out);
        let read = |of| Input::Letters {
            path: replay.letters.clone(),
            of,
            skip: Arc::clone(&replay.skip),
        };
        let own = |name: &Name| {
            let of = |refusal: &Refusal| refusal.stage.is_none() && refusal.source == name.as_str();
            replay.refusals.iter().any(of)
        };
        self.sources.retain(|source| own(&source.name));
        for source in &mut self.sources {
            source.input = read(None);
        }
        let refused = |stage: &&Stage| {
            let of = |refusal: &Refusal| refusal.stage.as_deref() == Some(stage.name.as_str());
            replay.refusals.iter().any(of)
        };
        let mut stages: Vec<Name> =
            self.stages.iter().filter(refused).map(|s| s.name.clone()).collect();
        stages.extend(self.tables().filter(|name| {
            let of = |refusal: &Refusal| refusal.stage.as_deref() == Some(name.as_str());
            replay.refusals.iter().any(of)
        }));
        for (index, stage) in stages.into_iter().enumerate() {
            let name = Name::internal(&format!("{stage}.replay"));
            self.sources.push(again(name.clone(), read(Some(stage.clone()))));
            // They come before what other tables send. Nobody waits for them but their stage, to
            // which they are there at once: no belt that went on without them stands still.
            self.edges.insert(index, Edge { from: name, port: Port::Out, to: stage });
        }
        self.keep_reached();
        for sink in &mut self.sinks {
            sink.publish = Publish::Sound;
            if let Output::File(path) = &mut sink.output
                && !path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
            {
                *path = beside(path, &replay.run);
            }
            if let Output::Table(target) = &mut sink.output {
                // Should it be cut off, none of them is settled, and all come again.
                target.transaction = Transaction::Run;
            }
        }
        for stage in &mut self.stages {
            stage.tolerance.on_reject = OnReject::Continue;
        }
        for source in &mut self.sources {
            source.tolerance.on_reject = OnReject::Continue;
        }
        self.collect("replay.rejects", &replay.again, Publish::Sound);
        Ok(self)
    }

    /// Lists the sinks that refuse records.
    fn tables(&self) -> impl Iterator<Item = Name> + '_ {
        let tables = self.sinks.iter().filter(|sink| matches!(sink.output, Output::Table(_)));
        tables.map(|sink| sink.name.clone())
    }

    /// Leaves out what no letter can reach.
    fn keep_reached(&mut self) {
        let mut kept: Vec<Name> = self.sources.iter().map(|source| source.name.clone()).collect();
        let mut next = 0;
        while let Some(from) = kept.get(next).cloned() {
            next += 1;
            for edge in self.edges.iter().filter(|edge| edge.from == from) {
                if !kept.contains(&edge.to) {
                    kept.push(edge.to.clone());
                }
            }
        }
        self.stages.retain(|stage| kept.contains(&stage.name));
        self.sinks.retain(|sink| !sink.letters && kept.contains(&sink.name));
        let whole = |edge: &Edge| kept.contains(&edge.from) && kept.contains(&edge.to);
        self.edges.retain(whole);
        self.spooled.retain(|edge| edge.port == Port::Out && whole(edge));
    }

    /// Collects what all tables refuse in one file, by a sink of that name.
    pub(super) fn collect(&mut self, name: &str, path: &Path, publish: Publish) {
        let name = Name::internal(name);
        let judges = |stage: &&Stage| match &stage.work {
            Work::Program(program) => !matches!(program.protocol, Protocol::Stream(_)),
            Work::Builtin(_) => true,
        };
        let sources = self.sources.iter().map(|source| &source.name);
        let stages = self.stages.iter().filter(judges).map(|stage| &stage.name);
        let edge = |from: &Name| Edge { from: from.clone(), port: Port::Rejects, to: name.clone() };
        let tables: Vec<Name> = self.tables().collect();
        let edges: Vec<Edge> = sources.chain(stages).chain(&tables).map(edge).collect();
        self.edges.extend(edges);
        self.sinks.push(Sink {
            name,
            output: Output::File(path.to_owned()),
            publish,
            letters: true,
            tolerance: TOLERANCE,
        });
    }

    /// Makes sure that whoever refused a letter is in the plan.
    fn know_all(&self, refusals: &[Refusal]) -> Result<(), Failure> {
        let sources = || self.sources.iter().map(|source| source.name.as_str());
        let tables: Vec<Name> = self.tables().collect();
        let stages = || {
            let stages = self.stages.iter().map(|stage| &stage.name);
            stages.chain(&tables).map(Name::as_str)
        };
        for Refusal { stage, source, line } in refusals {
            if let Some(stage) = stage
                && !stages().any(|name| name == stage)
            {
                return Err(unknown(*line, "stage", stage, stages().collect()));
            }
            // Behind a filter, places are told by its output.
            let known = sources().any(|name| name == source)
                || stage.is_some() && stages().any(|name| name == source);
            if !known {
                return Err(unknown(*line, "source", source, sources().collect()));
            }
        }
        Ok(())
    }
}

const TOLERANCE: Tolerance = Tolerance { max_rejects: None, on_reject: OnReject::Continue };

/// Makes the source of a stage's letters.
fn again(name: Name, input: Input) -> Source {
    Source {
        name,
        input,
        check: Check::None,
        max_record: usize::MAX,
        unpack: Unpack { most: u64::MAX, ratio: u64::MAX },
        tolerance: TOLERANCE,
    }
}

fn unknown(line: u64, kind: &str, name: &str, known: Vec<&str>) -> Failure {
    let shown = escape(name.as_bytes());
    let message = format!(
        "the dead letter in line {line} is of the {kind} `{shown}`, which the pipeline does not have"
    );
    Failure::new(Exit::Config, message).hint(match nearest(name, known.iter().copied()) {
        Some(meant) => format!("was it renamed to `{meant}`? Then name that in the letters"),
        None if known.is_empty() => format!("the pipeline has no {kind}: is it the right file?"),
        None => format!("there is {}: is it the right file?", one_of(known)),
    })
}

/// Returns `NAME.replay-RUN.EXT` beside `NAME.EXT`.
fn beside(path: &Path, run: &str) -> PathBuf {
    let (rest, packing) = match Packing::of(path) {
        Some(_) => (path.with_extension(""), path.extension()),
        None => (path.to_owned(), None),
    };
    let mut name = OsString::from(rest.file_stem().unwrap_or_default());
    name.push(format!(".replay-{run}"));
    for end in rest.extension().into_iter().chain(packing) {
        name.push(".");
        name.push(end);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::beside;

    #[test]
    fn a_replay_has_the_ends_of_its_target() {
        for (target, output) in [
            ("/o/users.ndjson", "/o/users.replay-1a.ndjson"),
            ("/o/users.ndjson.gz", "/o/users.replay-1a.ndjson.gz"),
            ("/o/a.b.c.ZST", "/o/a.b.replay-1a.c.ZST"),
            ("/o/users", "/o/users.replay-1a"),
            ("/o/.users", "/o/.users.replay-1a"),
        ] {
            assert_eq!(beside(Path::new(target), "1a"), Path::new(output));
        }
    }
}
