use std::ffi::OsString;
use std::path::Path;

use crate::stage::remedy::{Holds, hint, remedy};

fn words(text: &str) -> Vec<OsString> {
    text.split(' ').map(OsString::from).collect()
}

#[test]
fn flags_go_behind_the_program() {
    for (given, mended) in [
        ("jq -c .", "jq --unbuffered -c ."),
        ("/usr/bin/jq -c .", "/usr/bin/jq --unbuffered -c ."),
        ("env LC_ALL=C jq .", "env LC_ALL=C jq --unbuffered ."),
        ("timeout 5 jq .", "timeout 5 jq --unbuffered ."),
        ("mlr --jsonl cat", "mlr --records-per-batch 1 --fflush --jsonl cat"),
        ("python3.11 check.py", "python3.11 -u check.py"),
        ("mawk {print}", "mawk -W interactive {print}"),
        ("grep -F x", "grep --line-buffered -F x"),
        ("sed s/a/b/", "stdbuf -oL sed s/a/b/"),
        ("unheard --of", "stdbuf -oL unheard --of"),
        ("stdbuf -oL python3 a.py", "stdbuf -oL python3 -u a.py"),
    ] {
        let argv = remedy(&words(given), None).and_then(|remedy| remedy.argv);
        assert_eq!(argv, Some(words(mended)), "{given}");
    }
}

#[test]
fn who_flushes_needs_no_remedy() {
    for given in [
        "cat",
        "gojq .",
        "node a.js",
        "./check.js",
        "jq --unbuffered .",
        "python3 -u a.py",
        "stdbuf -oL sed p",
        "stdbuf -oL jq .",
        "stdbuf -oL unheard",
        "mlr --fflush --records-per-batch 1 cat",
    ] {
        assert_eq!(remedy(&words(given), None), None, "{given}");
    }
    assert_eq!(remedy(&[], None), None);
}

#[test]
fn a_link_tells_which_awk_it_is() {
    let awk = words("awk {print}");
    let found = |file: &str| remedy(&awk, Some(Path::new(file))).unwrap();
    assert_eq!(found("/usr/bin/mawk").holds, Holds::Input);
    assert_eq!(found("/usr/bin/mawk").argv, Some(words("awk -W interactive {print}")));
    assert!(found("/usr/bin/gawk").advice.contains("stdbuf -oL"));
    assert!(found("/bin/busybox").advice.contains("fflush()"));
    assert!(found("/usr/bin/original-awk").advice.contains("fflush()"));
    assert!(remedy(&awk, None).unwrap().advice.contains("mawk"));
}

#[test]
fn a_sentence_names_program_and_cure() {
    let says = |given: &str| hint(&words(given), None);
    assert_eq!(
        says("jq -c .").as_deref(),
        Some("jq buffers its output in a pipe: add `--unbuffered`")
    );
    assert_eq!(
        says("mawk 1").as_deref(),
        Some("mawk reads its input in blocks: add `-W interactive`")
    );
    assert_eq!(
        says("sort").as_deref(),
        Some("sort writes nothing before its input ends: run it by `stream`")
    );
    let script = says("./check.py").unwrap();
    assert!(script.starts_with("check.py buffers") && !script.contains("`-u`"), "{script}");
    assert!(script.contains("PYTHONUNBUFFERED=1"), "{script}");
    assert!(says("perl a.pl").unwrap().contains("`$| = 1;`"));
    assert!(says("./unheard").unwrap().starts_with("unheard may buffer its output"));
    assert_eq!(says("cat"), None);
}

#[test]
fn a_shell_is_looked_through_where_it_runs_one_command() {
    let shell = |script: &str| remedy(&["sh".into(), "-c".into(), script.into()], None).unwrap();
    for script in ["jq -c .", "exec jq 'select(.a | not)'", "LC_ALL=C jq ."] {
        let found = shell(script);
        assert_eq!((found.program.as_str(), &found.argv), ("jq", &None), "{script}");
    }
    for script in ["jq . | cat", "head -n 1; cat", "while read l; do echo $l; done", ""] {
        assert_eq!(shell(script).program, "sh", "{script}");
        assert!(!shell(script).known);
    }
}
