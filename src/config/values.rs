//! Reads single values: each function knows what its key takes and says so when it finds
//! something else. No message repeats the value: the snippet shows what was written, and what
//! the environment put in is not shown at all.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::keys::{DISPATCH, Word};
use crate::config::manual::phrase;
use crate::config::origin::{Located, Origin};
use crate::config::read::{Field, Read, Reader};
use crate::config::schema::{Dispatch, MOST_WORKERS, Setting, Variable, Workers};
use crate::config::suggest::{nearest, one_of};
use crate::config::tree::{Entry, Node, Value};
use crate::words::policy::Scalar;
use crate::words::units::{self, Limit, Restarts};

/// The bounds of `max_record`, in bytes.
const RECORD: RangeInclusive<u64> = 1..=1 << 30;

/// The longest duration: beyond it, clocks overflow.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// The most records that one worker may have at a time.
const MOST_RECORDS: usize = 1 << 16;

/// Reads a string.
pub(super) fn text(field: &mut Field<'_>) -> Read<String> {
    match &field.node.value {
        Value::Text(text) => Ok(text.clone()),
        _ => Err(field.wrong(phrase::TEXT, None)),
    }
}

/// Reads a path.
pub(super) fn path(field: &mut Field<'_>) -> Read<PathBuf> {
    text(field).map(PathBuf::from)
}

/// Reads one path or several.
pub(super) fn paths(field: &mut Field<'_>) -> Read<Vec<Located<PathBuf>>> {
    let takes = phrase::PATHS;
    let found = match &field.node.value {
        Value::Text(text) => vec![Located { value: text.clone(), origin: field.node.origin }],
        Value::List(items) if items.is_empty() => {
            return Err(field.unfit(takes, "this is empty", None));
        }
        Value::List(_) => strings(field)?,
        _ => return Err(field.wrong(takes, None)),
    };
    Ok(found.into_iter().map(|text| cast(text, PathBuf::from)).collect())
}

/// Reads an argument vector.
pub(super) fn arguments(field: &mut Field<'_>) -> Read<Vec<Located<OsString>>> {
    let shell = "an argument each, as in `[\"jq\", \"-c\", \".\"]`; \
                 for a shell, `[\"sh\", \"-c\", \"…\"]`";
    match &field.node.value {
        Value::Text(_) => Err(field.wrong(phrase::STRINGS, Some(shell))),
        Value::List(items) if items.is_empty() => {
            Err(field.unfit("a program and its arguments", "this is empty", Some(shell)))
        }
        _ => {
            let found = strings(field)?;
            Ok(found.into_iter().map(|text| cast(text, OsString::from)).collect())
        }
    }
}

/// Reads an array of strings.
pub(super) fn strings(field: &mut Field<'_>) -> Read<Vec<Located<String>>> {
    let items = match &mut field.node.value {
        Value::List(items) => std::mem::take(items),
        _ => return Err(field.wrong(phrase::STRINGS, None)),
    };
    each(field, items, |field| {
        let origin = field.node.origin;
        match &field.node.value {
            Value::Text(text) => Ok(Located { value: text.clone(), origin }),
            _ => Err(field.wrong(phrase::STRINGS, None)),
        }
    })
}

/// Reads exit codes.
pub(super) fn exit_codes(field: &mut Field<'_>) -> Read<Vec<i32>> {
    let takes = phrase::EXIT_CODES;
    let items = match &mut field.node.value {
        Value::List(items) => std::mem::take(items),
        _ => return Err(field.wrong(takes, None)),
    };
    each(field, items, |field| match field.node.value {
        Value::Integer(code) => match u8::try_from(code) {
            Ok(code) => Ok(i32::from(code)),
            Err(_) => Err(field.unfit(takes, "no exit code", None)),
        },
        _ => Err(field.wrong(takes, None)),
    })
}

/// Reads names of variables, or beginnings of names that end in `*`.
pub(super) fn patterns(field: &mut Field<'_>) -> Read<Vec<Located<String>>> {
    let takes = phrase::PATTERNS;
    let found = strings(field)?;
    for pattern in &found {
        let name = pattern.value.strip_suffix('*').unwrap_or(&pattern.value);
        if pattern.value.is_empty() || name.contains(['*', '=']) {
            field.node.origin = pattern.origin;
            return Err(field.unfit(takes, "neither of these", None));
        }
    }
    Ok(found)
}

