//! Makes records, each from its number alone, and some of them dirty.
//!
//! A user of nine fields costs about 0.4 µs, a field 10 to 40 ns. By a profile, 40 % of that is
//! copying some sixty short texts, each by itself; the rest is drawing numbers, looking texts up and
//! writing digits, of which none stands out. Nothing is allocated but for arrays, and no value is
//! made that is not its text. Proving the line to be JSON costs a third of it on top.

use crate::plan::generate::Generate;
use crate::source::generate::lists::{Lists, lists};
use crate::source::generate::random::Random;
use crate::source::generate::value::{Draw, Field, Made, fields};
use crate::words::fields::{Plain, Share};

/// Makes records.
#[derive(Debug)]
pub(super) struct Maker {
    seed: u64,
    dirt: Share,
    lists: Lists,
    fields: Vec<Field>,
    /// Which of the fields are e-mail addresses.
    mails: Vec<usize>,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing.
    None,
    /// A field is missing.
    Missing(usize),
    /// A field has a value of another type.
    Type(usize),
    /// An e-mail address is none.
    Mail(usize),
    /// The line ends too early.
    Cut,
}

impl Maker {
    /// Prepares what is made.
    pub(super) fn new(plan: &Generate) -> Self {
        let fields = fields(&plan.fields);
        let is_mail = |field: &Field| matches!(field.value.made, Made::Plain(Plain::Email));
        let mails = fields.iter().enumerate().filter(|(_, field)| is_mail(field));
        let mails = mails.map(|(index, _)| index).collect();
        Self { seed: plan.seed, dirt: plan.dirt, lists: lists(plan.locale), fields, mails }
    }

    /// Writes record `n`, from 0, and its line feed.
    pub(super) fn make(&self, n: u64, out: &mut Vec<u8>) {
        let mut random = Random::of(self.seed, n);
        // Drawn in any case: dirt changes no other record.
        let dirty = random.hits(self.dirt);
        let (how, which) = (random.next(), random.next());
        let fault = if dirty { self.fault(how, which) } else { Fault::None };
        let mut draw = Draw { lists: &self.lists, random, number: n + 1 };
        let start = out.len();
        out.push(b'{');
        for (index, field) in self.fields.iter().enumerate() {
            let before = out.len();
            if before > start + 1 {
                out.push(b',');
            }
            out.extend_from_slice(&field.key);
            let value = out.len();
            draw.write(&field.value, out);
            if fault == Fault::Missing(index) {
                out.truncate(before);
            } else if fault == Fault::Type(index) {
                out.truncate(value);
                out.extend_from_slice(other_type(&field.value.made));
            } else if fault == Fault::Mail(index) {
                out.truncate(value);
                spoilt_mail(&self.lists, &mut Random::of(self.seed ^ which, n), out);
            }
        }
        out.push(b'}');
        if fault == Fault::Cut {
            cut(start, which, out);
        }
        out.push(b'\n');
    }

    fn fault(&self, how: u64, which: u64) -> Fault {
        // The upper bits choose, the lower ones are for whoever goes on.
        let one = |count: usize| {
            let index = Random::digit(&mut which.rotate_left(17), count as u64);
            usize::try_from(index).unwrap_or_default()
        };
        let field = one(self.fields.len());
        match (how % 4, self.mails.get(one(self.mails.len()))) {
            (0, _) => Fault::Missing(field),
            (1, Some(mail)) => Fault::Mail(*mail),
            (2, _) => Fault::Cut,
            _ => Fault::Type(field),
        }
    }
}

/// A value that is not of the type that a field has.
fn other_type(made: &Made) -> &'static [u8] {
    match made {
        Made::Plain(Plain::Sequence) | Made::Integer(..) | Made::Decimal { .. } => b"\"unknown\"",
        Made::Boolean(_) => b"\"yes\"",
        Made::Object(_) | Made::Array { .. } => b"\"none\"",
        Made::Enum(_) => b"{}",
        Made::Plain(_) | Made::Date(..) | Made::Timestamp(..) => b"42",
    }
}

/// Writes an e-mail address without its `@`.
fn spoilt_mail(lists: &Lists, random: &mut Random, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(lists.first_slugs.one(random));
    out.extend_from_slice(b" at example.com\"");
}

/// Ends an object before it is whole, between two characters: what is left is no JSON, and UTF-8.
fn cut(start: usize, which: u64, out: &mut Vec<u8>) {
    let len = out.len() - start;
    let at = usize::try_from(which % (len as u64 - 1)).unwrap_or_default();
    let is_inside = |byte: Option<&u8>| byte.is_some_and(|byte| byte & 0xc0 == 0x80);
    let mut end = start + 1 + at;
    while is_inside(out.get(end)) {
        end -= 1;
    }
    out.truncate(end);
}
