//! Stages that run in this process: what each of them is to do.

use std::fmt;
use std::path::PathBuf;

use crate::words::policy::{Draft, Encoding, Keep, OnMissing, OnType, Order, Scalar};

/// A stage that runs in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// What it does.
    pub task: Task,
    /// On how many threads, at least one.
    pub threads: u32,
    /// In which order records leave.
    pub order: Order,
}

/// What a built-in stage does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// `hash`: puts a digest in the place of a value.
    Hash(Hash),
    /// `json-schema`: rejects what a schema does not allow.
    JsonSchema(JsonSchema),
    /// `select`: leaves out what is not asked for.
    Select(Select),
    /// `unique`: rejects what repeats a key.
    Unique(Unique),
}

/// `use = "hash"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    /// Which values, as JSON Pointers; at least one.
    pub fields: Vec<String>,
    /// How they are hashed.
    pub algorithm: Algorithm,
    /// Where the digest goes instead of the value's own place.
    pub into: Option<String>,
    /// What a missing field means.
    pub on_missing: OnMissing,
    /// What a value that is no string means.
    pub on_type: OnType,
    /// The longest record that may come of it.
    pub max_record: usize,
}

/// How a value is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256.
    Sha256(Encoding),
    /// SHA-512.
    Sha512(Encoding),
    /// HMAC with SHA-256 under a key.
    HmacSha256(Key, Encoding),
    /// Argon2id with a salt of its own for each value, as a PHC string.
    Argon2id(Argon2),
}

/// A key. Neither it nor where it is gets shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The key itself.
    pub bytes: Vec<u8>,
    /// The file that it was read from, absolute; none if a variable held it.
    pub file: Option<PathBuf>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What Argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2 {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// `use = "json-schema"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonSchema {
    /// The schema's file, absolute.
    pub schema: PathBuf,
    /// The folder that references to other files may not leave.
    pub root: PathBuf,
    /// Which draft a schema without `$schema` is of.
    pub draft: Draft,
    /// Whether `format` is asserted.
    pub formats: bool,
    /// How many errors of a record are told.
    pub max_errors: usize,
}

/// `use = "select"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// Which value, as a JSON Pointer.
    pub field: String,
    /// What is asked of it.
    pub test: Test,
    /// Which records go on.
    pub keep: Keep,
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// That it is there, or that it is not.
    Exists(bool),
    /// That it is one of these.
    OneOf(Vec<Scalar>),
    /// That it is a string which this regular expression finds something in.
    Matches(String),
    /// That it is not below the first and not above the second.
    Range(Option<Scalar>, Option<Scalar>),
}

/// `use = "unique"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// The values that make the key, as JSON Pointers; at least one.
    pub fields: Vec<String>,
    /// What a missing field means.
    pub on_missing: OnMissing,
    /// How many keys are remembered at most.
    pub max_keys: usize,
}
