//! Does a table that is there fit what is to be written to it? Pure.

use crate::plan::database::{Column, Target};
use crate::words::policy::OnConflict;

/// A column that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    /// Its type, as the database writes it.
    pub(super) kind: String,
    /// Whether each row must bring a value.
    pub(super) required: bool,
}

/// Lists all in which a table differs from what it has to be.
///
/// `unique` are the sets of columns that no two rows share, `takes` tells whether a column of some
/// type can hold what goes into it.
pub(super) fn differences(
    target: &Target,
    found: &[Found],
    unique: &[Vec<String>],
    takes: impl Fn(&Column, &str) -> bool,
) -> Vec<String> {
    let mut all = Vec::new();
    for column in &target.columns {
        match found.iter().find(|found| found.name == column.name) {
            None => all.push(format!("it has no column `{}`", column.name)),
            Some(found) if !takes(column, &found.kind) => {
                let kind = column.kind.map(|kind| format!("{kind:?}").to_lowercase());
                let (name, kind) = (&column.name, kind.unwrap_or_else(|| "any value".into()));
                let is = if found.kind.is_empty() { "of no type" } else { &found.kind };
                all.push(format!("its column `{name}` is {is}, which is not for {kind}"));
            }
            Some(_) => {}
        }
    }
    for found in found.iter().filter(|found| found.required) {
        if target.columns.iter().all(|column| column.name != found.name) {
            let name = &found.name;
            all.push(format!("its column `{name}` may not be NULL, and nothing is put into it"));
        }
    }
    let same = |set: &&Vec<String>| {
        set.len() == target.key.len() && target.key.iter().all(|name| set.contains(name))
    };
    if !target.key.is_empty() && !unique.iter().any(|set| same(&set)) {
        let key = target.key.join(", ");
        let why = match target.on_conflict {
            OnConflict::Error => "two rows could share it",
            OnConflict::Ignore | OnConflict::Update => "`on_conflict` needs that",
        };
        all.push(format!("its key ({key}) is not unique ({why})"));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::{Found, differences};
    use crate::plan::database::{Column, Server, Sqlite, Target};
    use crate::words::policy::{ColumnType, Durability, OnConflict, Transaction};

    #[test]
    fn all_differences_are_named_at_once() {
        let column = |name: &str, kind| Column {
            name: name.to_owned(),
            kind: Some(kind),
            from: format!("/{name}"),
        };
        let found = |name: &str, kind: &str, required| Found {
            name: name.to_owned(),
            kind: kind.to_owned(),
            required,
        };
        let target = Target {
            server: Server::Sqlite(Sqlite { path: PathBuf::new(), busy: Duration::ZERO }),
            table: vec!["t".to_owned()],
            key: vec!["id".to_owned()],
            columns: vec![
                column("id", ColumnType::Integer),
                column("name", ColumnType::Text),
                column("age", ColumnType::Integer),
            ],
            on_conflict: OnConflict::Update,
            batch: 1,
            linger: Duration::ZERO,
            transaction: Transaction::Batch,
            synchronous: Durability::Full,
        };
        let takes = |column: &Column, kind: &str| {
            (column.kind == Some(ColumnType::Integer)) == (kind == "INTEGER")
        };
        let there =
            [found("id", "INTEGER", true), found("name", "INTEGER", false), found("x", "", true)];
        assert_eq!(
            differences(&target, &there, &[vec!["name".to_owned()]], takes),
            [
                "its column `name` is INTEGER, which is not for text",
                "it has no column `age`",
                "its column `x` may not be NULL, and nothing is put into it",
                "its key (id) is not unique (`on_conflict` needs that)",
            ]
        );
        let there = [
            found("id", "INTEGER", true),
            found("name", "TEXT", false),
            found("age", "INTEGER", false),
        ];
        assert!(differences(&target, &there, &[vec!["id".to_owned()]], takes).is_empty());
    }
}
