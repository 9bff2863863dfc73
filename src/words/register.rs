//! What a run refused: how often each thing is wrong, which records are told one by one, and
//! which of them a baseline knows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::words::baseline::{Baseline, Collected, Digest};
use crate::words::dead_letter::DeadLetter;
use crate::words::event::{BaselineUse, CodeCount, KindCount};
use crate::words::id::Name;
use crate::words::kinds::{CODE, Kinds, brief};
use crate::words::marks::Refusals;

/// How many refused records of one code and table are told one by one whatever there is to tell.
const FEW: u64 = 5;

/// How many refused records listeners want to be told one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tell {
    /// Of each code of each table.
    pub each: u64,
    /// In all, but for the first few of each.
    pub all: u64,
}

/// What all tables of a run refused.
#[derive(Clone, Debug, Default)]
pub struct Register(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    tell: Tell,
    baseline: Option<Baseline>,
    /// Whether a new baseline is to be written, which accepts all that comes.
    collects: bool,
    found: Mutex<Found>,
}

#[derive(Debug, Default)]
struct Found {
    tables: BTreeMap<Name, Kinds>,
    told: BTreeMap<(Name, String), u64>,
    told_in_all: u64,
    known: u64,
    /// Of these, how many only because a new baseline will know them.
    added: u64,
    /// What the new baseline will know.
    collected: Collected,
}

/// What is to be done about a letter.
#[derive(Debug)]
pub struct Entered {
    /// Whether a baseline accepts the record.
    pub known: bool,
    /// For each of its errors whether it is told.
    pub told: Vec<bool>,
}

impl Register {
    /// Begins one. Where a new baseline is to be written, what comes is known from now on.
    pub fn new(tell: Tell, baseline: Option<Baseline>, collects: bool) -> Self {
        Self(Arc::new(Inner { tell, baseline, collects, found: Mutex::default() }))
    }

    /// Tells whether [`Register::enter`] looks at what records are.
    pub fn compares(&self) -> bool {
        self.0.baseline.is_some() || self.0.collects
    }

    /// Enters a letter; `digest` is needed where it is compared.
    pub fn enter(&self, table: &Name, letter: &DeadLetter, digest: Option<&Digest>) -> Entered {
        let codes = || letter.errors.iter().map(|error| error.code.as_str());
        let baseline = self.0.baseline.as_ref().zip(digest);
        let accepted = baseline.is_some_and(|(known, digest)| known.knows(table, codes(), digest));
        let mut found = self.found();
        if let Some(digest) = digest.filter(|_| self.0.collects) {
            found.collected.add(table, codes(), digest);
        }
        let known = accepted || self.0.collects;
        found.added += u64::from(known && !accepted);
        found.known += u64::from(known);
        let told = letter.errors.iter().map(|error| {
            let code = brief(&error.code, CODE);
            found.count(table, &code, &error.path, known);
            !known && found.tells(table, &code, self.0.tell)
        });
        Entered { known, told: told.collect() }
    }

    /// Takes up what a run that was cut off had refused.
    pub fn take_up(&self, table: &Name, refusals: &Refusals) {
        let mut found = self.found();
        found.known += refusals.known;
        found.tables.entry(table.clone()).or_default().merge(&refusals.kinds);
        for bad in &refusals.examples {
            *found.told.entry((table.clone(), bad.code.clone())).or_default() += 1;
        }
    }

    /// Lists the codes, the most frequent first.
    pub fn codes(&self) -> Vec<CodeCount> {
        let found = self.found();
        let mut codes: BTreeMap<&str, CodeCount> = BTreeMap::new();
        for (code, _, times) in found.tables.values().flat_map(Kinds::iter) {
            let new = || CodeCount { code: code.to_owned(), ..CodeCount::default() };
            codes.entry(code).or_insert_with(new).times.add(times);
        }
        let mut list: Vec<CodeCount> = codes.into_values().collect();
        drop(found);
        list.sort_by(|a, b| b.times.count.cmp(&a.times.count).then_with(|| a.code.cmp(&b.code)));
        list
    }

