//! Values of columns as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Writes what stands before a column's value.
pub(super) fn name(index: usize, name: &str) -> Vec<u8> {
    let mut out = vec![if index == 0 { b'{' } else { b',' }];
    string(name.as_bytes(), &mut out);
    out.push(b':');
    out
}

/// Writes a string. What is no UTF-8 stays as it is, and the line is refused for it.
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, behind)) = special.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => {
                let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
                out.extend_from_slice(&[
                    b'\\',
                    b'u',
                    b'0',
                    b'0',
                    digit(byte >> 4),
                    digit(byte & 15),
                ]);
            }
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Writes bytes, in base64.
pub(super) fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

/// Writes a text that is JSON already, in one line.
pub(super) fn inline(text: &str, out: &mut Vec<u8>) {
    // Between its values only: within strings JSON has no line ends.
    out.extend(text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}

/// Writes a number in floating point; JSON has no infinite ones, but numbers that are too large.
pub(super) fn float(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        // A finite number can be written.
        serde_json::to_writer(out, &number).ok();
    } else if number.is_nan() {
        out.extend_from_slice(b"null");
    } else {
        out.extend_from_slice(if number > 0.0 { b"9e999" } else { b"-9e999" });
    }
}
