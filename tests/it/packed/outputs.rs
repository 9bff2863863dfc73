//! Packed outputs: whole parts of whole lines, the same bytes each time, or none at all.

use std::time::Duration;

use rustix::process::Signal;

use super::super::harness::{Place, eventually, needs, records, strays};
use super::{BOTH, filtered, unpack};

/// About this much is in a part.
const PART: usize = 4 << 20;

/// Three parts and a bit.
fn many() -> Vec<u8> {
    records(1_100_000)
}

#[test]
fn the_bytes_depend_on_the_lines_alone() {
    let place = Place::new();
    place.write("in", many());
    for (end, program) in BOTH {
        let out = |name: &str| format!("{name}.{end}");
        place.esteira().pipe("in", &out("a"), &[], &["cat"]).run().exits(0).report();
        let bytes = place.read(&out("a"));
        assert!(unpack(program, &bytes) == many());
        for workers in ["1", "2", "4"] {
            let options = ["-j", workers, "--protocol", "lines"];
            place.esteira().pipe("in", &out("b"), &options, &["cat"]).run().exits(0).report();
            assert!(place.read(&out("b")) == bytes, "{end}: {workers} workers");
        }
        let piece = "dd bs=7001 status=none";
        place.esteira().pipe("in", &out("c"), &[], &["sh", "-c", piece]).run().exits(0).report();
        assert!(place.read(&out("c")) == bytes, "{end}: small batches");
    }
}

/// Where parts begin: at each place of their first bytes from which a whole one can be unpacked.
fn starts(program: &str, bytes: &[u8]) -> Vec<usize> {
    let magic: &[u8] =
        if program == "gzip" { &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0] } else { &[0x28, 0xb5, 0x2f, 0xfd] };
    let places = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(magic));
    places.filter(|at| filtered(program, &["-t"], &bytes[*at..]).is_some()).collect()
}

#[test]
fn each_part_is_whole_and_holds_whole_lines() {
    let place = Place::new();
    let lines = many();
    place.write("in", &lines);
    for (end, program) in BOTH {
        let name = format!("out.{end}");
        place.esteira().pipe("in", &name, &[], &["cat"]).run().exits(0).report();
        let bytes = place.read(&name);
        let mut starts = starts(program, &bytes);
        assert_eq!(starts.len(), lines.len().div_ceil(PART), "{end}");
        starts.push(bytes.len());
        let mut all = Vec::new();
        for (number, part) in starts.windows(2).enumerate() {
            let part = unpack(program, &bytes[part[0]..part[1]]);
            assert!(part.ends_with(b"}\n"), "{end}: part {number}");
            if number + 2 < starts.len() {
                assert!((PART..PART + 20).contains(&part.len()), "{end}: {}", part.len());
            }
            all.extend(part);
        }
        assert!(all == lines, "{end}");
    }
}

#[test]
fn an_empty_output_can_be_unpacked() {
    for (end, program) in BOTH {
        let place = Place::new();
        place.write("in", "");
        let (out, bad) = (format!("out.{end}"), format!("bad.{end}"));
        let options = ["--rejects", &bad];
        place.esteira().pipe("in", &out, &options, &["cat"]).run().exits(0).report();
        for file in [out, bad] {
            assert_eq!(unpack(program, &place.read(&file)), b"", "{file}");
        }
    }
}

/// Sinks, `output` and `rejects`, in a pipeline file, and read back by another run.
#[test]
fn all_files_of_records_can_be_packed() {
    let place = Place::new();
    place.write("in", [records(1000), b"bad\n".to_vec()].concat());
    place.write(
        "esteira.toml",
        "[pipeline]\nrejects = \"bad.ZST\"\nmax_rejects = 1\n\
         [sources.in]\ntype = \"file\"\npath = \"in\"\n\
         [stages.pass]\nrun = [\"cat\"]\noutput = \"out.gz\"\n",
    );
    place.esteira().pipeline("esteira.toml", &[]).run().exits(0).report();
    assert!(unpack("gzip", &place.read("out.gz")) == records(1000));
    let letters = String::from_utf8(unpack("zstd", &place.read("bad.ZST"))).unwrap();
    assert!(letters.contains("\"code\":\"json.syntax\""), "{letters}");
    place.esteira().pipe("out.gz", "again.zst", &[], &["cat"]).run().exits(0).report();
    assert!(unpack("zstd", &place.read("again.zst")) == records(1000));
}

