//! Why a test failed, as lines that steer nothing: what differs, or how its run broke.

use crate::cli::test::judge::{Of, Step, Verdict};
use crate::cli::test::play::{Broken, Refused};
use crate::config::golden::{Line, Reject};
use crate::plan::Plan;
use crate::plan::golden::Case;
use crate::words::text::{count, shown};

/// How many lines that are as expected are shown before and behind others.
const AROUND: usize = 3;

/// How many lines that differ are shown of one output.
const MOST: usize = 50;

/// How much of a line is shown, in bytes.
const WIDE: usize = 2000;

/// Lines below the name of a test, each with what it is.
#[derive(Debug, Default)]
pub(super) struct Shown(Vec<(Mark, String)>);

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// Something said.
    Said,
    /// As expected.
    Same,
    /// Expected.
    Missing,
    /// What came.
    Extra,
}

impl Shown {
    /// Returns the lines as they stand below the name of the test.
    pub(super) fn below(&self, color: bool) -> String {
        let lines = self.0.iter().map(|(mark, line)| {
            let line = marked(*mark, line);
            let paint = match mark {
                Mark::Missing => "31",
                Mark::Extra => "32",
                Mark::Said | Mark::Same => "",
            };
            if color && !paint.is_empty() {
                format!("        \x1b[{paint}m{line}\x1b[0m\n")
            } else {
                format!("        {line}\n")
            }
        });
        lines.collect()
    }

    /// Returns the lines as they are.
    pub(super) fn plain(&self) -> String {
        let lines: Vec<String> = self.0.iter().map(|(mark, line)| marked(*mark, line)).collect();
        lines.join("\n")
    }

    fn say(&mut self, line: impl Into<String>) {
        self.0.push((Mark::Said, line.into()));
    }
}

fn marked(mark: Mark, line: &str) -> String {
    let sign = match mark {
        Mark::Said => return line.to_owned(),
        Mark::Same => ' ',
        Mark::Missing => '-',
        Mark::Extra => '+',
    };
    format!("{sign} {line}")
}

/// Shows how a run broke.
pub(super) fn broken(broken: &Broken) -> Shown {
    let mut out = Shown::default();
    let (code, meaning) = (broken.exit.code(), broken.exit.meaning());
    out.say(format!("the run ended with exit {code}, {meaning}: {}", shown(&broken.reason)));
    for hint in &broken.hints {
        // Some go on over several lines, which hold foreign text.
        let mut lines = hint.split('\n');
        lines.by_ref().take(1).for_each(|first| out.say(format!("hint: {}", shown(first))));
        lines.for_each(|line| out.say(shown(line)));
    }
    broken.stderr.iter().for_each(|line| out.say(shown(line)));
    out
}

/// Shows what differs.
pub(super) fn differences(plan: &Plan, case: &Case, verdict: &Verdict<'_>) -> Shown {
    let mut out = Shown::default();
    let told = Told::of(plan, case);
    for (of, steps) in &verdict.differences {
        match *of {
            Of::Output(index) => {
                let Some((sink, wanted)) = case.output.get(index) else { continue };
                let several = case.output.len() > 1;
                out.say(if several { format!("output of {sink}:") } else { "output:".to_owned() });
                let came = verdict.outputs.get(index).copied().unwrap_or_default();
                let missing = |index: usize| wanted.items.get(index).map(Line::bytes);
                let came = |index: usize| came.get(index).map(Vec::as_slice);
                let line = |line: Option<&[u8]>| wide(line.unwrap_or_default());
                draw(&mut out, steps, &|index| line(missing(index)), &|index| line(came(index)));
            }
            Of::Rejects => {
                out.say("rejects:");
                let missing = |index: usize| case.rejects.items.get(index).map(expected);
                let came = |index: usize| verdict.refused.get(index).map(|r| told.refused(r));
                let line = |line: Option<String>| wide(line.unwrap_or_default().as_bytes());
                draw(&mut out, steps, &|index| line(missing(index)), &|index| line(came(index)));
            }
        }
    }
    out
}

/// Draws the way from what was expected to what came.
fn draw(
    out: &mut Shown,
    steps: &[Step],
    missing: &dyn Fn(usize) -> String,
    came: &dyn Fn(usize) -> String,
) {
    let differs = |step: &Step| !matches!(step, Step::Same(..));
    let mut shown = 0;
    let mut passed = 0;
    for (index, step) in steps.iter().enumerate() {
        let from = index.saturating_sub(AROUND);
        let mut near = steps.iter().skip(from).take(index - from + AROUND + 1);
        if shown == MOST {
            let left = steps.iter().skip(index).filter(|step| differs(step)).count();
            if left > 0 {
                out.say(format!("… and {} more that differ", count(left as u64, "line")));
            }
            return;
        }
        if !near.any(differs) {
            passed += 1;
            continue;
        }
        if passed > 0 {
            out.say(format!("… {} as expected", count(passed, "line")));
            passed = 0;
        }
        out.0.push(match *step {
            Step::Same(_, index) => (Mark::Same, came(index)),
            Step::Missing(index) => (Mark::Missing, missing(index)),
            Step::Extra(index) => (Mark::Extra, came(index)),
        });
        shown += usize::from(differs(step));
    }
}

