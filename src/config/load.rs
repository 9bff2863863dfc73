//! From text to [`Config`]: parse, put `--set` over it, expand `${…}`, read the tables.

use std::path::Path;

use crate::config::Written;
use crate::config::diagnostic::{Diagnostics, Text};
use crate::config::origin::Span;
use crate::config::schema::Config;
use crate::config::{expand, secrets, set, syntax, tables};

/// Reads what was written.
///
/// Mistakes of form ride along in the [`Config`], so that those of meaning can be reported beside
/// them; only where the syntax is wrong there is nothing to go on with.
pub fn load(
    written: &Written<'_>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Diagnostics> {
    let mut parsed = syntax::parse(written.text);
    // Sought twice: a `--set` may replace a secret that the file still shows.
    let mut hidden = secrets::find(&parsed.root);
    let mut set_mistakes = Diagnostics::default();
    for (index, text) in (1..).zip(written.sets) {
        set::apply(&mut parsed.root, text, index, &mut set_mistakes);
    }
    hidden.extend(secrets::find(&parsed.root));
    for lines in parsed.broken.lines() {
        hidden.extend(secrets::find_in_broken(written.text, lines));
    }
    for (index, text) in (1..).zip(written.sets).filter(|(_, text)| !text.contains('=')) {
        let whole = Span { text: index, start: 0, end: text.len() };
        hidden.extend(secrets::find_in_broken(text, whole));
    }

    let mut texts = vec![written.text];
    texts.extend(written.sets.iter().map(String::as_str));
    let shown = texts.iter().enumerate().map(|(index, text)| Text {
        name: if index == 0 { written.name } else { "--set" }.to_owned(),
        text: secrets::mask(text, index, &hidden),
    });
    let mut out = Diagnostics::new(shown.collect());
    for mistake in &set_mistakes {
        out.push(mistake.clone());
    }

    expand::expand(&mut parsed.root, &texts, env, &mut out);
    let mut tables = tables::read(parsed.root, &mut out);
    if !parsed.errors.is_empty() {
        return Err(out.beside(parsed.errors, |other| parsed.broken.covers(other)));
    }
    let stem = Path::new(written.name).file_stem();
    tables.pipeline.stem = stem.map(|stem| stem.to_string_lossy().into_owned());
    let (pipeline, unreadable) = (tables.pipeline, tables.unreadable);
    Ok(Config::read(pipeline, (tables.list, tables.tests), out, unreadable))
}
