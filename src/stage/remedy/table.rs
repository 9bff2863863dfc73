//! What is known of common programs; measured with one line sent and stdin kept open.

use crate::stage::remedy::Holds;

/// What mends some programs.
#[derive(Debug)]
pub(super) struct Row {
    /// Their names.
    names: &'static [&'static str],
    /// What they keep back.
    pub(super) holds: Holds,
    /// Flags that mend it, behind the program's name.
    pub(super) flags: &'static [&'static str],
    /// Whether `stdbuf -oL` is the way.
    pub(super) stdbuf: bool,
    /// What else mends it.
    pub(super) text: &'static str,
}

impl Row {
    /// Tells whether its buffer is the C library's, which `stdbuf` sets.
    pub(super) fn obeys_stdbuf(&self) -> bool {
        self.stdbuf || ["jq", "grep"].contains(&self.names[0])
    }
}

const fn flags(names: &'static [&'static str], flags: &'static [&'static str]) -> Row {
    Row { names, holds: Holds::Output, flags, stdbuf: false, text: "" }
}

const fn stdbuf(names: &'static [&'static str], text: &'static str) -> Row {
    Row { names, holds: Holds::Output, flags: &[], stdbuf: true, text }
}

const fn text(names: &'static [&'static str], text: &'static str) -> Row {
    Row { names, holds: Holds::Output, flags: &[], stdbuf: false, text }
}

const AWK: &str = "call `fflush()` after each `print`";

const ROWS: &[Row] = &[
    flags(&["jq"], &["--unbuffered"]),
    // Either alone does nothing: it reads 500 records before the first comes out.
    flags(&["mlr"], &["--records-per-batch", "1", "--fflush"]),
    flags(&["grep", "egrep", "fgrep", "rg"], &["--line-buffered"]),
    Row { holds: Holds::Input, ..flags(&["mawk"], &["-W", "interactive"]) },
    stdbuf(&["gawk"], AWK),
    text(&["original-awk", "busybox awk"], AWK),
    text(&["awk"], "call `fflush()` after each `print` (mawk takes `-W interactive` instead)"),
    // Its own `-u` reads byte by byte and is thirty times slower.
    stdbuf(&["sed"], ""),
    stdbuf(&["cut", "tr", "uniq", "nl", "fold", "expand", "unexpand", "paste"], ""),
    Row {
        text: "set `PYTHONUNBUFFERED=1`, or write `print(…, flush=True)` or \
               `sys.stdout.reconfigure(line_buffering=True)`",
        ..flags(&["python", "pypy"], &["-u"])
    },
    text(&["perl"], "set `$| = 1;` at its beginning"),
    text(&["ruby", "jruby"], "set `$stdout.sync = true` at its beginning"),
    text(&["lua", "luajit"], "call `io.stdout:setvbuf(\"line\")` at its beginning"),
    flags(&["php"], &["-d", "output_buffering=0"]),
    text(&["tclsh"], "call `fconfigure stdout -buffering line`"),
    text(&["java"], "call `flush()` after each line: a `PrintWriter` does not by itself"),
    Row {
        holds: Holds::All,
        ..text(
            &["sort", "tac", "shuf", "wc", "tail", "column", "sponge", "in2csv"],
            "run it by `stream`",
        )
    },
];

/// Programs that answer each line at once.
const FLUSHES: &[&str] = &["cat", "tee", "dd", "gojq", "node", "deno", "bun"];

/// Finds what is known of a program that keeps something back.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.names.contains(&name))
}

/// Tells whether a program is known to answer at once.
pub(super) fn flushes(name: &str) -> bool {
    FLUSHES.contains(&name)
}
