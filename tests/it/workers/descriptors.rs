//! Files that a program could inherit by accident: those of its caller, and each other's.

use std::process::Command;

use super::{event, fake, place_with};

/// A `make` hands its job server down by number, and many a caller leaves a file open.
#[test]
fn a_program_has_its_standard_streams_and_nothing_else() {
    let place = place_with(3);
    // A shell opens nothing of its own here, and `ls` shows the shell's, not its own.
    let lists = "run = [\"sh\", \"-c\", \"cat; ls /proc/$$/fd\"]\n";
    place.write(
        "p.toml",
        format!(
            "[sources.in]\ntype = \"file\"\npath = \"in\"\n\
             [stages.first]\n{lists}[stages.second]\n{lists}output = \"out\"\n"
        ),
    );
    let script = fake("with_open_files.py");
    let caller = [script.as_str(), "in", "3", "9", "10", "251"];
    // What any other program has of that caller.
    let other = Command::new("python3")
        .current_dir(place.root())
        .args(caller)
        .args(["/bin/sh", "-c", "ls /proc/$$/fd"])
        .output()
        .unwrap();
    let other = String::from_utf8(other.stdout).unwrap();
    assert!(["3", "9", "10", "251"].iter().all(|n| other.lines().any(|fd| fd == *n)), "{other}");
    let esteira = place.esteira().under("python3", &caller);
    let done = esteira.pipeline("p.toml", &["--events", "events"]).run().exits(0);
    let records = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n";
    assert_eq!(place.text("out"), format!("{records}0\n1\n2\n0\n1\n2\n"));
    assert_eq!(done.report()["stages"]["second"]["out"], 9);
    assert_eq!(event(&place, "published")["records"], 9);
}

/// The same for a caller that hands down less than it should: what is opened instead is no
/// standard stream of the programs.
#[test]
fn a_caller_without_standard_streams_does_not_leave_programs_without() {
    let place = place_with(3);
    let script = "\"$0\" \"$@\" <&- >&- 2>&-";
    let lists = "cat; ls /proc/$$/fd; echo works >&2";
    let esteira = place.esteira().under("sh", &["-c", script]);
    let options = ["--events", "events"];
    let done = esteira.pipe("in", "out", &options, &["sh", "-c", lists]).run().exits(0);
    assert_eq!(place.text("out"), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n0\n1\n2\n");
    assert_eq!(event(&place, "stderr")["line"], "works");
    assert_eq!(done.report()["sinks"]["output"]["written"], 6);
}
