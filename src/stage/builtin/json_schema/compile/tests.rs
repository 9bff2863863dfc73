use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::plan::builtin::JsonSchema as Settings;
use crate::stage::builtin::Outcome;
use crate::stage::builtin::json_schema::JsonSchema;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Draft;

/// A folder with files, of which those below `in` may be read.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.0.path().join("in")).unwrap();
        for (name, text) in files {
            let path = place.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        place
    }

    fn compile(&self, name: impl AsRef<Path>) -> Result<JsonSchema, Failure> {
        let folder = self.0.path().to_owned();
        let settings = Settings {
            schema: folder.join(name),
            root: folder.join("in"),
            draft: Draft::Draft202012,
            formats: false,
            max_errors: 10,
        };
        let real = folder.canonicalize().unwrap();
        let shown = |path: &Path| {
            let below = path.strip_prefix(&folder).or_else(|_| path.strip_prefix(&real));
            below.unwrap_or(path).display().to_string()
        };
        JsonSchema::compile(&settings, shown)
    }

    #[track_caller]
    fn refused(&self, name: &str) -> (String, Vec<String>) {
        let failure = self.compile(name).unwrap_err();
        assert_eq!(failure.exit, Exit::Config, "{failure}");
        (failure.message, failure.hints)
    }
}

fn refused(schema: &str) -> (String, Vec<String>) {
    Place::new(&[("in/s.json", schema)]).refused("in/s.json")
}

