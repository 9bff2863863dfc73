//! Compiles what sources read in databases and sinks write there.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::database::Target as WrittenTarget;
use crate::config::database::{Column as WrittenColumn, Rows as WrittenRows, Server as Written};
use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::Located;
use crate::config::schema::{Body, Config, Setting, Table};
use crate::plan::compile::builtin::input;
use crate::plan::compile::tables::{required, target as output};
use crate::plan::compile::{Scope, key};
use crate::plan::database::{Column, Postgres, Relation, Rows, Server, Sqlite, Target};
use crate::plan::{Output, Plan, Protocol, Reply, Stage};
use crate::words::id::Name;
use crate::words::policy::{Durability, OnConflict, SslMode, Transaction};
use crate::words::text::escape;

/// How long to wait for a `SQLite` file that another process holds.
const BUSY: Duration = Duration::from_secs(10);

/// How long to try to reach a server again.
const RECONNECT: Duration = Duration::from_secs(30);

/// How long a row waits for others.
const LINGER: Duration = Duration::from_millis(200);

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

/// Compiles what a source reads.
pub(super) fn rows(
    scope: &Scope<'_>,
    table: &Table,
    (kind, written): (Kind, &WrittenRows),
    out: &mut Diagnostics,
) -> Result<Rows, Reported> {
    let server = server(scope, table, (kind, &written.server), false, out);
    let relation = match (&written.table, &written.query) {
        (Setting::Given(table), Setting::Given(query)) => {
            let mistake = Diagnostic::new("a source reads a `table` or a `query`, not both");
            Err(out.push(mistake.at(table.origin, "").at(query.origin, "")))
        }
        (_, Setting::Given(query)) => {
            Ok(Relation::Query(query.value.trim().trim_end_matches(';').to_owned()))
        }
        (name, _) => {
            let takes = "the table that is read; `query` takes a query instead";
            let name = required(table, ("table", name), takes, out);
            name.and_then(|name| dotted("table", name, kind, out)).map(Relation::Table)
        }
    };
    let takes = "the column, or columns, that tell rows apart: the primary key, say";
    let key = required(table, ("key", &written.key), takes, out);
    let plain =
        |names: &Vec<Located<String>>| names.iter().map(|name| name.value.clone()).collect();
    let columns: Option<Vec<String>> = written.columns.value().map(plain);
    Ok(Rows {
        server: server?,
        relation: relation?,
        key: plain(&key?.value),
        columns,
        filter: written.filter.value().cloned(),
        page: written.page.or(100),
        snapshot: written.snapshot.or(false),
    })
}

/// Compiles where a sink writes.
pub(super) fn target(
    scope: &Scope<'_>,
    table: &Table,
    (kind, written): (Kind, &WrittenTarget),
    out: &mut Diagnostics,
) -> Result<Target, Reported> {
    let wrong = match kind {
        Kind::Postgres => only_for("synchronous", &written.synchronous, "sqlite", out),
        Kind::Sqlite => Ok(()),
    };
    let server = server(scope, table, (kind, &written.server), true, out);
    let name = required(table, ("table", &written.table), "the table that is written", out);
    let name = name.and_then(|name| dotted("table", name, kind, out));
    let columns = columns(table, written, out);
    if written.key.is_left_out()
        && let Some(conflict) = written.on_conflict.given()
        && conflict.value != OnConflict::Error
    {
        let mistake = Diagnostic::new("`on_conflict` needs to know which rows are the same");
        let hint = "`key` takes the column, or columns, that no two rows may share";
        return Err(out.push(mistake.at(conflict.origin, "").hint(hint)));
    }
    wrong?;
    let key = written.key.value().map(Vec::as_slice).unwrap_or_default();
    Ok(Target {
        server: server?,
        table: name?,
        key: key.iter().map(|name| name.value.clone()).collect(),
        columns: columns?,
        on_conflict: written.on_conflict.or(OnConflict::Error),
        batch: written.batch.or(1000),
        linger: written.linger.or(LINGER),
        transaction: written.transaction.or(Transaction::Batch),
        synchronous: written.synchronous.or(Durability::Full),
    })
}

