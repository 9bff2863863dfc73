//! What a person sees while a run goes on and when it ends: progress, notes, warnings, what
//! children write to stderr, the closing.

mod bars;
mod pace;
mod plain;
mod say;
mod voice;

use std::collections::BTreeSet;
use std::io::Write;

use crate::report::closing;
use crate::report::show::{Paint, shown};
use crate::report::summary::{End, Summary};
use crate::report::{Listener, ReportError};
use crate::words::event::{Event, Stamped};
use crate::words::id::Name;
use crate::words::outcome::Exit;
use bars::Bars;
use pace::Board;
use plain::Clock;
use say::Said;
use voice::Voice;

/// How many refused records of a code are kept for the closing.
const EXAMPLES: usize = 5;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Lines that stay in place; where stderr is no terminal, as `Plain`.
    Bar,
    /// A line of counters now and then, as for logs.
    Plain,
    /// Nothing but what children write and, if the run fails, why.
    None,
}

/// How what is told looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether it is coloured.
    pub color: bool,
    /// How many columns the terminal has; none where it is no terminal.
    pub width: Option<usize>,
    /// Whether each worker, refused record and checkpoint that is told is worth a line.
    pub verbose: bool,
}

/// Tells a person what happens.
///
/// What it writes never decides anything: it does not fail, and where nobody listens any more it
/// falls silent.
pub struct Terminal {
    voice: Voice,
    paint: Paint,
    verbose: bool,
    display: Display,
    board: Board,
    summary: Summary,
    /// The workers whose stderr was too much to be shown as it came.
    held_back: BTreeSet<(Name, u32)>,
    stopping: bool,
}

enum Display {
    Bars(Bars),
    Plain(Clock),
    Nothing,
}

impl Terminal {
    /// Writes text to `to`, which for [`Progress::Bar`] has to be stderr, where the bars are.
    pub fn new(to: Box<dyn Write + Send>, progress: Progress, look: Look) -> Self {
        let display = match progress {
            Progress::Bar => Bars::on_stderr().map(Display::Bars),
            Progress::Plain => None,
            Progress::None => Some(Display::Nothing),
        };
        let plain = || Display::Plain(Clock::new());
        Self::with(to, display.unwrap_or_else(plain), look)
    }

    fn with(to: Box<dyn Write + Send>, display: Display, look: Look) -> Self {
        let Look { color, width, verbose } = look;
        Self {
            voice: Voice::new(to),
            paint: Paint { color, width },
            verbose,
            display,
            board: Board::default(),
            summary: Summary::with_few(EXAMPLES),
            held_back: BTreeSet::new(),
            stopping: false,
        }
    }

    /// Writes lines, above the bars if there are any.
    fn say(&mut self, lines: &[String]) {
        let Display::Bars(bars) = &self.display else {
            return self.voice.say(lines);
        };
        // A screen that cannot be cleared is gone, and the voice finds that out by itself.
        bars.hide().unwrap_or(());
        self.voice.say(lines);
        bars.show();
    }

    fn tick(&mut self, t: f64) {
        match &mut self.display {
            Display::Bars(bars) => bars.draw(&self.board.readings(), self.paint),
            Display::Plain(clock) => {
                if clock.strikes(t) {
                    let line = plain::line(t, &self.board.readings());
                    self.say(&[line]);
                }
            }
            Display::Nothing => {}
        }
    }

    /// A child's text stands behind its stage's name: it never begins a line.
    fn child(&mut self, stage: &Name, lines: &[String]) {
        let prefix = self.paint.dim(&format!("{stage} |"));
        let line = |line: &String| format!("{prefix} {}", shown(line));
        let lines: Vec<String> = lines.iter().map(line).collect();
        self.say(&lines);
    }

    fn tell(&mut self, said: &Said) {
        if matches!(self.display, Display::Nothing) {
            return;
        }
        let line = match said {
            Said::Note(text) => format!("esteira: {text}"),
            Said::Warning(text) => {
                format!("esteira: {} {text}", self.paint.yellow("warning:"))
            }
        };
        self.say(&[line]);
    }

    fn close(&mut self, end: &End<'_>) {
        self.clear();
        let lines = match self.display {
            Display::Nothing if end.finish.exit.code == Exit::Ok => Vec::new(),
            Display::Nothing => closing::why(&self.summary, end, self.paint),
            Display::Bars(_) | Display::Plain(_) => closing::render(&self.summary, end, self.paint),
        };
        self.voice.say(&lines);
    }

    fn clear(&mut self) {
        if let Display::Bars(bars) = &mut self.display {
            // As above: if it cannot be cleared, nobody looks at it.
            bars.end().unwrap_or(());
        }
    }
}

impl Listener for Terminal {
    fn on(&mut self, event: &Stamped) -> Result<(), ReportError> {
        self.summary.add(event);
        let more = || self.verbose.then(|| say::more(&event.event)).flatten();
        if let Some(said) = say::said(&event.event, self.stopping).or_else(more) {
            self.tell(&said);
        }
        match &event.event {
            Event::RunStarted { tables, .. } => self.board = Board::new(tables),
            Event::Tick { tables } => {
                self.board.tick(event.t, tables);
                self.tick(event.t);
            }
            Event::Stderr { stage, line, .. } => self.child(stage, std::slice::from_ref(line)),
            Event::StderrTruncated { stage, worker, .. } => {
                self.held_back.insert((stage.clone(), *worker));
            }
            Event::WorkerExit { stage, worker, stderr, .. }
                if self.held_back.remove(&(stage.clone(), *worker)) =>
            {
                self.child(stage, &say::held_back(stderr));
            }
            Event::Stopping { .. } => self.stopping = true,
            _ => {}
        }
        if let Some(end) = End::of(event) {
            self.close(&end);
        }
        Ok(())
    }

    fn finish(&mut self) -> Vec<ReportError> {
        self.clear();
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
