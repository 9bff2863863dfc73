//! A dead letter read back, to be given once more to the table that refused it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::words::dead_letter::hex;
use crate::words::record::Position;

/// A line of a file of dead letters.
#[derive(Debug, Deserialize)]
pub struct Returned<'a> {
    #[serde(borrow, default, deserialize_with = "even_null")]
    record: Option<&'a RawValue>,
    #[serde(default)]
    raw: Option<String>,
    #[serde(default)]
    truncated: bool,
    /// The source or stage that its place is told by.
    pub source: String,
    /// The file as messages show it.
    pub file: Option<String>,
    line: u64,
    offset: u64,
    /// The stage that refused it; none for a source.
    pub stage: Option<String>,
    /// SHA-256 of the bytes that were refused.
    pub sha256: String,
    #[serde(borrow, default)]
    errors: Option<&'a RawValue>,
}

/// What of a complaint is of interest.
#[derive(Deserialize)]
struct Known {
    #[serde(default)]
    column: Option<u64>,
}

/// Tells letters, or places, apart.
pub type Key = [u8; 16];

/// `null` is a record, too.
fn even_null<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

impl<'a> Returned<'a> {
    /// Reads a line, or says why it is no dead letter.
    pub fn parse(line: &'a [u8]) -> Result<Self, String> {
        let letter: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if letter.record.is_none() && letter.raw.is_none() {
            return Err("it has neither `record` nor `raw`".to_owned());
        }
        Ok(letter)
    }

    /// Tells whether only the beginning of the record was kept.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Returns where the record stood first.
    pub fn at(&self) -> Position {
        Position { line: self.line, offset: self.offset }
    }

    /// Tells whether `bytes`, its record, are others than those that stood at its place: mended
    /// since, or changed on the way to the stage that refused it. A place in the line is only
    /// told of records that are not.
    pub fn is_changed(&self, bytes: &[u8]) -> bool {
        let errors = self.errors.map_or("[]", RawValue::get);
        let known: Vec<Known> = serde_json::from_str(errors).unwrap_or_default();
        let placed = known.iter().any(|error| error.column.is_some());
        digest(bytes) != self.sha256 || (self.stage.is_some() && !placed)
    }

    /// Returns the record's bytes, without a line feed.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        let Some(record) = self.record else {
            let raw = self.raw.as_deref().unwrap_or_default();
            let mut bytes = STANDARD.decode(raw).map_err(|e| format!("`raw` is no base64: {e}"))?;
            // Whoever mends one by hand packs what `echo` wrote.
            bytes.pop_if(|last| *last == b'\n');
            if bytes.contains(&b'\n') {
                return Err("`raw` holds a line feed: a record is one line".to_owned());
            }
            return Ok(bytes);
        };
        let mut bytes = record.get().as_bytes().to_vec();
        if digest(&bytes) != self.sha256 {
            // A JSON text does not show the carriage return that its line ended with.
            bytes.push(b'\r');
            if digest(&bytes) != self.sha256 {
                bytes.pop();
            }
        }
        Ok(bytes)
    }

    /// Returns the key of the letter: of the same place, bytes and table there is one.
    pub fn key(&self) -> Key {
        self.key_with(Some((&self.sha256, self.stage.as_ref())))
    }

    /// Returns the key that it has when it is written again, and its digest then: whoever mended
    /// it by hand may have left the digest as it was.
    pub fn key_again(&self) -> Result<(Key, String), String> {
        let sha256 = digest(&self.bytes()?);
        Ok((self.key_with(Some((&sha256, self.stage.as_ref()))), sha256))
    }

    /// Returns the key of the place where its record stood first.
    pub fn place(&self) -> Key {
        self.key_with(None)
    }

    fn key_with(&self, refused: Option<(&String, Option<&String>)>) -> Key {
        let mut hash = Sha256::new();
        let (sha256, stage) = refused.map_or((None, None), |(sha256, stage)| (Some(sha256), stage));
        for part in [Some(&self.source), self.file.as_ref(), sha256, stage] {
            let bytes = part.map(String::as_bytes).unwrap_or_default();
            hash.update([u8::from(part.is_some())]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
        hash.update(self.offset.to_be_bytes());
        let whole: [u8; 32] = hash.finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(&whole[..16]);
        key
    }
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::{Returned, digest};

    fn letter(kept: &str, sha256: &str) -> String {
        format!(
            "{{{kept},\"source\":\"in\",\"file\":null,\"line\":1,\"offset\":0,\"stage\":null,\
             \"errors\":[],\"sha256\":\"{sha256}\",\"trace\":{{}}}}"
        )
    }

    #[test]
    fn the_bytes_are_those_that_were_refused() {
        for (kept, bytes, want) in [
            ("\"record\":{\"a\":1.0}", "{\"a\":1.0}", "{\"a\":1.0}"),
            ("\"record\":{\"a\":1}", "{\"a\":1}\r", "{\"a\":1}\r"),
            ("\"record\":null", "null", "null"),
            ("\"record\":{\"by\":\"hand\"}", "{bad", "{\"by\":\"hand\"}"),
            ("\"raw\":\"e2JhZA==\"", "{bad", "{bad"),
            ("\"raw\":\"e2JhZAo=\"", "{bad", "{bad"),
        ] {
            let text = letter(kept, &digest(bytes.as_bytes()));
            let letter = Returned::parse(text.as_bytes()).unwrap();
            assert_eq!(letter.bytes().unwrap(), want.as_bytes(), "{kept}");
        }
        assert!(Returned::parse(b"{\"id\":1}").is_err());
        let two = letter("\"raw\":\"YQpi\"", "");
        assert!(Returned::parse(two.as_bytes()).unwrap().bytes().is_err());
    }
}
