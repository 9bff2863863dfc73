//! Bytes and places: what is not changed stays as it was, and a reject names where it came from.

use super::super::harness::{Place, records};
use super::super::workers::fake;
use super::{letters, pool, replaced};

/// Two pools in a row: the second refuses what the first replaced, and names the source's line.
#[test]
fn a_reject_names_the_first_file_through_two_pools() {
    for (first, second) in [("records", "records"), ("lines", "records"), ("records", "command")] {
        let place = Place::new();
        for name in ["a", "b"] {
            // What the second refuses is what stands alone.
            place.write(name, [b"\n", &records(20)[..], b"\n{\"id\":21}\n"].concat());
        }
        let worker = fake("worker.py");
        let run = |protocol: &str, args: &[&str]| {
            let program = [&["python3", "-S", &worker, protocol], args].concat();
            format!("run = {}\nprotocol = \"{protocol}\"", serde_json::to_string(&program).unwrap())
        };
        let one = run(first, &["--drop", "11", "--replace", "5"]);
        let two = run(second, &["--reject", "20"]);
        let file = format!(
            "[sources.in]\ntype = \"file\"\npath = [\"a\", \"b\"]\n\
             [stages.one]\n{one}\nworkers = 3\n\
             [stages.two]\n{two}\nworkers = 2\nrejects = \"bad\"\nmax_rejects = 2\noutput = \"out\"\n"
        );
        place.write("p.toml", file);
        let done = place.esteira().pipeline("p.toml", &[]).run().exits(0);
        let found: Vec<_> = letters(&place)
            .iter()
            .map(|letter| {
                let number = |key: &str| letter[key].as_u64().unwrap();
                let file = letter["file"].as_str().unwrap().to_owned();
                assert_eq!((&letter["source"], &letter["stage"]), (&"in".into(), &"two".into()));
                assert!(letter["record"]["big"].is_number(), "as the first one replaced it");
                (file, number("line"), number("offset"), letter["record"]["id"].as_u64().unwrap())
            })
            .collect();
        let offset = |id: u64| 1 + u64::try_from(records(id - 1).len()).unwrap();
        let wanted = ["a", "b"].map(|file| (file.to_owned(), 21, offset(20), 20));
        assert_eq!(found, wanted, "{first}, {second}");
        let report = done.report();
        assert_eq!(report["stages"]["one"]["dropped"], 2);
        assert_eq!(report["stages"]["two"]["rejected"], 2);
        let lines = |id: u64| match id {
            _ if id.is_multiple_of(11) || id.is_multiple_of(20) => String::new(),
            _ if id.is_multiple_of(5) => replaced(id) + "\n",
            _ => format!("{{\"id\":{id}}}\n"),
        };
        let whole: String = (1..=21).map(lines).collect();
        assert_eq!(place.text("out"), whole.repeat(2));
    }
}

/// A worker sees the record as it is, but for a CR, where many readers would end the line.
#[test]
fn a_worker_is_sent_what_was_read() {
    let place = Place::new();
    let line = "{\"id\":1,\r\"n\":1e400,\"n\":-0,\"s\":\"\\ud800\\r\"}\r";
    place.write("in", format!("{line}\n17\n\"a\"\n[\r1]\n"));
    let args = ["--do", "say:{\"id\":@id,\"ok\":true,\"record\":[@record]}"];
    pool(&place, "records", "", &args).run().exits(0).report();
    let wanted = format!("[{}]\n[17]\n[\"a\"]\n[[ 1]]\n", line.replace('\r', " "));
    assert_eq!(place.text("out"), wanted);
}

/// Fields that nobody knows are tolerated, and a reply may be spaced as its author likes.
#[test]
fn a_reply_may_be_written_in_many_ways() {
    for reply in [
        "{\"ok\":true,\"id\":@id}",
        " {  \"id\" : @id ,\"ok\":true , \"x\":[{}] }\\t",
        "{\"id\":@id,\"ok\":true,\"errors\":[]}",
        "{\"\\\\u0069d\":@id,\"ok\":true}",
        "{\"id\":@id,\"ok\":true,\"ms\":1.5,\"log\":\"x\"}",
        "{\"id\":@id,\"ok\":true}\\r",
        "{\"ok\":true,\"record\":@record,\"id\":@id}",
        "{\"id\":@id,\"ok\":true,\"record\": @record }",
    ] {
        let place = Place::new();
        place.write("in", records(50));
        let done = pool(&place, "records", "workers = 2", &["--do", &format!("say:{reply}")]);
        super::is_whole(&place, done.run()).report();
    }
}

/// What a worker puts in the place of a record may be any JSON text.
#[test]
fn a_record_may_be_replaced_by_anything() {
    for text in ["null", "17", "\"\"", "[]", "{ }", "1e400", "\"\\\\ud800\"", "\"}\""] {
        let place = Place::new();
        place.write("in", records(3));
        let args = ["--replace", "1", "--with", text];
        let done = pool(&place, "records", "", &args).run().exits(0);
        assert_eq!(place.text("out"), (text.replace("\\\\", "\\") + "\n").repeat(3));
        assert_eq!(done.report()["stages"]["work"]["accepted"], 3);
    }
}

/// An error is a string, or a table with a path, a code and a message.
#[test]
fn errors_are_kept_as_they_were_said() {
    let place = Place::new();
    place.write("in", records(1));
    let errors =
        "[\"too young\",{\"path\":\"/a~1b\",\"code\":\"format\",\"message\":\"é \\\\u001b\"}]";
    let reply = format!("say:{{\"id\":@id,\"ok\":false,\"errors\":{errors}}}");
    let done = pool(&place, "records", "", &["--do", &reply]).run().exits(1);
    assert_eq!(done.report()["stages"]["work"]["rejected"], 1);
    let letter = &letters(&place)[0];
    assert_eq!(
        (&letter["errors"][0]["path"], &letter["errors"][0]["message"]),
        (&"".into(), &"too young".into())
    );
    assert_eq!(
        (&letter["errors"][1]["path"], &letter["errors"][1]["code"]),
        (&"/a~1b".into(), &"format".into())
    );
    assert_eq!((&letter["trace"]["worker"], &letter["trace"]["attempts"]), (&0.into(), &1.into()));
    assert!(letter["trace"]["pid"].as_u64().is_some(), "{letter}");
    assert!(!done.stderr.contains('\u{1b}'), "{:?}", done.stderr);
}
