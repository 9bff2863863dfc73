//! Where a schema breaks the rules that schemas obey.

use jsonschema::error::ValidationErrorKind;
use jsonschema::meta::MetaValidator;
use jsonschema::{Draft, ValidationError, draft4, draft6, draft7, draft201909, draft202012};
use serde_json::Value;

use crate::stage::builtin::json_schema::complaint::cut;

/// What is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// Where in it, as a JSON Pointer.
    pub(super) at: String,
    /// What, as a sentence fragment.
    pub(super) message: String,
}

impl Breach {
    /// Finds the first rule of a draft that a schema breaks.
    pub(super) fn of(draft: Draft, schema: &Value) -> Option<Self> {
        let rules: fn() -> MetaValidator<'static> = match draft {
            Draft::Draft4 => draft4::meta::validator,
            Draft::Draft6 => draft6::meta::validator,
            Draft::Draft7 => draft7::meta::validator,
            Draft::Draft201909 => draft201909::meta::validator,
            Draft::Draft202012 => draft202012::meta::validator,
            // It has rules of its own, which are found where its validator is built.
            _ => return None,
        };
        rules().validate(schema).err().map(|error| Self::new(&error))
    }

    /// Takes over what the validator says of a schema.
    pub(super) fn new(error: &ValidationError<'_>) -> Self {
        // Of several ways to write something, the first is what is told of.
        let told = match error.kind() {
            ValidationErrorKind::AnyOf { context } => context.iter().flatten().next(),
            ValidationErrorKind::PropertyNames { error } => Some(&**error),
            _ => None,
        };
        let told = told.unwrap_or(error);
        let message = match told.kind() {
            ValidationErrorKind::Format { format } if format == "regex" => cut(
                &format_args!("{} is no regular expression that is known", told.instance()),
                200,
            ),
            _ => cut(told, 200),
        };
        Self { at: error.instance_path().as_str().to_owned(), message }
    }
}
