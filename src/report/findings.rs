//! What is wrong, as all reports tell it: a check for each table and code, worst first, with the
//! records that were told one by one.

use std::collections::HashMap;

use crate::report::show::excerpt;
use crate::report::summary::{End, Summary};
use crate::words::event::BadRecord;
use crate::words::id::Name;
use crate::words::kinds::Times;

/// All that one table refused with one code.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub(crate) table: &'a Name,
    /// The code as people read it. (A program may say anything.)
    pub(crate) code: String,
    /// How often.
    pub(crate) times: Times,
    /// Whether the table refused more than it may.
    pub(crate) over: bool,
    /// Some of the records, in the order in which they came.
    pub(crate) examples: Vec<&'a BadRecord>,
}

/// Where reports are read: what paths are relative to there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// What stands before each path that is relative to the caller, such as `data/`; empty where
    /// the caller is where the reports are read from.
    pub prefix: String,
    /// The pipeline file as the caller named it, if there is one.
    pub pipeline: Option<String>,
    /// Sources whose records stand in no file of lines.
    pub elsewhere: Vec<Name>,
}

impl Check<'_> {
    /// How many of the errors a baseline does not know.
    pub(crate) fn fresh(&self) -> u64 {
        self.times.new_ones()
    }
}

/// Returns all checks that something failed, those over a limit first, the most frequent first.
pub(crate) fn checks<'a>(summary: &'a Summary, end: &End<'a>) -> Vec<Check<'a>> {
    let mut checks: Vec<Check<'a>> = Vec::new();
    let mut places: HashMap<(&Name, String), usize> = HashMap::new();
    let mut last: Option<(&Name, &str)> = None;
    for kind in &end.finish.kinds {
        let place =
            places.entry((&kind.table, excerpt(&kind.code))).or_insert_with_key(|(_, code)| {
                let (code, over) = (code.clone(), end.finish.over.contains(&kind.table));
                let (times, examples) = (Times::default(), Vec::new());
                checks.push(Check { table: &kind.table, code, times, over, examples });
                checks.len() - 1
            });
        let Some(check) = checks.get_mut(*place) else { continue };
        check.times.add(kind.times);
        // All paths of a code stand side by side, and share their examples.
        if last.replace((&kind.table, &kind.code)) != Some((&kind.table, &kind.code)) {
            let of_table = |bad: &&BadRecord| table(bad) == &kind.table;
            check.examples.extend(summary.examples(&kind.code).iter().filter(of_table));
        }
    }
    checks.sort_by(|a, b| {
        let worst = b.over.cmp(&a.over).then_with(|| b.fresh().cmp(&a.fresh()));
        worst.then_with(|| (a.table, &a.code).cmp(&(b.table, &b.code)))
    });
    checks
}

/// Returns the table that refused a record.
pub(crate) fn table(bad: &BadRecord) -> &Name {
    bad.stage.as_ref().unwrap_or(&bad.source)
}

/// Gives the examples of all checks so that each of them has its turn: the first of each, the
/// second of each, and so on.
pub(crate) fn in_turn<'c, 'a>(
    checks: &'c [Check<'a>],
) -> impl Iterator<Item = (&'c Check<'a>, &'a BadRecord)> {
    let longest = checks.iter().map(|check| check.examples.len()).max().unwrap_or(0);
    (0..longest).flat_map(move |turn| {
        checks.iter().filter_map(move |check| Some((check, *check.examples.get(turn)?)))
    })
}

/// A record among the results of a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'c, 'a> {
    pub(crate) check: &'c Check<'a>,
    pub(crate) bad: &'a BadRecord,
    /// Which one it is of those with its fingerprint, from 1: the same record may stand twice.
    pub(crate) nth: u64,
}

/// Gives at most so many, the worst checks in turn.
pub(crate) fn results<'c, 'a>(
    checks: &'c [Check<'a>],
    most: usize,
) -> impl Iterator<Item = Told<'c, 'a>> {
    let mut times: HashMap<&str, u64> = HashMap::new();
    in_turn(checks).take(most).map(move |(check, bad)| {
        let nth = times.entry(&bad.fingerprint).or_default();
        *nth += 1;
        Told { check, bad, nth: *nth }
    })
}

impl Around {
    /// Returns the path of a record's file from where reports are read; none where it is no file.
    pub(crate) fn path(&self, bad: &BadRecord) -> Option<String> {
        let in_file = |file: &&str| *file != "-" && !self.elsewhere.contains(&bad.source);
        let file = bad.file.as_deref().filter(in_file)?;
        Some(self.place(file))
    }

    /// Says where a record stood, as who reads the report sees it.
    pub(crate) fn stood(&self, bad: &BadRecord) -> String {
        self.path(bad).map_or_else(|| stood(bad), |path| at(&path, bad))
    }

    /// Returns a path from where reports are read.
    pub(crate) fn place(&self, path: &str) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        let mut steps: Vec<&str> = Vec::new();
        let all = format!("{}{path}", self.prefix);
        for step in all.split('/').filter(|step| !step.is_empty() && *step != ".") {
            if step == ".." && steps.last().is_some_and(|last| *last != "..") {
                steps.pop();
            } else {
                steps.push(step);
            }
        }
        if steps.is_empty() { ".".to_owned() } else { steps.join("/") }
    }
}

/// Says what is wrong with a record, and where in it.
pub(crate) fn said(bad: &BadRecord) -> String {
    match excerpt(&bad.path) {
        path if path.is_empty() => excerpt(&bad.message),
        path => format!("{path} {}", excerpt(&bad.message)),
    }
}

/// Says where a record stood, as the caller sees it: `users.ndjson:3:17`, or which line of whose
/// output it was.
pub(crate) fn stood(bad: &BadRecord) -> String {
    match &bad.file {
        Some(file) if &**file == "-" => at("stdin", bad),
        Some(file) => at(file, bad),
        None => at(&format!("output of {}", bad.source), bad),
    }
}

fn at(file: &str, bad: &BadRecord) -> String {
    match bad.column {
        Some(column) => format!("{file}:{}:{column}", bad.line),
        None => format!("{file}:{}", bad.line),
    }
}

#[cfg(test)]
mod tests {
    use super::Around;

    #[test]
    fn paths_are_told_from_where_the_report_is_read() {
        let around = Around { prefix: "checks/".into(), ..Around::default() };
        for (path, want) in [
            ("users.ndjson", "checks/users.ndjson"),
            ("../data/./users.ndjson", "data/users.ndjson"),
            ("/data/users.ndjson", "/data/users.ndjson"),
            ("../../users.ndjson", "../users.ndjson"),
            ("..", "."),
        ] {
            assert_eq!(around.place(path), want);
        }
    }
}
