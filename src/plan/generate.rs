//! What a source makes: complete, with every bound and weight decided.

use crate::words::fields::{Locale, Plain, Share};

/// Records that are made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generate {
    /// How many; none for as many as are wanted.
    pub count: Option<u64>,
    /// What they are made from: the same seed makes the same records.
    pub seed: u64,
    /// Whose names and words they hold.
    pub locale: Locale,
    /// How many of them are made dirty.
    pub dirt: Share,
    /// Their fields, in order, at least one.
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub value: Value,
}

/// A value that is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Of which kind.
    pub kind: Kind,
    /// How often it is `null` instead.
    pub nulls: Share,
}

/// The kinds of value; bounds are within what there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Those without parameters.
    Plain(Plain),
    /// `true` so often.
    Boolean(Share),
    /// A whole number.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A number with so many digits behind the point; its bounds are without the point.
    Decimal {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
        /// Digits behind the point.
        digits: u32,
    },
    /// A date, in days since 1970.
    Date {
        /// The first.
        from: i32,
        /// The last.
        to: i32,
    },
    /// A point in time, in seconds since 1970.
    Timestamp {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// One of some values.
    Enum(Vec<Choice>),
    /// An object of such fields, in order.
    Object(Vec<Field>),
    /// An array.
    Array {
        /// What it holds.
        of: Box<Value>,
        /// The fewest.
        min: u32,
        /// The most.
        max: u32,
        /// Whether no two are equal.
        unique: bool,
    },
}

/// A value that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its JSON text.
    pub json: String,
    /// Its weight; that of all together is more than nothing.
    pub weight: u64,
}
