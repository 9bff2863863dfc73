//! What makes a program answer each line at once, instead of when its buffer is full. Pure: the
//! facts of [`table`] and the argument vector at hand.

mod table;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::stage::remedy::table::{Row, find, flushes};
use crate::words::text::escape;

/// What a program keeps back while its input is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Its output, until a buffer is full.
    Output,
    /// Its input: it does not look at a line before a block of them has come.
    Input,
    /// Everything, until its input ends: that is what it is for.
    All,
}

/// What mends a program that keeps its answers back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// The program, as people know it.
    pub program: String,
    /// What it keeps back.
    pub holds: Holds,
    /// What to do, as the end of a sentence.
    pub advice: String,
    /// The mended argument vector, where arguments do it.
    pub argv: Option<Vec<OsString>>,
    /// Whether this was known of the program, not only likely.
    pub known: bool,
}

const GENERAL: &str = "have it flush stdout after each line";

/// Returns the remedy for a program; none where it needs none. `resolved` is its file with links
/// followed, which tells which `awk` an `awk` is.
pub fn remedy(argv: &[OsString], resolved: Option<&Path>) -> Option<Remedy> {
    let call = Call::unwrap(argv, resolved)?;
    if call.names.iter().any(|name| flushes(name)) {
        return None;
    }
    let row = call.names.iter().find_map(|name| find(name));
    let Some(row) = row else { return general(&call) };
    if call.is_mended(row) {
        return None;
    }
    Some(Remedy {
        program: call.shown(),
        holds: row.holds,
        advice: advice(row, call.script),
        argv: call.mended(row),
        known: true,
    })
}

/// Says in a sentence why a program that was given records is silent; none where that cannot be
/// for its buffers.
pub fn hint(argv: &[OsString], resolved: Option<&Path>) -> Option<String> {
    let Remedy { program, holds, advice, known, .. } = remedy(argv, resolved)?;
    Some(match holds {
        Holds::Output if known => format!("{program} buffers its output in a pipe: {advice}"),
        Holds::Output => format!("{program} may buffer its output in a pipe: {advice}"),
        Holds::Input => format!("{program} reads its input in blocks: {advice}"),
        Holds::All => format!("{program} writes nothing before its input ends: {advice}"),
    })
}

fn advice(row: &Row, script: bool) -> String {
    let mut ways = Vec::new();
    if !row.flags.is_empty() && !script {
        ways.push(format!("add `{}`", row.flags.join(" ")));
    }
    if row.stdbuf {
        ways.push("run it by `stdbuf -oL`".to_owned());
    }
    if !row.text.is_empty() {
        ways.push(row.text.to_owned());
    }
    ways.join(", or ")
}

/// Nothing is known: what C programs obey is worth a try.
fn general(call: &Call<'_>) -> Option<Remedy> {
    if call.by_stdbuf {
        return None;
    }
    Some(Remedy {
        program: call.shown(),
        holds: Holds::Output,
        advice: GENERAL.to_owned(),
        argv: (!call.quoted).then(|| call.prefixed(&["stdbuf", "-oL"])),
        known: false,
    })
}

/// A call with its wrappers taken off.
struct Call<'a> {
    /// What stands before the program.
    before: &'a [OsString],
    /// The program and its arguments.
    words: Vec<OsString>,
    /// What it may be known as, the likeliest first.
    names: Vec<String>,
    /// Whether it stands in a text that a shell reads.
    quoted: bool,
    /// Whether it is a script that is run by its first line.
    script: bool,
    /// Whether `stdbuf` runs it.
    by_stdbuf: bool,
}

impl<'a> Call<'a> {
    fn unwrap(argv: &'a [OsString], resolved: Option<&Path>) -> Option<Self> {
        let mut at = 0;
        let mut by_stdbuf = false;
        while let Some(inner) = wrapped(argv.get(at..)?) {
            by_stdbuf |= base(&argv[at]) == "stdbuf";
            at += inner;
        }
        let (before, words) = argv.split_at(at);
        let file = if at == 0 { resolved.map(|path| path.as_os_str().to_owned()) } else { None };
        let quoted = simple_script(words);
        let file = if quoted.is_some() { None } else { file };
        let (words, quoted) = match quoted {
            Some(words) => (words, true),
            None => (words.to_vec(), false),
        };
        let first = words.first()?;
        let mut names: Vec<String> = file.iter().map(|file| base(file)).collect();
        names.push(base(first));
        if names.iter().any(|name| name == "busybox") {
            let applet = if base(first) == "busybox" { words.get(1) } else { Some(first) };
            names = vec![format!("busybox {}", applet.map(|a| base(a)).unwrap_or_default())];
        }
        let language = names.iter().find_map(|name| of_script(name));
        let script = language.is_some();
        names.extend(language.map(str::to_owned));
        Some(Self { before, words, names, quoted, script, by_stdbuf })
    }

