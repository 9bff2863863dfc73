//! 64 bytes at a time: the grammar of many lines, a bit for each byte. Pure: who has vectors makes
//! the masks of a block, here they are held against each other and against the block before.
//!
//! A bit in the errors says that its line is suspect. It stands on that line, or on its line feed,
//! and only the lowest one counts: behind it, nothing in the block means anything.

use crate::json::filter::scalars::{is_escape, is_scalar};

/// Which bytes of a block are what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Masks {
    /// `\`
    pub(super) backslash: u64,
    /// `"`
    pub(super) quote: u64,
    /// Below the space.
    pub(super) control: u64,
}

/// What else is asked of a block that is not all inside of a string.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outside {
    /// Space, tab, carriage return.
    pub(super) white: u64,
    /// Line feed.
    pub(super) feed: u64,
    /// `{` and `[`
    pub(super) open: u64,
    /// `}` and `]`
    pub(super) close: u64,
    /// `,`
    pub(super) comma: u64,
    /// `:`
    pub(super) colon: u64,
    /// `0` to `9`
    pub(super) digit: u64,
    /// `0`
    pub(super) zero: u64,
    /// Of brackets, the curly ones.
    pub(super) curly: u64,
}

/// How deep the filter looks; what is deeper is for the judge.
const DEPTH: u32 = 64;

/// What is known at the end of a block.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Whether the next byte is escaped.
    escaped: u64,
    /// All ones inside of a string.
    inside: u64,
    /// Whether that string is in the place of a name.
    naming: u64,
    /// Whether the last byte belongs to a scalar.
    scalar: u64,
    /// Where that scalar begins, as long as only digits of it were seen.
    digits: Option<usize>,
    /// Whether a value has ended, and only white space came since.
    ended: u64,
    /// The same of an opening bracket or a comma.
    begun: u64,
    /// The same of a string in the place of a name.
    named: u64,
    /// The kinds of the open levels, the innermost in the lowest bit: 1 is an object.
    objects: u64,
    depth: u32,
}

/// Quotes of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quotes {
    /// Those that no backslash stands before.
    pub(super) real: u64,
    /// Backslashes that make no escape.
    wrong: u64,
}

/// Strings of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strings {
    opening: u64,
    closing: u64,
    /// From each opening quote to before the closing one.
    inside: u64,
    errors: u64,
}

/// What the brackets of a block say about its other bytes.
struct Levels {
    /// Bytes that lie in an object, an opening bracket in what it stands in.
    objects: u64,
    /// Bytes that lie in anything.
    all: u64,
    errors: u64,
}

impl State {
    /// Before the first block.
    pub(super) fn new() -> Self {
        Self {
            escaped: 0,
            inside: 0,
            naming: 0,
            scalar: 0,
            digits: None,
            ended: 0,
            begun: 0,
            named: 0,
            objects: 0,
            depth: 0,
        }
    }

    /// Tells whether a block lies inside of a string as a whole, with nothing to look at.
    #[inline]
    pub(super) fn passes(&self, masks: Masks) -> bool {
        (masks.backslash | masks.quote | masks.control | self.escaped) == 0 && self.inside != 0
    }

    /// Finds the quotes of the block at `base`.
    #[inline]
    pub(super) fn quotes(&mut self, lines: &[u8], base: usize, masks: Masks) -> Quotes {
        let (escaped, wrong) = if (masks.backslash | self.escaped) == 0 {
            (0, 0)
        } else {
            self.escapes(lines, base, masks.backslash)
        };
        Quotes { real: masks.quote & !escaped, wrong }
    }

    /// Finds the strings between the quotes, each bit of whose parity is that of the quotes up to
    /// it.
    #[inline]
    pub(super) fn strings(&mut self, quotes: Quotes, parity: u64, control: u64) -> Strings {
        let Quotes { real, wrong } = quotes;
        let inside = parity ^ self.inside;
        self.inside = 0u64.wrapping_sub(inside >> 63);
        Strings {
            opening: real & inside,
            closing: real & !inside,
            inside,
            // A line feed inside of a string is among the control characters.
            errors: wrong | control & inside,
        }
    }

