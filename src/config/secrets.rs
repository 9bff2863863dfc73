//! What must not be shown: the values of `env`, `url`, `password*` and `key*`, which a snippet
//! would otherwise print along with the line that some mistake is in.

use crate::config::origin::Span;
use crate::config::tree::{Entry, Node, Value};

/// Finds the values in a tree that must not be shown.
pub(super) fn find(root: &[Entry]) -> Vec<Span> {
    let mut found = Vec::new();
    for entry in root {
        // There `key` names columns.
        let of_rows = matches!(entry.key.as_str(), "sources" | "sinks");
        Looking { of_rows, found: &mut found }.at(entry, 0);
    }
    found
}

struct Looking<'a> {
    of_rows: bool,
    found: &'a mut Vec<Span>,
}

impl Looking<'_> {
    /// Looks at an entry of a table that lies `depth` tables deep.
    fn at(&mut self, entry: &Entry, depth: usize) {
        // The uppermost tables are named by their kinds, and those in them as one likes.
        let named = depth < 2 && matches!(entry.node.value, Value::Table(_));
        let plain = self.of_rows && entry.key == "key";
        self.visit(&entry.node, !named && !plain && is_secret(&entry.key), depth + 1);
    }

    fn visit(&mut self, node: &Node, secret: bool, depth: usize) {
        match &node.value {
            Value::Table(entries) if secret => {
                for entry in entries {
                    self.visit(&entry.node, true, depth + 1);
                }
            }
            Value::Table(entries) => entries.iter().for_each(|entry| self.at(entry, depth)),
            Value::List(items) => items.iter().for_each(|item| self.visit(item, secret, depth)),
            _ if secret => self.found.extend(node.origin.span()),
            _ => {}
        }
    }
}

/// Tells whether what stands at this key must not be shown.
fn is_secret(key: &str) -> bool {
    matches!(key, "env" | "url") || key.starts_with("password") || key.starts_with("key")
}

/// Finds what must not be shown of lines that are no TOML: all that stands behind a key of a
/// secret, and all behind the first word where the lines are in a table of secrets.
pub(super) fn find_in_broken(text: &str, lines: Span) -> Vec<Span> {
    let (before, rest) = text.split_at_checked(lines.start).unwrap_or(("", text));
    let broken = rest.get(..lines.end.saturating_sub(lines.start)).unwrap_or(rest);
    let mut inside = is_inside(before);
    let mut start = lines.start;
    let mut found = Vec::new();
    for line in broken.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            inside = heads_secrets(line);
        }
        let mut words = words(line);
        let first = words.next();
        let secret = first.into_iter().chain(words).find(|(_, word)| is_secret(word));
        let from = if inside { first.or(secret) } else { secret };
        if let Some((at, word)) = from {
            let behind = line.get(at + word.len()..).unwrap_or_default();
            let value = behind.trim_start_matches([' ', '\t', '=', '{']);
            let from = start + line.len() - value.len();
            let end = from + value.trim_end().len();
            found.push(Span { text: lines.text, start: from, end });
        }
        start += line.len();
    }
    found
}

/// Tells whether what follows `before` is in a table of secrets.
fn is_inside(before: &str) -> bool {
    let header = before.rfind("\n[").map_or(0, |newline| newline + 1);
    let table = before.get(header..).unwrap_or_default();
    if table.lines().next().is_some_and(heads_secrets) {
        return true;
    }
    // In braces that a key of secrets opened.
    let Some((at, _)) = words(table).filter(|(_, word)| is_secret(word)).last() else {
        return false;
    };
    let behind = table.get(at..).unwrap_or_default();
    behind.matches('{').count() > behind.matches('}').count()
}

/// Tells whether a line is the header of a table of secrets.
fn heads_secrets(line: &str) -> bool {
    let header = line.trim_start().starts_with('[');
    header && words(line).nth(2).is_some_and(|(_, word)| is_secret(word))
}

/// Finds the words that may be keys, and where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = text.split(|c: char| !(is_name(c) || c == '-'));
    let placed = words.map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word));
    placed.filter(|(_, word)| !word.is_empty())
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
    use super::{find_in_broken, mask, stars};
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

    #[test]
    fn of_lines_that_are_no_toml_all_behind_a_secret_key_is_masked() {
        for (before, line) in [
            ("[stages.a]\n", "key_env = \"SECRET\""),
            ("[stages.a]\n", "key_env \"SECRET\""),
            ("[stages.a]\n", "run = [\"x\"], key_file = \"SECRET\""),
            ("[stages.a]\n", "env = { A = \"SECRET\" B = 1 }"),
            ("[stages.a.env]\n", "PW \"SECRET\""),
            ("[stages.a]\nenv = {\n", "PW = \"SECRET\" X"),
            ("[stages.a]\nenv = { A = \"b\" }\n", "run \"x\""),
            ("[stages.env]\n", "run \"x\""),
        ] {
            let text = format!("{before}{line}\nrun = 1\n");
            let span = Span { text: 0, start: before.len(), end: before.len() + line.len() };
            let masked = mask(&text, 0, &find_in_broken(&text, span));
            assert!(!masked.contains("SECRET"), "{masked}");
            assert_eq!(masked.len(), text.len());
            assert!(masked.starts_with(before) && masked.ends_with("\nrun = 1\n"), "{masked}");
            assert!(line.contains("SECRET") || masked == text, "{masked}");
        }
    }
}
