//! `use = "unique"`: a record that repeats the key of one before it is rejected.
//!
//! Of each key the first half of its SHA-256 is remembered, and where it was: 24 bytes, whatever
//! its length, so that so many keys fit in so much memory. Two keys that share 128 bits of
//! SHA-256 do not occur.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::json::pointer::Pointer;
use crate::plan::builtin::Unique as UniquePlan;
use crate::stage::builtin::{Outcome, Task, pointer};
use crate::words::dead_letter::Complaint;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::OnMissing;
use crate::words::record::{Origin, Record};
use crate::words::text::grouped;

/// The task.
pub(super) struct Unique {
    fields: Vec<(Pointer, String)>,
    on_missing: OnMissing,
    max_keys: usize,
    seen: Mutex<Seen>,
}

/// How many bits of a packed place are the line's.
const LINE_BITS: u32 = 40;

const LINE_MASK: u64 = (1 << LINE_BITS) - 1;

#[derive(Debug, Default)]
struct Seen {
    keys: HashMap<[u8; 16], [u8; 8]>,
    /// Where records came from so far.
    inputs: Vec<Arc<Origin>>,
}

/// Where a key was.
#[derive(Clone, Copy)]
struct At {
    input: u32,
    line: u64,
}

impl Unique {
    /// Starts with no key.
    pub(super) fn new(plan: &UniquePlan) -> Result<Self, Failure> {
        let fields = plan.fields.iter().map(|field| Ok((pointer(field)?, field.clone())));
        Ok(Self {
            fields: fields.collect::<Result<_, Failure>>()?,
            on_missing: plan.on_missing,
            max_keys: plan.max_keys,
            seen: Mutex::default(),
        })
    }

    /// Returns the digest of a record's key; the field that is missing, if one is.
    fn key(&self, record: &[u8]) -> Result<[u8; 16], &str> {
        let mut hash = Sha256::new();
        for (pointer, shown) in &self.fields {
            let part = pointer.key_of(record).ok_or(shown.as_str())?;
            // With their lengths, so that no two lists of parts are the same bytes.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
        Ok(half)
    }

    /// Notes a key; returns where it was before.
    fn note(&self, key: [u8; 16], at: At) -> Result<Option<At>, Outcome> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let full = seen.keys.len() >= self.max_keys;
        match seen.keys.entry(key) {
            Entry::Occupied(before) => Ok(Some(At::unpack(*before.get()))),
            Entry::Vacant(_) if full => Err(Outcome::Broken(self.full())),
            Entry::Vacant(free) => {
                free.insert(at.pack());
                Ok(None)
            }
        }
    }

    fn full(&self) -> Failure {
        let max = grouped(self.max_keys as u64);
        let message = format!("there are more than the {max} different keys of `max_keys`");
        let hint = "raise `max_keys`: each million takes about 50 MiB";
        Failure::new(Exit::Stage, message).hint(hint)
    }

