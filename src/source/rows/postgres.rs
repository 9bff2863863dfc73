//! Pages of a server of Postgres.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use tokio::net::unix::pipe::Receiver;
use tokio_postgres::types::{Kind, ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

use crate::database::postgres::{NoConnection, connect, explain, may_pass};
use crate::database::{Own, aside};
use crate::plan::database::{Postgres, Rows, quote};
use crate::source::Trouble;
use crate::source::rows::{
    Key, Page, Pages, cannot, json, keyless, no_key, queries, relation, same_key, wanted,
};
use crate::words::outcome::Failure;

/// How values of a type are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// As text.
    Text,
    /// As a number, where it is one.
    Number,
    /// As `true` or `false`.
    Truth,
    /// As the JSON that it is.
    Json,
    /// As RFC 3339 has it.
    Time,
    /// As base64.
    Bytes,
}

struct Reading {
    own: Own,
    server: Postgres,
    plan: Rows,
    open: Option<Open>,
    behind: Option<Vec<String>>,
    /// The key of the row that the next page should begin with.
    ahead: Option<Vec<String>>,
    over: bool,
    wake: OwnedFd,
}

/// A connection with its queries.
struct Open {
    client: Client,
    first: Statement,
    next: Statement,
    same: Statement,
    columns: Vec<(Vec<u8>, Told)>,
}

/// Connects to read.
pub(super) fn open(
    server: &Postgres,
    plan: &Rows,
    shown: &str,
    wake: OwnedFd,
) -> Result<Box<dyn Pages>, Failure> {
    let own = Own::new().map_err(|error| cannot(shown, &error.to_string()))?;
    let opened = aside(|| {
        own.wait(async {
            let open = begin(server, plan).await.map_err(|error| {
                let failure = cannot(shown, &error.explain());
                match error.remedy() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            })?;
            let found = open.client.query_opt(&keyless(plan), &[]).await;
            match found.map_err(|error| cannot(shown, &explain(&error)))? {
                Some(_) => Err(no_key(plan, shown)),
                None => Ok(open),
            }
        })
    });
    let ended = || Err(cannot(shown, "the connection ended"));
    let open = Some(opened.flatten().unwrap_or_else(ended)?);
    let (server, plan) = (server.clone(), plan.clone());
    Ok(Box::new(Reading { own, server, plan, open, behind: None, ahead: None, over: false, wake }))
}

/// Connects, and prepares the queries.
async fn begin(server: &Postgres, plan: &Rows) -> Result<Open, NoConnection> {
    let client = connect(server).await?;
    prepare(client, plan).await.map_err(NoConnection::Server)
}

async fn prepare(client: Client, plan: &Rows) -> Result<Open, tokio_postgres::Error> {
    client.batch_execute("SET default_transaction_read_only = on").await?;
    if plan.snapshot {
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    }
    let from = relation(&plan.relation);
    let shape = format!("SELECT {} FROM {from} AS q", wanted(plan).join(", "));
    let shape = client.prepare(&shape).await?;
    let keys: Vec<String> = plan.key.iter().map(|name| format!("q.{}", quote(name))).collect();
    let key = client.prepare(&format!("SELECT {} FROM {from} AS q", keys.join(", "))).await?;
    let mut columns = Vec::new();
    let mut selected = Vec::new();
    for (index, column) in shape.columns().iter().enumerate() {
        let (told, text) = told(column.type_());
        selected.push(text.replace("{}", &format!("q.{}", quote(column.name()))));
        columns.push((json::name(index, column.name()), told));
    }
    let bounds = key.columns().iter().enumerate().map(|(index, column)| {
        let kind = column.type_();
        format!("CAST(${}::text AS {}.{})", index + 1, quote(kind.schema()), quote(kind.name()))
    });
    let bounds: Vec<String> = bounds.collect();
    let keys: Vec<String> = keys.iter().map(|key| format!("{key}::text")).collect();
    let queries = queries(plan, &selected, &keys, &bounds);
    let first = client.prepare(&queries.first).await?;
    let next = client.prepare(&queries.next).await?;
    let same = client.prepare(&queries.same).await?;
    Ok(Open { client, first, next, same, columns })
}

