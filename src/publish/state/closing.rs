//! How a run whose state is kept ends, or how another ends it: first a note of what will appear,
//! then it appears, then a note that it has.

use std::io;
use std::path::Path;

use crate::publish::part;
use crate::publish::state::{Phase, Record, State, Verdict};
use crate::words::id::Name;
use crate::words::marks::{OutputAt, What};

/// What becomes of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It appears.
    Publish,
    /// A copy of it appears; the file itself is left for another run.
    Copy,
    /// It is left for another run.
    Leave,
    /// Nothing of it stays.
    Discard,
}

/// What a run owes to its record while it ends.
#[derive(Debug, Default)]
pub struct Closing {
    /// Whether another run may go on with what is written.
    kept: bool,
    /// The outputs that appear whatever happens: by this run, or by another.
    promised: Vec<Name>,
}

impl Closing {
    /// Of a run that was cut off, and that another goes on with.
    pub fn kept() -> Self {
        Self { kept: true, promised: Vec::new() }
    }

    /// Tells whether another run may go on with what is written.
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// Notes which outputs will appear, before the first one does.
    pub fn commit(
        &mut self,
        state: &mut State,
        record: &Record,
        verdict: &Verdict,
    ) -> io::Result<()> {
        // A single one appears at once, or not at all: it needs no note, if there is none yet.
        if verdict.outputs.len() < 2 && !state.holds() {
            return Ok(());
        }
        let record = Record { phase: Phase::Publishing(verdict.clone()), ..record.clone() };
        let saved = state.save(&record);
        // The record before may still hold, and it speaks of every output.
        self.kept = saved.is_err();
        self.promised = verdict.outputs.iter().map(|(name, _)| name.clone()).collect();
        saved
    }

    /// Tells what becomes of an output that `opens` or not.
    pub fn fate(&self, name: &Name, opens: bool) -> Fate {
        match (opens, self.kept) {
            (true, false) => Fate::Publish,
            (true, true) => Fate::Copy,
            (false, true) => Fate::Leave,
            (false, false) if self.promised.contains(name) => Fate::Leave,
            (false, false) => Fate::Discard,
        }
    }
}

impl State {
    /// Notes that what was to appear has, where that can be told later; else forgets all.
    pub fn settle(&mut self, record: &Record, verdict: &Verdict, settles: bool) -> io::Result<()> {
        let appeared = |name: &Name| verdict.outputs.iter().any(|(output, _)| output == name);
        for (_, at) in outputs(record).filter(|(name, _)| !appeared(name)) {
            // Whoever published may have been cut off before this was discarded.
            part::remove(self.files.as_ref(), Path::new(&at.part))?;
        }
        if settles && verdict.code == 0 {
            let phase = Phase::Done(verdict.clone());
            return self.save(&Record { phase, ..record.clone() });
        }
        self.clear()
    }

    /// Gives up what a run before left.
    pub fn discard(&mut self, record: &Record) -> io::Result<()> {
        // First the record, so that none speaks of what is gone.
        self.clear()?;
        outputs(record)
            .try_for_each(|(_, at)| part::remove(self.files.as_ref(), Path::new(&at.part)))
    }
}

fn outputs(record: &Record) -> impl Iterator<Item = (&Name, &OutputAt)> {
    record.tables.iter().filter_map(|table| match &table.what {
        What::Sink(at) => Some((&table.name, at)),
        What::Source(_) | What::Stage | What::Rows(_) => None,
    })
}
