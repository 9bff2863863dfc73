//! `${NAME}` and `${NAME:-default}` in string values, after parsing.
//!
//! As in a shell, the default also stands in for an empty variable. `$${` is a literal `${`.
//! `run` is left alone: children read the environment themselves, and an argument must never
//! change its meaning with it. So is `[[tests]]`: what it holds are records, which may hold anything.

use std::ops::Range;

use crate::config::diagnostic::{Diagnostic, Diagnostics};
use crate::config::origin::{Origin, Span};
use crate::config::tree::{Entry, Node, Value};

/// Looks up a variable.
pub(super) type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Expands all string values below `root`, whose spans point into `texts`.
pub(super) fn expand(
    root: &mut [Entry],
    texts: &[&str],
    env: &Environment<'_>,
    out: &mut Diagnostics,
) {
    let mut walk = Walk { texts, env, out };
    for top in root.iter_mut().filter(|top| top.key != "tests") {
        let stages = top.key == "stages";
        let Value::Table(tables) = &mut top.node.value else {
            walk.node(&mut top.node);
            continue;
        };
        for table in tables {
            let Value::Table(settings) = &mut table.node.value else {
                walk.node(&mut table.node);
                continue;
            };
            for setting in settings.iter_mut().filter(|s| !(stages && s.key == "run")) {
                walk.node(&mut setting.node);
            }
        }
    }
}

struct Walk<'a> {
    texts: &'a [&'a str],
    env: &'a Environment<'a>,
    out: &'a mut Diagnostics,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::Table(entries) => {
                for entry in entries {
                    self.node(&mut entry.node);
                }
            }
            Value::List(items) => {
                for item in items {
                    self.node(item);
                }
            }
            Value::Text(text) if text.contains("${") => {
                let expanded = substitute(text, self.env);
                let written = std::mem::take(text);
                self.replace(node, &written, expanded);
            }
            _ => {}
        }
    }

    fn replace(&mut self, node: &mut Node, written: &str, expanded: Result<String, Vec<Problem>>) {
        let problems = match expanded {
            Ok(text) => {
                node.value = Value::Text(text);
                if let Origin::Written(span) = node.origin {
                    node.origin = Origin::Expanded(span);
                }
                return;
            }
            Err(problems) => problems,
        };
        for problem in problems {
            let origin = self.pinpoint(node.origin, written, problem.at.clone());
            let reported = self.out.push(problem.explain(origin));
            node.value = Value::Broken(reported);
        }
    }

    /// Finds a part of a string in the text it was written in; where escapes stand between the
    /// two it is the whole string.
    fn pinpoint(&self, whole: Origin, value: &str, part: Range<usize>) -> Origin {
        let Some(span) = whole.span() else {
            return whole;
        };
        let text = self.texts.get(span.text).copied().unwrap_or_default();
        let raw = text.get(span.start..span.end).unwrap_or_default();
        let quote = match raw.get(1..raw.len().saturating_sub(1)) {
            _ if raw == value => 0,
            Some(inside) if inside == value => 1,
            _ => return whole,
        };
        let start = span.start + quote;
        Origin::Written(Span { text: span.text, start: start + part.start, end: start + part.end })
    }
}

/// Something wrong inside a string.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    at: Range<usize>,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    Undefined(String),
    Unclosed,
    Malformed,
}

impl Problem {
    fn explain(self, origin: Origin) -> Diagnostic {
        const LITERAL: &str = "write `$${` for a literal `${`";
        match self.what {
            What::Undefined(name) => {
                Diagnostic::new(format!("the environment has no variable `{name}`"))
                    .at(origin, "not set, and no default given")
                    .hint(format!("set it, or give a default: `${{{name}:-default}}`"))
            }
            What::Unclosed => {
                Diagnostic::new("a `${` without its `}`").at(origin, "never closed").hint(LITERAL)
            }
            What::Malformed => Diagnostic::new("`${…}` takes `NAME` or `NAME:-default`")
                .at(origin, "no variable's name")
                .hint(LITERAL),
        }
    }
}

/// Replaces each variable by its value, or says what is wrong with which of them.
fn substitute(text: &str, env: &Environment<'_>) -> Result<String, Vec<Problem>> {
    let mut out = String::with_capacity(text.len());
    let mut problems = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let start = text.len() - after.len() - "${".len();
        let Some((inside, tail)) = after.split_once('}') else {
            let at = start..text.len();
            let what = What::Unclosed;
            problems.push(Problem { at, what });
            rest = "";
            break;
        };
        match look_up(inside, env) {
            Ok(value) => out.push_str(&value),
            Err(what) => {
                let at = start..text.len() - tail.len();
                problems.push(Problem { at, what });
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}

fn look_up(inside: &str, env: &Environment<'_>) -> Result<String, What> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(What::Malformed);
    }
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(What::Undefined(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, What, substitute};

    fn expand(text: &str) -> Result<String, Vec<Problem>> {
        substitute(text, &|name| match name {
            "A" => Some("one".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn variables_defaults_and_literals() {
        for (text, expanded) in [
            ("x/${A}/y", "x/one/y"),
            ("${A}${A:-two}", "oneone"),
            ("${NO:-two}", "two"),
            ("${NO:-}", ""),
            ("[${EMPTY}]", "[]"),
            ("${EMPTY:-two}", "two"),
            ("$${A} costs $5", "${A} costs $5"),
            ("$$${A}", "$${A}"),
            ("{A} $A $", "{A} $A $"),
        ] {
            assert_eq!(expand(text).as_deref(), Ok(expanded), "{text}");
        }
    }

    #[test]
    fn each_problem_has_its_place() {
        let problems = expand("é${NO}-${A}-${1}-${A").unwrap_err();
        let undefined = What::Undefined("NO".to_owned());
        let expected = [(2..7, undefined), (13..17, What::Malformed), (18..21, What::Unclosed)];
        let found: Vec<_> = problems.into_iter().map(|p| (p.at, p.what)).collect();
        assert_eq!(found, expected);
    }
}
