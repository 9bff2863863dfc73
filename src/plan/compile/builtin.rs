//! Compiles the stages that run in this process.

use std::path::PathBuf;

use crate::config::builtin::{self, Algorithm as Word, Fields};
use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::{Located, Origin};
use crate::config::schema::{Setting, Table, Workers};
use crate::plan::builtin::{
    Algorithm, Argon2, Builtin, Hash, JsonSchema, Select, Task, Test, Unique,
};
use crate::plan::compile::paths::{self, Use};
use crate::plan::compile::protocol::workers;
use crate::plan::compile::tables::{MAX_RECORD, required};
use crate::plan::compile::{Scope, key};
use crate::plan::{Stage, Tolerance, Work};
use crate::words::policy::{Draft, Encoding, Keep, OnMissing, OnType, Order, Scalar};

/// The least that is recommended for passwords: 19 MiB, two passes, one lane.
const ARGON2: Argon2 = Argon2 { memory: 19 << 10, iterations: 2, parallelism: 1 };

/// How many errors of a record are told where nobody said how many.
const MAX_ERRORS: usize = 10;

/// How many keys are remembered where nobody said how many.
const MAX_KEYS: usize = 1_000_000;

/// Compiles a stage that has `use`.
pub(super) fn compile(
    scope: &Scope<'_>,
    table: &Table,
    written: &builtin::Builtin,
    tolerance: Tolerance,
    out: &mut Diagnostics,
) -> Result<Stage, Reported> {
    let task = match &written.task {
        Setting::Given(task) => task,
        Setting::Unreadable(reported) => return Err(*reported),
        Setting::LeftOut => {
            return Err(required(table, ("use", &written.task), "a word", out)
                .err()
                .unwrap_or_else(|| out.push(Diagnostic::new("`use` is missing"))));
        }
    };
    let threads = workers(written.workers.or(Workers::Count(1)));
    let task = match &task.value {
        builtin::Task::Hash(hash) => self::hash(scope, table, hash, out).map(Task::Hash),
        builtin::Task::JsonSchema(schema) => json_schema(scope, table, schema, out),
        builtin::Task::Select(select) => self::select(table, select, out).map(Task::Select),
        builtin::Task::Unique(unique) => {
            one_thread(written, task.origin, out);
            self::unique(table, unique, out).map(Task::Unique)
        }
    }?;
    let work = Builtin { task, threads, order: written.order.or(Order::Input) };
    Ok(Stage {
        name: table.name.value.clone(),
        work: Work::Builtin(work),
        deadline: written.deadline.value().copied(),
        tolerance,
    })
}

/// Which of two equal keys comes first is a matter of order.
fn one_thread(written: &builtin::Builtin, used: Origin, out: &mut Diagnostics) {
    let several = written.workers.given().filter(|workers| workers.value != Workers::Count(1));
    let unordered = written.order.given().filter(|order| order.value == Order::None);
    let origins = [
        ("workers", several.map(|workers| workers.origin)),
        ("order", unordered.map(|order| order.origin)),
    ];
    for (key, origin) in origins {
        let Some(origin) = origin else { continue };
        let mistake = Diagnostic::new(format!("`{key}` does not go with `use = \"unique\"`"));
        let mistake = mistake.at(origin, "").at(used, "one thread, which sees all keys in order");
        out.push(mistake.hint(format!("leave `{key}` out")));
    }
}

/// Reads `field` or `fields`.
fn fields(table: &Table, written: &Fields, out: &mut Diagnostics) -> Result<Vec<String>, Reported> {
    let found: Vec<&Located<String>> = match (written.one.given(), written.several.given()) {
        (Some(one), Some(several)) => {
            let mistake = Diagnostic::new("`field` and `fields` are the same: write one of them");
            let mistake = mistake.at(one.origin, "").at(several.origin, "");
            return Err(out.push(mistake.hint("`fields` takes one as well: `fields = [\"/id\"]`")));
        }
        (None, Some(several)) => several.value.iter().collect(),
        (_, None) => {
            if let Setting::Unreadable(reported) = written.several {
                return Err(reported);
            }
            let takes = "a JSON Pointer such as `/customer/id`, `fields` an array of them";
            vec![required(table, ("field", &written.one), takes, out)?]
        }
    };
    for (index, field) in found.iter().enumerate() {
        let before = found.iter().take(index);
        for other in before {
            let message = if field.value == other.value {
                format!("`{field}` is named twice")
            } else if within(&other.value, &field.value) {
                format!("`{field}` lies within `{other}`")
            } else if within(&field.value, &other.value) {
                format!("`{other}` lies within `{field}`")
            } else {
                continue;
            };
            let mistake = Diagnostic::new(message).at(field.origin, "").at(other.origin, "");
            return Err(out.push(mistake.hint("leave one of the two out")));
        }
    }
    Ok(found.into_iter().map(|field| field.value.clone()).collect())
}

