//! Compiles what a source makes: defaults, and what does not fit together.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::generate::{self as written, Decimal, Made, With};
use crate::config::origin::{Located, Origin};
use crate::config::schema::Setting;
use crate::plan::generate::{Choice, Field, Generate, Kind, Value};
use crate::words::fields::{Locale, Plain, Share};
use crate::words::policy::Scalar;

/// The bounds of an integer that are left out.
const INTEGERS: (i64, i64) = (0, 1_000_000);

/// The days that a date is from where nobody said which: 2000 to 2025, whatever year it is.
const DATES: (i32, i32) = (10_957, 20_453);

/// The same in seconds.
const TIMESTAMPS: (i64, i64) = (946_684_800, 1_767_225_599);

/// How many digits there are behind the point of a decimal where nobody said how many.
const DIGITS: u32 = 2;

/// The lengths of an array that are left out.
const LENGTHS: (u32, u32) = (0, 3);

/// The most values that a record may have: it is made in memory.
const MOST: u64 = 100_000;

/// Says what is made.
pub(super) fn compile(
    written: &written::Generate,
    out: &mut Diagnostics,
) -> Result<Generate, Reported> {
    let fields = match &written.fields {
        Setting::Given(given) => {
            let fields = fields(&given.value, out)?;
            let values = fields.iter().map(|field| most(&field.value)).fold(0, u64::saturating_add);
            if values > MOST {
                let mistake = Diagnostic::new("a record may hold too many values");
                let hint = format!("{MOST} are the most; arrays in arrays multiply");
                return Err(out.push(mistake.at(given.origin, "").hint(hint)));
            }
            fields
        }
        Setting::Unreadable(reported) => return Err(*reported),
        Setting::LeftOut => user(),
    };
    Ok(Generate {
        count: written.count.value().copied(),
        seed: written.seed.or(0),
        locale: written.locale.or(Locale::En),
        dirt: written.dirt.or(Share::NONE),
        fields,
    })
}

/// Counts the values that one may hold, itself included.
fn most(value: &Value) -> u64 {
    let inner = match &value.kind {
        Kind::Object(fields) => {
            fields.iter().map(|field| most(&field.value)).fold(0, u64::saturating_add)
        }
        Kind::Array { of, max, .. } => most(of).saturating_mul(u64::from(*max)),
        _ => 0,
    };
    inner.saturating_add(1)
}

fn fields(written: &[written::Field], out: &mut Diagnostics) -> Result<Vec<Field>, Reported> {
    let mut wrong = None;
    let mut fields = Vec::with_capacity(written.len());
    for field in written {
        match field.value.as_ref().map_err(|reported| *reported).and_then(|made| value(made, out)) {
            Ok(value) => fields.push(Field { name: field.name.clone(), value }),
            Err(reported) => wrong = Some(reported),
        }
    }
    wrong.map_or(Ok(fields), Err)
}

fn value(written: &Made, out: &mut Diagnostics) -> Result<Value, Reported> {
    let kind = kind(&written.kind, &written.with, out);
    if let Setting::Unreadable(reported) = written.nulls {
        return Err(reported);
    }
    Ok(Value { kind: kind?, nulls: written.nulls.or(Share::NONE) })
}

fn kind(
    written: &Located<written::Kind>,
    with: &With,
    out: &mut Diagnostics,
) -> Result<Kind, Reported> {
    use written::Kind as Word;
    let at = written.origin;
    Ok(match written.value {
        Word::Plain(plain) => Kind::Plain(plain),
        Word::Boolean => Kind::Boolean(or(&with.share, Share::HALF)?),
        Word::Integer => {
            let (min, max) = bounds(&with.integers, INTEGERS, ["min", "max"], out)?;
            Kind::Integer { min, max }
        }
        Word::Decimal => decimal(with, out)?,
        Word::Date => {
            let (from, to) = bounds(&with.dates, DATES, ["from", "to"], out)?;
            Kind::Date { from, to }
        }
        Word::Timestamp => {
            let (from, to) = bounds(&with.timestamps, TIMESTAMPS, ["from", "to"], out)?;
            Kind::Timestamp { from, to }
        }
        Word::Enum => {
            let values = needed(&with.values, at, "values = [\"free\", \"pro\"]", out)?;
            Kind::Enum(values.iter().map(choice).collect())
        }
        Word::Object => {
            let inner = needed(&with.fields, at, "fields = { city = \"city\" }", out)?;
            Kind::Object(fields(inner, out)?)
        }
        Word::Array => {
            let of = needed(&with.of, at, "of = \"word\"", out);
            let lengths = bounds(&with.lengths, LENGTHS, ["min", "max"], out);
            let of = value(of?, out)?;
            let (min, max) = lengths?;
            Kind::Array { of: Box::new(of), min, max, unique: or(&with.unique, true)? }
        }
    })
}

