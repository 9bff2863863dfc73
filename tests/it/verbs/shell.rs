//! Completions and the manual: what shells and `man` make of them.

use std::process::{Command, Output};

use super::super::harness::{Place, needs};

const VERBS: [&str; 11] = [
    "run",
    "replay",
    "pipe",
    "check",
    "test",
    "doctor",
    "graph",
    "init",
    "schema",
    "completions",
    "man",
];

fn bash(place: &Place, script: &str) -> Output {
    let bash = needs("bash", "bash");
    Command::new(bash).args(["-c", script]).current_dir(place.root()).output().unwrap()
}

#[test]
fn bash_completes_verbs_options_and_their_words() {
    let place = Place::new();
    let done = place.esteira().args(["completions", "bash"]).run().exits(0);
    place.write("esteira.bash", done.stdout);
    assert!(bash(&place, "bash -n esteira.bash").status.success());
    for (typed, found) in [
        ("gr", "graph"),
        ("graph --fo", "--format"),
        ("graph --format m", "mermaid"),
        ("pipe --protocol re", "records"),
        ("completions f", "fish"),
    ] {
        let script = format!(
            "source ./esteira.bash; COMP_WORDS=(esteira {typed}); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _esteira esteira \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; \
             echo \"${{COMPREPLY[*]}}\""
        );
        let done = bash(&place, &script);
        let text = String::from_utf8_lossy(&done.stdout);
        assert_eq!(text.trim(), found, "{typed}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn every_shell_gets_every_verb() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let done = place.esteira().args(["completions", shell]).run().exits(0);
        let text = String::from_utf8(done.stdout).unwrap();
        for verb in VERBS {
            assert!(text.contains(verb), "{shell}: {verb}");
        }
    }
    drop(place.esteira().args(["completions", "csh"]).run().exits(2));
}

#[test]
fn the_manual_has_a_page_for_each_verb() {
    let place = Place::new();
    drop(place.esteira().args(["man", "--out", "a/man1"]).run().exits(0).says("12 pages"));
    for verb in VERBS {
        let page = place.text(&format!("a/man1/esteira-{verb}.1"));
        for section in ["NAME", "SYNOPSIS", "EXAMPLES", "DESCRIPTION", "OPTIONS", "\"EXIT STATUS\""]
        {
            assert!(page.contains(&format!(".SH {section}")), "{verb}: {section}\n{page}");
        }
        assert!(page.contains(&format!("esteira {verb}").replace('-', "\\-")), "{verb}\n{page}");
        let done = place.esteira().args(["man", verb]).run().exits(0);
        assert_eq!(String::from_utf8(done.stdout).unwrap(), page);
        is_well_formed(&place, &format!("a/man1/esteira-{verb}.1"));
    }
    let done = place.esteira().args(["man"]).run().exits(0);
    assert_eq!(done.stdout, place.read("a/man1/esteira.1"));
    is_well_formed(&place, "a/man1/esteira.1");
    drop(place.esteira().args(["man", "fly"]).run().exits(2).says("no verb is called `fly`"));
}

/// Where there is a `man`, it has nothing to say against a page.
fn is_well_formed(place: &Place, page: &str) {
    if let Ok(man) = which::which("man") {
        let done = Command::new(man)
            .args(["--warnings", "-l", page])
            .env("MANPAGER", "cat")
            .env("LC_ALL", "C.UTF-8")
            .current_dir(place.root())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && said.is_empty(), "{page}: {said}");
    }
}

#[test]
fn a_closed_stdout_is_a_quiet_end() {
    let place = Place::new();
    drop(place.esteira().args(["init"]).run().exits(0));
    let program = env!("CARGO_BIN_EXE_esteira");
    for verb in ["schema", "schema --format markdown", "graph", "completions zsh", "man", "man run"]
    {
        let done = bash(&place, &format!("{program} {verb} | true; exit ${{PIPESTATUS[0]}}"));
        assert!(done.status.success() && done.stderr.is_empty(), "{verb}: {done:?}");
    }
}