#[test]
fn dead_letters_are_packed_on_a_bad_end_too() {
    let place = Place::new();
    place.write("in", "bad\n");
    place.write("bad.gz", "before");
    let options = ["--rejects", "bad.gz"];
    place.esteira().pipe("in", "out.gz", &options, &["cat"]).run().exits(1).report();
    assert!(!place.has("out.gz"));
    assert!(!unpack("gzip", &place.read("bad.gz")).is_empty());
    drop(place.esteira().pipe("missing", "out.gz", &options, &["cat"]).run().exits(4));
    assert_eq!(unpack("gzip", &place.read("bad.gz")), b"");
}

#[test]
fn what_takes_records_as_they_come_takes_none_packed() {
    let place = Place::new();
    place.write("in", records(10));
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("out.gz"), 0o600.into()).unwrap();
    let done = place.esteira().pipe("in", "out.gz", &[], &["touch", "ran"]).run().exits(2);
    drop(done.says("will not write `out.gz` in gzip: it is a pipe or device"));
    assert!(!place.has("ran"));
}

/// What is packed last is written when all is over: then, too, an error is an error.
#[test]
fn a_limit_on_the_size_of_files_is_told_early_and_late() {
    let prlimit = needs("prlimit", "util-linux");
    for (end, _) in BOTH {
        let name = format!("out.{end}");
        for (count, limit) in [(1_100_000, "--fsize=300000"), (1000, "--fsize=100")] {
            let place = Place::new();
            place.write("in", records(count));
            place.write(&name, "before\n");
            let esteira = place.esteira().under(&prlimit, &[limit]);
            let arguments = ["pipe", "-i", "in", "-o", &name, "--", "cat"];
            let done = esteira.args(arguments).run().exits(4);
            drop(done.says(&format!("cannot write `{name}`: File too large")));
            assert_eq!(place.text(&name), "before\n");
        }
    }
}

#[test]
fn a_full_disk_keeps_the_old_output() {
    let unshare = needs("unshare", "util-linux");
    let place = Place::new();
    place.write("in", many());
    place.write("out/users", "");
    let namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    let script = "mount -t tmpfs -o size=400k none out && echo before >out/users.gz || exit 99\n\
                  \"$0\" \"$@\"; code=$?; ls -A out >left; cat out/users.gz >kept; exit $code";
    let esteira = place.esteira().under(&unshare, &[namespace, "sh", "-c", script]);
    let done = esteira.pipe("in", "out/users.gz", &[], &["cat"]).run().exits(4);
    let done = done.says("cannot write `out/users.gz`: No space left on device");
    assert_eq!((place.text("left"), place.text("kept")), ("users.gz\n".into(), "before\n".into()));
    assert_eq!(done.report()["sinks"]["output"]["written"], 0);
}

#[test]
fn stopped_midway_it_leaves_nothing() {
    for (end, _) in BOTH {
        let place = Place::new();
        place.write("in", many());
        let name = format!("out/users.{end}");
        let program = ["sh", "-c", "head -n 800000; touch halfway; cat >/dev/null; exec sleep 600"];
        let running = place.esteira().pipe("in", &name, &[], &program).start();
        let written = || {
            let part = strays(&place.path("out")).pop()?;
            (place.has("halfway") && part.metadata().ok()?.len() > 0).then_some(())
        };
        assert!(eventually(Duration::from_secs(30), written).is_some(), "{end}");
        running.signal(Signal::TERM);
        assert_eq!(running.wait().exits(143).code(), 143);
        assert!(!place.has(&name));
    }
}
