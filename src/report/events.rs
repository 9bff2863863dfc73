//! `--events`: every event as a line of NDJSON, as it happens.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::report::{Listener, ReportError, TargetError};
use crate::words::event::{Event, Stamped};
use crate::words::text::tame_json;

/// Writes each event to a file, a FIFO or a device.
///
/// What is written reaches its reader at least with each tick. A reader that goes away ends the
/// listening, not the run; one that stays and does not read holds the run up in the end.
pub struct EventLog {
    path: PathBuf,
    to: Option<BufWriter<Box<dyn Write + Send>>>,
}

impl EventLog {
    /// Writes to `to`; `path` is what messages call it.
    pub fn new(path: impl Into<PathBuf>, to: Box<dyn Write + Send>) -> Self {
        Self { path: path.into(), to: Some(BufWriter::new(to)) }
    }

    fn settle(&mut self, written: io::Result<()>) -> Result<(), ReportError> {
        let Err(error) = written else { return Ok(()) };
        // Taken apart, so that dropping it does not try to write the rest once more.
        drop(self.to.take().map(BufWriter::into_parts));
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Ok(());
        }
        Err(ReportError { report: "events", path: self.path.clone(), why: TargetError::Io(error) })
    }
}

impl Listener for EventLog {
    fn on(&mut self, event: &Stamped) -> Result<(), ReportError> {
        let Some(to) = &mut self.to else {
            return Ok(());
        };
        let due = matches!(event.event, Event::Tick { .. } | Event::RunFinished(_));
        let written = write_line(to, event).and_then(|()| if due { to.flush() } else { Ok(()) });
        self.settle(written)
    }

    fn finish(&mut self) -> Vec<ReportError> {
        let flushed = self.to.as_mut().map_or(Ok(()), Write::flush);
        self.settle(flushed).err().into_iter().collect()
    }
}

fn write_line(to: &mut impl Write, event: &Stamped) -> io::Result<()> {
    let mut line = tame_json(serde_json::to_string(event)?);
    line.push('\n');
    to.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::EventLog;
    use crate::report::Listener as _;
    use crate::report::fixtures::{Broken, Shared, every_event, stamped};
    use crate::words::event::Event;

    #[test]
    fn each_event_is_one_object_that_begins_with_its_name() {
        let shared = Shared::default();
        let mut log = EventLog::new("e", Box::new(shared.clone()));
        let events = every_event();
        for event in &events {
            log.on(&stamped(1.5, event.clone())).unwrap();
        }
        assert!(log.finish().is_empty());
        let text = shared.text();
        assert_eq!(text.lines().count(), events.len());
        for line in text.lines() {
            assert!(line.starts_with("{\"event\":\""), "{line}");
            assert!(line.ends_with(",\"t\":1.5}"), "{line}");
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }

    #[test]
    fn what_was_told_is_there_at_the_next_tick() {
        let shared = Shared::default();
        let mut log = EventLog::new("e", Box::new(shared.clone()));
        log.on(&stamped(0.1, Event::Paused)).unwrap();
        assert_eq!(shared.text(), "");
        log.on(&stamped(0.2, Event::Tick { tables: vec![] })).unwrap();
        assert_eq!(
            shared.text(),
            "{\"event\":\"paused\",\"t\":0.1}\n{\"event\":\"tick\",\"tables\":[],\"t\":0.2}\n"
        );
    }

    #[test]
    fn a_reader_that_left_is_no_failure_and_a_full_disk_is_one() {
        let tick = stamped(0.1, Event::Tick { tables: vec![] });
        let mut log = EventLog::new("e", Box::new(Broken::pipe()));
        log.on(&tick).unwrap();
        log.on(&tick).unwrap();
        assert!(log.finish().is_empty());
        let mut log = EventLog::new("out/e", Box::new(Broken::disk()));
        let error = log.on(&tick).unwrap_err();
        assert_eq!(error.to_string(), "cannot write the `events` report `out/e`");
        assert_eq!(error.why.to_string(), "no storage space");
        assert!(log.finish().is_empty());
    }
}
