use std::sync::mpsc::{Receiver, sync_channel};

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{KEEP, LINE, Log};
use crate::words::event::{Event, Events, Stamped, StderrKept};
use crate::words::id::Name;

/// Takes `bytes` in pieces of the given sizes; returns what is kept and what was told.
fn log(bytes: &[u8], sizes: &[usize]) -> (StderrKept, Vec<Event>) {
    let (to, told): (_, Receiver<Stamped>) = sync_channel(100_000);
    let mut log = Log::new(Name::internal("s"), 3, Events::new(to));
    let mut rest = bytes;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
        log.take(piece);
        rest = behind;
    }
    let kept = log.finish();
    (kept, told.iter().map(|stamped| stamped.event).collect())
}

fn without_ends(bytes: &[u8]) -> String {
    String::from_utf8(bytes.iter().copied().filter(|b| *b != b'\n').collect()).unwrap()
}

/// Text of up to some 70 KiB: short and long lines, blank ones, the last one whole or torn.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        ("[a-z]{0,60}", 1usize..200).prop_map(|(line, times)| format!("{line}\n").repeat(times)),
        (1usize..9000).prop_map(|length| "x".repeat(length)),
        Just("\n".to_owned()),
    ];
    vec(part, 0..12).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(1024))]

    #[test]
    fn the_beginning_and_the_end_are_kept_and_the_rest_is_counted(
        text in text(),
        sizes in vec(1usize..9000, 1..6),
    ) {
        let (kept, told) = log(&text, &sizes);
        let head = &text[..text.len().min(KEEP)];
        let behind = &text[head.len()..];
        let tail = &behind[behind.len().saturating_sub(KEEP)..];
        let omitted = text.len() - head.len() - tail.len();
        prop_assert_eq!(kept.omitted, omitted as u64);
        prop_assert_eq!(kept.head.concat(), without_ends(head), "nothing of the beginning is lost");
        let shown = kept.tail.join("\n");
        let tail = String::from_utf8(tail.strip_suffix(b"\n").unwrap_or(tail).to_vec()).unwrap();
        prop_assert_eq!(shown, tail, "nothing of the end is lost");
        let lines = head.split(|b| *b == b'\n');
        if lines.clone().all(|line| line.len() < LINE) {
            let ended = head.strip_suffix(b"\n").unwrap_or(head);
            let whole = std::str::from_utf8(ended).unwrap().split('\n');
            let whole: Vec<&str> = if head.is_empty() { Vec::new() } else { whole.collect() };
            prop_assert_eq!(&kept.head, &whole, "a line is told as a line");
        }
        let mut lines = Vec::new();
        let mut truncated = 0;
        for event in told {
            match event {
                Event::Stderr { line, worker: 3, .. } => lines.push(line),
                Event::StderrTruncated { shown, worker: 3, .. } => {
                    truncated += 1;
                    prop_assert_eq!(shown, KEEP as u64);
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(lines, kept.head, "what is kept of the beginning was told as it came");
        prop_assert_eq!(truncated, usize::from(text.len() > KEEP));
    }

    #[test]
    fn whatever_is_written_it_is_bounded_and_steers_nothing(
        parts in vec((vec(any::<u8>(), 0..50), 1usize..900), 0..8),
        sizes in vec(1usize..70_000, 1..4),
    ) {
        let bytes: Vec<u8> = parts.iter().flat_map(|(part, times)| part.repeat(*times)).collect();
        let (kept, _) = log(&bytes, &sizes);
        prop_assert_eq!(kept.omitted, bytes.len().saturating_sub(2 * KEEP) as u64);
        let lines = || kept.head.iter().chain(&kept.tail);
        let size: usize = lines().map(String::len).sum();
        prop_assert!(size <= 2 * KEEP * "\\u{1b}".len(), "{} bytes are kept", size);
        prop_assert!(lines().all(|line| !line.contains(|c: char| c.is_control() && c != '\t')));
    }
}

#[test]
fn up_to_both_ends_together_nothing_is_left_out() {
    for (length, omitted) in [(2 * KEEP - 1, 0), (2 * KEEP, 0), (2 * KEEP + 1, 1)] {
        let text: Vec<u8> = (0..length).map(|n| if n % 64 == 63 { b'\n' } else { b'y' }).collect();
        let (kept, _) = log(&text, &[4096]);
        assert_eq!(kept.omitted, omitted, "{length} bytes");
    }
}