    /// Lists all kinds, by table, code and path.
    pub fn kinds(&self) -> Vec<KindCount> {
        let found = self.found();
        let kinds = found.tables.iter().flat_map(|(table, kinds)| {
            kinds.iter().map(|(code, path, times)| KindCount {
                table: table.clone(),
                code: code.to_owned(),
                path: path.to_owned(),
                times,
            })
        });
        kinds.collect()
    }

    /// Says what the baseline was good for, if there is one.
    pub fn baseline(&self) -> Option<BaselineUse> {
        let (entries, unmet) = self.0.baseline.as_ref()?.entries();
        let found = self.found();
        Some(BaselineUse { entries, unmet, known: found.known, renewed: self.0.collects })
    }

    /// Writes what came as a baseline, and returns it with its number of entries and how many of
    /// the records no baseline knew before; none where that was not asked for.
    pub fn collected(&self) -> Option<(String, u64, u64)> {
        let found = self.0.collects.then(|| self.found())?;
        let (text, entries) = found.collected.render();
        Some((text, entries, found.added))
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn count(&mut self, table: &Name, code: &str, path: &str, known: bool) {
        if let Some(kinds) = self.tables.get_mut(table) {
            return kinds.add(code, path, known);
        }
        self.tables.entry(table.clone()).or_default().add(code, path, known);
    }

    /// Tells whether the next one of this code is told, and counts it if so.
    fn tells(&mut self, table: &Name, code: &str, tell: Tell) -> bool {
        // Whoever makes up codes is told a few of, and no more of after that.
        let many = self.told.len() as u64 >= tell.all.max(1000);
        let of = (table.clone(), code.to_owned());
        let Some(told) = self.told.get_mut(&of) else {
            if !many {
                self.told.insert(of, 1);
                self.told_in_all += 1;
            }
            return !many;
        };
        let more = *told < FEW || (*told < tell.each && self.told_in_all < tell.all);
        if more {
            *told += 1;
            self.told_in_all += 1;
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use super::{Register, Tell};
    use crate::words::baseline::Baseline;
    use crate::words::dead_letter::{Complaint, DeadLetter, Kept};
    use crate::words::id::Name;
    use crate::words::record::Position;

    fn letter(codes: &[&str]) -> DeadLetter {
        DeadLetter {
            kept: Kept::Json(b"{}".to_vec()),
            source: Name::internal("in"),
            file: None,
            at: Position { line: 1, offset: 0 },
            stage: None,
            errors: codes.iter().map(|code| Complaint::new("/a/0", *code, "wrong")).collect(),
            trace: None,
        }
    }

    #[test]
    fn a_few_of_each_are_told_and_more_while_there_is_room() {
        let table = Name::internal("v");
        let told = |tell, codes: &[(&str, u64)]| {
            let register = Register::new(tell, None, false);
            let told = codes.iter().map(|(code, times)| {
                let enter = || register.enter(&table, &letter(&[code]), None).told[0];
                (0..*times).filter(|_| enter()).count()
            });
            told.collect::<Vec<_>>()
        };
        assert_eq!(told(Tell::default(), &[("a", 9), ("b", 3)]), [5, 3]);
        assert_eq!(told(Tell { each: 8, all: 10 }, &[("a", 9), ("b", 9)]), [8, 5]);
    }

    #[test]
    fn what_a_baseline_knows_is_counted_and_not_told() {
        let table = Name::internal("v");
        let register = Register::new(Tell::default(), None, true);
        assert!(register.compares());
        assert!(register.enter(&table, &letter(&["a", "b"]), Some(&[1; 32])).known);
        let (text, entries, added) = register.collected().unwrap();
        assert_eq!((entries, added, register.baseline()), (2, 1, None));
        let register = Register::new(Tell::default(), Some(Baseline::parse(&text).unwrap()), false);
        let known = register.enter(&table, &letter(&["a"]), Some(&[1; 32]));
        assert!(known.known && known.told == [false]);
        assert!(!register.enter(&table, &letter(&["a"]), Some(&[2; 32])).known);
        let codes = register.codes();
        assert_eq!((codes[0].times.count, codes[0].times.known), (2, 1));
        assert_eq!(register.kinds()[0].path, "/a/*");
        let used = register.baseline().unwrap();
        assert_eq!((used.entries, used.unmet, used.known), (2, 1, 1));
        assert_eq!(register.collected(), None);
    }
}
