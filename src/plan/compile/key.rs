//! Finds the key of a stage that hashes with one. Neither the key nor where it is gets shown.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::config::builtin;
use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::Located;
use crate::config::schema::{Setting, Table};
use crate::plan::builtin::Key;
use crate::plan::compile::Scope;
use crate::plan::compile::builtin::input;

/// The longest key that is read from a file.
const LONGEST: usize = 64 << 10;

/// Finds the key of a stage.
pub(super) fn find(
    scope: &Scope<'_>,
    table: &Table,
    written: &builtin::Hash,
    out: &mut Diagnostics,
) -> Result<Key, Reported> {
    match (&written.key_env, &written.key_file) {
        (Setting::Unreadable(reported), _) | (_, Setting::Unreadable(reported)) => Err(*reported),
        (Setting::Given(env), Setting::Given(file)) => {
            let mistake = Diagnostic::new("a key comes from `key_env` or from `key_file`");
            let mistake = mistake.at(env.origin, "").at(file.origin, "");
            Err(out.push(mistake.hint("leave one of the two out")))
        }
        (Setting::LeftOut, Setting::LeftOut) => {
            let name = &table.name;
            let mistake = Diagnostic::new(format!("stage `{}` has no key", name.value));
            let hint = "`key_env` takes the name of an environment variable, `key_file` the path \
                        of a file";
            Err(out.push(mistake.at(name.origin, "").hint(hint)))
        }
        (_, Setting::Given(file)) => {
            let path = input(scope, "key_file", file, out)?;
            read(&path).map_err(|why| unfit(file, &why, out))
        }
        (Setting::Given(env), _) => {
            let value = scope.world.env.iter().find(|(name, _)| *name == *env.value);
            let value = value.filter(|(_, value)| !value.is_empty());
            let key =
                |value: &OsString| Key { bytes: value.as_encoded_bytes().to_vec(), file: None };
            value.map(|(_, value)| key(value)).ok_or_else(|| {
                let mistake = Diagnostic::new("the key that `key_env` names is not there");
                let label = "no such variable, or an empty one";
                let hint = "it takes the name of a variable, not the key itself";
                out.push(mistake.at(env.origin, label).hint(hint))
            })
        }
    }
}

/// Reads the key in a file. The line end that editors leave is no part of it.
pub(super) fn read(path: &Path) -> Result<Key, String> {
    let unreadable = |error: std::io::Error| format!("it cannot be read: {error}");
    // Looked at before it is opened: a pipe would wait for somebody to write.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LONGEST as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LONGEST {
        return Err("it is longer than 64 KiB".to_owned());
    }
    let line = bytes.strip_suffix(b"\r\n").or_else(|| bytes.strip_suffix(b"\n"));
    match line.unwrap_or(&bytes) {
        [] => Err("it is empty".to_owned()),
        key => Ok(Key { bytes: key.to_vec(), file: Some(path.to_owned()) }),
    }
}

fn unfit(file: &Located<PathBuf>, why: &str, out: &mut Diagnostics) -> Reported {
    let mistake = Diagnostic::new("the file that `key_file` names holds no key");
    let hint = "it takes the path of a file, relative to `root`, that holds nothing but the key";
    out.push(mistake.at(file.origin, why).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_key_is_all_that_is_in_the_file_but_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let why = || read(&path).unwrap_err();
        assert!(why().contains("cannot be read"));
        for (text, key) in [("k\n1", "k\n1"), ("k\n", "k"), ("k\r\n", "k"), ("k\r", "k\r")] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).unwrap().bytes, key.as_bytes(), "{text:?}");
        }
        std::fs::write(&path, "\n").unwrap();
        assert!(why().contains("empty"));
        std::fs::write(&path, vec![b'x'; super::LONGEST + 1]).unwrap();
        assert!(why().contains("64 KiB"));
        assert!(read(folder.path()).unwrap_err().contains("no regular file"));
        // Its length is not told beforehand.
        assert!(read(std::path::Path::new("/proc/self/status")).is_ok());
        assert!(!format!("{:?}", read(std::path::Path::new("/proc/self/status"))).contains("Name"));
    }
}
