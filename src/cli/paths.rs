//! Where one place lies, seen from another.

use std::path::{Component, Path, PathBuf};

/// Returns how `to` is written by who stands in `from`; both are absolute, and no link is on the
/// way to `from`. Below it, and where they have more in common than the root, it is relative.
pub(super) fn seen_from(from: &Path, to: &Path) -> PathBuf {
    if let Ok(below) = to.strip_prefix(from) {
        return below.to_owned();
    }
    // What `..` leads out of may be a link: only the file system could tell.
    let climbs = to.components().any(|part| part == Component::ParentDir);
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other);
    let shared = shared.count();
    if climbs || shared < 2 {
        return to.to_owned();
    }
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

/// Resolves links and dots as far as anything is there.
pub(super) fn real(path: &Path) -> PathBuf {
    let resolved = path.ancestors().find_map(|there| {
        let rest = path.strip_prefix(there).ok()?;
        there.canonicalize().ok().map(|real| real.join(rest).components().collect())
    });
    resolved.unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{real, seen_from};

    #[test]
    fn paths_are_relative_where_that_is_shorter_than_absolute() {
        for (to, seen) in [
            ("/a/b/c/d", "c/d"),
            ("/a/b/../c", "../c"),
            ("/a/c/d", "../c/d"),
            ("/a/c/../d", "/a/c/../d"),
            ("/b", "/b"),
            ("/a", ".."),
        ] {
            assert_eq!(seen_from(Path::new("/a/b"), Path::new(to)), Path::new(seen), "{to}");
        }
    }

    #[test]
    fn what_is_there_is_resolved_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("a")).unwrap();
        std::os::unix::fs::symlink("a", root.join("link")).unwrap();
        assert_eq!(real(&root.join("link/../a/new/x")), root.join("a/new/x"));
        assert_eq!(real(&root.join("link")), root.join("a"));
    }
}
