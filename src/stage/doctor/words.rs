//! How a trial's end is told.

use std::time::Duration;

use crate::stage::doctor::trial::Left;
use crate::stage::verdict::signal_name;

/// Says how a child ended, as the end of a sentence.
pub(super) fn left(left: Left) -> String {
    match left {
        Left::Code(code) => format!("ends with exit code {code}"),
        Left::Signal(signal) => format!("ends by {}", signal_name(signal)),
        Left::Never => "does not end".to_owned(),
        Left::Flooded => "writes without end".to_owned(),
    }
}

/// Writes a time as people say it.
pub(super) fn time(time: Duration) -> String {
    match time.as_millis() {
        0 => "less than 1 ms".to_owned(),
        ms @ 1..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
