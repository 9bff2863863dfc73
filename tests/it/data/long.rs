//! Lines that are too long: for the limit, for memory, for patience.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::super::harness::Place;
use super::{faults, is_small, letters};

/// Requires what is kept of a line of so many times `x`.
#[track_caller]
fn is_head(letter: &Value, bytes: usize) {
    let head = STANDARD.decode(letter["raw"].as_str().unwrap()).unwrap();
    assert!(head == vec![b'x'; 4096], "the first 4 KiB are kept");
    assert_eq!((&letter["bytes"], &letter["truncated"]), (&bytes.into(), &true.into()));
    assert_eq!(letter.get("record"), None);
    let mut sha256 = Sha256::new();
    let block = vec![b'x'; 1 << 20];
    let mut rest = bytes;
    while rest > 0 {
        let some = rest.min(block.len());
        sha256.update(&block[..some]);
        rest -= some;
    }
    let digits = esteira::words::dead_letter::hex(&sha256.finalize());
    assert_eq!(letter["sha256"], digits, "of the whole line");
}

#[test]
fn a_line_over_the_limit_goes_by_and_the_next_is_intact() {
    let place = Place::new();
    let long = 40_000_000;
    place.write("in", ["{\"a\":1}\n", &"x".repeat(long), "\n{\"a\":3}\n\n[5"].concat());
    let options = ["--rejects", "bad", "--max-rejects", "2"];
    let done = place.esteira().pipe("in", "out", &options, &["cat"]).run().exits(0);
    assert_eq!(place.text("out"), "{\"a\":1}\n{\"a\":3}\n");
    let bad = letters(&place, "bad");
    assert_eq!(faults(&bad), [(2, "json.too_long", None), (5, "json.syntax", Some(2))]);
    is_head(&bad[0], long);
    assert_eq!((&bad[0]["offset"], &bad[1]["offset"]), (&8.into(), &(18 + long).into()));
    let message = "40,000,000 bytes, more than the 16,777,216 of `max_record`";
    assert_eq!(bad[0]["errors"][0]["message"], message);
    is_small(&done);
}

#[test]
fn the_limit_is_exact_and_does_not_count_the_line_feed() {
    let place = Place::new();
    let text = |bytes: usize| format!("\"{}\"\n", "x".repeat(bytes - 2));
    place.write("in", [text(1024), text(1025), text(1023), text(1 << 20)].concat());
    place.write(
        "p.toml",
        "[pipeline]\nrejects = \"bad\"\nmax_rejects = 2\n\
         [sources.in]\ntype = \"file\"\npath = \"in\"\nmax_record = \"1KiB\"\n\
         [stages.copy]\nrun = [\"cat\"]\noutput = \"out\"\n",
    );
    let done = place.esteira().args(["run", "p.toml"]).run().exits(0);
    assert_eq!(place.text("out"), text(1024) + &text(1023));
    let bad = letters(&place, "bad");
    assert_eq!(faults(&bad), [(2, "json.too_long", None), (4, "json.too_long", None)]);
    assert_eq!((&bad[0]["bytes"], &bad[1]["bytes"]), (&1025.into(), &(1 << 20).into()));
    drop(done.says("dead letters: bad, 2 records"));
}

/// More than fits in memory many times over, from a pipe.
#[test]
fn a_line_of_gigabytes_costs_time_and_nothing_else() {
    let place = Place::new();
    let bytes = 1_500_000_000;
    let make = format!(
        "{{ head -c {bytes} /dev/zero | tr '\\0' x; printf '\\n{{\"a\":2}}\\n'; }} | \"$0\" \"$@\""
    );
    let options = ["--rejects", "bad", "--max-rejects", "1"];
    let esteira = place.esteira().under("sh", &["-c", &make]);
    let done = esteira.pipe("-", "out", &options, &["cat"]).run().exits(0);
    assert_eq!(place.text("out"), "{\"a\":2}\n");
    let bad = letters(&place, "bad");
    assert_eq!((&bad[0]["bytes"], &bad[0]["file"]), (&bytes.into(), &"-".into()));
    assert_eq!(faults(&bad), [(1, "json.too_long", None)]);
    is_small(&done);
}
