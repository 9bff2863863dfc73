//! What the inside of a JSON string stands for.

/// Tells whether the inside of a string stands for `wanted`.
pub(super) fn is(inner: &[u8], wanted: &[u8]) -> bool {
    // An escape takes more bytes than what it stands for.
    if inner.len() <= wanted.len() {
        return inner == wanted && !inner.contains(&b'\\');
    }
    if memchr::memchr(b'\\', inner).is_none() {
        return false;
    }
    let mut rest = wanted;
    let whole = decode(inner, |bytes| match rest.strip_prefix(bytes) {
        Some(behind) => {
            rest = behind;
            true
        }
        None => false,
    });
    whole && rest.is_empty()
}

/// Tells piece by piece what the inside of a string stands for, as long as `take` wants more.
/// Half a surrogate pair becomes three bytes that stand in no UTF-8, so that it equals itself
/// only.
pub(super) fn decode(inner: &[u8], mut take: impl FnMut(&[u8]) -> bool) -> bool {
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        let mut buffer = [0; 4];
        let (bytes, length) = escaped(escape, &mut buffer);
        if !take(plain) || !take(bytes) {
            return false;
        }
        rest = escape.get(length..).unwrap_or_default();
    }
    take(rest)
}

/// Returns what the escape at the beginning of `text` stands for, and its length.
fn escaped<'a>(text: &[u8], buffer: &'a mut [u8; 4]) -> (&'a [u8], usize) {
    let plain = match text.get(1) {
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => {
            let Some(unit) = unit(text) else { return (&[], 2) };
            return code_point(unit, text.get(6..).unwrap_or_default(), buffer);
        }
        Some(&other) => other,
        None => return (&[], 1),
    };
    buffer[0] = plain;
    (&buffer[..1], 2)
}

/// Returns the code point that begins with a unit, as bytes, and the length of its escapes.
fn code_point<'a>(unit: u16, behind: &[u8], buffer: &'a mut [u8; 4]) -> (&'a [u8], usize) {
    let low = self::unit(behind).filter(|low| (0xdc00..0xe000).contains(low));
    let pair = low.and_then(|low| char::decode_utf16([unit, low]).next()?.ok());
    match (char::from_u32(u32::from(unit)), pair) {
        (Some(whole), _) => (whole.encode_utf8(buffer).as_bytes(), 6),
        (None, Some(whole)) => (whole.encode_utf8(buffer).as_bytes(), 12),
        (None, None) => {
            let [high, low] = unit.to_be_bytes();
            *buffer = [0xed, 0x80 | (high & 15) << 2 | low >> 6, 0x80 | (low & 63), 0];
            (&buffer[..3], 6)
        }
    }
}

/// Reads `\uXXXX` at the beginning of `text`.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}
