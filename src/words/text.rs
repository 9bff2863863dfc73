//! Making foreign bytes safe to show: nothing a record or a child wrote may steer a terminal,
//! start a CI command or break a line.

use std::fmt::Write as _;

/// The most of a foreign text that a message shows, in bytes.
pub const EXCERPT: usize = 200;

/// Returns `bytes` as text in which control, bidi and invalid bytes are visible escapes.
///
/// Tab is kept as it is harmless; line feed and carriage return are escaped, so the result is
/// always one line. Who shows it puts a prefix before it, so that it never begins a line.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut out, c);
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            write!(out, "\\x{byte:02x}").unwrap_or(());
        }
    }
    out
}

/// Returns `bytes` as one line that steers neither a terminal nor a CI service.
///
/// On top of [`escape`] it breaks up `##[…` and `##vso[…`: the runners of GitHub and of
/// Azure look for these anywhere in a line, so that a prefix alone does not disarm them. Their
/// search may skip characters it holds to be ignorable; so everything that is not ASCII is
/// taken for one here.
pub fn shown(bytes: impl AsRef<[u8]>) -> String {
    let escaped = escape(bytes.as_ref());
    let Some(last_bracket) = escaped.rfind('[') else {
        return escaped;
    };
    let mut out = String::with_capacity(escaped.len());
    let mut behind_hash = false;
    for (at, c) in escaped.char_indices() {
        if c == '#' && behind_hash && at < last_bracket {
            out.push_str("\\u{23}");
        } else {
            out.push(c);
        }
        behind_hash = c == '#' || (behind_hash && !c.is_ascii());
    }
    out
}

/// Returns the beginning of `bytes`, escaped, with the length cut away stated.
pub fn excerpt(bytes: &[u8]) -> String {
    if bytes.len() <= EXCERPT {
        return escape(bytes);
    }
    let mut end = EXCERPT;
    while end > EXCERPT - 3 && bytes[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    format!("{} … ({} bytes in all)", escape(&bytes[..end]), bytes.len())
}

fn push_escaped(out: &mut String, c: char) {
    let written = match c {
        '\t' => {
            out.push(c);
            Ok(())
        }
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        c if is_unsafe(c) => write!(out, "\\u{{{:x}}}", u32::from(c)),
        c => {
            out.push(c);
            Ok(())
        }
    };
    // Writing to a String cannot fail.
    written.unwrap_or(());
}

/// C0, DEL and C1 controls, and the characters that change the direction or flow of text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200e}' | '\u{200f}' | '\u{061c}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Returns the beginning of a text, at most so many bytes, with no character cut in two.
pub fn clipped(text: &str, most: usize) -> &str {
    text.split_at(text.floor_char_boundary(most)).0
}

/// Returns a JSON text that says the same and steers neither a terminal nor a CI service that is
/// shown it: in its strings, what [`shown`] makes visible becomes an escape of JSON.
pub fn tame_json(text: String) -> String {
    let plain = |byte: &u8| *byte < 0x7f;
    if text.as_bytes().iter().all(plain) && !text.contains("##") {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    let mut behind_hash = false;
    for c in text.chars() {
        let odd = is_unsafe(c) && !matches!(c, '\n' | '\r' | '\t');
        if odd || (c == '#' && behind_hash) {
            // Writing to a String cannot fail. None of these is beyond the 16 bits of an escape.
            write!(out, "\\u{:04x}", u32::from(c)).unwrap_or(());
        } else {
            out.push(c);
        }
        behind_hash = c == '#' || (behind_hash && !c.is_ascii());
    }
    out
}

/// Writes `n` with a comma between each three digits.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes a count with its noun: `1 record`, `2,000 records`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(n))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{count, escape, excerpt, is_unsafe, tame_json};

    #[test]
    fn what_steers_a_terminal_is_shown_instead() {
        assert_eq!(escape(b"\x1b[2Jhi\r\n"), "\\u{1b}[2Jhi\\r\\n");
        assert_eq!(escape("a\u{202e}b\u{9b}c".as_bytes()), "a\\u{202e}b\\u{9b}c");
        assert_eq!(escape(b"\xff\xfeok"), "\\xff\\xfeok");
        assert_eq!(escape("Bel\u{e9}m\tx".as_bytes()), "Bel\u{e9}m\tx");
    }

    #[test]
    fn a_tame_text_says_the_same() {
        let texts = ["##vso[x]", "a#b", "\u{202e}\u{7f}\u{9b}é\u{feff}", "#\u{200b}##[y]"];
        let wild = serde_json::to_string_pretty(&texts).unwrap();
        let tame = tame_json(wild.clone());
        assert_eq!(serde_json::from_str::<Vec<String>>(&tame).unwrap(), texts);
        assert!(!tame.contains("##") && !tame.contains(|c| c != '\n' && is_unsafe(c)), "{tame}");
        assert_eq!(tame_json("{\n \"a\": 1\n}".to_owned()), "{\n \"a\": 1\n}");
    }

    #[test]
    fn excerpts_are_cut_at_a_character() {
        let long = "é".repeat(300);
        let shown = excerpt(long.as_bytes());
        assert!(shown.ends_with("… (600 bytes in all)"), "{shown}");
        assert!(!shown.contains("\\x"), "no half character: {shown}");
        assert_eq!(excerpt(b"short"), "short");
    }

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(count(1, "record"), "1 record");
        assert_eq!(count(0, "record"), "0 records");
        assert_eq!(count(1_234_567, "line"), "1,234,567 lines");
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(2048))]

        #[test]
        fn no_bytes_come_out_that_steer_anything(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let shown = escape(&bytes);
            prop_assert!(shown.chars().all(|c| c == '\t' || !is_unsafe(c)), "{shown:?}");
            let cut = excerpt(&bytes);
            prop_assert!(cut.chars().all(|c| c == '\t' || !is_unsafe(c)), "{cut:?}");
        }
    }
}
