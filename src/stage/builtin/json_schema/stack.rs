//! How deep a schema may lead. The validator calls itself for each step from one rule to the next,
//! and a schema may lead through very many of them at each level of a record: before the stack is
//! used up, the record is given up.
//!
//! Each time around a circle of references the validator asks for a record's part, and so comes by
//! here. What lies between two of these calls is no longer than the schema has rules that lead to
//! others, which is limited when it is compiled.

use std::any::Any;
use std::cell::Cell;
use std::panic::resume_unwind;

use serde_json::Value;

use crate::stage::builtin::STACK;

/// How many rules may lead from one place of a schema to another.
pub(super) const MOST: usize = 50_000;

/// What is left for the way from one call to the next: 300 bytes for each of those rules.
const RESERVE: usize = 16 << 20;

/// The words of rules that look at the same part of a record again.
const LEADING: [&str; 11] = [
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
];

thread_local! {
    /// The address that the stack must not go below.
    static FLOOR: Cell<usize> = const { Cell::new(0) };
}

/// Says that a record could not be judged.
struct TooDeep;

/// To be called where the judging of a record begins, near the top of the stack.
pub(super) fn begin() {
    FLOOR.set(here().saturating_sub(STACK - RESERVE));
}

/// Gives the record up if little of the stack is left.
#[inline]
pub(super) fn look() {
    if here() < FLOOR.get() {
        resume_unwind(Box::new(TooDeep));
    }
}

/// Tells whether this is why a record was given up.
pub(super) fn is_too_deep(why: &(dyn Any + Send)) -> bool {
    why.is::<TooDeep>()
}

/// Counts the rules of a schema that lead to others.
pub(super) fn leading(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            let own = members.keys().filter(|key| LEADING.contains(&key.as_str())).count();
            own + members.values().map(leading).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(leading).sum(),
        _ => 0,
    }
}

/// Returns about where the stack ends just now.
#[inline]
fn here() -> usize {
    let mark = 0u8;
    std::ptr::from_ref(&std::hint::black_box(mark)).addr()
}

#[cfg(test)]
mod tests {
    use crate::plan::builtin::JsonSchema as Settings;
    use crate::stage::builtin::json_schema::JsonSchema;
    use crate::stage::builtin::{Outcome, STACK};
    use crate::words::outcome::Failure;
    use crate::words::policy::Draft;

    /// A schema that goes through `hops` references, each within an `allOf` if `within` says so,
    /// to the rules of its end.
    fn schema(hops: usize, within: bool, end: &str) -> String {
        let step = |hop: usize| {
            let reference = format!(r##"{{"$ref":"#/$defs/d{}"}}"##, hop + 1);
            if within { format!(r#"{{"allOf":[{reference}]}}"#) } else { reference }
        };
        let steps = (0..hops).map(|hop| format!(r#""d{hop}":{},"#, step(hop)));
        let steps: String = steps.collect();
        format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{steps}"d{hops}":{end}}}}}"##)
    }

    fn compiled(schema: &str) -> Result<JsonSchema, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.json");
        std::fs::write(&file, schema).unwrap();
        let (root, draft) = (folder.path().to_owned(), Draft::Draft202012);
        let settings = Settings { schema: file, root, draft, formats: false, max_errors: 1 };
        JsonSchema::compile(&settings, |path| path.display().to_string())
    }

    /// The code of what is wrong, as a thread of a stage finds it.
    fn judged(schema: &str, record: &str) -> Option<String> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            let judge = || match compiled(schema).unwrap().judge(record.as_bytes()) {
                Outcome::Rejected(errors) => errors.first().map(|error| error.code.clone()),
                _ => None,
            };
            thread.spawn_scoped(scope, judge).unwrap().join().unwrap()
        })
    }

    const AROUND: &str =
        r##"{"type":["object","integer"],"properties":{"a":{"$ref":"#/$defs/d0"}}}"##;

    #[test]
    fn a_long_way_to_a_rule_is_gone() {
        for (hops, within) in [(49_000, false), (24_000, true)] {
            let schema = schema(hops, within, r#"{"type":"integer"}"#);
            assert_eq!(judged(&schema, "1"), None);
            assert_eq!(judged(&schema, "\"x\"").as_deref(), Some("schema.type"));
        }
    }

    #[test]
    fn a_record_that_would_use_up_the_stack_is_given_up() {
        let record = |leaf: &str| format!("{}{leaf}{}", "{\"a\":".repeat(127), "}".repeat(127));
        let code = |schema: &str| judged(schema, &record("\"s\""));
        assert_eq!(code(&schema(70, true, AROUND)).as_deref(), Some("schema.type"));
        for within in [true, false] {
            let found = code(&schema(10_000, within, AROUND));
            assert_eq!(found.as_deref(), Some("schema.unreadable"));
        }
    }

    #[test]
    fn a_schema_that_leads_on_for_ever_is_refused() {
        let failure = compiled(&schema(50_001, false, "{}")).err().unwrap();
        assert!(failure.message.contains("50,002 times"), "{failure}");
    }
}
