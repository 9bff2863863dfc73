//! How many cases a property is tried on.

use proptest::prelude::ProptestConfig;

/// At least so many, more if the environment variable `PROPTEST_CASES` says so.
pub fn at_least(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(cases.max(ProptestConfig::default().cases))
}
