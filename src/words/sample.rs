//! A piece of a refused record, with the value that is wrong in the middle.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::words::text::escape;

/// How many bytes are shown before and behind the value, and of the value itself.
const AROUND: usize = 80;
const VALUE: usize = 120;

/// What stands around a value that is wrong. All of it is escaped: one line, which steers no
/// terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// What stands before the value; without one, the beginning of the record.
    pub before: String,
    /// The value, or its beginning; empty where it is not known which one it is.
    pub value: String,
    /// What stands behind it.
    pub after: String,
    /// Whether the record begins before `before`.
    pub begins_before: bool,
    /// Whether it goes on behind `after`.
    pub goes_on: bool,
}

impl Sample {
    /// Takes what stands around `span` of a record that is `whole` or only the beginning of one.
    pub fn of(record: &[u8], span: Option<Range<usize>>, whole: bool) -> Self {
        let Some(span) = span.filter(|span| span.start <= span.end && span.end <= record.len())
        else {
            let end = cut(record, 2 * AROUND + VALUE);
            let before = escape(&record[..end]);
            return Self { before, goes_on: end < record.len() || !whole, ..Self::default() };
        };
        let start = cut(record, span.start.saturating_sub(AROUND));
        let long = span.len() > VALUE;
        let middle = if long { cut(record, span.start + VALUE) } else { span.end };
        let end = if long { middle } else { cut(record, middle + AROUND) };
        Self {
            before: escape(&record[start..span.start]),
            value: escape(&record[span.start..middle]),
            after: escape(&record[middle..end]),
            begins_before: start > 0,
            goes_on: end < record.len() || !whole,
        }
    }
}

/// Returns `at`, or the beginning of the character that it lies in.
fn cut(record: &[u8], at: usize) -> usize {
    let at = at.min(record.len());
    let back = (0..4).find(|back| {
        let byte = at.checked_sub(*back).and_then(|at| record.get(at));
        byte.is_none_or(|byte| byte & 0xc0 != 0x80)
    });
    at - back.unwrap_or(0).min(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, proptest};

    use super::Sample;

    fn shown(sample: &Sample) -> String {
        format!("{}[{}]{}", sample.before, sample.value, sample.after)
    }

    #[test]
    fn the_value_stands_in_the_middle_and_what_is_long_is_cut() {
        let short = Sample::of(br#"{"a":1,"b":"x"}"#, Some(11..14), true);
        assert_eq!(shown(&short), r#"{"a":1,"b":["x"]}"#);
        assert!(!short.begins_before && !short.goes_on);
        let record =
            format!("{{\"é\":\"{}\",\"b\":\"{}\",\"c\":1}}", "é".repeat(99), "ü".repeat(99));
        let value = record.find("\"ü").unwrap();
        let long = Sample::of(record.as_bytes(), Some(value..record.len() - 7), true);
        assert!(long.begins_before && long.goes_on && long.after.is_empty(), "{long:?}");
        assert!(!shown(&long).contains("\\x"), "no half character: {long:?}");
        assert!(long.before.ends_with("\",\"b\":") && long.value.starts_with("\"ü"), "{long:?}");
        let none = Sample::of(b"{bad\x1b", None, true);
        assert_eq!(shown(&none), "{bad\\u{1b}[]");
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(1024))]

        #[test]
        fn any_bytes_make_a_short_one(
            record in prop::collection::vec(any::<u8>(), 0..600),
            span in any::<Option<(usize, usize)>>(),
            whole in any::<bool>(),
        ) {
            let len = record.len() + 2;
            let span = span.map(|(from, to)| from % len..to % len);
            let sample = Sample::of(&record, span, whole);
            prop_assert!(!shown(&sample).contains(|c: char| c.is_control() && c != '\t'));
            prop_assert!(shown(&sample).len() < 3000);
        }
    }
}
