//! The strict check against `serde_json` and `simdutf8` on the same lines, in turn.
//!
//! ```text
//! json_check FILE ROUNDS      a line of JSON for each round: CPU seconds a gigabyte, their ratio
//! ```

use std::time::Duration;

use esteira::json;
use rustix::time::{ClockId, clock_gettime};
use serde::de::IgnoredAny;

/// As much as a source has in a piece.
const PIECE: usize = 256 << 10;

#[expect(clippy::print_stdout, reason = "the figures are what is asked for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "FILE and ROUNDS are wanted";
    let path = arguments.next().ok_or(usage)?;
    let rounds: usize = arguments.next().ok_or(usage)?.parse()?;
    let bytes = std::fs::read(&path)?;
    let pieces = pieces(&bytes);
    let gigabytes = f64::from(u32::try_from(bytes.len())?) / 1e9;
    for _ in 0..rounds {
        let (own, odd) = timed(|| pieces.iter().map(|piece| json::odd(piece).count()).sum());
        let (peer, bad) = timed(|| pieces.iter().map(|piece| by_peer(piece)).sum());
        assert_eq!(odd, bad, "both find the same lines");
        let (own, peer) = (own / gigabytes, peer / gigabytes);
        println!("{{\"own\":{own:.3},\"peer\":{peer:.3},\"ratio\":{:.3}}}", own / peer);
    }
    Ok(())
}

/// Cuts into pieces of whole lines.
fn pieces(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let most = bytes.len().min(PIECE);
        let feed = memchr::memrchr(b'\n', &bytes[..most]);
        let end = feed.map_or(bytes.len(), |feed| feed + 1);
        let (piece, rest) = bytes.split_at(end);
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// Counts the bad lines as one would without a check of one's own: depth is not looked at.
fn by_peer(piece: &[u8]) -> usize {
    let text = simdutf8::basic::from_utf8(piece).is_ok();
    let lines = piece.strip_suffix(b"\n").unwrap_or(piece).split(|byte| *byte == b'\n');
    let bad = |line: &&[u8]| {
        !(text || std::str::from_utf8(line).is_ok())
            || serde_json::from_slice::<IgnoredAny>(line).is_err()
    };
    lines.filter(bad).count()
}

/// Runs `work`; returns the CPU seconds of this thread, and what came of it.
fn timed(work: impl FnOnce() -> usize) -> (f64, usize) {
    let began = cpu();
    let found = work();
    (cpu().saturating_sub(began).as_secs_f64(), found)
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}