/// Lists the columns that a sink fills.
fn columns(
    table: &Table,
    written: &WrittenTarget,
    out: &mut Diagnostics,
) -> Result<Vec<Column>, Reported> {
    for reported in
        [unreadable(&written.key), unreadable(&written.columns), unreadable(&written.record)]
    {
        reported.map_or(Ok(()), Err)?;
    }
    let key = written.key.value().map(Vec::as_slice).unwrap_or_default();
    let mut columns: Vec<Column> = match written.columns.value() {
        Some(columns) => columns.iter().map(column).collect(),
        None => key
            .iter()
            .map(|name| Column { name: name.value.clone(), kind: None, from: field(&name.value) })
            .collect(),
    };
    let missing = |name: &&Located<String>| columns.iter().all(|column| column.name != name.value);
    if let Some(name) = key.iter().find(missing) {
        let mistake = Diagnostic::new(format!("`key` names no column: `{name}`"));
        return Err(
            out.push(mistake.at(name.origin, "").hint("give it in `columns`, with its type"))
        );
    }
    let whole = match &written.record {
        Setting::Given(name) => Some(name.value.clone()),
        _ if written.columns.is_left_out() => Some("record".to_owned()),
        _ => None,
    };
    if let Some(name) = whole {
        if columns.iter().any(|column| column.name == name) {
            let mistake = Diagnostic::new(format!("two columns are called `{name}`"));
            let origin = written.record.given().map_or(table.name.origin, |name| name.origin);
            let hint = "`record` takes the name of a column of its own, for the whole record";
            return Err(out.push(mistake.at(origin, "").hint(hint)));
        }
        let kind = Some(crate::words::policy::ColumnType::Json);
        columns.push(Column { name, kind, from: String::new() });
    }
    if columns.is_empty() {
        let name = &table.name;
        let mistake = Diagnostic::new(format!("sink `{}` fills no column", name.value));
        return Err(out.push(mistake.at(name.origin, "").hint("`columns` says which, with types")));
    }
    Ok(columns)
}

fn column(written: &WrittenColumn) -> Column {
    let name = written.name.value.clone();
    let from = written.from.clone().unwrap_or_else(|| field(&name));
    Column { name, kind: Some(written.kind), from }
}