    /// Returns the number of the input that a record came from.
    fn input(&self, origin: &Arc<Origin>) -> u32 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let inputs = &mut seen.inputs;
        let known = inputs.iter().rposition(|known| Arc::ptr_eq(known, origin));
        let index = known.unwrap_or_else(|| {
            inputs.push(Arc::clone(origin));
            inputs.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// Says where a key was before, as seen from where it is now.
    fn where_before(&self, before: At, now: u32) -> String {
        let line = grouped(before.line);
        if before.input == now {
            return format!("line {line}");
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = seen.inputs.get(before.input as usize);
        match origin.and_then(|origin| origin.file.as_deref()) {
            Some(file) => format!("line {line} of {file}"),
            None => format!("line {line} of another input"),
        }
    }
}

impl At {
    /// Packs a place into eight bytes: lines up to 2^40, inputs up to 2^24.
    fn pack(self) -> [u8; 8] {
        (u64::from(self.input) << LINE_BITS | self.line & LINE_MASK).to_le_bytes()
    }

    fn unpack(packed: [u8; 8]) -> Self {
        let packed = u64::from_le_bytes(packed);
        let input = u32::try_from(packed >> LINE_BITS).unwrap_or(u32::MAX);
        Self { input, line: packed & LINE_MASK }
    }
}

impl Task for Unique {
    fn treat(&self, record: &Record<'_>, origin: &Arc<Origin>, _out: &mut Vec<u8>) -> Outcome {
        let key = match self.key(record.bytes) {
            Ok(key) => key,
            Err(_) if self.on_missing == OnMissing::Skip => return Outcome::Kept,
            Err(field) => {
                let message = "it is not there".to_owned();
                return Outcome::Rejected(vec![Complaint::new(field, "unique.missing", message)]);
            }
        };
        let input = self.input(origin);
        match self.note(key, At { input, line: record.at.line }) {
            Ok(None) => Outcome::Kept,
            Ok(Some(before)) => {
                let message = format!("the same as in {}", self.where_before(before, input));
                let first = self.fields.first().map_or("", |(_, shown)| shown.as_str());
                let path = if self.fields.len() == 1 { first } else { "" };
                Outcome::Rejected(vec![Complaint::new(path, "unique.repeated", message)])
            }
            Err(broken) => broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{At, Unique};
    use crate::plan::builtin::Unique as UniquePlan;
    use crate::stage::builtin::{Outcome, Task as _};
    use crate::words::id::Name;
    use crate::words::policy::OnMissing;
    use crate::words::record::{Origin, Position, Record};

    fn task(fields: &[&str], on_missing: OnMissing, max_keys: usize) -> Unique {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        Unique::new(&UniquePlan { fields, on_missing, max_keys }).unwrap()
    }

    fn origin(file: &str) -> Arc<Origin> {
        Arc::new(Origin { table: Name::internal("in"), file: Some(file.into()) })
    }

    /// What becomes of a record, in a word or with the message.
    fn said(task: &Unique, origin: &Arc<Origin>, line: u64, record: &str) -> String {
        let at = Position { line, offset: 0 };
        let record = Record { bytes: record.as_bytes(), seq: line - 1, at, changed: false };
        match task.treat(&record, origin, &mut Vec::new()) {
            Outcome::Kept => "kept".to_owned(),
            Outcome::Rejected(errors) => {
                let error = errors.first().unwrap();
                format!("{} {}: {}", error.path, error.code, error.message)
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn who_comes_second_is_rejected_and_told_where_the_first_was() {
        let task = task(&["/id"], OnMissing::Reject, 10);
        let (one, two) = (origin("one.ndjson"), origin("two.ndjson"));
        assert_eq!(said(&task, &one, 1, r#"{"id":1}"#), "kept");
        assert_eq!(said(&task, &one, 2, r#"{"id":"1"}"#), "kept");
        assert_eq!(said(&task, &one, 3, r#"{"id":1.0}"#), "kept");
        let same = "/id unique.repeated: the same as in line 2";
        assert_eq!(said(&task, &one, 4, r#"{"x":0,"id":"\u0031"}"#), same);
        assert_eq!(said(&task, &two, 4, r#"{"id":"1"}"#), format!("{same} of one.ndjson"));
        assert_eq!(said(&task, &two, 5, "{}"), "/id unique.missing: it is not there");
    }

    #[test]
    fn keys_of_several_parts_are_not_taken_for_each_other() {
        let task = task(&["/a", "/b"], OnMissing::Skip, 10);
        let from = origin("in");
        assert_eq!(said(&task, &from, 1, r#"{"a":"x","b":"yz"}"#), "kept");
        assert_eq!(said(&task, &from, 2, r#"{"a":"xy","b":"z"}"#), "kept");
        assert_eq!(said(&task, &from, 3, r#"{"a":"x"}"#), "kept");
        assert_eq!(said(&task, &from, 4, r#"{"a":"x"}"#), "kept");
        let same = " unique.repeated: the same as in line 1";
        assert_eq!(said(&task, &from, 5, r#"{"b":"yz","a":"x"}"#), same);
    }

    #[test]
    fn a_key_too_many_breaks_the_stage_and_is_never_let_through() {
        let task = task(&["/id"], OnMissing::Reject, 2);
        let from = origin("in");
        assert_eq!(said(&task, &from, 1, r#"{"id":1}"#), "kept");
        assert_eq!(said(&task, &from, 2, r#"{"id":2}"#), "kept");
        assert!(said(&task, &from, 3, r#"{"id":1}"#).contains("line 1"), "known ones still are");
        assert!(said(&task, &from, 4, r#"{"id":3}"#).starts_with("Broken"));
        assert!(said(&task, &from, 5, r#"{"id":3}"#).starts_with("Broken"));
    }

    #[test]
    fn a_place_fits_eight_bytes() {
        for (input, line) in [(0, 1), (3, 77), ((1 << 24) - 1, (1 << 40) - 1)] {
            let at = At::unpack(At { input, line }.pack());
            assert_eq!((at.input, at.line), (input, line));
        }
    }
}
