//! The filter in front of the judge: goes over whole lines fast and says "fine" or "suspect". What
//! is suspect may be fine, so that the judge has to look; what is fine is fine.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod block;
#[cfg(target_arch = "x86_64")]
mod scalars;

use serde::de::IgnoredAny;

use crate::json::MAX_DEPTH;

/// How lines are gone over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// 64 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    Blocks(avx2::Avx2),
    /// A line at a time.
    Lines,
}

impl Way {
    /// Returns the fastest that this processor knows.
    pub(super) fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = avx2::Avx2::detect() {
            return Self::Blocks(avx2);
        }
        Self::Lines
    }

    /// Finds a place in the first line that may be no JSON text, or in front of it. The bytes are
    /// UTF-8, lines that end with line feeds, which the last one may lack. Blank lines are suspect.
    pub(super) fn suspect(self, lines: &[u8]) -> Option<usize> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Blocks(avx2) => avx2.suspect(lines),
            Self::Lines => by_line(lines),
        }
    }
}

fn by_line(lines: &[u8]) -> Option<usize> {
    let mut start = 0;
    while start < lines.len() {
        let rest = lines.get(start..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        if serde_json::from_slice::<IgnoredAny>(line).is_err() || !is_shallow(line) {
            return Some(start);
        }
        start += length + 1;
    }
    None
}

/// Tells whether a line cannot be too deep: so many opening brackets it does not even have.
fn is_shallow(line: &[u8]) -> bool {
    line.len() <= 2 * MAX_DEPTH || openings(line) <= MAX_DEPTH
}

/// Counts `[` and `{`, strings included: they differ from each other by one bit.
fn openings(line: &[u8]) -> usize {
    let chunk = |c: &[u8]| c.iter().map(|&b| u8::from(b | 0x20 == b'{')).sum::<u8>();
    // At most 255 ones fit the byte that the loop adds up in, which keeps it vectorised.
    line.chunks(255).map(|c| usize::from(chunk(c))).sum()
}
