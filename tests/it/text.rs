//! Foreign text: it is shown, and it steers nothing: no terminal, no CI service, no shell.

use super::harness::{Finished, Place};

/// What steers a terminal: colours, titles, the clipboard, links, a cursor that goes back, C1
/// codes with and without their usual spelling, text that runs backwards, another line.
const HOSTILE: [&str; 12] = [
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]52;c;cGFzdGU=\u{7}",
    "\u{1b}]8;;http://x.example\u{1b}\\link",
    "\u{1b}[2J\u{1b}[H",
    "\u{9b}31mred",
    "\u{9d}0;title\u{9c}",
    "a\rb",
    "\u{202e}txt.exe",
    "\u{2066}x\u{2069}\u{200f}\u{61c}",
    "a\u{8}b\u{7f}\u{0}c",
    "x\u{2028}y\u{2029}z\u{b}\u{c}\u{85}",
];

/// What a CI service takes for a command.
const COMMANDS: [&str; 8] = [
    "::error::owned",
    "  ::set-output name=a::b",
    "::stop-commands::x",
    "::add-mask::a",
    "##[error]owned",
    "##vso[task.setvariable variable=a]b",
    "a ##[set-env name=b]c",
    "#\u{200b}#[group]x",
];

/// Requires that nothing on stderr steers anything.
#[track_caller]
fn is_harmless(done: &Finished) {
    let steers = |c: char| {
        c != '\n' && c.is_control()
            || "\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}\u{feff}".contains(c)
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    let stderr = &done.stderr;
    assert!(!stderr.contains(steers), "{stderr:?}");
    for line in stderr.lines() {
        let seen: String = line.chars().filter(char::is_ascii).collect();
        assert!(!seen.trim_start().starts_with("::"), "{line:?}");
        assert!(!seen.contains("##[") && !seen.contains("##vso["), "{line:?}");
    }
}

fn hostile() -> impl Iterator<Item = &'static str> {
    HOSTILE.into_iter().chain(COMMANDS)
}

/// Runs `cat` over some records, in a CI service or so it seems.
fn run(place: &Place, options: &[&str], program: &[&str]) -> Finished {
    let ci = place.esteira().env("GITHUB_ACTIONS", "1").env("TF_BUILD", "True");
    ci.pipe("in", "out", options, program).run()
}

#[test]
fn what_a_child_writes_to_stderr_is_shown_and_steers_nothing() {
    let place = Place::new();
    place.write("in", "{}\n");
    let mut noise = hostile().map(|text| format!("{text}\n").into_bytes()).collect::<Vec<_>>();
    noise.push(b"\xff\xfe\x9b2J\n".to_vec());
    place.write("noise", noise.concat());
    for (code, program) in [(0, "cat; cat noise >&2"), (3, "cat; cat noise >&2; exit 7")] {
        let done = run(&place, &[], &["sh", "-c", program]).exits(code);
        is_harmless(&done);
        assert!(!done.stderr.contains('\u{fffd}'), "it is UTF-8\n{:?}", done.stderr);
        let done = done.says("sh | \\u{1b}[31mred\\u{1b}[0m\n").says("sh | a\\rb\n");
        let done = done.says("sh | ::error::owned\n").says("sh | #\\u{23}[error]owned\n");
        done.says("sh | \\xff\\xfe\\x9b2J\n").says("sh | \\u{202e}txt.exe\n").report();
    }
}

/// More than is shown as it comes is shown at the end, in the same way.
#[test]
fn a_flood_of_it_steers_nothing_either() {
    let place = Place::new();
    place.write("in", "{}\n");
    let noise: Vec<String> = hostile().map(|text| format!("{text}\n")).collect();
    place.write("noise", noise.concat().repeat(400));
    let done = run(&place, &[], &["sh", "-c", "cat; cat noise >&2"]).exits(0);
    is_harmless(&done);
    assert!(done.stderr.len() < 400_000, "{} bytes", done.stderr.len());
    done.says("bytes left out").report();
}

