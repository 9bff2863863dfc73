//! `use = "hash"`: a digest takes the place of a value. Every other byte stays as it was.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use argon2::{Argon2, Params, Version, password_hash::PasswordHasher as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};

use crate::json::pointer::{Pointer, inside, stands_for};
use crate::plan::builtin::{Algorithm, Argon2 as Costs, Hash as HashPlan};
use crate::stage::builtin::{Outcome, Task, broken, pointer};
use crate::words::dead_letter::Complaint;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::{Encoding, OnMissing, OnType};
use crate::words::record::{Origin, Record};
use crate::words::text::grouped;

/// The task.
pub(super) struct Hash {
    fields: Vec<(Pointer, String)>,
    method: Method,
    into: Option<Into>,
    on_missing: OnMissing,
    on_type: OnType,
    max_record: usize,
}

/// How a value is hashed.
enum Method {
    Sha256(Encoding),
    Sha512(Encoding),
    HmacSha256(Hmac<Sha256>, Encoding),
    Argon2id(Box<Argon2<'static>>),
}

/// Another place for the digest.
struct Into {
    shown: String,
    field: Pointer,
    /// What it lies in, and its name there as JSON.
    parent: Pointer,
    key: String,
}

/// Why a record is not hashed.
enum Refusal {
    Rejected(Box<Complaint>),
    Skipped,
    /// It is not the record's fault.
    Broken(Failure),
}

impl Hash {
    /// Reads the key and checks the costs.
    pub(super) fn new(plan: &HashPlan) -> Result<Self, Failure> {
        let fields = plan.fields.iter().map(|field| Ok((pointer(field)?, field.clone())));
        Ok(Self {
            fields: fields.collect::<Result<_, Failure>>()?,
            method: Method::new(&plan.algorithm)?,
            into: plan.into.as_deref().map(Into::new).transpose()?,
            on_missing: plan.on_missing,
            on_type: plan.on_type,
            max_record: plan.max_record,
        })
    }

    /// Finds the value of a field, and what of it is hashed.
    fn value<'a>(
        &self,
        record: &'a [u8],
        (pointer, shown): &(Pointer, String),
    ) -> Result<(Range<usize>, Cow<'a, [u8]>), Refusal> {
        let reject = |code, message: String, at: Option<usize>| {
            let column = at.map(|at| at as u64 + 1);
            let complaint = Complaint { column, ..Complaint::new(shown, code, message) };
            Refusal::Rejected(Box::new(complaint))
        };
        let Some(place) = pointer.place(record) else {
            return Err(match self.on_missing {
                OnMissing::Skip => Refusal::Skipped,
                OnMissing::Reject => reject("hash.missing", "it is not there".to_owned(), None),
            });
        };
        let at = Some(place.span.start);
        if place.repeated {
            let message = "there is more than one of this name, and one would stay as it is";
            return Err(reject("hash.repeated", message.to_owned(), at));
        }
        let value = record.get(place.span.clone()).unwrap_or_default();
        let text = match (inside(value), self.on_type) {
            (Some(inner), _) => stands_for(inner),
            (None, OnType::Text) => Cow::Borrowed(value),
            (None, OnType::Reject) => {
                let message = format!("{} is no string", kind(value));
                return Err(reject("hash.type", message, at));
            }
        };
        if matches!(text, Cow::Owned(_)) && std::str::from_utf8(&text).is_err() {
            let message = "half a surrogate pair stands for no character".to_owned();
            return Err(reject("hash.surrogate", message, at));
        }
        Ok((place.span, text))
    }

