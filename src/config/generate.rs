//! What a source makes, as written, and how it is read.

use crate::config::diagnostic::Reported;
use crate::config::keys::{
    ARRAY, BOOLEAN, DECIMAL, ENUM, INTEGER, KINDS_OF_FIELD, LOCALES, MOMENT, OBJECT, PLAIN,
    Vocabulary, Word,
};
use crate::config::manual::phrase;
use crate::config::origin::Located;
use crate::config::read::{self, Read, Reader};
use crate::config::schema::Setting;
use crate::config::suggest::{nearest, one_of};
use crate::config::tables::word;
use crate::config::tree::{Entry, Value};
use crate::config::values;
use crate::words::fields::{Locale, Plain, Share};
use crate::words::policy::Scalar;
use crate::words::units::Limit;

/// The keys of a source that makes its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generate {
    /// `count`
    pub count: Setting<u64>,
    /// `seed`
    pub seed: Setting<u64>,
    /// `locale`
    pub locale: Setting<Locale>,
    /// `dirt`
    pub dirt: Setting<Share>,
    /// `fields`
    pub fields: Setting<Vec<Field>>,
}

/// The words behind `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Those that take no parameter.
    Plain(Plain),
    /// `boolean`
    Boolean,
    /// `integer`
    Integer,
    /// `decimal`
    Decimal,
    /// `date`
    Date,
    /// `timestamp`
    Timestamp,
    /// `enum`
    Enum,
    /// `object`
    Object,
    /// `array`
    Array,
}

/// A field with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// What it holds, or that it cannot be read, which was reported.
    pub value: Result<Made, Reported>,
}

/// A value that is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// `kind`
    pub kind: Located<Kind>,
    /// `nulls`
    pub nulls: Setting<Share>,
    /// What goes with its kind.
    pub with: With,
}

/// What goes with a kind; the keys of other kinds are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct With {
    /// `share` of a boolean
    pub share: Setting<Share>,
    /// `min` and `max` of an integer
    pub integers: [Setting<i64>; 2],
    /// `min` and `max` of a decimal
    pub decimals: [Setting<Decimal>; 2],
    /// `digits` of a decimal
    pub digits: Setting<u32>,
    /// `from` and `to` of a date, in days since 1970
    pub dates: [Setting<i32>; 2],
    /// `from` and `to` of a timestamp, in seconds since 1970
    pub timestamps: [Setting<i64>; 2],
    /// `values` of an enum, each with its weight
    pub values: Setting<Vec<(Scalar, u64)>>,
    /// `fields` of an object
    pub fields: Setting<Vec<Field>>,
    /// `of` of an array
    pub of: Setting<Box<Made>>,
    /// `min` and `max` of an array
    pub lengths: [Setting<u32>; 2],
    /// `unique` of an array
    pub unique: Setting<bool>,
}

/// A number as it is written: `digits / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Its digits, without the point.
    pub digits: i64,
    /// How many of them stand behind the point.
    pub scale: u32,
}

/// Reads the keys of a source that makes its records.
pub(super) fn read(reader: &mut Reader<'_>) -> Generate {
    Generate {
        count: reader.read("count", whole),
        seed: reader.read("seed", whole),
        locale: word(reader, "locale", LOCALES),
        dirt: reader.read("dirt", share),
        fields: reader.read("fields", fields),
    }
}

fn fields(field: &mut read::Field<'_>) -> Read<Vec<Field>> {
    let entries = field.take_table(phrase::FIELDS)?;
    if entries.is_empty() {
        return Err(field.unfit(phrase::FIELDS, "this is empty", None));
    }
    let mut found = Vec::with_capacity(entries.len());
    for Entry { key, node, .. } in entries {
        let value = made(&mut read::Field { key: &key, node, out: field.out });
        found.push(Field { name: key, value });
    }
    Ok(found)
}

