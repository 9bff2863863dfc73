//! The action of this repository, its steps run as GitHub runs them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

use super::super::harness::{Place, project};
use super::{bash, ends, program, reported, search_path, spoil, text, yaml};

/// Fills in what the caller gave, as the service does.
fn filled(value: &str, inputs: &BTreeMap<String, String>) -> String {
    let Some(name) = value.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}"))
    else {
        assert!(!value.contains("${{"), "{value}");
        return value.to_owned();
    };
    inputs[name].clone()
}

/// Runs the action, and returns its last step's end and its outputs.
fn act(
    place: &Place,
    given: &[(&str, &str)],
    tools: PathBuf,
) -> (Output, BTreeMap<String, String>) {
    let action = yaml(&project("action.yml"));
    let declared = action["inputs"].as_object().unwrap().iter();
    let mut inputs: BTreeMap<String, String> =
        declared.map(|(name, input)| (name.clone(), text(&input["default"]).to_owned())).collect();
    for (name, value) in given {
        assert!(inputs.insert((*name).to_owned(), (*value).to_owned()).is_some(), "{name}");
    }
    let files = ["output", "path", "summary"].map(|name| place.write(name, ""));
    let mut folders = vec![tools];
    let mut last = None;
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert_eq!(step["shell"], "bash");
        if step["if"] == "inputs.test == 'true'" {
            if inputs["test"] != "true" {
                continue;
            }
        } else {
            assert!(step["if"].is_null(), "{step}");
        }
        let script = text(&step["run"]);
        assert!(!script.contains("${{"), "no input is a part of a script: {script}");
        let own = step["env"].as_object().unwrap().iter();
        let own: Vec<(&str, String)> =
            own.map(|(name, value)| (name.as_str(), filled(text(value), &inputs))).collect();
        let root = place.root().to_str().unwrap();
        let mut variables = vec![
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_WORKSPACE", root),
            ("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR")),
            ("RUNNER_TEMP", root),
            ("GITHUB_OUTPUT", files[0].to_str().unwrap()),
            ("GITHUB_PATH", files[1].to_str().unwrap()),
            ("GITHUB_STEP_SUMMARY", files[2].to_str().unwrap()),
        ];
        variables.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
        let done = bash(place.root(), script, &search_path(&folders), &variables);
        folders.splice(0..0, place.text("path").lines().map(PathBuf::from));
        let failed = !done.status.success();
        last = Some(done);
        if failed {
            break;
        }
    }
    let lines = place.text("output");
    let outputs = lines.lines().map(|line| line.split_once('=').unwrap());
    let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (last.unwrap(), outputs)
}

fn users() -> Place {
    let place = Place::new();
    drop(place.esteira().args(["init"]).run().exits(0));
    place
}

#[test]
fn the_action_runs_a_pipeline_and_says_how_it_ended() {
    let place = users();
    let tools = program(&place);
    let (done, outputs) = act(&place, &[("test", "true")], tools.clone());
    ends(&done, 0);
    assert_eq!(outputs["exit-code"], "0");
    let report: Value = serde_json::from_str(&place.text(&outputs["report"])).unwrap();
    assert_eq!(report["sinks"]["valid"]["written"], 4);
    reported(
        &place,
        &[
            ("sarif", "esteira-reports/esteira.sarif"),
            ("junit", "esteira-reports/junit.xml"),
            ("html", "esteira-reports/report.html"),
            ("github", "summary"),
        ],
    );

    spoil(&place, "users.ndjson");
    let (done, outputs) = act(&place, &[("reports", "re ports/$HOME")], tools.clone());
    ends(&done, 1);
    assert_eq!(outputs["exit-code"], "1");
    assert_eq!(outputs["report"], "re ports/$HOME/report.json");
    assert!(place.has("re ports/$HOME/report.json"));

    let limits = "--max-rejects 3 --set 'stages.validate.max_rejects = 2'";
    let (done, outputs) = act(&place, &[("args", limits)], tools.clone());
    ends(&done, 0);
    assert_eq!(outputs["exit-code"], "0");

    place.write("validate.py", "raise SystemExit(9)\n");
    place.write("validate.sh", "kill -9 $$\n");
    let (done, outputs) = act(&place, &[], tools);
    ends(&done, 3);
    assert_eq!(outputs["exit-code"], "3");
}

#[test]
fn inputs_are_words_and_nothing_else() {
    let place = users();
    let hostile = ["$(touch owned)`touch owned`;touch owned\n#'\"", "$(touch owned);*"];
    // It runs no `cargo` of the machine's.
    place.script("programs/cargo", "#!/bin/sh\nexit 9\n");
    for (name, text) in
        ["pipeline", "args", "version"].iter().flat_map(|n| hostile.map(|t| (*n, t)))
    {
        let (done, outputs) = act(&place, &[(name, text)], program(&place));
        assert!(!done.status.success(), "{name}");
        assert!(!place.has("owned") && outputs.get("exit-code").is_none_or(|code| code == "2"));
    }
    let folder = "$(touch owned)\nexit-code=0;touch owned";
    spoil(&place, "users.ndjson");
    let (done, outputs) = act(&place, &[("reports", folder)], program(&place));
    ends(&done, 1);
    assert_eq!(outputs["exit-code"], "1");
    assert!(!place.has("owned"));
    // Words are split, but no pattern is one of the shell's.
    let (done, _) =
        act(&place, &[("args", "--set stages.validate.max_rejects=*.ndjson")], program(&place));
    ends(&done, 2);
    assert!(String::from_utf8_lossy(&done.stderr).contains("*.ndjson"));
}

#[test]
fn it_builds_itself_unless_the_program_is_there() {
    let (own, version) = (env!("CARGO_MANIFEST_DIR"), env!("CARGO_PKG_VERSION"));
    for (there, asked, installs) in [
        (false, "", Some(format!("--path\n{own}"))),
        (true, "", None),
        (true, version, None),
        (true, "0.0.7", Some("--version\n0.0.7\nesteira".to_owned())),
        (false, version, Some(format!("--version\n{version}\nesteira"))),
    ] {
        let place = users();
        let built = program(&place).join("esteira");
        let tools = if there { "programs" } else { "tools" };
        let cargo = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" >called\nmkdir -p esteira/bin\n\
             ln -s '{}' esteira/bin/esteira\n",
            built.display()
        );
        place.script(&format!("{tools}/cargo"), &cargo);
        let (done, outputs) = act(&place, &[("version", asked)], place.path(tools));
        ends(&done, 0);
        assert_eq!(outputs["exit-code"], "0");
        let root = place.path("esteira");
        let called = installs
            .map(|source| format!("install\n--locked\n--root\n{}\n{source}\n", root.display()));
        assert_eq!(place.has("called").then(|| place.text("called")), called);
    }
}
