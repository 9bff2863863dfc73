//! How a program buffers, what it does to bytes and bad lines, and how it ends; pure.

use crate::plan::describe::shell_words;
use crate::stage::doctor::inputs::{self, LONG, MANY, SPELLINGS};
use crate::stage::doctor::protocols::in_order;
use crate::stage::doctor::trial::{Left, Seen};
use crate::stage::doctor::words::{left, time};
use crate::stage::doctor::{Evidence, Row};
use crate::stage::remedy::Holds;
use crate::words::text::{count, excerpt, grouped};

/// When a program writes its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buffering {
    /// At once.
    Flushes,
    /// When a buffer is full.
    Holds,
    /// When its input ends.
    AtEnd,
    /// It writes nothing.
    Unknown,
}

/// More than any usual buffer: who wrote that much, and all at the end, waits for the end.
const MUCH: usize = 100_000;

/// Tells whether it kept back its answer to one record until its input ended.
pub(super) fn keeps_back(one: &Seen) -> bool {
    let (by_then, all) = (one.lines_by(0).len(), one.lines().len());
    by_then == 0 && all > 0
}

/// Says when it writes.
pub(super) fn buffering(seen: &Evidence) -> Buffering {
    let (before, all) = (seen.many.lines_by(0).len(), seen.many.lines().len());
    if seen.one.lines().is_empty() {
        // It had no answer to the one record; the many must do.
        return match (before, all) {
            (_, 0) => Buffering::Unknown,
            _ if before == all => Buffering::Flushes,
            _ => Buffering::Holds,
        };
    }
    let is_sorter = seen.remedy.as_ref().is_some_and(|remedy| remedy.holds == Holds::All);
    match keeps_back(&seen.one) {
        false => Buffering::Flushes,
        true if before == 0 && (is_sorter || seen.many.out.len() > MUCH) => Buffering::AtEnd,
        true => Buffering::Holds,
    }
}

/// Says what mends its buffering, if anything does.
pub(super) fn cure(seen: &Evidence) -> Option<String> {
    let remedy = seen.remedy.as_ref()?;
    // Of a program that nobody knows, only what was tried is worth saying.
    let general = !remedy.known && seen.mended == Some(true);
    Some(if general { "run it by `stdbuf -oL`".to_owned() } else { remedy.advice.clone() })
}

fn buffers(seen: &Evidence) -> Row {
    let what = match buffering(seen) {
        Buffering::Flushes => "answers each line at once",
        Buffering::AtEnd => "writes only when its input ends",
        Buffering::Unknown => "cannot be told: it writes nothing",
        Buffering::Holds => match seen.remedy.as_ref().map(|remedy| remedy.holds) {
            Some(Holds::Input) => "reads its input in blocks, and so answers late",
            _ => "writes nothing until its buffer is full or its input ends",
        },
    };
    let mut row = Row::new("buffering", what);
    if buffering(seen) == Buffering::Holds {
        let argv = seen.remedy.as_ref().and_then(|remedy| remedy.argv.as_ref());
        let tried = argv.map(|argv| shell_words(argv));
        row.text.extend(match (tried, seen.mended, cure(seen)) {
            (Some(words), Some(true), _) => {
                Some(format!("mend: `{words}` (tried: it answers at once)"))
            }
            (_, _, Some(cure)) => Some(format!("mend: {cure}")),
            (_, _, None) => None,
        });
    }
    row
}

/// Says how long it takes to start, and to end when there is nothing to do.
pub(super) fn start(seen: &Evidence) -> Row {
    Row::new("starts in", time(seen.empty.took))
}

/// Says what else was found.
pub(super) fn rows(seen: &Evidence) -> Vec<Row> {
    let mut rows = vec![buffers(seen), no_input(&seen.empty), bytes(seen)];
    // Lines of its own would be counted with the others.
    if !seen.one.out.is_empty() && seen.empty.out.is_empty() {
        rows.extend([
            Row::new("bad line", between(&seen.bad, b"not json")),
            Row::new("blank line", between(&seen.blank, b"")),
            Row::new("bad UTF-8", utf8(&seen.utf8)),
            Row::new("2 MiB line", long(&seen.long)),
        ]);
    }
    rows.push(Row::new(
        "TERM",
        match seen.term.left {
            Left::Never => "ignores it: it has to be killed".to_owned(),
            _ if seen.term.unread.is_none() && ended_before(&seen.one) => {
                "ends before it".to_owned()
            }
            how => left(how),
        },
    ));
    if !seen.many.out.is_empty() {
        rows.push(Row::new(
            "closed pipe",
            match seen.deaf.left {
                Left::Code(0) => "does not mind: ends with exit code 0".to_owned(),
                how => left(how),
            },
        ));
    }
    let leaked: Vec<&(u32, String)> =
        [&seen.empty, &seen.one, &seen.many].iter().flat_map(|seen| &seen.leaked).collect();
    if let Some((_, command)) = leaked.first() {
        rows.push(Row::new("left behind", format!("`{command}`, which outlives it, is killed")));
    }
    rows
}

/// A program that does not read is over before anything can happen to it.
fn ended_before(one: &Seen) -> bool {
    !one.read_all()
}

