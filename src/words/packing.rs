//! How a file is packed, which its name tells.

use std::fmt;
use std::path::Path;

/// A way to pack a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Packing {
    /// Tells how a file of this name is packed, in capitals or not; one with another end is plain.
    pub fn of(path: &Path) -> Option<Self> {
        let end = path.extension()?;
        let all = [Self::Gzip, Self::Zstd];
        all.into_iter().find(|packing| end.eq_ignore_ascii_case(packing.end()))
    }

    /// Returns how such a name ends, without the dot.
    pub fn end(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Zstd => "zst",
        }
    }

    /// Returns what one of the parts is called that such a file is made of.
    pub fn part(self) -> &'static str {
        match self {
            Self::Gzip => "member",
            Self::Zstd => "frame",
        }
    }
}

impl fmt::Display for Packing {
    /// Writes the name of the format, which is that of its program, too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Packing;

    #[test]
    fn the_end_of_a_name_tells_and_nothing_else_does() {
        for (path, packing) in [
            ("a.ndjson.gz", Some(Packing::Gzip)),
            ("A.GZ", Some(Packing::Gzip)),
            ("a.zst", Some(Packing::Zstd)),
            ("a.Zst", Some(Packing::Zstd)),
            ("a.gz.ndjson", None),
            ("gz", None),
            (".gz", None),
            ("a.gzip", None),
            ("a.gz/b", None),
        ] {
            assert_eq!(Packing::of(Path::new(path)), packing, "{path}");
        }
    }
}
