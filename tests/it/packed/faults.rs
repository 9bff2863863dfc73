//! Packed inputs that are damaged, cut short, something else, or a bomb.

use super::super::harness::{Finished, Place, events, records};
use super::{BOTH, filtered, pack};

/// Runs `cat` over a packed input that must fail the run; nothing may appear but dead letters.
#[track_caller]
fn fails(place: &Place, input: &str, code: i32, says: &str) -> Finished {
    place.write("out", "before\n");
    let options = ["--rejects", "bad.gz", "--events", "events"];
    let done = place.esteira().pipe(input, "out", &options, &["cat"]).run().exits(code);
    let done = done.says(&format!("cannot read input `{input}`: {says}"));
    assert_eq!(place.text("out"), "before\n");
    assert_eq!(super::unpack("gzip", &place.read("bad.gz")), b"");
    // The books balance.
    done.report();
    done
}

#[test]
fn an_input_that_breaks_off_is_not_taken_for_a_whole_one() {
    for (end, program) in BOTH {
        let place = Place::new();
        let name = format!("in.{end}");
        let (first, second) = (pack(program, &records(1000)), pack(program, &records(100_000)));
        let whole = [&first[..], &second].concat();
        for length in [3, first.len() - 1, first.len() + 1, whole.len() / 2, whole.len() - 1] {
            place.write(&name, &whole[..length]);
            let done = fails(&place, &name, 4, "it breaks off within a");
            drop(done.says(&format!("`{program} -t FILE`")));
        }
        // Between two parts nobody can know that something is missing.
        place.write(&name, &first);
        place.esteira().pipe(&name, "out", &[], &["cat"]).run().exits(0).report();
    }
}

#[test]
fn the_message_says_how_far_it_came() {
    let place = Place::new();
    let packed = pack("gzip", &records(1000));
    place.write("in.gz", &packed[..packed.len() - 8]);
    let (packed, plain) = (packed.len() - 8, records(1000).len());
    let comma = |n: usize| format!("{},{:03}", n / 1000, n % 1000);
    let far = format!(
        "it breaks off within a gzip member, after {} bytes, unpacked {}",
        comma(packed),
        comma(plain)
    );
    drop(fails(&place, "in.gz", 4, &far));
}

#[test]
fn damage_is_found_by_the_checksum() {
    for (end, program) in BOTH {
        let place = Place::new();
        let name = format!("in.{end}");
        let first = pack(program, &records(1000));
        let mut packed = [&first[..], &pack(program, &records(1000))].concat();
        // The checksum is the last but one of the last words of a member, the last of a frame.
        let at = packed.len() - if end == "gz" { 5 } else { 1 };
        packed[at] ^= 1;
        place.write(&name, &packed);
        let part = if end == "gz" { "member" } else { "frame" };
        let begins = first.len();
        let (thousands, rest) = (begins / 1000, begins % 1000);
        let begins =
            if thousands > 0 { format!("{thousands},{rest:03}") } else { rest.to_string() };
        let what = format!("the {program} {part} that begins at byte {begins} is damaged: ");
        drop(fails(&place, &name, 4, &what));
    }
}

#[test]
fn what_is_no_packed_file_is_named() {
    for (end, program) in BOTH {
        let place = Place::new();
        let name = format!("in.{end}");
        place.write(&name, "{\"a\":1}\n");
        let what = format!("it is no {program} file: it begins with `{{\"a\":1}}\\n`");
        let done = fails(&place, &name, 4, &what);
        drop(done.says(&format!("what is not packed needs a name without `.{end}`")));
        place.write(&name, "");
        let done = fails(&place, &name, 4, &format!("it is empty, and no {program} file is"));
        drop(done.says(&format!("`{program} </dev/null`")));
        place.write(&name, filtered(program, &["-c"], b"").unwrap());
        place.esteira().pipe(&name, "out", &[], &["cat"]).run().exits(0).report();
        assert_eq!(place.text("out"), "");
    }
    let place = Place::new();
    place.write("in.gz", pack("zstd", b"{}\n"));
    let done = fails(&place, "in.gz", 4, "it is no gzip file");
    drop(done.says("it looks like zstd: give it a name in `.zst`"));
}

#[test]
fn what_stands_behind_the_last_part_is_an_error_with_its_place() {
    for (end, program) in BOTH {
        let place = Place::new();
        let name = format!("in.{end}");
        let packed = pack(program, b"{}\n");
        place.write(&name, [&packed[..], b"{\"junk\":1}\n"].concat());
        let at = packed.len();
        let what = "stands something else, from byte ";
        let done = fails(&place, &name, 4, "behind the last").says(&format!("{what}{at} on"));
        drop(done.says(&format!("`head -c {at} FILE`")));
    }
    // As `gzip` has it: a tape's last block is filled up.
    let place = Place::new();
    place.write("in.gz", [pack("gzip", b"{}\n"), vec![0; 10_240]].concat());
    place.esteira().pipe("in.gz", "out", &[], &["cat"]).run().exits(0).report();
    assert_eq!(place.text("out"), "{}\n");
}

/// The same with a limit that a test can reach.
#[test]
fn a_bomb_is_stopped_at_its_limit() {
    for (end, program) in BOTH {
        let place = Place::new();
        let name = format!("in.{end}");
        let lines = [&b"{\"first\":1}\n"[..], &vec![b'0'; 50 << 20]].concat();
        place.write(&name, pack(program, &lines));
        let pipeline = format!(
            "[sources.in]\ntype = \"file\"\npath = \"{name}\"\nmax_unpacked = \"10MiB\"\n\
             [stages.pass]\nrun = [\"cat\"]\n\
             [sinks.out]\ntype = \"file\"\npath = \"out\"\npublish = \"always\"\n"
        );
        place.write("bomb.toml", pipeline);
        let done = place.esteira().pipeline("bomb.toml", &["--events", "events"]).run().exits(1);
        let done = done
            .says("it unpacks to more than the 10,485,760 bytes of `max_unpacked`")
            .says("a larger `max_unpacked` in its source lets it pass");
        assert!(!place.has("out"), "half an input is no output, whatever `publish` says");
        let peak = done.report()["controller"]["peak_rss"].as_u64().unwrap();
        assert!(peak < 100 << 20, "{peak}");
        let told = &events(&place, "compressed_limit")[0];
        assert_eq!((&told["file"], &told["limit"]), (&name.into(), &"max_unpacked".into()));
        assert_eq!(told["source"], "in");
        assert!(told["unpacked"].as_u64().unwrap() < 12 << 20, "{told}");
        let enough = ["--set", "sources.in.max_unpacked=51MiB", "--set", "sources.in.check=none"];
        drop(place.esteira().pipeline("bomb.toml", &enough).run().exits(1).says("json.too_long"));
    }
}

#[test]
fn a_frame_that_needs_too_much_memory_is_refused() {
    let place = Place::new();
    // From a pipe, so that its length is not known and the window is what was asked for.
    let packed = filtered("zstd", &["-c", "--long=28"], &records(10)).unwrap();
    place.write("in.zst", packed);
    let done = fails(&place, "in.zst", 1, "its zstd frame needs a window of more than 128 MiB");
    drop(done.says("`zstd -dc --long=31 FILE | esteira"));
    assert_eq!(events(&place, "compressed_limit")[0]["limit"], "window");
}
