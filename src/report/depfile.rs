//! `--depfile`: a rule for make that says what the outputs of a run were made of. It appears when
//! they may have, whole or not at all.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::report::whole::Target;
use crate::report::{Listener, ReportError, TargetError};
use crate::words::event::{Event, Stamped};
use crate::words::outcome::Exit;

/// Words that make may take for its own at the beginning of a line or behind a colon.
const WORDS: [&[u8]; 17] = [
    b"define",
    b"else",
    b"endef",
    b"endif",
    b"export",
    b"ifdef",
    b"ifeq",
    b"ifndef",
    b"ifneq",
    b"include",
    b"load",
    b"override",
    b"private",
    b"sinclude",
    b"undefine",
    b"unexport",
    b"vpath",
];

/// Writes the rule when the run is over.
#[derive(Debug)]
pub struct Depfile {
    path: PathBuf,
    target: Target,
    rule: Vec<u8>,
}

/// A file whose name no rule can hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Unnameable(pub PathBuf);

impl Depfile {
    /// Prepares to write a rule to `path`, and refuses a path that it must not replace.
    pub fn new(path: &Path, rule: Vec<u8>) -> Result<Self, ReportError> {
        let target = Target::check(path).map_err(|why| failed(path, why))?;
        Ok(Self { path: path.to_owned(), target, rule })
    }

    /// Returns where it goes.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Listener for Depfile {
    fn on(&mut self, event: &Stamped) -> Result<(), ReportError> {
        match &event.event {
            Event::RunFinished(finish) if matches!(finish.exit.code, Exit::Ok | Exit::Data) => {
                let put = self.target.put(&self.rule);
                put.map_err(|error| failed(&self.path, TargetError::Io(error)))
            }
            _ => Ok(()),
        }
    }
}

fn failed(path: &Path, why: TargetError) -> ReportError {
    ReportError { report: "depfile", path: path.to_owned(), why }
}

/// Says that `targets` are made of `needs`. Each of these is a target without a recipe, too, so
/// that make goes on when it is gone: then what was made of it is out of date, and no more.
pub fn rule(targets: &[PathBuf], needs: &[PathBuf]) -> Result<Vec<u8>, Unnameable> {
    let mut out = Vec::new();
    for target in targets {
        out.extend(as_target(target)?);
        out.push(b' ');
    }
    out.push(b':');
    for need in needs {
        out.extend_from_slice(b" \\\n  ");
        out.extend(as_need(need)?);
    }
    out.push(b'\n');
    for need in needs {
        out.push(b'\n');
        out.extend(as_target(need)?);
        out.extend_from_slice(b" :\n");
    }
    Ok(out)
}

/// Writes a path as it stands before the colon of a rule.
pub fn as_target(path: &Path) -> Result<Vec<u8>, Unnameable> {
    name(path, true)
}

/// Writes a path as it stands behind the colon of a rule.
pub fn as_need(path: &Path) -> Result<Vec<u8>, Unnameable> {
    name(path, false)
}

fn name(path: &Path, before_colon: bool) -> Result<Vec<u8>, Unnameable> {
    let bytes = path.as_os_str().as_bytes();
    let never = |byte: &u8| byte.is_ascii_control() || matches!(byte, b';' | b'|');
    let member = bytes.contains(&b'(') && bytes.ends_with(b")");
    let ends = bytes.ends_with(b"\\") || bytes.ends_with(b" ") || member;
    // A home folder, which no backslash and no `./` keeps it from being.
    if bytes.iter().any(never) || bytes.starts_with(b"~") || ends {
        return Err(Unnameable(path.to_owned()));
    }
    let mut out = Vec::with_capacity(bytes.len());
    if bytes.starts_with(b"-") || WORDS.contains(&bytes) {
        out.extend_from_slice(b"./");
    }
    let mut slashes = 0;
    for &byte in bytes {
        match byte {
            b'$' => out.extend_from_slice(b"$$"),
            // It would begin a variable, and `&` behind a name a group; no backslash helps there.
            b'=' | b'&' => out.extend([b"$(if x,", &[byte][..], b")"].concat()),
            b' ' | b'#' | b':' | b'*' | b'?' | b'[' => escape(&mut out, slashes, byte),
            // Only a target can be a pattern, and only there a backslash is taken away.
            b'%' if before_colon => escape(&mut out, slashes, byte),
            _ => out.push(byte),
        }
        slashes = if byte == b'\\' { slashes + 1 } else { 0 };
    }
    Ok(out)
}

/// Backslashes before what needs one are taken for escapes, so each becomes two.
fn escape(out: &mut Vec<u8>, slashes: usize, byte: u8) {
    out.extend(std::iter::repeat_n(b'\\', slashes + 1));
    out.push(byte);
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Unnameable, as_need, as_target, rule};

    #[test]
    fn each_need_is_a_target_of_its_own() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let text = rule(&paths(&["out/a", "out/b"]), &paths(&["p.toml", "d/1"])).unwrap();
        let expected = "out/a out/b : \\\n  p.toml \\\n  d/1\n\np.toml :\n\nd/1 :\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn what_make_would_take_for_its_own_is_escaped() {
        for (path, target, need) in [
            ("out/a.d", "out/a.d", "out/a.d"),
            ("a b", "a\\ b", "a\\ b"),
            ("a\\ b", "a\\\\\\ b", "a\\\\\\ b"),
            ("$a#b:c", "$$a\\#b\\:c", "$$a\\#b\\:c"),
            ("50%", "50\\%", "50%"),
            ("d=1/x", "d$(if x,=)1/x", "d$(if x,=)1/x"),
            ("-a", "./-a", "./-a"),
            ("define", "./define", "./define"),
        ] {
            assert_eq!(as_target(Path::new(path)).unwrap(), target.as_bytes());
            assert_eq!(as_need(Path::new(path)).unwrap(), need.as_bytes());
        }
        for path in ["a\nb", "a\tb", "a;b", "a|b", "a\\", "a ", "lib(a)", "~a"] {
            assert_eq!(as_need(Path::new(path)), Err(Unnameable(path.into())));
        }
    }
}
