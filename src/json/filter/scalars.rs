//! Numbers, literals and escapes, looked at byte by byte where the masks cannot tell.

/// Tells whether the scalar that begins at `at` is a number or a literal, and ends where it
/// stands by itself.
pub(super) fn is_scalar(lines: &[u8], at: usize) -> bool {
    let rest = lines.get(at..).unwrap_or_default();
    let length = match rest.first() {
        Some(b't') => literal(rest, b"true"),
        Some(b'f') => literal(rest, b"false"),
        Some(b'n') => literal(rest, b"null"),
        _ => number(rest),
    };
    length.is_some_and(|length| rest.get(length).is_none_or(|byte| ends(*byte)))
}

/// Tells whether a scalar may end before this byte; what may not stand there is found elsewhere.
fn ends(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b'\n' | b' ' | b'\t' | b'\r' | b':' | b'"' | b'{' | b'[')
}

fn literal(rest: &[u8], word: &[u8]) -> Option<usize> {
    rest.starts_with(word).then_some(word.len())
}

/// Returns the length of the number that `rest` begins with.
fn number(rest: &[u8]) -> Option<usize> {
    let mut at = usize::from(rest.first() == Some(&b'-'));
    at = match rest.get(at)? {
        b'0' => at + 1,
        b'1'..=b'9' => digits(rest, at),
        _ => return None,
    };
    if rest.get(at) == Some(&b'.') {
        at = some_digits(rest, at + 1)?;
    }
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        let signed = matches!(rest.get(at + 1), Some(b'+' | b'-'));
        at = some_digits(rest, at + 1 + usize::from(signed))?;
    }
    Some(at)
}

fn some_digits(rest: &[u8], at: usize) -> Option<usize> {
    Some(digits(rest, at)).filter(|end| *end > at)
}

/// Returns the end of the digits that begin at `at`.
fn digits(rest: &[u8], mut at: usize) -> usize {
    while let Some(eight) = rest.get(at..).and_then(<[u8]>::first_chunk) {
        let others = no_digits(u64::from_le_bytes(*eight));
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let tail = rest.get(at..).unwrap_or_default();
    at + tail.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Marks the bytes of eight that are no digits, the lowest of them for sure, by their top bits.
fn no_digits(eight: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    // Digits are 0x30 to 0x39: the upper half is 3, and adding 6 keeps it so.
    let upper = (eight & (ONES * 0xf0)) ^ (ONES * 0x30);
    let over = ((eight & (ONES * 0x0f)) + ONES * 6) & (ONES * 0xf0);
    let wrong = upper | over;
    // Any bit of the upper half set becomes the top bit.
    (wrong | wrong << 1 | wrong << 2 | wrong << 3) & (ONES * 0x80)
}

/// Tells whether what stands behind a backslash at `at` makes an escape.
pub(super) fn is_escape(lines: &[u8], at: usize) -> bool {
    match lines.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => true,
        Some(b'u') => {
            let digits = lines.get(at + 1..at + 5);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::digits;

    proptest! {
        #![proptest_config(crate::words::trials::at_least(4096))]

        #[test]
        fn digits_end_at_the_first_byte_that_is_none(
            digits_before in "[0-9]{0,20}", behind in proptest::collection::vec(any::<u8>(), 0..9),
        ) {
            let text = [digits_before.into_bytes(), behind].concat();
            let end = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            prop_assert_eq!(digits(&text, 0), end);
        }
    }
}
