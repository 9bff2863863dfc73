//! The picture in the language of Mermaid, which many sites and editors draw.

use std::fmt::Write as _;

use crate::plan::Plan;
use crate::plan::drawing::{Kind, Note, Picture};

/// Draws a plan as a flowchart.
pub fn mermaid(plan: &Plan, note: Note<'_>) -> String {
    let picture = Picture::new(plan, note);
    let mut out = "flowchart LR\n".to_owned();
    for (index, table) in picture.tables.iter().enumerate() {
        let (open, close) = match table.kind {
            Kind::Source => ("([", "])"),
            Kind::Program => ("[", "]"),
            Kind::Builtin => ("[[", "]]"),
            Kind::Sink => ("[(", ")]"),
            Kind::Letters => ("[/", "/]"),
        };
        let (name, what) = (plain(table.name.as_str()), plain(&table.what));
        // Writing to a String cannot fail.
        writeln!(out, "  t{index}{open}\"{name}<br>{what}\"{close}").ok();
    }
    for arrow in &picture.arrows {
        // A number with a dot behind it would be taken for a list.
        let turn = arrow.turn.map(|turn| format!("input {turn}"));
        let said = arrow.rejects.then_some("rejects").into_iter();
        let said = said.chain(turn.as_deref()).chain(arrow.note);
        let label = plain(&said.collect::<Vec<_>>().join(", "));
        let line = match (arrow.rejects, label.as_str()) {
            (true, label) => format!("-. \"{label}\" .->"),
            (false, "") => "-->".to_owned(),
            (false, label) => format!("-- \"{label}\" -->"),
        };
        writeln!(out, "  t{} {line} t{}", arrow.from, arrow.to).ok();
    }
    out
}

/// Writes foreign text so that none of it is markup, in this language or in HTML.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() || " .,:-_/+=@".contains(c) {
            out.push(c);
        } else {
            write!(out, "#{};", u32::from(c)).ok();
        }
    }
    out
}
