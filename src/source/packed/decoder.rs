//! The two formats as one: a step takes packed bytes and gives plain ones. Pure.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{self, DParameter, InBuffer, Operation as _, OutBuffer};
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge as TOO_LARGE;

use crate::words::packing::Packing;

/// The largest window of a zstd frame, as a power of two: what `zstd` itself takes without being
/// told to take more.
pub(super) const WINDOW: u32 = 27;

/// The largest window of a gzip member, as a power of two. There is no larger one.
const GZIP_WINDOW: u8 = 15;

/// Unpacks one part after the other.
pub(super) enum Decoder {
    Gzip(Decompress),
    Zstd(raw::Decoder<'static>),
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Packed bytes taken.
    pub(super) taken: usize,
    /// Plain bytes given.
    pub(super) given: usize,
    /// Whether the part has ended, its checksum found right.
    pub(super) ended: bool,
}

/// Why a step cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The bytes are not what the format allows.
    Damaged(String),
    /// A zstd frame wants more memory than a frame may.
    Window,
}

/// What the bytes behind a part are, or those at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// A part begins.
    Begins,
    /// More of them are needed to tell.
    TooShort,
    /// Something else.
    Foreign,
}

/// Tells whether a part begins with these bytes.
pub(super) fn head(packing: Packing, bytes: &[u8]) -> Head {
    let begins = |wanted: &[(u8, u8)]| {
        let fits = bytes.iter().zip(wanted).all(|(byte, (mask, value))| byte & mask == *value);
        match bytes.len() < wanted.len() {
            _ if !fits => Head::Foreign,
            true => Head::TooShort,
            false => Head::Begins,
        }
    };
    let whole = |value| (0xff, value);
    match packing {
        Packing::Gzip => begins(&[whole(0x1f), whole(0x8b)]),
        Packing::Zstd => {
            match begins(&[whole(0x28), whole(0xb5), whole(0x2f), whole(0xfd)]) {
                // A frame to be skipped: of its first four bits any may stand.
                Head::Foreign => begins(&[(0xf0, 0x50), whole(0x2a), whole(0x4d), whole(0x18)]),
                found => found,
            }
        }
    }
}

impl Decoder {
    /// Makes a decoder, at the start of a part.
    pub(super) fn new(packing: Packing) -> Result<Self, Refused> {
        Ok(match packing {
            Packing::Gzip => Self::Gzip(Decompress::new_gzip(GZIP_WINDOW)),
            Packing::Zstd => {
                let mut decoder = raw::Decoder::new().map_err(|error| refused(&error))?;
                let window = DParameter::WindowLogMax(WINDOW);
                decoder.set_parameter(window).map_err(|error| refused(&error))?;
                Self::Zstd(decoder)
            }
        })
    }

    /// Makes ready for the next part.
    pub(super) fn again(&mut self) {
        match self {
            Self::Gzip(decoder) => *decoder = Decompress::new_gzip(GZIP_WINDOW),
            // It begins by itself.
            Self::Zstd(_) => {}
        }
    }

    /// Unpacks some of `packed` into `room`.
    pub(super) fn step(&mut self, packed: &[u8], room: &mut [u8]) -> Result<Step, Refused> {
        match self {
            Self::Gzip(decoder) => {
                let (taken, given) = (decoder.total_in(), decoder.total_out());
                let status = decoder.decompress(packed, room, FlushDecompress::None);
                let status = status.map_err(|error| {
                    Refused::Damaged(error.message().unwrap_or("it makes no sense").to_owned())
                })?;
                // No more than what was lent.
                let count = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(0);
                Ok(Step {
                    taken: count(decoder.total_in(), taken),
                    given: count(decoder.total_out(), given),
                    ended: status == Status::StreamEnd,
                })
            }
            Self::Zstd(decoder) => {
                let mut packed = InBuffer::around(packed);
                let mut room = OutBuffer::around(room);
                let wanted = decoder.run(&mut packed, &mut room).map_err(|e| refused(&e))?;
                Ok(Step { taken: packed.pos(), given: room.pos(), ended: wanted == 0 })
            }
        }
    }
}

fn refused(error: &std::io::Error) -> Refused {
    let told = error.get_ref().and_then(|inner| inner.downcast_ref::<zstd::Error>());
    match told {
        Some(told) if told.is(TOO_LARGE) => Refused::Window,
        _ => Refused::Damaged(error.to_string().to_lowercase()),
    }
}
