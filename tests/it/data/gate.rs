//! The gate: how many rejects are allowed, and what becomes of the output if there are more.

use super::super::harness::{Finished, Place};
use super::letters;

/// Lines of which the last `bad` are none.
fn lines(good: usize, bad: usize) -> String {
    "{\"ok\":true}\n".repeat(good) + &"bad\n".repeat(bad)
}

/// Ten of a thousand lines are bad.
fn ten_of_a_thousand() -> Place {
    let place = Place::new();
    place.write("in", lines(990, 10));
    place.write("out", "before\n");
    place
}

fn limited(place: &Place, limit: &str) -> Finished {
    let options = ["--rejects", "bad", "--max-rejects", limit];
    place.esteira().pipe("in", "out", &options, &["cat"]).run()
}

/// Returns the limits that a message offers.
fn offers(done: &Finished) -> Vec<String> {
    let offers = done.stderr.split("`--max-rejects ").skip(1);
    offers.map(|rest| rest.split_once('`').unwrap().0.to_owned()).collect()
}

#[test]
fn a_limit_is_kept_to_the_record() {
    let place = ten_of_a_thousand();
    for limit in ["0", "9", "0%", "0.9%", "0.999999999%"] {
        let done = limited(&place, limit).exits(1).says(&format!("more than the limit of {limit}"));
        assert_eq!(place.text("out"), "before\n", "{limit}");
        assert_eq!(done.report()["sinks"]["output"]["dropped"], 990);
    }
    for limit in ["10", "1%", "1.0%", "11", "100%"] {
        place.write("out", "before\n");
        let report = limited(&place, limit).exits(0).report();
        assert_eq!(place.text("out"), lines(990, 0), "{limit}");
        assert_eq!(report["sinks"]["output"]["written"], 990);
    }
}

#[test]
fn nothing_of_nothing_is_within_every_limit() {
    let place = Place::new();
    place.write("in", "\n \n");
    for limit in ["0", "0%"] {
        drop(limited(&place, limit).exits(0));
        assert_eq!(place.text("out"), "");
    }
}

#[test]
fn the_message_says_how_many_where_and_what_would_let_them_pass() {
    let place = ten_of_a_thousand();
    let done = limited(&place, "3").exits(1);
    let done = done.says("10 of 1,000 lines rejected by `input`, more than the limit of 3");
    let done = done.says("they are in `bad`").says("not published: out").says("in:991:1");
    let offers = offers(&done);
    assert_eq!(offers, ["10", "1%", "100%"]);
    for limit in offers {
        drop(limited(&place, &limit).exits(0));
    }
    let done = place.esteira().pipe("in", "out", &[], &["cat"]).run().exits(1);
    done.says("`--rejects FILE` of `esteira pipe`").report();
}

#[test]
fn what_is_offered_passes_for_any_share() {
    let place = Place::new();
    for (good, bad) in [(0, 1), (2, 1), (996, 3), (1, 199)] {
        place.write("in", lines(good, bad));
        let offers = offers(&limited(&place, "0").exits(1));
        assert!(offers.len() > 1, "{offers:?}");
        for limit in offers {
            drop(limited(&place, &limit).exits(0));
        }
    }
}

/// A pipeline of one filter, with settings of each of its tables and its output.
fn pipeline(place: &Place, pipeline: &str, source: &str, run: &str, sink: &str) {
    let text = format!(
        "[pipeline]\n{pipeline}\n\
         [sources.users]\ntype = \"file\"\npath = \"in\"\n{source}\n\
         [stages.work]\nrun = [\"sh\", \"-c\", \"{run}\"]\nexit = {{ ok = [0], invalid = [65] }}\n\
         [sinks.file]\ntype = \"file\"\npath = \"out\"\n{sink}\n"
    );
    place.write("p.toml", text);
}

fn run(place: &Place, arguments: &[&str]) -> Finished {
    let report = ["run", "p.toml", "--report", "json=report.json"];
    place.esteira().args(report.iter().chain(arguments)).run()
}

#[test]
fn a_tables_own_limit_is_judged_alone() {
    let place = ten_of_a_thousand();
    // Its own is enough, whatever the pipeline says.
    pipeline(&place, "max_rejects = 0", "max_rejects = 10", "cat", "");
    drop(run(&place, &[]).exits(0));
    drop(run(&place, &["--max-rejects", "0"]).exits(0));
    pipeline(&place, "max_rejects = 0", "max_rejects = \"1%\"", "cat", "");
    drop(run(&place, &[]).exits(0));
    // Its own is not enough, whatever the pipeline says.
    pipeline(&place, "max_rejects = \"100%\"", "max_rejects = 9", "cat", "");
    let done = run(&place, &["--max-rejects", "100%"]).exits(1);
    let done = done.says("rejected by `users`, more than the limit of 9");
    drop(done.says("`max_rejects = 10` or `max_rejects = \"1%\"`").says("would let them pass"));
    // Without one, the pipeline's holds, and the command line's before it.
    pipeline(&place, "max_rejects = 9", "", "cat", "");
    drop(run(&place, &[]).exits(1));
    drop(run(&place, &["--max-rejects", "10"]).exits(0));
    drop(run(&place, &["--set", "sources.users.max_rejects=10"]).exits(0));
}

