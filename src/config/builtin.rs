//! `[stages.NAME]` with `use`: what the built-in stages take, as written, and how it is read.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::diagnostic::{Diagnostic, Diagnostics};
use crate::config::keys::{
    ALGORITHMS, DRAFTS, ENCODINGS, HASH, JSON_SCHEMA, KEEPS, ON_MISSINGS, ON_TYPES, ORDERS, SELECT,
    STAGE, UNIQUE, USES, Vocabulary,
};
use crate::config::origin::{Located, Origin};
use crate::config::read::{Field, Reader};
use crate::config::schema::{Body, Rules, Setting, Workers};
use crate::config::tables::{rules, word};
use crate::config::tree::Entry;
use crate::config::values;
use crate::words::policy::{Draft, Encoding, Keep, OnMissing, OnType, Order, Scalar};

/// A stage that runs in this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builtin {
    /// `use`, and the keys that go with it
    pub task: Setting<Task>,
    /// `inputs`
    pub inputs: Setting<Vec<Located<String>>>,
    /// `output`
    pub output: Setting<PathBuf>,
    /// `workers`
    pub workers: Setting<Workers>,
    /// `order`
    pub order: Setting<Order>,
    /// `deadline`
    pub deadline: Setting<Duration>,
}

/// What a built-in stage does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// `hash`
    Hash(Box<Hash>),
    /// `json-schema`
    JsonSchema(JsonSchema),
    /// `select`
    Select(Box<Select>),
    /// `unique`
    Unique(Unique),
}

/// The words behind `use`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `hash`
    Hash,
    /// `json-schema`
    JsonSchema,
    /// `select`
    Select,
    /// `unique`
    Unique,
}

/// `field` and `fields`: one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// `field`
    pub one: Setting<String>,
    /// `fields`
    pub several: Setting<Vec<Located<String>>>,
}

/// The keys of `hash`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hash {
    /// `field`, `fields`
    pub fields: Fields,
    /// `algorithm`
    pub algorithm: Setting<Algorithm>,
    /// `encoding`
    pub encoding: Setting<Encoding>,
    /// `key_env`
    pub key_env: Setting<String>,
    /// `key_file`
    pub key_file: Setting<PathBuf>,
    /// `memory`
    pub memory: Setting<u64>,
    /// `iterations`
    pub iterations: Setting<usize>,
    /// `parallelism`
    pub parallelism: Setting<usize>,
    /// `into`
    pub into: Setting<String>,
    /// `on_missing`
    pub on_missing: Setting<OnMissing>,
    /// `on_type`
    pub on_type: Setting<OnType>,
    /// `max_record`
    pub max_record: Setting<usize>,
}

/// The words behind `algorithm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `sha256`
    Sha256,
    /// `sha512`
    Sha512,
    /// `hmac-sha256`
    HmacSha256,
    /// `argon2id`
    Argon2id,
}

/// The keys of `json-schema`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonSchema {
    /// `schema`
    pub schema: Setting<PathBuf>,
    /// `draft`
    pub draft: Setting<Draft>,
    /// `formats`
    pub formats: Setting<bool>,
    /// `max_errors`
    pub max_errors: Setting<usize>,
}

/// The keys of `select`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// `field`
    pub field: Setting<String>,
    /// `exists`
    pub exists: Setting<bool>,
    /// `equals`
    pub equals: Setting<Scalar>,
    /// `one_of`
    pub one_of: Setting<Vec<Scalar>>,
    /// `matches`
    pub matches: Setting<String>,
    /// `min`
    pub min: Setting<Scalar>,
    /// `max`
    pub max: Setting<Scalar>,
    /// `keep`
    pub keep: Setting<Keep>,
}

/// The keys of `unique`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unique {
    /// `field`, `fields`
    pub fields: Fields,
    /// `on_missing`
    pub on_missing: Setting<OnMissing>,
    /// `max_keys`
    pub max_keys: Setting<usize>,
}

impl Builtin {
    /// Returns the file that is read at the start, if there is one.
    pub fn read(&self) -> Option<&Located<PathBuf>> {
        match self.task.value()? {
            Task::Hash(hash) => hash.key_file.given(),
            Task::JsonSchema(schema) => schema.schema.given(),
            Task::Select(_) | Task::Unique(_) => None,
        }
    }
}

