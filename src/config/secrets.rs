//! What must not be shown: the values of `env`, `url`, `password*` and `key*`, which a snippet
//! would otherwise print along with the line that some mistake is in.

use crate::config::origin::Span;
use crate::config::tree::{Entry, Node, Value};

/// Finds the values in a tree that must not be shown.
pub(super) fn find(entries: &[Entry]) -> Vec<Span> {
    let mut found = Vec::new();
    for entry in entries {
        let key = entry.key.as_str();
        let named = |words: &[&str]| words.iter().any(|word| key.starts_with(word));
        // Of tables only `env` holds secrets: a stage may be called `keys`.
        let secret = match entry.node.value {
            Value::Table(_) => key == "env",
            _ => key == "env" || key == "url" || named(&["password", "key"]),
        };
        visit(&entry.node, secret, &mut found);
    }
    found
}

fn visit(node: &Node, secret: bool, found: &mut Vec<Span>) {
    match &node.value {
        Value::Table(entries) if secret => {
            for entry in entries {
                visit(&entry.node, true, found);
            }
        }
        Value::Table(entries) => found.extend(find(entries)),
        Value::List(items) => {
            for item in items {
                visit(item, secret, found);
            }
        }
        _ if secret => found.extend(node.origin.span()),
        _ => {}
    }
}

/// Returns `text` with the given stretches masked, every byte at its place.
pub(super) fn mask(text: &str, index: usize, secrets: &[Span]) -> String {
    let mut masked = text.to_owned();
    for span in secrets.iter().filter(|span| span.text == index) {
        let range = span.start..span.end;
        if let Some(value) = text.get(range.clone()) {
            masked.replace_range(range, &stars(value));
        }
    }
    masked
}

/// Stars of the same length; quotes, line breaks and the names in `${NAME…` stay readable.
fn stars(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        star_all(before, &mut out);
        let name: String = after.chars().take_while(|c| is_name(*c)).collect();
        out.push_str("${");
        out.push_str(&name);
        rest = after.get(name.len()..).unwrap_or_default();
        if let Some(tail) = rest.strip_prefix('}') {
            out.push('}');
            rest = tail;
        }
    }
    star_all(rest, &mut out);
    out
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn star_all(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' | '\'' | '\n' | '\r' => out.push(c),
            other => out.extend(std::iter::repeat_n('*', other.len_utf8())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{mask, stars};
    use crate::config::origin::Span;

    #[test]
    fn masking_keeps_every_byte_at_its_place() {
        assert_eq!(stars("\"häß\""), "\"*****\"");
        assert_eq!(stars("\"a${TOKEN}b\""), "\"*${TOKEN}*\"");
        assert_eq!(stars("\"${TOKEN:-pw}\""), "\"${TOKEN****}\"".replace('}', "*"));
        let span = Span { text: 0, start: 4, end: 6 };
        assert_eq!(mask("a = pw # x", 0, &[span]), "a = ** # x");
        assert_eq!(mask("a = pw # x", 1, &[span]), "a = pw # x");
    }
}
