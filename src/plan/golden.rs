//! A plan for a test: the same stages, but files in a folder of the test's own in the place of all
//! that is read and written, so that no database is touched and no output replaced.

use std::path::{Path, PathBuf};

use crate::config::golden::{Line, Reject};
use crate::config::origin::Span;
use crate::plan::{Input, Output, Plan, Protocol, Sink, Source, Stage, Tolerance, Unpack, Work};
use crate::words::id::Name;
use crate::words::ledger::{Edge, Port};
use crate::words::policy::{Check, OnReject, Order, Publish};
use crate::words::units::Limit;

/// A test of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// The one stage that is tested; none is the whole belt.
    pub stage: Option<Name>,
    /// What goes in, by the source; of one stage there is one. Sources without get nothing.
    pub input: Vec<(Name, Given)>,
    /// What must come out, by the sink; sinks that are not named are not looked at.
    pub output: Vec<(Name, Wanted<Line>)>,
    /// What must be refused, in input order.
    pub rejects: Wanted<Reject>,
}

/// What goes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A file, absolute, packed or not.
    File(PathBuf),
    /// These lines.
    Bytes(Vec<u8>),
}

/// What must come out, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<T> {
    /// What, in order.
    pub items: Vec<T>,
    /// Where it is written.
    pub place: Place,
}

/// Where it is written what a test expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file of its own, absolute, which need not be there.
    File(PathBuf),
    /// In the pipeline file.
    Text {
        /// The array.
        whole: Span,
        /// Its items.
        items: Vec<Span>,
    },
    /// Nowhere; in the pipeline file it would stand below this.
    Below(Span),
}

/// A test that is ready to run.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// What to run.
    pub plan: Plan,
    /// Files that have to be written before.
    pub inputs: Vec<(PathBuf, Vec<u8>)>,
    /// Where the run writes what comes out, by the sink.
    pub outputs: Vec<(Name, PathBuf)>,
    /// Where it writes what is refused.
    pub letters: PathBuf,
}

/// No number of rejects makes the run fail.
const TOLERANCE: Tolerance =
    Tolerance { max_rejects: Some(Limit::ALL), on_reject: OnReject::Continue };

/// What a line may be at most where no source says so.
const MAX_RECORD: usize = 16 << 20;

impl Case {
    /// Returns the name that the input of a test of one stage goes by.
    pub fn alone_input() -> Name {
        Name::internal("test.input")
    }

    /// Returns the name that the output of a test of one stage goes by.
    pub fn alone_output() -> Name {
        Name::internal("test.output")
    }
}

impl Plan {
    /// Prepares a test, whose files are in `folder`. Outputs come in input order, also where
    /// nobody asked for it.
    pub fn rehearse(mut self, case: &Case, folder: &Path) -> Rehearsal {
        if let Some(stage) = &case.stage {
            self.keep_alone(stage);
        }
        let letters = folder.join("rejects.ndjson");
        let inputs = self.read_from(case, folder);
        let outputs = self.write_to(folder);
        self.keep_order();
        self.max_rejects = Limit::ALL;
        self.watch.clear();
        for source in &mut self.sources {
            source.tolerance = TOLERANCE;
        }
        for stage in &mut self.stages {
            stage.tolerance = TOLERANCE;
        }
        self.collect("test.rejects", &letters, Publish::Gate);
        Rehearsal { plan: self, inputs, outputs, letters }
    }

    /// Keeps one stage, with a source of its own before it and a sink behind it.
    fn keep_alone(&mut self, stage: &Name) {
        let (check, max_record) = (self.promised_to(stage), self.longest());
        let (input, output) = (Case::alone_input(), Case::alone_output());
        self.stages.retain(|other| other.name == *stage);
        let edge = |from: &Name, to: &Name| {
            let (from, to) = (from.clone(), to.clone());
            Edge { from, port: Port::Out, to }
        };
        self.edges = vec![edge(&input, stage), edge(stage, &output)];
        self.sources = vec![Source {
            name: input,
            input: Input::Files(Vec::new()),
            check,
            max_record,
            unpack: Unpack { most: 1 << 40, ratio: 500 },
            tolerance: TOLERANCE,
        }];
        self.sinks = vec![Sink {
            name: output,
            output: Output::Stdout,
            publish: Publish::Gate,
            letters: false,
            tolerance: TOLERANCE,
        }];
        self.spooled.clear();
        self.mixed.clear();
    }