/// Tells whether a value is, or lies in, the other.
fn within(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn hash(
    scope: &Scope<'_>,
    table: &Table,
    written: &builtin::Hash,
    out: &mut Diagnostics,
) -> Result<Hash, Reported> {
    let fields = fields(table, &written.fields, out);
    let algorithm = algorithm(scope, table, written, out);
    if let (Some(into), Ok([_, _, ..])) = (written.into.given(), fields.as_deref()) {
        let mistake = Diagnostic::new("`into` goes with one `field`");
        let hint = "write a stage for each field, one after the other";
        out.push(mistake.at(into.origin, "").hint(hint));
    }
    if let Some(into) = written.into.given().filter(|into| into.value.is_empty()) {
        let mistake = Diagnostic::new("`into` takes the name of a field as a JSON Pointer");
        let hint = "as in `into = \"/digest\"`; leave it out, and the digest replaces the value";
        out.push(mistake.at(into.origin, "this is the whole record").hint(hint));
    } else if let (Some(into), Ok([field])) = (written.into.given(), fields.as_deref())
        && (within(&into.value, field) || within(field, &into.value))
    {
        let mistake = Diagnostic::new("`into` takes another field than the one that is hashed");
        let mistake = mistake.at(into.origin, "they are the same, or lie in each other");
        out.push(mistake.hint("leave `into` out, and the digest replaces the value"));
    }
    Ok(Hash {
        fields: fields?,
        algorithm: algorithm?,
        into: written.into.value().cloned(),
        on_missing: written.on_missing.or(OnMissing::Reject),
        on_type: written.on_type.or(OnType::Reject),
        max_record: written.max_record.or(MAX_RECORD),
    })
}

fn algorithm(
    scope: &Scope<'_>,
    table: &Table,
    written: &builtin::Hash,
    out: &mut Diagnostics,
) -> Result<Algorithm, Reported> {
    let word = match &written.algorithm {
        Setting::Unreadable(reported) => return Err(*reported),
        algorithm => algorithm.or(Word::Sha256),
    };
    strangers(written, word, out);
    let encoding = written.encoding.or(Encoding::Hex);
    Ok(match word {
        Word::Sha256 => Algorithm::Sha256(encoding),
        Word::Sha512 => Algorithm::Sha512(encoding),
        Word::HmacSha256 => Algorithm::HmacSha256(key::find(scope, table, written, out)?, encoding),
        Word::Argon2id => Algorithm::Argon2id(argon2(written, out)?),
    })
}

/// Reports keys that do not go with the algorithm.
fn strangers(written: &builtin::Hash, word: Word, out: &mut Diagnostics) {
    let keys = [
        ("encoding", origin(&written.encoding), word != Word::Argon2id, "a digest"),
        ("key_env", origin(&written.key_env), word == Word::HmacSha256, "hmac-sha256"),
        ("key_file", origin(&written.key_file), word == Word::HmacSha256, "hmac-sha256"),
        ("memory", origin(&written.memory), word == Word::Argon2id, "argon2id"),
        ("iterations", origin(&written.iterations), word == Word::Argon2id, "argon2id"),
        ("parallelism", origin(&written.parallelism), word == Word::Argon2id, "argon2id"),
    ];
    let spelling = match word {
        Word::Sha256 => "sha256",
        Word::Sha512 => "sha512",
        Word::HmacSha256 => "hmac-sha256",
        Word::Argon2id => "argon2id",
    };
    for (key, origin, fits, goes_with) in keys {
        let Some(origin) = origin.filter(|_| !fits) else { continue };
        let message = format!("`{key}` does not go with `algorithm = \"{spelling}\"`");
        let hint = if goes_with == "a digest" {
            "what argon2id makes holds its own parameters, in the PHC format".to_owned()
        } else {
            format!("it goes with `algorithm = \"{goes_with}\"`")
        };
        out.push(Diagnostic::new(message).at(origin, "").hint(hint));
    }
}

fn origin<T>(setting: &Setting<T>) -> Option<Origin> {
    setting.given().map(|given| given.origin)
}

fn argon2(written: &builtin::Hash, out: &mut Diagnostics) -> Result<Argon2, Reported> {
    let narrow = |setting: &Setting<usize>, default| {
        setting.value().map_or(default, |value| u32::try_from(*value).unwrap_or(u32::MAX))
    };
    let memory = written.memory.value().map(|kib| u32::try_from(*kib).unwrap_or(u32::MAX));
    let costs = Argon2 {
        memory: memory.unwrap_or(ARGON2.memory),
        iterations: narrow(&written.iterations, ARGON2.iterations),
        parallelism: narrow(&written.parallelism, ARGON2.parallelism),
    };
    if costs.memory / 8 >= costs.parallelism {
        return Ok(costs);
    }
    let mistake = Diagnostic::new("argon2id takes at least 8 KiB of memory for each lane");
    let mistake = mistake.at(written.parallelism.origin(), "so many lanes");
    Err(out.push(match origin(&written.memory) {
        Some(memory) => mistake.at(memory, "so much memory").hint("raise `memory`"),
        None => mistake.hint("`memory` is 19 MiB where it is left out"),
    }))
}

fn json_schema(
    scope: &Scope<'_>,
    table: &Table,
    written: &builtin::JsonSchema,
    out: &mut Diagnostics,
) -> Result<Task, Reported> {
    let takes = "the path of a JSON Schema";
    let schema = required(table, ("schema", &written.schema), takes, out)?;
    Ok(Task::JsonSchema(JsonSchema {
        schema: input(scope, "schema", schema, out)?,
        root: scope.root()?.clone(),
        draft: written.draft.or(Draft::Draft202012),
        formats: written.formats.or(false),
        max_errors: written.max_errors.or(MAX_ERRORS),
    }))
}

/// Makes the path of a file that is read at the start absolute.
pub(super) fn input(
    scope: &Scope<'_>,
    key: &str,
    path: &Located<PathBuf>,
    out: &mut Diagnostics,
) -> Result<PathBuf, Reported> {
    match paths::fault(key, path, Use::Input) {
        Some(fault) => Err(out.push(fault)),
        None => Ok(paths::under(scope.root()?, &path.value)),
    }
}

fn select(
    table: &Table,
    written: &builtin::Select,
    out: &mut Diagnostics,
) -> Result<Select, Reported> {
    let field = required(table, ("field", &written.field), "a JSON Pointer such as `/age`", out);
    let test = test(table, written, out);
    Ok(Select { field: field?.value.clone(), test: test?, keep: written.keep.or(Keep::Matching) })
}

/// Finds the one comparison that was asked for.
fn test(table: &Table, written: &builtin::Select, out: &mut Diagnostics) -> Result<Test, Reported> {
    let range = (written.min.given(), written.max.given());
    let given = [
        ("exists", origin(&written.exists)),
        ("equals", origin(&written.equals)),
        ("one_of", origin(&written.one_of)),
        ("matches", origin(&written.matches)),
        ("min", range.0.map(|min| min.origin)),
        ("max", range.1.map(|max| max.origin).filter(|_| range.0.is_none())),
    ];
    let unreadable = [
        reported(&written.exists),
        reported(&written.equals),
        reported(&written.one_of),
        reported(&written.matches),
        reported(&written.min),
        reported(&written.max),
    ];
    if let Some(reported) = unreadable.into_iter().flatten().next() {
        return Err(reported);
    }
    let given: Vec<Origin> = given.into_iter().filter_map(|(_, origin)| origin).collect();
    let hint = "`exists`, `equals`, `one_of`, `matches`, or `min` and `max`";
    match given[..] {
        [_] => {}
        [] => {
            let name = &table.name;
            let mistake = Diagnostic::new(format!("stage `{}` compares nothing", name.value));
            return Err(out.push(mistake.at(name.origin, "").hint(format!("it takes {hint}"))));
        }
        [first, second, ..] => {
            let mistake = Diagnostic::new("a `select` stage makes one comparison");
            let mistake = mistake.at(first, "").at(second, "");
            let hint = "write two stages, one after the other: both must hold";
            return Err(out.push(mistake.hint(hint)));
        }
    }
    if let (Some(min), Some(max)) = range
        && std::mem::discriminant(&min.value) != std::mem::discriminant(&max.value)
    {
        let mistake = Diagnostic::new("`min` and `max` are of the same kind: numbers, or strings");
        let mistake = mistake.at(min.origin, "").at(max.origin, "");
        return Err(out.push(mistake.hint("a string stands in quotes, a number does not")));
    }
    if let (Some(min), Some(max)) = range
        && is_above(&min.value, &max.value)
    {
        let mistake = Diagnostic::new("`min` is above `max`: no value lies between them");
        let mistake = mistake.at(min.origin, "").at(max.origin, "");
        return Err(out.push(mistake.hint("for what is not between them, add `keep = \"others\"`")));
    }
    let scalar = |bound: Option<&Located<Scalar>>| bound.map(|bound| bound.value.clone());
    Ok(if let Some(exists) = written.exists.value() {
        Test::Exists(*exists)
    } else if let Some(equals) = written.equals.value() {
        Test::OneOf(vec![equals.clone()])
    } else if let Some(values) = written.one_of.value() {
        Test::OneOf(values.clone())
    } else if let Some(pattern) = written.matches.value() {
        Test::Matches(pattern.clone())
    } else {
        Test::Range(scalar(range.0), scalar(range.1))
    })
}

/// Tells whether one bound is above the other, as far as doubles can tell.
fn is_above(min: &Scalar, max: &Scalar) -> bool {
    match (min, max) {
        (Scalar::Text(min), Scalar::Text(max)) => min > max,
        (Scalar::Number(min), Scalar::Number(max)) => {
            matches!((min.parse::<f64>(), max.parse()), (Ok(min), Ok(max)) if min > max)
        }
        _ => false,
    }
}

fn reported<T>(setting: &Setting<T>) -> Option<Reported> {
    match setting {
        Setting::Unreadable(reported) => Some(*reported),
        Setting::Given(_) | Setting::LeftOut => None,
    }
}

fn unique(
    table: &Table,
    written: &builtin::Unique,
    out: &mut Diagnostics,
) -> Result<Unique, Reported> {
    Ok(Unique {
        fields: fields(table, &written.fields, out)?,
        on_missing: written.on_missing.or(OnMissing::Reject),
        max_keys: written.max_keys.or(MAX_KEYS),
    })
}