#[test]
fn the_last_words_of_a_child_stand_line_by_line() {
    let place = Place::new();
    place.write("in", "{}\n");
    let program = "cat; printf 'Traceback:\\n  in line 3\\nKeyError\\n' >&2; exit 1";
    let done = run(&place, &["--progress", "none"], &["sh", "-c", program]).exits(3);
    let words = "its last words on stderr:\n  | Traceback:\n  |   in line 3\n  | KeyError\n";
    done.says(words).report();
}

#[test]
fn a_stray_line_is_shown_and_steers_nothing() {
    let place = Place::new();
    place.write("in", "{}\n");
    for text in hostile() {
        place.write("noise", format!("{text}\n"));
        let done = run(&place, &[], &["sh", "-c", "cat; cat noise"]).exits(3);
        is_harmless(&done);
        done.says("wrote line 2, which is no JSON text").report();
    }
}

#[test]
fn a_record_in_a_message_steers_nothing() {
    let place = Place::new();
    let lines = hostile().map(|text| format!("{text}\n"));
    let text: String = lines.filter(|line| !line.contains('\u{0}')).collect();
    place.write("in", &text);
    let done = run(&place, &["--rejects", "bad"], &["cat"]).exits(1);
    is_harmless(&done);
    assert!(!place.text("bad").contains(|c: char| c.is_control() && c != '\n'));
    let report = place.text("report.json");
    assert!(!report.contains(|c: char| c.is_control() && c != '\n'), "{report:?}");
    done.report();
}

/// No file can be called by some of them: a NUL ends a name, and a slash a folder's.
fn names() -> impl Iterator<Item = String> {
    hostile().filter(|name| !name.contains(['\0', '/'])).map(|name| format!("{name}\n::error::x"))
}

#[test]
fn a_file_name_steers_nothing() {
    let place = Place::new();
    for name in names() {
        place.write(&name, "bad\n");
        let (outside, report) = (format!("{name}.out"), format!("json={name}.json"));
        let esteira = place.esteira().env("GITHUB_ACTIONS", "1");
        let arguments = ["pipe", "-i", &name, "-o", &outside, "--report", &report, "--", "cat"];
        let done = esteira.args(arguments).run().exits(1);
        is_harmless(&done);
        // As dead letters, as an output, as a link, as a folder in the way.
        let rejects = format!("{name}.bad");
        let esteira = place.esteira().env("GITHUB_ACTIONS", "1");
        let options = ["--rejects", &rejects, "--max-rejects", "1"];
        let done = esteira.pipe(&name, &outside, &options, &["cat"]).run().exits(0);
        is_harmless(&done.says("wrote "));
        std::os::unix::fs::symlink(&name, place.path(&format!("{name}.link"))).unwrap();
        let done = run_at(&place, &name, &format!("{name}.link")).exits(2);
        is_harmless(&done);
        is_harmless(&run_at(&place, &name, &format!("{name}/out")).exits(4));
        // A bracket in a name that is not there makes it a pattern.
        let done = run_at(&place, &format!("{name}.missing"), "out");
        assert!([2, 4].contains(&done.code()), "{}", done.stderr);
        is_harmless(&done);
    }
}

fn run_at(place: &Place, input: &str, output: &str) -> Finished {
    let esteira = place.esteira().env("GITHUB_ACTIONS", "1");
    esteira.args(["pipe", "-i", input, "-o", output, "--", "cat"]).run()
}

#[test]
fn what_is_typed_wrongly_steers_nothing() {
    let place = Place::new();
    place.write("in", "{}\n");
    for name in names() {
        let call = |arguments: &[&str]| {
            let esteira = place.esteira().env("GITHUB_ACTIONS", "1");
            let done = esteira.args(arguments).run();
            assert!([2, 4].contains(&done.code()), "{}\n{}", done.code(), done.stderr);
            is_harmless(&done);
        };
        let missing = format!("missing/{name}");
        call(&["pipe", "-i", "in", "-o", "out", "--", &name]);
        call(&["pipe", "-i", "in", "-o", "out", "--", &format!("./{name}")]);
        call(&["pipe", "-i", "in", "-o", "out", "--events", &missing, "--", "cat"]);
        let report = format!("json=in/{name}");
        call(&["pipe", "-i", "in", "-o", "out", "--report", &report, "--", "cat"]);
        call(&["run", &missing]);
        call(&["check", &missing]);
        place.write(&format!("{name}.toml"), "[pipeline\n");
        call(&["check", &format!("{name}.toml")]);
    }
}

