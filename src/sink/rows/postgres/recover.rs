//! What becomes of a lost connection: another one, and from the position it is read what took place.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, Error};

use crate::database::postgres::connect;
use crate::sink::rows::postgres::{Link, Open, Undone};
use crate::words::event::{Database, Event, Events};

impl Link {
    /// Finds out whether a commit took place of which no answer came.
    pub(super) async fn resolve(
        &mut self,
        open: &mut Option<Open>,
        (before, after): (u64, u64),
        why: &str,
        events: &Events,
    ) -> Result<bool, Undone> {
        self.tell(events, "commit_unknown", &format!("no answer came to a commit: {why}"));
        let found = self.recover(open, why, events).await?;
        let done = found == after && before != after;
        let what = if done { "it had taken place" } else { "it had not taken place" };
        self.tell(events, "commit_resolved", &format!("{what}: {found} records are settled"));
        Ok(done)
    }

    /// Connects again so that a batch can be tried again, unless it has been for too long: a server
    /// may be there and lose the same batch each time. `lost` is when that first happened.
    pub(super) async fn again(
        &mut self,
        lost: &mut Option<Instant>,
        open: &mut Option<Open>,
        why: &str,
        events: &Events,
    ) -> Result<(), Undone> {
        let since = *lost.get_or_insert_with(Instant::now);
        // The first time is the connection's; what comes back later is the batch's.
        if since.elapsed() > self.server.reconnect {
            return Err(self.given_up(why));
        }
        self.recover(open, why, events).await.map(|_| ())
    }

    /// Connects again, and takes the position back; tells how many records are settled there.
    pub(super) async fn recover(
        &mut self,
        open: &mut Option<Open>,
        why: &str,
        events: &Events,
    ) -> Result<u64, Undone> {
        *open = None;
        self.tell(events, "connection_lost", why);
        let began = Instant::now();
        let mut wait = Duration::from_millis(100);
        loop {
            let why = match self.reconnect().await {
                Ok(fresh) => {
                    *open = Some(fresh);
                    self.tell(events, "connected", "the connection is there again");
                    return Ok(self.position.records);
                }
                Err(Undone::Lost(why) | Undone::Unknown(why)) => why,
                Err(undone) => return Err(undone),
            };
            if began.elapsed() + wait > self.server.reconnect {
                return Err(self.given_up(&why));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
        }
    }

    /// Says that what was lost has been tried again for as long as it may be.
    pub(super) fn given_up(&self, why: &str) -> Undone {
        let limit = crate::words::units::written(self.server.reconnect);
        Undone::Failed(format!("{why}; tried again for {limit} (`reconnect`)"))
    }

    async fn reconnect(&mut self) -> Result<Open, Undone> {
        let client = connect(&self.server).await.map_err(|error| {
            if error.may_pass() {
                Undone::Lost(error.explain())
            } else {
                Undone::Failed(error.explain())
            }
        })?;
        self.take_back(&client).await?;
        self.prepare(client).await.map_err(|error| Undone::of(&error))
    }

    /// Prepares what each transaction needs.
    pub(super) async fn prepare(&self, client: Client) -> Result<Open, Error> {
        client.batch_execute("SET synchronous_commit = on").await?;
        let limit = self.server.reconnect.as_millis().max(1000);
        client.batch_execute(&format!("SET lock_timeout = {limit}")).await?;
        if self.is_staged() {
            client.batch_execute(&self.sql.stage).await?;
        }
        let copy = client.prepare(&self.sql.copy).await?;
        let settle = client.prepare(&self.sql.settle).await?;
        Ok(Open { client, copy, settle })
    }

    fn tell(&self, events: &Events, what: &'static str, message: &str) {
        let message = crate::words::text::escape(message.as_bytes());
        events.emit(Event::Database(Database { table: self.sink.clone(), what, message }));
    }
}
