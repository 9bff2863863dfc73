//! Passes valid user records (NDJSON on stdin) to stdout, byte for byte. Each bad record gets one
//! stderr line instead: `line N: /json/pointer message`, several problems joined by `; `. Bad data
//! is not a failure: the exit code is 0, or 1 when whoever reads the output has gone away.
//!
//! With `--records` it answers the requests of a stage with `protocol = "records"`
//! (../PROTOCOL.md), each at once.
//!
//! `cargo build --example validate_user` puts it into target/debug/examples/.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, BufRead as _, BufWriter, Write as _};
use std::process::ExitCode;
use std::sync::LazyLock;

use regex::bytes::Regex;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

/// A record's fields, their values as they are spelled: so `18.0` is no integer, and what nobody
/// asks for is not decoded. Of equal names the last counts.
type Fields<'a> = HashMap<Text, &'a RawValue>;

/// What a JSON string stands for: UTF-8, but where escapes spell half a surrogate pair.
#[derive(PartialEq, Eq, Hash)]
struct Text(Vec<u8>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(bytes.to_vec()))
    }
}

#[derive(serde::Deserialize)]
struct Request<'a> {
    id: u64,
    #[serde(borrow)]
    record: &'a RawValue,
}

#[derive(serde::Serialize)]
struct Reply {
    id: u64,
    ok: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Error>,
}

#[derive(serde::Serialize)]
struct Error {
    path: String,
    code: &'static str,
    message: &'static str,
}

impl Error {
    fn new(field: &str, code: &'static str, message: &'static str) -> Self {
        Self { path: format!("/{field}"), code, message }
    }

    fn whole(message: &'static str) -> Self {
        Self { path: String::new(), code: "type", message }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.path.is_empty() { "" } else { " " };
        write!(to, "{}{space}{}", self.path, self.message)
    }
}

static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\A[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\z").ok());

// The calendar as a pattern: only a leap year has a 29th of February.
static CREATED_AT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let leap_year = "[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00";
    let month_and_day = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])\
         |(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8])";
    let hour_and_minute = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
    let pattern = format!(
        r"\A(?:[0-9]{{4}}-(?:{month_and_day})|(?:{leap_year})-02-29)(?:T{hour_and_minute}:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-]{hour_and_minute}))?\z"
    );
    Regex::new(&pattern).ok()
});

fn matches(pattern: Option<&Regex>, text: &Text) -> bool {
    pattern.is_some_and(|pattern| pattern.is_match(&text.0))
}

/// An integer as it is spelled; none where there is a fraction or an exponent, or no number.
fn integer(value: &str) -> Option<&str> {
    let is_number = value.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    (is_number && !value.contains(['.', 'e', 'E'])).then_some(value)
}

fn text(value: &str) -> Option<Text> {
    serde_json::from_str(value).ok()
}

/// Reads the value of a field: `Some(true)` says that it is good, `Some(false)` that it is of the
/// right type.
type Rule = fn(&str) -> Option<bool>;

/// Field, whether it must be there, rule, error code if it is of the right type, what to say.
const RULES: [(&str, bool, Rule, &str, &str); 7] = [
    ("id", true, is_id, "range", "is not an integer from 1"),
    ("name", true, |value| Some(!text(value)?.0.is_empty()), "empty", "is not a non-empty string"),
    (
        "email",
        true,
        |v| Some(matches(EMAIL.as_ref(), &text(v)?)),
        "format",
        "is not an e-mail address",
    ),
    ("age", false, is_age, "range", "is not an integer from 0 to 150"),
    ("active", false, |v| ["true", "false"].contains(&v).then_some(true), "", "is not a boolean"),
    ("tags", false, are_tags, "duplicate", "is not an array of unique strings"),
    (
        "created_at",
        true,
        |value| Some(matches(CREATED_AT.as_ref(), &text(value)?)),
        "format",
        "is not an ISO 8601 date or date-time",
    ),
];

/// JSON has no leading zeros, so the first digit tells, however long it is.
fn is_id(value: &str) -> Option<bool> {
    Some(integer(value)?.starts_with(|c: char| ('1'..='9').contains(&c)))
}

fn is_age(value: &str) -> Option<bool> {
    Some(integer(value)?.parse::<i64>().is_ok_and(|age| (0..=150).contains(&age)))
}

fn are_tags(value: &str) -> Option<bool> {
    let tags: Vec<Text> = serde_json::from_str(value).ok()?;
    Some(tags.iter().collect::<HashSet<_>>().len() == tags.len())
}

/// What is wrong with a record; empty when it is a valid user.
fn errors_of(record: &str) -> Vec<Error> {
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(record) else {
        return vec![Error::whole("not a JSON object")];
    };
    let judge = |(field, required, rule, code, message): (&str, bool, Rule, _, _)| {
        let Some(value) = fields.get(&Text(field.into())) else {
            return required.then(|| Error::new(field, "missing", "is missing"));
        };
        match rule(value.get()) {
            Some(true) => None,
            Some(false) => Some(Error::new(field, code, message)),
            None => Some(Error::new(field, "type", message)),
        }
    };
    RULES.into_iter().filter_map(judge).collect()
}

fn problems_of(line: &[u8]) -> Vec<Error> {
    str::from_utf8(line).map_or_else(|_| vec![Error::whole("not UTF-8")], errors_of)
}

fn validate() -> io::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut complaints = io::stderr().lock();
    for (number, line) in (1..).zip(io::stdin().lock().split(b'\n')) {
        let line = line?;
        let problems: Vec<String> = problems_of(&line).iter().map(Error::to_string).collect();
        if problems.is_empty() {
            output.write_all(&line)?;
            output.write_all(b"\n")?;
        } else {
            writeln!(complaints, "line {number}: {}", problems.join("; "))?;
        }
    }
    output.flush()
}

fn answer() -> io::Result<()> {
    let mut replies = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let request: Request<'_> = serde_json::from_str(&line)?;
        let errors = errors_of(request.record.get());
        let reply = Reply { id: request.id, ok: errors.is_empty(), errors };
        // One write for each: the end of the line flushes it.
        writeln!(replies, "{}", serde_json::to_string(&reply)?)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let records = std::env::args().nth(1).is_some_and(|word| word == "--records");
    match if records { answer() } else { validate() } {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads on.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            writeln!(io::stderr(), "validate_user: {error}").ok();
            ExitCode::FAILURE
        }
    }
}
