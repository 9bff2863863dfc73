//! Names in the rules for make: whatever a file is called, make knows it.

use std::fs;

use super::super::harness::Place;
use super::ends;
use super::make::{age, make};

/// Names that mean something to make, to a shell or to patterns, or nothing.
const NAMES: [&str; 38] = [
    "a b",
    " a",
    "a  b",
    "$a",
    "$(a)b",
    "a#b",
    "#",
    "a:b",
    "C:\\a",
    "a\\b",
    "a\\ b",
    "a\\\\#b",
    "a%b",
    "date=2026",
    "a&",
    "-a",
    "a*b",
    "a?b",
    "a[b]c",
    "'\"`!{}<>,@^+",
    "a(b)c",
    "define",
    "else",
    "endef",
    "endif",
    "export",
    "ifdef",
    "ifeq",
    "ifndef",
    "ifneq",
    "include",
    "load",
    "override",
    "private",
    "sinclude",
    "undefine",
    "unexport",
    "vpath",
];

#[test]
fn make_knows_files_whatever_they_are_called() {
    let place = Place::new();
    let list = NAMES.map(|name| format!("{:?}", name.to_owned()).replace("\\'", "'"));
    let pipeline = format!(
        "[sources.a]\ntype = \"file\"\npath = [{}]\n\n\
         [sinks.b]\ntype = \"file\"\npath = \"out\"\n",
        list.join(", ")
    );
    place.write("p.toml", pipeline);
    for name in NAMES {
        place.write(name, "{}\n");
    }
    drop(place.esteira().args(["run", "p.toml", "--depfile", "d"]).run().exits(0));
    assert_eq!(place.text("out").lines().count(), NAMES.len());
    place.write("Makefile", "./out :\n\t@echo MADE\n\n-include d\n");
    let makes = || {
        let done = make(place.root(), &[]);
        ends(&done, 0);
        assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap() == "MADE\n"
    };
    let settle = || {
        for name in NAMES {
            age(&place.path(name), 2);
        }
        age(&place.path("p.toml"), 2);
        age(&place.path("out"), 1);
    };
    settle();
    assert!(!makes());
    for name in NAMES {
        age(&place.path(name), 0);
        assert!(makes(), "{name:?} has changed");
        settle();
        assert!(!makes(), "{name:?} has not");
        fs::remove_file(place.path(name)).unwrap();
        assert!(makes(), "{name:?} is gone");
        place.write(name, "{}\n");
        settle();
    }
}

#[test]
fn make_makes_targets_whatever_they_are_called() {
    // A goal that nobody names cannot hold a `%`.
    for name in NAMES.iter().filter(|name| !name.contains('%')) {
        let place = Place::new();
        fs::create_dir(place.path(".git")).unwrap();
        drop(place.esteira().args(["init", "--ci", "make", &format!("./{name}")]).run().exits(0));
        for says in ["esteira run", "up to date"] {
            let done = make(place.root(), &["-f", "esteira.mk"]);
            ends(&done, 0);
            let out = String::from_utf8_lossy(&done.stdout).into_owned();
            assert!(out.contains(says), "{name:?}: {out}");
        }
    }
}

#[test]
fn names_that_no_rule_can_hold_are_refused_before_anything_is_read() {
    for name in ["a\nb", "a;b", "a|b", "a\tb", "lib(a)", "a\\", "~", "~a"] {
        let place = Place::new();
        let path = format!("{name:?}");
        let pipeline = format!(
            "[sources.a]\ntype = \"file\"\npath = {path}\n\n[sinks.b]\ntype = \"file\"\npath = \"out\"\n"
        );
        place.write("p.toml", pipeline);
        place.write(name, "{}\n");
        let done = place.esteira().args(["run", "p.toml", "--depfile", "d"]).run().exits(2);
        drop(done.says("make has no way to write the name of `").says("hint: rename it"));
        assert!(!place.has("out") && !place.has("d"));
        drop(place.esteira().args(["run", "p.toml"]).run().exits(0));
    }
}
