//! The reference page: every key in tables of Markdown.

use std::fmt::Write as _;

use crate::config::manual::fields::{FIELDS, NULLS};
use crate::config::manual::{KINDS, Key, Kind, Takes, Without};

const HEAD: &str = "\
# Every key of a pipeline file

Written by `make docs` from what the program knows (`esteira schema --format markdown`). What belongs together is
told in [pipeline-file.md](pipeline-file.md); `esteira schema` has the same for editors.

Words in parentheses before a meaning are those that the key goes with.
";

/// Returns the page.
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    for kind in KINDS {
        // Writing to a String cannot fail.
        write!(out, "\n## {}\n\n{}\n", title(kind), kind.says).ok();
        if let Some(chooser) = kind.chooser.filter(|_| kind.keys().any(|key| !key.with.is_empty()))
        {
            writeln!(out, "Some keys go with some words of `{chooser}` only.").ok();
        }
        out.push_str("\n| key | takes | without it | meaning |\n|---|---|---|---|\n");
        for key in kind.keys() {
            row(&mut out, "", key);
            if let Takes::Table(keys) | Takes::Rejects(keys) = &key.takes {
                for inner in *keys {
                    row(&mut out, &format!("{}.", key.key), inner);
                }
            }
        }
        if kind.keys().any(|key| matches!(key.takes, Takes::Fields)) {
            fields(&mut out);
        }
    }
    out
}

/// Writes what there is to be made.
fn fields(out: &mut String) {
    out.push_str(
        "\nA field in `fields` is a kind, as in `age = \"integer\"`, or a table of these keys, as in \
         `age = { kind = \"integer\", min = 18 }`.\n\n\
         | `kind` | makes |\n|---|---|\n",
    );
    let names = |kinds: &[&str]| kinds.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>();
    for made in FIELDS {
        writeln!(out, "| {} | {} |", names(made.kinds).join(", "), made.says).ok();
    }
    out.push_str("\n| key | takes | without it | meaning |\n|---|---|---|---|\n");
    for made in FIELDS.iter().filter(|made| !made.keys.is_empty()) {
        for key in made.keys {
            row(out, &format!("{}.", made.kinds.concat()), key);
        }
    }
    row(out, "", &NULLS);
}

fn title(kind: &Kind) -> String {
    let table = match kind.table {
        "pipeline" => "`[pipeline]`".to_owned(),
        "tests" => "`[[tests]]`".to_owned(),
        table => format!("`[{table}.NAME]`"),
    };
    match kind.mark {
        None => table,
        Some((mark, [])) => format!("{table} with `{mark}`"),
        Some((mark, words)) => format!("{table} with `{mark} = \"{}\"`", words.join("\", \"")),
    }
}

fn row(out: &mut String, before: &str, key: &Key) {
    let with = match key.with {
        [] => String::new(),
        words => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            format!("({}) ", words.join(", "))
        }
    };
    let cells = [
        format!("`{before}{}`", key.key),
        key.takes.phrase(),
        without(key),
        format!("{with}{}", key.says),
    ];
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    writeln!(out, "| {} |", cells.join(" | ")).ok();
}

fn without(key: &Key) -> String {
    match key.without {
        Without::Required => "required".to_owned(),
        Without::Value(toml) => format!("`{toml}`"),
        Without::Means(words) => words.to_owned(),
        Without::Inner => "as said of its keys".to_owned(),
        Without::OneOf(sets) => {
            let sets: Vec<String> = sets
                .iter()
                .map(|set| {
                    let keys: Vec<String> = set.iter().map(|key| format!("`{key}`")).collect();
                    keys.join(" and ")
                })
                .collect();
            match sets.split_last() {
                Some((only, [])) => format!("at least one is required of {only}"),
                Some((last, rest)) => format!("one is required: {} or {last}", rest.join(", ")),
                None => String::new(),
            }
        }
    }
}