/// Says how values of a type are told, and what is selected for that.
fn told(kind: &Type) -> (Told, &'static str) {
    match *kind {
        Type::BOOL => (Told::Truth, "{}::text"),
        Type::INT2
        | Type::INT4
        | Type::INT8
        | Type::OID
        | Type::FLOAT4
        | Type::FLOAT8
        | Type::NUMERIC => (Told::Number, "{}::text"),
        Type::JSON | Type::JSONB => (Told::Json, "{}::text"),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => (Told::Time, "{}::text"),
        Type::BYTEA => (Told::Bytes, "encode({}, 'base64')"),
        _ => match kind.kind() {
            Kind::Array(_) | Kind::Composite(_) => (Told::Json, "to_json({})::text"),
            _ => (Told::Text, "{}::text"),
        },
    }
}

impl Pages for Reading {
    fn seek(&mut self, key: Key) {
        let part = |part: serde_json::Value| part.as_str().unwrap_or_default().to_owned();
        self.behind = Some(key.into_iter().map(part).collect());
    }

    fn next(&mut self, lines: &mut Vec<u8>) -> Result<Page, Trouble> {
        if self.over {
            return Ok(Page::End);
        }
        let Some(rows) = self.asked(Asked::Page)? else { return Ok(Page::Stopped) };
        let first =
            rows.first().map(|row| self.key(row)).transpose().map_err(|error| failed(&error))?;
        if let Some(key) = self.behind.clone().filter(|_| first != self.ahead) {
            let Some(same) = self.asked(Asked::Same)? else { return Ok(Page::Stopped) };
            let count = same.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0));
            if count.map_err(|error| failed(&error))? > 1 {
                return Err(same_key(&self.plan, &key.into_iter().map(Into::into).collect()));
            }
        }
        self.ahead = rows
            .get(self.plan.page)
            .map(|row| self.key(row))
            .transpose()
            .map_err(|error| failed(&error))?;
        let mut last: Option<Vec<String>> = None;
        for (count, row) in rows.iter().enumerate() {
            let key = self.key(row).map_err(|error| failed(&error))?;
            if last.as_ref() == Some(&key) {
                return Err(same_key(&self.plan, &key.into_iter().map(Into::into).collect()));
            }
            if count == self.plan.page {
                break;
            }
            let columns = self.open.as_ref().map(|open| open.columns.as_slice());
            line(row, columns.unwrap_or_default(), lines).map_err(|error| failed(&error))?;
            last = Some(key);
        }
        self.over = rows.len() <= self.plan.page;
        let Some(key) = last else { return Ok(Page::End) };
        let told = key.iter().cloned().map(Into::into).collect();
        self.behind = Some(key);
        Ok(Page::Rows(told))
    }
}

impl Reading {
    /// Returns the key of a row, which stands behind its columns.
    fn key(&self, row: &Row) -> Result<Vec<String>, tokio_postgres::Error> {
        let parts = row.len().saturating_sub(self.plan.key.len())..row.len();
        parts.map(|index| row.try_get(index)).collect()
    }

    /// Asks for rows; none if the run is being stopped.
    fn asked(&mut self, what: Asked) -> Result<Option<Vec<Row>>, Trouble> {
        let Self { own, server, plan, open, behind, wake, .. } = self;
        let asked = own.wait(async {
            let wake = wake.try_clone().and_then(Receiver::from_owned_fd).map_err(Trouble::Io)?;
            let asked = tokio::select! {
                asked = ask(server, plan, open, (what, behind.as_deref())) => asked.map(Some),
                _ = wake.readable() => Ok(None),
            };
            asked.map_err(|why| Trouble::Io(std::io::Error::other(why)))
        });
        asked.unwrap_or(Ok(None))
    }
}

fn failed(error: &tokio_postgres::Error) -> Trouble {
    Trouble::Io(std::io::Error::other(explain(error)))
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// The rows behind a key, or the first ones.
    Page,
    /// How many have that key.
    Same,
}

