//! Which elements of an array are the same? Each is written in the one way that all values equal
//! to it are written in, so that it takes no comparing of each with each.

use std::io::Write as _;
use std::ops::Range;

use jsonschema_value::{Array as _, JsonNumber as _, Node as _, Object as _};

use crate::stage::builtin::json_schema::view::Part;

/// Tells whether no two values are equal, as JSON Schema has it.
pub(super) fn all_differ<'a>(values: impl Iterator<Item = Part<'a>>) -> bool {
    let mut text = Vec::new();
    let mut spans: Vec<Range<usize>> = Vec::new();
    for value in values {
        let start = text.len();
        write(&value, &mut text);
        spans.push(start..text.len());
    }
    spans.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
    spans.windows(2).all(|pair| text[pair[0].clone()] != text[pair[1].clone()])
}

fn write(value: &Part<'_>, out: &mut Vec<u8>) {
    if let Some(string) = value.as_string() {
        write_string(&string, out);
    } else if let Some(number) = value.as_number() {
        write_number(&number.as_str(), out);
    } else if let Some(array) = value.as_array() {
        out.push(b'[');
        array.elements().for_each(|element| write(&element, out));
        out.push(b']');
    } else if let Some(object) = value.as_object() {
        let mut members: Vec<_> = object.members().collect();
        members.sort_unstable_by_key(|(name, _)| *name);
        out.push(b'{');
        for (name, value) in members {
            write_string(name, out);
            write(&value, out);
        }
        out.push(b'}');
    } else {
        out.push(value.as_boolean().map_or(b'n', |is| if is { b't' } else { b'f' }));
    }
}

fn write_string(string: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(&string.len().to_le_bytes());
    out.extend_from_slice(string.as_bytes());
}

/// Writes a number as its digits, without zeros around them, and an exponent.
fn write_number(text: &str, out: &mut Vec<u8>) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    out.push(b'#');
    let start = out.len();
    let digits = whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit);
    out.extend(digits.skip_while(|&digit| digit == b'0'));
    let zeros = out[start..].iter().rev().take_while(|&&digit| digit == b'0').count();
    out.truncate(out.len() - zeros);
    if out.len() == start {
        return;
    }
    out.push(if whole.starts_with('-') { b'-' } else { b'+' });
    // Writing to a Vec cannot fail.
    match exponent.parse::<i64>() {
        Ok(exponent) => {
            let places = fraction.len() as i128 - zeros as i128;
            write!(out, "{};", i128::from(exponent) - places).unwrap_or(());
        }
        // Beyond that only what is written alike is held to be the same.
        Err(_) => write!(out, "{text};").unwrap_or(()),
    }
}