    /// Marks the bytes that a backslash stands before, and backslashes that make no escape. One
    /// outside of a string is wrong in any case.
    fn escapes(&mut self, lines: &[u8], base: usize, backslash: u64) -> (u64, u64) {
        let (mut escaped, mut wrong) = (self.escaped, 0);
        let mut left = backslash & !self.escaped;
        self.escaped = 0;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            let at = base + left.trailing_zeros() as usize;
            if !is_escape(lines, at + 1) {
                wrong |= bit;
            }
            escaped |= bit << 1;
            self.escaped = bit >> 63;
            left &= !(bit | bit << 1);
        }
        (escaped, wrong)
    }

    /// Holds the block at `base` against the grammar; returns its errors.
    #[inline]
    pub(super) fn grammar(
        &mut self,
        lines: &[u8],
        base: usize,
        strings: Strings,
        found: Outside,
    ) -> u64 {
        let outside = !(strings.inside | strings.closing);
        let white = found.white & outside;
        let feed = found.feed & outside;
        let (open, close) = (found.open & outside, found.close & outside);
        let (comma, colon) = (found.comma & outside, found.colon & outside);
        let scalar = outside & !(white | feed | open | close | comma | colon);
        let start = scalar & !(scalar << 1 | self.scalar);
        let behind = (scalar << 1 | self.scalar) & !scalar;

        // What stands behind a value, behind a bracket or comma, and behind a name.
        let ended = follow(strings.closing | close, behind, white, &mut self.ended);
        let begun = follow(open | comma, 0, white, &mut self.begun);
        let names = self.names(strings, begun);
        let named = follow(names, 0, white, &mut self.named);

        let mut errors = strings.errors;
        errors |= ended & (strings.opening | open | start);
        errors |= (comma | colon | feed) & !ended;
        errors |= close & !(ended | begun);
        errors |= colon & !named;
        errors |= self.scalars(lines, base, (scalar, start), found);
        let levels = self.levels((lines, base), (open, close), found.curly, begun);
        // What is an element of an array: no name, or a string without a colon behind it.
        let element = named & !colon | begun & (start | open);
        errors |= element & levels.objects | colon & !levels.objects;
        errors |= comma & !levels.all | feed & levels.all;
        errors | levels.errors
    }

    /// Marks the closing quotes of strings that begin where a name may stand.
    #[inline]
    fn names(&mut self, strings: Strings, begun: u64) -> u64 {
        // A bit added to the first one of a string is carried to its closing quote.
        let (sum, over) = strings.inside.overflowing_add(strings.opening & begun);
        let (sum, again) = sum.overflowing_add(self.naming);
        self.naming = u64::from(over | again);
        sum & strings.closing
    }

    /// Checks the scalars. Runs of nothing but digits are numbers unless they begin with a zero.
    #[inline]
    fn scalars(
        &mut self,
        lines: &[u8],
        base: usize,
        (scalar, start): (u64, u64),
        found: Outside,
    ) -> u64 {
        let before = std::mem::replace(&mut self.scalar, scalar >> 63);
        // None, if nothing crossed the border.
        let digits = if before == 0 { None } else { self.digits.take() };
        if scalar & !found.digit != 0 {
            // Digits at the end of the block before were the beginning of something else.
            let torn = digits.filter(|_| before & scalar != 0);
            let wrong = torn.is_some_and(|at| !is_scalar(lines, at));
            return u64::from(wrong) | walk(lines, base, start);
        }
        if scalar >> 63 != 0 {
            let first = 64 - scalar.leading_ones();
            self.digits = match (first, before) {
                (0, 1) => digits,
                _ => Some(base + first as usize),
            };
        }
        walk(lines, base, start & found.zero)
    }

    /// Follows the brackets.
    #[inline]
    fn levels(
        &mut self,
        (lines, base): (&[u8], usize),
        (open, close): (u64, u64),
        curly: u64,
        begun: u64,
    ) -> Levels {
        if let Some(levels) = self.flat((open, close), curly, begun) {
            return levels;
        }
        let mut levels = Levels { objects: all(self.objects & 1), all: all(self.any()), errors: 0 };
        let mut left = open | close;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            let object = u64::from(curly & bit != 0);
            let before = (self.objects & 1, self.any());
            if open & bit != 0 {
                levels.errors |= if self.depth < DEPTH { 0 } else { bit };
                self.objects = self.objects << 1 | object;
                self.depth += 1;
            } else {
                let trailing = begun & bit != 0 && {
                    let at = base + left.trailing_zeros() as usize;
                    !is_empty(lines, at)
                };
                let fits = self.depth > 0 && self.objects & 1 == object && !trailing;
                levels.errors |= if fits { 0 } else { bit };
                self.objects >>= 1;
                self.depth = self.depth.wrapping_sub(1);
            }
            if levels.errors != 0 {
                return levels;
            }
            // What changes here changes for all that stands behind.
            let above = !(bit | (bit - 1));
            levels.objects ^= above & all(before.0 ^ self.objects & 1);
            levels.all ^= above & all(before.1 ^ self.any());
            left ^= bit;
        }
        levels
    }

    /// Follows the brackets of flat objects, one behind the other, all at once; none where there
    /// is anything else.
    #[inline]
    fn flat(&mut self, (open, close): (u64, u64), curly: u64, begun: u64) -> Option<Levels> {
        if self.depth > 1 || self.any() != self.objects & 1 {
            return None;
        }
        // From each opening bracket to before the next closing one, if they take turns.
        let mut within = open | close;
        for shift in [1, 2, 4, 8, 16, 32] {
            within ^= within << shift;
        }
        within ^= all(self.any());
        let brackets = open | close;
        if brackets & within != open || brackets & !curly != 0 || close & begun != 0 {
            return None;
        }
        let objects = within << 1 | self.any();
        self.objects = within >> 63;
        self.depth = u32::from(self.objects == 1);
        Some(Levels { objects, all: objects, errors: 0 })
    }

    /// Whether any level is open, as a bit.
    #[inline]
    fn any(&self) -> u64 {
        u64::from(self.depth > 0)
    }
}

