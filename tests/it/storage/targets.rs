//! What stands at a target: replaced if it is a file, written through if it is a pipe or a
//! device, and never followed.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use rustix::process::Signal;

use super::super::harness::{Place, eventually, records};
use super::{mode, place_with};

/// Requires that a target is refused, with these words, before anything is read.
#[track_caller]
fn is_refused(place: &Place, target: &str, words: &str) {
    for (output, rejects) in [(target, "bad"), ("other", target)] {
        let options = ["--rejects", rejects];
        let done = place.esteira().pipe("in", output, &options, &["touch", "ran"]).run().exits(2);
        let done = done.says(words);
        let left = ["other", "bad", "ran"].map(|name| place.has(name));
        assert_eq!(left, [false; 3], "{}", done.stderr);
    }
}

#[test]
fn a_link_to_a_file_is_refused_with_the_path_it_leads_to() {
    let place = place_with(records(10));
    symlink("out/users", place.path("link")).unwrap();
    symlink("link", place.path("again")).unwrap();
    let real = place.path("out/users").canonicalize().unwrap();
    for link in ["link", "again"] {
        let words = format!("it is a link to a regular file, `{}`", real.display());
        is_refused(&place, link, &words);
        assert!(place.path(link).is_symlink());
    }
    assert_eq!(place.text("out/users"), "before\n");
}

#[test]
fn a_link_to_nothing_a_folder_or_a_socket_is_refused() {
    let place = place_with(records(10));
    let _socket = UnixListener::bind(place.path("socket")).unwrap();
    for (to, words) in [
        ("nowhere", "a link to nothing, `nowhere`"),
        ("out", "a link to a folder, `"),
        ("socket", "a link to a socket, `"),
    ] {
        symlink(to, place.path("link")).unwrap();
        is_refused(&place, "link", words);
        fs::remove_file(place.path("link")).unwrap();
    }
    assert!(!place.has("nowhere"));
    is_refused(&place, "out", "it is a folder");
    is_refused(&place, "out/", "this names a folder");
    is_refused(&place, ".", "it is a folder");
    is_refused(&place, "socket", "it is a socket");
}

#[test]
fn a_block_device_is_refused() {
    // A machine without any, such as most containers, gets one that no driver stands behind.
    let mut devices = fs::read_dir("/dev").unwrap().map(|entry| entry.unwrap().path());
    let is_block = |path: &std::path::PathBuf| {
        fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_block_device())
    };
    let place = place_with(records(10));
    let device = devices.find(is_block).unwrap_or_else(|| {
        let path = place.path("device");
        let kind = rustix::fs::FileType::BlockDevice;
        let number = rustix::fs::makedev(240, 0);
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, 0o600.into(), number)
            .expect("there is no block device in /dev, and making one takes root");
        path
    });
    is_refused(&place, device.to_str().unwrap(), "it is a block device");
    symlink(&device, place.path("link")).unwrap();
    is_refused(&place, "link", "a link to a block device");
}

#[test]
fn a_link_in_the_way_to_the_folder_is_as_good_as_the_folder() {
    let place = place_with(records(10));
    symlink("out", place.path("way")).unwrap();
    place.esteira().pipe("in", "way/users", &[], &["cat"]).run().exits(0).report();
    assert_eq!(place.read("out/users"), records(10));
    assert!(place.path("way").is_symlink());
}

#[test]
fn of_two_names_of_a_file_the_other_keeps_the_old_contents() {
    let place = place_with(records(10));
    fs::set_permissions(
        place.path("out/users"),
        std::os::unix::fs::PermissionsExt::from_mode(0o640),
    )
    .unwrap();
    fs::hard_link(place.path("out/users"), place.path("other")).unwrap();
    place.esteira().pipe("in", "out/users", &[], &["cat"]).run().exits(0).report();
    assert_eq!(place.text("other"), "before\n");
    assert_eq!(place.read("out/users"), records(10));
    assert_eq!((mode(&place.path("out/users")), mode(&place.path("other"))), (0o640, 0o640));
    assert_eq!(fs::metadata(place.path("other")).unwrap().nlink(), 1);
}

#[test]
fn the_bin_of_the_system_takes_everything_and_stays_what_it_is() {
    let place = place_with(records(10));
    symlink("/dev/null", place.path("link")).unwrap();
    for target in ["/dev/null", "link"] {
        let done = place.esteira().pipe("in", target, &[], &["cat"]).run().exits(0);
        let done =
            done.says(&format!("`{target}` gets records as they come, however the run ends"));
        assert_eq!(done.report()["sinks"]["output"]["written"], 10);
    }
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert!(place.path("link").is_symlink());
}

/// By whatever name: an event log would empty the input before it is read.
#[test]
fn no_name_of_an_input_is_written() {
    let names = [
        ("in*", "here/in2"),
        ("in*", "hard"),
        ("here/in*", "in2"),
        ("lin*", "in2"),
        ("in2", "hard"),
    ];
    for (input, target) in names {
        for option in ["--events", "--report", "--rejects", "-o"] {
            let place = Place::new();
            place.write("in1", records(10));
            place.write("in2", records(10));
            symlink(".", place.path("here")).unwrap();
            symlink("in2", place.path("link")).unwrap();
            fs::hard_link(place.path("in2"), place.path("hard")).unwrap();
            let hard = target == "hard";
            let given =
                if option == "--report" { format!("json={target}") } else { target.to_owned() };
            let mut arguments = vec!["pipe", "-i", input, option, &given];
            arguments.extend(["-o", "out"].iter().filter(|_| option != "-o"));
            arguments.extend(["--progress", "none", "--", "cat"]);
            let done = place.esteira().args(arguments).run();
            let replaces = hard && ["--rejects", "-o"].contains(&option);
            let done = done.exits(if replaces { 0 } else { 2 });
            assert_eq!(
                place.read("in2"),
                records(10),
                "{input} {option} {target}: {}",
                done.stderr
            );
        }
    }
}

#[test]
fn a_report_and_the_events_are_two_files() {
    let place = place_with(records(10));
    symlink(".", place.path("here")).unwrap();
    let arguments = ["pipe", "-i", "in", "-o", "out/users", "--report", "json=told"];
    for events in ["told", "./told", "here/told"] {
        let esteira = place.esteira().args(arguments).args(["--events", events, "--", "cat"]);
        let done = esteira.run().exits(2).says("two files of this run are the same");
        assert!(!place.has("told"), "{}", done.stderr);
    }
}

/// Its reader may never come. The run is over, and whoever waits is told so and may go.
#[test]
fn a_report_that_nobody_reads_can_be_given_up() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let place = place_with(records(10));
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path("fifo"), 0o600.into()).unwrap();
        let arguments = ["pipe", "-i", "in", "-o", "out/users", "--report", "json=fifo", "--"];
        let script = "2>said exec \"$@\"";
        let esteira = place.esteira().under("sh", &["-c", script, "sh"]);
        let running = esteira.args(arguments).args(["cat"]).start();
        let waits = || {
            let said = fs::read_to_string(place.path("said")).unwrap_or_default();
            said.contains("waiting for whoever reads").then_some(())
        };
        assert!(eventually(Duration::from_secs(30), waits).is_some(), "it does not say so");
        running.signal(signal);
        assert_eq!(running.wait().code(), 128 + signal.as_raw());
        assert_eq!(place.read("out/users"), records(10));
    }
}
