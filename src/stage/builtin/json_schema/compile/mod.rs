//! From the file of a schema to what judges records, or to what is wrong with it.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ReferencingError, ValidationError, Validator, uri};
use serde_json::Value;

use crate::plan::builtin::JsonSchema as Settings;
use crate::stage::builtin::json_schema::breach::Breach;
use crate::stage::builtin::json_schema::complaint::cut;
use crate::stage::builtin::json_schema::files::{Asked, Document, Files, Refusal, address, load};
use crate::stage::builtin::json_schema::stack;
use crate::stage::builtin::json_schema::view::Tapes;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Draft as Named;
use crate::words::text::grouped;

/// How paths are shown.
type Shown<'a> = &'a dyn Fn(&Path) -> String;

/// Builds what judges records, and tells the address that rules in the schema's own file have.
pub(super) fn validator(
    settings: &Settings,
    shown: Shown<'_>,
) -> Result<(Validator<Tapes>, String), Failure> {
    let mine = |refusal: &Refusal| first_refused(refusal, shown);
    let value = load(&settings.schema).map_err(|refusal| mine(&refusal))?;
    let first = Document { path: settings.schema.clone(), value };
    let default = known(settings.draft);
    let draft = default.detect(&first.value);
    if let Some(breach) = Breach::of(draft, &first.value) {
        return Err(mine(&Refusal::Breach(first.path, breach)));
    }
    let rules = stack::leading(&first.value);
    let files = Files::new(&first, &settings.root, draft).map_err(|refusal| mine(&refusal))?;
    let files = Arc::new(files);
    let base = address(&first.path);
    let id = first.value.get(draft.id_keyword()).and_then(Value::as_str).unwrap_or_default();
    let home = uri::from_str(&base).and_then(|base| uri::resolve_against(&base.borrow(), id));
    let home = home.map_or_else(|_| base.clone(), |home| home.as_str().to_owned());
    let mut options = jsonschema::options_for::<Tapes>()
        .with_base_uri(base)
        .with_retriever(Asked(Arc::clone(&files)))
        .should_validate_formats(settings.formats);
    if draft == default {
        options = options.with_draft(default);
    }
    few_enough(rules)?;
    let built = options.build(&first.value);
    few_enough(rules + files.read().iter().map(|read| stack::leading(&read.value)).sum::<usize>())?;
    built.map(|validator| (validator, home)).map_err(|error| {
        let mut documents = vec![first];
        documents.extend(files.read());
        unbuilt(&error, &documents, shown)
    })
}

fn known(draft: Named) -> Draft {
    match draft {
        Named::Draft4 => Draft::Draft4,
        Named::Draft6 => Draft::Draft6,
        Named::Draft7 => Draft::Draft7,
        Named::Draft201909 => Draft::Draft201909,
        Named::Draft202012 => Draft::Draft202012,
    }
}

/// Says why the file that was named is not taken.
fn first_refused(refusal: &Refusal, shown: Shown<'_>) -> Failure {
    let failure = Failure::new(Exit::Config, why(refusal, shown));
    match refusal {
        Refusal::Unreadable(..) => failure.hint("`schema` takes the file of a JSON Schema"),
        _ => failure,
    }
}

/// Refuses a schema with more rules that lead to others than a stack can hold.
fn few_enough(rules: usize) -> Result<(), Failure> {
    if rules <= stack::MOST {
        return Ok(());
    }
    let (rules, most) = (grouped(rules as u64), grouped(stack::MOST as u64));
    let message = format!(
        "the schema leads from one rule to another {rules} times (`$ref`, `allOf`, `if` …), and \
         {most} is the most"
    );
    let hint = "check it in parts: a `json-schema` stage for each, one after the other";
    Err(Failure::new(Exit::Config, message).hint(hint))
}

/// Says why a file is not taken.
fn why(refusal: &Refusal, shown: Shown<'_>) -> String {
    match refusal {
        Refusal::Network => "nothing is fetched from the network".to_owned(),
        Refusal::NoFile => "that is the address of no file".to_owned(),
        Refusal::Outside(path) => format!("`{}` is not below the pipeline's folder", shown(path)),
        Refusal::Unreadable(path, error) => {
            format!("cannot read the schema `{}`: {error}", shown(path))
        }
        Refusal::Text { path, at: (line, column), message } => format!(
            "the schema `{}` is no JSON text: {message} at line {line}, column {column}",
            shown(path)
        ),
        Refusal::Breach(path, breach) => broken(path, breach, shown),
    }
}