#[test]
fn some_outputs_are_wanted_with_bad_data_too_but_never_from_a_broken_run() {
    let place = ten_of_a_thousand();
    pipeline(&place, "rejects = \"bad\"", "", "cat", "publish = \"always\"");
    let done = run(&place, &[]).exits(1).says("wrote out: 990 records");
    assert_eq!(place.text("out"), lines(990, 0));
    assert!(!done.stderr.contains("not published"), "{}", done.stderr);
    place.write("out", "before\n");
    pipeline(&place, "rejects = \"bad\"", "", "cat; exit 9", "publish = \"always\"");
    drop(run(&place, &["--max-rejects", "10"]).exits(3));
    assert_eq!(place.text("out"), "before\n");
    // An exit code that speaks of the data is bad data.
    pipeline(&place, "rejects = \"bad\"", "", "cat; exit 65", "publish = \"always\"");
    let done = run(&place, &["--max-rejects", "10"]).exits(1);
    drop(done.says("stage `work` says that the data is bad: exit code 65"));
    assert_eq!(place.text("out"), lines(990, 0));
    place.write("out", "before\n");
    pipeline(&place, "rejects = \"bad\"", "", "cat; exit 65", "");
    drop(run(&place, &["--max-rejects", "10"]).exits(1));
    assert_eq!(place.text("out"), "before\n");
    assert_eq!(letters(&place, "bad").len(), 10);
}

#[test]
fn a_run_may_stop_at_the_first_reject_too_many() {
    let place = Place::new();
    place.write("out", "before\n");
    // The bad ones come early, and far more than travels at once comes behind them.
    place.write("in", lines(0, 3) + &lines(2_000_000, 0));
    for (table, limit) in [(true, 2), (false, 2)] {
        let stop = format!("on_reject = \"stop\"\nmax_rejects = {limit}");
        let (own, common) = if table { (stop.as_str(), "") } else { ("", stop.as_str()) };
        pipeline(
            &place,
            &format!("rejects = \"bad\"\n{common}"),
            own,
            "cat",
            "publish = \"always\"",
        );
        let done = run(&place, &[]).exits(1).says("`users` stopped: more than 2 rejects");
        assert_eq!(place.text("out"), "before\n", "what was cut off is not whole");
        assert_eq!(letters(&place, "bad").len(), 3);
        let report = std::fs::read(place.path("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        let read = report["sources"]["users"]["lines"].as_u64().unwrap();
        assert!(read < 1_000_000, "{read} lines were read\n{}", done.stderr);
        // As many as are allowed stop nothing.
        let enough = format!("on_reject = \"stop\"\nmax_rejects = {}", limit + 1);
        let (own, common) = if table { (enough.as_str(), "") } else { ("", enough.as_str()) };
        pipeline(&place, &format!("rejects = \"bad\"\n{common}"), own, "cat", "");
        if table {
            drop(run(&place, &[]).exits(0));
            place.write("out", "before\n");
        }
    }
}

/// Who has some of what was refused, and of what there is nothing.
#[test]
fn dead_letters_are_said_to_be_where_they_are() {
    let place = Place::new();
    place.write("in", "{\"id\":\"x\"}\n{\n");
    place.write("s", "{\"properties\":{\"id\":{\"type\":\"integer\"}}}");
    let pipeline = |of_source: &str| {
        format!(
            "[sources.in]\ntype = \"file\"\npath = \"in\"\n{of_source}[stages.ids]\n\
             use = \"json-schema\"\nschema = \"s\"\nrejects = \"bad\"\n\
             [sinks.out]\ntype = \"file\"\npath = \"out\"\n"
        )
    };
    place.write("p.toml", pipeline(""));
    let run = || place.esteira().args(["run", "p.toml", "--quiet"]).run();
    let done = run().exits(1).says("hint: those of `ids` are in `bad`\n");
    drop(done.says("hint: those of `in` are kept nowhere: `rejects = \"FILE\"` in `[pipeline]`"));
    place.write("p.toml", pipeline("rejects = \"torn\"\n"));
    drop(run().exits(1).says("those of `in` are in `torn`").says("those of `ids` are in `bad`"));
}
