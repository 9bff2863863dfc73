//! How foreign text, times and emphasis look in what people read.

use crate::words::text;
pub(crate) use crate::words::text::shown;

/// Returns the beginning of a foreign text, as [`shown`] does.
pub(crate) fn excerpt(text: &str) -> String {
    shown(text::excerpt(text.as_bytes()))
}

/// Writes a stretch of time as people say it: `0.42 s`, `12 s`, `3 min 20 s`, `1 h 5 min`.
pub(crate) fn stretch(seconds: f64) -> String {
    if seconds < 1.0 {
        return format!("{seconds:.2} s");
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = whole(seconds);
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, min, _) => format!("{} h {min} min", text::grouped(h)),
    }
}

/// Rounds to a whole number; what is negative or no number is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, which is what is wanted"
)]
pub(crate) fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// Turns a count into a float, for shares and rates.
#[expect(
    clippy::cast_precision_loss,
    reason = "a rate is shown with a few digits, a count beyond 2^53 loses none of them"
)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// Turns a length into a count.
pub(crate) fn size(length: usize) -> u64 {
    length as u64
}

/// How text may look: emphasis, where colour is wanted (nothing depends on it), and room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    /// Whether there is any.
    pub(crate) color: bool,
    /// How many columns there are; none where no terminal has a say.
    pub(crate) width: Option<usize>,
}

impl Paint {
    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.wrap("1;32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{shown, stretch};

    #[test]
    fn commands_that_need_no_line_start_are_broken_up() {
        assert_eq!(
            shown("a ##vso[task.x]y ##[set-env]"),
            "a #\\u{23}vso[task.x]y #\\u{23}[set-env]"
        );
        assert_eq!(shown("###[x"), "#\\u{23}\\u{23}[x");
        assert_eq!(shown("#\u{200b}#[x"), "#\u{200b}\\u{23}[x");
        assert_eq!(shown("## a heading, #1 [x]"), "#\\u{23} a heading, #1 [x]");
        assert_eq!(shown("## a heading"), "## a heading");
        assert_eq!(shown(b"\x1b[2J\xff"), "\\u{1b}[2J\\xff");
    }

    #[test]
    fn times_read_as_people_say_them() {
        let cases = [
            (0.0, "0.00 s"),
            (0.418, "0.42 s"),
            (1.24, "1.2 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.6, "1 min 0 s"),
            (200.0, "3 min 20 s"),
            (3900.0, "1 h 5 min"),
            (-1.0, "-1.00 s"),
        ];
        for (seconds, text) in cases {
            assert_eq!(stretch(seconds), text);
        }
    }

    proptest! {
        #![proptest_config(crate::words::trials::at_least(1024))]

        #[test]
        fn no_command_of_a_ci_service_survives(text in "[#\u{200b}a\\[\\]v]{0,40}", rest in any::<String>()) {
            let once = shown(format!("{text}{rest}"));
            let seen: String = once.chars().filter(char::is_ascii).collect();
            let armed = seen.split_once("##").is_some_and(|(_, rest)| rest.contains('['));
            prop_assert!(!armed, "{once:?}");
            prop_assert!(shown(&once) == once, "a text shown twice stays as it is");
        }
    }
}
