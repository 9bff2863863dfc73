//! One transaction: rows, what was refused of them, and how many records are settled now.

use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio_postgres::Error;

use crate::database::postgres::{code, explain, may_pass, refuses_rows};
use crate::sink::rows::postgres::lines::Rows;
use crate::sink::rows::postgres::{Link, Open, Undone, complaint};
use crate::sink::rows::{Fates, Position};
use crate::words::policy::OnConflict;

impl Link {
    /// Puts rows into the table, and does not commit.
    pub(super) async fn transact(
        &self,
        open: &mut Open,
        rows: &Rows,
        begin: bool,
        fates: &mut Fates,
    ) -> Result<(), Undone> {
        if begin {
            let begun = open.client.batch_execute("BEGIN").await;
            begun.map_err(|error| Undone::of(&error))?;
        }
        // Ranges of rows that are yet to be put there, the first one last.
        let mut ranges = vec![(0, rows.len())];
        while let Some((from, to)) = ranges.pop() {
            if from == to {
                continue;
            }
            let saved = open.client.batch_execute("SAVEPOINT esteira").await;
            saved.map_err(|error| Undone::of(&error))?;
            match self.insert(open, rows, (from, to)).await {
                Ok(left_out) => {
                    let released = open.client.batch_execute("RELEASE esteira").await;
                    released.map_err(|error| Undone::of(&error))?;
                    fates.dropped += left_out;
                }
                Err(error) if refuses_rows(&error) => {
                    let back = "ROLLBACK TO esteira; RELEASE esteira";
                    let back = open.client.batch_execute(back).await;
                    back.map_err(|error| Undone::of(&error))?;
                    if to - from == 1 {
                        fates.refused.push((rows.place(from), vec![complaint(&error)]));
                        continue;
                    }
                    let middle = from + (to - from) / 2;
                    ranges.push((middle, to));
                    ranges.push((from, middle));
                }
                Err(error) => return Err(Undone::of(&error)),
            }
        }
        Ok(())
    }

    /// Puts a range of rows into the table; tells how many were left out without an error: their
    /// key was there, or a trigger would not have them.
    async fn insert(&self, open: &Open, rows: &Rows, range: (usize, usize)) -> Result<u64, Error> {
        if self.is_staged() {
            open.client.batch_execute(&self.sql.clear).await?;
        }
        let mut copy = pin!(open.client.copy_in::<_, Bytes>(&open.copy).await?);
        // An error shows at the end: the server says there what it was.
        let sent = copy.send(rows.lines(range)).await;
        let copied = copy.finish().await;
        let copied = match (sent, copied) {
            (_, Err(error)) | (Err(error), Ok(_)) => return Err(error),
            (Ok(()), Ok(copied)) => copied,
        };
        let mut all = (range.1 - range.0) as u64;
        let put = if self.is_staged() {
            open.client.execute(&self.sql.merge, &[]).await?
        } else {
            copied
        };
        if put < all && self.on_conflict == OnConflict::Update {
            // Of several with one key only the last was put there, as if each had been in turn.
            let keys: i64 = open.client.query_one(&self.sql.keys, &[]).await?.try_get(0)?;
            all = u64::try_from(keys).unwrap_or_default();
        }
        Ok(all.saturating_sub(put))
    }

    /// Notes how many records are settled, if this run still has the table, and commits.
    pub(super) async fn commit(
        &mut self,
        open: &mut Open,
        records: usize,
        fates: &Fates,
    ) -> Result<(), Undone> {
        let Position { epoch, records: before, dropped } = self.position;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let (after, dropped) = (before + records as u64, dropped + fates.dropped);
        let changed = open
            .client
            .execute(
                &open.settle,
                &[
                    &number(after),
                    &number(dropped),
                    &self.pipeline,
                    &self.sink.as_str(),
                    &self.holder,
                    &epoch,
                    &number(before),
                ],
            )
            .await;
        if changed.map_err(|error| Undone::of(&error))? != 1 {
            return Err(Undone::Fenced);
        }
        if self.noted {
            for (index, errors) in &fates.refused {
                let errors = serde_json::to_string(errors).unwrap_or_default();
                let record = number(before + *index as u64);
                let noted = open
                    .client
                    .execute(
                        &self.sql.note,
                        &[&self.pipeline, &self.sink.as_str(), &record, &errors],
                    )
                    .await;
                noted.map_err(|error| Undone::of(&error))?;
            }
        }
        match open.client.batch_execute("COMMIT").await {
            Ok(()) => {
                self.position.records = after;
                self.position.dropped = dropped;
                Ok(())
            }
            Err(error) if refuses_rows(&error) => Err(Undone::Refused(error)),
            // Of these it is known that nothing was done.
            Err(error) if code(&error).is_some_and(|code| code.starts_with("40")) => {
                Err(Undone::Lost(explain(&error)))
            }
            Err(error) if may_pass(&error) => Err(Undone::Unknown(explain(&error))),
            Err(error) => Err(Undone::Failed(explain(&error))),
        }
    }
}
