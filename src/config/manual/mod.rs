//! What each key takes, what holds without it, and what it means: the table that the JSON Schema
//! for editors and the reference page are made from.
//!
//! `keys` says which keys there are, and is what reads them; a test holds the two together. What
//! is said here of defaults is compared with what `plan::compile` makes of a key that is not there.
//!
//! A derived schema would need a second model of the file: the reader keeps every value's place and
//! reports all mistakes, so it is no deserializer.

mod builtin;
mod database;
mod fields;
mod golden;
mod json_schema;
mod page;
mod tables;
mod takes;

pub use fields::{FIELDS, Made, NULLS};
pub use json_schema::json_schema;
pub use page::page;
pub(super) use takes::phrase;
pub use takes::{Takes, Words};

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub key: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What holds where it is left out.
    pub without: Without,
    /// The words of the kind's chooser that it goes with; none are all.
    pub with: &'static [&'static str],
    /// What it means, in a sentence; Markdown.
    pub says: &'static str,
}

/// What holds where a key is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// It may not be.
    Required,
    /// This value, as TOML.
    Value(&'static str),
    /// What these words say.
    Means(&'static str),
    /// What is said of the keys in it.
    Inner,
    /// One of these sets of keys is there, and no key of another: at least one key of it.
    OneOf(&'static [&'static [&'static str]]),
}

/// A kind of table.
pub struct Kind {
    /// The table's name, as a file has it.
    pub table: &'static str,
    /// The key that tells it from other kinds of the same table, and its words if not any will do.
    pub mark: Option<(&'static str, &'static [&'static str])>,
    /// The key whose word says which others go with it.
    pub chooser: Option<&'static str>,
    /// What it is for, in a sentence or two; Markdown.
    pub says: &'static str,
    /// Its keys.
    keys: &'static [&'static [Key]],
}

/// All kinds of table, in the order of `keys::KINDS`.
pub static KINDS: [&Kind; 12] = [
    &tables::PIPELINE,
    &tables::SOURCE,
    &database::SOURCE,
    &tables::STAGE,
    &builtin::HASH,
    &builtin::JSON_SCHEMA,
    &builtin::SELECT,
    &builtin::UNIQUE,
    &tables::SINK,
    &database::SINK,
    &golden::TEST,
    &golden::TEST_FOLDER,
];

impl Key {
    const fn new(key: &'static str, takes: Takes, without: Without, says: &'static str) -> Self {
        Self { key, takes, without, with: &[], says }
    }

    /// The same key where it goes with some words of the chooser only.
    const fn with(mut self, words: &'static [&'static str]) -> Self {
        self.with = words;
        self
    }
}

impl Kind {
    /// Returns its keys.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().copied().flatten()
    }

    /// Finds a key.
    fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.key == name)
    }

    /// Returns the words that the chooser of its keys knows.
    pub fn choices(&self) -> Vec<&'static str> {
        // Where that tells it from other kinds, only some of them are of this one.
        if let Some((mark, words @ [_, ..])) = self.mark
            && Some(mark) == self.chooser
        {
            return words.to_vec();
        }
        match self.chooser.and_then(|name| self.key(name)).map(|key| &key.takes) {
            Some(Takes::Word(words)) => words(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
