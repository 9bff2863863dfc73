//! What is wrong with the records that a table refused, by kind: code and path.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::words::dead_letter::hex;
use crate::words::text::clipped;

/// How many kinds of one table are told apart. A program can make up any number of codes and
/// paths; what comes behind these is counted together.
const KINDS: usize = 1000;

/// The code of what is counted together.
pub const OTHER: &str = "(further codes)";

/// How many bytes of a code are told apart.
pub const CODE: usize = 200;
/// And of a path.
pub const PATH: usize = 1000;

/// How often something occurred, and how often where a baseline knew it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// In all.
    pub count: u64,
    /// Of these, in records that a baseline accepts.
    #[serde(default)]
    pub known: u64,
}

/// How often each code occurred, at which paths. In these, `*` stands for any place in an array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kinds(BTreeMap<String, BTreeMap<String, Times>>);

impl Times {
    /// How often in records that no baseline accepts.
    pub fn new_ones(self) -> u64 {
        self.count.saturating_sub(self.known)
    }

    /// Adds what occurred elsewhere.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.known += other.known;
    }
}

impl Kinds {
    /// Counts one more.
    pub fn add(&mut self, code: &str, path: &str, known: bool) {
        let (code, path) = (brief(code, CODE), general(path));
        self.add_times(&code, &brief(&path, PATH), Times { count: 1, known: known.into() });
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (code, path, times) in other.iter() {
            self.add_times(code, path, times);
        }
    }

    /// Gives each code with each of its paths and how often that occurred.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Times)> {
        self.0.iter().flat_map(|(code, paths)| {
            paths.iter().map(|(path, times)| (code.as_str(), path.as_str(), *times))
        })
    }

    fn add_times(&mut self, code: &str, path: &str, times: Times) {
        if let Some(there) = self.0.get_mut(code).and_then(|paths| paths.get_mut(path)) {
            return there.add(times);
        }
        let kinds: usize = self.0.values().map(BTreeMap::len).sum();
        let (code, path) = match (kinds < KINDS, self.0.contains_key(code)) {
            (true, _) => (code, path),
            (false, true) => (code, ""),
            (false, false) => (OTHER, ""),
        };
        let paths = self.0.entry(code.to_owned()).or_default();
        paths.entry(path.to_owned()).or_default().add(times);
    }
}

/// Returns a text, or of one that is too long the beginning and digits that tell it from others: a
/// program may say anything, and what is kept of it must not grow with that.
pub fn brief(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let mut digits = hex(&Sha256::digest(text));
    digits.truncate(16);
    let beginning = clipped(text, most - digits.len() - "…".len());
    Cow::Owned(format!("{beginning}…{digits}"))
}

/// Puts `*` in the place of each number: the elements of an array are of one kind.
fn general(path: &str) -> String {
    let number = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    let steps: Vec<&str> =
        path.split('/').map(|step| if number(step) { "*" } else { step }).collect();
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::{CODE, KINDS, Kinds, Times, brief};

    fn all(kinds: &Kinds) -> Vec<(&str, &str, u64, u64)> {
        kinds.iter().map(|(code, path, t)| (code, path, t.count, t.known)).collect()
    }

    #[test]
    fn elements_of_an_array_are_of_one_kind() {
        let mut kinds = Kinds::default();
        for path in ["/a/0/b", "/a/17/b", "/a/x1/b", ""] {
            kinds.add("type", path, path.is_empty());
        }
        let want = [("type", "", 1, 1), ("type", "/a/*/b", 2, 0), ("type", "/a/x1/b", 1, 0)];
        assert_eq!(all(&kinds), want);
        let mut twice = kinds.clone();
        twice.merge(&kinds);
        assert_eq!(all(&twice)[1], ("type", "/a/*/b", 4, 0));
    }

    #[test]
    fn long_texts_are_told_apart_and_cut() {
        let long = |end: &str| format!("{}{end}", "é".repeat(500));
        let (a, b) = (long("a"), long("b"));
        assert_ne!(brief(&a, CODE), brief(&b, CODE));
        assert!(brief(&a, CODE).len() <= CODE && brief(&a, CODE).starts_with("éé"));
        let short = "é".repeat(CODE / 2);
        assert_eq!(brief(&short, CODE), short);
        let mut kinds = Kinds::default();
        kinds.add(&a, &format!("/{a}{a}"), false);
        assert!(all(&kinds)[0].0.len() <= CODE && all(&kinds)[0].1.len() <= 1000);
    }

    #[test]
    fn they_do_not_grow_with_what_programs_make_up() {
        let mut kinds = Kinds::default();
        for number in 0..3 * KINDS {
            kinds.add("known", &format!("/x{number}"), false);
            kinds.add(&format!("c{number}"), "", false);
        }
        let sum = kinds.iter().map(|(_, _, Times { count, .. })| count).sum::<u64>();
        assert_eq!(sum, 6 * KINDS as u64);
        assert!(kinds.iter().count() <= KINDS + 2, "{}", kinds.iter().count());
    }
}
