//! The worst errors: how many of each code, where the first of them are, and what stands there.

use unicode_width::UnicodeWidthStr as _;

use crate::report::findings::{said, stood};
use crate::report::show::{self, Paint, excerpt, shown};
use crate::report::summary::{End, Summary};
use crate::words::event::{BadRecord, CodeCount};
use crate::words::sample::Sample;
use crate::words::text::{count, grouped};

/// How many codes are shown with examples.
const CODES: usize = 5;

/// How many examples of each.
const EXAMPLES: usize = 3;

/// How wide a line of a record may be where no terminal says so.
const WIDTH: usize = 100;

/// What stands before a line of a record: never its own text begins a line.
const BAR: &str = "   | ";

/// What stands for something that is left out.
const CUT: &str = "…";

/// Writes them.
pub(super) fn errors(summary: &Summary, end: &End<'_>, paint: Paint) -> Vec<String> {
    let worst = end.worst();
    let known: Vec<&CodeCount> =
        worst.iter().copied().filter(|of| of.times.new_ones() == 0).collect();
    let worst: Vec<&CodeCount> = worst.into_iter().filter(|of| of.times.new_ones() > 0).collect();
    // A line that stands for one code could as well name it.
    let most = if worst.len() == CODES + 1 { CODES + 1 } else { CODES };
    let mut lines = Vec::new();
    for of in worst.iter().take(most) {
        lines.push(head(of, paint));
        let examples = summary.examples(&of.code);
        for (index, bad) in examples.iter().take(EXAMPLES).enumerate() {
            lines.push(told(bad));
            // One of each shows what the others are like.
            if index == 0 {
                lines.extend(bad.sample.iter().flat_map(|sample| pointed(sample, paint)));
            }
        }
    }
    if let Some(more @ 1..) = worst.len().checked_sub(most) {
        let errors = worst.iter().skip(most).map(|of| of.times.count).sum();
        let more = count(show::size(more), "other code");
        lines.push(format!("{} with {more}", count(errors, "error")));
    }
    if !known.is_empty() {
        let errors = count(known.iter().map(|of| of.times.count).sum(), "error");
        let codes = count(show::size(known.len()), "code");
        lines.push(format!("{errors} with {codes}, all known"));
    }
    lines
}

fn head(of: &CodeCount, paint: Paint) -> String {
    let code = paint.bold(&excerpt(&of.code));
    let known = match of.times.known {
        0 => String::new(),
        known => format!(", {} of them known", grouped(known)),
    };
    format!("{} with code {code}{known}", count(of.times.count, "error"))
}

/// Writes one in a line. The word before the place keeps a file's name off its beginning.
pub(crate) fn told(bad: &BadRecord) -> String {
    format!("  at {} {} {}", shown(stood(bad)), excerpt(&bad.code), said(bad))
}

/// Writes what stands there, with the value underlined.
fn pointed(sample: &Sample, paint: Paint) -> Vec<String> {
    let text = |part: &str| shown(part.replace('\t', " "));
    let (before, value, after) = (text(&sample.before), text(&sample.value), text(&sample.after));
    if value.is_empty() {
        return Vec::new();
    }
    let room = paint.width.unwrap_or(WIDTH).saturating_sub(BAR.width() + 2 * CUT.width()).max(20);
    // The value first, then what stands before it, up to a half; the rest is for what follows.
    let (value, value_cut) = front(&value, room);
    let left = room - value.width();
    let (before, before_cut) = back(&before, left - after.width().min(left / 2));
    let (after, after_cut) = front(&after, left - before.width());
    let begin = if sample.begins_before || before_cut { CUT } else { "" };
    let end = if sample.goes_on || value_cut || after_cut { CUT } else { "" };
    let after = if value_cut { "" } else { after };
    let line = format!("{BAR}{begin}{before}{value}{after}{end}");
    // Put together, the parts might be what none of them is.
    if shown(&line) != line {
        return vec![shown(&line)];
    }
    let indent = " ".repeat(begin.width() + before.width());
    let carets = paint.red(&"^".repeat(value.width().max(1)));
    vec![line, format!("{BAR}{indent}{carets}")]
}

/// Returns the beginning of a text that is at most `room` wide, and whether something is cut off.
fn front(text: &str, room: usize) -> (&str, bool) {
    let mut width = 0;
    for (at, c) in text.char_indices() {
        width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if width > room {
            return (text.split_at(at).0, true);
        }
    }
    (text, false)
}

/// Returns the end of a text that is at most `room` wide, and whether something is cut off.
fn back(text: &str, room: usize) -> (&str, bool) {
    let mut width = 0;
    for (at, c) in text.char_indices().rev() {
        width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if width > room {
            return (text.split_at(at + c.len_utf8()).1, true);
        }
    }
    (text, false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, proptest};
    use unicode_width::UnicodeWidthStr as _;

    use super::pointed;
    use crate::report::show::Paint;
    use crate::words::sample::Sample;

    fn paint(width: usize) -> Paint {
        Paint { color: false, width: Some(width) }
    }

    #[test]
    fn the_value_is_underlined_however_wide_its_letters_are() {
        let record = "{\"name\":\"日本\",\"id\":-1}";
        let at = record.find("-1").unwrap();
        let sample = Sample::of(record.as_bytes(), Some(at..at + 2), true);
        let lines = pointed(&sample, paint(80));
        assert_eq!(lines, ["   | {\"name\":\"日本\",\"id\":-1}", "   |                     ^^"]);
        let narrow = pointed(&sample, paint(27));
        assert_eq!(narrow[0], "   | …ame\":\"日本\",\"id\":-1}");
        assert_eq!(narrow[0].width() - 1, narrow[1].width(), "{narrow:?}");
        assert!(pointed(&Sample::of(b"{bad", None, true), paint(80)).is_empty());
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(1024))]

        #[test]
        fn it_fits_and_steers_nothing(
            record in prop::collection::vec(any::<char>(), 0..200),
            hostile in "[#\\[a\\]\u{1b}\u{200b}]{0,20}",
            from in 0usize..300,
            length in 0usize..200,
            width in 40usize..120,
        ) {
            let mut record: String = record.into_iter().collect();
            record.insert_str(0, &hostile);
            let start = from.min(record.len());
            let end = (start + length).min(record.len());
            let sample = Sample::of(record.as_bytes(), Some(start..end), true);
            for line in pointed(&sample, paint(width)) {
                prop_assert!(line.starts_with("   | "));
                prop_assert!(!line.contains(char::is_control), "{line:?}");
                prop_assert!(crate::words::text::shown(&line) == line, "{line:?}");
                prop_assert!(line.width() <= width || line.contains("\\u{23}"), "{line:?}");
            }
        }
    }
}