/// Reads what a field, or a value of an array, holds.
fn made(field: &mut read::Field<'_>) -> Read<Made> {
    let mut entries = match &mut field.node.value {
        Value::Text(_) => Vec::new(),
        Value::Table(entries) => std::mem::take(entries),
        _ => return Err(field.wrong(phrase::FIELD, Some("as in `age = \"integer\"`"))),
    };
    let shown = format!("`{}`", crate::words::text::escape(field.key.as_bytes()));
    let mut key = field.key;
    if !matches!(field.node.value, Value::Text(_)) {
        let Some(index) = entries.iter().position(|entry| entry.key == "kind") else {
            let hint = Some("as in `{ kind = \"integer\", min = 18 }`");
            return Err(field.unfit(phrase::FIELD, "`kind` is missing", hint));
        };
        field.node = entries.swap_remove(index).node;
        key = "kind";
    }
    let origin = field.node.origin;
    let kind = kind(&mut read::Field { key, node: field.node.clone(), out: field.out })?;
    let mut reader = Reader::new(vocabulary(kind), shown, entries, field.out);
    let nulls = reader.read("nulls", share);
    let with = with(kind, &mut reader);
    reader.finish();
    Ok(Made { kind: Located { value: kind, origin }, nulls, with })
}

/// Reads a kind. There are too many to list them where one is only misspelt.
fn kind(field: &mut read::Field<'_>) -> Read<Kind> {
    let takes = phrase::KIND;
    let Value::Text(text) = &field.node.value else { return Err(field.wrong(takes, None)) };
    let words = KINDS_OF_FIELD.iter().map(Word::spelling);
    if let Some(Word(_, kind)) = KINDS_OF_FIELD.iter().find(|word| word.spelling() == text) {
        return Ok(*kind);
    }
    let hint = match nearest(text, words.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it takes {}", one_of(words)),
    };
    Err(field.unfit(takes, "no such kind", Some(&hint)))
}

/// Says which keys go with a kind.
pub(super) fn vocabulary(kind: Kind) -> &'static Vocabulary {
    match kind {
        Kind::Plain(_) => &PLAIN,
        Kind::Boolean => &BOOLEAN,
        Kind::Integer => &INTEGER,
        Kind::Decimal => &DECIMAL,
        Kind::Date | Kind::Timestamp => &MOMENT,
        Kind::Enum => &ENUM,
        Kind::Object => &OBJECT,
        Kind::Array => &ARRAY,
    }
}

fn with(kind: Kind, reader: &mut Reader<'_>) -> With {
    let mut with = With::default();
    match kind {
        Kind::Plain(_) => {}
        Kind::Boolean => with.share = reader.read("share", share),
        Kind::Integer => with.integers = ["min", "max"].map(|key| reader.read(key, integer)),
        Kind::Decimal => {
            with.decimals = ["min", "max"].map(|key| reader.read(key, decimal));
            with.digits = reader.read("digits", digits);
        }
        Kind::Date => with.dates = ["from", "to"].map(|key| reader.read(key, date)),
        Kind::Timestamp => with.timestamps = ["from", "to"].map(|key| reader.read(key, timestamp)),
        Kind::Enum => with.values = reader.read("values", choices),
        Kind::Object => with.fields = reader.read("fields", fields),
        Kind::Array => {
            with.of = reader.read("of", |field| made(field).map(Box::new));
            with.lengths = ["min", "max"].map(|key| reader.read(key, length));
            with.unique = reader.read("unique", values::truth);
        }
    }
    with
}

fn number<T: TryFrom<i128>>(field: &mut read::Field<'_>, takes: &str) -> Read<T> {
    match field.node.value {
        Value::Integer(number) => {
            T::try_from(number).map_err(|_| field.unfit(takes, "no such number", None))
        }
        _ => Err(field.wrong(takes, None)),
    }
}

fn whole(field: &mut read::Field<'_>) -> Read<u64> {
    number(field, phrase::WHOLE)
}

fn integer(field: &mut read::Field<'_>) -> Read<i64> {
    number(field, phrase::INTEGER)
}

fn length(field: &mut read::Field<'_>) -> Read<u32> {
    match number(field, phrase::LENGTH)? {
        length @ 0..=1000 => Ok(length),
        _ => Err(field.unfit(phrase::LENGTH, "no such number", None)),
    }
}

fn digits(field: &mut read::Field<'_>) -> Read<u32> {
    match number(field, phrase::DIGITS)? {
        digits @ 0..=9 => Ok(digits),
        _ => Err(field.unfit(phrase::DIGITS, "no such number", None)),
    }
}