/// Asks for a page. What is lost on the way is asked for again: it is the rows behind a key, and
/// none of them was handed on.
async fn ask(
    server: &Postgres,
    plan: &Rows,
    open: &mut Option<Open>,
    (what, behind): (Asked, Option<&[String]>),
) -> Result<Vec<Row>, String> {
    let mut began = None;
    let mut wait = Duration::from_millis(100);
    loop {
        let why = match open {
            Some(Open { client, first, next, same, .. }) => {
                let bounds = behind.unwrap_or_default();
                let bounds: Vec<&(dyn ToSql + Sync)> =
                    bounds.iter().map(|part| part as &(dyn ToSql + Sync)).collect();
                let query = match (what, behind) {
                    (Asked::Page, Some(_)) => &*next,
                    (Asked::Page, None) => &*first,
                    (Asked::Same, _) => &*same,
                };
                match client.query(query, &bounds).await {
                    Ok(rows) => return Ok(rows),
                    Err(error) if !may_pass(&error) => return Err(explain(&error)),
                    Err(error) => explain(&error),
                }
            }
            None => match begin(server, plan).await {
                Ok(fresh) => {
                    *open = Some(fresh);
                    continue;
                }
                Err(error) if !error.may_pass() => return Err(error.explain()),
                Err(error) => error.explain(),
            },
        };
        *open = None;
        if plan.snapshot {
            return Err(format!("{why}; the snapshot is lost with the connection"));
        }
        if began.get_or_insert_with(Instant::now).elapsed() + wait > server.reconnect {
            let limit = crate::words::units::written(server.reconnect);
            return Err(format!("{why}; tried again for {limit} (`reconnect`)"));
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(2));
    }
}

fn line(
    row: &Row,
    columns: &[(Vec<u8>, Told)],
    lines: &mut Vec<u8>,
) -> Result<(), tokio_postgres::Error> {
    for (index, (name, told)) in columns.iter().enumerate() {
        lines.extend_from_slice(name);
        match row.try_get::<_, Option<&str>>(index)? {
            None => lines.extend_from_slice(b"null"),
            Some(text) => value(text, *told, lines),
        }
    }
    lines.extend_from_slice(b"}\n");
    Ok(())
}

fn value(text: &str, told: Told, lines: &mut Vec<u8>) {
    match told {
        Told::Truth => {
            let truth: &[u8] = if text.starts_with('t') { b"true" } else { b"false" };
            lines.extend_from_slice(truth);
        }
        // `NaN` and the infinite ones are none that JSON has.
        Told::Number if text.ends_with(|c: char| c.is_ascii_digit()) => {
            lines.extend_from_slice(text.as_bytes());
        }
        Told::Json => json::inline(text, lines),
        Told::Time => json::string(time(text).as_bytes(), lines),
        Told::Bytes => {
            let text: Vec<u8> = text.bytes().filter(|byte| *byte != b'\n').collect();
            json::string(&text, lines);
        }
        Told::Text | Told::Number => json::string(text.as_bytes(), lines),
    }
}

/// Writes a point in time as RFC 3339 has it; what it cannot hold (`infinity`, years before Christ)
/// stays as it is.
fn time(text: &str) -> String {
    let Some((date, rest)) = text.split_once(' ') else { return text.to_owned() };
    if rest.contains(' ') {
        return text.to_owned();
    }
    match rest.strip_suffix("+00") {
        Some(time) => format!("{date}T{time}Z"),
        None => format!("{date}T{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_told_as_rfc_3339_has_them() {
        for (text, told) in [
            ("2024-02-29 13:14:15.123456+00", "2024-02-29T13:14:15.123456Z"),
            ("2024-02-29 13:14:15", "2024-02-29T13:14:15"),
            ("infinity", "infinity"),
            ("0044-03-15 12:00:00+00 BC", "0044-03-15 12:00:00+00 BC"),
        ] {
            assert_eq!(time(text), told);
        }
    }
}
