//! Reads one table key by key and says what is left over.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::keys::{KINDS, PLAIN, Vocabulary};
use crate::config::origin::{Located, Origin};
use crate::config::schema::Setting;
use crate::config::suggest::{nearest, one_of};
use crate::config::tree::{Entry, Node, Value};
use crate::words::text::escape;

/// What came of reading a value.
pub(super) type Read<T> = Result<T, Reported>;

/// A value about to be read.
pub(super) struct Field<'a> {
    /// Its key.
    pub(super) key: &'a str,
    /// The value.
    pub(super) node: Node,
    /// Where mistakes go.
    pub(super) out: &'a mut Diagnostics,
}

impl Field<'_> {
    /// Reports that the value is not what the key takes.
    pub(super) fn wrong(&mut self, takes: &str, hint: Option<&str>) -> Reported {
        let found = match &self.node.value {
            Value::Broken(reported) => return *reported,
            value => format!("this is {}", value.kind()),
        };
        self.unfit(takes, &found, hint)
    }

    /// Reports that the value has the right type and still does not fit.
    pub(super) fn unfit(&mut self, takes: &str, found: &str, hint: Option<&str>) -> Reported {
        let mut mistake = Diagnostic::new(format!("`{}` takes {takes}", self.key));
        mistake = mistake.at(self.node.origin, found);
        self.out.push(match hint {
            Some(hint) => mistake.hint(hint),
            None => mistake,
        })
    }
}

/// A table being read.
pub(super) struct Reader<'a> {
    vocabulary: &'static Vocabulary,
    name: String,
    entries: Vec<Entry>,
    out: &'a mut Diagnostics,
}

impl<'a> Reader<'a> {
    /// Starts to read the table `name`, as messages call it.
    pub(super) fn new(
        vocabulary: &'static Vocabulary,
        name: String,
        entries: Vec<Entry>,
        out: &'a mut Diagnostics,
    ) -> Self {
        Self { vocabulary, name, entries, out }
    }

    /// Reads the value at `key`, if it is there.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        reading: impl FnOnce(&mut Field<'_>) -> Read<T>,
    ) -> Setting<T> {
        debug_assert!(self.vocabulary.keys.contains(&key), "`{key}` must be listed");
        let Some(index) = self.entries.iter().position(|entry| entry.key == key) else {
            return Setting::LeftOut;
        };
        let node = self.entries.swap_remove(index).node;
        let origin = node.origin;
        let out = &mut *self.out;
        let mut field = Field { key, node, out };
        match reading(&mut field) {
            Ok(value) => Setting::Given(Located { value, origin }),
            Err(reported) => Setting::Unreadable(reported),
        }
    }

    /// Reads the table at `key` with a vocabulary of its own.
    pub(super) fn table<T: Default>(
        &mut self,
        key: &'static str,
        vocabulary: &'static Vocabulary,
        reading: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> T {
        let mut read = T::default();
        let name = format!("`{key}`");
        self.read(key, |field| {
            let entries = field.take_table("a table")?;
            let mut reader = Reader::new(vocabulary, name, entries, field.out);
            read = reading(&mut reader);
            reader.finish();
            Ok(())
        });
        read
    }

    /// Refuses `key` if it is there and not in this version.
    pub(super) fn refuse(&mut self, key: &str) -> Option<Reported> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        let (_, hint) = self.vocabulary.later.iter().find(|(later, _)| *later == key)?;
        let entry = self.entries.swap_remove(index);
        Some(self.out.push(not_yet(key, Origin::Written(entry.at), hint)))
    }

    /// Forgets what is left over: the table speaks a language that is not known yet.
    pub(super) fn forget(&mut self) {
        self.entries.clear();
    }

    /// Reports whatever was not read.
    pub(super) fn finish(mut self) -> Option<Reported> {
        let mut reported = None;
        let later = self.vocabulary.later.iter();
        for (key, _) in later {
            reported = self.refuse(key).or(reported);
        }
        for entry in std::mem::take(&mut self.entries) {
            reported = Some(self.out.push(self.unknown(&entry)));
        }
        reported
    }

    fn unknown(&self, entry: &Entry) -> Diagnostic {
        let name = &self.name;
        let key = escape(entry.key.as_bytes());
        let mistake = Diagnostic::new(format!("unknown key `{key}` in {name}"))
            .at(Origin::Written(entry.at), "");
        if let Some(meant) = nearest(&entry.key, self.vocabulary.keys.iter().copied()) {
            return mistake.hint(format!("did you mean `{meant}`?"));
        }
        let homes: Vec<&str> = KINDS
            .iter()
            .filter(|kind| kind.keys.contains(&entry.key.as_str()))
            .map(|kind| kind.noun)
            .collect();
        // Keys of a field mean something else where other tables have them.
        if !homes.is_empty() && self.vocabulary.noun != PLAIN.noun {
            return mistake.hint(format!("`{key}` belongs in {}", listed(&homes)));
        }
        let keys = self.vocabulary.keys.iter().copied();
        mistake.hint(format!("it takes {}", one_of(keys)))
    }
}

/// Writes a, b or c.
fn listed(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// Says that something of the design is not there yet.
pub(super) fn not_yet(what: &str, origin: Origin, hint: &str) -> Diagnostic {
    Diagnostic::new(format!("`{what}` is not in this version")).at(origin, "").hint(hint)
}
