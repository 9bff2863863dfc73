//! Folders, permissions and names of outputs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::super::harness::{Place, records};
use super::mode;

#[test]
fn missing_folders_are_made() {
    let place = Place::new();
    place.write("in", "{}\nbad\n");
    let options = ["--rejects", "a/b/bad", "--max-rejects", "1"];
    place.esteira().pipe("in", "a/c/d/out", &options, &["cat"]).run().exits(0).report();
    assert_eq!(place.text("a/c/d/out"), "{}\n");
    assert_eq!(place.text("a/b/bad").lines().count(), 1);
}

#[test]
fn an_output_keeps_the_mode_of_the_one_before() {
    let place = Place::new();
    place.write("in", records(10));
    for bits in [0o640, 0o600, 0o755, 0o444] {
        place.write("out", "before\n");
        fs::set_permissions(place.path("out"), fs::Permissions::from_mode(bits)).unwrap();
        place.esteira().pipe("in", "out", &[], &["cat"]).run().exits(0).report();
        assert_eq!(mode(&place.path("out")), bits);
        assert_eq!(place.read("out"), records(10));
        fs::remove_file(place.path("out")).unwrap();
    }
}

#[test]
fn a_new_output_respects_the_callers_mask() {
    let place = Place::new();
    place.write("in", records(10));
    for (mask, bits) in [("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        let script = format!("umask {mask}; exec \"$0\" \"$@\"");
        let esteira = place.esteira().under("sh", &["-c", &script]);
        let options = ["--rejects", "bad"];
        esteira.pipe("in", "out", &options, &["cat"]).run().exits(0).report();
        assert_eq!((mode(&place.path("out")), mode(&place.path("bad"))), (bits, bits), "{mask}");
        for name in ["out", "bad"] {
            fs::remove_file(place.path(name)).unwrap();
        }
    }
}

#[test]
fn while_a_run_goes_on_its_output_is_no_more_open_than_the_one_before() {
    let place = Place::new();
    place.write("in", records(10));
    place.write("out", "before\n");
    fs::set_permissions(place.path("out"), fs::Permissions::from_mode(0o600)).unwrap();
    // The child sees what the folder holds meanwhile.
    let look = "cat; stat -c %a .out.*esteira* >seen; cat out >&2";
    let done = place.esteira().pipe("in", "out", &[], &["sh", "-c", look]).run().exits(0);
    assert_eq!(place.text("seen"), "600\n");
    done.says("sh | before").report();
}

#[test]
fn odd_names_are_names() {
    let place = Place::new();
    place.write("in", records(3));
    for name in ["a b", "\u{e9}t\u{e9}", "-o", "*", "$(x)", "a\nb", &"n".repeat(255)] {
        place.esteira().pipe("in", &format!("./{name}"), &[], &["cat"]).run().exits(0).report();
        assert_eq!(place.read(name), records(3), "{name:?}");
    }
}

#[test]
fn an_output_among_the_inputs_is_refused_whatever_its_name() {
    let place = Place::new();
    place.write("in", records(3));
    fs::create_dir(place.path("folder")).unwrap();
    std::os::unix::fs::symlink("folder", place.path("link")).unwrap();
    place.write("folder/data", records(4));
    for (input, output) in [("in", "./in"), ("in", "folder/../in"), ("folder/data", "link/data")] {
        let kept = place.read(input);
        drop(place.esteira().pipe(input, output, &[], &["cat"]).run().exits(2));
        assert_eq!(place.read(input), kept);
    }
}

/// Whatever else a run writes must not be what it reads, or what it wrote.
#[test]
fn reports_and_events_are_outputs_too() {
    let place = Place::new();
    let input = records(3);
    for tell in [["--events", "in"], ["--report", "json=in"], ["--events", "./in"]] {
        place.write("in", &input);
        let done = place.esteira().pipe("in", "out", &tell, &["cat"]).run().exits(2);
        assert_eq!(place.read("in"), input, "{tell:?}\n{}", done.stderr);
    }
    for tell in [["--events", "out"], ["--report", "json=out"], ["--report", "json=bad"]] {
        let options = [&["--rejects", "bad"], &tell[..]].concat();
        let done = place.esteira().pipe("in", "out", &options, &["cat"]).run().exits(2);
        assert!(!place.has("out") && !place.has("bad"), "{tell:?}\n{}", done.stderr);
    }
}
