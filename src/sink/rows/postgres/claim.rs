//! Who writes to a table: one run at a time, which is known by the row of its position.

use tokio_postgres::{Client, Error, Row};

use crate::database::postgres::{code, explain};
use crate::sink::rows::postgres::shape::Sql;
use crate::sink::rows::postgres::{Link, Undone, cannot};
use crate::sink::rows::{Claim, Position, Settled};
use crate::words::outcome::Failure;

impl Sql {
    /// Makes the tables of positions, if they are not there.
    pub(super) async fn prepare_positions(&self, client: &Client) -> Result<(), Error> {
        let there = client.query_one(&self.is_there, &[]).await?;
        if there.try_get(0)? {
            return Ok(());
        }
        match client.batch_execute(&self.positions).await {
            // Another run has just made them.
            Err(error) if matches!(code(&error), Some("23505" | "42P07")) => Ok(()),
            made => made,
        }
    }
}

impl Link {
    /// Takes the position for this run. Whoever had it before cannot commit any more; what he is
    /// about to commit is waited for.
    pub(super) async fn claim(
        &mut self,
        client: &Client,
        claim: &Claim<'_>,
    ) -> Result<Settled, Failure> {
        let shown = self.shown.clone();
        let failed = |error: Error| cannot(&shown, &explain(&error));
        client.batch_execute("BEGIN").await.map_err(failed)?;
        // A row that is not there cannot be locked.
        let key: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
            [&self.pipeline, &self.sink.as_str()];
        client.execute(&self.sql.first, &key).await.map_err(failed)?;
        let found = client.query_one(&self.sql.look, &key).await.map_err(failed)?;
        let (run, _, position) = read(&found).map_err(failed)?;
        let known = (!run.is_empty()).then_some((run.as_str(), position.records));
        claim.goes_on(known, &shown)?;
        let settled = if claim.from.is_some() {
            self.position = Position { epoch: position.epoch + 1, ..position };
            let mut settled = Settled {
                records: self.position.records,
                dropped: self.position.dropped,
                ..Settled::default()
            };
            for row in client.query(&self.sql.noted, &key).await.map_err(failed)? {
                let record: i64 = row.try_get(0).map_err(failed)?;
                let errors: String = row.try_get(1).map_err(failed)?;
                let record = u64::try_from(record).unwrap_or_default();
                let errors = serde_json::from_str(&errors).unwrap_or_default();
                settled.refused.insert(record, errors);
            }
            settled
        } else {
            self.position = Position { epoch: position.epoch + 1, ..Position::default() };
            client.execute(&self.sql.forget, &key).await.map_err(failed)?;
            Settled::default()
        };
        self.hold(client).await.map_err(failed)?;
        client.batch_execute("COMMIT").await.map_err(failed)?;
        Ok(settled)
    }

    /// Takes the position back with a new connection, if nobody has taken it meanwhile, and finds
    /// out how many records are settled.
    pub(super) async fn take_back(&mut self, client: &Client) -> Result<(), Undone> {
        let failed = |error: Error| Undone::of(&error);
        client.batch_execute("BEGIN").await.map_err(failed)?;
        let key: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
            [&self.pipeline, &self.sink.as_str()];
        let found = client.query_opt(&self.sql.look, &key).await.map_err(failed)?;
        let Some(found) = found else { return Err(Undone::Fenced) };
        let (_, holder, position) = read(&found).map_err(failed)?;
        if holder != self.holder {
            return Err(Undone::Fenced);
        }
        self.position = Position { epoch: position.epoch + 1, ..position };
        self.hold(client).await.map_err(failed)?;
        client.batch_execute("COMMIT").await.map_err(failed)
    }

    async fn hold(&self, client: &Client) -> Result<(), Error> {
        let Position { epoch, records, dropped } = self.position;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        client
            .execute(
                &self.sql.hold,
                &[
                    &self.pipeline,
                    &self.sink.as_str(),
                    &self.run,
                    &self.holder,
                    &epoch,
                    &number(records),
                    &number(dropped),
                ],
            )
            .await?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<(String, String, Position), Error> {
    let number = |count: i64| u64::try_from(count).unwrap_or_default();
    let position = Position {
        epoch: row.try_get(2)?,
        records: number(row.try_get(3)?),
        dropped: number(row.try_get(4)?),
    };
    Ok((row.try_get(0)?, row.try_get(1)?, position))
}