/// Reads a stage that has `use`.
pub(super) fn read(shown: String, mut entries: Vec<Entry>, out: &mut Diagnostics) -> (Rules, Body) {
    both(&mut entries, out);
    let mut builtin = Builtin::default();
    let Some(index) = entries.iter().position(|entry| entry.key == "use") else {
        return (Rules::default(), Body::Builtin(Box::new(builtin)));
    };
    let node = entries.swap_remove(index).node;
    let origin = node.origin;
    let used = values::choice(&mut Field { key: "use", node, out }, USES);
    let vocabulary: &'static Vocabulary = match used {
        Ok(Use::Hash) => &HASH,
        Ok(Use::JsonSchema) => &JSON_SCHEMA,
        Ok(Use::Select) => &SELECT,
        Ok(Use::Unique) => &UNIQUE,
        // Of keys that depend on a word that is not known nothing can be said.
        Err(_) => &STAGE,
    };
    let mut reader = Reader::new(vocabulary, shown, entries, out);
    builtin.inputs = reader.read("inputs", values::strings);
    builtin.output = reader.read("output", values::path);
    builtin.workers = reader.read("workers", values::workers);
    builtin.order = word(&mut reader, "order", ORDERS);
    builtin.deadline = reader.read("deadline", values::limited);
    let rules = rules(&mut reader);
    builtin.task = match used {
        Ok(used) => Setting::Given(Located { value: task(used, &mut reader), origin }),
        Err(reported) => {
            reader.forget();
            Setting::Unreadable(reported)
        }
    };
    reader.finish();
    (rules, Body::Builtin(Box::new(builtin)))
}

/// Reports `run` beside `use`.
fn both(entries: &mut Vec<Entry>, out: &mut Diagnostics) {
    let place = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| entry.at);
    if let (Some(run), Some(used)) = (place("run"), place("use")) {
        let mistake = Diagnostic::new("a stage has `run` or `use`, not both")
            .at(Origin::Written(run), "a program")
            .at(Origin::Written(used), "built in");
        out.push(mistake.hint("for both, write two stages, one after the other"));
        entries.retain(|entry| entry.key != "run");
    }
}

fn task(used: Use, reader: &mut Reader<'_>) -> Task {
    match used {
        Use::Hash => Task::Hash(Box::new(Hash {
            fields: fields(reader),
            algorithm: word(reader, "algorithm", ALGORITHMS),
            encoding: word(reader, "encoding", ENCODINGS),
            key_env: reader.read("key_env", values::text),
            key_file: reader.read("key_file", values::path),
            memory: reader.read("memory", values::memory),
            iterations: reader.read("iterations", values::count),
            parallelism: reader.read("parallelism", values::count),
            into: reader.read("into", values::pointer),
            on_missing: word(reader, "on_missing", ON_MISSINGS),
            on_type: word(reader, "on_type", ON_TYPES),
            max_record: reader.read("max_record", values::record_size),
        })),
        Use::JsonSchema => Task::JsonSchema(JsonSchema {
            schema: reader.read("schema", values::path),
            draft: word(reader, "draft", DRAFTS),
            formats: reader.read("formats", values::truth),
            max_errors: reader.read("max_errors", values::count),
        }),
        Use::Select => Task::Select(Box::new(Select {
            field: reader.read("field", values::pointer),
            exists: reader.read("exists", values::truth),
            equals: reader.read("equals", values::scalar),
            one_of: reader.read("one_of", values::scalars),
            matches: reader.read("matches", values::pattern),
            min: reader.read("min", values::bound),
            max: reader.read("max", values::bound),
            keep: word(reader, "keep", KEEPS),
        })),
        Use::Unique => Task::Unique(Unique {
            fields: fields(reader),
            on_missing: word(reader, "on_missing", ON_MISSINGS),
            max_keys: reader.read("max_keys", values::keys),
        }),
    }
}

fn fields(reader: &mut Reader<'_>) -> Fields {
    Fields {
        one: reader.read("field", values::pointer),
        several: reader.read("fields", values::pointers),
    }
}
