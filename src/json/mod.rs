//! Is this line one JSON text? One function decides, for sources and for what stages write.
//!
//! RFC 8259 to the letter: UTF-8, one value, white space around it; escaped lone surrogates,
//! numbers of any size and repeated keys pass. `serde_json` checks the grammar (its skipping
//! reader looks at neither UTF-8 nor depth), `simdutf8` the encoding, and depth is counted here.

pub mod number;
pub mod pointer;

use serde::de::IgnoredAny;

/// How many levels of arrays and objects may stand in each other.
pub const MAX_DEPTH: usize = 128;

/// Why a line is no JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A stable word: `json.syntax`, `json.utf8` or `json.too_deep`.
    pub code: &'static str,
    /// What is wrong, as a sentence fragment.
    pub message: String,
    /// The byte where it shows, from 1.
    pub column: u64,
}

/// Tells whether `line` is white space only, as JSON sees it.
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Checks that `line` is one JSON text. `utf8` says that its encoding was checked already.
pub fn check(line: &[u8], utf8: bool) -> Result<(), Fault> {
    if (utf8 || is_utf8(line)) && grammar(line).is_ok() && is_shallow(line) {
        return Ok(());
    }
    Err(judge(line))
}

/// Checks that `line` is UTF-8.
pub fn check_utf8(line: &[u8]) -> Result<(), Fault> {
    match std::str::from_utf8(line) {
        Ok(_) => Ok(()),
        Err(error) => Err(bad_utf8(error.valid_up_to())),
    }
}

/// Tells whether all of `bytes`, one line or many, is UTF-8: a fast answer without the place.
pub fn is_utf8(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

fn grammar(line: &[u8]) -> Result<IgnoredAny, serde_json::Error> {
    serde_json::from_slice(line)
}

/// Finds what is wrong first, reading from the left.
fn judge(line: &[u8]) -> Fault {
    let length = line.len() as u64;
    let encoding = std::str::from_utf8(line).err().map(|e| e.valid_up_to());
    let deep = too_deep_at(line);
    let syntax = grammar(line).err();
    let syntax_at = syntax.as_ref().map(|e| column(e).clamp(1, length.max(1)));
    if let Some(at) = encoding
        && syntax_at.is_none_or(|column| (at as u64) < column)
    {
        return bad_utf8(at);
    }
    if let Some(at) = deep
        && syntax_at.is_none_or(|column| (at as u64) < column)
    {
        let message = format!("nested deeper than {MAX_DEPTH} levels");
        return Fault { code: "json.too_deep", message, column: at as u64 + 1 };
    }
    let message = syntax.map_or_else(|| "not a JSON text".to_owned(), |e| plain(&e));
    Fault { code: "json.syntax", message, column: syntax_at.unwrap_or(1) }
}

fn bad_utf8(at: usize) -> Fault {
    Fault { code: "json.utf8", message: "invalid UTF-8".to_owned(), column: at as u64 + 1 }
}

/// The byte that is wrong. Of a control character in a string the parser tells the one before.
fn column(error: &serde_json::Error) -> u64 {
    let before = error.to_string().starts_with("control character");
    error.column() as u64 + u64::from(before)
}

/// The parser's message without the place, which is told apart.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

/// Tells whether `line` cannot be too deep: so many opening brackets it does not even have,
/// or they are not that deep in each other.
fn is_shallow(line: &[u8]) -> bool {
    line.len() <= 2 * MAX_DEPTH || openings(line) <= MAX_DEPTH || too_deep_at(line).is_none()
}

/// Counts `[` and `{`, strings included: they differ from each other by one bit.
fn openings(line: &[u8]) -> usize {
    let chunk = |c: &[u8]| c.iter().map(|&b| u8::from(b | 0x20 == b'{')).sum::<u8>();
    // At most 255 ones fit the byte that the loop adds up in, which keeps it vectorised.
    line.chunks(255).map(|c| usize::from(chunk(c))).sum()
}

/// Finds the bracket that opens a level too many. Strings are skipped.
fn too_deep_at(line: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, &byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{check, is_blank};

    fn verdict(line: &[u8]) -> Option<(&'static str, u64)> {
        check(line, false).err().map(|f| (f.code, f.column))
    }

    fn nested(levels: usize) -> Vec<u8> {
        [vec![b'['; levels], vec![b']'; levels]].concat()
    }

    #[test]
    fn what_rfc_8259_allows_passes() {
        let good: [&[u8]; 12] = [
            b"{}",
            b" [1, 2] \r",
            b"\"\\ud800 \\u0000\"",
            b"1e400",
            b"-0",
            b"{\"a\":1,\"a\":2}",
            b"123456789012345678901234567890",
            b"null",
            b"\"\x7f\"",
            "\"\u{2028}\u{feff}é\"".as_bytes(),
            b"\t1",
            b"1.0E+2",
        ];
        for line in good {
            assert_eq!(verdict(line), None, "{:?}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn what_it_does_not_allow_is_refused_with_its_column() {
        let bad: [(&[u8], &str, u64); 12] = [
            (b"{\"a\":}", "json.syntax", 6),
            (b"{\"a\":1", "json.syntax", 6),
            (b"1 2", "json.syntax", 3),
            (b"NaN", "json.syntax", 1),
            (b"'a'", "json.syntax", 1),
            (b"01", "json.syntax", 2),
            (b"\"a\tb\"", "json.syntax", 3),
            (b"\"\\x\"", "json.syntax", 3),
            (b"\"\xff\"", "json.utf8", 2),
            (b"\"\xc0\xaf\"", "json.utf8", 2),
            (b"\"\xed\xa0\x80\"", "json.utf8", 2),
            (b"{,\xff", "json.syntax", 2),
        ];
        for (line, code, column) in bad {
            let shown = String::from_utf8_lossy(line);
            assert_eq!(verdict(line), Some((code, column)), "{shown:?}");
        }
        assert_eq!(verdict("\u{feff}{}".as_bytes()), Some(("json.syntax", 1)), "a BOM is no JSON");
    }

    #[test]
    fn depth_is_counted_outside_of_strings() {
        assert_eq!(verdict(&nested(128)), None);
        assert_eq!(verdict(&nested(129)), Some(("json.too_deep", 129)));
        assert_eq!(verdict(&nested(100_000)), Some(("json.too_deep", 129)));
        let wide = format!("[{}]", vec!["{}"; 5000].join(","));
        assert_eq!(verdict(wide.as_bytes()), None);
        let quoted = format!("[\"{}\\\"{}\"]", "[".repeat(500), "{".repeat(500));
        assert_eq!(verdict(quoted.as_bytes()), None);
        // Broken before it gets deep: the first fault is the one to tell.
        let broken = [b"[}".to_vec(), nested(200)].concat();
        assert_eq!(verdict(&broken), Some(("json.syntax", 2)));
    }

    #[test]
    fn blank_is_json_white_space() {
        assert!(is_blank(b"") && is_blank(b" \t\r"));
        assert!(!is_blank(b"\x0b") && !is_blank(b"\xc2\xa0") && !is_blank(b"0"));
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(4096))]

        #[test]
        fn agrees_with_a_full_parse_on_shallow_lines(
            line in "[\\[\\]{},:\"0-9a-z\\\\ .eE+-]{0,24}",
            torn in any::<u8>(),
        ) {
            let mut bytes = line.into_bytes();
            if torn < 32 {
                bytes.push(0x80 | torn);
            }
            let parsed = std::str::from_utf8(&bytes)
                .is_ok_and(|text| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok());
            prop_assert_eq!(check(&bytes, false).is_ok(), parsed);
        }
    }
}