#[test]
fn a_pipeline_file_in_a_message_steers_nothing() {
    let place = Place::new();
    for text in hostile() {
        let json = serde_json::to_string(text).unwrap();
        // TOML spells no control character but by an escape.
        let toml: String = json
            .chars()
            .map(|c| if c.is_control() { format!("\\u{:04x}", u32::from(c)) } else { c.into() })
            .collect();
        let mistakes = [
            format!("[sources.in]\ntype = {toml}\n"),
            format!("[sources.in]\ntype = \"file\"\n{toml} = 1\n"),
            format!("[sources.{toml}]\ntype = \"stdin\"\n"),
            format!(
                "[sources.in]\ntype = \"stdin\"\n[stages.s]\nrun = [{toml}]\ninputs = [{toml}]\n"
            ),
            format!(
                "# {}\n[sources.in]\ntype = # {}\n",
                text.replace('\0', ""),
                text.replace('\0', "")
            ),
        ];
        for mistake in mistakes {
            place.write("p.toml", &mistake);
            let esteira = place.esteira().env("GITHUB_ACTIONS", "1");
            let done = esteira.args(["check", "p.toml"]).run().exits(2);
            is_harmless(&done);
        }
    }
}

const ARGUMENTS: [&str; 9] = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "a\nb",
    "-rf",
    "--",
    "",
    "*",
    "\u{e9} \"'\\ ${HOME} $$ %s",
];

/// A program that writes down each of its arguments, then copies.
fn noting(place: &Place) {
    place.script("note", "#!/bin/sh\nprintf '%s\\0' \"$@\" >arguments\nexec cat\n");
}

#[test]
fn arguments_arrive_as_they_are() {
    let place = Place::new();
    noting(&place);
    place.write("in", "{}\n");
    let wanted = ARGUMENTS.join("\0") + "\0";
    let program = [&["./note"], &ARGUMENTS[..]].concat();
    run(&place, &[], &program).exits(0).report();
    assert_eq!(place.text("arguments"), wanted);
    let arguments: Vec<String> =
        program.iter().map(|argument| serde_json::to_string(argument).unwrap()).collect();
    place.write(
        "p.toml",
        format!(
            "[sources.in]\ntype = \"file\"\npath = \"in\"\n[stages.note]\nrun = [{}]\noutput = \"out\"\n",
            arguments.join(", ")
        ),
    );
    place.write("arguments", "");
    drop(place.esteira().args(["run", "p.toml"]).run().exits(0));
    assert_eq!(place.text("arguments"), wanted);
    assert!(!place.has("pwned"));
}

#[test]
fn no_record_comes_near_a_command_line_or_an_environment() {
    let place = Place::new();
    let secret = "7b1c-of-a-record";
    place.write("in", format!("{{\"name\":\"$(touch pwned) {secret}\"}}\nbad {secret}\n"));
    // Of itself, of its guard and of the controller.
    let look = "cat; for pid in $$ $PPID $(cut -d' ' -f4 /proc/$PPID/stat); do \
                cat /proc/$pid/cmdline /proc/$pid/environ; done >seen";
    let done = run(&place, &["--max-rejects", "1"], &["sh", "-c", look]).exits(0);
    let seen = String::from_utf8_lossy(&place.read("seen")).into_owned();
    assert!(seen.contains("ESTEIRA_RUN=") && seen.contains("--max-rejects"), "{seen}");
    assert!(!seen.contains(secret), "{seen}");
    assert!(!place.has("pwned"));
    done.report();
}