fn broken(path: &Path, Breach { at, message }: &Breach, shown: Shown<'_>) -> String {
    let at = if at.is_empty() { "at its top".to_owned() } else { format!("at `{at}`") };
    format!("the schema `{}` breaks a rule of JSON Schema {at}: {message}", shown(path))
}

/// Says why no validator came of the files that were read, of which there is one at least.
fn unbuilt(error: &ValidationError<'_>, documents: &[Document], shown: Shown<'_>) -> Failure {
    let config = |message| Failure::new(Exit::Config, message);
    let first = documents.first().map_or(Path::new(""), |document| &document.path);
    let ValidationErrorKind::Referencing(error) = error.kind() else {
        let breach = Breach::new(error);
        let holds = |document: &&Document| {
            document.value.pointer(&breach.at) == Some(error.instance().as_ref())
        };
        let path = documents.iter().find(holds).map_or(first, |document| &document.path);
        return config(broken(path, &breach, shown));
    };
    let found = documents.iter().find_map(|document| {
        let mut at = String::new();
        let text = find(&document.value, &mut at, &|key, text| causes(error, key, text))?;
        Some(format!("`{text}` at `{at}` in the schema `{}`", shown(&document.path)))
    });
    let head = found.unwrap_or_else(|| format!("a `$ref` in the schema `{}`", shown(first)));
    let tail = match error {
        ReferencingError::PointerToNowhere { pointer } => format!("there is no `{pointer}`"),
        ReferencingError::NoSuchAnchor { anchor } => format!("there is no anchor `{anchor}`"),
        ReferencingError::UnknownSpecification { .. } => {
            return config(format!("{head} is no version of JSON Schema that is known"))
                .hint("known are the drafts 4, 6, 7, 2019-09 and 2020-12");
        }
        ReferencingError::Unretrievable { source, .. } => {
            let refusal = source.downcast_ref::<Refusal>();
            let tail = refusal.map(|refusal| why(refusal, shown));
            let tail = tail.unwrap_or_else(|| "it belongs to another draft".to_owned());
            let failure = config(format!("{head} cannot be followed: {tail}"));
            return match refusal {
                Some(Refusal::Network | Refusal::NoFile | Refusal::Outside(_)) => failure
                    .hint("keep the schema it means in a file below the pipeline's folder, and write the `$ref` as the path from file to file"),
                _ => failure,
            };
        }
        error => cut(error, 200),
    };
    config(format!("{head} cannot be followed: {tail}"))
}

/// Tells whether a member of a schema may be what led to an error.
fn causes(error: &ReferencingError, key: &str, text: &str) -> bool {
    let fragment = || text.split_once('#').map(|(_, fragment)| fragment);
    match error {
        ReferencingError::UnknownSpecification { specification } => {
            key == "$schema" && text == specification
        }
        _ if !matches!(key, "$ref" | "$dynamicRef" | "$recursiveRef" | "$id" | "id") => false,
        ReferencingError::PointerToNowhere { pointer } => fragment() == Some(pointer),
        ReferencingError::NoSuchAnchor { anchor } | ReferencingError::InvalidAnchor { anchor } => {
            fragment() == Some(anchor)
        }
        ReferencingError::Unretrievable { uri, .. } => {
            let plain = text.split('#').next().unwrap_or(text);
            let tail = plain.rsplit("../").next().unwrap_or(plain);
            key.ends_with("ef") && !plain.is_empty() && uri.ends_with(tail.trim_start_matches("./"))
        }
        error => error.to_string().contains(&format!("'{text}'")),
    }
}

/// Finds the first member that holds a wanted text, and writes its place behind `at`.
fn find(value: &Value, at: &mut String, wanted: &dyn Fn(&str, &str) -> bool) -> Option<String> {
    let length = at.len();
    let mut into = |key: &str, value: &Value| {
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        let found = match value.as_str() {
            Some(text) => wanted(key, text).then(|| text.to_owned()),
            None => find(value, at, wanted),
        };
        if found.is_none() {
            at.truncate(length);
        }
        found
    };
    match value {
        Value::Object(members) => members.iter().find_map(|(key, value)| into(key, value)),
        Value::Array(elements) => {
            elements.iter().enumerate().find_map(|(index, value)| into(&index.to_string(), value))
        }
        _ => None,
    }
}
