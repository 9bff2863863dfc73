//! Holds what came out of a test against what was expected: pure.

use std::cmp::Ordering;

use serde_json::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::cli::test::play::{Played, Refused};
use crate::config::golden::{Line, Reject};
use crate::json::number;
use crate::plan::golden::Case;
use crate::words::dead_letter::Complaint;

/// A step from what was expected to what came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// This expected item is this that came.
    Same(usize, usize),
    /// This one did not come.
    Missing(usize),
    /// This one was not expected.
    Extra(usize),
}

/// Of what something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// What came out, by its place among what is expected of the outputs.
    Output(usize),
    /// What was refused.
    Rejects,
}

/// What differs.
#[derive(Debug)]
pub(super) struct Verdict<'a> {
    /// What came, by its place among what is expected of the outputs.
    pub(super) outputs: Vec<&'a [Vec<u8>]>,
    /// What was refused.
    pub(super) refused: &'a [Refused],
    /// The way from what was expected to what came, for each that differs.
    pub(super) differences: Vec<(Of, Vec<Step>)>,
}

/// Judges.
pub(super) fn judge<'a>(case: &Case, played: &'a Played) -> Verdict<'a> {
    let mut verdict =
        Verdict { outputs: Vec::new(), refused: &played.refused, differences: Vec::new() };
    for (index, (sink, wanted)) in case.output.iter().enumerate() {
        let came = played.outputs.iter().find(|(name, _)| name == sink);
        let came: &[Vec<u8>] = came.map_or(&[], |(_, lines)| lines);
        verdict.outputs.push(came);
        let steps = compare(&wanted.items, came, |wanted, line| is(wanted, line));
        verdict.differences.extend(steps.map(|steps| (Of::Output(index), steps)));
    }
    let steps = compare(&case.rejects.items, &played.refused, fits);
    verdict.differences.extend(steps.map(|steps| (Of::Rejects, steps)));
    verdict
}

/// Tells whether a line is the expected one.
fn is(wanted: &Line, line: &[u8]) -> bool {
    match wanted {
        Line::Text(text) => text == line,
        Line::Record(json) => {
            let line = serde_json::from_slice::<Value>(line);
            let json = serde_json::from_str::<Value>(json);
            matches!((json, line), (Ok(json), Ok(line)) if same(&json, &line))
        }
    }
}

/// Tells whether two values are worth the same, whatever their numbers are spelt like.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.to_string(), other.to_string());
            number::compare(one.as_bytes(), other.as_bytes()) == Ordering::Equal
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(key, one): (&String, &Value)| other.get(key).is_some_and(|o| same(one, o));
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}

/// Tells whether what was refused is as expected, as far as anything was said.
fn fits(wanted: &Reject, refused: &Refused) -> bool {
    let said = wanted.code.is_some() || wanted.path.is_some() || wanted.message.is_some();
    let error = |error: &Complaint| {
        wanted.code.as_ref().is_none_or(|code| *code == error.code)
            && wanted.path.as_ref().is_none_or(|path| *path == error.path)
            && wanted.message.as_ref().is_none_or(|part| error.message.contains(part.as_str()))
    };
    wanted.line.is_none_or(|line| line == refused.line)
        && wanted.stage.as_ref().is_none_or(|stage| Some(stage) == refused.stage.as_ref())
        && wanted.source.as_ref().is_none_or(|source| *source == refused.source)
        && (!said || refused.errors.iter().any(error))
}

/// Finds the way from what was expected to what came; none if it is the same.
fn compare<W, C>(wanted: &[W], came: &[C], fits: impl Fn(&W, &C) -> bool) -> Option<Vec<Step>> {
    let pairs = || wanted.iter().zip(came);
    if wanted.len() == came.len() && pairs().all(|(wanted, came)| fits(wanted, came)) {
        return None;
    }
    // What came gets the number of what it was expected as, the first that nothing else is.
    let mut taken = vec![false; wanted.len()];
    let numbers: Vec<usize> = (0..wanted.len()).collect();
    let keys = came.iter().enumerate().map(|(index, came)| {
        let free = wanted
            .iter()
            .enumerate()
            .find(|(number, wanted)| taken.get(*number) == Some(&false) && fits(wanted, came));
        let Some((number, _)) = free else { return wanted.len() + index };
        taken.iter_mut().skip(number).take(1).for_each(|taken| *taken = true);
        number
    });
    let keys: Vec<usize> = keys.collect();
    let ops = capture_diff_slices(Algorithm::Myers, &numbers, &keys);
    Some(ops.iter().flat_map(steps).collect())
}

