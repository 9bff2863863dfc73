//! Packed inputs of all shapes.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::time::Duration;

use rustix::process::Signal;

use super::super::harness::{Place, events, eventually, records};
use super::{BOTH, pack};

#[test]
fn any_number_of_parts_is_one_input() {
    for (end, program) in BOTH {
        let place = Place::new();
        // A line may begin in one part and end in another.
        let parts = [&b"{\"a\":1}\n{\"b\""[..], b"", b":2}\n", &records(50_000), b"[3]"];
        let packed: Vec<Vec<u8>> = parts.iter().map(|part| pack(program, part)).collect();
        place.write(&format!("in.{end}"), packed.concat());
        let done = place.esteira().pipe(&format!("in.{end}"), "out", &[], &["cat"]).run();
        let report = done.exits(0).report();
        assert!(place.read("out") == [&parts.concat()[..], b"\n"].concat(), "{end}");
        assert_eq!(report["sources"]["input"]["lines"], 50_003);
    }
}

/// The frame of another program, larger than what it says of itself, and one to be skipped.
#[test]
fn zstd_may_use_long_windows_checksums_and_frames_to_skip() {
    let place = Place::new();
    let frame = super::filtered("zstd", &["-c", "-19", "--long=27"], &records(1000)).unwrap();
    let bare = super::filtered("zstd", &["-c", "--no-check"], &records(1000)).unwrap();
    let skipped = b"\x5f\x2a\x4d\x18\x04\0\0\0skip";
    place.write("in.zst", [&skipped[..], &frame, skipped, &bare].concat());
    place.esteira().pipe("in.zst", "out", &[], &["cat"]).run().exits(0).report();
    assert!(place.read("out") == records(1000).repeat(2));
}

#[test]
fn plain_and_packed_files_follow_each_other_by_pattern_and_by_name() {
    let place = Place::new();
    place.write("data/1.ndjson", "{\"n\":1}\n");
    place.write("data/2.ndjson.GZ", pack("gzip", b"\xef\xbb\xbf{\"n\":2}\n"));
    place.write("data/3.ndjson.zst", pack("zstd", b"{\"n\":3}"));
    place.write("data/4.ndjson", "{\"n\":4}");
    place.write("esteira.toml", "[sources.in]\ntype = \"file\"\npath = [\"data/[123]*\", \"data/4.ndjson\"]\n[sinks.out]\ntype = \"file\"\npath = \"out\"\n");
    place.esteira().pipeline("esteira.toml", &[]).run().exits(0).report();
    assert_eq!(place.text("out"), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n");
}

/// Lines and offsets are those of what was packed.
#[test]
fn dead_letters_name_the_place_in_the_unpacked_lines() {
    for (end, program) in BOTH {
        let place = Place::new();
        let (before, bad) = (records(30_000), b"oops\n".to_vec());
        let lines = [&before[..], &bad, b"{}\n", &bad].concat();
        let (first, second) = lines.split_at(1000);
        let name = format!("in.{end}");
        place.write(&name, [pack(program, first), pack(program, second)].concat());
        let options = ["--rejects", "bad.gz", "--max-rejects", "2"];
        let done = place.esteira().pipe(&name, "out.zst", &options, &["cat"]).run().exits(0);
        done.report();
        let letters = String::from_utf8(super::unpack("gzip", &place.read("bad.gz"))).unwrap();
        let at = before.len();
        for (letter, (line, offset)) in letters.lines().zip([(30_001, at), (30_003, at + 8)]) {
            let place = format!("\"file\":\"{name}\",\"line\":{line},\"offset\":{offset},");
            assert!(letter.contains(&place), "{place} in {letter}");
        }
        assert_eq!(letters.lines().count(), 2);
    }
}

/// Bytes of the file itself, of which it is known how many there are.
#[test]
fn progress_counts_packed_bytes() {
    let place = Place::new();
    let length = place.write("in.gz", pack("gzip", &records(200_000))).metadata().unwrap().len();
    let options = ["--events", "events"];
    place.esteira().pipe("in.gz", "out.gz", &options, &["cat"]).run().exits(0).report();
    let ticks = events(&place, "tick");
    let last = &ticks.last().unwrap()["tables"];
    assert_eq!(last[0]["total"], length);
    assert!(last[0]["bytes"].as_u64().unwrap() <= length, "{last}");
    let published = &events(&place, "published")[0];
    assert_eq!(published["bytes"], place.read("out.gz").len());
}

/// What came so far goes on while a FIFO keeps us waiting, and a signal is heard meanwhile.
#[test]
fn a_fifo_that_keeps_us_waiting_can_be_left() {
    for (end, program) in BOTH {
        let place = Place::new();
        let fifo = place.path(&format!("in.{end}"));
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).unwrap();
        let arguments = ["pipe", "-i", &format!("in.{end}"), "--", "sh", "-c", "tee seen"];
        let running = place.esteira().args(arguments).start();
        let mut writer = File::options().write(true).open(&fifo).unwrap();
        let packed = [pack(program, b"{\"a\":1}\n"), pack(program, b"{\"b\":2}\n")].concat();
        writer.write_all(&packed[..packed.len() - 3]).unwrap();
        let seen = || {
            let mut text = String::new();
            File::open(place.path("seen")).ok()?.read_to_string(&mut text).unwrap();
            text.starts_with("{\"a\":1}\n").then_some(())
        };
        assert!(eventually(Duration::from_secs(30), seen).is_some(), "{end}: nothing came");
        running.signal(Signal::TERM);
        assert_eq!(running.wait().exits(143).code(), 143);
        drop(writer);
    }
}

#[test]
fn a_fifo_is_read_to_its_end() {
    let place = Place::new();
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("in.zst"), 0o600.into()).unwrap();
    let running = place.esteira().pipe("in.zst", "out", &[], &["cat"]).start();
    let packed = pack("zstd", &records(100_000));
    File::options().write(true).open(place.path("in.zst")).unwrap().write_all(&packed).unwrap();
    running.wait().exits(0).report();
    assert!(place.read("out") == records(100_000));
}
