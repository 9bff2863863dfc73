//! Servers of Postgres.

use std::time::Duration;

use tokio_postgres::{Client, Error, NoTls};

use crate::database::tls;
use crate::plan::database::Postgres;
use crate::words::policy::SslMode;

/// How long a server may take to answer when it is called.
const ANSWER: Duration = Duration::from_secs(10);

/// Why there is no connection.
#[derive(Debug)]
pub enum NoConnection {
    /// The server, or the way to it.
    Server(Error),
    /// What is needed to encrypt it.
    Tls(String),
}

/// Connects; what the connection does goes on while the runtime that this is called in waits.
pub async fn connect(plan: &Postgres) -> Result<Client, NoConnection> {
    let mut config = plan.config.clone();
    config.application_name("esteira");
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(ANSWER);
    }
    // A server that went away without a word is found out in about a minute.
    config.keepalives_idle(Duration::from_secs(30)).keepalives_interval(Duration::from_secs(10));
    config.keepalives_retries(3);
    let client = if plan.ssl == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await.map_err(NoConnection::Server)?;
        tokio::spawn(connection);
        client
    } else {
        let tls = tls::connector(plan).map_err(NoConnection::Tls)?;
        let (client, connection) = config.connect(tls).await.map_err(NoConnection::Server)?;
        tokio::spawn(connection);
        client
    };
    // Points in time are written the same way wherever the server stands, floats to the last digit.
    let settings = "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'iso_8601'; \
                    SET bytea_output = 'hex'; SET extra_float_digits = 1; \
                    SET standard_conforming_strings = on";
    client.batch_execute(settings).await.map_err(NoConnection::Server)?;
    Ok(client)
}

/// Returns the code of an error that the server told, as the documentation of Postgres has it.
pub fn code(error: &Error) -> Option<&str> {
    error.code().map(tokio_postgres::error::SqlState::code)
}

/// Tells whether an error is about the rows that were to be written: bad data, or a constraint.
pub fn refuses_rows(error: &Error) -> bool {
    // 21: a row met twice; 22: bad data; 23: constraints; 44: a view's check; P0001: raised by a
    // trigger. 54000: a row, or what an index holds of it, is too long.
    code(error).is_some_and(|code| {
        ["21", "22", "23", "44"].iter().any(|class| code.starts_with(class))
            || matches!(code, "P0001" | "54000")
    })
}

/// Tells whether the same may work when it is tried again, with a new connection.
pub fn may_pass(error: &Error) -> bool {
    match code(error) {
        // 08: connection; 40: serialization failure, deadlock; 57P0x: shutdown, crash, starting up,
        // 53300: too many connections; 55P03: a lock was not to be had.
        Some(code) => {
            code.starts_with("08")
                || code.starts_with("40")
                || code.starts_with("57P")
                || matches!(code, "53300" | "55P03")
        }
        None => true,
    }
}

/// Says what an error is, with its code.
pub fn explain(error: &Error) -> String {
    if let Some(told) = error.as_db_error() {
        let detail = told.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        return format!("{}{detail} (SQLSTATE {})", told.message(), told.code().code());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

impl NoConnection {
    /// Says what it is.
    pub fn explain(&self) -> String {
        match self {
            Self::Server(error) => explain(error),
            Self::Tls(what) => what.clone(),
        }
    }

    /// Tells whether it may be different in a while.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Server(error) => may_pass(error),
            Self::Tls(_) => false,
        }
    }

    /// Says what to do about it, where something can be said.
    pub fn remedy(&self) -> Option<&'static str> {
        let Self::Server(error) = self else { return None };
        match code(error) {
            Some("28P01" | "28000") => {
                Some("is the password right? `url` or `password_file` says it")
            }
            Some("3D000") => Some("is the name of the database right? `createdb` makes one"),
            Some(_) => None,
            None => Some("does the server run, and is its address right?"),
        }
    }
}
