//! What became of the tests of a pipeline, for whoever makes a report of it.

/// A test that was run.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// What it is called; foreign text.
    pub name: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Why it failed, if it did: lines that steer neither a terminal nor a CI service.
    pub failure: Option<String>,
}
