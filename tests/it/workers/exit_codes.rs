//! What exit codes mean is for the stage to say.

use super::super::harness::{events, records};
use super::{event, is_in_doubt, no_event, place_with, staged};

/// A program that copies all and leaves with a code.
fn leaves_with(code: i32) -> [String; 3] {
    ["sh".to_owned(), "-c".to_owned(), format!("cat; echo 'the totals differ' >&2; exit {code}")]
}

#[test]
fn a_code_is_good_bad_data_or_a_broken_stage() {
    let declared = "exit = { ok = [0, 3], invalid = [65, 255] }";
    let others = "exit = { ok = [1] }";
    let none = "";
    let cases = [
        (declared, 0, 0),
        (declared, 3, 0),
        (declared, 65, 1),
        (declared, 255, 1),
        (declared, 1, 3),
        (others, 1, 0),
        (others, 0, 3),
        (none, 0, 0),
        (none, 65, 3),
    ];
    for (keys, code, exit) in cases {
        let place = place_with(1000);
        let program = leaves_with(code);
        let done = staged(&place, keys, &program.each_ref().map(String::as_str)).run().exits(exit);
        let done = done.says("the totals differ");
        assert_eq!(event(&place, "worker_exit")["code"], code);
        let stage = &done.report()["stages"]["work"];
        match exit {
            0 => {
                assert_eq!(place.read("out"), records(1000), "{keys} {code}");
                assert_eq!((&stage["accepted"], &stage["out"]), (&1000.into(), &1000.into()));
                no_event(&place, &["stopping", "withheld"]);
            }
            1 => {
                // It did its work: what it says is about the records.
                assert_eq!(stage["accepted"], 1000, "{stage}");
                assert_eq!(done.report()["sinks"]["work.output"]["dropped"], 1000);
                assert_eq!(place.text("out"), "before\n");
                let words = format!("stage `work` says that the data is bad: exit code {code}");
                drop(done.says(&words).says("  | the totals differ"));
                no_event(&place, &["stopping"]);
            }
            _ => {
                assert_eq!(is_in_doubt(&place, &done, "work"), 1000);
                drop(done.says(&format!("worker 0 left with exit code {code}; 1,000 records")));
                event(&place, "stopping");
            }
        }
    }
}

/// Bad data does not stop the run, so all of it comes out where that is asked for.
#[test]
fn bad_data_is_published_where_the_sink_says_always() {
    for (code, exit) in [(65, 1), (64, 3)] {
        let place = place_with(1000);
        let [shell, option, script] = leaves_with(code);
        place.write(
            "p.toml",
            format!(
                "[sources.in]\ntype = \"file\"\npath = \"in\"\n\
                 [stages.work]\nrun = ['{shell}', '{option}', \"{script}\"]\n\
                 exit = {{ invalid = [65] }}\n\
                 [sinks.out]\ntype = \"file\"\npath = \"out\"\npublish = \"always\"\n"
            ),
        );
        let done = place.esteira().pipeline("p.toml", &["--events", "events"]).run().exits(exit);
        if exit == 1 {
            assert_eq!(place.read("out"), records(1000));
            assert_eq!(event(&place, "published")["records"], 1000);
            assert_eq!(done.report()["sinks"]["out"]["written"], 1000);
        } else {
            is_in_doubt(&place, &done, "work");
        }
    }
}

/// Who has not seen everything cannot speak for the data, unless it may end early.
#[test]
fn a_code_that_blames_the_data_does_not_excuse_from_reading_it() {
    let script = "head -n 1; exit 65";
    let invalid = "exit = { invalid = [65] }";
    let place = place_with(400_000);
    let done = staged(&place, invalid, &["sh", "-c", script]).run().exits(3);
    let done = done.says("worker 0 left with exit code 65, but stopped reading");
    is_in_doubt(&place, &done, "work");
    event(&place, "early_exit");
    let both = format!("{invalid}\nearly_exit = \"ok\"");
    let done = staged(&place, &both, &["sh", "-c", script]).run().exits(1);
    done.says("says that the data is bad: exit code 65").report();
    assert_eq!(place.text("out"), "before\n");
    assert_eq!(events(&place, "published").len(), 0);
}