    /// Hashes all fields in their places.
    fn replace(&self, record: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        if let [field] = self.fields.as_slice() {
            // Most often there is one, which needs no list.
            return self.splice(record, &[self.value(record, field)?], out);
        }
        let mut found = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            match self.value(record, field) {
                Err(Refusal::Skipped) => {}
                other => found.push(other?),
            }
        }
        if found.is_empty() {
            return Err(Refusal::Skipped);
        }
        found.sort_unstable_by_key(|(span, _)| span.start);
        self.splice(record, &found, out)
    }

    /// Writes the record with digests in the place of what was found.
    fn splice(
        &self,
        record: &[u8],
        found: &[(Range<usize>, Cow<'_, [u8]>)],
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let mut from = 0;
        for (span, text) in found {
            out.extend_from_slice(record.get(from..span.start).unwrap_or_default());
            self.method.append(text, out)?;
            from = span.end;
        }
        out.extend_from_slice(record.get(from..).unwrap_or_default());
        Ok(())
    }

    /// Hashes the field into another place.
    fn put(&self, record: &[u8], into: &Into, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let Some(field) = self.fields.first() else { return Err(Refusal::Skipped) };
        let (_, text) = self.value(record, field)?;
        let (before, after) = match into.field.place(record) {
            Some(place) if place.repeated => {
                let message = "there is more than one of this name to put the digest into";
                let complaint = Complaint::new(&into.shown, "hash.repeated", message);
                return Err(Refusal::Rejected(Box::new(complaint)));
            }
            Some(place) => (place.span.start, place.span.end),
            None => {
                let end = into.end_of_parent(record).map_err(Refusal::Rejected)?;
                (end, end)
            }
        };
        out.extend_from_slice(record.get(..before).unwrap_or_default());
        if before == after {
            if !out.ends_with(b"{") {
                out.push(b',');
            }
            out.extend_from_slice(into.key.as_bytes());
            out.push(b':');
        }
        self.method.append(&text, out)?;
        out.extend_from_slice(record.get(after..).unwrap_or_default());
        Ok(())
    }

    /// Refuses a record that has become too long for whoever takes it.
    fn fits(&self, record: &[u8], out: &[u8]) -> Result<(), Refusal> {
        if out.len() <= self.max_record || out.len() <= record.len() {
            return Ok(());
        }
        let (bytes, max) = (grouped(out.len() as u64), grouped(self.max_record as u64));
        let message = format!("{bytes} bytes with the digest, more than the {max} of `max_record`");
        Err(Refusal::Rejected(Box::new(Complaint::new("", "hash.too_long", message))))
    }
}

impl Task for Hash {
    fn treat(&self, record: &Record<'_>, _origin: &Arc<Origin>, out: &mut Vec<u8>) -> Outcome {
        let record = record.bytes;
        let changed = match &self.into {
            None => self.replace(record, out),
            Some(into) => self.put(record, into, out),
        };
        match changed.and_then(|()| self.fits(record, out)) {
            Ok(()) => Outcome::Replaced,
            Err(Refusal::Skipped) => Outcome::Kept,
            Err(Refusal::Rejected(complaint)) => Outcome::Rejected(vec![*complaint]),
            Err(Refusal::Broken(failure)) => Outcome::Broken(failure),
        }
    }
}

impl Into {
    fn new(text: &str) -> Result<Self, Failure> {
        let field = pointer(text)?;
        let (parent, key) = field.split().ok_or_else(|| broken(text))?;
        let key = serde_json::to_string(key).map_err(|_| broken(text))?;
        Ok(Self { shown: text.to_owned(), parent, key, field })
    }

    /// Finds where a member can be added to what the digest is to lie in.
    fn end_of_parent(&self, record: &[u8]) -> Result<usize, Box<Complaint>> {
        let refuse = |message: &str| Box::new(Complaint::new(&self.shown, "hash.missing", message));
        let Some(place) = self.parent.place(record) else {
            return Err(refuse("there is no object to put the digest into"));
        };
        if place.repeated {
            return Err(refuse("there is more than one object to put the digest into"));
        }
        let value = record.get(place.span.clone()).unwrap_or_default();
        let Some(members) = value.strip_suffix(b"}") else {
            return Err(refuse("what the digest is to be put into is no object"));
        };
        Ok(place.span.start + members.trim_ascii_end().len())
    }
}

impl Method {
    fn new(plan: &Algorithm) -> Result<Self, Failure> {
        Ok(match plan {
            Algorithm::Sha256(encoding) => Self::Sha256(*encoding),
            Algorithm::Sha512(encoding) => Self::Sha512(*encoding),
            Algorithm::HmacSha256(key, encoding) => {
                let mac = Hmac::new_from_slice(&key.bytes);
                Self::HmacSha256(mac.map_err(|_| broken("the key"))?, *encoding)
            }
            Algorithm::Argon2id(costs) => Self::Argon2id(Box::new(argon2id(*costs)?)),
        })
    }

    /// Appends the digest as a JSON string.
    fn append(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        out.push(b'"');
        match self {
            Self::Sha256(encoding) => encode(&Sha256::digest(text), *encoding, out),
            Self::Sha512(encoding) => encode(&Sha512::digest(text), *encoding, out),
            Self::HmacSha256(mac, encoding) => {
                let mac = mac.clone().chain_update(text).finalize();
                encode(&mac.into_bytes(), *encoding, out);
            }
            Self::Argon2id(argon2) => {
                let hash = argon2.hash_password(text).map_err(|error| {
                    let failure = Failure::new(Exit::World, format!("cannot hash: {error}"));
                    Refusal::Broken(failure.hint(
                        "argon2id needs `memory` for each of its `workers`: lower one of them",
                    ))
                })?;
                out.extend_from_slice(hash.to_string().as_bytes());
            }
        }
        out.push(b'"');
        Ok(())
    }
}

fn argon2id(costs: Costs) -> Result<Argon2<'static>, Failure> {
    let Costs { memory, iterations, parallelism } = costs;
    let params = Params::new(memory, iterations, parallelism, None).map_err(|error| {
        Failure::new(Exit::Config, format!("argon2id cannot work at these costs: {error}"))
    })?;
    Ok(Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params))
}

fn encode(digest: &[u8], encoding: Encoding, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match encoding {
        Encoding::Hex => {
            // As long as the longest digest makes it.
            let mut text = [0; 128];
            for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
                pair[0] = DIGITS[usize::from(byte >> 4)];
                pair[1] = DIGITS[usize::from(byte & 15)];
            }
            out.extend_from_slice(text.get(..2 * digest.len()).unwrap_or_default());
        }
        Encoding::Base64 => out.extend_from_slice(STANDARD.encode(digest).as_bytes()),
    }
}

/// Names the kind of a value that is no string.
fn kind(value: &[u8]) -> &'static str {
    match value.first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests;