fn steps(op: &DiffOp) -> Vec<Step> {
    let (old, new) = (op.old_range(), op.new_range());
    if let DiffOp::Equal { .. } = op {
        return old.zip(new).map(|(old, new)| Step::Same(old, new)).collect();
    }
    old.map(Step::Missing).chain(new.map(Step::Extra)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Step, compare, fits, is};
    use crate::cli::test::play::Refused;
    use crate::config::golden::{Line, Reject};
    use crate::words::dead_letter::Complaint;

    fn steps(wanted: &str, came: &str) -> Option<Vec<Step>> {
        compare(wanted.as_bytes(), came.as_bytes(), |wanted, came| {
            *wanted == b'?' || wanted == came
        })
    }

    #[test]
    fn the_way_is_short_and_what_is_the_same_has_none() {
        use Step::{Extra, Missing, Same};
        assert_eq!(steps("abc", "abc"), None);
        assert_eq!(steps("a?c", "axc"), None, "what was not said may be anything");
        assert_eq!(steps("??", "ab"), None);
        assert_eq!(steps("abc", "ac"), Some(vec![Same(0, 0), Missing(1), Same(2, 1)]));
        assert_eq!(steps("", "a"), Some(vec![Extra(0)]));
        assert_eq!(steps("ab", "axb"), Some(vec![Same(0, 0), Extra(1), Same(1, 2)]));
        assert_eq!(steps("ab", "ba").map(|steps| steps.len()), Some(3), "order counts");
        assert_eq!(steps("aa", "a").map(|steps| steps.len()), Some(2), "and so does how often");
    }

    #[test]
    fn a_record_is_compared_as_a_value_and_a_line_by_its_bytes() {
        let record = |json: &str| Line::Record(json.to_owned());
        for line in [r#"{"b":[1.0],"a":"é"}"#, r#" {"a":"\u00e9", "b":[10e-1]}"#] {
            assert!(is(&record(r#"{"a":"é","b":[1]}"#), line.as_bytes()), "{line}");
            assert!(!is(&Line::Text(br#"{"a":"\xc3\xa9","b":[1]}"#.to_vec()), line.as_bytes()));
            assert!(is(&Line::Text(line.as_bytes().to_vec()), line.as_bytes()));
        }
        let large = "12345678901234567890123";
        for other in ["12345678901234567890124", "{}", "\"12345678901234567890123\"", "{", "null"] {
            let (wanted, line) = (format!("{{\"a\":{large}}}"), format!("{{\"a\":{other}}}"));
            assert!(!is(&record(&wanted), line.as_bytes()), "{other}");
        }
        assert!(!is(&record("{}"), br#"{"a":1}"#) && !is(&record(r#"{"a":1}"#), b"{}"));
    }

    #[test]
    fn what_is_said_of_a_reject_must_hold_and_of_one_error_at_that() {
        let complaint = |path: &str, code: &str| Complaint::new(path, code, "is missing");
        let refused = Refused {
            line: 2,
            source: "users".to_owned(),
            stage: Some("validate".to_owned()),
            errors: vec![complaint("/id", "missing"), complaint("/name", "type")],
        };
        let said = |text: &str| serde_json::from_str::<Reject>(text).unwrap();
        for fine in [
            r#"{"line":2}"#,
            r#"{"code":"missing","path":"/id"}"#,
            r#"{"code":"type","path":"/name","message":"miss"}"#,
            r#"{"stage":"validate","source":"users"}"#,
        ] {
            assert!(fits(&said(fine), &refused), "{fine}");
        }
        for wrong in [
            r#"{"line":1}"#,
            r#"{"code":"missing","path":"/name"}"#,
            r#"{"message":"Miss"}"#,
            r#"{"stage":"other"}"#,
            r#"{"source":"validate"}"#,
        ] {
            assert!(!fits(&said(wrong), &refused), "{wrong}");
        }
    }
}
