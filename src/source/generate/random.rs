//! Numbers without a pattern that are the same on every machine.
//!
//! `SplitMix64` (Steele, Lea and Flood, 2014), with a state of its own for each record: no record
//! needs those before it. A number is four multiplications or so, and none is to be kept secret.

use crate::words::fields::Share;

/// How far apart the states are; odd, so that all come up.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The numbers that one record is made from.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// Returns those of record `n`.
    pub(super) fn of(seed: u64, n: u64) -> Self {
        // Mixed twice, so that neither neighbouring seeds nor neighbouring records are shifted
        // copies of each other.
        Self(mix(mix(seed.wrapping_add(STEP)).wrapping_add(n.wrapping_mul(STEP)) ^ STEP))
    }

    /// Returns a number of 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// Returns a number below `bound`; 0 where there is none. The bias is one in 2^64 / bound.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        high(self.next(), bound)
    }

    /// Returns an index below `len`.
    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or_default()
    }

    /// Returns a number from `low` to `high`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.wrapping_sub(low).cast_unsigned();
        let above = match span.checked_add(1) {
            Some(count) => self.below(count),
            None => self.next(),
        };
        low.wrapping_add(above.cast_signed())
    }

    /// Tells whether it is one of a share.
    pub(super) fn hits(&mut self, share: Share) -> bool {
        self.below(share.of) < share.parts
    }

    /// Returns many small numbers of one: each is below `bound`, and uses it up a bit more.
    pub(super) fn digit(number: &mut u64, bound: u64) -> u64 {
        let wide = u128::from(*number) * u128::from(bound);
        *number = low_half(wide);
        high_half(wide)
    }
}

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn high(number: u64, bound: u64) -> u64 {
    high_half(u128::from(number) * u128::from(bound))
}

fn high_half(wide: u128) -> u64 {
    (wide >> 64) as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
fn low_half(wide: u128) -> u64 {
    wide as u64
}

#[cfg(test)]
mod tests {
    use super::Random;
    use crate::words::fields::Share;

    #[test]
    fn it_is_the_published_generator() {
        // The first numbers of SplitMix64 from the state 1234567.
        let mut random = Random(1_234_567);
        let wanted = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!(wanted, [random.next(), random.next()]);
    }

    #[test]
    fn bounds_are_kept_and_reached() {
        let mut random = Random::of(7, 0);
        let mut seen = [false; 3];
        for _ in 0..100 {
            let found = random.between(-1, 1);
            assert!((-1..=1).contains(&found));
            seen[usize::try_from(found + 1).unwrap()] = true;
        }
        assert_eq!(seen, [true; 3]);
        assert_eq!(random.between(5, 5), 5);
        assert_eq!(random.below(0), 0);
        random.between(i64::MIN, i64::MAX);
    }

    #[test]
    fn shares_are_met_about() {
        let mut random = Random::of(7, 1);
        let mut hits = |parts| {
            let share = Share { parts, of: 1000 };
            (0..100_000).filter(|_| random.hits(share)).count()
        };
        assert_eq!(hits(0), 0);
        assert_eq!(hits(1000), 100_000);
        assert!((2_700..3_300).contains(&hits(30)));
    }
}
