//! What a stage writes is checked like what a source reads, but it is no data: it is a mistake.

use super::super::harness::Place;
use super::is_small;

#[test]
fn a_line_that_never_ends_is_not_waited_for() {
    let place = Place::new();
    place.write("in", "{\"a\":1}\n");
    place.write("out", "before\n");
    for endless in ["head -c 1500000000 /dev/zero", "cat /dev/zero"] {
        let program = format!("cat; {endless} | tr '\\0' x");
        let done = place.esteira().pipe("in", "out", &[], &["sh", "-c", &program]).run();
        let done = done.exits(3).says("line 2").says("16,777,216").says("`max_record`");
        assert_eq!(done.report()["stages"]["sh"]["in_doubt"], 1);
        is_small(&done);
        assert_eq!(place.text("out"), "before\n");
    }
}

#[test]
fn a_stray_line_is_shown_and_nothing_of_the_output_is_published() {
    let place = Place::new();
    place.write("in", "{\"a\":1}\n{\"a\":2}\n");
    place.write("out", "before\n");
    let stray = [
        ("printf 'loading model\\n'", "expected value", "loading model"),
        ("printf '\"caf\\351\"\\n'", "invalid UTF-8", "\"caf\\xe9\""),
        ("printf '\\033[2J\\r{}\\n'", "expected value", "\\u{1b}[2J\\r{}"),
        ("printf '{\"a\":1}{\"a\":2}\\n'", "trailing characters", "{\"a\":1}{\"a\":2}"),
        ("printf '{\"torn\":'", "EOF while parsing", "{\"torn\":"),
    ];
    for (print, why, shown) in stray {
        let program = format!("read -r first; echo \"$first\"; {print}; cat");
        let done = place.esteira().pipe("in", "out", &[], &["sh", "-c", &program]).run();
        let done = done.exits(3).says(why).says(shown).says("stdout is for records");
        assert_eq!(done.report()["sinks"]["output"]["written"], 0);
        assert_eq!(place.text("out"), "before\n", "{print}");
    }
}

#[test]
fn a_long_stray_line_is_cut_in_the_message() {
    let place = Place::new();
    place.write("in", "{\"a\":1}\n");
    let program = "cat; head -c 3000000 /dev/zero | tr '\\0' y; echo";
    let done = place.esteira().pipe("in", "out", &[], &["sh", "-c", program]).run();
    let done = done.exits(3).says("yyyyy … (3000000 bytes in all)");
    assert!(done.stderr.len() < 4000, "{} bytes are told", done.stderr.len());
}

#[test]
fn who_makes_something_else_of_records_says_so() {
    let place = Place::new();
    place.write("in", "{\"a\":1}\n{\"a\":2}\n");
    place.write(
        "p.toml",
        "[sources.in]\ntype = \"file\"\npath = \"in\"\n\
         [stages.csv]\nrun = [\"sh\", \"-c\", \"cat >/dev/null; printf 'a\\\\r\\\\n\\\\n\\\\377\\\\n'\"]\n\
         check_output = \"none\"\noutput = \"out\"\n",
    );
    let done = place.esteira().args(["run", "p.toml"]).run().exits(0);
    assert!(done.stderr.contains("csv: 3 came out of 2 (1 more)"), "{}", done.stderr);
    assert_eq!(place.read("out"), b"a\r\n\n\xff\n");
}
