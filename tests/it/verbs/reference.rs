//! The JSON Schema and the reference page are those of this program, and say what it does.
//! `ESTEIRA_BLESS=1` writes them anew.

use std::fs;

use esteira::config::Written;
use esteira::config::load::load;
use esteira::config::manual::{FIELDS, KINDS, Key, Kind, NULLS, Takes, Without, json_schema, page};
use esteira::plan::Plan;
use esteira::plan::compile::{World, with_tests};

use super::super::harness::{Place, project};
use super::{judge, parse, pipelines};

#[test]
fn what_is_committed_is_current() {
    for (name, text) in [("esteira.schema.json", json_schema()), ("docs/reference.md", page())] {
        if std::env::var_os("ESTEIRA_BLESS").is_some() {
            fs::write(project(name), &text).unwrap();
        }
        let committed = fs::read_to_string(project(name)).unwrap();
        assert!(committed == text, "{name} is out of date: `make docs` writes it anew");
    }
    let place = Place::new();
    for (format, text) in [("json", json_schema()), ("markdown", page())] {
        let done = place.esteira().args(["schema", "--format", format]).run().exits(0);
        assert_eq!(String::from_utf8(done.stdout).unwrap(), text);
    }
}

#[test]
fn the_schema_lets_pass_what_is_valid() {
    let judge = judge();
    let valid = ["fixtures/pipelines/valid", "fixtures/init/python", "fixtures/init/sh"];
    for (name, text) in valid.into_iter().flat_map(pipelines) {
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("#:schema ") && first.ends_with("esteira.schema.json"), "{name}");
        let errors: Vec<String> = judge
            .iter_errors(&parse(&text).unwrap())
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn the_schema_refuses_mistakes_of_form() {
    let judge = judge();
    let refused: Vec<String> = pipelines("fixtures/pipelines/invalid")
        .into_iter()
        .filter(|(_, text)| parse(text).is_some_and(|file| !judge.is_valid(&file)))
        .map(|(name, _)| name)
        .collect();
    for name in [
        "bad-name",
        "bad-units",
        "builtin-algorithms",
        "builtin-hash",
        "builtin-schema",
        "builtin-select",
        "builtin-unique",
        "empty-run",
        "generate",
        "generate-fields",
        "misspelt-word",
        "missing-path",
        "missing-run",
        "missing-type",
        "pool-keys",
        "six-at-once",
        "tests",
        "tests-shape",
        "unknown-key",
        "unknown-table",
        "wrong-type",
    ] {
        assert!(refused.iter().any(|other| other == name), "{name} passes; refused: {refused:?}");
    }
}

/// A table to try keys in, with a word of its chooser; `{}` is where keys go.
struct Trial {
    kind: &'static Kind,
    choice: &'static str,
    own: Vec<String>,
}

impl Trial {
    /// Writes the whole file, the table under trial with one more line.
    fn file(&self, line: &str) -> String {
        let own = format!("{}\n{line}\n", self.own.join("\n"));
        let plain = ["", "type = \"stdin\"\n", "run = [\"cat\"]\n", "type = \"stdout\"\n"];
        let tables = ["pipeline", "sources", "stages", "sinks"].into_iter().zip(plain);
        let tables = tables.map(|(table, plain)| {
            let name = if table == "pipeline" { "" } else { ".x" };
            let name = name.replace('x', &format!("the-{table}"));
            format!("[{table}{name}]\n{}", if table == self.kind.table { &own } else { plain })
        });
        let tables: String = tables.collect();
        if self.kind.table == "tests" { format!("{tables}[[tests]]\n{own}") } else { tables }
    }
}

/// Every kind of table with every word of its chooser, and nothing that is not required.
fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for kind in KINDS {
        let choices = kind.choices();
        for choice in if choices.is_empty() { vec![""] } else { choices } {
            let mut own = Vec::new();
            for key in kind.keys().filter(|key| key.with.is_empty() || key.with.contains(&choice)) {
                let is_first = matches!(key.without, Without::OneOf(sets) if sets[0][0] == key.key);
                if Some(key.key) == kind.chooser {
                    own.push(format!("{} = \"{choice}\"", key.key));
                } else if let Some((mark, [word])) = kind.mark.filter(|(mark, _)| *mark == key.key)
                {
                    own.push(format!("{mark} = \"{word}\""));
                } else if key.without == Without::Required || is_first {
                    own.push(format!("{} = {}", key.key, sample(key)));
                }
            }
            trials.push(Trial { kind, choice, own });
        }
    }
    trials
}

