//! Keeps what a worker writes to stderr: always drained, told line by line at first, then only
//! its end kept, so that a flood costs neither memory nor the log.

use std::collections::VecDeque;
use std::io;

use crate::child::pump::{Found, Reader};
use crate::stage::ended::Ended;
use crate::words::event::{Event, Events, StderrKept};
use crate::words::id::Name;
use crate::words::text::escape;

/// How many bytes are kept of the beginning, and of the end.
const KEEP: usize = 16 << 10;

/// A line longer than this is told in pieces.
const LINE: usize = 4 << 10;

/// Collects a worker's stderr.
#[derive(Debug)]
pub struct Log {
    stage: Name,
    worker: u32,
    events: Events,
    kept: StderrKept,
    /// Bytes told so far.
    told: usize,
    /// The beginning of a line whose end has not come yet.
    torn: Vec<u8>,
    tail: VecDeque<u8>,
    omitted: u64,
}

impl Log {
    /// Starts an empty log.
    pub fn new(stage: Name, worker: u32, events: Events) -> Self {
        let kept = StderrKept::default();
        let (torn, tail) = (Vec::new(), VecDeque::new());
        Self { stage, worker, events, kept, told: 0, torn, tail, omitted: 0 }
    }

    /// Reads to the end; returns what is kept.
    pub async fn drain(mut self, stderr: &mut Reader, mut ended: Ended) -> io::Result<StderrKept> {
        let mut room = vec![0; 64 << 10];
        loop {
            tokio::task::coop::consume_budget().await;
            match stderr.read(&mut room)? {
                Found::Bytes(count) => self.take(&room[..count]),
                Found::End => return Ok(self.finish()),
                Found::Idle => tokio::select! {
                    ready = stderr.ready() => ready?,
                    () = ended.pipes_over() => return Ok(self.finish()),
                },
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let room = KEEP - self.told;
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.told += head.len();
        for piece in head.split_inclusive(|&b| b == b'\n') {
            self.torn.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.torn.len() >= LINE {
                self.tell();
            }
        }
        if rest.is_empty() {
            return;
        }
        if self.tail.is_empty() && self.omitted == 0 {
            self.tell();
            let (stage, worker) = (self.stage.clone(), self.worker);
            self.events.emit(Event::StderrTruncated { stage, worker, shown: KEEP as u64 });
        }
        let last = &rest[rest.len().saturating_sub(KEEP)..];
        let over = (self.tail.len() + last.len()).saturating_sub(KEEP);
        self.tail.drain(..over);
        self.tail.extend(last);
        self.omitted += (rest.len() - last.len() + over) as u64;
    }

    /// Tells the collected line.
    fn tell(&mut self) {
        let line = self.torn.strip_suffix(b"\n").unwrap_or(&self.torn);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !self.torn.is_empty() {
            let line = escape(line);
            self.kept.head.push(line.clone());
            let (stage, worker) = (self.stage.clone(), self.worker);
            self.events.emit(Event::Stderr { stage, worker, line });
        }
        self.torn.clear();
    }

    fn finish(mut self) -> StderrKept {
        self.tell();
        let tail = self.tail.make_contiguous();
        let ended = tail.strip_suffix(b"\n").unwrap_or(tail);
        if !ended.is_empty() {
            self.kept.tail = ended.split(|&b| b == b'\n').map(escape).collect();
        }
        self.kept.omitted = self.omitted;
        self.kept
    }
}

#[cfg(test)]
mod tests;
