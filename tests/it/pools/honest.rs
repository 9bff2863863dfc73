//! Workers that keep their protocol: how many they are cannot be seen from what comes out.

use super::super::harness::{Place, records, without_trace};
use super::{letters, pool, replaced};

/// How many workers are tried.
const SIZES: [u32; 5] = [1, 2, 4, 8, 32];

/// A record, in one of the ways people write them.
fn spelt(id: u64) -> String {
    match id % 7 {
        1 => format!(r#" {{ "id" : 0 , "id":{id},"n":12345678901234567890123,"e":1.50E+400 }}"#),
        2 => format!(r#"{{"id":{id},"s":"\u00e9\ud800\/\u0000","key":"a\u0062"}}"#),
        3 => format!("{{\"id\":{id}}}\r"),
        4 => format!("{{\"id\":{id},\r\"key\":[1, 2]}}"),
        5 => format!("\t{{\"é\":\"\u{2028}\u{1f600}\",\"id\":{id},\"id\":{id}}}"),
        _ => format!("{{\"id\":{id}}}"),
    }
}

/// What becomes of them where every seventh is refused, every eleventh dropped and every fifth
/// replaced.
fn wanted(count: u64, rejects: bool, drops: bool) -> (String, Vec<u64>) {
    let (mut out, mut bad) = (String::new(), Vec::new());
    for id in 1..=count {
        if rejects && id % 7 == 0 {
            bad.push(id);
        } else if drops && id % 11 == 0 {
        } else {
            out += &if id % 5 == 0 { replaced(id) } else { spelt(id) };
            out.push('\n');
        }
    }
    (out, bad)
}

/// Tries a protocol with all sizes; for `lines`, nothing is rejected, by `command` nothing dropped.
fn any_size_gives_the_same(protocol: &str, count: u64, args: &[&str]) {
    let (rejects, drops) = (protocol != "lines", protocol != "command");
    let place = Place::new();
    let lines: Vec<String> = (1..=count).map(|id| spelt(id) + "\n").collect();
    place.write("in", lines.concat());
    let (out, bad) = wanted(count, rejects, drops);
    let mut first = None;
    // Processes cost more than records.
    let sizes = if protocol == "command" { &[1, 32] } else { &SIZES[..] };
    for workers in sizes {
        let keys = format!("workers = {workers}\nmax_rejects = \"100%\"");
        let done = pool(&place, protocol, &keys, args).run().exits(0);
        assert!(place.text("out") == out, "{protocol} by {workers}: {}", done.stderr);
        let stage = &done.report()["stages"]["work"];
        let counts = ["in", "rejected", "dropped", "in_doubt"].map(|key| stage[key].as_u64());
        let dropped = (1..=count).filter(|id| drops && id % 11 == 0 && !(rejects && id % 7 == 0));
        let wanted = [count, bad.len() as u64, dropped.count() as u64, 0];
        assert_eq!(counts, wanted.map(Some), "{protocol} by {workers}");
        assert_eq!(stage["out"], stage["accepted"]);
        let letters = without_trace(&place.text("bad"));
        let first = first.get_or_insert_with(|| letters.clone());
        assert_eq!(*first, letters, "{protocol} by {workers}");
    }
    // Where they stood is what the source says, and whose fault it is what the worker says.
    for (letter, id) in letters(&place).iter().zip(&bad) {
        let before = lines.iter().take(usize::try_from(*id).unwrap() - 1).map(String::len);
        assert_eq!(letter["line"], *id);
        assert_eq!(letter["offset"], before.sum::<usize>());
        let place = ["source", "file", "stage"].map(|key| letter[key].as_str().unwrap());
        assert_eq!(place, ["in", "in", "work"]);
        let says = letter["errors"][0]["message"].as_str().unwrap();
        assert_eq!(says, format!("{id} is refused"));
    }
    assert_eq!(letters(&place).len(), bad.len());
}

#[test]
fn replies_by_id() {
    any_size_gives_the_same("records", 3000, &["--reject", "7", "--drop", "11", "--replace", "5"]);
}

#[test]
fn replies_by_position() {
    any_size_gives_the_same("lines", 3000, &["--drop", "11", "--replace", "5"]);
}

#[test]
fn replies_by_exit_code() {
    any_size_gives_the_same("command", 15, &["--reject", "7", "--replace", "5"]);
}

/// In which order they come is the workers' own affair.
#[test]
fn replies_come_in_any_order() {
    let ways: [&[&str]; 3] = [
        &["--order", "reverse"],
        &["--order", "shuffle", "--window", "100"],
        &["--do", "late:50", "--id", "500"],
    ];
    for args in ways {
        for workers in [1, 3] {
            let place = Place::new();
            place.write("in", (1..=2000).map(|id| spelt(id) + "\n").collect::<String>());
            let keys = format!("workers = {workers}");
            super::is_whole(&place, pool(&place, "records", &keys, args).run()).report();
        }
    }
}

/// Where the order does not matter, all come but in some order.
#[test]
fn without_an_order_the_same_comes_out() {
    for protocol in ["records", "lines"] {
        let place = Place::new();
        place.write("in", records(5000));
        let args: &[&str] = if protocol == "records" {
            &["--order", "shuffle", "--replace", "5"]
        } else {
            &["--replace", "5"]
        };
        let keys = "workers = 4\norder = \"none\"";
        let done = pool(&place, protocol, keys, args).run().exits(0);
        let mut lines: Vec<String> = place.text("out").lines().map(str::to_owned).collect();
        let keep = |id: u64| format!("{{\"id\":{id}}}");
        let mut wanted: Vec<String> =
            (1..=5000).map(|id| if id % 5 == 0 { replaced(id) } else { keep(id) }).collect();
        lines.sort_unstable();
        wanted.sort_unstable();
        assert!(lines == wanted, "{}", done.stderr);
        assert_eq!(done.report()["stages"]["work"]["accepted"], 5000);
    }
}

#[test]
fn nothing_comes_of_nothing() {
    for protocol in ["records", "lines", "command"] {
        for input in ["", "\n \n"] {
            let place = Place::new();
            place.write("in", input);
            let done = pool(&place, protocol, "workers = 2", &[]).run().exits(0);
            assert_eq!((place.text("out"), place.text("bad")), (String::new(), String::new()));
            assert_eq!(done.report()["stages"]["work"]["in"], 0);
        }
    }
}
