#!/usr/bin/env python3
"""Inserts users into a SQLite table, as a worker of a stage with `protocol = "records"`:

    run = ["python3", "validators/python/insert_users.py", "out/cluster.db"]

A record is accepted once its row is committed, never before, and rejected when it is no valid
user. As many records as are at hand, 500 at most, share a transaction: a commit costs a thousand
times what a row does, and no record waits for others to come.

A worker may die between its commit and its replies; esteira then sends the records to another.
So an insert may be done twice, and must come to the same: the very row that is there already is
fine, another one with its id is rejected. Any number of workers may run at once; SQLite lets one
at a time write. When it cannot be written to, the worker says so and ends: the database is broken
then, not the record.
"""

import json
import os
import sqlite3
import sys

from esteira_worker import Reject, serve_batches
from validate_user import error, errors_of

COLUMNS = ("id", "name", "email", "age", "active", "tags", "created_at")
TABLE = """
    CREATE TABLE IF NOT EXISTS validated_user (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        age INTEGER,
        active INTEGER,
        tags TEXT,
        created_at TEXT NOT NULL
    )"""
INSERT = (
    f"INSERT INTO validated_user ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    " ON CONFLICT (id) DO NOTHING"
)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM validated_user WHERE id = ?"
MAX_ID = 2**63 - 1


def connect(path):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    # How long to wait for others that write. No implicit transactions: BEGIN and COMMIT are ours.
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    # Readers do not wait for writers then. It lasts in the file, so one worker does it for all.
    database.execute("PRAGMA journal_mode = WAL")
    # A commit is on the disk when it returns. (WAL's own default may lose it in a power cut.)
    database.execute("PRAGMA synchronous = FULL")
    database.execute(TABLE)
    return database


def errors_for_table(user):
    """Returns what is wrong with a record, what only this table cannot hold included."""
    errors = errors_of(user)
    if not errors and user["id"] > MAX_ID:
        errors = [error("/id", "range", "is greater than the table can hold")]
    if not errors:
        for field in ("name", "tags"):
            try:
                json.dumps(user.get(field), ensure_ascii=False).encode()
            except UnicodeEncodeError:
                errors.append(error(f"/{field}", "format", "holds half a character"))
    return errors


def row_of(user):
    tags = user.get("tags")
    tags = None if tags is None else json.dumps(tags, ensure_ascii=False)
    return tuple(tags if column == "tags" else user.get(column) for column in COLUMNS)


def insert_one(database, user):
    """Inserts a user into the transaction at hand; returns what is wrong with it, if anything."""
    errors = errors_for_table(user)
    if not errors:
        row = row_of(user)
        inserted = database.execute(INSERT, row).rowcount
        if not inserted and database.execute(SELECT, row[:1]).fetchone() != row:
            errors = [error("/id", "conflict", "belongs to another user already")]
    return errors


def insert_into(database):
    def insert(users):
        # IMMEDIATE takes the lock to write now, where it waits its turn. Taken later, by a
        # transaction that only read so far, it might be refused without waiting.
        database.execute("BEGIN IMMEDIATE")
        errors = [insert_one(database, user) for user in users]
        database.execute("COMMIT")
        return [Reject(*wrong) if wrong else None for wrong in errors]

    return insert


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: insert_users.py DATABASE")
    path = sys.argv[1]
    try:
        database = connect(path)
        serve_batches(insert_into(database), limit=500)
        database.close()
    except sqlite3.Error as problem:
        # What was not committed is rolled back as the process ends; none of it was accepted.
        sys.exit(f"cannot write to {path}: {problem}")


if __name__ == "__main__":
    main()
