//! The program's code, as far as its words matter.

use std::collections::BTreeSet;

use super::{read, rust};

/// A file of the program, its comments and strings left out, and its tests.
pub(super) struct Code {
    pub(super) path: String,
    pub(super) room: String,
    pub(super) text: String,
}

/// The program's own files: what is compiled for tests only is left out.
pub(super) fn program() -> Vec<Code> {
    let only_tests: BTreeSet<String> = rust("src").flat_map(|path| only_for_tests(&path)).collect();
    let own = rust("src").filter(|path| !only_tests.contains(path));
    own.map(|path| {
        let whole = read(&path);
        let text = whole.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let room = path.split('/').nth(1).unwrap().trim_end_matches(".rs").to_owned();
        Code { text: plain(text), room, path }
    })
    .collect()
}

/// The files that a file includes as `#[cfg(test)] mod NAME;`, public or not.
fn only_for_tests(path: &str) -> Vec<String> {
    let text = read(path);
    let behind = text.split("#[cfg(test)]\n").skip(1);
    let names = behind.filter_map(|rest| {
        rest.trim_start_matches("pub ").strip_prefix("mod ")?.lines().next()?.strip_suffix(';')
    });
    let folder = folder_of(path);
    names
        .flat_map(|name| [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")])
        .collect()
}

/// Where the modules lie that a file includes.
pub(super) fn folder_of(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap();
    match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        name => format!("{folder}/{}", name.trim_end_matches(".rs")),
    }
}

/// Code without its comments and without the contents of its strings.
pub(super) fn plain(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(['/', '"', '\'']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let (kept, length) = match &found.as_bytes()[..found.len().min(3)] {
            [b'/', b'/', ..] => ("", found.find('\n').unwrap_or(found.len())),
            [b'"', ..] => ("\"\"", string_end(found)),
            [b'\'', b'\\', ..] => ("' '", found.split_at(2).1.find('\'').map_or(2, |end| end + 3)),
            [b'\'', _, b'\''] => ("' '", 3),
            _ => (found.split_at(1).0, 1),
        };
        out.push_str(kept);
        rest = found.split_at(length).1;
    }
    out + rest
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// The words that follow `before` wherever it stands.
pub(super) fn behind<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    text.split(before).skip(1).map(move |rest| rest.split(word).next().unwrap_or(rest))
}