    fn shown(&self) -> String {
        escape(self.names[0].as_bytes())
    }

    /// Tells whether it flushes already, by what it was given.
    fn is_mended(&self, row: &Row) -> bool {
        let given = |flag: &str| self.words.iter().skip(1).any(|word| word == flag);
        let flags = !row.flags.is_empty() && row.flags.iter().all(|flag| given(flag));
        flags || (row.obeys_stdbuf() && self.by_stdbuf)
    }

    fn mended(&self, row: &Row) -> Option<Vec<OsString>> {
        if self.quoted || self.script {
            return None;
        }
        if row.flags.is_empty() {
            return row.stdbuf.then(|| self.prefixed(&["stdbuf", "-oL"]));
        }
        let (program, rest) = self.words.split_first()?;
        let words = self.before.iter().chain([program]).cloned();
        let flags = row.flags.iter().map(OsString::from);
        Some(words.chain(flags).chain(rest.iter().cloned()).collect())
    }

    fn prefixed(&self, prefix: &[&str]) -> Vec<OsString> {
        let prefix = prefix.iter().map(OsString::from);
        self.before.iter().cloned().chain(prefix).chain(self.words.iter().cloned()).collect()
    }
}

/// Returns how many words of a wrapper such as `env NAME=VALUE` stand before the program.
fn wrapped(words: &[OsString]) -> Option<usize> {
    let mut rest = words.iter().skip(1).map(|word| word.to_string_lossy());
    let is_option = |word: &str| word.starts_with('-');
    let own = match base(words.first()?).as_str() {
        "env" => rest.take_while(|word| is_option(word) || word.contains('=')).count(),
        "stdbuf" | "nohup" | "setsid" => rest.take_while(|word| is_option(word)).count(),
        "timeout" => rest.position(|word| !is_option(&word))? + 1,
        _ => return None,
    };
    (own + 1 < words.len()).then_some(own + 1)
}

/// Takes `sh -c 'PROGRAM ARG…'` apart, if it is one plain command.
fn simple_script(words: &[OsString]) -> Option<Vec<OsString>> {
    let shell =
        ["sh", "bash", "dash", "ash", "zsh", "ksh"].contains(&base(words.first()?).as_str());
    if !shell || words.get(1)? != "-c" {
        return None;
    }
    let text = words.get(2)?.to_str()?;
    // What stands in quotes is the program's own: `jq 'select(.a | not)'` is one command.
    let outside: String = text.split('\'').step_by(2).collect();
    if outside.contains(['|', ';', '&', '\n', '`', '(', '{', '<', '>']) {
        return None;
    }
    let mut words = text.split_whitespace().map(OsString::from).peekable();
    while words.next_if(|word| word == "exec" || word.to_string_lossy().contains('=')).is_some() {}
    let words: Vec<OsString> = words.collect();
    (!words.is_empty()).then_some(words)
}

/// The last part of a path, without the version that some carry: `python3.11` is `python`.
fn base(word: &OsStr) -> String {
    let name = Path::new(word).file_name().unwrap_or(word).to_string_lossy();
    let trimmed = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if trimmed.is_empty() { name.into_owned() } else { trimmed.to_owned() }
}

/// The language that the ending of a script's name stands for.
fn of_script(name: &str) -> Option<&'static str> {
    let (_, end) = name.rsplit_once('.')?;
    [("py", "python"), ("pl", "perl"), ("rb", "ruby"), ("lua", "lua"), ("js", "node")]
        .into_iter()
        .find_map(|(known, language)| (known == end).then_some(language))
}

#[cfg(test)]
mod tests;
