//! The job of GitLab.

use std::process::Output;

use serde_json::Value;

use super::super::harness::Place;
use super::{bash, ends, git, program, reported, search_path, spoil, text, yaml};

fn job(place: &Place, pipeline: &str) -> Value {
    git(place.root(), &["init", "-q"]);
    drop(place.esteira().args(["init", "--ci", "gitlab", pipeline]).run().exits(0));
    yaml(&place.path(".gitlab/esteira.yml"))["esteira"].clone()
}

/// Runs a job as GitLab's runner does: all its lines are one script.
fn run(place: &Place, job: &Value) -> Output {
    let lines = ["before_script", "script"].iter().flat_map(|part| job[part].as_array().unwrap());
    let script: String = lines.map(|line| text(line).to_owned() + "\n").collect();
    let root = place.root().to_str().unwrap();
    let given = job["variables"].as_object().unwrap();
    // A variable may name others; `$$` is a `$`.
    let given: Vec<(&str, String)> =
        given.iter().map(|(name, value)| (name.as_str(), text(value).replace("$$", "$"))).collect();
    let mut variables = vec![("GITLAB_CI", "true"), ("CI_PROJECT_DIR", root)];
    variables.extend(given.iter().map(|(name, value)| (*name, value.as_str())));
    bash(place.root(), &script, &search_path(&[program(place)]), &variables)
}

#[test]
fn a_job_runs_the_pipeline_and_ends_as_it_does() {
    for folder in ["users", "it's $HOME # 1"] {
        let place = Place::new();
        let job = job(&place, folder);
        ends(&run(&place, &job), 0);
        assert_eq!(place.text(&format!("{folder}/out/valid.ndjson")).lines().count(), 4);
        let named = &job["artifacts"]["reports"];
        let [whole, tests] = [0, 1].map(|index| text(&named["junit"][index]));
        let reports = [("junit", whole), ("gitlab", text(&named["codequality"]))];
        assert!(place.text(tests).contains("<testcase "), "{}", place.text(tests));
        reported(&place, &reports);
        spoil(&place, &format!("{folder}/users.ndjson"));
        ends(&run(&place, &job), 1);
        reported(&place, &reports);
        assert_eq!(job["artifacts"]["when"], "always");
    }
}

#[test]
fn the_reports_are_where_the_artifacts_look_for_them() {
    let place = Place::new();
    let job = job(&place, ".");
    let script = text(job["script"].as_array().unwrap().last().unwrap());
    let script = script.replace("$REPORTS", text(&job["variables"]["REPORTS"]));
    for (format, report) in [("junit", "junit"), ("gitlab", "codequality")] {
        let named = &job["artifacts"]["reports"][report];
        let path = text(named.get(0).unwrap_or(named));
        assert!(script.contains(&format!("--report {format}=\"{path}\"")), "{script}");
    }
}

#[test]
fn a_pipeline_of_gitlab_that_is_there_is_told_what_it_lacks() {
    let place = Place::new();
    git(place.root(), &["init", "-q"]);
    place.write(".gitlab-ci.yml", "stages: [test]\n");
    let done = place.esteira().args(["init", "--ci", "gitlab", "a"]).run().exits(0);
    drop(done.says("add to .gitlab-ci.yml:\ninclude:\n  - local: /.gitlab/esteira.yml\n"));
    assert_eq!(place.text(".gitlab-ci.yml"), "stages: [test]\n");

    place.write(".gitlab-ci.yml", "include: ['/.gitlab/esteira.yml']\n");
    let done = place.esteira().args(["init", "--ci", "gitlab", "a"]).run().exits(0);
    assert!(!done.stderr.contains("add to"), "{}", done.stderr);

    // Where there is none, it is written.
    std::fs::remove_file(place.path(".gitlab-ci.yml")).unwrap();
    drop(place.esteira().args(["init", "--ci", "gitlab", "a"]).run().exits(0));
    let included = yaml(&place.path(".gitlab-ci.yml"))["include"][0]["local"].clone();
    assert!(place.has(text(&included).trim_start_matches('/')));
}
