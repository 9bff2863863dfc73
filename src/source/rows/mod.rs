//! Rows of a database as records, read page by page: what follows the last key, so many at a time.
//! No row is read twice or missed at the border of two pages, whatever happens to the others
//! meanwhile; where two rows share a key, which would hide one of them, reading fails.

mod json;
mod postgres;
mod sqlite;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::plan::database::{Relation, Rows, Server, quote, quoted};
use crate::publish::state::Fact;
use crate::source::{Input, Read, Reader, Row, Source, Trouble};
use crate::words::outcome::{Exit, Failure};
use crate::words::record::Split;

/// Something that gives rows page by page.
trait Pages: Send {
    /// Goes on behind a row, of which this is the key.
    fn seek(&mut self, key: Key);

    /// Appends the next page as lines of JSON.
    fn next(&mut self, lines: &mut Vec<u8>) -> Result<Page, Trouble>;
}

/// What a page is.
enum Page {
    /// Rows; the key of the last.
    Rows(Key),
    /// There are no more.
    End,
    /// The run is being stopped.
    Stopped,
}

/// The key of a row: its parts as JSON, which databases of all kinds can be asked with.
type Key = Vec<serde_json::Value>;

/// A relation as a source.
pub struct Relational {
    name: Arc<str>,
    plan: Rows,
    shown: String,
    wake: OwnedFd,
    /// Those that were opened to see whether all is there.
    pages: Mutex<Option<Box<dyn Pages>>>,
}

impl Relational {
    /// Finds what is to be read.
    pub fn find(plan: &Rows, caller: &Path, wake: OwnedFd) -> Result<Self, Failure> {
        let shown = plan.server.shown(caller);
        let what = match &plan.relation {
            Relation::Table(name) => name.join("."),
            Relation::Query(_) => "query".to_owned(),
        };
        let name = format!("{shown}#{what}").into();
        let source = Self { name, plan: plan.clone(), shown, wake, pages: Mutex::new(None) };
        let pages = source.connect()?;
        *source.pages.lock().unwrap_or_else(PoisonError::into_inner) = Some(pages);
        Ok(source)
    }

    fn connect(&self) -> Result<Box<dyn Pages>, Failure> {
        let wake = self.wake.try_clone();
        let wake = wake.map_err(|e| Failure::new(Exit::World, format!("cannot read: {e}")))?;
        match &self.plan.server {
            Server::Sqlite(server) => sqlite::open(server, &self.plan, &self.shown, wake),
            Server::Postgres(server) => postgres::open(server, &self.plan, &self.shown, wake),
        }
    }

    fn reader(&self, key: Option<&str>) -> Result<Box<dyn Reader>, Failure> {
        let found = self.pages.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut pages = found.map_or_else(|| self.connect(), Ok)?;
        let mut row = Row::Behind(None);
        if let Some(key) = key {
            let parts: Key = serde_json::from_str(key).map_err(|_| {
                let message = format!("cannot go on in `{}`: the kept key is damaged", self.name);
                Failure::new(Exit::Locked, message)
            })?;
            pages.seek(parts);
            row = Row::Behind(Some(key.to_owned()));
        }
        Ok(Box::new(Lines { pages, text: Vec::new(), taken: 0, last: None, row }))
    }
}

/// Sees whether there is what is to be read.
pub fn probe(plan: &Rows, caller: &Path) -> Result<(), Failure> {
    // Nobody stops a probe.
    let pipe = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let (asleep, _wake) = pipe.map_err(|error| cannot("a database", &error.to_string()))?;
    Relational::find(plan, caller, asleep).map(drop)
}

impl Source for Relational {
    fn inputs(&self) -> Vec<Input> {
        vec![Input { end: None }]
    }

    fn settles(&self) -> bool {
        // There may be new rows at any time.
        false
    }

    fn stamps(&self) -> Option<Vec<Fact>> {
        Some(Vec::new())
    }

    fn open(&self, _split: Split) -> Result<Box<dyn Reader>, Failure> {
        self.reader(None)
    }

    fn open_behind(&self, row: &str) -> Result<Option<Box<dyn Reader>>, Failure> {
        self.reader(Some(row)).map(Some)
    }

    fn name_of(&self, _input: u32) -> Arc<str> {
        Arc::clone(&self.name)
    }

    fn total(&self) -> Option<u64> {
        None
    }
}

/// The lines of rows.
struct Lines {
    pages: Box<dyn Pages>,
    text: Vec<u8>,
    taken: usize,
    /// The key of the last row in them.
    last: Option<Key>,
    row: Row,
}

