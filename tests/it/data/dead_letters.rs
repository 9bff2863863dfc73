//! The form of dead letters: part of the program's outside, so it is held to the letter.

use super::super::harness::{Place, without_trace};
use super::letters;

const DIRTY: &[u8] = b"\xef\xbb\xbf{\"a\":1}\n{bad\n\n{\"b\":2}\n\"\xff\"\n[1,\r\n{\"c\":3}";

/// The three bad lines of [`DIRTY`].
fn wanted(file: &str) -> String {
    let letter = |raw, line, offset, error: &str, sha256| {
        format!(
            "{{\"raw\":\"{raw}\",\"source\":\"input\",\"file\":\"{file}\",\"line\":{line},\
             \"offset\":{offset},\"stage\":null,\"errors\":[{{\"path\":\"\",{error}}}],\
             \"sha256\":\"{sha256}\"}}\n"
        )
    };
    let syntax = |message: &str, column| {
        format!("\"code\":\"json.syntax\",\"message\":\"{message}\",\"column\":{column}")
    };
    let utf8 = "\"code\":\"json.utf8\",\"message\":\"invalid UTF-8\",\"column\":2";
    [
        letter(
            "e2JhZA==",
            2,
            11,
            &syntax("key must be a string", 2),
            "17eed55d881c0dd5fe0935a98d89dd9e52d62aed941f3fb7d17bd490e5aa3e8f",
        ),
        letter(
            "Iv8i",
            5,
            25,
            utf8,
            "2c1ba6ac713bfc21e74f3429be952fca3e7a796734394fd18a48eb6713880d89",
        ),
        letter(
            "WzEsDQ==",
            6,
            29,
            &syntax("EOF while parsing a value", 4),
            "a5091bb3488d28d7bed1f69671392052e4771b39134691500d99e6bc282db0cf",
        ),
    ]
    .concat()
}

#[test]
fn a_letter_is_the_same_to_the_letter() {
    let place = Place::new();
    place.write("data/in.ndjson", DIRTY);
    let options = ["--rejects", "bad", "--max-rejects", "3"];
    let mut texts = Vec::new();
    for _ in 0..2 {
        let done = place.esteira().pipe("data/in.ndjson", "out", &options, &["cat"]).run();
        let report = done.exits(0).report();
        let text = place.text("bad");
        let trace = format!("\"trace\":{{\"run\":{}}}}}", report["run"]);
        assert!(text.lines().all(|line| line.ends_with(&trace)), "{trace} ends each of\n{text}");
        texts.push(text);
    }
    assert_eq!(without_trace(&texts[0]), wanted("data/in.ndjson"));
    assert_eq!(without_trace(&texts[0]), without_trace(&texts[1]));
    assert_ne!(texts[0], texts[1], "each run has a name of its own");
}

#[test]
fn stdin_is_a_dash_and_a_file_elsewhere_is_named_in_full() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let options = ["--rejects", "bad", "--max-rejects", "3"];
    let esteira = place.esteira().stdin(DIRTY);
    esteira.pipe("-", "out", &options, &["cat"]).run().exits(0).report();
    assert_eq!(without_trace(&place.text("bad")), wanted("-"));
    let file = elsewhere.write("in.ndjson", DIRTY).display().to_string();
    place.esteira().pipe(&file, "out", &options, &["cat"]).run().exits(0).report();
    assert_eq!(without_trace(&place.text("bad")), wanted(&file));
    // Below the caller's folder it is relative, however it was written.
    let file = place.write("in.ndjson", DIRTY).display().to_string();
    place.esteira().pipe(&file, "out", &options, &["cat"]).run().exits(0).report();
    assert_eq!(without_trace(&place.text("bad")), wanted("in.ndjson"));
}

#[test]
fn letters_of_many_files_stand_in_input_order() {
    let place = Place::new();
    // Enough of them that they travel in several batches, among those of the good lines.
    let pair = |name: &str, n: u32| format!("{{\"n\":{n}}}\n{name} {n} is bad\n");
    let lines = |name: &str| (0..3000).map(|n| pair(name, n)).collect::<Vec<_>>().concat();
    for name in ["b", "a"] {
        place.write(name, lines(name));
    }
    let options = ["-i", "a", "-i", "b", "--rejects", "bad", "--max-rejects", "100%"];
    let done = place.esteira().pipe("b", "out", &options, &["cat"]).run().exits(0);
    let bad = letters(&place, "bad");
    let seen = bad.iter().map(|l| (l["file"].as_str().unwrap(), l["line"].as_u64().unwrap()));
    let wanted =
        ["b", "a", "b"].into_iter().flat_map(|name| (1..=3000).map(move |n| (name, 2 * n)));
    assert!(seen.eq(wanted), "as the inputs are named, and by line");
    let report = done.report();
    assert_eq!(report["sinks"]["rejects"]["written"], 9000);
    assert_eq!(report["errors"][0]["count"], 9000);
    assert_eq!(report["errors"][0]["examples"].as_array().unwrap().len(), 5);
}

#[test]
fn patterns_are_read_in_sorted_order() {
    let place = Place::new();
    for name in ["10", "9", "a"] {
        place.write(&format!("data/{name}.ndjson"), format!("bad {name}\n"));
    }
    let options = ["--rejects", "bad", "--max-rejects", "3"];
    place.esteira().pipe("data/*.ndjson", "out", &options, &["cat"]).run().exits(0).report();
    let files: Vec<String> =
        letters(&place, "bad").iter().map(|l| l["file"].as_str().unwrap().to_owned()).collect();
    assert_eq!(files, ["data/10.ndjson", "data/9.ndjson", "data/a.ndjson"]);
}

#[test]
fn a_file_name_in_a_letter_steers_nothing() {
    let place = Place::new();
    let name = "in\u{1b}[2J\u{202e}\n";
    place.write(name, "bad\n");
    let options = ["--rejects", "bad", "--max-rejects", "1"];
    place.esteira().pipe(name, "out", &options, &["cat"]).run().exits(0).report();
    assert_eq!(letters(&place, "bad")[0]["file"], "in\\u{1b}[2J\\u{202e}\\n");
    assert_eq!(place.text("bad").lines().count(), 1);
}