/// The JSON Pointer of a field.
fn field(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn unreadable<T>(setting: &Setting<T>) -> Option<Reported> {
    match setting {
        Setting::Unreadable(reported) => Some(*reported),
        Setting::LeftOut | Setting::Given(_) => None,
    }
}

/// Takes the name of a table apart.
fn dotted(
    key: &str,
    name: &Located<String>,
    kind: Kind,
    out: &mut Diagnostics,
) -> Result<Vec<String>, Reported> {
    let parts: Vec<String> = match kind {
        Kind::Sqlite => vec![name.value.clone()],
        Kind::Postgres => name.value.split('.').map(str::to_owned).collect(),
    };
    if parts.iter().any(|part| part.is_empty() || part.contains('\0')) || parts.len() > 2 {
        let mistake = Diagnostic::new(format!("`{key}` takes the name of a table"));
        let hint = "`TABLE`, or in Postgres `SCHEMA.TABLE`";
        return Err(out.push(mistake.at(name.origin, "no such name").hint(hint)));
    }
    Ok(parts)
}

fn server(
    scope: &Scope<'_>,
    table: &Table,
    (kind, written): (Kind, &Written),
    writes: bool,
    out: &mut Diagnostics,
) -> Result<Server, Reported> {
    match kind {
        Kind::Sqlite => {
            let mut wrong = only_for("url", &written.url, "postgres", out);
            wrong = wrong.and(only_for("host", &written.host, "postgres", out));
            wrong = wrong.and(only_for("port", &written.port, "postgres", out));
            wrong = wrong.and(only_for("user", &written.user, "postgres", out));
            wrong = wrong.and(only_for("dbname", &written.dbname, "postgres", out));
            wrong = wrong.and(only_for("password_file", &written.password_file, "postgres", out));
            wrong = wrong.and(only_for("sslmode", &written.sslmode, "postgres", out));
            wrong = wrong.and(only_for("tls_ca", &written.tls_ca, "postgres", out));
            wrong = wrong.and(only_for("reconnect", &written.reconnect, "postgres", out));
            let path = required(table, ("path", &written.path), "the database's file", out)?;
            let path = if writes {
                output(scope, "path", path, out)?
            } else {
                input(scope, "path", path, out)?
            };
            wrong?;
            Ok(Server::Sqlite(Sqlite { path, busy: written.busy_timeout.or(BUSY) }))
        }
        Kind::Postgres => {
            let wrong = only_for("path", &written.path, "sqlite", out);
            let wrong = wrong.and(only_for("busy_timeout", &written.busy_timeout, "sqlite", out));
            let server = postgres(scope, table, written, out);
            wrong.and(server)
        }
    }
}

fn postgres(
    scope: &Scope<'_>,
    table: &Table,
    written: &Written,
    out: &mut Diagnostics,
) -> Result<Server, Reported> {
    let parts = [
        written.host.given().map(|host| host.origin),
        written.port.given().map(|port| port.origin),
        written.user.given().map(|user| user.origin),
        written.dbname.given().map(|name| name.origin),
    ];
    let (mut config, mut ssl, mut ca) = (tokio_postgres::Config::new(), None, None);
    if let Setting::Given(url) = &written.url {
        if let Some(part) = parts.into_iter().flatten().next() {
            let mistake = Diagnostic::new("a server is given by `url`, or by its parts");
            let mistake = mistake.at(url.origin, "").at(part, "");
            return Err(out.push(mistake.hint("leave one of the two out")));
        }
        let (plain, mode, file) = own_options(&url.value);
        (ssl, ca) =
            (mode, file.map(|file| crate::plan::compile::paths::under(&scope.world.caller, &file)));
        config = plain.parse().map_err(|_| {
            let mistake = Diagnostic::new("`url` takes the address of a Postgres server");
            let hint = "`postgres://USER:PASSWORD@HOST:PORT/DBNAME`; what is no letter or digit in a \
                        password is written as `%` and two hexadecimal digits";
            out.push(mistake.at(url.origin, "it cannot be read").hint(hint))
        })?;
    } else {
        let takes = "the database's name; `url` takes all parts at once";
        let name = required(table, ("dbname", &written.dbname), takes, out)?;
        config.dbname(&name.value);
        config.host(written.host.value().map_or("localhost", String::as_str));
        config.port(written.port.or(5432));
        if let Some(user) = written.user.value() {
            config.user(user);
        }
    }
    if config.get_user().is_none() {
        let user = scope.world.env.iter().find(|(name, _)| name == "USER" || name == "LOGNAME");
        config.user(user.and_then(|(_, user)| user.to_str()).unwrap_or("postgres"));
    }
    if let Setting::Given(file) = &written.password_file {
        let path = input(scope, "password_file", file, out)?;
        let password = key::read(&path).map_err(|why| {
            let mistake = Diagnostic::new("the file that `password_file` names holds no password");
            let hint = "it takes the path of a file, relative to `root`, that holds nothing else";
            out.push(mistake.at(file.origin, why).hint(hint))
        })?;
        config.password(password.bytes);
    }
    if let Setting::Given(file) = &written.tls_ca {
        ca = Some(input(scope, "tls_ca", file, out)?);
    }
    let usual = if ca.is_some() { SslMode::VerifyFull } else { SslMode::Prefer };
    let ssl = written.sslmode.value().copied().or(ssl).unwrap_or(usual);
    config.ssl_mode(match ssl {
        SslMode::Disable => tokio_postgres::config::SslMode::Disable,
        SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
        SslMode::Require | SslMode::VerifyFull => tokio_postgres::config::SslMode::Require,
    });
    let (shown, reconnect) = (shown(&config), written.reconnect.or(RECONNECT));
    Ok(Server::Postgres(Box::new(Postgres { config, shown, ssl, ca, reconnect })))
}

/// Takes out of an address what is ours to understand: how it is encrypted, as `psql` knows it.
fn own_options(url: &str) -> (String, Option<SslMode>, Option<PathBuf>) {
    let Some((before, options)) = url.split_once('?') else { return (url.to_owned(), None, None) };
    let (mut mode, mut ca, mut others) = (None, None, Vec::new());
    for option in options.split('&') {
        match option.split_once('=') {
            Some(("sslmode", "disable")) => mode = Some(SslMode::Disable),
            Some(("sslmode", "allow" | "prefer")) => mode = Some(SslMode::Prefer),
            Some(("sslmode", "require")) => mode = Some(SslMode::Require),
            Some(("sslmode", "verify-ca" | "verify-full")) => mode = Some(SslMode::VerifyFull),
            Some(("sslrootcert", file)) => ca = Some(PathBuf::from(file)),
            _ => others.push(option),
        }
    }
    let ends = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    (format!("{before}{ends}"), mode, ca)
}

/// Names a server without its secrets.
fn shown(config: &tokio_postgres::Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        tokio_postgres::config::Host::Tcp(name) => name.clone(),
        tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let name = config.get_dbname().or(config.get_user()).unwrap_or_default();
    escape(format!("{hosts}:{port}/{name}").as_bytes())
}

fn only_for<T>(
    key: &str,
    setting: &Setting<T>,
    kind: &str,
    out: &mut Diagnostics,
) -> Result<(), Reported> {
    let Some(given) = setting.given() else { return Ok(()) };
    let mistake = Diagnostic::new(format!("`{key}` goes with `type = \"{kind}\"` only"));
    Err(out.push(mistake.at(given.origin, "")))
}

/// Lets a sink hold all rows in one transaction where nobody said what it holds, and what comes to
/// it is not known to be right before the end.
pub(super) fn hold_back(plan: &mut Plan, config: &Config) {
    let unsaid = |name: &Name| {
        config.tables.iter().any(|table| {
            let Body::Sink(sink) = &table.body else { return false };
            table.name.value == *name
                && sink.target.as_ref().is_some_and(|target| target.transaction.is_left_out())
        })
    };
    let names: Vec<Name> = plan.sinks.iter().map(|sink| sink.name.clone()).collect();
    let names: Vec<Name> =
        names.into_iter().filter(|name| unsaid(name) && is_provisional(plan, name)).collect();
    for sink in plan.sinks.iter_mut().filter(|sink| names.contains(&sink.name)) {
        if let Output::Table(target) = &mut sink.output {
            target.transaction = Transaction::Run;
        }
    }
}

/// Tells whether records come to a table through a stage that is judged at its end only.
fn is_provisional(plan: &Plan, table: &Name) -> bool {
    let mut behind = vec![table.clone()];
    let mut next = 0;
    while let Some(to) = behind.get(next).cloned() {
        next += 1;
        for edge in plan.edges.iter().filter(|edge| edge.to == to) {
            if !behind.contains(&edge.from) {
                behind.push(edge.from.clone());
            }
        }
    }
    let provisional = |stage: &Stage| match stage.program().map(|program| &program.protocol) {
        Some(Protocol::Stream(stream)) => stream.pieces.is_none(),
        Some(Protocol::Pool(pool)) => matches!(pool.reply, Reply::Lines { .. }),
        None => false,
    };
    plan.stages.iter().any(|stage| provisional(stage) && behind.contains(&stage.name))
}
