//! The check as a whole: what is known of it line by line, and every way of it against the oracle.

mod fuzz;
mod oracle;

use crate::json::filter::Way;
use crate::json::{Odds, check, is_blank};

/// Every way there is to go over lines.
fn ways() -> Vec<Way> {
    let fastest = Way::fastest();
    if fastest == Way::Lines { vec![Way::Lines] } else { vec![fastest, Way::Lines] }
}

/// What each line of a buffer is: nothing if it is fine, `blank`, or code and column.
fn verdicts(way: Way, lines: &[u8]) -> Vec<(usize, &'static str, u64)> {
    let starts: Vec<usize> =
        std::iter::once(0).chain(memchr::memchr_iter(b'\n', lines).map(|feed| feed + 1)).collect();
    let odds = Odds::new(way, lines);
    odds.map(|odd| {
        let number = starts.binary_search(&odd.place.start).unwrap();
        match odd.fault {
            None => (number, "blank", 0),
            Some(fault) => (number, fault.code, fault.column),
        }
    })
    .collect()
}

/// Holds every way, and the judge, against the oracle, line by line.
fn agree(lines: &[u8]) {
    let text = lines.strip_suffix(b"\n").unwrap_or(lines);
    let each = text.split(|byte| *byte == b'\n').enumerate();
    let want: Vec<(usize, &'static str, u64)> = each
        .filter_map(|(number, line)| {
            let (code, column) = oracle::verdict(line)?;
            if is_blank(line) { Some((number, "blank", 0)) } else { Some((number, code, column)) }
        })
        .collect();
    for way in ways() {
        let seen = verdicts(way, lines);
        if seen != want {
            let differ = want.iter().zip(&seen).position(|(want, seen)| want != seen);
            let at = differ.unwrap_or(want.len().min(seen.len()));
            let line = |list: &[(usize, &'static str, u64)]| {
                list.get(at).map(|(number, ..)| {
                    let line = text.split(|byte| *byte == b'\n').nth(*number).unwrap_or_default();
                    crate::words::text::escape(line)
                })
            };
            panic!(
                "{way:?}: want {:?} of {:?}, seen {:?} of {:?}",
                want.get(at),
                line(&want),
                seen.get(at),
                line(&seen),
            );
        }
    }
}

fn verdict(line: &[u8]) -> Option<(&'static str, u64)> {
    check(line).err().map(|f| (f.code, f.column))
}

fn nested(levels: usize) -> Vec<u8> {
    [vec![b'['; levels], vec![b']'; levels]].concat()
}

#[test]
fn what_rfc_8259_allows_passes() {
    let good: [&[u8]; 12] = [
        b"{}",
        b" [1, 2] \r",
        b"\"\\ud800 \\u0000\"",
        b"1e400",
        b"-0",
        b"{\"a\":1,\"a\":2}",
        b"123456789012345678901234567890",
        b"null",
        b"\"\x7f\"",
        "\"\u{2028}\u{feff}é\"".as_bytes(),
        b"\t1",
        b"1.0E+2",
    ];
    for line in good {
        assert_eq!(verdict(line), None, "{:?}", String::from_utf8_lossy(line));
    }
}

#[test]
fn what_it_does_not_allow_is_refused_with_its_column() {
    let bad: [(&[u8], &str, u64); 12] = [
        (b"{\"a\":}", "json.syntax", 6),
        (b"{\"a\":1", "json.syntax", 6),
        (b"1 2", "json.syntax", 3),
        (b"NaN", "json.syntax", 1),
        (b"'a'", "json.syntax", 1),
        (b"01", "json.syntax", 2),
        (b"\"a\tb\"", "json.syntax", 3),
        (b"\"\\x\"", "json.syntax", 3),
        (b"\"\xff\"", "json.utf8", 2),
        (b"\"\xc0\xaf\"", "json.utf8", 2),
        (b"\"\xed\xa0\x80\"", "json.utf8", 2),
        (b"{,\xff", "json.syntax", 2),
    ];
    for (line, code, column) in bad {
        let shown = String::from_utf8_lossy(line);
        assert_eq!(verdict(line), Some((code, column)), "{shown:?}");
    }
    assert_eq!(verdict("\u{feff}{}".as_bytes()), Some(("json.syntax", 1)), "a BOM is no JSON");
}

#[test]
fn depth_is_counted_outside_of_strings() {
    assert_eq!(verdict(&nested(128)), None);
    assert_eq!(verdict(&nested(129)), Some(("json.too_deep", 129)));
    assert_eq!(verdict(&nested(100_000)), Some(("json.too_deep", 129)));
    let wide = format!("[{}]", vec!["{}"; 5000].join(","));
    assert_eq!(verdict(wide.as_bytes()), None);
    let quoted = format!("[\"{}\\\"{}\"]", "[".repeat(500), "{".repeat(500));
    assert_eq!(verdict(quoted.as_bytes()), None);
    // Broken before it gets deep: the first fault is the one to tell.
    let broken = [b"[}".to_vec(), nested(200)].concat();
    assert_eq!(verdict(&broken), Some(("json.syntax", 2)));
}

#[test]
fn blank_is_json_white_space() {
    assert!(is_blank(b"") && is_blank(b" \t\r"));
    assert!(!is_blank(b"\x0b") && !is_blank(b"\xc2\xa0") && !is_blank(b"0"));
}

/// What has caught checkers before, each for itself: whole, broken, and on the way.
fn vectors() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 62] = [
        b"",
        b" ",
        b"\r",
        b"{}",
        b"[]",
        b"{ }",
        b"[\t]",
        b"[1,]",
        b"{,}",
        b"[,1]",
        b"{\"a\":1,}",
        b"{\"a\"}",
        b"{\"a\",1}",
        b"[\"a\":1]",
        b"\"a\":1",
        b"{\"a\":1:2}",
        b"{\"a\":\"b\":1}",
        b"{1:1}",
        b"{[]:1}",
        b"{\"a\":{}}",
        b"{\"a\":[]}",
        b"[{}]",
        b"[{]}",
        b"[}",
        b"{]",
        b"]",
        b"[1 2]",
        b"[1 \"a\"]",
        b"1 2",
        b"\"a\"\"b\"",
        b"\"a\"1",
        b"1\"a\"",
        b"[1[2]]",
        b"[[1]2]",
        b"01",
        b"-01",
        b"-",
        b"1.",
        b".5",
        b"1e",
        b"1e+",
        b"1.5e-3",
        b"-0.0E+00",
        b"0123456789012345678901234567890",
        b"true",
        b"truex",
        b"tru",
        b"[truefalse]",
        b"nul",
        b"NaN",
        b"\"\\u12\"",
        b"\"\\u12g4\"",
        b"\"\\ud800\\uDFFF\"",
        b"\"\\x\"",
        b"\"\\\\\\\"\"",
        b"\"open",
        b"\"a\tb\"",
        b"\"\xc3\xa9\"",
        b"\"\xc3\"",
        b"\xef\xbb\xbf{}",
        b"{\"a\":[1,{\"b\":null}],\"c\":\"\\n\"}",
        b"[\"x\" , -1.5e3 , {}]",
    ];
    let deep = [63, 64, 65, 127, 128, 129, 5000].map(|depth: usize| {
        let opened: Vec<&[u8]> =
            (0..depth).map(|level| if level % 3 == 0 { &b"{\"k\":"[..] } else { b"[" }).collect();
        let closed = (0..depth).rev().map(|level| if level % 3 == 0 { b'}' } else { b']' });
        [opened.concat(), b"0".to_vec(), closed.collect()].concat()
    });
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    for text in &deep {
        all.push(text.clone());
        all.push(text.iter().copied().chain(*b"]").collect());
        all.push(text.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default());
    }
    all
}

