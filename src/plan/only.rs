//! A part of a plan: some stages, all above them, and the sinks that nothing else feeds.

use crate::config::suggest::{nearest, one_of};
use crate::plan::Plan;
use crate::words::id::Name;
use crate::words::ledger::Edge;
use crate::words::outcome::{Exit, Failure};
use crate::words::text::escape;

impl Plan {
    /// Keeps the named stages, all that feeds them, and the sinks fed by these alone. What the
    /// stages hand on to others is judged and counted, and goes nowhere.
    ///
    /// Whoever collects dead letters gets those of the tables that are kept.
    pub fn only(mut self, stages: &[String]) -> Result<Self, Failure> {
        let mut kept: Vec<Name> = Vec::new();
        for wanted in stages {
            let found = self.stages.iter().find(|stage| stage.name.as_str() == wanted);
            kept.push(found.ok_or_else(|| self.no_stage(wanted))?.name.clone());
        }
        let mut next = 0;
        while let Some(to) = kept.get(next).cloned() {
            next += 1;
            for edge in self.edges.iter().filter(|edge| edge.to == to) {
                if !kept.contains(&edge.from) {
                    kept.push(edge.from.clone());
                }
            }
        }
        let sinks = self.sinks.iter().filter(|sink| {
            let from_kept = |edge: &Edge| kept.contains(&edge.from);
            let mut feeds = self.edges.iter().filter(|edge| edge.to == sink.name);
            if sink.letters { feeds.any(from_kept) } else { feeds.all(from_kept) }
        });
        let sinks: Vec<Name> = sinks.map(|sink| sink.name.clone()).collect();
        self.sources.retain(|source| kept.contains(&source.name));
        self.stages.retain(|stage| kept.contains(&stage.name));
        self.sinks.retain(|sink| sinks.contains(&sink.name));
        let is_kept = |edge: &Edge| {
            kept.contains(&edge.from) && (kept.contains(&edge.to) || sinks.contains(&edge.to))
        };
        self.edges.retain(is_kept);
        self.spooled.retain(is_kept);
        Ok(self)
    }

    fn no_stage(&self, wanted: &str) -> Failure {
        let names = || self.stages.iter().map(|stage| stage.name.as_str());
        let message = format!("`--stage`: no stage is called `{}`", escape(wanted.as_bytes()));
        Failure::new(Exit::Config, message).hint(match nearest(wanted, names()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if self.stages.is_empty() => "the pipeline has no stage".to_owned(),
            None => format!("there is {}", one_of(names())),
        })
    }
}
