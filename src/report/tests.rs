//! Tests of the listening itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use super::{Listener, ReportError, TargetError, listen};
use crate::report::fixtures::stamped;
use crate::words::event::{Event, Stamped};
use crate::words::outcome::Exit;

struct Fails {
    at: usize,
    seen: Arc<AtomicUsize>,
}

impl Listener for Fails {
    fn on(&mut self, _: &Stamped) -> Result<(), ReportError> {
        if self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            return Err(ReportError {
                report: "test",
                path: "a\u{1b}b".into(),
                why: TargetError::NoFile { what: "a folder" },
            });
        }
        Ok(())
    }

    fn finish(&mut self) -> Vec<ReportError> {
        self.seen.fetch_add(100, Ordering::Relaxed);
        Vec::new()
    }
}

#[test]
fn who_fails_is_not_called_again_and_the_others_go_on() {
    let (to, events) = sync_channel(1);
    let seen = [2, 1000].map(|at| (at, Arc::<AtomicUsize>::default()));
    let listeners: Vec<Box<dyn Listener>> = seen
        .iter()
        .map(|(at, seen)| -> Box<dyn Listener> {
            Box::new(Fails { at: *at, seen: Arc::clone(seen) })
        })
        .collect();
    let thread = std::thread::spawn(move || listen(events, listeners));
    for _ in 0..5 {
        to.send(stamped(0.0, Event::Paused)).unwrap();
    }
    drop(to);
    let errors = thread.join().unwrap();
    let counts = seen.map(|(_, seen)| seen.load(Ordering::Relaxed));
    assert_eq!(counts, [2, 105]);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].to_string(), "cannot write the `test` report `a\\u{1b}b`");
    assert_eq!(errors[0].exit(), Exit::Config);
    assert_eq!(errors[0].path, Path::new("a\u{1b}b"));
}

#[test]
fn events_are_taken_even_when_no_listener_is_left() {
    let (to, events) = sync_channel(1);
    let thread = std::thread::spawn(move || listen(events, vec![]));
    for _ in 0..100 {
        to.send(stamped(0.0, Event::Paused)).unwrap();
    }
    drop(to);
    assert!(thread.join().unwrap().is_empty());
}
