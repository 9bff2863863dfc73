//! `use = "select"`: what is not asked for is left out.

use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;

use crate::json::number;
use crate::json::pointer::{Pointer, inside, stands_for};
use crate::plan::builtin::{Select as SelectPlan, Test as TestPlan};
use crate::stage::builtin::{Outcome, Task, broken, pointer};
use crate::words::outcome::Failure;
use crate::words::policy::{Keep, Scalar};
use crate::words::record::{Origin, Record};

/// The task.
pub(super) struct Select {
    field: Pointer,
    test: Test,
    keep: Keep,
}

enum Test {
    Exists(bool),
    OneOf(Vec<Scalar>),
    Matches(Regex),
    Range(Option<Scalar>, Option<Scalar>),
}

impl Select {
    /// Compiles the regular expression.
    pub(super) fn new(plan: &SelectPlan) -> Result<Self, Failure> {
        let test = match &plan.test {
            TestPlan::Exists(exists) => Test::Exists(*exists),
            TestPlan::OneOf(values) => Test::OneOf(values.clone()),
            TestPlan::Matches(pattern) => {
                Test::Matches(Regex::new(pattern).map_err(|_| broken(pattern))?)
            }
            TestPlan::Range(min, max) => Test::Range(min.clone(), max.clone()),
        };
        Ok(Self { field: pointer(&plan.field)?, test, keep: plan.keep })
    }

    fn passes(&self, record: &[u8]) -> bool {
        let found = self.field.find(record).and_then(|span| record.get(span));
        let Some(value) = found else { return matches!(self.test, Test::Exists(false)) };
        let is = |scalar: &Scalar| compare(value, scalar);
        match &self.test {
            Test::Exists(exists) => *exists,
            Test::OneOf(values) => values.iter().any(|one| is(one) == Some(Ordering::Equal)),
            Test::Matches(pattern) => inside(value).is_some_and(|inner| {
                std::str::from_utf8(&stands_for(inner)).is_ok_and(|text| pattern.is_match(text))
            }),
            Test::Range(min, max) => {
                let above = |min| is(min).is_some_and(Ordering::is_ge);
                let below = |max| is(max).is_some_and(Ordering::is_le);
                min.as_ref().is_none_or(above) && max.as_ref().is_none_or(below)
            }
        }
    }
}

impl Task for Select {
    fn treat(&self, record: &Record<'_>, _origin: &Arc<Origin>, _out: &mut Vec<u8>) -> Outcome {
        if self.passes(record.bytes) == (self.keep == Keep::Matching) {
            Outcome::Kept
        } else {
            Outcome::Dropped
        }
    }
}

/// Compares a value with another of the same kind: strings by their code points, numbers by what
/// they are worth, however they are spelt.
fn compare(value: &[u8], with: &Scalar) -> Option<Ordering> {
    match with {
        Scalar::Text(text) => {
            // UTF-8 sorts as the code points that it stands for.
            inside(value).map(|inner| stands_for(inner).as_ref().cmp(text.as_bytes()))
        }
        Scalar::Truth(truth) => {
            let spelt: &[u8] = if *truth { b"true" } else { b"false" };
            (value == spelt).then_some(Ordering::Equal)
        }
        Scalar::Number(number) => {
            let is_number = value.first().is_some_and(|b| *b == b'-' || b.is_ascii_digit());
            is_number.then(|| number::compare(value, number.as_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Select;
    use crate::plan::builtin::{Select as SelectPlan, Test};
    use crate::words::policy::{Keep, Scalar};

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }

    fn number(text: &str) -> Scalar {
        Scalar::Number(text.to_owned())
    }

    /// Which of the records go on.
    fn kept(test: &Test, records: &[&str]) -> Vec<String> {
        let field = "/a".to_owned();
        let plan = |keep| SelectPlan { field: field.clone(), test: test.clone(), keep };
        let keep = Select::new(&plan(Keep::Matching)).unwrap();
        let leave = Select::new(&plan(Keep::Others)).unwrap();
        let of = |task: &Select, record: &str| {
            task.passes(record.as_bytes()) == (task.keep == Keep::Matching)
        };
        let differ = records.iter().all(|record| of(&keep, record) != of(&leave, record));
        assert!(differ, "each record is kept by one of the two");
        records.iter().filter(|record| of(&keep, record)).map(|r| (*r).to_owned()).collect()
    }

    #[test]
    fn each_comparison_keeps_what_it_says() {
        let all = [
            "{}",
            r#"{"a":null}"#,
            r#"{"a":true}"#,
            r#"{"a":1}"#,
            r#"{"a":1.0e0}"#,
            r#"{"a":18446744073709551616}"#,
            r#"{"a":18446744073709551617}"#,
            r#"{"a":"1"}"#,
            r#"{"a":"\u0062b"}"#,
            r#"{"a":"\ud800b"}"#,
            r#"{"a":[1]}"#,
            r#"{"a":-0.0}"#,
        ];
        let some = |from: &[usize]| from.iter().map(|i| all[*i].to_owned()).collect::<Vec<_>>();
        let rest: Vec<usize> = (1..12).collect();
        for (test, want) in [
            (Test::Exists(true), some(&rest)),
            (Test::Exists(false), some(&[0])),
            (Test::OneOf(vec![number("1")]), some(&[3, 4])),
            (Test::OneOf(vec![number("0")]), some(&[11])),
            (Test::OneOf(vec![text("1"), Scalar::Truth(true)]), some(&[2, 7])),
            (Test::OneOf(vec![number("18446744073709551616")]), some(&[5])),
            (Test::Matches("^b+$".to_owned()), some(&[8])),
            (Test::Range(Some(number("1")), None), some(&[3, 4, 5, 6])),
            (Test::Range(None, Some(number("18446744073709551616.5"))), some(&[3, 4, 5, 11])),
            (Test::Range(Some(text("2")), Some(text("c"))), some(&[8])),
        ] {
            assert_eq!(kept(&test, &all), want, "{test:?}");
        }
    }
}
