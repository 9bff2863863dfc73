//! Rows of a file of `SQLite`.

mod shape;

use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Error, OptionalExtension as _, params};

use crate::database::sqlite::{code, explain, open_to_read, open_to_write, refuses_row, remedy};
use crate::plan::database::{Sqlite, Target};
use crate::sink::rows::cells::{Cell, Cells};
use crate::sink::rows::sqlite::shape::{columns, create, fits, insert, is_view};
use crate::sink::rows::{Claim, Fates, POSITION, Position, REFUSED, Settled, fenced};
use crate::words::dead_letter::Complaint;
use crate::words::event::Events;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::{Durability, Transaction};

/// A table of a file.
pub(super) struct Store {
    db: Connection,
    shown: String,
    cells: Cells,
    insert: String,
    of_view: bool,
    whole: bool,
    noted: bool,
    pipeline: String,
    sink: String,
    run: String,
    position: Position,
    /// What is held back to the end of the run.
    held: (usize, u64),
}

/// Why a transaction did not come to its end.
enum Undone {
    /// Because of a row in it.
    Refused(Error),
    /// Another run has taken over.
    Fenced,
    /// For another reason.
    Failed(Error),
}

impl Store {
    /// Opens the table, makes it if need be, and claims it.
    pub(super) fn open(
        server: &Sqlite,
        target: &Target,
        shown: &str,
        claim: &Claim<'_>,
    ) -> Result<(Self, Settled), Failure> {
        let failed = |error: Error| failure(shown, &error);
        if let Some(folder) = server.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                Failure::new(Exit::World, format!("cannot write to `{shown}`: {error}"))
            })?;
        }
        let full = target.synchronous == Durability::Full;
        let db = open_to_write(server, full).map_err(failed)?;
        let cells = Cells::new(target).ok_or_else(|| {
            Failure::new(Exit::Config, format!("`{shown}` takes values from no JSON Pointer"))
        })?;
        if columns(&db, target).map_err(failed)?.is_empty() {
            db.execute_batch(&create(target)).map_err(failed)?;
        } else {
            fits(&db, target, shown)?;
        }
        let whole = target.transaction == Transaction::Run;
        let of_view = is_view(&db, target).map_err(failed)?;
        let mut store = Self {
            db,
            shown: shown.to_owned(),
            cells,
            insert: insert(target),
            of_view,
            whole,
            noted: claim.noted,
            pipeline: claim.pipeline.to_owned(),
            sink: claim.sink.to_string(),
            run: claim.run.to_owned(),
            position: Position::default(),
            held: (0, 0),
        };
        store.db.prepare(&store.insert).map_err(failed)?;
        let settled = store.claim(claim)?;
        Ok((store, settled))
    }

    /// Takes the position for this run: whoever had it before cannot commit any more.
    fn claim(&mut self, claim: &Claim<'_>) -> Result<Settled, Failure> {
        let shown = self.shown.clone();
        let failed = |error: Error| failure(&shown, &error);
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        self.db
            .execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS {POSITION} (pipeline TEXT NOT NULL, sink TEXT NOT NULL, \
                 run TEXT NOT NULL, epoch INTEGER NOT NULL, records INTEGER NOT NULL, \
                 dropped INTEGER NOT NULL, PRIMARY KEY (pipeline, sink)) STRICT; \
                 CREATE TABLE IF NOT EXISTS {REFUSED} (pipeline TEXT NOT NULL, sink TEXT NOT NULL, \
                 record INTEGER NOT NULL, errors TEXT NOT NULL, \
                 PRIMARY KEY (pipeline, sink, record)) STRICT"
            ))
            .map_err(failed)?;
        let found: Option<(String, i64, u64, u64)> = self
            .db
            .query_row(
                &format!(
                    "SELECT run, epoch, records, dropped FROM {POSITION} \
                     WHERE pipeline = ?1 AND sink = ?2"
                ),
                params![self.pipeline, self.sink],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .optional()
            .map_err(failed)?;
        claim
            .goes_on(found.as_ref().map(|(run, _, records, _)| (run.as_str(), *records)), &shown)?;
        let epoch = found.as_ref().map_or(0, |(_, epoch, ..)| *epoch) + 1;
        let goes_on = found.filter(|_| claim.from.is_some());
        let settled = if let Some((_, _, records, dropped)) = goes_on {
            self.position = Position { epoch, records, dropped };
            Settled { records, dropped, refused: self.refused().map_err(failed)? }
        } else {
            self.position = Position { epoch, ..Position::default() };
            let forget = format!("DELETE FROM {REFUSED} WHERE pipeline = ?1 AND sink = ?2");
            self.db.execute(&forget, params![self.pipeline, self.sink]).map_err(failed)?;
            Settled::default()
        };
        let Position { epoch, records, dropped } = self.position;
        self.db
            .execute(
                &format!(
                    "INSERT INTO {POSITION} VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                     ON CONFLICT DO UPDATE SET run = ?3, epoch = ?4, records = ?5, dropped = ?6"
                ),
                params![
                    self.pipeline,
                    self.sink,
                    self.run,
                    epoch,
                    number(records),
                    number(dropped)
                ],
            )
            .map_err(failed)?;
        self.db.execute_batch("COMMIT").map_err(failed)?;
        Ok(settled)
    }

    fn refused(&self) -> rusqlite::Result<std::collections::BTreeMap<u64, Vec<Complaint>>> {
        let text =
            format!("SELECT record, errors FROM {REFUSED} WHERE pipeline = ?1 AND sink = ?2");
        let mut query = self.db.prepare(&text)?;
        let rows = query.query_map(params![self.pipeline, self.sink], |row| {
            Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (record, errors) = row?;
            Ok((record, serde_json::from_str(&errors).unwrap_or_default()))
        })
        .collect()
    }

    /// Puts records into the table in one transaction.
    fn transact(&mut self, records: &[&[u8]]) -> Result<Fates, Undone> {
        if self.db.is_autocommit() {
            self.db.execute_batch("BEGIN IMMEDIATE").map_err(Undone::Failed)?;
        }
        let done = self.insert_all(records).and_then(|fates| {
            if !self.whole {
                self.settle(records.len(), &fates)?;
                self.db.execute_batch("COMMIT").map_err(judged)?;
            }
            Ok(fates)
        });
        if done.is_err() && !self.whole && !self.db.is_autocommit() {
            // What failed before is what matters.
            self.db.execute_batch("ROLLBACK").ok();
        }
        match &done {
            Ok(fates) if self.whole => {
                self.held.0 += records.len();
                self.held.1 += fates.dropped;
            }
            Ok(fates) => {
                self.position.records += records.len() as u64;
                self.position.dropped += fates.dropped;
            }
            Err(_) => {}
        }
        done
    }

    fn insert_all(&self, records: &[&[u8]]) -> Result<Fates, Undone> {
        let mut insert = self.db.prepare_cached(&self.insert).map_err(Undone::Failed)?;
        let mut fates = Fates::default();
        for (index, record) in records.iter().enumerate() {
            let cells = match self.cells.of(record) {
                Ok(cells) => cells,
                Err(errors) => {
                    fates.refused.push((index, errors));
                    continue;
                }
            };
            for (place, cell) in cells.iter().enumerate() {
                insert.raw_bind_parameter(place + 1, cell).map_err(Undone::Failed)?;
            }
            match insert.raw_execute() {
                // Its key was there, or a trigger left it out. What a view's triggers do is not counted.
                Ok(0) if !self.of_view => fates.dropped += 1,
                Ok(_) => {}
                Err(error) if !refuses_row(&error) => return Err(Undone::Failed(error)),
                // A trigger may take the whole transaction back.
                Err(error) if self.db.is_autocommit() => return Err(Undone::Refused(error)),
                Err(error) => fates.refused.push((index, vec![complaint(&error)])),
            }
        }
        Ok(fates)
    }

    /// Notes how many records are settled, if this run still has the table.
    fn settle(&self, records: usize, fates: &Fates) -> Result<(), Undone> {
        let Position { epoch, records: before, dropped } = self.position;
        let settle = format!(
            "UPDATE {POSITION} SET records = ?1, dropped = ?2 \
             WHERE pipeline = ?3 AND sink = ?4 AND run = ?5 AND epoch = ?6 AND records = ?7"
        );
        let mut settle = self.db.prepare_cached(&settle).map_err(Undone::Failed)?;
        let changed = settle.execute(params![
            number(before + records as u64),
            number(dropped + fates.dropped),
            self.pipeline,
            self.sink,
            self.run,
            epoch,
            number(before)
        ]);
        if changed.map_err(Undone::Failed)? != 1 {
            return Err(Undone::Fenced);
        }
        if !self.noted {
            return Ok(());
        }
        for (index, errors) in &fates.refused {
            let note = format!("INSERT INTO {REFUSED} VALUES (?1, ?2, ?3, ?4)");
            let mut note = self.db.prepare_cached(&note).map_err(Undone::Failed)?;
            let errors = serde_json::to_string(errors).unwrap_or_default();
            let record = number(before + *index as u64);
            note.execute(params![self.pipeline, self.sink, record, errors])
                .map_err(Undone::Failed)?;
        }
        Ok(())
    }

    /// Puts records into the table; halves them where a row among them is refused at the end only.
    fn put_some(
        &mut self,
        records: &[&[u8]],
        first: usize,
        all: &mut Fates,
    ) -> Result<(), Failure> {
        match self.transact(records) {
            Ok(fates) => {
                all.dropped += fates.dropped;
                let refused = fates.refused.into_iter();
                all.refused.extend(refused.map(|(index, errors)| (first + index, errors)));
                Ok(())
            }
            Err(Undone::Fenced) => Err(fenced(&self.shown)),
            Err(Undone::Failed(error)) => Err(failure(&self.shown, &error)),
            Err(Undone::Refused(error)) if self.whole => {
                let why = "a trigger took back all rows of the run";
                Err(failure(&self.shown, &error).hint(why))
            }
            Err(Undone::Refused(error)) if records.len() <= 1 => {
                let fates = Fates { dropped: 0, refused: vec![(0, vec![complaint(&error)])] };
                self.settle_alone(records.len(), &fates)?;
                all.refused.extend(fates.refused.into_iter().map(|(_, errors)| (first, errors)));
                Ok(())
            }
            Err(Undone::Refused(_)) => {
                let (one, other) = records.split_at(records.len() / 2);
                self.put_some(one, first, all)?;
                self.put_some(other, first + one.len(), all)
            }
        }
    }

    /// Notes that a record is settled that left nothing in the table.
    fn settle_alone(&mut self, records: usize, fates: &Fates) -> Result<(), Failure> {
        let begun = self.db.execute_batch("BEGIN IMMEDIATE").map_err(Undone::Failed);
        let settled = begun.and_then(|()| self.settle(records, fates));
        let settled = settled.and_then(|()| self.db.execute_batch("COMMIT").map_err(judged));
        match settled {
            Ok(()) => {
                self.position.records += records as u64;
                Ok(())
            }
            Err(Undone::Fenced) => Err(fenced(&self.shown)),
            Err(Undone::Refused(error) | Undone::Failed(error)) => {
                Err(failure(&self.shown, &error))
            }
        }
    }
}

