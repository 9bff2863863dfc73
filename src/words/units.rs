//! Sizes, durations and reject limits as people write them.

use std::fmt;
use std::time::Duration;

/// Why a text is no size, duration or limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found `{found}`")]
pub struct UnitError {
    expected: &'static str,
    found: String,
}

fn wrong(expected: &'static str, found: &str) -> UnitError {
    UnitError { expected, found: found.to_owned() }
}

/// Reads a size such as `64KiB` or `16MiB`, in bytes.
pub fn size(text: &str) -> Result<u64, UnitError> {
    text.parse::<bytesize::ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|_| wrong("a size such as `64KiB` or `16MiB`", text))
}

/// Reads a duration such as `30s` or `1h 5m`; a bare `0` is none at all.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|span| Duration::try_from(span).ok())
        .ok_or_else(|| wrong("a duration such as `30s` or `1h 5m`", text))
}

/// Writes a duration as people do: `1m`, `1h 30m`, `250ms`.
pub fn written(duration: Duration) -> String {
    let span = jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX);
    format!("{span:#}")
}

/// How many workers of a stage may be replaced in a stretch of time before the stage fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// So many.
    pub count: u32,
    /// In so long.
    pub period: Duration,
}

impl Restarts {
    /// Reads `3/1m`: so many in so long.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let error = || wrong("a number and a duration such as `3/1m`", text);
        let (count, period) = text.split_once('/').ok_or_else(error)?;
        let count = count.trim();
        let digits = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        let count = digits.then(|| count.parse().ok()).flatten().ok_or_else(error)?;
        let period = duration(period.trim()).map_err(|_| error())?;
        if period.is_zero() { Err(error()) } else { Ok(Self { count, period }) }
    }
}

/// How many rejects are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    Count(u64),
    /// So much of what came in: `percent / 10^scale` per cent.
    Share {
        /// The digits of the percentage, without its decimal point.
        percent: u64,
        /// How many of them stand behind the point.
        scale: u32,
    },
}

impl Limit {
    /// Whatever comes.
    pub const ALL: Self = Self::Share { percent: 100, scale: 0 };

    /// Reads `3`, `1%` or `0.1%`.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        const EXPECTED: &str = "a count such as `3` or a share such as `0.1%`";
        let error = || wrong(EXPECTED, text);
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let Some(share) = text.strip_suffix('%') else {
            let count = digits(text).then(|| text.parse().ok()).flatten();
            return count.map(Self::Count).ok_or_else(error);
        };
        let (whole, fraction) = share.split_once('.').unwrap_or((share, ""));
        let dotted = share.contains('.');
        if !digits(whole) || (dotted && !digits(fraction)) || fraction.len() > 9 {
            return Err(error());
        }
        let percent: u64 = format!("{whole}{fraction}").parse().map_err(|_| error())?;
        let scale = u32::try_from(fraction.len()).map_err(|_| error())?;
        if percent > 100 * 10u64.pow(scale) {
            return Err(error());
        }
        Ok(Self::Share { percent, scale })
    }

    /// Tells whether `rejected` of `taken` is within the limit; 0 of 0 is. Where a belt branches, a
    /// line may be rejected more than once: all of them are all.
    pub fn allows(self, rejected: u64, taken: u64) -> bool {
        match self {
            Self::Count(count) => rejected <= count,
            Self::Share { percent, scale } => {
                let rejected = rejected.min(taken);
                let scaled = u128::from(rejected) * 100 * 10u128.pow(scale);
                scaled <= u128::from(percent) * u128::from(taken)
            }
        }
    }

    /// Names the limits that would let `rejected` of `taken` pass, tightest first.
    pub fn passing(rejected: u64, taken: u64) -> Vec<Self> {
        let percent = (rejected.saturating_mul(100)).div_ceil(taken.max(1)).min(100);
        let mut limits = vec![Self::Count(rejected), Self::Share { percent, scale: 0 }];
        if percent < 100 {
            limits.push(Self::Share { percent: 100, scale: 0 });
        }
        limits
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share { percent, scale: 0 } => write!(f, "{percent}%"),
            Self::Share { percent, scale } => {
                let unit = 10u64.pow(scale);
                let width = scale as usize;
                write!(f, "{}.{:0width$}%", percent / unit, percent % unit)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Limit, Restarts, duration, size};

    #[test]
    fn sizes_and_durations_read_as_people_write_them() {
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size("16MiB"), Ok(16 << 20));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1h 5m"), Ok(Duration::from_mins(65)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        let minute = Duration::from_mins(1);
        assert_eq!(Restarts::parse("3/1m"), Ok(Restarts { count: 3, period: minute }));
        assert_eq!(Restarts::parse("0 / 60s"), Ok(Restarts { count: 0, period: minute }));
        for bad in ["3", "3/", "/1m", "-1/1m", "3/0", "3/1", "a/1m", "4294967296/1m"] {
            assert!(Restarts::parse(bad).is_err(), "{bad:?}");
        }
        for text in ["1m", "1h 30m", "250ms"] {
            assert_eq!(super::written(duration(text).unwrap()), text);
        }
        for bad in ["", "5", "-3s", "abc"] {
            assert!(duration(bad).is_err(), "{bad:?} is no duration");
        }
        assert_eq!(
            size("many").unwrap_err().to_string(),
            "expected a size such as `64KiB` or `16MiB`, found `many`"
        );
    }

    #[test]
    fn limits_are_judged_in_integers() {
        let tenth = Limit::parse("0.1%").unwrap();
        assert!(tenth.allows(1, 1000) && !tenth.allows(1, 999) && tenth.allows(0, 0));
        let third = Limit::parse("33.333333333%").unwrap();
        assert!(!third.allows(1, 3));
        assert!(Limit::parse("3").unwrap().allows(3, 3) && !Limit::Count(3).allows(4, u64::MAX));
        assert!(Limit::parse("100%").unwrap().allows(u64::MAX, u64::MAX));
        assert!(Limit::ALL.allows(52, 40) && !Limit::parse("99%").unwrap().allows(52, 40));
        for bad in ["", "%", "-1", "1.5", "101%", "1.%", ".5%", "1e2%", "100.1%"] {
            assert!(Limit::parse(bad).is_err(), "{bad:?} is no limit");
        }
    }

    #[test]
    fn what_would_pass_passes() {
        for (rejected, taken) in [(1, 1), (3, 1000), (10, 1000), (11, 1000), (150, 5000), (7, 7)] {
            for limit in Limit::passing(rejected, taken) {
                assert!(limit.allows(rejected, taken), "{limit} of {rejected} in {taken}");
                assert_eq!(Limit::parse(&limit.to_string()), Ok(limit));
            }
        }
    }
}