/// Shows a line, cut where it is very long.
fn wide(line: &[u8]) -> String {
    match line.split_at_checked(WIDE) {
        Some((head, rest)) if !rest.is_empty() => {
            format!("{} … ({} bytes in all)", shown(head), line.len())
        }
        _ => shown(line),
    }
}

/// By what rejects are told apart: where there is but one source or stage, it goes without saying.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    sources: bool,
    stages: bool,
}

impl Told {
    pub(super) fn of(plan: &Plan, case: &Case) -> Self {
        let whole = case.stage.is_none();
        Self { sources: whole && plan.sources.len() > 1, stages: whole && plan.stages.len() > 1 }
    }

    /// Says what was refused in a line.
    fn refused(self, refused: &Refused) -> String {
        let errors = refused.errors.iter().map(|error| {
            let what = [error.code.as_str(), error.path.as_str()];
            let what: Vec<&str> = what.into_iter().filter(|word| !word.is_empty()).collect();
            format!("{}: {}", what.join(" "), error.message)
        });
        let errors: Vec<String> = errors.collect();
        let source = self.sources.then_some(refused.source.as_str());
        let stage = refused.stage.as_deref().filter(|_| self.stages);
        format!("{}: {}", place(Some(refused.line), source, stage), errors.join("; "))
    }

    /// Makes what expects just this.
    pub(super) fn expects(self, refused: &Refused) -> Reject {
        let first = refused.errors.first();
        Reject {
            line: Some(refused.line),
            code: first.map(|error| error.code.clone()),
            path: first.map(|error| error.path.clone()).filter(|path| !path.is_empty()),
            message: None,
            stage: refused.stage.clone().filter(|_| self.stages),
            source: Some(refused.source.clone()).filter(|_| self.sources),
        }
    }
}

/// Says in a line what is expected to be refused.
fn expected(reject: &Reject) -> String {
    let place = place(reject.line, reject.source.as_deref(), reject.stage.as_deref());
    let what = [reject.code.as_deref(), reject.path.as_deref()];
    let what: Vec<&str> = what.into_iter().flatten().filter(|word| !word.is_empty()).collect();
    let message = reject.message.iter().map(|message| format!("… {message} …"));
    let rest: Vec<String> =
        Some(what.join(" ")).filter(|what| !what.is_empty()).into_iter().chain(message).collect();
    if rest.is_empty() { place } else { format!("{place}: {}", rest.join(": ")) }
}

fn place(line: Option<u64>, source: Option<&str>, stage: Option<&str>) -> String {
    let line = line.map_or("a line".to_owned(), |line| format!("line {line}"));
    let source = source.map(|source| format!(" of {source}")).unwrap_or_default();
    let stage = stage.map(|stage| format!(", by {stage}")).unwrap_or_default();
    format!("{line}{source}{stage}")
}

#[cfg(test)]
mod tests {
    use super::{MOST, Shown, draw, expected, wide};
    use crate::cli::test::judge::Step;

    fn drawn(steps: &[Step]) -> String {
        let mut out = Shown::default();
        draw(&mut out, steps, &|index| format!("w{index}"), &|index| format!("c{index}"));
        out.plain()
    }

    #[test]
    fn what_is_far_from_a_difference_is_passed_over() {
        let mut steps: Vec<Step> = (0..10).map(|index| Step::Same(index, index)).collect();
        steps.extend([Step::Missing(10), Step::Extra(10)]);
        steps.extend((11..20).map(|index| Step::Same(index, index)));
        let shown = "… 7 lines as expected\n  c7\n  c8\n  c9\n- w10\n+ c10\n  c11\n  c12\n  c13";
        assert_eq!(drawn(&steps), shown);
    }

    #[test]
    fn no_more_is_shown_than_one_can_read() {
        let steps: Vec<Step> = (0..60).map(Step::Extra).collect();
        let shown = drawn(&steps);
        assert_eq!(shown.lines().count(), MOST + 1);
        assert!(shown.ends_with("… and 10 lines more that differ"), "{shown}");
        assert!(wide(&[b'a'; 5000]).ends_with("a … (5000 bytes in all)"));
    }

    #[test]
    fn what_is_expected_is_said_in_a_line() {
        for (json, said) in [
            (r#"{"line":2,"code":"missing","path":"/id"}"#, "line 2: missing /id"),
            (r#"{"code":"type"}"#, "a line: type"),
            (r#"{"line":1,"stage":"s","source":"u","message":"no"}"#, "line 1 of u, by s: … no …"),
        ] {
            assert_eq!(expected(&serde_json::from_str(json).unwrap()), said);
        }
    }
}
