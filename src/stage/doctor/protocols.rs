//! Which protocols a program can serve, by what was seen of it; pure.

use crate::json;
use crate::stage::doctor::habits::{Buffering, buffering, cure};
use crate::stage::doctor::inputs::MANY;
use crate::stage::doctor::records as dialogue;
use crate::stage::doctor::trial::{Left, Seen};
use crate::stage::doctor::words::{left, time};
use crate::stage::doctor::{Evidence, Serves};
use crate::words::policy::ExitPolicy;
use crate::words::text::{count, excerpt};

type Verdict = (Serves, String);

fn no(why: impl std::fmt::Display) -> Verdict {
    (Serves::No, format!("no: {why}"))
}

fn yes(more: impl std::fmt::Display) -> Verdict {
    (Serves::Yes, format!("yes{more}"))
}

/// `stream`: it reads everything and leaves with a good code.
pub(super) fn stream(seen: &Evidence, exit: &ExitPolicy) -> Verdict {
    for trial in [&seen.many, &seen.one] {
        match trial.left {
            Left::Code(code) if exit.ok.contains(&code) => {}
            Left::Code(code) => {
                return no(format_args!(
                    "it ends with exit code {code}; if that is well, declare `exit = {{ ok = [0, \
                     {code}] }}`"
                ));
            }
            how => return no(format_args!("it {}", left(how))),
        }
        if !trial.read_all() {
            return no("it ends before it has read its input; if that is well, declare \
                       `early_exit = \"ok\"`");
        }
    }
    let many = seen.many.lines();
    let is_stray = |line: &&&[u8]| !json::is_blank(line) && json::check(line).is_err();
    let stray = many.iter().filter(is_stray).count();
    let shown = many.iter().find(is_stray).map(|line| excerpt(line)).unwrap_or_default();
    if stray > 0 && stray * 2 < many.len() {
        return no(format_args!(
            "it prints `{shown}` among its records, which is no JSON: stderr is the place for it"
        ));
    }
    let of_nothing = match seen.empty.left {
        Left::Code(code) if exit.ok.contains(&code) => String::new(),
        how => format!(", but with no input it {}", left(how)),
    };
    let check = match stray {
        0 => String::new(),
        _ => format!(", with `check_output = \"none\"`: it writes what is no JSON, as `{shown}`"),
    };
    yes(format_args!("{of_nothing}{check}"))
}

/// `lines`: one line for each, in order, at once.
pub(super) fn lines(seen: &Evidence) -> Verdict {
    let sent = count(MANY as u64, "record");
    let many = seen.many.lines();
    let banner = seen.empty.lines().len();
    if banner > 0 {
        return no(format_args!("it writes {} with no input", count(banner as u64, "line")));
    }
    if many.is_empty() && seen.one.out.is_empty() {
        return no("it writes nothing");
    }
    if seen.many.left != Left::Code(0) {
        return no(format_args!("it {}", left(seen.many.left)));
    }
    if !seen.many.read_all() {
        return no("it ends before it has read its input");
    }
    if many.len() != MANY || seen.one.lines().len() != 1 {
        return no(format_args!("it writes {} for {sent}", count(many.len() as u64, "line")));
    }
    if many.iter().any(|line| json::is_blank(line)) {
        return no("it writes blank lines");
    }
    let how = buffering(seen);
    if how != Buffering::AtEnd && !in_order(&many) {
        return no("its lines come in another order");
    }
    match how {
        Buffering::AtEnd => no("it answers only when its input ends"),
        Buffering::Holds => {
            let ways = cure(seen).unwrap_or_default();
            let first = ways.split(", or ").next().filter(|way| !way.is_empty());
            let cure = first.map(|way| format!(": {way}")).unwrap_or_default();
            let text = format!("yes, one line for each, but it buffers its output{cure}");
            (Serves::Mended, text)
        }
        Buffering::Flushes | Buffering::Unknown => yes(", one line for each"),
    }
}

/// Tells whether lines come in the order of their `id`, as far as they have one.
pub(super) fn in_order(lines: &[&[u8]]) -> bool {
    let id = |line: &&[u8]| {
        let at = memchr::memmem::find(line, b"\"id\":")? + 5;
        let digits = line.get(at..)?.trim_ascii_start();
        let end = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
        std::str::from_utf8(digits.get(..end)?).ok()?.parse::<u64>().ok()
    };
    lines.iter().filter_map(id).is_sorted()
}

/// `records`: a reply with the request's `id`.
pub(super) fn records(seen: &Evidence) -> Verdict {
    if let Err(why) = dialogue::answered(&seen.request) {
        return no(why);
    }
    match seen.requests.as_ref().map(dialogue::kept_up) {
        Some(Ok(how)) => yes(format_args!(": {how}")),
        Some(Err(why)) => no(why),
        None => no("it was not asked"),
    }
}

/// `command`: a process for each record, whose exit code is the verdict.
pub(super) fn command(seen: &Evidence) -> Verdict {
    let one: &Seen = &seen.one;
    match one.left {
        Left::Code(0) => {}
        Left::Code(code @ 1..=125) => {
            return no(format_args!("it refuses a good record with exit code {code}"));
        }
        how => return no(format_args!("it {}", left(how))),
    }
    let lines = one.lines();
    if lines.len() > 1 && json::check(&one.out).is_err() {
        return no(format_args!("it writes {} for a record", count(lines.len() as u64, "line")));
    }
    let ms = time(seen.empty.took.min(one.took));
    if !one.read_all() {
        return yes(format_args!(", but it does not look at what it is sent ({ms} a record)"));
    }
    match lines.first().filter(|_| json::check(&one.out).is_err()) {
        Some(line) => yes(format_args!(
            ", with `check_output = \"none\"`: it writes `{}` ({ms} a record)",
            excerpt(line)
        )),
        None => yes(format_args!(" ({ms} a record)")),
    }
}
