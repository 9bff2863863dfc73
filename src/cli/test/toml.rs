//! Writes lines and rejects as TOML, the way people write tests: pure.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::config::golden::Reject;

/// How wide a line of the pipeline file may be.
const WIDTH: usize = 100;

/// Writes a line of output: as a table if it can be one and `tables` asks for it, else as a
/// string. None if TOML cannot hold it.
pub(super) fn line(line: &[u8], tables: bool) -> Option<String> {
    let text = str::from_utf8(line).ok()?;
    let table = text.trim_start().starts_with('{').then(|| value(text)).flatten();
    table.filter(|_| tables).or_else(|| Some(string(text)))
}

/// Writes a reject as a table.
pub(super) fn reject(reject: &Reject) -> String {
    let texts = [
        ("code", &reject.code),
        ("path", &reject.path),
        ("message", &reject.message),
        ("stage", &reject.stage),
        ("source", &reject.source),
    ];
    let texts = texts.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?)));
    let line = reject.line.map(|line| format!("line = {line}"));
    let all: Vec<String> = line
        .into_iter()
        .chain(texts.map(|(key, text)| format!("{key} = {}", basic(text))))
        .collect();
    format!("{{ {} }}", all.join(", "))
}

/// Writes an array: in a line if it is short, else an item a line. `column` is where it begins,
/// `indent` what its line begins with.
pub(super) fn array(items: &[String], column: usize, indent: &str, feed: &str) -> String {
    let short = format!("[{}]", items.join(", "));
    if items.is_empty() || items.len() == 1 && column + short.chars().count() <= WIDTH {
        return short;
    }
    let items: Vec<String> =
        items.iter().map(|item| format!("{indent}    {item},{feed}")).collect();
    format!("[{feed}{}{indent}]", items.concat())
}

/// The members of an object in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Ordered;
        impl<'de> Visitor<'de> for Ordered {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Ordered)
    }
}

/// Writes a JSON text as TOML; none if that has no such value: `null`, a large number, a key twice.
fn value(json: &str) -> Option<String> {
    let json = json.trim_ascii();
    match json.as_bytes().first()? {
        b'{' => {
            let Members(members) = serde_json::from_str(json).ok()?;
            let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
            keys.sort_unstable();
            if keys.windows(2).any(|pair| pair.first() == pair.last()) {
                return None;
            }
            let members = members.iter().map(|(key, raw)| {
                let value = value(raw.get())?;
                Some(format!("{} = {value}", bare(key)))
            });
            let members: Vec<String> = members.collect::<Option<_>>()?;
            let all = members.join(", ");
            Some(if all.is_empty() { "{}".to_owned() } else { format!("{{ {all} }}") })
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let items: Option<Vec<String>> = items.iter().map(|raw| value(raw.get())).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        b'"' => Some(basic(&serde_json::from_str::<String>(json).ok()?)),
        b't' | b'f' => Some(json.to_owned()),
        b'n' => None,
        _ if json.contains(['.', 'e', 'E']) => {
            let finite = json.parse::<f64>().is_ok_and(f64::is_finite);
            finite.then(|| json.to_owned())
        }
        _ => json.parse::<i64>().ok().map(|_| json.to_owned()),
    }
}

fn bare(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !key.is_empty() && key.bytes().all(plain) { key.to_owned() } else { basic(key) }
}

/// Writes a string as it stands if that can be, else with escapes.
fn string(text: &str) -> String {
    let plain = |c: char| c == '\t' || !c.is_control() && c != '\'';
    if text.chars().all(plain) { format!("'{text}'") } else { basic(text) }
}

/// Writes a string with escapes, which are those of JSON, but for one character.
fn basic(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() {
            // Writing to a String cannot fail.
            write!(out, "\\u{:04x}", u32::from(c)).ok();
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{array, line, reject, value};

    #[test]
    fn records_become_tables_in_the_order_of_their_keys() {
        for (json, toml) in [
            (r#"{"id":1,"a":"x"}"#, r#"{ id = 1, a = "x" }"#),
            (r#"{"b c":[1.50,true,[]],"é":{}}"#, r#"{ "b c" = [1.50, true, []], "é" = {} }"#),
            ("{\"a\":\"\\u007f\\n\"}", r#"{ a = "\u007f\n" }"#),
            (r#"{"n":-0,"e":1E5}"#, "{ n = -0, e = 1E5 }"),
        ] {
            assert_eq!(line(json.as_bytes(), true).as_deref(), Some(toml));
        }
    }

    #[test]
    fn what_toml_does_not_know_stays_a_line() {
        for json in [
            r#"{"a":null}"#,
            r#"{"a":9223372036854775808}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":1e999}"#,
            "[1]",
            "x",
            "{",
        ] {
            assert_eq!(line(json.as_bytes(), true), Some(format!("'{json}'")));
        }
        assert_eq!(line(b"{\"a\":1}", false).as_deref(), Some("'{\"a\":1}'"));
        assert_eq!(line(b"it's\r", true).as_deref(), Some("\"it's\\r\""));
        assert_eq!(line(b"\xff", true), None);
        assert_eq!(value(r#"{"a":[null]}"#), None);
    }

    #[test]
    fn an_array_is_as_long_as_it_must_be() {
        let items = |many: usize| vec!["{ id = 1 }".to_owned(); many];
        assert_eq!(array(&items(0), 9, "", "\n"), "[]");
        assert_eq!(array(&items(1), 9, "", "\n"), "[{ id = 1 }]");
        let two = "[\n      { id = 1 },\n      { id = 1 },\n  ]";
        assert_eq!(array(&items(2), 9, "  ", "\n"), two);
        let said = serde_json::from_str(r#"{"path":"/a","line":3,"code":"x"}"#).unwrap();
        assert_eq!(reject(&said), r#"{ line = 3, code = "x", path = "/a" }"#);
    }
}
