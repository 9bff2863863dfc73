//! Refused records that are known and accepted: by the table that refuses them, the code, and
//! what they are. Whoever has dirty data today fails only on what is new.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::words::dead_letter::hex;
use crate::words::id::Name;

/// The name and version of the file's form, which stands in its first line.
const SCHEMA: &str = "esteira.baseline/1";

/// SHA-256 of a record.
pub type Digest = [u8; 32];

/// What is known and accepted, as a file says it, a line of NDJSON each.
#[derive(Debug, Default)]
pub struct Baseline {
    /// Each with whether it was met in this run.
    entries: HashMap<u128, AtomicBool>,
}

/// What a run refused, for a baseline to be written.
#[derive(Debug, Default)]
pub struct Collected {
    records: BTreeMap<(String, String), BTreeSet<Digest>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    schema: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    table: String,
    code: String,
    sha256: String,
}

impl Baseline {
    /// Reads one; says in which line it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = (1..).zip(text.lines());
        let head = lines.next().map(|(_, line)| serde_json::from_str::<Head>(line));
        match head {
            Some(Ok(head)) if head.schema == SCHEMA => {}
            _ => return Err(format!("line 1 is not {{\"schema\":\"{SCHEMA}\"}}")),
        }
        let mut entries = HashMap::new();
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let entry: Entry =
                serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
            let Entry { table, code, sha256 } = entry;
            let digits = sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if sha256.len() != 64 || !digits {
                return Err(format!("line {number}: `sha256` has not 64 digits from 0 to f"));
            }
            entries.insert(key(&table, &code, &sha256), AtomicBool::new(false));
        }
        Ok(Self { entries })
    }

    /// Tells whether it knows a record, refused by `table` with each of `codes`.
    pub fn knows<'a>(
        &self,
        table: &Name,
        mut codes: impl Iterator<Item = &'a str>,
        digest: &Digest,
    ) -> bool {
        let digest = hex(digest);
        codes.all(|code| match self.entries.get(&key(table.as_str(), code, &digest)) {
            Some(met) => {
                met.store(true, Ordering::Relaxed);
                true
            }
            None => false,
        })
    }

    /// Returns how many entries there are, and how many of them were not met.
    pub fn entries(&self) -> (u64, u64) {
        let unmet = self.entries.values().filter(|met| !met.load(Ordering::Relaxed));
        (self.entries.len() as u64, unmet.count() as u64)
    }
}

impl Collected {
    /// Adds a record, refused by `table` with each of `codes`.
    pub fn add<'a>(&mut self, table: &Name, codes: impl Iterator<Item = &'a str>, digest: &Digest) {
        for code in codes {
            let of = (table.as_str().to_owned(), code.to_owned());
            self.records.entry(of).or_default().insert(*digest);
        }
    }

    /// Writes the file, the same text for the same records in whatever order they came; returns
    /// it with how many entries it has.
    pub fn render(&self) -> (String, u64) {
        let mut text = format!("{{\"schema\":\"{SCHEMA}\"}}\n");
        let mut entries = 0;
        for ((table, code), records) in &self.records {
            let code = serde_json::Value::from(code.as_str());
            for digest in records {
                entries += 1;
                let digest = hex(digest);
                // Writing to a String cannot fail.
                writeln!(text, "{{\"table\":\"{table}\",\"code\":{code},\"sha256\":\"{digest}\"}}")
                    .ok();
            }
        }
        (text, entries)
    }
}

/// Stands for an entry where there may be very many of them.
fn key(table: &str, code: &str, sha256: &str) -> u128 {
    let mut hash = Xxh3::new();
    for part in [table, code, sha256] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.digest128()
}

#[cfg(test)]
mod tests {
    use super::{Baseline, Collected};
    use crate::words::id::Name;

    #[test]
    fn what_is_written_is_known_when_it_is_read() {
        let (table, other) = (Name::internal("v"), Name::internal("w"));
        let mut collected = Collected::default();
        collected.add(&table, ["type", "\"odd\n"].into_iter(), &[7; 32]);
        collected.add(&table, ["type"].into_iter(), &[7; 32]);
        collected.add(&table, ["type"].into_iter(), &[9; 32]);
        let (text, entries) = collected.render();
        assert_eq!((entries, text.lines().count()), (3, 4), "{text}");
        let baseline = Baseline::parse(&text).unwrap();
        assert_eq!(baseline.entries(), (3, 3));
        let knows = |table, codes: &[&str], digest| {
            baseline.knows(table, codes.iter().copied(), &[digest; 32])
        };
        assert!(knows(&table, &["type", "\"odd\n"], 7) && knows(&table, &["type"], 7));
        assert_eq!(baseline.entries(), (3, 1));
        assert!(!knows(&table, &["type", "new"], 7), "one code of it is new");
        assert!(!knows(&other, &["type"], 7) && !knows(&table, &["type"], 8));
    }

    #[test]
    fn what_is_none_is_refused_with_its_line() {
        let head = "{\"schema\":\"esteira.baseline/1\"}\n";
        for (text, why) in [
            (String::new(), "line 1"),
            ("{\"schema\":\"esteira.baseline/2\"}\n".to_owned(), "line 1"),
            (format!("{head}\n{{\"table\":\"v\"}}"), "line 3: missing field"),
            (format!("{head}{{\"table\":\"v\",\"code\":\"c\",\"sha256\":\"0F\"}}"), "line 2: `sha"),
        ] {
            let error = Baseline::parse(&text).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
