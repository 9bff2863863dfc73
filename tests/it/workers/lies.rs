//! Programs that write what they should not, or not as much as they should.

use super::super::harness::records;
use super::{event, grouped, is_in_doubt, no_event, place_with, staged};

/// What is to be written behind line 70,000, and what it is called.
const STRAY: [(&str, &str); 9] = [
    (r"printf 'loading\n'", "no JSON text (column 1: "),
    (r"printf '{\n'", "no JSON text (column 1: EOF"),
    (r"printf '\000\n'", "no JSON text (column 1: "),
    (r"printf '\042a\000b\042\n'", "no JSON text (column 3: control character"),
    (r"printf '\042\300\200\042\n'", "no JSON text (column 2: invalid UTF-8"),
    (r"printf '\377\376{\000}\000\n'", "no JSON text (column 1: "),
    (r"printf '\357\273\277{}\n'", "no JSON text (column 1: "),
    (r"printf '{}\r{}\n'", "no JSON text (column 4: trailing characters"),
    (r"printf 'NaN\n'", "no JSON text (column 1: "),
];

#[test]
fn a_line_that_is_no_record_is_named_by_its_number() {
    for (print, what) in STRAY {
        let place = place_with(100_000);
        let script = format!("head -n 70000 in; {print}; cat");
        let done = staged(&place, "", &["sh", "-c", &script]).run().exits(3);
        let words = format!("stage `work`: worker 0 wrote line 70001, which is {what}");
        let done = done.says(&words).says("stdout is for records");
        is_in_doubt(&place, &done, "work");
        let protocol = event(&place, "protocol");
        assert_eq!((&protocol["stage"], &protocol["line"]), (&"work".into(), &70_001.into()));
        assert!(protocol["message"].as_str().unwrap().contains(what), "{protocol}");
        assert_eq!(event(&place, "stopping")["code"], 3);
    }
}

/// A line without its end is one like the others where it comes last.
#[test]
fn a_torn_last_line_is_judged_by_what_is_there() {
    for (tail, exit) in [("{\\042last\\042:1}", 0), ("{\\042last\\042:", 3), ("{\\042la", 3)] {
        let place = place_with(1000);
        let script = format!("cat; printf '{tail}'");
        let done = staged(&place, "", &["sh", "-c", &script]).run().exits(exit);
        if exit == 0 {
            assert_eq!(place.read("out"), [&records(1000)[..], b"{\"last\":1}\n"].concat());
            assert_eq!(done.report()["stages"]["work"]["out"], 1001);
            no_event(&place, &["protocol"]);
        } else {
            let done = done.says("wrote line 1001, which is no JSON text").says("EOF while");
            assert_eq!(is_in_doubt(&place, &done, "work"), 1000);
            assert_eq!(event(&place, "protocol")["line"], 1001);
        }
    }
}

#[test]
fn a_line_over_the_limit_is_named_by_its_number() {
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    // Whether its end comes or not, and with how much behind it.
    for (bytes, end) in [(1025, "\n"), (1025, ""), (5000, "\n"), (3_000_000, "\n{}\n")] {
        let place = place_with(1000);
        place.write("long", text(1024) + "\n" + &text(bytes) + end);
        let keys = "max_record = \"1KiB\"";
        let done = staged(&place, keys, &["cat", "-", "long"]).run().exits(3);
        let done = done.says("wrote line 1002, which is ").says("1,024").says("`max_record`");
        assert_eq!(is_in_doubt(&place, &done, "work"), 1000);
        assert_eq!(event(&place, "protocol")["line"], 1002);
    }
    let place = place_with(1000);
    place.write("long", text(1024) + "\n" + &text(1024));
    let done = staged(&place, "max_record = \"1KiB\"", &["cat", "-", "long"]).run().exits(0);
    let lines = text(1024) + "\n";
    assert!(place.read("out") == [records(1000), lines.repeat(2).into_bytes()].concat());
    assert_eq!(done.report()["sinks"]["work.output"]["written"], 1002);
}

/// Less is asked of what is no JSON, but that is asked.
#[test]
fn what_is_no_json_may_still_have_to_be_text() {
    for (print, checked, exit) in [
        (r"a\000b\r\n,;\n", "utf8", 0),
        (r"\377\n", "utf8", 3),
        (r"\355\240\200\n", "utf8", 3),
        (r"\377\n\000\n", "none", 0),
    ] {
        let place = place_with(1000);
        let script = format!("cat >/dev/null; printf 'ok\\n{print}'");
        let keys = format!("check_output = \"{checked}\"");
        let done = staged(&place, &keys, &["sh", "-c", &script]).run().exits(exit);
        if exit == 3 {
            let done = done.says("wrote line 2, which is no UTF-8 (column 1: ");
            assert_eq!(is_in_doubt(&place, &done, "work"), 1000);
            assert_eq!(event(&place, "protocol")["line"], 2);
        } else {
            let bytes: &[u8] =
                if checked == "none" { b"ok\n\xff\n\0\n" } else { b"ok\na\0b\r\n,;\n" };
            assert_eq!(place.read("out"), bytes);
            assert_eq!(done.report()["stages"]["work"]["out"], 3);
        }
    }
}

#[test]
fn a_program_keeps_its_word_about_how_much_it_writes() {
    for (program, one_to_one, at_most_one) in [
        (&["cat"][..], 0, 0),
        (&["sed", "7d"], 3, 0),
        (&["sed", "d"], 3, 0),
        (&["sed", "7p"], 3, 3),
        (&["sed", "$p"], 3, 3),
        // Nobody can see that one line is there twice and another is not.
        (&["sed", "7p;8d"], 0, 0),
    ] {
        for (expect, exit) in [("one-to-one", one_to_one), ("at-most-one", at_most_one), ("any", 0)]
        {
            let place = place_with(1000);
            let keys = format!("expect = \"{expect}\"");
            let done = staged(&place, &keys, program).run().exits(exit);
            let stage = done.report()["stages"]["work"].clone();
            if exit == 0 {
                assert_eq!((&stage["accepted"], &stage["in"]), (&1000.into(), &1000.into()));
                let out = event(&place, "published")["records"].clone();
                assert_eq!(stage["out"], out, "{program:?}");
                assert_eq!(place.text("out").lines().count().to_string(), out.to_string());
                continue;
            }
            let out = grouped(stage["out"].as_u64().unwrap());
            let wanted = if expect == "one-to-one" { "one line" } else { "at most one line" };
            let done = done.says(&format!("stage `work` wrote {out} line"));
            let done = done.says(&format!("records, where {wanted} for each record is expected"));
            let done = done.says("for 1,000 records").says("see `expect` of the stage");
            assert_eq!(is_in_doubt(&place, &done, "work"), 1000);
            assert_eq!(event(&place, "stopping")["code"], 3);
        }
    }
}
