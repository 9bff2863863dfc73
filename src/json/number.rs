//! What JSON numbers are worth, exactly: of any size and however they are spelt.

use std::cmp::Ordering;

/// A number as `±0.DIGITS × 10^EXPONENT`, without zeros at either end of the digits.
struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i128,
}

/// Compares two numbers, which are known to be such.
pub fn compare(one: &[u8], other: &[u8]) -> Ordering {
    let (one, other) = (Number::read(one), Number::read(other));
    match (one.is_zero(), other.is_zero()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return if other.negative { Ordering::Greater } else { Ordering::Less },
        (false, true) => return if one.negative { Ordering::Less } else { Ordering::Greater },
        (false, false) => {}
    }
    match (one.negative, other.negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => one.size(&other),
        (true, true) => other.size(&one),
    }
}

impl<'a> Number<'a> {
    fn read(text: &'a [u8]) -> Self {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let e = text.iter().position(|b| matches!(b, b'e' | b'E')).unwrap_or(text.len());
        let (digits, exponent) = text.split_at(e);
        let exponent = power(exponent.get(1..).unwrap_or_default());
        let dot = digits.iter().position(|b| *b == b'.').unwrap_or(digits.len());
        let (whole, fraction) = digits.split_at(dot);
        let zeros = |digits: &[u8]| digits.iter().take_while(|b| **b == b'0').count();
        let whole = whole.get(zeros(whole)..).unwrap_or_default();
        let mut fraction = fraction.get(1..).unwrap_or_default();
        let mut exponent = exponent.saturating_add(places(whole));
        if whole.is_empty() {
            let leading = zeros(fraction);
            exponent = exponent.saturating_sub(i128::try_from(leading).unwrap_or(i128::MAX));
            fraction = fraction.get(leading..).unwrap_or_default();
        }
        Self { negative, whole, fraction, exponent }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }

    fn is_zero(&self) -> bool {
        self.digits().all(|digit| digit == b'0')
    }

    /// Compares what is left without the sign.
    fn size(&self, other: &Self) -> Ordering {
        self.exponent.cmp(&other.exponent).then_with(|| {
            let length = |n: &Self| n.whole.len() + n.fraction.len();
            let most = length(self).max(length(other));
            let padded = |n: &Self| n.digits().chain(std::iter::repeat(b'0')).take(most).collect();
            let (one, other): (Vec<u8>, Vec<u8>) = (padded(self), padded(other));
            one.cmp(&other)
        })
    }
}

fn places(whole: &[u8]) -> i128 {
    i128::try_from(whole.len()).unwrap_or(i128::MAX)
}

/// Reads an exponent; one that nobody can hold is as large as can be.
fn power(text: &[u8]) -> i128 {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let step = |power: i128, digit: &u8| {
        power.saturating_mul(10).saturating_add(i128::from(digit.saturating_sub(b'0')))
    };
    // Far from the ends, so that the places before and behind the point can be added.
    let power = digits.iter().fold(0, step).min(i128::MAX / 4);
    if negative { -power } else { power }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::compare;

    #[test]
    fn numbers_compare_by_what_they_are_worth() {
        for (one, order, other) in [
            ("1", Ordering::Equal, "1.0"),
            ("1", Ordering::Equal, "0.01e2"),
            ("100", Ordering::Equal, "1E+2"),
            ("0", Ordering::Equal, "-0.0e9"),
            ("0.1", Ordering::Less, "0.10000000000000000000000000001"),
            ("18446744073709551616", Ordering::Less, "18446744073709551617"),
            ("1e400", Ordering::Greater, "9e399"),
            ("-1e400", Ordering::Less, "-9e399"),
            ("1e99999999999999999999999999999999999999999", Ordering::Greater, "1e400"),
            ("1e-99999999999999999999999999999999999999999", Ordering::Less, "1e-400"),
            ("-1", Ordering::Less, "0"),
            ("0", Ordering::Less, "1e-9"),
            ("0.00", Ordering::Greater, "-5"),
        ] {
            assert_eq!(compare(one.as_bytes(), other.as_bytes()), order, "{one} and {other}");
            assert_eq!(compare(other.as_bytes(), one.as_bytes()), order.reverse());
        }
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(2048))]

        /// A whole number and a power of ten, spelt in different ways.
        #[test]
        fn spelling_does_not_matter(
            one in any::<i32>(), other in any::<i32>(), up in 0usize..6, down in 0usize..6,
        ) {
            let spelt = format!("{one}{}e-{up}", "0".repeat(up));
            let point = format!("{other}.{}E0", "0".repeat(down + 1));
            prop_assert_eq!(compare(spelt.as_bytes(), point.as_bytes()), one.cmp(&other));
        }
    }
}
