//! Writes values as JSON text, straight into the bytes of the record.

use std::io::Write as _;

use crate::plan::generate::{Choice, Field as FieldPlan, Kind, Value as ValuePlan};
use crate::source::generate::calendar;
use crate::source::generate::lists::{List, Lists, numbers, one_of};
use crate::source::generate::random::Random;
use crate::words::fields::{Plain, Share};

/// A value, prepared as far as that goes.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) made: Made,
    nulls: Share,
}

/// What is made.
#[derive(Debug)]
pub(super) enum Made {
    Plain(Plain),
    Boolean(Share),
    Integer(i64, i64),
    Decimal {
        min: i64,
        max: i64,
        digits: u32,
    },
    Date(i64, i64),
    Timestamp(i64, i64),
    /// Texts, each with the sum of the weights up to it.
    Enum(Vec<(Box<[u8]>, u64)>),
    Object(Vec<Field>),
    Array {
        of: Box<Value>,
        min: i64,
        max: i64,
        unique: bool,
    },
}

/// A field.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name as JSON text, with the colon.
    pub(super) key: Box<[u8]>,
    pub(super) value: Value,
}

/// How often a value of an array is drawn again that was there already.
const AGAIN: usize = 8;

/// What one record is made from.
pub(super) struct Draw<'a> {
    pub(super) lists: &'a Lists,
    pub(super) random: Random,
    /// The number of the record, from 1.
    pub(super) number: u64,
}

/// Prepares fields.
pub(super) fn fields(plans: &[FieldPlan]) -> Vec<Field> {
    let key = |name: &str| format!("{}:", serde_json::Value::from(name)).into_bytes();
    let field = |plan: &FieldPlan| Field { key: key(&plan.name).into(), value: value(&plan.value) };
    plans.iter().map(field).collect()
}

fn value(plan: &ValuePlan) -> Value {
    let made = match &plan.kind {
        Kind::Plain(plain) => Made::Plain(*plain),
        Kind::Boolean(share) => Made::Boolean(*share),
        Kind::Integer { min, max } => Made::Integer(*min, *max),
        Kind::Decimal { min, max, digits } => {
            Made::Decimal { min: *min, max: *max, digits: *digits }
        }
        Kind::Date { from, to } => Made::Date(i64::from(*from), i64::from(*to)),
        Kind::Timestamp { from, to } => Made::Timestamp(*from, *to),
        Kind::Enum(choices) => Made::Enum(sums(choices)),
        Kind::Object(plans) => Made::Object(fields(plans)),
        Kind::Array { of, min, max, unique } => Made::Array {
            of: Box::new(value(of)),
            min: i64::from(*min),
            max: i64::from(*max),
            unique: *unique,
        },
    };
    Value { made, nulls: plan.nulls }
}

fn sums(choices: &[Choice]) -> Vec<(Box<[u8]>, u64)> {
    let mut sum = 0;
    let mut add = |choice: &Choice| {
        sum += choice.weight;
        (choice.json.clone().into_bytes().into(), sum)
    };
    choices.iter().map(&mut add).collect()
}