/// Reads the variables that a stage sets.
pub(super) fn variables(field: &mut Field<'_>) -> Read<Vec<Variable>> {
    let takes = phrase::VARIABLES;
    let hint = Some("as in `env = { LANG = \"C\" }`");
    let mut reported = None;
    let mut found = Vec::new();
    for Entry { key, at, node } in field.take_table(takes)? {
        let name = Located { value: OsString::from(&key), origin: Origin::Written(at) };
        field.node = node;
        let origin = field.node.origin;
        let Value::Text(text) = &field.node.value else {
            reported = Some(field.wrong(takes, hint));
            continue;
        };
        let value = Located { value: OsString::from(text), origin };
        if key.is_empty() || key.contains('=') {
            field.node.origin = name.origin;
            reported = Some(field.unfit("names of variables", "no name of a variable", None));
        }
        found.push(Variable { name, value });
    }
    reported.map_or(Ok(found), Err)
}

/// Reads a size in bytes within the bounds of a record.
pub(super) fn record_size(field: &mut Field<'_>) -> Read<usize> {
    let takes = phrase::SIZE;
    let text = match &field.node.value {
        Value::Text(text) => text,
        Value::Integer(_) => return Err(field.wrong(takes, Some("write the unit: `\"64KiB\"`"))),
        _ => return Err(field.wrong(takes, None)),
    };
    match units::size(text) {
        Ok(size) if RECORD.contains(&size) => {
            usize::try_from(size).map_err(|_| field.unfit(takes, "too large", None))
        }
        Ok(0) => Err(field.unfit(takes, "too small", None)),
        Ok(_) => Err(field.unfit(takes, "too large", None)),
        Err(_) => Err(field.unfit(takes, "no size", None)),
    }
}

/// Reads how many bytes may come of a packed file.
pub(super) fn unpacked(field: &mut Field<'_>) -> Read<u64> {
    let takes = phrase::UNPACKED;
    match &field.node.value {
        Value::Text(text) => match units::size(text) {
            Ok(0) => Err(field.unfit(takes, "too small", None)),
            Ok(size) => Ok(size),
            Err(_) => Err(field.unfit(takes, "no size", None)),
        },
        Value::Integer(_) => Err(field.wrong(takes, Some("write the unit: `\"1TiB\"`"))),
        _ => Err(field.wrong(takes, None)),
    }
}

/// Reads how many times its size a packed file may hold.
pub(super) fn ratio(field: &mut Field<'_>) -> Read<u64> {
    let takes = phrase::RATIO;
    match &field.node.value {
        Value::Integer(ratio) => match u64::try_from(*ratio) {
            Ok(ratio @ 1..) => Ok(ratio),
            _ => Err(field.unfit(takes, "no such number", None)),
        },
        _ => Err(field.wrong(takes, None)),
    }
}

/// Reads how much memory is to be used, in KiB.
pub(super) fn memory(field: &mut Field<'_>) -> Read<u64> {
    let takes = phrase::MEMORY;
    let Value::Text(text) = &field.node.value else {
        return Err(field.wrong(takes, None));
    };
    match units::size(text) {
        Ok(size) if (8 << 10..=4 << 30).contains(&size) && size % (1 << 10) == 0 => Ok(size >> 10),
        Ok(_) => Err(field.unfit(takes, "outside of this, or no multiple of 1 KiB", None)),
        Err(_) => Err(field.unfit(takes, "no size", None)),
    }
}

/// Reads a duration, which may be nothing at all.
pub(super) fn duration(field: &mut Field<'_>) -> Read<Duration> {
    let takes = phrase::DURATION;
    let text = match &field.node.value {
        Value::Text(text) => text,
        Value::Integer(0) => return Ok(Duration::ZERO),
        Value::Integer(_) => return Err(field.wrong(takes, Some("write the unit: `\"30s\"`"))),
        _ => return Err(field.wrong(takes, None)),
    };
    match units::duration(text) {
        Ok(found) if found <= LONGEST => Ok(found),
        Ok(_) => Err(field.unfit(takes, "longer than a year", None)),
        Err(_) => Err(field.unfit(takes, "no duration", None)),
    }
}

/// Reads a duration that is more than nothing.
pub(super) fn limited(field: &mut Field<'_>) -> Read<Duration> {
    let found = duration(field)?;
    if found.is_zero() {
        let hint = Some("leave it out for no limit");
        return Err(field.unfit(phrase::DURATION, "no time at all", hint));
    }
    Ok(found)
}

/// Reads how many rejects are allowed.
pub(super) fn limit(field: &mut Field<'_>) -> Read<Limit> {
    let takes = phrase::LIMIT;
    match &field.node.value {
        Value::Integer(count) => match u64::try_from(*count) {
            Ok(count) => Ok(Limit::Count(count)),
            Err(_) => Err(field.unfit(takes, "no count", None)),
        },
        Value::Text(text) => match Limit::parse(text) {
            Ok(limit) => Ok(limit),
            Err(_) => Err(field.unfit(takes, "neither of these", None)),
        },
        Value::Float(_) => Err(field.wrong(takes, Some("write a share as a string: `\"0.1%\"`"))),
        _ => Err(field.wrong(takes, None)),
    }
}