fn no_input(empty: &Seen) -> Row {
    let lines = empty.lines();
    let wrote = match lines.first() {
        None => String::new(),
        Some(line) => {
            format!(
                "writes {}, such as `{}`, and ",
                count(lines.len() as u64, "line"),
                excerpt(line)
            )
        }
    };
    Row::new("no input", format!("{wrote}{}", left(empty.left)))
}

/// Says what became of three lines, of which the middle one was odd.
fn between(seen: &Seen, odd: &[u8]) -> String {
    let lines = seen.lines();
    let out = lines.len();
    match seen.left {
        Left::Code(0) if out == 3 && lines.contains(&odd) => "is passed on as it is".to_owned(),
        Left::Code(0) if out == 3 => format!("is answered by `{}`", excerpt(lines[1])),
        Left::Code(0) if out == 2 => "is left out; the others come".to_owned(),
        Left::Code(0) => format!("{out} of 3 lines come"),
        how => format!("{} after {out} of 3 lines{}", left(how), why(seen)),
    }
}

/// The last thing that it said about it.
fn why(seen: &Seen) -> String {
    let mut lines = seen.err.split(|b| *b == b'\n');
    let last = lines.rfind(|line| !line.trim_ascii().is_empty());
    last.map(|line| format!(": `{}`", excerpt(line))).unwrap_or_default()
}

fn utf8(seen: &Seen) -> String {
    let lines = seen.lines();
    let odd = |line: &&&[u8]| memchr::memmem::find(line, b"Bel").is_some();
    match (seen.left, lines.iter().find(odd)) {
        (Left::Code(0), Some(line)) if lines.len() == 3 => {
            let has = |part: &[u8]| memchr::memmem::find(line, part).is_some();
            if has(b"Bel\xe9m") {
                "is passed on as it is".to_owned()
            } else if has("Bel\u{fffd}".as_bytes()) {
                "is replaced by U+FFFD".to_owned()
            } else {
                format!("is answered by `{}`", excerpt(line))
            }
        }
        _ => between(seen, inputs::NO_UTF8),
    }
}

fn long(seen: &Seen) -> String {
    match (seen.left, seen.lines().as_slice()) {
        (Left::Code(0), [line]) if line.len() > LONG => "comes back whole".to_owned(),
        (Left::Code(0), [line]) => {
            format!("is answered by {}", count(line.len() as u64, "byte"))
        }
        (Left::Code(0), lines) => {
            format!("is answered by {}", count(lines.len() as u64, "line"))
        }
        (how, _) => left(how),
    }
}

fn bytes(seen: &Evidence) -> Row {
    let sent = inputs::records(MANY);
    let same = seen.many.out == sent;
    let back = seen.spellings.lines();
    let own = |line: &&&[u8]| memchr::memmem::find(line, b"\"v\"").is_none();
    if back.len() == SPELLINGS.len() && back.iter().all(|line| own(&line)) {
        let shown = excerpt(back[0]);
        return Row::new("bytes", format!("records do not come back, but lines such as `{shown}`"));
    }
    if back.len() != SPELLINGS.len() {
        let all = grouped(SPELLINGS.len() as u64);
        return Row::new(
            "bytes",
            match (same, back.len()) {
                (true, _) => "ordinary records come back as they went".to_owned(),
                (false, 0) => "cannot be told: no line comes back".to_owned(),
                (false, some) => format!("cannot be told: {some} of {all} lines come back"),
            },
        );
    }
    if !in_order(&back) {
        let mut lines = back;
        lines.sort_unstable();
        let mut sent: Vec<&[u8]> = SPELLINGS.iter().map(|(_, line)| line.as_bytes()).collect();
        sent.sort_unstable();
        let how = if lines == sent { "come back as they went" } else { "are rewritten" };
        return Row::new("bytes", format!("{how}, in another order"));
    }
    let pairs = SPELLINGS.iter().zip(&back);
    let changes: Vec<String> =
        pairs.filter_map(|((name, line), back)| changed(name, line, back)).collect();
    match changes.split_first() {
        None if same => Row::new("bytes", "come back as they went"),
        None => Row::new("bytes", "ordinary records are rewritten"),
        Some((first, rest)) => {
            let mut row = Row::new("bytes", first.clone());
            row.text.extend(rest.iter().cloned());
            row
        }
    }
}

/// Says what became of one spelling, if anything did.
fn changed(name: &str, line: &str, back: &[u8]) -> Option<String> {
    if line.as_bytes() == back {
        return None;
    }
    let back = excerpt(back);
    let gone = |what: &str| Some(format!("{name}: {what}"));
    match name {
        "spaces" if !back.contains("{ ") => gone("are taken out"),
        "CR at the end" if !back.contains("\\r") => gone("is taken out"),
        _ => match (value(line), value(&back)) {
            (Some(before), Some(after)) if before != after => {
                let spelled = name.starts_with('`');
                let name = if spelled { String::new() } else { format!("{name}: ") };
                Some(format!("{name}`{before}` becomes `{after}`"))
            }
            // Only the white space of the line differs: that is told by `spaces`.
            _ if without_spaces(line) == without_spaces(&back) => None,
            _ => Some(format!("{name}: `{}` becomes `{back}`", line.trim_end())),
        },
    }
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The text of a line's only `v`, where it stands at the end.
fn value(line: &str) -> Option<&str> {
    let (_, behind) = line.split_once("\"v\":")?;
    let value = behind.trim_end_matches("\\r").trim().strip_suffix('}')?.trim();
    (!value.contains("\":")).then_some(value)
}