fn or<T: Clone>(setting: &Setting<T>, default: T) -> Result<T, Reported> {
    match setting {
        Setting::Unreadable(reported) => Err(*reported),
        setting => Ok(setting.or(default)),
    }
}

/// Returns two bounds, the lower first.
fn bounds<T: Copy + PartialOrd>(
    written: &[Setting<T>; 2],
    (low, high): (T, T),
    keys: [&str; 2],
    out: &mut Diagnostics,
) -> Result<(T, T), Reported> {
    let [first, last] = written;
    let (from, to) = (or(first, low)?, or(last, high)?);
    if from <= to {
        return Ok((from, to));
    }
    Err(crossed(first.given().map(|g| g.origin), last.given().map(|g| g.origin), keys, out))
}

/// Reports that no value is within two bounds.
fn crossed(
    first: Option<Origin>,
    last: Option<Origin>,
    [low, high]: [&str; 2],
    out: &mut Diagnostics,
) -> Reported {
    let what = if low == "from" { "is later than" } else { "is greater than" };
    let mut mistake = Diagnostic::new(format!("`{low}` {what} `{high}`"));
    for origin in [first, last].into_iter().flatten() {
        mistake = mistake.at(origin, "");
    }
    out.push(match (first, last) {
        (Some(_), None) => mistake.hint(format!("write `{high}`, too: left out, it is less")),
        (None, _) => mistake.hint(format!("write `{low}`, too: left out, it is more")),
        _ => mistake,
    })
}

fn decimal(with: &With, out: &mut Diagnostics) -> Result<Kind, Reported> {
    let digits = or(&with.digits, DIGITS)?;
    let [first, last] = &with.decimals;
    let low = scaled(first, Decimal { digits: 0, scale: 0 }, digits, out);
    let high = scaled(last, Decimal { digits: 1, scale: 0 }, digits, out);
    let (min, max) = (low?, high?);
    if min > max {
        let places = [first, last].map(|bound| bound.given().map(|given| given.origin));
        return Err(crossed(places[0], places[1], ["min", "max"], out));
    }
    Ok(Kind::Decimal { min, max, digits })
}

/// Returns a bound as a whole number of the smallest steps.
fn scaled(
    bound: &Setting<Decimal>,
    default: Decimal,
    digits: u32,
    out: &mut Diagnostics,
) -> Result<i64, Reported> {
    let Decimal { digits: value, scale } = or(bound, default)?;
    let steps = digits.checked_sub(scale);
    let steps = steps.and_then(|more| value.checked_mul(10i64.pow(more)));
    steps.ok_or_else(|| {
        let mistake = Diagnostic::new("a bound takes no more digits than the number");
        let hint = "`digits` says how many stand behind the point; all together are 18 at most";
        out.push(mistake.at(bound.origin(), "").hint(hint))
    })
}

/// Returns what must be there.
fn needed<'a, T>(
    setting: &'a Setting<T>,
    kind: Origin,
    example: &str,
    out: &mut Diagnostics,
) -> Result<&'a T, Reported> {
    match setting {
        Setting::Given(given) => Ok(&given.value),
        Setting::Unreadable(reported) => Err(*reported),
        Setting::LeftOut => {
            let key = example.split(' ').next().unwrap_or_default();
            let mistake = Diagnostic::new(format!("this kind takes `{key}`, too"));
            let hint = format!("as in `{{ kind = …, {example} }}`");
            Err(out.push(mistake.at(kind, "").hint(hint)))
        }
    }
}

fn choice((value, weight): &(Scalar, u64)) -> Choice {
    let json = match value {
        Scalar::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Scalar::Number(text) => text.clone(),
        Scalar::Truth(truth) => truth.to_string(),
    };
    Choice { json, weight: *weight }
}

/// What is made where nobody said what: a user as the validators want one.
fn user() -> Vec<Field> {
    let field = |name: &str, kind| Field {
        name: name.to_owned(),
        value: Value { kind, nulls: Share::NONE },
    };
    let plain = |name: &str, plain| field(name, Kind::Plain(plain));
    let address = vec![
        plain("street", Plain::Street),
        plain("city", Plain::City),
        plain("zip", Plain::Zip),
        plain("country", Plain::CountryCode),
    ];
    let word = Value { kind: Kind::Plain(Plain::Word), nulls: Share::NONE };
    let (min, max) = LENGTHS;
    let (from, to) = TIMESTAMPS;
    vec![
        plain("id", Plain::Sequence),
        plain("name", Plain::Name),
        plain("company", Plain::Company),
        plain("email", Plain::Email),
        plain("password", Plain::Password),
        field("age", Kind::Integer { min: 18, max: 99 }),
        field("address", Kind::Object(address)),
        field("tags", Kind::Array { of: Box::new(word), min, max, unique: true }),
        field("created_at", Kind::Timestamp { from, to }),
    ]
}