#[test]
fn every_vector_is_judged_the_same_at_every_place_of_a_block() {
    for vector in vectors() {
        for pad in 0..64 {
            // White space before and inside of it, and good and bad neighbours.
            let blank = [vec![b' '; pad], vector.clone()].concat();
            let behind = [vector.clone(), vec![b' '; pad]].concat();
            let first = [b"\"".to_vec(), vec![b'x'; pad], b"\"".to_vec()].concat();
            let buffer = [&first[..], &vector, b"{\"a\":1}", &blank, b"{\"a\" 1}", &behind, b"[0]"];
            agree(&[buffer.join(&b'\n'), b"\n".to_vec()].concat());
            agree(&[&first[..], b"\n", &vector].concat());
            let want = oracle::verdict(&vector);
            assert_eq!(verdict(&vector), want, "{:?}", crate::words::text::escape(&vector));
        }
    }
}

#[test]
fn every_byte_is_judged_the_same_wherever_it_stands() {
    for byte in (0..=255).filter(|byte| *byte != b'\n') {
        for text in [&b"{\"a\":[1,\"b\"],\"c\":-1.5e3}"[..], b" [true , \"\\n\" , null] ", b"\"x\""]
        {
            let put: Vec<Vec<u8>> = (0..=text.len())
                .flat_map(|at| {
                    let (before, behind) = text.split_at(at);
                    let over = behind.get(1..).unwrap_or_default();
                    [[before, &[byte], behind].concat(), [before, &[byte], over].concat()]
                })
                .collect();
            agree(&[put.join(&b'\n'), b"\n".to_vec()].concat());
        }
    }
}
