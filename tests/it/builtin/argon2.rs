//! `algorithm = "argon2id"`: what it makes is verified by the reference implementation.

use super::super::harness::Place;
use super::{built, counts, judged};

const PASSWORDS: [&str; 6] =
    ["hunter2", "", "pässwörd", r"p\u00e4ssw\u00f6rd", r#"\"\\\/"#, r"\ud83d\ude80"];

fn place(copies: usize) -> Place {
    let place = Place::new();
    let all = PASSWORDS.iter().cycle().take(copies * PASSWORDS.len());
    let lines = all.map(|text| format!("{{\"id\":1,\"password\":\"{text}\"}}\n"));
    place.write("in", lines.collect::<String>());
    place
}

#[test]
fn another_implementation_verifies_it() {
    for (costs, head) in [
        ("", "$argon2id$v=19$m=19456,t=2,p=1$"),
        (
            "memory = \"64KiB\"\niterations = 3\nparallelism = 4\nworkers = 2",
            "$argon2id$v=19$m=64,t=3,p=4$",
        ),
    ] {
        let place = place(2);
        let keys =
            format!("use = \"hash\"\nfield = \"/password\"\nalgorithm = \"argon2id\"\n{costs}");
        let done = built(&place, &keys).run().exits(0);
        assert_eq!(counts(&done, "work"), [12, 12, 0, 0, 0]);
        let (before, after) = (place.path("in"), place.path("out"));
        let count = judged("verify.py", &[&before, &after, "password".as_ref()]);
        assert_eq!(count, "12\n");
        let text = place.text("out");
        assert_eq!(text.matches(head).count(), 12, "{text}");
        let mut hashes: Vec<&str> = text.lines().collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 12, "each has a salt of its own: {text}");
    }
}
