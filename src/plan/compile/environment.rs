//! The environment that a stage's children wake up in: pure.

use std::ffi::{OsStr, OsString};

/// Names and values, in order.
pub(super) type Variables = Vec<(OsString, OsString)>;

/// Puts together what the children of a stage see.
///
/// Without `inherit` they get all that the caller has; with it, just what it lists. Then comes
/// what the stage sets, then what tells them where they are. Nothing else is added: a filter is
/// to behave as it does in a shell.
pub(super) fn compose(
    caller: &Variables,
    inherit: Option<&[&str]>,
    own: &Variables,
    (pipeline, stage): (&str, &str),
) -> Variables {
    let kept =
        caller.iter().filter(|(name, _)| inherit.is_none_or(|patterns| listed(name, patterns)));
    let mut variables: Variables = kept.cloned().collect();
    let told =
        [("ESTEIRA_PIPELINE".into(), pipeline.into()), ("ESTEIRA_STAGE".into(), stage.into())];
    for (name, value) in own.iter().chain(&told) {
        variables.retain(|(other, _)| other != name);
        variables.push((name.clone(), value.clone()));
    }
    variables
}

/// Tells whether a variable is listed by its name, or by its beginning and a `*`.
fn listed(name: &OsStr, patterns: &[&str]) -> bool {
    let name = name.as_encoded_bytes();
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning.as_bytes()),
        None => name == pattern.as_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Variables, compose};

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn all_is_inherited_and_nothing_is_added_but_where_they_are() {
        let caller = variables(&[("PATH", "/bin"), ("LANG", "C")]);
        let seen = compose(&caller, None, &Vec::new(), ("users", "validate"));
        let expected = [
            ("PATH", "/bin"),
            ("LANG", "C"),
            ("ESTEIRA_PIPELINE", "users"),
            ("ESTEIRA_STAGE", "validate"),
        ];
        assert_eq!(seen, variables(&expected));
        assert!(seen.iter().all(|(name, _)| name != "PYTHONUNBUFFERED"));
    }

    #[test]
    fn what_is_listed_is_inherited_and_what_is_set_wins() {
        let caller = variables(&[
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("LC_TIME", "C"),
            ("TOKEN", "x"),
            ("ESTEIRA_STAGE", "outer"),
        ]);
        let own = variables(&[("LC_ALL", "pt_BR.UTF-8"), ("NEW", "")]);
        let patterns = ["PATH", "LC_*", "ESTEIRA_*", "TOKE", "ABSENT"];
        let seen = compose(&caller, Some(&patterns), &own, ("p", "s"));
        let expected = [
            ("PATH", "/bin"),
            ("LC_TIME", "C"),
            ("LC_ALL", "pt_BR.UTF-8"),
            ("NEW", ""),
            ("ESTEIRA_PIPELINE", "p"),
            ("ESTEIRA_STAGE", "s"),
        ];
        assert_eq!(seen, variables(&expected));
        let bare = compose(&caller, Some(&[]), &Vec::new(), ("p", "s"));
        assert_eq!(bare.len(), 2, "an empty list inherits nothing");
    }
}
