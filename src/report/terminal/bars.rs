//! Progress as lines that stay in place, on a terminal.

use std::io;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::report::show::{Paint, shown};
use crate::report::terminal::pace::Reading;
use crate::report::terminal::plain::{BOTTLENECK, facts};

/// A line; what does not fit the terminal's width is cut.
const LINE: &str = "{wide_msg}";

/// A line of a source whose size is known.
const LINE_WITH_BAR: &str = "{wide_msg} [{bar:20}] {percent:>3}%";

/// The lines, one per table, drawn below all other text.
#[derive(Debug)]
pub(super) struct Bars {
    screen: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Bars {
    /// Draws on the terminal at stderr; none where there is no terminal that could be drawn on.
    pub(super) fn on_stderr() -> Option<Self> {
        let bars = Self::on(MultiProgress::new());
        (!bars.screen.is_hidden()).then_some(bars)
    }

    /// Draws on `screen`.
    pub(super) fn on(screen: MultiProgress) -> Self {
        Self { screen, bars: Vec::new() }
    }

    /// Draws how the tables fare.
    pub(super) fn draw(&mut self, readings: &[Reading<'_>], paint: Paint) {
        for (index, (reading, line)) in readings.iter().zip(lines(readings, paint)).enumerate() {
            let bar = self.bar(index);
            // Each of these may draw: the look comes first, then the text.
            restyle(bar, if reading.progress.is_some() { LINE_WITH_BAR } else { LINE });
            bar.set_message(line);
            if let Some((done, total)) = reading.progress {
                bar.set_length(total);
                bar.set_position(done);
            }
        }
    }

    fn bar(&mut self, index: usize) -> &ProgressBar {
        while self.bars.len() <= index {
            self.bars.push(self.screen.add(ProgressBar::no_length()));
        }
        &self.bars[index]
    }

    /// Takes the lines off the screen, so that text can be written where they were.
    ///
    /// Not by `MultiProgress::suspend`, which panics when the terminal has hung up, nor by its
    /// `println`, which pads each line to the terminal's width and puts it where bars go.
    pub(super) fn hide(&self) -> io::Result<()> {
        self.screen.clear()
    }

    /// Puts the lines back below what was written.
    pub(super) fn show(&self) {
        if let Some(bar) = self.bars.first() {
            // Drawing one draws all; if it is too soon for that, the next tick does.
            bar.tick();
        }
    }

    /// Takes the lines off the screen for good.
    pub(super) fn end(&mut self) -> io::Result<()> {
        for bar in self.bars.drain(..) {
            bar.finish_and_clear();
        }
        self.screen.clear()
    }
}

fn restyle(bar: &ProgressBar, template: &str) {
    // The templates are constants and known to be good; else the default is drawn.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

/// Writes a line per table: its name, its facts, and what it does.
fn lines(readings: &[Reading<'_>], paint: Paint) -> Vec<String> {
    let all: Vec<Vec<String>> = readings.iter().map(facts).collect();
    let widest = |column: usize| all.iter().map(|f| f[column].len()).max().unwrap_or(0);
    let (counts, rates) = (widest(0), widest(1));
    let names = readings.iter().map(|r| r.table.name.as_str().len());
    let names = names.max().unwrap_or(0);
    let line = |(reading, facts): (&Reading<'_>, &Vec<String>)| {
        let name = paint.bold(&format!("{:names$}", reading.table.name));
        let mut line = format!("{name}  {:>counts$}  {:>rates$}", facts[0], facts[1]);
        for fact in &facts[2..] {
            line.push_str("  ");
            line.push_str(&if fact == BOTTLENECK { paint.bold(fact) } else { fact.clone() });
        }
        line + "  " + &paint.dim(&shown(&reading.table.what))
    };
    readings.iter().zip(&all).map(line).collect()
}
