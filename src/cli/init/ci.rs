//! `esteira init --ci`: what runs a pipeline in CI. The templates lie in `fixtures/init/ci`, where
//! they are tested as they stand; the paths of the pipeline are filled in here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::cli::args::{Pipeline, Service};
use crate::cli::depfile::unnameable;
use crate::cli::init::File;
use crate::cli::paths::{real, seen_from};
use crate::cli::run::plan;
use crate::plan::Output;
use crate::plan::describe::shell_words;
use crate::report::depfile::{as_need, as_target};
use crate::words::outcome::{Exit, Failure};

const GITHUB: &str = include_str!("../../../fixtures/init/ci/github.yml");
const GITLAB: &str = include_str!("../../../fixtures/init/ci/gitlab.yml");
const GITLAB_ROOT: &str = include_str!("../../../fixtures/init/ci/gitlab-ci.yml");
const PRE_COMMIT: &str = include_str!("../../../fixtures/init/ci/pre-commit.yaml");
const MAKE: &str = include_str!("../../../fixtures/init/ci/make.mk");

/// What the pipeline of the templates writes, beside its file.
const OUTPUT: &str = "out/valid.ndjson";

/// What runs a pipeline.
pub(super) struct Step {
    /// The file that does.
    pub(super) file: File,
    /// Of that file, what one that is there already lacks.
    pub(super) lacks: String,
    /// A file that is written where there is none, and the lines that one which is there lacks.
    pub(super) includes: Option<File>,
    /// What to do next, and what is not known.
    pub(super) next: String,
}

/// Puts together what runs the pipeline at `pipeline`, whose file need not be there yet.
pub(super) fn step(service: Service, pipeline: &Path) -> anyhow::Result<Step> {
    let whole = real(&std::path::absolute(pipeline)?);
    let folder = whole.parent().unwrap_or(Path::new("/"));
    let root = folder.ancestors().find(|at| at.join(".git").exists()).unwrap_or(folder);
    let inside = whole.strip_prefix(root).unwrap_or(&whole);
    let inside = match inside.to_str() {
        Some(text) if text.contains(char::is_control) => None,
        // It must not be taken for an option.
        Some(text) if text.starts_with('-') => Some(format!("./{text}")),
        text => text.map(str::to_owned),
    };
    let inside = inside.ok_or_else(|| {
        let message = format!("`{}` is no name for a file of CI", pipeline.display());
        Failure::new(Exit::Config, message).hint("name it in UTF-8, without control characters")
    })?;
    let tested = has_tests(pipeline);
    let filled = |template: &str, path: &str| {
        let text = template.replace("@PIPELINE@", &path.replace('\'', "''"));
        if tested { text } else { without_test(&text) }
    };
    let file = |name: &str, text: String| File { path: root.join(name), text };
    Ok(match service {
        Service::Github => {
            // An expression of GitHub's, which would be put in the place of the text.
            let text = filled(GITHUB, &inside.replace("${{", "${{ '${{' }}"));
            let file = file(".github/workflows/esteira.yml", text.clone());
            Step { file, lacks: text, includes: None, next: String::new() }
        }
        Service::Gitlab => {
            let text = filled(GITLAB, &inside.replace('$', "$$"));
            let includes = Some(file(".gitlab-ci.yml", GITLAB_ROOT.to_owned()));
            Step {
                file: file(".gitlab/esteira.yml", text.clone()),
                lacks: text,
                includes,
                next: String::new(),
            }
        }
        Service::PreCommit => {
            let text = filled(PRE_COMMIT, &inside);
            let lacks = text.split_once("repos:\n").map_or("", |(_, hook)| hook).to_owned();
            let next = "next: pre-commit install\n".to_owned();
            Step { file: file(".pre-commit-config.yaml", text), lacks, includes: None, next }
        }
        Service::Make => {
            let output = output(pipeline);
            let unknown = output.is_none() && pipeline.symlink_metadata().is_ok();
            let text = make(root, output.unwrap_or(pipeline.with_file_name(OUTPUT)), &inside)?;
            let mut next = "next: `include esteira.mk` behind the first target of a Makefile, or \
                            make -f esteira.mk\n"
                .to_owned();
            if unknown {
                let why = "which file the pipeline writes is not known: in esteira.mk put its \
                           name in the place of";
                next.insert_str(0, &format!("{why} {OUTPUT}\n"));
            }
            Step { file: file("esteira.mk", text.clone()), lacks: text, includes: None, next }
        }
    })
}

/// Tells whether the pipeline has tests; that of the templates has.
fn has_tests(pipeline: &Path) -> bool {
    match std::fs::read_to_string(pipeline) {
        Ok(text) => text.lines().any(|line| line.trim_start().starts_with("[[tests]]")),
        Err(_) => true,
    }
}

/// Puts a remark in the place of the step that tests the pipeline: without tests it would fail.
fn without_test(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.contains("esteira test") {
            let indent = line.len() - line.trim_start().len();
            out.push_str(&" ".repeat(indent.min(6)));
            out.push_str("# When the pipeline has `[[tests]]`: esteira test \"$PIPELINE\"\n");
        } else if !line.contains("- name: Test the pipeline") {
            out.push_str(line);
        }
    }
    out
}

/// Fills in the rules for make, which stands in `root`: the pipeline file `inside` of it makes
/// `output`.
fn make(root: &Path, output: PathBuf, inside: &str) -> anyhow::Result<String> {
    let output = seen_from(root, &real(&std::path::absolute(output)?));
    let mut depfile = output.clone().into_os_string();
    depfile.push(".d");
    let depfile = PathBuf::from(depfile);
    let text = |name: Result<Vec<u8>, _>| {
        let name = name.map_err(unnameable)?;
        String::from_utf8(name).map_err(|_| {
            let message = format!("`{}` is not UTF-8", output.display());
            Failure::new(Exit::Config, message).hint("give the sink another `path`")
        })
    };
    let filled = [
        ("@TARGET@", text(as_target(&output))?),
        ("@NEEDS@", text(as_need(Path::new(inside)))?),
        ("@INCLUDE@", text(as_need(&depfile))?),
        ("@RUN@", word(OsStr::new(inside))),
        ("@DEPFILE@", word(depfile.as_os_str())),
    ];
    Ok(filled.iter().fold(MAKE.to_owned(), |text, (sign, name)| text.replace(sign, name)))
}

/// Finds the file that a pipeline writes, if its own is there and as it should be.
fn output(pipeline: &Path) -> Option<PathBuf> {
    let pipeline = Pipeline { file: pipeline.to_owned(), sets: Vec::new() };
    let plan = plan(&pipeline, &[]).ok()?.ok()?;
    let mut sinks = plan.sinks.into_iter().filter(|sink| !sink.letters);
    sinks.find_map(|sink| match sink.output {
        Output::File(path) => Some(path),
        Output::Stdout | Output::Table(_) => None,
    })
}

/// Writes a path as a word of a recipe, and as no option.
fn word(path: &OsStr) -> String {
    let option = path.as_encoded_bytes().starts_with(b"-");
    let path = if option { Path::new(".").join(path).into() } else { path.to_owned() };
    shell_words(&[path]).replace('$', "$$")
}