/// Something that a key takes, and that is not what holds without it.
fn sample(key: &Key) -> String {
    let text = match &key.takes {
        Takes::Text if key.key == "url" => "\"postgres://localhost/db\"",
        Takes::Text if key.key == "stage" => "\"the-stages\"",
        Takes::Text => "\"PATH\"",
        Takes::Path if key.key == "root" => "\"..\"",
        Takes::Path | Takes::Paths => return format!("\"{}.ndjson\"", key.key),
        Takes::Arguments => "[\"cat\"]",
        Takes::Inputs => "[\"the-sources\"]",
        Takes::ExitCodes => "[7]",
        Takes::Patterns => "[\"LC_*\"]",
        Takes::Variables => "{ A = \"b\" }",
        Takes::Size | Takes::Memory | Takes::Unpacked => "\"64KiB\"",
        Takes::Duration | Takes::Limited => "\"7s\"",
        Takes::Limit | Takes::Count | Takes::Keys | Takes::Ratio | Takes::Whole => "3",
        Takes::Number => "0.5",
        Takes::Integer | Takes::Digits | Takes::Length | Takes::Workers => "2",
        Takes::Share => "\"7%\"",
        Takes::Fields => "{ a = \"name\" }",
        Takes::Field => "\"name\"",
        Takes::Date => "\"2001-02-03\"",
        Takes::Timestamp => "\"2001-02-03T04:05:06Z\"",
        Takes::Choices => "[\"a\"]",
        Takes::Truth => "true",
        Takes::Restarts => "\"9/1m\"",
        Takes::Dispatch => "{ by = \"/a\" }",
        Takes::Pointer => return format!("\"/{}\"", key.key),
        Takes::Pointers => "[\"/a\", \"/b\"]",
        Takes::Scalar | Takes::Bound => "18",
        Takes::Scalars => "[18]",
        Takes::Regex => "'^a'",
        Takes::Port => "5433",
        Takes::Names => "[\"id\"]",
        Takes::Columns => "{ id = \"integer\" }",
        Takes::Records => "[{ id = 1 }]",
        Takes::Rejects(_) => "[{ line = 1 }]",
        Takes::Word(words) => {
            let usual = |word: &&str| matches!(key.without, Without::Value(toml) if toml.trim_matches('"') == *word);
            return format!("\"{}\"", words().into_iter().rfind(|word| !usual(word)).unwrap());
        }
        Takes::Table(keys) => {
            let last = keys.last().unwrap();
            return format!("{{ {} = {} }}", last.key, sample(last));
        }
    };
    text.to_owned()
}

/// What the program makes of a file.
fn plan(place: &Place, text: &str) -> Result<Plan, String> {
    let world = World {
        root_default: place.root().to_owned(),
        caller: place.root().to_owned(),
        env: std::env::vars_os().collect(),
    };
    let written = Written { name: "esteira.toml", text, sets: &[] };
    load(&written, &|_| None)
        .and_then(|config| with_tests(&config, &world))
        .map(|(plan, _)| plan)
        .map_err(|mistakes| mistakes.render(false))
}

#[test]
fn what_is_said_to_hold_without_a_key_does() {
    let place = Place::new();
    for name in ["input", "output"] {
        place.write(&format!("folder.ndjson/{name}.ndjson"), "");
    }
    let mut told = 0;
    for trial in trials() {
        let without = plan(&place, &trial.file("")).unwrap();
        let mut same = |key: &Key, before: &str, behind: &str| {
            let Without::Value(default) = key.without else { return };
            if !(key.with.is_empty() || key.with.contains(&trial.choice)) {
                return;
            }
            if Some(key.key) == trial.kind.chooser {
                return;
            }
            let line = |value: &str| format!("{before}{} = {value}{behind}", key.key);
            let with = plan(&place, &trial.file(&line(default)));
            assert_eq!(with.as_ref(), Ok(&without), "{} {:?}", line(default), trial.own);
            let other = plan(&place, &trial.file(&line(&sample(key))));
            assert_ne!(other.as_ref(), Ok(&without), "{} {:?}", line(&sample(key)), trial.own);
            told += 1;
        };
        for key in trial.kind.keys() {
            same(key, "", "");
            if let Takes::Table(keys) = &key.takes {
                let goes = key.with.is_empty() || key.with.contains(&trial.choice);
                for inner in keys.iter().filter(|_| goes) {
                    same(inner, &format!("{} = {{ ", key.key), " }");
                }
            }
        }
    }
    assert!(told > 60, "{told}");
}