impl crate::sink::rows::Store for Store {
    fn put(&mut self, records: &[&[u8]], _events: &Events) -> Result<Fates, Failure> {
        let mut all = Fates::default();
        self.put_some(records, 0, &mut all)?;
        Ok(all)
    }

    fn commit(&mut self, _events: &Events) -> Result<(), Failure> {
        if self.db.is_autocommit() {
            return Ok(());
        }
        let (records, dropped) = self.held;
        let settled = self.settle(records, &Fates { dropped, refused: Vec::new() });
        match settled.and_then(|()| self.db.execute_batch("COMMIT").map_err(judged)) {
            Ok(()) => Ok(()),
            Err(Undone::Fenced) => Err(fenced(&self.shown)),
            Err(Undone::Refused(error) | Undone::Failed(error)) => {
                Err(failure(&self.shown, &error))
            }
        }
    }

    fn roll_back(&mut self) {
        if !self.db.is_autocommit() {
            // It ends with the connection in any case.
            self.db.execute_batch("ROLLBACK").ok();
        }
    }
}

/// Sees whether the database can be opened and the table, if it is there, fits.
pub(super) fn probe(server: &Sqlite, target: &Target, shown: &str) -> Result<(), Failure> {
    if !server.path.exists() {
        // It will be made.
        return Ok(());
    }
    let db = open_to_read(server).map_err(|error| failure(shown, &error))?;
    match columns(&db, target).map_err(|error| failure(shown, &error))?.as_slice() {
        [] => Ok(()),
        _ => fits(&db, target, shown),
    }
}

fn judged(error: Error) -> Undone {
    if refuses_row(&error) { Undone::Refused(error) } else { Undone::Failed(error) }
}

fn complaint(error: &Error) -> Complaint {
    let message = match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        error => error.to_string(),
    };
    let code = format!("sqlite.{}", code(error));
    Complaint::new("", code, crate::words::text::escape(message.as_bytes()))
}

fn failure(shown: &str, error: &Error) -> Failure {
    let message = format!("cannot write to `{shown}`: {}", explain(error));
    let failure = Failure::new(Exit::World, message);
    match remedy(error) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Counts of records never come near this limit.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = |text| Ok(ToSqlOutput::Borrowed(ValueRef::Text(text)));
        match self {
            Self::Null => Ok(ToSqlOutput::Owned(Value::Null)),
            Self::Integer(number) => Ok(ToSqlOutput::Owned(Value::Integer(*number))),
            Self::Real(number, _) => Ok(ToSqlOutput::Owned(Value::Real(*number))),
            Self::Truth(truth) => Ok(ToSqlOutput::Owned(Value::Integer((*truth).into()))),
            Self::Number(written) => text(written.as_bytes()),
            Self::Text(written) => text(written.as_bytes()),
            Self::Bytes(bytes) => Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
        }
    }
}
