//! Files of `SQLite`.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Error, OpenFlags, ffi};

use crate::plan::database::Sqlite;

/// How many pages of a log are gone through before they go into the database: about 16 MiB.
const LOG: u32 = 4000;

/// Opens a database that must be there, to read it only.
pub fn open_to_read(plan: &Sqlite) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(&plan.path, flags, plan.busy)?;
    // Only now it is looked at: a file that is no database shows here.
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Ok(connection)
}

/// Opens a database to write to it; it is made if it is not there.
pub fn open_to_write(plan: &Sqlite, full: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(&plan.path, flags, plan.busy)?;
    // Readers and the writer do not wait for each other. Some file systems cannot do it: then it
    // stays as it was, which is slower and no less safe.
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", if full { "full" } else { "normal" })?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags, busy: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy)?;
    Ok(connection)
}

/// Returns the name of an error's code, as the documentation of `SQLite` has it.
pub fn code(error: &Error) -> &'static str {
    let code = error.sqlite_extended_error_code().unwrap_or(ffi::SQLITE_ERROR);
    match code {
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_COMMITHOOK => "SQLITE_CONSTRAINT_COMMITHOOK",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_FUNCTION => "SQLITE_CONSTRAINT_FUNCTION",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CONSTRAINT_VTAB => "SQLITE_CONSTRAINT_VTAB",
        code => match code & 0xff {
            ffi::SQLITE_BUSY => "SQLITE_BUSY",
            ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
            ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
            ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
            ffi::SQLITE_FULL => "SQLITE_FULL",
            ffi::SQLITE_IOERR => "SQLITE_IOERR",
            ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
            ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
            ffi::SQLITE_NOTADB => "SQLITE_NOTADB",
            ffi::SQLITE_PERM => "SQLITE_PERM",
            ffi::SQLITE_READONLY => "SQLITE_READONLY",
            ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
            _ => "SQLITE_ERROR",
        },
    }
}

/// Tells whether an error is about the row that was to be written, and no other.
pub fn refuses_row(error: &Error) -> bool {
    let code = error.sqlite_extended_error_code().unwrap_or(ffi::SQLITE_ERROR) & 0xff;
    matches!(code, ffi::SQLITE_CONSTRAINT | ffi::SQLITE_MISMATCH | ffi::SQLITE_TOOBIG)
}

/// Says what an error is, with its code.
pub fn explain(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => format!("{message} ({})", code(error)),
        Error::SqliteFailure(..) => format!("{error} ({})", code(error)),
        error => error.to_string(),
    }
}

/// Says what to do about an error, where something can be said.
pub fn remedy(error: &Error) -> Option<&'static str> {
    match error.sqlite_error_code()? {
        rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked => {
            Some("another process holds it: wait for its end, or give `busy_timeout` more time")
        }
        rusqlite::ErrorCode::NotADatabase => Some("is it the right file?"),
        rusqlite::ErrorCode::DiskFull => Some("make room on its disk, then go on with `--resume`"),
        rusqlite::ErrorCode::CannotOpen => Some("is it there, and may this user open it?"),
        rusqlite::ErrorCode::ReadOnly => Some("may this user write the file, and into its folder?"),
        _ => None,
    }
}
