//! The workflow of GitHub.

use std::ffi::OsString;
use std::process::Output;

use serde_json::Value;

use super::super::harness::Place;
use super::{bash, ends, git, program, reported, search_path, spoil, text, yaml};

const WORKFLOW: &str = ".github/workflows/esteira.yml";

/// Writes a workflow for a pipeline in a new repository, and reads it.
fn workflow(place: &Place, pipeline: &str) -> Value {
    git(place.root(), &["init", "-q"]);
    drop(place.esteira().args(["init", "--ci", "github", pipeline]).run().exits(0));
    yaml(&place.path(WORKFLOW))
}

/// Runs the steps of the workflow that are scripts, up to the first that fails.
fn steps(place: &Place, workflow: &Value, path: &OsString) -> Vec<(String, Output)> {
    let job = &workflow["jobs"]["esteira"];
    assert_eq!(job["defaults"]["run"]["shell"], "bash");
    let summary = place.write("summary.md", "");
    let root = place.root().to_str().unwrap();
    let mut variables = vec![
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_WORKSPACE", root),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    for (name, value) in job["env"].as_object().unwrap() {
        variables.push((name, text(value)));
    }
    let mut done = Vec::new();
    for step in job["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else { continue };
        assert!(!script.contains("${{"), "{script}");
        let output = bash(place.root(), script, path, &variables);
        let failed = !output.status.success();
        done.push((text(&step["name"]).to_owned(), output));
        if failed {
            break;
        }
    }
    done
}

#[test]
fn a_workflow_runs_the_pipeline_and_ends_as_it_does() {
    for folder in ["", "data/it's $HOME"] {
        let place = Place::new();
        let workflow = workflow(&place, if folder.is_empty() { "." } else { folder });
        let path = search_path(&[program(&place)]);
        let done = steps(&place, &workflow, &path);
        assert_eq!(done.len(), 3);
        let (_, last) = done.last().unwrap();
        ends(last, 0);
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        assert_eq!(place.text(&format!("{folder}out/valid.ndjson")).lines().count(), 4);
        let reports = [
            ("sarif", "esteira-reports/esteira.sarif"),
            ("junit", "esteira-reports/junit.xml"),
            ("html", "esteira-reports/report.html"),
            ("github", "summary.md"),
        ];
        reported(&place, &reports);
        assert!(place.text("esteira-reports/tests.xml").contains("<testcase "));

        spoil(&place, &format!("{folder}users.ndjson"));
        let done = steps(&place, &workflow, &path);
        let (name, last) = done.last().unwrap();
        assert_eq!(name, "Run the pipeline");
        ends(last, 1);
        reported(&place, &reports);
    }
}

#[test]
fn the_program_is_installed_where_it_is_not() {
    let place = Place::new();
    let workflow = workflow(&place, ".");
    let script =
        format!("#!/bin/sh\necho \"$@\" >called\nln -s '{}' tools/esteira\n", super::PROGRAM);
    place.script("tools/cargo", &script);
    let installed = &steps(&place, &workflow, &search_path(&[place.path("tools")]))[0].1;
    ends(installed, 0);
    assert_eq!(place.text("called"), "install --locked esteira\n");
    // Now it is there.
    std::fs::remove_file(place.path("called")).unwrap();
    ends(&steps(&place, &workflow, &search_path(&[place.path("tools")]))[0].1, 0);
    assert!(!place.has("called"));
}

#[test]
fn a_workflow_may_do_no_more_than_it_needs() {
    let place = Place::new();
    let workflow = workflow(&place, ".");
    assert_eq!(workflow["permissions"], serde_json::json!({ "contents": "read" }));
    // `on` is a truth to this parser, as YAML 1.1 has it.
    let triggers = workflow["true"].as_object().unwrap();
    assert!(triggers.contains_key("push") && triggers.contains_key("pull_request"));
    let steps = workflow["jobs"]["esteira"]["steps"].as_array().unwrap();
    let used: Vec<&str> = steps.iter().filter_map(|step| step["uses"].as_str()).collect();
    assert_eq!(used.len(), 2, "{used:?}");
    for action in used {
        let (_, version) = action.split_once("@v").unwrap();
        assert!(version.bytes().all(|byte| byte.is_ascii_digit()), "{action}");
    }
    let upload = steps.last().unwrap();
    assert_eq!(upload["if"], "always()");
    let folder = text(&workflow["jobs"]["esteira"]["env"]["REPORTS"]);
    assert_eq!(text(&upload["with"]["path"]), format!("{folder}/"));
}

#[test]
fn a_name_is_no_expression() {
    let place = Place::new();
    let workflow = workflow(&place, "${{ github.token }}");
    let written = text(&workflow["jobs"]["esteira"]["env"]["PIPELINE"]);
    assert_eq!(written, "${{ '${{' }} github.token }}/esteira.toml");
}