/// A table's chooser that is left out means what is said of it, too.
#[test]
fn a_chooser_that_is_left_out_is_its_default() {
    let place = Place::new();
    for mut trial in trials() {
        let chooser = trial.kind.chooser.and_then(|name| trial.kind.keys().find(|k| k.key == name));
        let Some(Without::Value(default)) = chooser.map(|key| key.without) else { continue };
        if default.trim_matches('"') == trial.choice {
            let with = plan(&place, &trial.file("")).unwrap();
            trial.own.retain(|line| !line.starts_with(trial.kind.chooser.unwrap()));
            assert_eq!(plan(&place, &trial.file("")), Ok(with), "{:?}", trial.own);
        }
    }
}

/// Every key of every kind, tried in every table: schema and program are of one mind.
#[test]
fn the_schema_refuses_a_key_where_the_program_does() {
    let place = Place::new();
    // It is read before anything runs.
    place.write("password_file.ndjson", "secret");
    for name in ["input", "output"] {
        place.write(&format!("folder.ndjson/{name}.ndjson"), "");
    }
    for name in ["output", "rejects"] {
        place.write(&format!("{name}.ndjson"), "");
    }
    let judge = judge();
    let (mut passed, mut refused) = (0, 0);
    for trial in trials() {
        for key in KINDS.into_iter().flat_map(Kind::keys) {
            let has = trial.own.iter().any(|line| line.starts_with(&format!("{} = ", key.key)));
            let own = trial.kind.keys().any(|own| own.key == key.key);
            // Who feeds whom is no business of the schema, nor is how many go with a word, nor
            // that a conflict needs a key.
            let words = ["inputs", "output", "workers", "order", "on_conflict"];
            let apart = words.contains(&key.key) && own;
            if has || apart {
                continue;
            }
            let file = trial.file(&format!("{} = {}", key.key, sample(key)));
            let program = plan(&place, &file);
            let editor = judge.is_valid(&parse(&file).unwrap());
            assert_eq!(program.is_ok(), editor, "{file}\n{program:?}");
            if editor { passed += 1 } else { refused += 1 }
        }
    }
    assert!(passed > 100 && refused > 300, "{passed} and {refused}");
}

/// Every key of every kind of field: schema and program are of one mind, and defaults are so.
#[test]
fn kinds_of_field_are_what_is_said_of_them() {
    let place = Place::new();
    let judge = judge();
    let mut counts = [0, 0];
    let file = |body: &str| {
        format!(
            "[sources.made]\ntype = \"generate\"\noutput = \"out\"\nfields = {{ a = {body} }}\n"
        )
    };
    let mut tried = |body: &str| {
        let program = plan(&place, &file(body));
        let editor = judge.is_valid(&parse(&file(body)).unwrap());
        assert_eq!(program.is_ok(), editor, "{body}\n{program:?}");
        counts[usize::from(editor)] += 1;
        program
    };
    for made in FIELDS {
        let needed = made.keys.iter().filter(|key| key.without == Without::Required);
        let needed: Vec<&Key> = needed.collect();
        let own = needed.iter().map(|key| format!(", {} = {}", key.key, sample(key)));
        let own: String = own.collect();
        // What means something else elsewhere is tried as it is here.
        let alike = |key: &&Key| made.keys.iter().any(|own| own.key == key.key);
        let others = FIELDS.iter().flat_map(|made| made.keys).filter(|key| !alike(key));
        for kind in made.kinds {
            let with = |more: &str| format!("{{ kind = \"{kind}\"{own}{more} }}");
            let plain = tried(&with("")).unwrap();
            assert_eq!(tried(&format!("\"{kind}\"")).is_ok(), needed.is_empty());
            let line = |key: &Key| with(&format!(", {} = {}", key.key, sample(key)));
            let free = |key: &&Key| key.without != Without::Required;
            for key in made.keys.iter().filter(free).chain(others.clone()) {
                assert_eq!(tried(&line(key)).is_ok(), alike(&key), "{kind}: {}", key.key);
            }
            for key in made.keys.iter().chain([&NULLS]) {
                let Without::Value(default) = key.without else { continue };
                let same = tried(&with(&format!(", {} = {default}", key.key)));
                assert_eq!(same.as_ref(), Ok(&plain), "{kind}: {}", key.key);
            }
        }
    }
    assert!(counts[0] > 200 && counts[1] > 70, "{counts:?}");
}
