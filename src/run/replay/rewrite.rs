//! The file of dead letters after a replay: what is still bad stays, in its order.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use crate::publish::files::Files;
use crate::publish::part::{Part, Place};
use crate::run::replay::{Letters, Survey};
use crate::sink::packed::Packer;
use crate::source::letters::{each_line, is_blank, letter, no_letter};
use crate::words::outcome::{Exit, Failure};
use crate::words::packing::Packing;
use crate::words::returned::{Key, Returned};

/// What became of the letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// How many are settled.
    pub settled: u64,
    /// How many are in the file now.
    pub bad: u64,
}

/// A letter of this replay: 40 bytes of memory for each record that is still bad.
#[derive(Clone, Copy)]
struct Again {
    key: Key,
    offset: u64,
    len: u32,
    /// How many of this and those behind it with the same key are in the place of an old one.
    taken: u32,
}

/// Rewrites the file of letters after its replay, whose own letters are in `replay.again`.
pub fn rewrite(
    letters: &Letters,
    survey: &Survey,
    files: &Arc<dyn Files>,
) -> Result<Rewritten, Failure> {
    let mut again = Read::open(survey.replay.again.clone(), survey.letters > 0)?;
    let places = again.match_all(letters, survey)?;
    let target = |end: &str| letters.beside(&format!("replay-{}.{end}", survey.sum));
    let cannot = |error: io::Error| letters.cannot_write(&error);
    let packing = Packing::of(&letters.path);
    let mut next = Output::create(files, letters, target("next"), packing).map_err(cannot)?;
    let mut settled = Output::create(files, letters, target("settled"), None).map_err(cannot)?;
    let before = letters.settled.exists();
    if before {
        each_line(&letters.settled, &mut |_, line| {
            settled.add(line).map(|()| true).map_err(cannot)
        })?;
    }
    let done = again.divide(letters, survey, places, &mut next, &mut settled)?;
    if done.settled > 0 {
        settled.end().map_err(cannot)?;
    } else {
        drop(settled);
        // Of a replay that was ended before it decided.
        files.remove(&target("settled")).ok();
    }
    next.end().map_err(cannot)?;
    letters.put_in_place(files.as_ref(), &survey.sum).map_err(cannot)?;
    if survey.letters > 0 {
        // Nothing depends on it any more.
        files.remove(&survey.replay.again).ok();
    }
    Ok(done)
}

/// The letters of this replay.
struct Read {
    file: Option<File>,
    path: PathBuf,
    entries: Vec<Again>,
}

/// For each line of the file the letter in its place, and those of places that had none.
struct Places {
    of_line: Vec<Option<u32>>,
    new: HashMap<Key, Vec<u32>>,
}

impl Read {
    fn open(path: PathBuf, replayed: bool) -> Result<Self, Failure> {
        if !replayed {
            return Ok(Self { file: None, path, entries: Vec::new() });
        }
        let mut entries = Vec::new();
        let mut offset = 0;
        each_line(&path, &mut |number, line| {
            let len = u32::try_from(line.len()).map_err(|_| no_letter(number, "it is too long"))?;
            entries.push(Again { key: letter(number, line)?.key(), offset, len, taken: 0 });
            offset += u64::from(len) + 1;
            Ok(true)
        })?;
        entries.sort_unstable_by_key(|entry| (entry.key, entry.offset));
        let file = File::open(&path).map_err(|error| unreadable(&error))?;
        Ok(Self { file: Some(file), path, entries })
    }

    /// Finds for each old letter the one that it has become. What is left is of records that got
    /// further, and were refused there.
    fn match_all(&mut self, letters: &Letters, survey: &Survey) -> Result<Places, Failure> {
        let mut of_line = Vec::new();
        each_line(&letters.path, &mut |number, line| {
            let skipped = survey.replay.skip.binary_search(&number).is_ok() || is_blank(line);
            let old = if skipped { None } else { Some(letter(number, line)?) };
            let key = old.map(|old| old.key_again().map_err(|why| no_letter(number, &why)));
            of_line.push(key.transpose()?.and_then(|(key, _)| self.take(&key)));
            Ok(true)
        })?;
        let mut new: HashMap<Key, Vec<u32>> = HashMap::new();
        let mut first = 0;
        for index in 0..self.entries.len() {
            if self.entries[index].key != self.entries[first].key {
                first = index;
            }
            if index - first >= self.entries[first].taken as usize {
                let line = self.line(index)?;
                let place = letter(index as u64 + 1, &line)?.place();
                new.entry(place).or_default().push(narrow(index));
            }
        }
        Ok(Places { of_line, new })
    }

