//! `use = "select"`: what goes on, and what is left out.

use super::super::harness::Place;
use super::{built, counts};

const LINES: [&str; 9] = [
    "{}",
    r#"{"age":null}"#,
    r#"{"age":17}"#,
    "{\"age\": 18 }\r",
    r#"{"age":1.8e1,"x":[1.50]}"#,
    r#"{"age":"18"}"#,
    r#"{"age":"a\u0062c"}"#,
    r#"{"age":true}"#,
    r#"{"age":18446744073709551617}"#,
];

#[test]
fn what_is_asked_for_goes_on_as_it_is_and_the_rest_is_counted() {
    for (keys, kept) in [
        ("exists = true", &[2, 3, 4, 5, 6, 7, 8, 9][..]),
        ("exists = false", &[1]),
        ("equals = 18", &[4, 5]),
        ("equals = \"18\"", &[6]),
        ("equals = true", &[8]),
        ("one_of = [17, \"abc\", true]", &[3, 7, 8]),
        ("matches = '^[a-c]+$'", &[7]),
        ("matches = '1'", &[6]),
        ("min = 18", &[4, 5, 9]),
        ("max = 17.5", &[3]),
        ("min = 17\nmax = 18", &[3, 4, 5]),
        ("min = \"2\"", &[7]),
        ("equals = 18446744073709551616.0", &[]),
    ] {
        for (keep, kept) in [
            ("matching", kept.to_vec()),
            ("others", (1..=LINES.len()).filter(|line| !kept.contains(line)).collect()),
        ] {
            let place = Place::new();
            place.write("in", LINES.join("\n"));
            let keys = format!("use = \"select\"\nfield = \"/age\"\n{keys}\nkeep = \"{keep}\"");
            let done = built(&place, &keys).run().exits(0);
            let lines = kept.iter().map(|line| format!("{}\n", LINES[line - 1]));
            assert_eq!(place.text("out"), lines.collect::<String>(), "{keys}");
            assert_eq!(place.text("bad"), "", "nothing is wrong with what is left out");
            let (all, kept) = (LINES.len() as u64, kept.len() as u64);
            assert_eq!(counts(&done, "work"), [all, kept, 0, all - kept, 0], "{keys}");
        }
    }
}