    fn longest(&self) -> usize {
        self.sources.iter().map(|source| source.max_record).max().unwrap_or(MAX_RECORD)
    }

    /// Says what is known of all lines that a stage takes: the least of what those before it see to.
    fn promised_to(&self, stage: &Name) -> Check {
        let mut least = Check::Json;
        let mut open = vec![stage];
        // A belt has no circles.
        while let Some(to) = open.pop() {
            let before = self.edges.iter().filter(|e| e.to == *to && e.port == Port::Out);
            for from in before.map(|edge| &edge.from) {
                if let Some(source) = self.sources.iter().find(|source| source.name == *from) {
                    least = lesser(least, source.check);
                }
                let Some(stage) = self.stages.iter().find(|stage| stage.name == *from) else {
                    continue;
                };
                let (check, passes_on) = promise(stage);
                least = lesser(least, check);
                if passes_on {
                    open.push(from);
                }
            }
        }
        least
    }

    /// Has all sources read files; returns those that are to be written.
    fn read_from(&mut self, case: &Case, folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        for (index, source) in self.sources.iter_mut().enumerate() {
            let given = case.input.iter().find(|(name, _)| *name == source.name);
            let path = if let Some((_, Given::File(path))) = given {
                path.clone()
            } else {
                let path = folder.join(format!("input-{index}.ndjson"));
                let bytes = match given {
                    Some((_, Given::Bytes(bytes))) => bytes.clone(),
                    _ => Vec::new(),
                };
                files.push((path.clone(), bytes));
                path
            };
            source.input = Input::Files(vec![path]);
        }
        files
    }

    /// Has all sinks write files, but for those of dead letters, which are left out.
    fn write_to(&mut self, folder: &Path) -> Vec<(Name, PathBuf)> {
        self.sinks.retain(|sink| !sink.letters);
        let kept = |name: &Name| {
            self.sinks.iter().any(|sink| sink.name == *name)
                || self.stages.iter().any(|stage| stage.name == *name)
        };
        self.edges.retain(|edge| kept(&edge.to));
        self.spooled.retain(|edge| kept(&edge.to));
        let mut files = Vec::new();
        for (index, sink) in self.sinks.iter_mut().enumerate() {
            let path = folder.join(format!("output-{index}.ndjson"));
            files.push((sink.name.clone(), path.clone()));
            sink.output = Output::File(path);
            sink.publish = Publish::Gate;
            sink.tolerance = TOLERANCE;
        }
        files
    }

    /// Has all records leave in input order, so that a test ends the same each time.
    fn keep_order(&mut self) {
        for stage in &mut self.stages {
            match &mut stage.work {
                Work::Builtin(builtin) => builtin.order = Order::Input,
                Work::Program(program) => {
                    if let Protocol::Pool(pool) = &mut program.protocol {
                        pool.order = Order::Input;
                    }
                }
            }
        }
        // What is kept in a file holds nobody up, whoever comes first.
        for table in std::mem::take(&mut self.mixed) {
            let later = self.edges.iter().filter(|edge| edge.to == table).skip(1);
            let later: Vec<Edge> = later.filter(|e| !self.spooled.contains(e)).cloned().collect();
            self.spooled.extend(later);
        }
    }
}

/// Says what a stage sees to of what it hands on, and whether that may be what it took, unseen.
fn promise(stage: &Stage) -> (Check, bool) {
    use crate::plan::Reply;
    let Work::Program(program) = &stage.work else { return (Check::Json, false) };
    match &program.protocol {
        Protocol::Stream(stream) => (stream.check_output, false),
        Protocol::Pool(pool) => match pool.reply {
            Reply::Lines { check_output } => (check_output, false),
            Reply::Records { .. } => (Check::Json, false),
            Reply::Command { check_output } => (check_output, true),
        },
    }
}

fn lesser(one: Check, other: Check) -> Check {
    match (one, other) {
        (Check::None, _) | (_, Check::None) => Check::None,
        (Check::Utf8, _) | (_, Check::Utf8) => Check::Utf8,
        (Check::Json, Check::Json) => Check::Json,
    }
}