/// Reads a number of workers.
pub(super) fn workers(field: &mut Field<'_>) -> Read<Workers> {
    let takes = phrase::WORKERS;
    match &field.node.value {
        Value::Integer(count) => match u32::try_from(*count) {
            Ok(count) if (1..=MOST_WORKERS).contains(&count) => Ok(Workers::Count(count)),
            _ => Err(field.unfit(takes, "no such number", None)),
        },
        Value::Text(text) if text == "auto" => Ok(Workers::Auto),
        _ => Err(field.wrong(takes, None)),
    }
}

/// Reads a count from one up.
pub(super) fn count(field: &mut Field<'_>) -> Read<usize> {
    let takes = phrase::COUNT;
    match &field.node.value {
        Value::Integer(count) => match usize::try_from(*count) {
            Ok(count) if (1..=MOST_RECORDS).contains(&count) => Ok(count),
            _ => Err(field.unfit(takes, "no such number", None)),
        },
        _ => Err(field.wrong(takes, None)),
    }
}

/// Reads `true` or `false`.
pub(super) fn truth(field: &mut Field<'_>) -> Read<bool> {
    match &field.node.value {
        Value::Boolean(value) => Ok(*value),
        _ => Err(field.wrong(phrase::TRUTH, None)),
    }
}

/// Reads how many workers may be replaced in what time.
pub(super) fn restarts(field: &mut Field<'_>) -> Read<Restarts> {
    let takes = phrase::RESTARTS;
    let Value::Text(text) = &field.node.value else {
        return Err(field.wrong(takes, Some("`\"3/1m\"` is three in a minute")));
    };
    match Restarts::parse(text) {
        Ok(restarts) if restarts.period <= LONGEST => Ok(restarts),
        Ok(_) => Err(field.unfit(takes, "longer than a year", None)),
        Err(_) => {
            Err(field.unfit(takes, "not of this form", Some("three in a minute: `\"3/1m\"`")))
        }
    }
}

/// Reads which worker a record goes to.
pub(super) fn dispatch(field: &mut Field<'_>) -> Read<Dispatch> {
    let takes = phrase::DISPATCH;
    match &field.node.value {
        Value::Text(text) if text == "round-robin" => return Ok(Dispatch::RoundRobin),
        Value::Text(_) => return Err(field.unfit(takes, "neither of these", None)),
        _ => {}
    }
    let entries = field.take_table(takes)?;
    let at = field.node.origin;
    let mut reader = Reader::new(&DISPATCH, DISPATCH.noun.to_owned(), entries, field.out);
    let by = reader.read("by", pointer);
    let strange = reader.finish();
    match by {
        Setting::Given(by) => Ok(Dispatch::By(by.value)),
        Setting::Unreadable(reported) => Err(reported),
        Setting::LeftOut if strange.is_some() => strange.map_or(Ok(Dispatch::RoundRobin), Err),
        Setting::LeftOut => {
            field.node.origin = at;
            Err(field.unfit(takes, "`by` is missing", None))
        }
    }
}

/// Reads a JSON Pointer.
pub(super) fn pointer(field: &mut Field<'_>) -> Read<String> {
    let takes = phrase::POINTER;
    let Value::Text(text) = &field.node.value else {
        return Err(field.wrong(takes, None));
    };
    let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !(text.is_empty() || text.starts_with('/')) {
        let hint = "`/customer_id` is the field of that name, `\"\"` the whole record";
        return Err(field.unfit(takes, "it does not begin with a `/`", Some(hint)));
    }
    if escaped {
        return Ok(text.clone());
    }
    Err(field.unfit(takes, "a `~` that stands alone", Some("`~0` stands for `~`, `~1` for `/`")))
}

/// Reads JSON Pointers.
pub(super) fn pointers(field: &mut Field<'_>) -> Read<Vec<Located<String>>> {
    let items = match &mut field.node.value {
        Value::List(items) if items.is_empty() => {
            return Err(field.unfit(phrase::POINTERS, "this is empty", None));
        }
        Value::List(items) => std::mem::take(items),
        _ => return Err(field.wrong(phrase::POINTERS, Some("one goes with `field`"))),
    };
    each(field, items, |field| {
        let origin = field.node.origin;
        pointer(field).map(|value| Located { value, origin })
    })
}

/// Reads a value to compare with.
pub(super) fn scalar(field: &mut Field<'_>) -> Read<Scalar> {
    scalar_of(field, phrase::SCALAR)
}