/// The codes and schema paths of what is wrong with a record.
fn judged(stage: &JsonSchema, record: &str) -> Vec<(String, String)> {
    match stage.judge(record.as_bytes()) {
        Outcome::Rejected(all) => {
            all.into_iter().map(|c| (c.path, c.schema_path.unwrap())).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_file_that_is_no_json_text_is_refused_with_line_and_column() {
    let rows = [
        ("{\n  \"type\": \"x\",\n  }", "trailing comma at line 3, column 3"),
        ("", "EOF while parsing a value at line 1, column 1"),
        ("{} x", "trailing characters at line 1, column 4"),
        (
            "{\"minLength\":1,\n \"type\":\"string\",\n \"minLength\":2}",
            "`minLength` stands twice in an object at line 1, column 2",
        ),
        ("{\"title\":\n\"\\ud800\"}", "unexpected end of hex escape at line 2, column 8"),
    ];
    for (schema, wrong) in rows {
        let message = format!("the schema `in/s.json` is no JSON text: {wrong}");
        assert_eq!(refused(schema), (message, vec![]), "{schema}");
    }
    let place = Place::new(&[]);
    fs::write(place.0.path().join("in/s.json"), b"{\"title\":\n \"\xff\"}").unwrap();
    let message = "the schema `in/s.json` is no JSON text: invalid UTF-8 at line 2, column 3";
    assert_eq!(place.refused("in/s.json"), (message.to_owned(), vec![]));
    let marked = Place::new(&[("in/s.json", "\u{feff}{\"type\":\"null\"}")]);
    assert_eq!(judged(&marked.compile("in/s.json").unwrap(), "null"), []);
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let hints = vec!["`schema` takes the file of a JSON Schema".to_owned()];
    let place = Place::new(&[]);
    let missing = "cannot read the schema `in/none.json`: No such file or directory (os error 2)";
    assert_eq!(place.refused("in/none.json"), (missing.to_owned(), hints.clone()));
    let folder = "cannot read the schema `in`: it is no file";
    assert_eq!(place.refused("in"), (folder.to_owned(), hints));
}

#[test]
fn what_breaks_the_rules_of_schemas_is_refused_with_its_place() {
    let rows = [
        (
            r#"{"type":"strin"}"#,
            "at `/type`: \"strin\" is not one of \"array\", \"boolean\" or 5 other candidates",
        ),
        (
            r#"{"properties":{"a/b":{"minLength":-1}}}"#,
            "at `/properties/a~1b/minLength`: -1 is less than the minimum of 0",
        ),
        (r#"{"required":"a"}"#, "at `/required`: \"a\" is not of type \"array\""),
        (r#"{"$schema":12}"#, "at `/$schema`: 12 is not of type \"string\""),
        ("[]", "at its top: [] is not of types \"boolean\", \"object\""),
        ("3", "at its top: 3 is not of types \"boolean\", \"object\""),
        (r#"{"multipleOf":0}"#, "at `/multipleOf`: 0 is less than or equal to the minimum of 0"),
        (
            r#"{"$schema":"http://json-schema.org/draft-04/schema#","exclusiveMaximum":1}"#,
            "at `/exclusiveMaximum`: 1 is not of type \"boolean\"",
        ),
        (
            r#"{"properties":{"a":{"pattern":"["}}}"#,
            "at `/properties/a/pattern`: \"[\" is no regular expression that is known",
        ),
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","patternProperties":{"(":{}}}"#,
            "at `/patternProperties`: \"(\" is no regular expression that is known",
        ),
        (
            r##"{"$defs":{"a":{"pattern":"\\p{Foo}"}},"$ref":"#/$defs/a"}"##,
            "at `/$defs/a/pattern`: \"\\\\p{Foo}\" is no regular expression that is known",
        ),
    ];
    for (schema, wrong) in rows {
        let message = format!("the schema `in/s.json` breaks a rule of JSON Schema {wrong}");
        assert_eq!(refused(schema), (message, vec![]), "{schema}");
    }
}

#[test]
fn a_ref_that_cannot_be_followed_is_named_with_its_place() {
    let below = "keep the schema it means in a file below the pipeline's folder, and write the `$ref` as the path from file to file";
    let known = "known are the drafts 4, 6, 7, 2019-09 and 2020-12";
    let rows = [
        (r##"{"$ref":"#/nope"}"##, "`#/nope` at `/$ref`", "there is no `/nope`", ""),
        (
            r##"{"allOf":[{"$ref":"#here"}]}"##,
            "`#here` at `/allOf/0/$ref`",
            "there is no anchor `here`",
            "",
        ),
        (
            r##"{"$dynamicRef":"#here"}"##,
            "`#here` at `/$dynamicRef`",
            "there is no anchor `here`",
            "",
        ),
        (
            r#"{"properties":{"a":{"$ref":"./b.json#/x"}}}"#,
            "`./b.json#/x` at `/properties/a/$ref`",
            "cannot read the schema `in/b.json`: No such file or directory (os error 2)",
            "",
        ),
        (
            r#"{"$ref":"https://example.com/x.json"}"#,
            "`https://example.com/x.json` at `/$ref`",
            "nothing is fetched from the network",
            below,
        ),
        (
            r#"{"$id":"https://example.com/a/s.json","$ref":"../x.json"}"#,
            "`../x.json` at `/$ref`",
            "nothing is fetched from the network",
            below,
        ),
        (r#"{"$ref":"urn:x:y"}"#, "`urn:x:y` at `/$ref`", "that is the address of no file", below),
        (
            r#"{"$ref":"file://host/s.json"}"#,
            "`file://host/s.json` at `/$ref`",
            "that is the address of no file",
            below,
        ),
        (
            r#"{"$ref":"http://json-schema.org/draft-07/schema#"}"#,
            "`http://json-schema.org/draft-07/schema#` at `/$ref`",
            "it belongs to another draft",
            "",
        ),
        (
            r#"{"$ref":"no good["}"#,
            "`no good[` at `/$ref`",
            "Invalid URI reference 'no good[': unexpected character at index 2",
            "",
        ),
    ];
    for (schema, what, why, hint) in rows {
        let message = format!("{what} in the schema `in/s.json` cannot be followed: {why}");
        let hints: Vec<String> = (!hint.is_empty()).then(|| hint.to_owned()).into_iter().collect();
        assert_eq!(refused(schema), (message, hints), "{schema}");
    }
    let unknown = "`https://example.com/my` at `/$schema` in the schema `in/s.json` is no version of JSON Schema that is known";
    let schema = r#"{"$schema":"https://example.com/my"}"#;
    assert_eq!(refused(schema), (unknown.to_owned(), vec![known.to_owned()]));
}

#[test]
fn no_ref_leads_out_of_the_folder() {
    let place = Place::new(&[
        ("secret.json", "true"),
        ("in/up.json", r#"{"$ref":"../secret.json"}"#),
        ("in/deep/up.json", r#"{"$ref":"%2e%2e/../../secret.json"}"#),
        ("in/link.json", r#"{"$ref":"linked.json"}"#),
        ("in/folder.json", r#"{"$ref":"away/secret.json"}"#),
        ("in/over.json", r#"{"$ref":"deep/second.json"}"#),
        ("in/deep/second.json", r#"{"items":{"$ref":"../../secret.json"}}"#),
        ("in/fine.json", r#"{"$ref":"deep/../back.json"}"#),
        ("in/real.json", r#"{"type":"null"}"#),
        ("outside.json", r#"{"$ref":"in/real.json"}"#),
    ]);
    let folder = place.0.path();
    symlink(folder.join("secret.json"), folder.join("in/linked.json")).unwrap();
    symlink(folder, folder.join("in/away")).unwrap();
    symlink("real.json", folder.join("in/back.json")).unwrap();
    let whole = format!("file://{}", folder.join("secret.json").display());
    fs::write(folder.join("in/whole.json"), format!("{{\"$ref\":\"{whole}\"}}")).unwrap();
    let out = "is not below the pipeline's folder";
    let rows = [
        ("in/up.json", "`../secret.json` at `/$ref` in the schema `in/up.json`", "secret.json"),
        ("in/link.json", "`linked.json` at `/$ref` in the schema `in/link.json`", "in/linked.json"),
        (
            "in/folder.json",
            "`away/secret.json` at `/$ref` in the schema `in/folder.json`",
            "in/away/secret.json",
        ),
        (
            "in/over.json",
            "`../../secret.json` at `/items/$ref` in the schema `in/deep/second.json`",
            "secret.json",
        ),
        (
            "in/whole.json",
            &*format!("`{whole}` at `/$ref` in the schema `in/whole.json`"),
            "secret.json",
        ),
    ];
    for (name, what, path) in rows {
        let message = format!("{what} cannot be followed: `{path}` {out}");
        assert_eq!(place.refused(name).0, message);
    }
    let (message, _) = place.refused("in/deep/up.json");
    assert!(message.contains(out) || message.contains("cannot read"), "{message}");
    for name in ["in/fine.json", "outside.json"] {
        assert_eq!(judged(&place.compile(name).unwrap(), "1").len(), 1, "{name}");
    }
}

#[test]
fn refs_lead_from_file_to_file() {
    let place = Place::new(&[
        (
            "in/s.json",
            r##"{"properties":{"house":{"$ref":"defs/address.json"},"shop":{"$ref":"defs/address.json#/$defs/zip"},
                "name":{"$ref":"#/$defs/name"},"self":{"$ref":"s.json"},"list":{"$ref":"a%20b.json"}},
                "$defs":{"name":{"type":"string"}}}"##,
        ),
        (
            "in/defs/address.json",
            r##"{"properties":{"zip":{"$ref":"#/$defs/zip"},"owner":{"$ref":"../s.json"}},
                "$defs":{"zip":{"type":"string"}}}"##,
        ),
        ("in/a b.json", r#"{"items":{"$ref":"/nowhere/../ö#.json"}}"#),
    ]);
    let other = format!("file://{}/in/%C3%B6%23.json", place.0.path().display());
    fs::write(
        place.0.path().join("in/a b.json"),
        format!("{{\"items\":{{\"$ref\":\"{other}\"}}}}"),
    )
    .unwrap();
    fs::write(place.0.path().join("in/ö#.json"), r#"{"type":"null"}"#).unwrap();
    let stage = place.compile("in/s.json").unwrap();
    assert_eq!(judged(&stage, r#"{"house":{"zip":"1","owner":{"name":"x"}},"shop":"2"}"#), []);
    let record =
        r#"{"name":1,"house":{"zip":1,"owner":{"name":1}},"shop":2,"self":{"shop":3},"list":[1]}"#;
    let mut found = judged(&stage, record);
    found.sort();
    let expected = [
        ("/house/owner/name", "/$defs/name/type"),
        ("/house/zip", "/properties/house/$ref/properties/zip/$ref/type"),
        ("/list/0", "/properties/list/$ref/items/$ref/type"),
        ("/name", "/$defs/name/type"),
        ("/self/shop", "/properties/self/$ref/properties/shop/$ref/type"),
        ("/shop", "/properties/shop/$ref/type"),
    ];
    let expected = expected.map(|(path, rule)| (path.to_owned(), rule.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn what_lies_beside_a_schema_on_the_web_lies_beside_it_here() {
    let place = Place::new(&[
        (
            "in/s.json",
            r##"{"$id":"https://example.com/schemas/s.json","properties":{"a":{"$ref":"defs/a.json"},
                "b":{"$ref":"#/$defs/b"}},"$defs":{"b":{"type":"null"}}}"##,
        ),
        ("in/defs/a.json", r#"{"$id":"a.json","items":{"$ref":"/schemas/c.json"}}"#),
        ("in/c.json", r#"{"type":"string"}"#),
        ("in/bad.json", r#"{"$id":"https://example.com/schemas/s.json","$ref":"../x.json"}"#),
        ("in/up.json", r#"{"$id":"https://example.com/s.json","$ref":"%2e%2e/x.json"}"#),
        ("x.json", "true"),
    ]);
    let stage = place.compile("in/s.json").unwrap();
    let found = judged(&stage, r#"{"a":["x",1],"b":1}"#);
    let expected = [("/a/1", "/properties/a/$ref/items/$ref/type"), ("/b", "/$defs/b/type")];
    assert_eq!(found, expected.map(|(path, rule)| (path.to_owned(), rule.to_owned())));
    assert!(place.refused("in/bad.json").0.ends_with("nothing is fetched from the network"));
    let (message, _) = place.refused("in/up.json");
    assert!(message.contains("folder") || message.contains("cannot read"), "{message}");
}

#[test]
fn refs_may_lead_in_circles() {
    let place = Place::new(&[
        ("in/a.json", r#"{"type":"object","properties":{"next":{"$ref":"b.json"}}}"#),
        ("in/b.json", r#"{"properties":{"next":{"$ref":"a.json"}},"required":["id"]}"#),
        ("in/self.json", r##"{"$ref":"#"}"##),
        (
            "in/names.json",
            r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"propertyNames":{"$ref":"#/$defs/a"},"items":{"$ref":"#/$defs/b"}}"##,
        ),
    ]);
    let stage = place.compile("in/a.json").unwrap();
    assert_eq!(judged(&stage, r#"{"next":{"id":1,"next":{"next":{"id":2}}}}"#), []);
    let found = judged(&stage, r#"{"next":{"id":1,"next":{"next":{}}}}"#);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "/next/next/next");
    for name in ["in/self.json", "in/names.json"] {
        let stage = place.compile(name).unwrap();
        for record in [r#"{"a":{"b":[1]}}"#, r#"[[1,"x",[]]]"#, "null"] {
            assert_eq!(judged(&stage, record), [], "{name} {record}");
        }
    }
}

#[test]
fn a_file_that_a_ref_leads_to_must_be_a_schema_too() {
    let place = Place::new(&[
        ("in/rule.json", r#"{"$ref":"x/rule.json"}"#),
        ("in/x/rule.json", r#"{"properties":{"a":{"type":"strin"}}}"#),
        ("in/regex.json", r#"{"$ref":"x/regex.json"}"#),
        ("in/x/regex.json", r#"{"properties":{"a":{"pattern":"["}}}"#),
        ("in/text.json", r#"{"$ref":"x/text.json"}"#),
        ("in/x/text.json", "{\n\"a\""),
        ("in/far.json", r#"{"$ref":"x/far.json"}"#),
        ("in/x/far.json", r##"{"items":{"$ref":"#/$defs/none"}}"##),
        (
            "in/old.json",
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"x/old.json"}"#,
        ),
        ("in/x/old.json", r#"{"items":[{"type":"null"}]}"#),
    ]);
    let rows = [
        (
            "in/rule.json",
            "`x/rule.json` at `/$ref` in the schema `in/rule.json` cannot be followed: the schema `in/x/rule.json` breaks a rule of JSON Schema at `/properties/a/type`: \"strin\" is not one of \"array\", \"boolean\" or 5 other candidates",
        ),
        (
            "in/regex.json",
            "the schema `in/x/regex.json` breaks a rule of JSON Schema at `/properties/a/pattern`: \"[\" is no regular expression that is known",
        ),
        (
            "in/text.json",
            "`x/text.json` at `/$ref` in the schema `in/text.json` cannot be followed: the schema `in/x/text.json` is no JSON text: EOF while parsing an object at line 2, column 3",
        ),
        (
            "in/far.json",
            "`#/$defs/none` at `/items/$ref` in the schema `in/x/far.json` cannot be followed: there is no `/$defs/none`",
        ),
    ];
    for (name, message) in rows {
        assert_eq!(place.refused(name).0, message);
    }
    let stage = place.compile("in/old.json").unwrap();
    assert_eq!(judged(&stage, "[null,1]"), [], "it is read as the draft of the first has it");
    assert_eq!(judged(&stage, "[1]").len(), 1);
}

#[test]
fn a_schema_may_be_called_whatever_files_are_called() {
    let odd = OsStr::from_bytes(b"\xff\xfe.json");
    let names =
        ["a b.json", "ö#.json", "100%.json", "%41.json", "q?.json", "[x].json", "~t:u.json"];
    let place = Place::new(&[("in/a.json", r#"{"type":"null"}"#)]);
    for name in names.iter().map(OsStr::new).chain([odd]) {
        let path = place.0.path().join("in").join(name);
        let schema = r##"{"properties":{"a":{"$ref":"a.json"},"b":{"$ref":"#/$defs/b"}},"$defs":{"b":{"type":"null"}}}"##;
        fs::write(&path, schema).unwrap();
        let stage = place.compile(Path::new("in").join(name)).unwrap();
        let expected = [("/a", "/properties/a/$ref/type"), ("/b", "/$defs/b/type")];
        let expected = expected.map(|(path, rule)| (path.to_owned(), rule.to_owned()));
        assert_eq!(judged(&stage, r#"{"a":1,"b":2}"#), expected, "{name:?}");
    }
}
