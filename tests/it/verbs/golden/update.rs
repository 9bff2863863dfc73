//! `--update`: what came out is written in the place of what was expected, and nothing else is touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::{BELT, place, prints, test};

#[test]
fn arrays_of_the_pipeline_file_are_spliced() {
    let tests = r#"
[[tests]]   # the first
name = "tables" # its name
input = [{ id = 1, "a b" = [1.50, true], c = { d = "it's" } }, { id = 2 }, '{"id":3,"n":null}', { say = "x" }]
output = [ # a comment
    { id = 2.0 }, # this one stays as it is spelt
] # behind

[[tests]]
name = "lines"
input = ['{"id": "it''s"}', '{"id": 2}', { id = 3 }]
  output = ['{"id": 2}']
rejects = [{ line = 7 }]

[[tests]]
name = "fine"
input = [{}]
output = []
rejects = [{ line = 1, message = "missing" }]
"#
    .replace("it''s", "it`s");
    let place = place(BELT, &tests);
    fs::set_permissions(place.path("esteira.toml"), fs::Permissions::from_mode(0o640)).unwrap();
    let printed = "updated tables\nupdated lines\nok      fine\n1 passed, 2 updated, 0 failed\n";
    let done = test(&place, &["--update"], 0);
    assert_eq!(String::from_utf8(done.stdout).unwrap(), printed);
    assert_eq!(done.stderr, "wrote esteira.toml\n");
    let expected = tests
        .replace(
            "output = [ # a comment\n    { id = 2.0 }, # this one stays as it is spelt\n] # behind",
            r#"output = [
    { id = 1, "a b" = [1.50, true], c = { d = "it's" } },
    { id = 2.0 },
    '{"id":3,"n":null}',
] # behind
rejects = [{ line = 4, code = "missing", path = "/id" }]"#,
        )
        .replace(
            "  output = ['{\"id\": 2}']",
            "  output = [\n      '{\"id\": \"it`s\"}',\n      '{\"id\": 2}',\n      '{\"id\":3}',\n  ]",
        )
        .replace("rejects = [{ line = 7 }]", "rejects = []");
    assert_eq!(place.text("esteira.toml"), format!("{BELT}\n{expected}"));
    let mode = fs::metadata(place.path("esteira.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(prints(&place, &[], 0).ends_with("3 passed, 0 failed\n"));
    let done = test(&place, &["--update"], 0);
    assert_eq!(done.stderr, "", "nothing more to write");
}

#[test]
fn files_are_written_whole() {
    let tests = r#"
[[tests]]
folder = "tests/*"

[[tests]]
name = "by path"
input = "in.ndjson"
output = "link.ndjson"
rejects = "rejects.ndjson"
"#;
    let place = place(BELT, tests);
    place.write("tests/new/input.ndjson", "{\"id\":1}\n{}\n");
    place.write("tests/new/output.ndjson", "");
    place.write("in.ndjson", "{\"id\":  1}\n{\"say\":\"a\"}\n{\"say\":\"b\"}\n");
    place.write("target.ndjson", "{\"id\":2}\n");
    symlink("target.ndjson", place.path("link.ndjson")).unwrap();
    place.write("rejects.ndjson", "{\"line\":3,\"message\":\"b\"}\n{\"line\":9}\n");
    let before = place.text("esteira.toml");
    let done = test(&place, &["--update"], 0);
    let wrote =
        ["tests/new/output.ndjson", "tests/new/rejects.ndjson", "link.ndjson", "rejects.ndjson"];
    assert_eq!(done.stderr, wrote.map(|name| format!("wrote {name}\n")).concat());
    assert_eq!(place.text("tests/new/output.ndjson"), "{\"id\":1}\n");
    let missing = "{\"line\":2,\"code\":\"missing\",\"path\":\"/id\"}\n";
    assert_eq!(place.text("tests/new/rejects.ndjson"), missing);
    assert_eq!(place.text("target.ndjson"), "{\"id\":  1}\n");
    assert!(fs::symlink_metadata(place.path("link.ndjson")).unwrap().is_symlink());
    let kept = "{\"line\":3,\"message\":\"b\"}\n";
    assert_eq!(place.text("rejects.ndjson"), format!("{missing}{kept}"), "what held is kept");
    assert_eq!(place.text("esteira.toml"), before);
    assert!(prints(&place, &[], 0).ends_with("2 passed, 0 failed\n"));
}

#[test]
fn every_byte_around_stays() {
    let tests = "[[tests]]\r\nname = \"a\"\r\ninput = [{ id = 1 }, {}, { id = 2 }]\r\noutput = [] # é\r\n# end";
    let place = place("", "");
    let belt = format!("\u{feff}{}\n{tests}", BELT.replace("users.ndjson\"", "usérs.ndjson\""));
    place.write("esteira.toml", &belt);
    drop(test(&place, &["--update"], 0));
    let new = "output = [\r\n    { id = 1 },\r\n    { id = 2 },\r\n] # é\r\n\
               rejects = [{ line = 2, code = \"missing\", path = \"/id\" }]\r\n# end";
    assert_eq!(place.text("esteira.toml"), belt.replace("output = [] # é\r\n# end", new));
    assert!(prints(&place, &[], 0).ends_with("1 passed, 0 failed\n"));
}

#[test]
fn what_cannot_be_put_in_is_left_to_people() {
    // In a table in a line there is no room for a line below.
    let inline = "tests = [{ name = \"a\", input = [{}], output = [{}] }]\n";
    let inline = place(&format!("{inline}{BELT}"), "");
    let belt = BELT.replace("protocol = \"records\"\nworkers = 2", "check_output = \"none\"");
    let belt = belt.replace("\"python3\", \"validate.py\"", "\"printf\", '\\377\\n'");
    let belt = belt.replace("[stages.validate]", "[stages.validate]\nearly_exit = \"ok\"");
    let bytes = place(&belt, "[[tests]]\nname = \"a\"\ninput = []\noutput = []\n");
    let script = "echo '# mine' >>esteira.toml; cat";
    let belt = BELT.replace("protocol = \"records\"\nworkers = 2", "");
    let belt =
        belt.replace("\"python3\", \"validate.py\"", &format!("\"sh\", \"-c\", \"{script}\""));
    let changed = place(&belt, "[[tests]]\nname = \"a\"\ninput = [{}]\noutput = []\n");
    let file = |name: &str, id: u8| {
        format!(
            "[[tests]]\nname = \"{name}\"\ninput = [{{ id = {id} }}]\noutput = \"same.ndjson\"\n"
        )
    };
    let shared = place(BELT, &(file("a", 1) + &file("b", 1) + &file("c", 2)));
    shared.write("same.ndjson", "");
    for (place, code, told, more) in [
        (inline, 2, "what came out of `a` cannot be put into `esteira.toml`", ""),
        (shared, 2, "two tests expect what is in `same.ndjson`", ""),
        (bytes, 2, "what came out of `a` is no UTF-8", ""),
        (changed, 4, "`esteira.toml` was changed meanwhile", "# mine\n"),
    ] {
        let before = place.text("esteira.toml");
        drop(test(&place, &["--update"], code).says(told).says("nothing was written"));
        assert_eq!(place.text("esteira.toml"), before + more);
        assert!(!place.has("same.ndjson") || place.text("same.ndjson").is_empty());
    }
}
