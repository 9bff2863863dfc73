//! Compiles `[[tests]]`: names, paths, and what is expected, read from wherever it stands.

mod belt;
mod files;

use std::path::PathBuf;

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::golden::{Lines, Parts, Reject, Rejects, Test};
use crate::config::origin::{Located, Origin, Span};
use crate::config::schema::Setting;
use crate::config::suggest::one_of;
use crate::plan::compile::Scope;
use crate::plan::compile::golden::belt::{Belt, known, parts};
use crate::plan::compile::golden::files::Files;
use crate::plan::golden::{Case, Given, Place, Wanted};
use crate::words::id::Name;

/// Compiles all tests; each mistake is reported.
pub(super) fn cases(scope: &Scope<'_>, out: &mut Diagnostics) -> Result<Vec<Case>, Reported> {
    let belt = Belt::new(scope);
    let mut cases: Vec<(Case, Origin)> = Vec::new();
    let mut wrong = None;
    for test in &scope.config.tests {
        let compiler = Compiler { scope, belt: &belt, test };
        match compiler.compile(out) {
            Ok(found) => cases.extend(found),
            Err(reported) => wrong = Some(reported),
        }
    }
    for (index, (case, at)) in cases.iter().enumerate() {
        let mut before = cases.iter().take(index);
        if let Some((_, first)) = before.find(|(other, _)| other.name == case.name) {
            let name = crate::words::text::escape(case.name.as_bytes());
            let mistake = Diagnostic::new(format!("two tests are called `{name}`"));
            wrong = Some(out.push(mistake.at(*at, "").at(*first, "the first of them")));
        }
    }
    wrong.map_or(Ok(cases.into_iter().map(|(case, _)| case).collect()), Err)
}

/// What one of `[[tests]]` is compiled against.
struct Compiler<'a> {
    scope: &'a Scope<'a>,
    belt: &'a Belt,
    test: &'a Test,
}

type Cases = Vec<(Case, Origin)>;

