//! Those who read reports: none of them is what wrote them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use jsonschema::Validator;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

use super::super::harness::project;

/// A suite of a file of test cases: its name and its cases.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
}

/// A case: its name, what became of it (`passed`, `failure`, `error`, `skipped`), and its text.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) fate: String,
    pub(super) text: String,
}

/// Reads a file of test cases.
pub(super) fn junit(text: &str) -> Vec<Suite> {
    let document = roxmltree::Document::parse(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let suites = root.children().filter(roxmltree::Node::is_element).map(|suite| {
        assert_eq!(suite.tag_name().name(), "testsuite");
        let cases = suite.children().filter(roxmltree::Node::is_element).map(|case| {
            assert_eq!(case.tag_name().name(), "testcase");
            let fate = case.children().find(roxmltree::Node::is_element);
            Case {
                name: case.attribute("name").unwrap().to_owned(),
                fate: fate.map_or("passed", |fate| fate.tag_name().name()).to_owned(),
                text: fate.and_then(|fate| fate.text()).unwrap_or_default().to_owned(),
            }
        });
        Suite { name: suite.attribute("name").unwrap().to_owned(), cases: cases.collect() }
    });
    let suites: Vec<Suite> = suites.collect();
    for suite in &suites {
        let mut names: Vec<&str> = suite.cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), suite.cases.len(), "of equal names only the first counts");
    }
    suites
}

/// Reads a SARIF file by the official schema; returns its only run.
pub(super) fn sarif(text: &str) -> Value {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let text = std::fs::read_to_string(sarif_schema()).unwrap();
        // A pattern in it is no regular expression (a bracket is closed that was not opened). It
        // is that of a property which no report here has.
        let wrong = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";
        assert!(text.contains(wrong));
        let text = text.replace(wrong, "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
        let schema: Value = serde_json::from_str(&text).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    let mut log: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}: {text}");
    log["runs"][0].take()
}

/// Finds the schema in the package that brings it.
fn sarif_schema() -> PathBuf {
    let manifest = project("tests/vectors/Cargo.toml");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--locked", "--format-version", "1", "--manifest-path"]);
    let output = command.arg(manifest).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    PathBuf::from(package["manifest_path"].as_str().unwrap()).with_file_name("src/schema.json")
}

/// An annotation of a GitHub workflow.
#[derive(Debug)]
pub(super) struct Annotation {
    pub(super) kind: String,
    pub(super) properties: Vec<(String, String)>,
    pub(super) message: String,
}

impl Annotation {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Reads what was written as the runner of a workflow does: a command is a line that begins with
/// two colons, its properties go to the next two.
pub(super) fn github(text: &str) -> Vec<Annotation> {
    let annotations = text.lines().map(|line| {
        assert!(line.len() <= 4096, "{} bytes: {line}", line.len());
        let command = line.strip_prefix("::").unwrap_or_else(|| panic!("no command: {line}"));
        let (head, message) = command.split_once("::").unwrap();
        let (kind, properties) = head.split_once(' ').unwrap_or((head, ""));
        let property = |text: &str| {
            let (key, value) = text.split_once('=').unwrap_or_else(|| panic!("{line}"));
            let value = value.replace("%3A", ":").replace("%2C", ",");
            (key.to_owned(), data(&value))
        };
        Annotation {
            kind: kind.to_owned(),
            properties: properties.split(',').map(property).collect(),
            message: data(message),
        }
    });
    annotations.collect()
}

fn data(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

/// Reads Markdown as GitHub does; returns its text, and makes sure that there is nothing in it
/// but headings, lists, tables, bold text and code.
pub(super) fn markdown(text: &str) -> String {
    let mut read = String::new();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
        match event {
            Event::Start(
                Tag::Paragraph
                | Tag::Heading { .. }
                | Tag::List(_)
                | Tag::Item
                | Tag::Table(_)
                | Tag::TableHead
                | Tag::TableRow
                | Tag::TableCell
                | Tag::Strong,
            )
            | Event::End(_)
            | Event::SoftBreak => {}
            Event::Text(text) | Event::Code(text) => {
                read.push_str(&text);
                read.push(' ');
            }
            other => panic!("{other:?} in {text}"),
        }
    }
    read
}
