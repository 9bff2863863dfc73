//! A rejected record with everything known about why, and its form on disk.
//!
//! One line of NDJSON each, keys in a fixed order; what may differ from run to run stands last,
//! under `trace`.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::words::id::{Name, RunId};
use crate::words::record::Position;

/// One reason why a record was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// Where in the record, as a JSON Pointer; empty for the whole.
    pub path: String,
    /// What is wrong, as a stable word such as `json.syntax`.
    pub code: String,
    /// What is wrong, as a sentence fragment.
    pub message: String,
    /// Where in a schema the rule stands, as a JSON Pointer, where one did the refusing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_path: Option<String>,
    /// The byte in the line, from 1, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// Which bytes of the record as it was refused it is about, where that is known.
    #[serde(skip)]
    pub span: Option<Range<usize>>,
}

impl Complaint {
    /// Makes a complaint about the value at `path`, whose place is not looked for.
    pub fn new(
        path: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let (path, code, message) = (path.into(), code.into(), message.into());
        Self { path, code, message, schema_path: None, column: None, span: None }
    }

    /// Says at which byte of the line it is, from 1.
    #[must_use]
    pub fn at(self, column: u64) -> Self {
        let start = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        let span = Some(start..start.saturating_add(1));
        Self { column: Some(column), span, ..self }
    }
}

/// What is kept of the refused bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A JSON text, shown as such.
    Json(Vec<u8>),
    /// Bytes that are no JSON text, shown as base64.
    Raw(Vec<u8>),
    /// The beginning of a line that was too long to hold.
    Head {
        /// Its first bytes.
        head: Vec<u8>,
        /// How long it was in all.
        bytes: u64,
        /// SHA-256 of all of it.
        digest: [u8; 32],
    },
}

impl Kept {
    /// Returns the bytes that are kept, and whether these are all.
    pub fn bytes(&self) -> (&[u8], bool) {
        match self {
            Self::Json(bytes) | Self::Raw(bytes) => (bytes, true),
            Self::Head { head, .. } => (head, false),
        }
    }
}

/// A refused record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its bytes.
    pub kept: Kept,
    /// The source it came from.
    pub source: Name,
    /// The file as messages show it; none where the position is a stage's output.
    pub file: Option<std::sync::Arc<str>>,
    /// Where it stood.
    pub at: Position,
    /// The stage that refused it; none for a source.
    pub stage: Option<Name>,
    /// Why.
    pub errors: Vec<Complaint>,
    /// Who said so, where a worker did.
    pub trace: Option<Box<Trace>>,
}

/// What may differ from run to run about a refusal by a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The worker's number in its stage.
    pub worker: u32,
    /// Its process number.
    pub pid: u32,
    /// The exit code it ended with, if the record ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The signal that ended it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// To how many workers the record was given.
    pub attempts: u32,
    /// What the worker last wrote to stderr, escaped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stderr: Vec<String>,
}

/// How much of an over-long line a dead letter keeps.
pub const HEAD: usize = 4096;

#[derive(Serialize)]
struct OnDisk<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
    source: &'a Name,
    file: Option<&'a str>,
    line: u64,
    offset: u64,
    stage: Option<&'a Name>,
    errors: &'a [Complaint],
    sha256: String,
    trace: Traced<'a>,
}

#[derive(Serialize)]
struct Traced<'a> {
    run: &'a RunId,
    #[serde(flatten)]
    trace: Option<&'a Trace>,
}

impl DeadLetter {
    /// Returns SHA-256 of the record.
    pub fn digest(&self) -> [u8; 32] {
        match &self.kept {
            Kept::Json(bytes) | Kept::Raw(bytes) => Sha256::digest(bytes).into(),
            Kept::Head { digest, .. } => *digest,
        }
    }

    /// Appends the letter to `out` as one line of NDJSON; `digest` is [`DeadLetter::digest`].
    pub fn write_line(
        &self,
        run: &RunId,
        digest: &[u8; 32],
        out: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let json = match &self.kept {
            Kept::Json(text) => Some(serde_json::from_slice::<&RawValue>(text)?),
            Kept::Raw(_) | Kept::Head { .. } => None,
        };
        let (raw, bytes) = match &self.kept {
            Kept::Json(_) => (None, None),
            Kept::Raw(raw) => (Some(STANDARD.encode(raw)), None),
            Kept::Head { head, bytes, .. } => (Some(STANDARD.encode(head)), Some(*bytes)),
        };
        let line = OnDisk {
            record: json,
            raw,
            bytes,
            truncated: bytes.map(|_| true),
            source: &self.source,
            file: self.file.as_deref(),
            line: self.at.line,
            offset: self.at.offset,
            stage: self.stage.as_ref(),
            errors: &self.errors,
            sha256: hex(digest),
            trace: Traced { run, trace: self.trace.as_deref() },
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.push(b'\n');
        Ok(())
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Complaint, DeadLetter, Kept};
    use crate::words::id::{Name, RunId};
    use crate::words::record::Position;

    fn letter(kept: Kept) -> String {
        let letter = DeadLetter {
            kept,
            source: Name::internal("in"),
            file: Some("data/u.ndjson".into()),
            at: Position { line: 3, offset: 40 },
            stage: None,
            errors: vec![Complaint::new("", "json.syntax", "expected value").at(5)],
            trace: None,
        };
        let mut out = Vec::new();
        letter.write_line(&RunId::new(1, 2), &letter.digest(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_keys_stand_in_a_fixed_order() {
        let digest = super::hex(&<sha2::Sha256 as sha2::Digest>::digest(b"{bad"));
        let want = format!(
            "{{\"raw\":\"e2JhZA==\",\"source\":\"in\",\"file\":\"data/u.ndjson\",\"line\":3,\
             \"offset\":40,\"stage\":null,\"errors\":[{{\"path\":\"\",\"code\":\"json.syntax\",\
             \"message\":\"expected value\",\"column\":5}}],\"sha256\":\"{digest}\",\
             \"trace\":{{\"run\":\"1-2\"}}}}\n"
        );
        assert_eq!(letter(Kept::Raw(b"{bad".to_vec())), want);
    }

    #[test]
    fn a_record_keeps_its_spelling_and_a_head_says_how_long_it_was() {
        let json = letter(Kept::Json(br#"{"n":1.0e2,"n":12345678901234567890123}"#.to_vec()));
        assert!(json.starts_with(r#"{"record":{"n":1.0e2,"n":12345678901234567890123},"source""#));
        let head = letter(Kept::Head { head: b"xx".to_vec(), bytes: 99, digest: [1; 32] });
        assert!(head.starts_with(r#"{"raw":"eHg=","bytes":99,"truncated":true,"#), "{head}");
    }
}
