//! The stage `json-schema`: are records as a JSON Schema wants them?
//!
//! A record is read once, into cells that are used again for the next one, and judged as it is
//! written: its numbers keep all their digits, and of members with the same name the last counts.
//! What a number is held against, as by `maximum` or `multipleOf`, is exact if it is an integer of
//! at most 64 bits, and otherwise as near as a double comes to it; `const` and `enum` are exact.
//! Only where a record breaks a rule is it walked again, to find all that is wrong with it.

mod breach;
mod compile;
mod complaint;
mod files;
mod same;
mod stack;
mod tape;
#[cfg(test)]
mod tests;
mod view;

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;

use jsonschema::Validator;

use crate::plan::builtin::JsonSchema as Settings;
use crate::stage::builtin::json_schema::complaint::{bottomless, broken, crowded, unreadable};
use crate::stage::builtin::json_schema::tape::{Doc, Tape};
use crate::stage::builtin::json_schema::view::{Part, Tapes};
use crate::stage::builtin::{Outcome, Task};
use crate::words::dead_letter::Complaint;
use crate::words::outcome::Failure;
use crate::words::record::{Origin, Record};

/// A stage that judges records by a schema.
pub(super) struct JsonSchema {
    validator: Validator<Tapes>,
    /// The address that rules have which stand in the schema's own file.
    home: String,
    max_errors: usize,
}

impl fmt::Debug for JsonSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonSchema").field("max_errors", &self.max_errors).finish_non_exhaustive()
    }
}

impl JsonSchema {
    /// Reads the schema and all files it leads to. Messages show paths as `shown` writes them.
    pub(super) fn compile(
        settings: &Settings,
        shown: impl Fn(&Path) -> String,
    ) -> Result<Self, Failure> {
        let (validator, home) = compile::validator(settings, &shown)?;
        Ok(Self { validator, home, max_errors: settings.max_errors.max(1) })
    }

    fn judge(&self, record: &[u8]) -> Outcome {
        stack::begin();
        let judged = catch_unwind(AssertUnwindSafe(|| {
            TAPE.with_borrow_mut(|tape| match tape.read(record) {
                Err(fault) => Outcome::Rejected(vec![unreadable(&fault)]),
                Ok(doc) if self.validator.is_valid(Part::whole(&doc)) => Outcome::Kept,
                Ok(doc) => Outcome::Rejected(self.complaints(&doc, record)),
            })
        }));
        judged.unwrap_or_else(|why| {
            if stack::is_too_deep(why.as_ref()) {
                return Outcome::Rejected(vec![bottomless()]);
            }
            resume_unwind(why)
        })
    }

    #[cold]
    fn complaints(&self, doc: &Doc<'_>, record: &[u8]) -> Vec<Complaint> {
        doc.look_for_errors();
        let errors = self.validator.iter_errors(Part::whole(doc)).take(self.max_errors);
        let found: Vec<Complaint> =
            errors.map(|error| broken(&error, record, &self.home)).collect();
        if found.is_empty() { vec![crowded()] } else { found }
    }
}

thread_local! {
    static TAPE: RefCell<Tape> = RefCell::default();
}

impl Task for JsonSchema {
    fn treat(&self, record: &Record<'_>, _origin: &Arc<Origin>, _out: &mut Vec<u8>) -> Outcome {
        self.judge(record.bytes)
    }
}
