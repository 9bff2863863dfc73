//! Rows of a server of Postgres, by `COPY`: straight into the table, or where a key may be there
//! already, into a table of the connection's own and from there.

mod claim;
mod lines;
mod recover;
mod shape;
mod transaction;

use tokio_postgres::{Client, Error, Statement};

use crate::database::postgres::{code, connect, explain, may_pass};
use crate::database::{Own, aside};
use crate::plan::database::{Postgres, Target};
use crate::sink::rows::cells::Cells;
use crate::sink::rows::postgres::lines::Rows;
use crate::sink::rows::postgres::shape::Sql;
use crate::sink::rows::{Claim, Fates, Position, Settled, fenced};
use crate::words::dead_letter::Complaint;
use crate::words::event::Events;
use crate::words::id::Name;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::{OnConflict, Transaction};

/// A table of a server.
pub(super) struct Store {
    own: Own,
    link: Link,
    open: Option<Open>,
    /// What is held back to the end of the run, once something is.
    held: Option<(usize, u64)>,
}

/// All that is known of the table and of who writes, whatever connection there is.
struct Link {
    server: Postgres,
    shown: String,
    cells: Cells,
    sql: Sql,
    on_conflict: OnConflict,
    whole: bool,
    noted: bool,
    pipeline: String,
    sink: Name,
    run: String,
    /// This process: whoever else claims the table is another.
    holder: String,
    position: Position,
}

/// A connection.
struct Open {
    client: Client,
    copy: Statement,
    settle: Statement,
}

/// Why a transaction did not come to its end.
#[derive(Debug)]
enum Undone {
    /// Because of a row in it.
    Refused(Error),
    /// Another run has taken over.
    Fenced,
    /// It did not take place, and may when it is tried again.
    Lost(String),
    /// It may have taken place.
    Unknown(String),
    /// For another reason.
    Failed(String),
}

impl Undone {
    /// Judges an error before the commit.
    fn of(error: &Error) -> Self {
        if may_pass(error) { Self::Lost(explain(error)) } else { Self::Failed(explain(error)) }
    }
}

impl Store {
    /// Opens the table, makes it if need be, and claims it.
    pub(super) fn open(
        server: &Postgres,
        target: &Target,
        shown: &str,
        claim: &Claim<'_>,
    ) -> Result<(Self, Settled), Failure> {
        let own = Own::new().map_err(|error| cannot(shown, &error.to_string()))?;
        let cells = Cells::new(target).ok_or_else(|| {
            Failure::new(Exit::Config, format!("`{shown}` takes values from no JSON Pointer"))
        })?;
        let mut link = Link {
            server: server.clone(),
            shown: shown.to_owned(),
            cells,
            sql: Sql::new(target),
            on_conflict: target.on_conflict,
            whole: target.transaction == Transaction::Run,
            noted: claim.noted,
            pipeline: claim.pipeline.to_owned(),
            sink: claim.sink.clone(),
            run: claim.run.to_owned(),
            holder: claim.holder.to_owned(),
            position: Position::default(),
        };
        let opened = aside(|| {
            own.wait(async {
                let client = called(&link.server, shown).await?;
                let failed = |error: Error| cannot(shown, &explain(&error));
                shape::ensure(&client, target, shown).await?;
                link.sql.prepare_positions(&client).await.map_err(failed)?;
                let settled = link.claim(&client, claim).await?;
                let open = link.prepare(client).await.map_err(failed)?;
                Ok((open, settled))
            })
        });
        let ended = || Err(cannot(shown, "the connection ended"));
        let (open, settled) = opened.flatten().unwrap_or_else(ended)?;
        Ok((Self { own, link, open: Some(open), held: None }, settled))
    }

    /// Puts records into the table; halves them where a row among them is refused at the end only.
    fn put_some(
        &mut self,
        records: &[&[u8]],
        (first, all): (usize, &mut Fates),
        events: &Events,
    ) -> Result<(), Failure> {
        let Self { own, link, open, held } = self;
        let begin = held.is_none();
        let done = own.wait(link.settle_all(open, records, begin, events));
        let gone = || Err(Undone::Failed("the connection ended".to_owned()));
        match done.unwrap_or_else(gone) {
            Ok(fates) => {
                if link.whole {
                    let (records_held, dropped) = held.unwrap_or_default();
                    *held = Some((records_held + records.len(), dropped + fates.dropped));
                }
                all.dropped += fates.dropped;
                let refused = fates.refused.into_iter();
                all.refused.extend(refused.map(|(index, errors)| (first + index, errors)));
                Ok(())
            }
            Err(Undone::Refused(_)) if records.len() > 1 && !link.whole => {
                let (one, other) = records.split_at(records.len() / 2);
                self.put_some(one, (first, all), events)?;
                self.put_some(other, (first + one.len(), all), events)
            }
            Err(Undone::Refused(error)) if !link.whole => {
                let fates = Fates { dropped: 0, refused: vec![(0, vec![complaint(&error)])] };
                let settled = own.wait(link.settle_refused(open, records.len(), &fates, events));
                let gone = || Err(Undone::Failed("the connection ended".to_owned()));
                settled.unwrap_or_else(gone).map_err(|undone| link.failure(undone))?;
                all.refused.extend(fates.refused.into_iter().map(|(_, errors)| (first, errors)));
                Ok(())
            }
            Err(undone) => Err(link.failure(undone)),
        }
    }
}