impl Compiler<'_> {
    fn compile(&self, out: &mut Diagnostics) -> Result<Cases, Reported> {
        let stage = self.stage(out);
        if let Some(folder) = self.test.folder.given() {
            return self.folders(stage?.as_ref(), folder, out);
        }
        if let Some(reported) = self.test.folder.unreadable() {
            return Err(reported);
        }
        let name = self.name(out);
        let input = self.input(&stage, out);
        let output = self.output(&stage, out);
        let rejects = self.rejects(out);
        let (output_of, rejects_of) = (&self.test.output, &self.test.rejects);
        if output_of.is_left_out() && rejects_of.is_left_out() {
            let mistake = Diagnostic::new("a test says nothing of what comes out");
            let hint = "give it `output`, `rejects` or both; without `rejects` none are expected";
            return Err(out.push(mistake.at(self.at(), "").hint(hint)));
        }
        let (name, origin) = name?;
        let (input, output, rejects) = (input?, output?, rejects?);
        Ok(vec![(Case { name, stage: stage?, input, output, rejects }, origin)])
    }

    /// Where the test stands.
    fn at(&self) -> Origin {
        self.test.name.given().map_or(self.test.at, |name| name.origin)
    }

    fn name(&self, out: &mut Diagnostics) -> Result<(String, Origin), Reported> {
        match &self.test.name {
            Setting::Unreadable(reported) => Err(*reported),
            Setting::LeftOut => Err(self.missing("name", "what the test is called", out)),
            Setting::Given(Located { value, origin }) => {
                if value.trim().is_empty() || value.contains(char::is_control) {
                    let mistake = Diagnostic::new("`name` takes a text on one line");
                    let found = "empty, or with control characters";
                    return Err(out.push(mistake.at(*origin, found)));
                }
                Ok((value.clone(), *origin))
            }
        }
    }

    fn missing(&self, key: &str, takes: &str, out: &mut Diagnostics) -> Reported {
        let mistake = Diagnostic::new(format!("a test has no `{key}`"));
        out.push(mistake.at(self.at(), "").hint(format!("`{key}` takes {takes}")))
    }

    /// Finds the one stage to test.
    fn stage(&self, out: &mut Diagnostics) -> Result<Option<Name>, Reported> {
        match &self.test.stage {
            Setting::LeftOut => Ok(None),
            Setting::Unreadable(reported) => Err(*reported),
            Setting::Given(written) => {
                let name = known("stage", &self.belt.stages, written, out)?;
                Ok(Some(name))
            }
        }
    }

    /// The tables of what is tested; those of the whole belt where that could not be read.
    fn tables(&self, stage: &Result<Option<Name>, Reported>) -> Belt {
        let Belt { sources, stages, outputs } = self.belt;
        match stage {
            Ok(Some(_)) => self.belt.alone(),
            _ => {
                Belt { sources: sources.clone(), stages: stages.clone(), outputs: outputs.clone() }
            }
        }
    }

    fn input(
        &self,
        stage: &Result<Option<Name>, Reported>,
        out: &mut Diagnostics,
    ) -> Result<Vec<(Name, Given)>, Reported> {
        let takes = "the lines that go in, or the path of a file of lines";
        let input = match &self.test.input {
            Setting::LeftOut => return Err(self.missing("input", takes, out)),
            Setting::Unreadable(reported) => return Err(*reported),
            Setting::Given(input) => input,
        };
        let sources = self.tables(stage).sources;
        let (named, mut wrong) = parts(("input", "source"), input, &sources, out)?;
        let files = Files::new(self.scope)?;
        let mut found = Vec::new();
        for (name, lines, origin) in named {
            let given = match lines {
                Lines::File(path) => files.input(path, origin, out).map(Given::File),
                Lines::Written(lines) => {
                    let lines = lines.iter().flat_map(|line| [line.value.bytes(), b"\n"]);
                    Ok(Given::Bytes(lines.flatten().copied().collect()))
                }
            };
            match given {
                Ok(given) => found.push((name, given)),
                Err(reported) => wrong = Some(reported),
            }
        }
        wrong.map_or(Ok(found), Err)
    }

    fn output(
        &self,
        stage: &Result<Option<Name>, Reported>,
        out: &mut Diagnostics,
    ) -> Result<Vec<(Name, Wanted<crate::config::golden::Line>)>, Reported> {
        let output = match &self.test.output {
            Setting::LeftOut => return Ok(Vec::new()),
            Setting::Unreadable(reported) => return Err(*reported),
            Setting::Given(output) => output,
        };
        let outputs = self.tables(stage).outputs;
        let (named, mut wrong) = parts(("output", "sink"), output, &outputs, out)?;
        let files = Files::new(self.scope)?;
        let mut found = Vec::new();
        for (name, lines, origin) in named {
            let wanted = match lines {
                Lines::File(path) => files.output(path, origin, out),
                Lines::Written(lines) => Ok(Wanted {
                    place: text(origin, lines),
                    items: lines.iter().map(|line| line.value.clone()).collect(),
                }),
            };
            match wanted {
                Ok(wanted) => found.push((name, wanted)),
                Err(reported) => wrong = Some(reported),
            }
        }
        wrong.map_or(Ok(found), Err)
    }

    fn rejects(&self, out: &mut Diagnostics) -> Result<Wanted<Reject>, Reported> {
        let (written, origin) = match &self.test.rejects {
            Setting::LeftOut => {
                return Ok(Wanted { items: Vec::new(), place: Place::Below(self.below()) });
            }
            Setting::Unreadable(reported) => return Err(*reported),
            Setting::Given(Located { value: Rejects::Written(written), origin }) => {
                (written, *origin)
            }
            Setting::Given(Located { value: Rejects::File(path), origin }) => {
                let wanted = Files::new(self.scope)?.rejects(path, *origin, out)?;
                self.tell_by(&wanted.items, |_| *origin, out)?;
                return Ok(wanted);
            }
        };
        let items: Vec<Reject> = written.iter().map(|reject| reject.value.clone()).collect();
        let at = |index: usize| written.get(index).map_or(origin, |reject| reject.origin);
        self.tell_by(&items, at, out)?;
        Ok(Wanted { place: text(origin, written), items })
    }

    /// Makes sure that the tables that rejects are told by are there.
    fn tell_by(
        &self,
        rejects: &[Reject],
        at: impl Fn(usize) -> Origin,
        out: &mut Diagnostics,
    ) -> Result<(), Reported> {
        let mut wrong = None;
        let Belt { sources, stages, .. } = self.belt;
        // Behind a filter, places are told by its output.
        let all: Vec<Name> = sources.iter().chain(stages).cloned().collect();
        for (index, reject) in rejects.iter().enumerate() {
            let told = [("stage", &reject.stage, stages), ("source", &reject.source, &all)];
            for (kind, name, names) in told {
                let Some(name) = name else { continue };
                let name = Located { value: name.clone(), origin: at(index) };
                wrong = known(kind, names, &name, out).err().or(wrong);
                if kind == "source" && self.test.stage.value().is_some() {
                    let mistake = Diagnostic::new("one stage alone has no source")
                        .at(name.origin, "`source` goes with the whole pipeline");
                    wrong = Some(out.push(mistake));
                }
            }
        }
        wrong.map_or(Ok(()), Err)
    }

    /// Where `rejects` would be written, had it to be.
    fn below(&self) -> Span {
        let name = self.test.name.origin();
        let output = match self.test.output.given() {
            Some(output) if matches!(output.value, Parts::One(_)) => output.origin,
            _ => name,
        };
        output.span().or(name.span()).unwrap_or(Span { text: 0, start: 0, end: 0 })
    }

    /// Compiles the tests that are folders.
    fn folders(
        &self,
        stage: Option<&Name>,
        folder: &Located<PathBuf>,
        out: &mut Diagnostics,
    ) -> Result<Cases, Reported> {
        let belt = self.tables(&Ok(stage.cloned()));
        for (names, key, kind) in
            [(&belt.sources, "input", "sources"), (&belt.outputs, "output", "outputs")]
        {
            if names.len() > 1 {
                let all = one_of(names.iter().map(Name::as_str));
                let mistake = Diagnostic::new(format!("a folder has one `{key}` only"))
                    .at(folder.origin, format!("the pipeline has several {kind}"));
                let hint = format!("name a `stage`, or write `{key} = {{ … }}` for {all}");
                return Err(out.push(mistake.hint(hint)));
            }
        }
        let (Some(source), Some(sink)) = (belt.sources.first(), belt.outputs.first()) else {
            // What is missing was reported.
            return Ok(Vec::new());
        };
        let files = Files::new(self.scope)?;
        let mut cases = Vec::new();
        let mut wrong = None;
        for found in files.folders(folder, out)? {
            let case = files.case(&found, folder.origin, out);
            let (name, input, output, rejects) = match case {
                Ok(case) => case,
                Err(reported) => {
                    wrong = Some(reported);
                    continue;
                }
            };
            wrong = self.tell_by(&rejects.items, |_| folder.origin, out).err().or(wrong);
            let input = vec![(source.clone(), Given::File(input))];
            let output = output.map(|wanted| (sink.clone(), wanted)).into_iter().collect();
            let case = Case { name, stage: stage.cloned(), input, output, rejects };
            cases.push((case, folder.origin));
        }
        wrong.map_or(Ok(cases), Err)
    }
}

/// Says where an array and its items stand.
fn text<T>(origin: Origin, items: &[Located<T>]) -> Place {
    let nowhere = Span { text: 0, start: 0, end: 0 };
    Place::Text {
        whole: origin.span().unwrap_or(nowhere),
        items: items.iter().map(|item| item.origin.span().unwrap_or(nowhere)).collect(),
    }
}
