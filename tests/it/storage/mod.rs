//! What is written, and a world that does not let it be written.

mod faults;
mod full;
mod modes;
mod sweep;
mod targets;
mod through;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::harness::Place;

/// The permission bits of a file.
fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A folder with records to read and an output of before.
fn place_with(records: Vec<u8>) -> Place {
    let place = Place::new();
    place.write("in", records);
    place.write("out/users", "before\n");
    place
}
