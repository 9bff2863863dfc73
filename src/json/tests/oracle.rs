//! What others say of a line: `serde_json` of its grammar, the standard library of its encoding,
//! and a count of its depth.

use serde::de::IgnoredAny;

use crate::json::MAX_DEPTH;

/// Code and column of what is wrong first; nothing if all is well.
pub(super) fn verdict(line: &[u8]) -> Option<(&'static str, u64)> {
    let syntax = serde_json::from_slice::<IgnoredAny>(line).err();
    let syntax = syntax.map(|error| {
        // Of a control character in a string the parser tells the byte before.
        let before = error.to_string().starts_with("control character");
        let column = error.column() + usize::from(before);
        let escape = error.to_string().starts_with("invalid escape");
        (column.clamp(1, line.len().max(1)), escape)
    });
    let encoding = std::str::from_utf8(line).err().map(|error| error.valid_up_to() + 1);
    let column = syntax.map_or(usize::MAX, |(column, _)| column);
    // What stands behind a backslash is no bracket, whatever it is: four bytes behind `\u`, one
    // behind all else.
    let hex = column >= 6 && line.get(column - 6..column - 4) == Some(b"\\u");
    let text = match syntax {
        Some((column, true)) => column - if hex { 5 } else { 1 },
        _ => column,
    };
    let deep = too_deep(line).filter(|deep| *deep <= text);
    let first = encoding.filter(|encoding| *encoding <= column);
    match (first, deep, syntax) {
        (Some(encoding), deep, _) if deep.is_none_or(|deep| encoding <= deep) => {
            Some(("json.utf8", encoding as u64))
        }
        (_, Some(deep), _) => Some(("json.too_deep", deep as u64)),
        (_, None, Some((column, _))) => Some(("json.syntax", column as u64)),
        (_, None, None) => None,
    }
}

/// Finds the bracket that opens a level too many, from 1. Strings are skipped.
fn too_deep(line: &[u8]) -> Option<usize> {
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
                    return Some(at + 1);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
