//! The tables of a pipeline, as tests name them.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::golden::{Lines, Parts};
use crate::config::origin::{Located, Origin};
use crate::config::schema::Body;
use crate::config::suggest::{nearest, one_of};
use crate::plan::compile::Scope;
use crate::plan::compile::letters::output_of;
use crate::plan::golden::Case;
use crate::words::id::Name;

/// The lines of a table, and where they stand.
pub(super) type Part<'a> = (Name, &'a Lines, Origin);

/// The tables that tests may name.
pub(super) struct Belt {
    /// Where they come from.
    pub(super) sources: Vec<Name>,
    /// What they go through.
    pub(super) stages: Vec<Name>,
    /// Where records end, by the names of the sinks.
    pub(super) outputs: Vec<Name>,
}

impl Belt {
    /// Lists those of a pipeline.
    pub(super) fn new(scope: &Scope<'_>) -> Self {
        let mut belt = Self { sources: Vec::new(), stages: Vec::new(), outputs: Vec::new() };
        let mut short = Vec::new();
        for table in &scope.config.tables {
            let name = table.name.value.clone();
            if !output_of(table).is_left_out() {
                short.push(Name::internal(&format!("{name}.output")));
            }
            match &table.body {
                Body::Source(_) => belt.sources.push(name),
                Body::Stage(_) | Body::Builtin(_) => belt.stages.push(name),
                Body::Sink(_) => belt.outputs.push(name),
            }
        }
        belt.outputs.extend(short);
        belt
    }

    /// What a test of one stage has.
    pub(super) fn alone(&self) -> Self {
        Self {
            sources: vec![Case::alone_input()],
            stages: self.stages.clone(),
            outputs: vec![Case::alone_output()],
        }
    }
}

/// Says which table each part is of, as far as they are known.
pub(super) fn parts<'p>(
    (key, kind): (&str, &str),
    parts: &'p Located<Parts>,
    names: &[Name],
    out: &mut Diagnostics,
) -> Result<(Vec<Part<'p>>, Option<Reported>), Reported> {
    match (&parts.value, names) {
        (Parts::One(lines), [only]) => Ok((vec![(only.clone(), lines, parts.origin)], None)),
        // Without any there is more to mend than the test.
        (Parts::One(_), []) => Ok((Vec::new(), None)),
        (Parts::One(_), several) => {
            let all = one_of(several.iter().map(Name::as_str));
            let mistake = Diagnostic::new(format!("`{key}` does not say which {kind}'s it is"));
            let first = several.first().map(Name::as_str).unwrap_or_default();
            let hint = format!("there is {all}: write `{key} = {{ {first} = [] }}`");
            Err(out.push(mistake.at(parts.origin, "").hint(hint)))
        }
        (Parts::Named(_), [only]) if is_alone(only) => {
            let mistake = Diagnostic::new(format!("one stage alone has one `{key}`"));
            let hint = format!("write `{key} = [ … ]`, or leave out `stage`");
            Err(out.push(mistake.at(parts.origin, "").hint(hint)))
        }
        (Parts::Named(named), names) => {
            let mut found = Vec::new();
            let mut wrong = None;
            for (name, lines) in named {
                match known(kind, names, name, out) {
                    Ok(name) => found.push((name, &lines.value, lines.origin)),
                    Err(reported) => wrong = Some(reported),
                }
            }
            if named.is_empty() {
                let mistake = Diagnostic::new(format!("`{key}` takes at least one {kind}"));
                wrong = Some(out.push(mistake.at(parts.origin, "this is empty")));
            }
            Ok((found, wrong))
        }
    }
}

/// Tells whether a name is that of the input or output of one stage alone.
fn is_alone(name: &Name) -> bool {
    [Case::alone_input(), Case::alone_output()].contains(name)
}

/// Finds the table of a name.
pub(super) fn known(
    kind: &str,
    names: &[Name],
    written: &Located<String>,
    out: &mut Diagnostics,
) -> Result<Name, Reported> {
    let found = names.iter().find(|name| name.as_str() == written.value);
    found.cloned().ok_or_else(|| {
        let mistake = Diagnostic::new(format!("no {kind} is called `{written}`"));
        let all = || names.iter().map(Name::as_str);
        let hint = match nearest(&written.value, all()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if names.is_empty() => format!("the pipeline has no {kind}"),
            None => format!("there is {}", one_of(all())),
        };
        out.push(mistake.at(written.origin, "").hint(hint))
    })
}
