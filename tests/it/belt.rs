//! The first things a user does.

use super::harness::{Place, records};

#[test]
fn a_file_goes_through_a_program_byte_for_byte() {
    let place = Place::new();
    place.write("in.ndjson", records(5000));
    let done = place.esteira().pipe("in.ndjson", "out.ndjson", &[], &["cat"]).run().exits(0);
    assert_eq!(place.read("out.ndjson"), records(5000));
    let report = done.report();
    assert_eq!(report["schema"], "esteira.report/1");
    assert_eq!(report["stages"]["cat"]["accepted"], 5000);
    assert_eq!(report["sinks"]["output"]["written"], 5000);
}

#[test]
fn stdin_to_stdout_without_a_file() {
    let place = Place::new();
    let done = place.esteira().args(["pipe", "--", "cat"]).stdin("{\"a\":1}\n").run().exits(0);
    assert_eq!(done.stdout, b"{\"a\":1}\n");
}

#[test]
fn a_failing_program_leaves_the_previous_output_alone() {
    let place = Place::new();
    place.write("in.ndjson", records(5000));
    place.write("out.ndjson", "before\n");
    let program = ["sh", "-c", "head -n 10; echo the reason >&2; exit 7"];
    let done = place.esteira().pipe("in.ndjson", "out.ndjson", &[], &program).run().exits(3);
    let done = done.says("stage `sh`").says("exit code 7").says("5,000 records in doubt");
    let done = done.says("the reason");
    assert_eq!(place.text("out.ndjson"), "before\n");
    assert_eq!(done.report()["stages"]["sh"]["in_doubt"], 5000);
}

#[test]
fn a_program_that_is_not_there_is_found_out_before_anything_is_read() {
    let place = Place::new();
    let program = ["nosuchprogram"];
    let done = place.esteira().pipe("missing.ndjson", "out.ndjson", &[], &program).run();
    let done = done.exits(2).says("nosuchprogram");
    assert!(!done.stderr.contains("missing.ndjson"), "{}", done.stderr);
}

#[test]
fn a_program_that_reads_nothing_is_no_success() {
    let place = Place::new();
    for count in [1, 5000, 100_000] {
        place.write("in.ndjson", records(count));
        let done = place.esteira().pipe("in.ndjson", "out.ndjson", &[], &["true"]).run().exits(3);
        let stage = &done.report()["stages"]["true"];
        assert_eq!((&stage["accepted"], &stage["in_doubt"]), (&0.into(), &stage["in"]), "{count}");
        assert!(!place.has("out.ndjson"));
    }
    place.write("in.ndjson", "");
    let done = place.esteira().pipe("in.ndjson", "out.ndjson", &[], &["true"]).run().exits(0);
    assert_eq!(done.report()["sinks"]["output"]["written"], 0);
    assert_eq!(place.read("out.ndjson"), b"");
}