    fn take(&mut self, key: &Key) -> Option<u32> {
        let first = self.entries.partition_point(|entry| entry.key < *key);
        let index = first + self.entries.get(first).filter(|e| e.key == *key)?.taken as usize;
        self.entries.get(index).filter(|entry| entry.key == *key)?;
        self.entries[first].taken += 1;
        Some(narrow(index))
    }

    fn line(&self, index: usize) -> Result<Vec<u8>, Failure> {
        let entry = self.entries[index];
        let mut line = vec![0; entry.len as usize];
        if let Some(file) = &self.file {
            file.read_exact_at(&mut line, entry.offset).map_err(|error| unreadable(&error))?;
        }
        Ok(line)
    }

    /// Writes each letter to where it belongs.
    fn divide(
        &self,
        letters: &Letters,
        survey: &Survey,
        mut places: Places,
        next: &mut Output,
        settled: &mut Output,
    ) -> Result<Rewritten, Failure> {
        let cannot = |error: io::Error| letters.cannot_write(&error);
        let mut done = Rewritten::default();
        let mut index = 0;
        each_line(&letters.path, &mut |number, line| {
            let found = places.of_line.get(index).copied().flatten();
            index += 1;
            if is_blank(line) || survey.gone.binary_search(&number).is_ok() {
                return Ok(true);
            }
            if survey.replay.skip.binary_search(&number).is_ok() {
                done.bad += 1;
                return next.add(line).map(|()| true).map_err(cannot);
            }
            let old = letter(number, line)?;
            if let Some(found) = found {
                done.bad += 1;
                let new = with_digest(self.line(found as usize)?, &old, number)?;
                return next.add(&new).map(|()| true).map_err(cannot);
            }
            let place = old.place();
            let Some(further) = places.new.get_mut(&place) else {
                done.settled += 1;
                return settled.add(line).map(|()| true).map_err(cannot);
            };
            // It got further: what refused it there has the place in the file now.
            for new in std::mem::take(further) {
                done.bad += 1;
                next.add(&self.line(new as usize)?).map_err(cannot)?;
            }
            Ok(true)
        })?;
        // Behind a filter, records have other places.
        let mut rest: Vec<u32> = places.new.into_values().flatten().collect();
        rest.sort_unstable_by_key(|index| self.entries[*index as usize].offset);
        for new in rest {
            done.bad += 1;
            next.add(&self.line(new as usize)?).map_err(cannot)?;
        }
        debug_assert!(self.path == survey.replay.again, "these are the letters of this replay");
        Ok(done)
    }
}

/// A letter keeps the digest of the bytes that were refused first, whoever mended them since.
fn with_digest(new: Vec<u8>, old: &Returned<'_>, number: u64) -> Result<Vec<u8>, Failure> {
    let (_, now) = old.key_again().map_err(|why| no_letter(number, &why))?;
    if now == old.sha256 {
        return Ok(new);
    }
    // Within a text its quotes would be escaped.
    let wanted = format!("\"sha256\":\"{now}\",\"trace\":");
    let found = memchr::memmem::rfind(&new, wanted.as_bytes());
    Ok(match found {
        Some(at) => {
            let digest = at + "\"sha256\":\"".len();
            let behind = &new[digest + now.len()..];
            [&new[..digest], old.sha256.as_bytes(), behind].concat()
        }
        None => new,
    })
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Exit::World, format!("cannot read the dead letters of this replay: {error}"))
}

/// A file of letters being written.
struct Output {
    part: Part,
    packer: Option<Packer>,
    held: Vec<u8>,
}

/// How much is written at once.
const WRITE: usize = 128 << 10;

impl Output {
    fn create(
        files: &Arc<dyn Files>,
        letters: &Letters,
        target: PathBuf,
        packing: Option<Packing>,
    ) -> io::Result<Self> {
        let folder = letters.path.parent().unwrap_or(&letters.path).to_owned();
        let part =
            Part::create(Arc::clone(files), Place { target, folder, mode: Some(letters.mode) })?;
        Ok(Self { part, packer: packing.map(Packer::new), held: Vec::new() })
    }

    fn add(&mut self, line: &[u8]) -> io::Result<()> {
        self.held.extend_from_slice(line);
        self.held.push(b'\n');
        if self.held.len() >= WRITE { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> io::Result<()> {
        let part = &mut self.part;
        match &mut self.packer {
            Some(packer) => packer.pack(&self.held, &mut |bytes, _| part.write_all(bytes))?,
            None => part.write_all(&self.held)?,
        }
        self.held.clear();
        Ok(())
    }

    fn end(mut self) -> io::Result<()> {
        self.write()?;
        let part = &mut self.part;
        if let Some(packer) = &mut self.packer {
            packer.finish(&mut |bytes, _| part.write_all(bytes))?;
        }
        self.part.sync()?;
        self.part.publish()
    }
}