impl Reader for Lines {
    fn read(&mut self, room: &mut [u8]) -> Result<Read, Trouble> {
        if self.taken == self.text.len() {
            self.text.clear();
            self.taken = 0;
            // Small pages go together as far as there is room for all of them.
            loop {
                let before = self.text.len();
                match self.pages.next(&mut self.text)? {
                    Page::Rows(key) => self.last = Some(key),
                    Page::End => break,
                    Page::Stopped => return Ok(Read::Stopped),
                }
                let page = self.text.len() - before;
                if self.text.len() + page > room.len() {
                    break;
                }
            }
        }
        let left = self.text.get(self.taken..).unwrap_or_default();
        let count = left.len().min(room.len());
        if count == 0 {
            return Ok(Read::Bytes(0));
        }
        room[..count].copy_from_slice(&left[..count]);
        self.taken += count;
        self.row = if self.taken < self.text.len() {
            Row::Within
        } else {
            // What was read from a database can be written as JSON.
            Row::Behind(self.last.as_ref().and_then(|key| serde_json::to_string(key).ok()))
        };
        Ok(Read::Bytes(count))
    }

    fn row(&self) -> Row {
        self.row.clone()
    }
}

/// The queries of a source.
struct Queries {
    /// The first page.
    first: String,
    /// Pages behind a key, whose parts are parameters.
    next: String,
    /// How many rows have a key, as the database compares them; two are enough.
    same: String,
}

/// Writes the queries: `columns` and `keys` are what is selected, `behind` the parameters.
fn queries(plan: &Rows, columns: &[String], keys: &[String], behind: &[String]) -> Queries {
    let from = relation(&plan.relation);
    let by: Vec<String> = plan.key.iter().map(|name| format!("q.{}", quote(name))).collect();
    let filter = plan.filter.as_ref().map(|filter| format!("({filter})"));
    let query = |more: Option<String>| {
        let conditions: Vec<String> = filter.iter().cloned().chain(more).collect();
        let conditions = match conditions.as_slice() {
            [] => String::new(),
            some => format!(" WHERE {}", some.join(" AND ")),
        };
        // One more than a page shows what the next one begins with. If that is missing there, it may
        // have the key of the last row here: how keys compare only the database knows.
        format!(
            "SELECT {}, {} FROM {from} AS q{conditions} ORDER BY {} LIMIT {}",
            columns.join(", "),
            keys.join(", "),
            by.join(", "),
            plan.page + 1
        )
    };
    let beyond = match (by.as_slice(), behind) {
        ([one], [bound]) => format!("{one} > {bound}"),
        _ => format!("({}) > ({})", by.join(", "), behind.join(", ")),
    };
    let same = format!("({}) = ({})", by.join(", "), behind.join(", "));
    let conditions: Vec<String> = filter.iter().cloned().chain([same]).collect();
    let conditions = conditions.join(" AND ");
    let same =
        format!("SELECT count(*) FROM (SELECT 1 FROM {from} AS q WHERE {conditions} LIMIT 2) AS s");
    Queries { first: query(None), next: query(Some(beyond)), same }
}

/// Asks whether a row has no key.
fn keyless(plan: &Rows) -> String {
    let none: Vec<String> =
        plan.key.iter().map(|name| format!("q.{} IS NULL", quote(name))).collect();
    let filter = plan.filter.as_ref().map(|filter| format!("({filter}) AND "));
    let (from, filter) = (relation(&plan.relation), filter.unwrap_or_default());
    format!("SELECT 1 FROM {from} AS q WHERE {filter}({}) LIMIT 1", none.join(" OR "))
}

fn relation(relation: &Relation) -> String {
    match relation {
        Relation::Table(name) => quoted(name),
        Relation::Query(query) => format!("({query})"),
    }
}

/// The columns that records have, as they are selected before anything is known of them.
fn wanted(plan: &Rows) -> Vec<String> {
    match &plan.columns {
        Some(names) => names.iter().map(|name| format!("q.{}", quote(name))).collect(),
        None => vec!["q.*".to_owned()],
    }
}

fn cannot(shown: &str, why: &str) -> Failure {
    Failure::new(Exit::World, format!("cannot read `{shown}`: {why}"))
}

/// Says that some rows have no key.
fn no_key(plan: &Rows, shown: &str) -> Failure {
    let key = plan.key.join(", ");
    cannot(shown, &format!("there are rows whose key ({key}) is NULL, which would be left out"))
        .hint("name other columns as `key`, or leave these rows out by `where`")
}

/// Says that two rows have the same key.
fn same_key(plan: &Rows, key: &Key) -> Trouble {
    let shown =
        crate::words::text::excerpt(serde_json::Value::from(key.clone()).to_string().as_bytes());
    let names = plan.key.join(", ");
    let message = format!(
        "two rows have the same key ({names}), {shown}: pages would miss rows; name in `key` what \
         tells all rows apart"
    );
    Trouble::Io(std::io::Error::other(message))
}
