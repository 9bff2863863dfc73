//! `esteira init --ci`: where it writes, what it leaves alone, and what it says.

use std::fs;
use std::os::unix::fs::symlink;

use super::super::harness::Place;
use super::{git, template, yaml};

const SERVICES: [(&str, &str, &str); 4] = [
    ("github", ".github/workflows/esteira.yml", "github.yml"),
    ("gitlab", ".gitlab/esteira.yml", "gitlab.yml"),
    ("pre-commit", ".pre-commit-config.yaml", "pre-commit.yaml"),
    ("make", "esteira.mk", "make.mk"),
];

#[test]
fn it_is_written_at_the_root_of_the_repository_or_beside_the_pipeline() {
    for (service, path, _) in SERVICES {
        let place = Place::new();
        git(place.root(), &["init", "-q"]);
        fs::create_dir(place.path("sub")).unwrap();
        // From within a folder of the repository, by a link and a way around.
        symlink("sub", place.path("link")).unwrap();
        let script = "cd link && exec \"$0\" init --ci \"$1\" ../sub/checks";
        let done = place.esteira().under("sh", &["-c", script]).args([service]).run().exits(0);
        drop(done.says(&format!("wrote ../{path}\n")).says("next: esteira run ../sub/checks/"));
        assert!(place.text(path).contains("sub/checks/esteira.toml"), "{}", place.text(path));
        assert!(place.has("sub/checks/esteira.toml"));

        // A work tree has a file of that name; here there is none at all.
        let alone = Place::new();
        let done = alone.esteira().args(["init", "--ci", service, "a/b/users.toml"]).run().exits(0);
        drop(done.says(&format!("wrote a/b/{path}\n")));
        assert!(!alone.text(&format!("a/b/{path}")).contains("a/b/"));
        alone.write("a/.git", "gitdir: elsewhere\n");
        drop(alone.esteira().args(["init", "--ci", service, "a/b/users.toml"]).run().exits(0));
        assert!(alone.text(&format!("a/{path}")).contains("b/users.toml"));
    }
}

#[test]
fn a_pipeline_that_is_there_is_left_as_it_is() {
    for (service, path, _) in SERVICES {
        let place = Place::new();
        place.write("esteira.toml", "whatever = [");
        let done = place.esteira().args(["init", "--ci", service]).run().exits(0);
        let done = done.says("left as it is: esteira.toml\n").says(&format!("wrote {path}\n"));
        let unknown = done.stderr.contains("which file the pipeline writes is not known");
        assert_eq!(unknown, service == "make");
        assert_eq!(place.text("esteira.toml"), "whatever = [");
        assert!(!place.has("users.ndjson") && !place.has("esteira.schema.json"));
    }
}

#[test]
fn nothing_is_overwritten_and_what_is_lacking_is_shown() {
    for (service, path, name) in SERVICES {
        let place = Place::new();
        place.write(path, "mine\n");
        let done = place.esteira().args(["init", "--ci", service]).run().exits(2);
        let message = format!("nothing is overwritten, and `{path}` is there already");
        let line =
            template(name).lines().last().unwrap().replace("@INCLUDE@", "out/valid.ndjson.d");
        drop(done.says(&message).says("add by hand").says(&line));
        assert_eq!(place.text(path), "mine\n");
        assert!(!place.has("esteira.toml"), "all or nothing");

        // The same again stands in nobody's way.
        fs::remove_file(place.path(path)).unwrap();
        drop(place.esteira().args(["init", "--ci", service]).run().exits(0));
        let done = place.esteira().args(["init", "--ci", service]).run().exits(0);
        assert!(!done.stderr.contains("wrote"), "{}", done.stderr);

        // A link that leads nowhere may be meant for something.
        fs::remove_file(place.path(path)).unwrap();
        symlink("nowhere", place.path(path)).unwrap();
        drop(place.esteira().args(["init", "--ci", service]).run().exits(2).says(&message));
    }
}

#[test]
fn a_name_that_no_file_of_ci_can_hold_is_refused() {
    for service in ["github", "gitlab", "pre-commit", "make"] {
        let place = Place::new();
        git(place.root(), &["init", "-q"]);
        let done = place.esteira().args(["init", "--ci", service, "a\nb"]).run().exits(2);
        drop(done.says("is no name for a file of CI"));
        assert!(!place.has("a\nb"), "all or nothing");
    }
    let place = Place::new();
    git(place.root(), &["init", "-q"]);
    let done = place.esteira().args(["init", "--ci", "make", "a;b"]).run().exits(2);
    drop(done.says("make has no way to write the name of `a;b/"));
    assert!(!place.has("a;b"), "all or nothing");
    drop(place.esteira().args(["init", "--ci", "jenkins"]).run().exits(2).says("pre-commit"));
}

#[test]
fn a_pipeline_without_tests_is_not_tested() {
    for (service, file) in
        [("github", ".github/workflows/esteira.yml"), ("gitlab", ".gitlab/esteira.yml")]
    {
        let place = Place::new();
        git(place.root(), &["init", "-q"]);
        place.write("in.ndjson", "{}\n");
        let pipeline = "[sources.a]\ntype = \"file\"\npath = \"in.ndjson\"\noutput = \"o\"\n";
        place.write("esteira.toml", pipeline);
        drop(place.esteira().args(["init", "--ci", service]).run().exits(0));
        let text = place.text(file);
        let calls = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        assert!(!calls.clone().any(|line| line.contains("esteira test")), "{text}");
        assert!(text.contains("# When the pipeline has `[[tests]]`: esteira test"), "{text}");
        assert!(calls.clone().any(|line| line.contains("esteira run")), "{text}");
        yaml(&place.path(file));
    }
}
