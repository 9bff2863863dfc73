//! Programs that cannot be started: found out before a byte of the input is taken.

use std::fs::File;
use std::io::Write as _;
use std::process::Command;

use super::super::harness::{Finished, Place, events};
use super::{call, event, no_event, place_with};

/// What lies in the folder, each made by a process of its own: had this one a file open to be
/// written while another test starts a program, that program would keep it busy.
fn folder() -> Place {
    let place = place_with(3);
    let made = Command::new("sh")
        .current_dir(place.root())
        .args([
            "-ec",
            "mkdir dir; mkfifo fifo
               echo '{}' >plain; chmod +x plain
               : >empty; chmod +x empty
               head -c 100 \"$(command -v head)\" >torn; chmod +x torn
               printf '#!/nowhere/sh\\n' >lost; chmod +x lost
               printf '#!dir\\n' >odd; chmod +x odd
               printf '#!/bin/sh\\n' >locked",
        ])
        .status()
        .unwrap();
    assert!(made.success());
    place
}

/// Requires a refusal that names the program and the cause, and touches nothing.
#[track_caller]
fn is_refused(place: &Place, done: Finished, program: &str, cause: &str) -> Finished {
    let done = done.exits(2).says(program).says(cause);
    assert_eq!(place.text("out"), "before\n", "{}", done.stderr);
    assert!(!place.has("report.json"), "{}", done.stderr);
    done
}

/// The input is not there either, which comes to light only when it is looked for.
#[test]
fn what_can_be_seen_of_a_program_is_seen_before_the_input_is_looked_for() {
    let place = folder();
    let refused = [
        ("nosuchprogram", "`nosuchprogram` not found"),
        ("./nosuch", "`./nosuch` not found"),
        ("./plain/x", "`./plain/x` not found"),
        ("./locked", "`./locked` is not executable"),
        ("./dir", "`./dir` is a folder"),
        ("./fifo", "`./fifo` is no regular file"),
        ("/dev/null", "`/dev/null` is no regular file"),
    ];
    for (program, cause) in refused {
        let done = place.esteira().pipe("missing", "out", &["--events", "events"], &[program]);
        let done = is_refused(&place, done.run(), program, cause);
        assert!(!done.stderr.contains("missing"), "{}", done.stderr);
        assert!(!place.has("events"), "no run began");
    }
}

/// Only the kernel knows: it is asked before the input is read, and nobody is asked instead of it.
#[test]
fn what_the_kernel_does_not_run_is_refused_with_its_own_words() {
    let place = folder();
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("input"), 0o600.into()).unwrap();
    let mut input = File::options().read(true).write(true).open(place.path("input")).unwrap();
    input.write_all(b"{\"a\":1}\n").unwrap();
    let script = "needs a first line such as `#!/bin/sh`";
    let refused = [
        ("./plain", "Exec format error", 8, script),
        ("./empty", "Exec format error", 8, script),
        ("./torn", "Exec format error", 8, script),
        ("./lost", "No such file or directory", 2, "the interpreter in its first line"),
        ("./odd", "Permission denied", 13, "the interpreter in its first line"),
    ];
    for (program, cause, errno, hint) in refused {
        let done = place.esteira().pipe("input", "out", &["--events", "events"], &[program]).run();
        let name = program.trim_start_matches('.');
        drop(is_refused(&place, done, name, cause).says("cannot run").says(hint));
        let failed = event(&place, "spawn_failed");
        assert_eq!(failed["errno"], errno, "{failed}");
        assert!(failed["program"].as_str().unwrap().ends_with(name), "{failed}");
        assert_eq!(event(&place, "run_finished")["exit"]["code"], 2);
        no_event(&place, &["worker_started", "worker_exit"]);
        assert_eq!(rustix::io::ioctl_fionread(&input).unwrap(), 8, "`{program}`: input is gone");
    }
}

/// Those that run already do not see the end of an input that they never had.
#[test]
fn a_program_that_cannot_be_started_ends_those_that_were() {
    let place = folder();
    let stage = |name: &str, program: &str| format!("[stages.{name}]\nrun = {program}\n");
    let first = stage("first", "['sh', '-c', 'read -r line; : >seen; exec sleep 600']");
    let between = stage("second", "['cat']") + &stage("third", "['cat']");
    for (program, words) in [("plain", "Exec format error"), ("lost", "No such file")] {
        let last = stage("last", &format!("['./{program}']"));
        let source = "[sources.in]\ntype = \"file\"\npath = \"in\"\n";
        place.write("p.toml", format!("{source}{first}{between}{last}output = \"out\"\n"));
        let options = ["--events", "events"];
        let done = place.esteira().args(["run", "p.toml"]).args(options).run();
        drop(is_refused(&place, done, program, words).says("stage `last`: cannot run"));
        assert_eq!(event(&place, "spawn_failed")["stage"], "last");
        assert_eq!(events(&place, "worker_started").len(), 3);
        assert!(!place.has("seen"), "it took nothing for an empty input");
    }
}

/// 126 and 127 are what a shell says of a program that it cannot run: here they are the program's.
#[test]
fn a_shell_that_finds_no_program_is_a_program_that_failed() {
    let place = place_with(3);
    for (script, code) in [("nosuchprogram", 127), ("./in", 126)] {
        let done = call(&place, &["sh", "-c", script]).run().exits(3);
        let done = done.says(&format!("exit code {code}")).says(&format!("{script}: "));
        super::is_in_doubt(&place, &done, "sh");
        assert_eq!(event(&place, "worker_exit")["code"], code);
        no_event(&place, &["spawn_failed"]);
    }
}