/// Makes a block of what is left behind the last whole one, with the line feed that may lack.
pub(super) fn last_block(lines: &[u8], tail: &[u8]) -> Option<[u8; 64]> {
    let ended = lines.last().is_none_or(|byte| *byte == b'\n');
    if tail.is_empty() && ended {
        return None;
    }
    let mut block = [b' '; 64];
    let feed = if ended { None } else { Some(b'\n') };
    for (to, from) in block.iter_mut().zip(tail.iter().copied().chain(feed)) {
        *to = from;
    }
    Some(block)
}

/// Returns a bit in all places.
#[inline]
fn all(bit: u64) -> u64 {
    0u64.wrapping_sub(bit)
}

/// Finds what stands first behind each of `tokens`, or at `also`, white space left out; what is
/// not found in this block is looked for in the next.
#[inline]
fn follow(tokens: u64, also: u64, white: u64, carry: &mut u64) -> u64 {
    // A bit added to white space is carried to its end.
    let (sum, over) = (tokens << 1 | also | *carry).overflowing_add(white);
    *carry = tokens >> 63 | u64::from(over);
    sum & !white
}

/// Looks at the scalars that begin at `starts`.
#[inline]
fn walk(lines: &[u8], base: usize, mut starts: u64) -> u64 {
    while starts != 0 {
        if !is_scalar(lines, base + starts.trailing_zeros() as usize) {
            return starts & starts.wrapping_neg();
        }
        starts &= starts - 1;
    }
    0
}

/// Tells whether the bracket that closes at `at` stands behind the one that opens, not behind a
/// comma.
fn is_empty(lines: &[u8], at: usize) -> bool {
    let before = lines.get(..at).unwrap_or_default();
    let token = before.iter().rfind(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    matches!(token, Some(b'{' | b'['))
}
