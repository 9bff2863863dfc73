//! What a misspelt word was meant to be, and how lists of words are put into a sentence.

/// Finds the word nearest to `typed`, if one is near enough to be what was meant.
pub fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (typed.chars().count() / 3).clamp(1, 3);
    let folded = typed.to_lowercase().replace('-', "_");
    words
        .into_iter()
        .map(|word| {
            let distance =
                strsim::damerau_levenshtein(&folded, &word.to_lowercase().replace('-', "_"));
            (distance, word)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Writes `a`, `b` or `c`, each in backticks.
pub fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{nearest, one_of};

    #[test]
    fn what_is_near_is_suggested_and_what_is_far_is_not() {
        let keys = ["run", "stall", "max_record", "max_rejects", "pt_BR"];
        for (typed, meant) in [
            ("rum", Some("run")),
            ("stal", Some("stall")),
            ("max-rejects", Some("max_rejects")),
            ("Max_Record", Some("max_record")),
            ("pt-br", Some("pt_BR")),
            ("url", None),
            ("colour", None),
        ] {
            assert_eq!(nearest(typed, keys), meant, "{typed}");
        }
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(one_of(["a"]), "`a`");
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