fn scalar_of(field: &mut Field<'_>, takes: &str) -> Read<Scalar> {
    match &field.node.value {
        Value::Text(text) => Ok(Scalar::Text(text.clone())),
        Value::Boolean(truth) => Ok(Scalar::Truth(*truth)),
        Value::Integer(number) => Ok(Scalar::Number(number.to_string())),
        Value::Float(text) => match text.replace('_', "") {
            text if text.ends_with(|c: char| c.is_ascii_digit()) => {
                Ok(Scalar::Number(text.trim_start_matches('+').to_owned()))
            }
            _ => Err(field.unfit(takes, "no number that JSON can hold", None)),
        },
        Value::Datetime => Err(field.wrong(takes, Some("write a date as a string"))),
        _ => Err(field.wrong(takes, None)),
    }
}

/// Reads values to compare with.
pub(super) fn scalars(field: &mut Field<'_>) -> Read<Vec<Scalar>> {
    let takes = phrase::SCALARS;
    let items = match &mut field.node.value {
        Value::List(items) if items.is_empty() => {
            return Err(field.unfit(takes, "this is empty", None));
        }
        Value::List(items) => std::mem::take(items),
        _ => return Err(field.wrong(takes, Some("one value goes with `equals`"))),
    };
    each(field, items, scalar)
}

/// Reads a bound.
pub(super) fn bound(field: &mut Field<'_>) -> Read<Scalar> {
    let takes = phrase::BOUND;
    match scalar_of(field, takes)? {
        Scalar::Truth(_) => Err(field.wrong(takes, None)),
        bound => Ok(bound),
    }
}

/// Reads a regular expression.
pub(super) fn pattern(field: &mut Field<'_>) -> Read<String> {
    let takes = phrase::REGEX;
    let Value::Text(text) = &field.node.value else {
        return Err(field.wrong(takes, None));
    };
    match regex::Regex::new(text) {
        Ok(_) => Ok(text.clone()),
        Err(regex::Error::CompiledTooBig(_)) => Err(field.unfit(takes, "too large", None)),
        Err(error) => {
            // The last line says what is wrong; those before draw the expression.
            let text = error.to_string();
            let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Err(field.unfit(
                takes,
                why,
                Some("a literal backslash is `\\\\` in \"…\" and `\\` in '…'"),
            ))
        }
    }
}

/// Reads how many keys are remembered.
pub(super) fn keys(field: &mut Field<'_>) -> Read<usize> {
    let takes = phrase::KEYS;
    match field.node.value {
        Value::Integer(count) if (1..=1 << 32).contains(&count) => {
            usize::try_from(count).map_err(|_| field.unfit(takes, "too large", None))
        }
        Value::Integer(_) => Err(field.unfit(takes, "no such number", None)),
        _ => Err(field.wrong(takes, None)),
    }
}

/// Reads one of a list of words.
pub(super) fn choice<T: Copy>(field: &mut Field<'_>, words: &[Word<T>]) -> Read<T> {
    let takes = one_of(words.iter().map(Word::spelling));
    let Value::Text(text) = &field.node.value else {
        let number = matches!(&field.node.value, Value::Integer(number)
            if words.iter().any(|word| word.spelling() == number.to_string()));
        let hint = Some("write it as a string, in quotes");
        return Err(field.wrong(&takes, hint.filter(|_| number)));
    };
    if let Some(Word(_, meaning)) = words.iter().find(|word| word.spelling() == text) {
        return Ok(*meaning);
    }
    let meant = nearest(text, words.iter().map(Word::spelling));
    let hint = meant.map(|word| format!("did you mean `{word}`?"));
    Err(field.unfit(&takes, "unknown word", hint.as_deref()))
}

impl Field<'_> {
    /// Takes the entries of a table out of the field.
    pub(super) fn take_table(&mut self, takes: &str) -> Read<Vec<Entry>> {
        match &mut self.node.value {
            Value::Table(entries) => Ok(std::mem::take(entries)),
            _ => Err(self.wrong(takes, None)),
        }
    }
}

/// Reads each item of an array, so that all that are wrong are reported.
pub(super) fn each<T>(
    field: &mut Field<'_>,
    items: Vec<Node>,
    reading: impl Fn(&mut Field<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let mut reported = None;
    let mut found = Vec::with_capacity(items.len());
    for node in items {
        field.node = node;
        match reading(field) {
            Ok(value) => found.push(value),
            Err(mistake) => reported = Some(mistake),
        }
    }
    reported.map_or(Ok(found), Err)
}

fn cast<T>(text: Located<String>, into: impl Fn(String) -> T) -> Located<T> {
    Located { value: into(text.value), origin: text.origin }
}
