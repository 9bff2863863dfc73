//! The picture as text: a table a line, what it feeds below it. A table that several feed stands
//! below the last of them, so that all that is above feeds what is below.

use crate::plan::Plan;
use crate::plan::drawing::{Arrow, Kind, Note, Picture};

/// Draws a plan for people.
pub fn text(plan: &Plan, note: Note<'_>) -> String {
    let picture = Picture::new(plan, note);
    let mut open = vec![0; picture.tables.len()];
    for arrow in &picture.arrows {
        if let Some(open) = open.get_mut(arrow.to) {
            *open += 1;
        }
    }
    let out = format!("pipeline `{}`\n", plan.name);
    let mut page = Page { picture: &picture, open, out };
    for (index, table) in picture.tables.iter().enumerate() {
        if table.kind == Kind::Source {
            page.out.push('\n');
            page.draw(index, "", "");
        }
    }
    page.out
}

/// A page being written.
struct Page<'a> {
    picture: &'a Picture<'a>,
    /// How many arrows to each table are not drawn yet.
    open: Vec<usize>,
    out: String,
}

impl Page<'_> {
    /// Draws a table and all below it; `first` stands before its own line, `rest` before others.
    fn draw(&mut self, table: usize, first: &str, rest: &str) {
        let mut first = first.to_owned();
        let mut next = Some(table);
        while let Some(table) = next.take() {
            self.line(&first, &self.label(table));
            let leaving = self.picture.arrows.iter().filter(|arrow| arrow.from == table);
            let mut leaving: Vec<&Arrow> = leaving.collect();
            // What leaves the belt first, so that the belt goes on below.
            leaving.sort_by_key(|arrow| !arrow.rejects);
            let handed_on = leaving.iter().filter(|arrow| !arrow.rejects).count();
            let straight = if handed_on == 1 { leaving.pop() } else { None };
            let last = leaving.len().saturating_sub(1);
            for (place, arrow) in leaving.into_iter().enumerate() {
                self.branch(arrow, rest, place == last && straight.is_none());
            }
            if let Some(arrow) = straight {
                let ready = self.arrive(arrow.to);
                let label = label(arrow);
                if ready {
                    self.line(rest, &format!("▼{label}"));
                    rest.clone_into(&mut first);
                    next = Some(arrow.to);
                } else {
                    self.line(rest, &format!("└─▶{label} {}, below", self.name(arrow.to)));
                }
            }
        }
    }

    fn branch(&mut self, arrow: &Arrow, rest: &str, last: bool) {
        let corner = if last { "└" } else { "├" };
        let head = if arrow.rejects { "✗" } else { "▶" };
        let first = format!("{rest}{corner}─{head}{} ", label(arrow));
        let is_letters =
            self.picture.tables.get(arrow.to).is_some_and(|table| table.kind == Kind::Letters);
        if is_letters {
            // One file for several tables is short enough to be told each time.
            self.line(&first, &self.label(arrow.to));
        } else if self.arrive(arrow.to) {
            let rest = format!("{rest}{}   ", if last { " " } else { "│" });
            self.draw(arrow.to, &first, &rest);
        } else {
            self.line(&first, &format!("{}, below", self.name(arrow.to)));
        }
    }

    /// Takes note of an arrow; tells whether it was the last one to its table.
    fn arrive(&mut self, table: usize) -> bool {
        let Some(open) = self.open.get_mut(table) else { return false };
        *open = open.saturating_sub(1);
        *open == 0
    }

    fn name(&self, table: usize) -> String {
        self.picture.tables.get(table).map(|table| table.name.to_string()).unwrap_or_default()
    }

    fn label(&self, table: usize) -> String {
        let Some(table) = self.picture.tables.get(table) else { return String::new() };
        let kind = match table.kind {
            Kind::Source => "source",
            Kind::Program | Kind::Builtin => "stage",
            Kind::Sink => "sink",
            Kind::Letters => return format!("dead letters: {}", table.what),
        };
        format!("{kind} {}: {}", table.name, table.what)
    }

    fn line(&mut self, before: &str, text: &str) {
        for part in [before, text, "\n"] {
            self.out.push_str(part);
        }
    }
}

/// Writes what is to be said of an arrow.
fn label(arrow: &Arrow) -> String {
    let turn = arrow.turn.map(|turn| format!("{turn}."));
    let said: Vec<String> = turn.into_iter().chain(arrow.note.map(str::to_owned)).collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(" ")) }
}
