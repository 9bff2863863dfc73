//! The choices a pipeline file offers, shared by what is written, what is planned and what runs.

/// What is required of each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// One JSON text in UTF-8, at most 128 levels deep.
    Json,
    /// UTF-8.
    Utf8,
    /// Nothing; blank lines and a byte order mark are kept too.
    None,
}

/// What happens after a reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReject {
    /// The run goes on; the limit is judged at its end.
    Continue,
    /// The run stops as soon as the limit (a count) is passed.
    Stop,
}

/// How many lines come out for those that go in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Any number.
    Any,
    /// No more than go in.
    AtMostOne,
    /// Just as many.
    OneToOne,
}

/// What it means that a filter ends without reading everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyExit {
    /// The stage is broken.
    Fail,
    /// It had what it wanted, as `head` does.
    Ok,
}

/// What a stage's exit codes mean; any code not listed says that the stage is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitPolicy {
    /// All is well.
    pub ok: Vec<i32>,
    /// The data is bad.
    pub invalid: Vec<i32>,
}

/// When a file output is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// When the run ends within its limits.
    Gate,
    /// Also when the data is bad, never when something broke.
    Always,
    /// On every end but a refused start: rejects and reports.
    EveryEnd,
    /// When nothing is wrong but that records were refused, and if there are any: replays.
    Sound,
}

/// In which order records leave a pool of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they came in.
    Input,
    /// As they are answered.
    None,
}

/// What becomes of the records that are with a worker when it dies or times out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCrash {
    /// Each is sent again, alone, to a fresh worker; the second end makes it a reject.
    Retry,
    /// Each is rejected: the worker may have done something already that must not be done twice.
    Reject,
}

/// What a field that is not there means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMissing {
    /// The record is rejected.
    Reject,
    /// The record goes on as it is.
    Skip,
}

/// What a value that is no string means to a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnType {
    /// The record is rejected.
    Reject,
    /// Its text is hashed as it is spelt in the record.
    Text,
}

/// How a digest is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Lower-case hexadecimal digits.
    Hex,
    /// Base64 with padding.
    Base64,
}

/// A draft of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draft {
    /// Draft 4.
    Draft4,
    /// Draft 6.
    Draft6,
    /// Draft 7.
    Draft7,
    /// 2019-09.
    Draft201909,
    /// 2020-12.
    Draft202012,
}

/// Which records a selection lets go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those that pass the test.
    Matching,
    /// The others.
    Others,
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A string.
    Text(String),
    /// A number, as JSON writes it.
    Number(String),
    /// `true` or `false`.
    Truth(bool),
}

/// What becomes of a row whose key is in the table already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The record is rejected.
    Error,
    /// The row that is there stays; the record is dropped.
    Ignore,
    /// The row takes the record's values.
    Update,
}

/// What a transaction of a sink holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// Some records: what is committed stays, however the run ends.
    Batch,
    /// All records of the run: all or nothing.
    Run,
}

/// When a commit to `SQLite` is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// At once.
    Full,
    /// Some time later; a power loss may take the last commits away.
    Normal,
}

/// How a connection to Postgres is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// Not at all.
    Disable,
    /// If the server can; its certificate is not looked at.
    Prefer,
    /// Always; the certificate is not looked at.
    Require,
    /// Always, and the certificate must be good for the host.
    VerifyFull,
}

/// The type of a column that a sink fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// A whole number of 64 bits.
    Integer,
    /// A number in floating point.
    Real,
    /// A number, exactly as it is written.
    Numeric,
    /// A string.
    Text,
    /// `true` or `false`.
    Boolean,
    /// Any value, as its JSON text.
    Json,
    /// A point in time, as RFC 3339 writes it.
    Timestamp,
    /// A date, as RFC 3339 writes it.
    Date,
    /// A UUID.
    Uuid,
    /// Bytes, written in base64.
    Blob,
}