/// Calls a server once.
async fn called(server: &Postgres, shown: &str) -> Result<Client, Failure> {
    connect(server).await.map_err(|error| {
        let failure = cannot(shown, &error.explain());
        match error.remedy() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

fn cannot(shown: &str, why: &str) -> Failure {
    Failure::new(Exit::World, format!("cannot write to `{shown}`: {why}"))
}

impl Link {
    fn failure(&self, undone: Undone) -> Failure {
        match undone {
            Undone::Fenced => fenced(&self.shown),
            Undone::Refused(error) => cannot(&self.shown, &explain(&error)),
            Undone::Lost(why) | Undone::Unknown(why) | Undone::Failed(why) => {
                cannot(&self.shown, &why)
            }
        }
    }

    /// Whether rows go through a table of the connection's own.
    fn is_staged(&self) -> bool {
        self.on_conflict != OnConflict::Error
    }

    /// Settles records in one transaction, with a new connection where the one there was is lost.
    async fn settle_all(
        &mut self,
        open: &mut Option<Open>,
        records: &[&[u8]],
        begin: bool,
        events: &Events,
    ) -> Result<Fates, Undone> {
        let rows = Rows::new(&self.cells, records, self.is_staged());
        let mut lost = None;
        loop {
            let mut fates = Fates { dropped: 0, refused: rows.unfit.clone() };
            let Some(connection) = open.as_mut() else {
                return Err(Undone::Failed("there is no connection".to_owned()));
            };
            let done = self.transact(connection, &rows, begin, &mut fates).await;
            let done = match done {
                Ok(()) if self.whole => return Ok(sorted(fates)),
                Ok(()) => self.commit(connection, records.len(), &fates).await,
                Err(undone) => Err(undone),
            };
            match done {
                Ok(()) => return Ok(sorted(fates)),
                // All of it is gone with the connection.
                Err(Undone::Lost(why)) if self.whole => return Err(Undone::Failed(why)),
                Err(Undone::Lost(why)) => {
                    self.again(&mut lost, open, &why, events).await?;
                }
                Err(Undone::Unknown(why)) => {
                    let before = self.position.records;
                    let after = before + records.len() as u64;
                    if self.resolve(open, (before, after), &why, events).await? {
                        return Ok(sorted(fates));
                    }
                }
                Err(undone) => {
                    // What failed before is what matters; a lost connection has nothing to undo.
                    connection.client.batch_execute("ROLLBACK").await.ok();
                    return Err(undone);
                }
            }
        }
    }

    /// Settles a record that leaves nothing in the table.
    async fn settle_refused(
        &mut self,
        open: &mut Option<Open>,
        records: usize,
        fates: &Fates,
        events: &Events,
    ) -> Result<(), Undone> {
        let mut lost = None;
        loop {
            let Some(connection) = open.as_mut() else {
                return Err(Undone::Failed("there is no connection".to_owned()));
            };
            let begun = connection.client.batch_execute("BEGIN").await;
            let done = match begun.map_err(|error| Undone::of(&error)) {
                Ok(()) => self.commit(connection, records, fates).await,
                Err(undone) => Err(undone),
            };
            match done {
                Err(Undone::Lost(why)) => {
                    self.again(&mut lost, open, &why, events).await?;
                }
                Err(Undone::Unknown(why)) => {
                    let before = self.position.records;
                    let after = before + records as u64;
                    if self.resolve(open, (before, after), &why, events).await? {
                        return Ok(());
                    }
                }
                done => return done,
            }
        }
    }
}

impl crate::sink::rows::Store for Store {
    fn put(&mut self, records: &[&[u8]], events: &Events) -> Result<Fates, Failure> {
        let mut all = Fates::default();
        self.put_some(records, (0, &mut all), events)?;
        Ok(all)
    }

    fn commit(&mut self, events: &Events) -> Result<(), Failure> {
        let Some((records, dropped)) = self.held.take() else { return Ok(()) };
        let Self { own, link, open, .. } = self;
        let done = own.wait(async {
            let Some(connection) = open.as_mut() else {
                return Err(Undone::Failed("there is no connection".to_owned()));
            };
            let fates = Fates { dropped, refused: Vec::new() };
            let before = link.position.records;
            match link.commit(connection, records, &fates).await {
                Err(Undone::Unknown(why)) => {
                    let after = before + records as u64;
                    let done = link.resolve(open, (before, after), &why, events).await?;
                    if done { Ok(()) } else { Err(Undone::Failed(why)) }
                }
                done => done,
            }
        });
        let gone = || Err(Undone::Failed("the connection ended".to_owned()));
        done.unwrap_or_else(gone).map_err(|undone| link.failure(undone))
    }

    fn roll_back(&mut self) {
        let Self { own, open, held, .. } = self;
        if held.take().is_some()
            && let Some(open) = open
        {
            // It ends with the connection in any case.
            own.wait(open.client.batch_execute("ROLLBACK")).map(Result::ok);
        }
    }
}

fn sorted(mut fates: Fates) -> Fates {
    fates.refused.sort_by_key(|(index, _)| *index);
    fates
}

fn complaint(error: &Error) -> Complaint {
    let message = error.as_db_error().map_or_else(
        || explain(error),
        |told| {
            let detail = told.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
            format!("{}{detail}", told.message())
        },
    );
    let code = format!("postgres.{}", code(error).unwrap_or_default());
    Complaint::new("", code, crate::words::text::escape(message.as_bytes()))
}

/// Sees whether the server can be reached and the table, if it is there, fits.
pub(super) fn probe(server: &Postgres, target: &Target, shown: &str) -> Result<(), Failure> {
    let own = Own::new().map_err(|error| cannot(shown, &error.to_string()))?;
    let probed = own.wait(async {
        let client = called(server, shown).await?;
        shape::fits(&client, target, shown).await.map(|_| ())
    });
    probed.unwrap_or_else(|| Err(cannot(shown, "the connection ended")))
}
