//! The names of temporary files.

use std::path::Path;
use std::sync::Arc;

use super::{Part, Place, prefix};
use crate::publish::files::Files;

#[test]
fn a_name_as_long_as_can_be_has_room_for_a_temporary_one() {
    for name in ["n".repeat(255), "\u{e9}".repeat(127)] {
        let target = tempfile::tempdir().unwrap();
        let path = target.path().join(name);
        let files: Arc<dyn Files> = Arc::new(crate::publish::files::Disk);
        let folder = target.path().to_owned();
        let mut part = {
            let place = Place { target: path.clone(), folder, mode: Some(0o604) };
            Part::create(files, place).unwrap()
        };
        part.write_all(b"whole").unwrap();
        part.sync().unwrap();
        part.publish().unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 1);
    }
}

#[test]
fn no_two_targets_have_temporary_names_that_begin_the_same() {
    let names = [
        "users",
        "users.ndjson",
        "users-of-the-year-before-last-1",
        "users-of-the-year-before-last-2",
    ];
    let prefixes = names.map(|name| prefix(Path::new(name)));
    for (number, one) in prefixes.iter().enumerate() {
        assert!(prefixes.iter().skip(number + 1).all(|other| one != other), "{prefixes:?}");
    }
}
