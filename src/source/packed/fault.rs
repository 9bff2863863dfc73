//! What may be wrong with a packed input, and what to try next.

use std::fmt;

use crate::source::packed::decoder::{self, Head, WINDOW};
use crate::words::event::Event;
use crate::words::id::Name;
use crate::words::outcome::{Exit, Failure};
use crate::words::packing::Packing;
use crate::words::text::{escape, grouped};

/// A packed input that cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it should be.
    pub packing: Packing,
    /// What is wrong.
    pub kind: FaultKind,
    /// How many packed bytes were taken before.
    pub packed: u64,
    /// How many plain bytes they gave.
    pub unpacked: u64,
}

/// What is wrong with a packed input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It holds nothing, not even an empty part.
    Empty,
    /// It is something else; it begins with these bytes.
    Foreign(Vec<u8>),
    /// Its end is missing.
    Torn,
    /// A part of it is damaged.
    Damaged {
        /// Where the part begins.
        part: u64,
        /// What is wrong with it.
        why: String,
    },
    /// Something stands behind its last part, which begins here.
    Behind(u64),
    /// It holds more than a limit allows.
    Over(Over),
}

/// A limit on packed inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// `max_unpacked`, in bytes.
    Total(u64),
    /// `max_ratio`
    Ratio(u64),
    /// The window of a zstd frame.
    Window,
}

impl Over {
    /// Returns what events call it: the key, where there is one.
    fn word(self) -> &'static str {
        match self {
            Self::Total(_) => "max_unpacked",
            Self::Ratio(_) => "max_ratio",
            Self::Window => "window",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packing, kind, packed, unpacked } = self;
        let part = packing.part();
        match kind {
            FaultKind::Empty => write!(f, "it is empty, and no {packing} file is"),
            FaultKind::Foreign(head) => {
                write!(f, "it is no {packing} file: it begins with `{}`", escape(head))
            }
            FaultKind::Torn => write!(
                f,
                "it breaks off within a {packing} {part}, after {} bytes, unpacked {}",
                grouped(*packed),
                grouped(*unpacked)
            ),
            FaultKind::Damaged { part: at, why } => write!(
                f,
                "the {packing} {part} that begins at byte {} is damaged: {why} (near byte {}, \
                 unpacked {})",
                grouped(*at),
                grouped(*packed),
                grouped(*unpacked)
            ),
            FaultKind::Behind(at) => write!(
                f,
                "behind the last {packing} {part} stands something else, from byte {} on",
                grouped(*at)
            ),
            FaultKind::Over(Over::Total(most)) => write!(
                f,
                "it unpacks to more than the {} bytes of `max_unpacked`, from {} bytes so far",
                grouped(*most),
                grouped(*packed)
            ),
            FaultKind::Over(Over::Ratio(most)) => write!(
                f,
                "it unpacks to more than {} times its size (`max_ratio`): {} bytes from {} so far",
                grouped(*most),
                grouped(*unpacked),
                grouped(*packed)
            ),
            FaultKind::Over(Over::Window) => write!(
                f,
                "its {packing} {part} needs a window of more than {} MiB to unpack",
                1 << (WINDOW - 20)
            ),
        }
    }
}

impl Fault {
    /// Makes a failure of it.
    pub(in crate::source) fn failure(&self, file: &str) -> Failure {
        // Damage is for who keeps the file; a limit judges what is in it.
        let exit = if matches!(self.kind, FaultKind::Over(_)) { Exit::Data } else { Exit::World };
        Failure::new(exit, format!("cannot read input `{file}`: {self}")).hint(self.hint())
    }

    /// Makes the event of it, if a limit was passed.
    pub(in crate::source) fn event(&self, source: &Name, file: &str) -> Option<Event> {
        let FaultKind::Over(over) = self.kind else { return None };
        Some(Event::CompressedLimit {
            source: source.clone(),
            file: file.to_owned(),
            limit: over.word(),
            packed: self.packed,
            unpacked: self.unpacked,
        })
    }

    fn hint(&self) -> String {
        let Self { packing, kind, .. } = self;
        match kind {
            FaultKind::Empty => {
                format!("a packed file of no records is made by `{packing} </dev/null`")
            }
            FaultKind::Foreign(head) => {
                let others = [Packing::Gzip, Packing::Zstd].into_iter();
                let mut others = others.filter(|other| decoder::head(*other, head) == Head::Begins);
                match others.next() {
                    Some(other) => {
                        format!("it looks like {other}: give it a name in `.{}`", other.end())
                    }
                    None => format!(
                        "what is not packed needs a name without `.{}`, or comes by stdin",
                        packing.end()
                    ),
                }
            }
            FaultKind::Torn => format!(
                "was it still being written, or copied in part? `{packing} -t FILE` tests a copy"
            ),
            FaultKind::Damaged { .. } => format!("`{packing} -t FILE` tests another copy"),
            FaultKind::Behind(at) => format!("`head -c {at} FILE` gives what is whole"),
            FaultKind::Over(Over::Window) => format!(
                "pack it without `--long`, or read it by `{packing} -dc --long=31 FILE | esteira …`"
            ),
            FaultKind::Over(over) => format!(
                "is it what it says it is? if so, a larger `{}` in its source lets it pass, and \
                 `{packing} -dc FILE | esteira …` has no limit",
                over.word()
            ),
        }
    }
}