impl Draw<'_> {
    /// Writes a value.
    pub(super) fn write(&mut self, value: &Value, out: &mut Vec<u8>) {
        if value.nulls.parts > 0 && self.random.hits(value.nulls) {
            return out.extend_from_slice(b"null");
        }
        match &value.made {
            Made::Plain(plain) => self.plain(*plain, out),
            Made::Boolean(share) => {
                let truth: &[u8] = if self.random.hits(*share) { b"true" } else { b"false" };
                out.extend_from_slice(truth);
            }
            Made::Integer(min, max) => integer(self.random.between(*min, *max), out),
            Made::Decimal { min, max, digits } => {
                decimal(self.random.between(*min, *max), *digits, out);
            }
            Made::Date(from, to) => {
                let day = self.random.between(*from, *to);
                quoted(out, |out| calendar::date(day, out));
            }
            Made::Timestamp(from, to) => {
                let second = self.random.between(*from, *to);
                quoted(out, |out| calendar::timestamp(second, out));
            }
            Made::Enum(choices) => {
                let all = choices.last().map_or(0, |(_, sum)| *sum);
                let drawn = self.random.below(all);
                let index = choices.partition_point(|(_, sum)| *sum <= drawn);
                out.extend_from_slice(choices.get(index).map_or(b"null", |(text, _)| text));
            }
            Made::Object(fields) => {
                out.push(b'{');
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(&field.key);
                    self.write(&field.value, out);
                }
                out.push(b'}');
            }
            Made::Array { of, min, max, unique } => {
                let len = self.random.between(*min, *max);
                self.array(of, usize::try_from(len).unwrap_or_default(), *unique, out);
            }
        }
    }

    fn array(&mut self, of: &Value, len: usize, unique: bool, out: &mut Vec<u8>) {
        out.push(b'[');
        let mut held: Vec<std::ops::Range<usize>> = Vec::new();
        let mut draws = if unique { len * AGAIN } else { len };
        while held.len() < len && draws > 0 {
            draws -= 1;
            let before = out.len();
            if !held.is_empty() {
                out.push(b',');
            }
            let start = out.len();
            self.write(of, out);
            let text = out.get(start..);
            if unique && held.iter().any(|held| out.get(held.clone()) == text) {
                out.truncate(before);
            } else {
                held.push(start..out.len());
            }
        }
        out.push(b']');
    }

    fn plain(&mut self, plain: Plain, out: &mut Vec<u8>) {
        if plain == Plain::Sequence {
            return integer(self.number.cast_signed(), out);
        }
        out.push(b'"');
        let (lists, random) = (self.lists, &mut self.random);
        let one = |list: &List, random: &mut Random, out: &mut Vec<u8>| {
            out.extend_from_slice(list.one(random));
        };
        match plain {
            Plain::Sequence => {}
            Plain::Uuid => uuid(random, out),
            Plain::Name => one_of(&lists.names, random, out),
            Plain::FirstName => one(&lists.first_names, random, out),
            Plain::LastName => one(&lists.last_names, random, out),
            Plain::Username | Plain::Email => self.address(plain == Plain::Email, out),
            Plain::Password => password(random, out),
            Plain::Company => one_of(&lists.companies, random, out),
            Plain::Job => one_of(&lists.jobs, random, out),
            Plain::Phone => numbers(lists.phones.one(random), random, out),
            Plain::Street => one_of(&lists.streets, random, out),
            Plain::City => one_of(&lists.cities, random, out),
            Plain::State => one(&lists.states, random, out),
            Plain::Zip => numbers(lists.zips.one(random), random, out),
            Plain::Country => one(&lists.countries, random, out),
            Plain::CountryCode => one(&lists.country_codes, random, out),
            Plain::Word => one(&lists.words, random, out),
            Plain::Sentence => {
                one(&lists.capitals, random, out);
                for _ in 0..random.between(3, 9) {
                    out.push(b' ');
                    one(&lists.words, random, out);
                }
                out.push(b'.');
            }
            Plain::Ipv4 => {
                let [a, b, c, d, ..] = random.next().to_be_bytes();
                // Writing to memory cannot fail.
                write!(out, "{a}.{b}.{c}.{d}").ok();
            }
        }
        out.push(b'"');
    }

    /// Writes a name in ASCII, for mail with a domain that is reserved (RFC 2606), so that no mail
    /// ever gets to anybody. The record's number makes it the only one of its kind.
    fn address(&mut self, mail: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lists.first_slugs.one(&mut self.random));
        out.push(if mail { b'.' } else { b'_' });
        out.extend_from_slice(self.lists.last_slugs.one(&mut self.random));
        integer(self.number.cast_signed(), out);
        if mail {
            let domains: [&[u8]; 3] = [b"@example.com", b"@example.net", b"@example.org"];
            out.extend_from_slice(domains[self.random.index(domains.len())]);
        }
    }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// Writes an integer, without the detour of `write!`: most fields have digits.
fn integer(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    digits(number.unsigned_abs(), 1, out);
}

/// Writes a number with at least so many digits.
fn digits(mut number: u64, least: usize, out: &mut Vec<u8>) {
    let mut room = [b'0'; 20];
    let mut start = room.len();
    while number > 0 || room.len() - start < least {
        start -= 1;
        room[start] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    out.extend_from_slice(&room[start..]);
}

fn decimal(number: i64, behind: u32, out: &mut Vec<u8>) {
    if behind == 0 {
        return integer(number, out);
    }
    if number < 0 {
        out.push(b'-');
    }
    let (whole, unit) = (number.unsigned_abs(), 10u64.pow(behind));
    digits(whole / unit, 1, out);
    out.push(b'.');
    digits(whole % unit, behind as usize, out);
}

/// Writes a UUID of random bits (RFC 9562, version 4).
fn uuid(random: &mut Random, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let (high, low) = (random.next(), random.next());
    let bits = (u128::from(high) << 64) | u128::from(low);
    let bits = bits & !(0xf << 76) & !(0xc << 60) | (0x4 << 76) | (0x8 << 60);
    for (index, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            out.push(b'-');
        }
        out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]]);
    }
}

/// Writes 12 to 16 letters and digits.
fn password(random: &mut Random, out: &mut Vec<u8>) {
    const CHARS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let len = 12 + random.index(5);
    // Of one number there are enough bits for eight.
    let (mut first, mut second) = (random.next(), random.next());
    for index in 0..len {
        let number = if index < 8 { &mut first } else { &mut second };
        let digit = usize::try_from(Random::digit(number, 62)).unwrap_or_default();
        out.push(CHARS[digit]);
    }
}
