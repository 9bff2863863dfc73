//! The finder against a parser, on texts that are JSON and on some that are not.

use proptest::prelude::{Strategy as _, any};
use serde_json::Value;

use crate::json::pointer::Pointer;
use crate::json::pointer::tests::{agrees, json, pointers};
use crate::words::fuzz::fuzz;

/// What makes other texts of JSON, or none.
const SPLINTERS: [&[u8]; 32] = [
    b"\"",
    b"\\",
    b"\\\"",
    b"\\\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\t",
    b"\"a\"",
    b"\"a\":1,",
    b"\"\":",
    b"\"\\u0061\"",
    b"\\ud83d\\ude00",
    b"\\ud83d",
    b"\\u00",
    b"\xc3\xa9",
    b"\xff",
    b"0",
    b"-1e+5",
    b"null",
    b"[[",
    b"]]",
    b"{\"a\":",
    b"{}",
    b"\"a\":[],",
    b"~0",
    b"/a",
    b"/0",
];

/// More than are in most texts; a few of many are enough.
const POINTERS: usize = 40;

#[test]
fn fuzz_pointer() {
    let fresh = (json(), any::<proptest::sample::Index>()).prop_map(|(line, index)| {
        let pointers =
            serde_json::from_str(&line).map(|value| pointers(&value)).unwrap_or_default();
        let pointer = if pointers.is_empty() { "" } else { index.get(&pointers) };
        format!("{pointer}\n{line}").into_bytes()
    });
    fuzz("pointer", &fresh, &SPLINTERS, check);
}

/// An input is a pointer, a line feed, and the text.
fn check(input: &[u8]) -> Result<bool, String> {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (text, line) = input.split_at(end);
    let pointer = std::str::from_utf8(text).ok().filter(|text| Pointer::parse(text).is_some());
    let pointer = pointer.unwrap_or("/a");
    some_answer(pointer, line)?;
    // Half a surrogate pair and great depth are JSON, but no value of this parser.
    let Some(line) = std::str::from_utf8(line).ok() else { return Ok(false) };
    let Ok(value) = serde_json::from_str::<Value>(line) else { return Ok(false) };
    agrees(pointer, line, &value)?;
    for pointer in pointers(&value).iter().take(POINTERS) {
        agrees(pointer, line, &value)?;
    }
    Ok(true)
}

/// Whatever the line is, there is an answer, and it lies within the line.
fn some_answer(pointer: &str, line: &[u8]) -> Result<(), String> {
    let pointer = Pointer::parse(pointer).ok_or("no pointer")?;
    pointer.key_of(line);
    let (place, span) = (pointer.place(line), pointer.find(line));
    if span != place.map(|place| place.span) {
        return Err("it is found in two places".to_owned());
    }
    match span {
        Some(span) if line.get(span.clone()).is_none_or(<[u8]>::is_empty) => {
            Err(format!("{span:?} is no place in {} bytes", line.len()))
        }
        _ => Ok(()),
    }
}