fn decimal(field: &mut read::Field<'_>) -> Read<Decimal> {
    let text = match &field.node.value {
        Value::Integer(number) => number.to_string(),
        Value::Float(text) => text.replace('_', ""),
        _ => return Err(field.wrong(phrase::NUMBER, None)),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= 9);
    match (format!("{whole}{fraction}").parse(), scale) {
        (Ok(digits), Some(scale)) => Ok(Decimal { digits, scale }),
        _ => Err(field.unfit(phrase::NUMBER, "not of this form", None)),
    }
}

fn share(field: &mut read::Field<'_>) -> Read<Share> {
    let takes = phrase::SHARE;
    let text = match &field.node.value {
        Value::Text(text) => text,
        Value::Integer(_) | Value::Float(_) => {
            return Err(field.wrong(takes, Some("a share is a string: `\"3%\"`")));
        }
        _ => return Err(field.wrong(takes, None)),
    };
    match Limit::parse(text) {
        Ok(Limit::Share { percent, scale }) => Ok(Share::new(percent, 100 * 10u64.pow(scale))),
        Ok(Limit::Count(_)) => Err(field.unfit(takes, "no share", Some("write the `%`: `\"3%\"`"))),
        Err(_) => Err(field.unfit(takes, "no share", None)),
    }
}

/// Returns the text of a date or a time.
fn moment<'a>(field: &'a mut read::Field<'_>, takes: &str) -> Read<&'a str> {
    match field.node.value {
        Value::Text(_) => {}
        Value::Datetime => return Err(field.wrong(takes, Some("write it as a string"))),
        _ => return Err(field.wrong(takes, None)),
    }
    match &field.node.value {
        Value::Text(text) => Ok(text),
        _ => Ok(""),
    }
}

fn date(field: &mut read::Field<'_>) -> Read<i32> {
    let text = moment(field, phrase::DATE)?;
    // What is more than a date is none.
    let parsed = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10);
    let days = parsed.filter(|date| date.year() >= 0).and_then(|date| {
        let since = date.since(jiff::civil::Date::constant(1970, 1, 1)).ok()?;
        Some(since.get_days())
    });
    days.ok_or_else(|| field.unfit(phrase::DATE, "no date", None))
}

fn timestamp(field: &mut read::Field<'_>) -> Read<i64> {
    let text = moment(field, phrase::TIMESTAMP)?;
    let parsed = text.parse::<jiff::Timestamp>().ok();
    let seconds = parsed.map(jiff::Timestamp::as_second);
    let seconds = seconds.filter(|seconds| *seconds >= FIRST);
    seconds.ok_or_else(|| {
        field.unfit(phrase::TIMESTAMP, "no time with its offset", Some("`Z` stands for UTC"))
    })
}

/// The first second of the year 0: there are four digits for a year.
const FIRST: i64 = -62_167_219_200;

fn choices(field: &mut read::Field<'_>) -> Read<Vec<(Scalar, u64)>> {
    let takes = phrase::CHOICES;
    let entries = match &mut field.node.value {
        Value::Table(entries) => std::mem::take(entries),
        Value::List(_) => {
            let found = values::scalars(field)?;
            return Ok(found.into_iter().map(|value| (value, 1)).collect());
        }
        _ => return Err(field.wrong(takes, None)),
    };
    let origin = field.node.origin;
    let mut found = Vec::with_capacity(entries.len());
    let mut reported = None;
    for Entry { key, node, .. } in entries {
        field.node = node;
        let weight = match field.node.value {
            Value::Integer(weight) => u32::try_from(weight).ok(),
            _ => None,
        };
        match weight {
            Some(weight) => found.push((Scalar::Text(key), u64::from(weight))),
            None => reported = Some(field.unfit(takes, "no weight", Some("a number from 0 on"))),
        }
    }
    if let Some(reported) = reported {
        return Err(reported);
    }
    field.node.origin = origin;
    match found.iter().map(|(_, weight)| weight).sum::<u64>() {
        0 => Err(field.unfit(takes, "there is no weight in it", None)),
        _ => Ok(found),
    }
}
