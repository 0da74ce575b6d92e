"""The journal's schema, and how an older journal becomes one of today.

The version is SQLite's own `user_version`: how many of the migrations below the file has had. A
migration that was released is never changed; what is new is appended.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from ml_api_class.errors import ClassError, JournalTooNew

APPLICATION = 0x4C41_4243
"""SQLite's mark for files of a certain application: this one's."""

MIGRATIONS = (
    """
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE files (digest TEXT PRIMARY KEY, packed BLOB NOT NULL);

    CREATE TABLE submission (
        id TEXT PRIMARY KEY,
        position INTEGER NOT NULL,
        person TEXT NOT NULL,        -- who: JSON
        source TEXT NOT NULL,        -- where it was read
        fingerprint TEXT NOT NULL,   -- of the source: if it is the same, nothing is read again
        problem TEXT NOT NULL,       -- why there is nothing to grade, '' if there is
        notes TEXT NOT NULL          -- what was left out: JSON
    );

    CREATE TABLE submission_task (
        submission TEXT NOT NULL REFERENCES submission ON DELETE CASCADE,
        task TEXT NOT NULL,
        files TEXT NOT NULL REFERENCES files,
        PRIMARY KEY (submission, task)
    ) WITHOUT ROWID;

    CREATE TABLE origin (
        id INTEGER PRIMARY KEY,
        content TEXT NOT NULL UNIQUE -- what makes a verdict beside the files: JSON
    );

    CREATE TABLE verdict (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        task TEXT NOT NULL,
        files TEXT NOT NULL,
        origin INTEGER NOT NULL REFERENCES origin,
        is_shared INTEGER NOT NULL,  -- whether others with the same key may have it too
        score INTEGER NOT NULL,
        maximum INTEGER NOT NULL,
        content TEXT NOT NULL        -- the checks: JSON
    );
    CREATE UNIQUE INDEX verdict_by_key ON verdict (key) WHERE is_shared;

    CREATE TABLE grade (
        submission TEXT PRIMARY KEY REFERENCES submission ON DELETE CASCADE,
        key TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('graded', 'not graded')),
        reason TEXT NOT NULL,
        can_retry INTEGER NOT NULL,  -- whether the next run tries again by itself
        graded_at TEXT NOT NULL
    );

    CREATE TABLE grade_task (
        submission TEXT NOT NULL REFERENCES grade ON DELETE CASCADE,
        task TEXT NOT NULL,
        verdict INTEGER NOT NULL REFERENCES verdict,
        PRIMARY KEY (submission, task)
    ) WITHOUT ROWID;
    CREATE INDEX grade_task_by_verdict ON grade_task (verdict);

    CREATE TABLE attempt (
        id INTEGER PRIMARY KEY,
        submission TEXT NOT NULL,
        tasks TEXT NOT NULL,         -- JSON
        began TEXT NOT NULL,
        ended TEXT,
        outcome TEXT                 -- NULL while it runs
    );
    """,
)


def migrate(database: sqlite3.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring a journal, or an empty file, to the schema of today.

    Raises:
        ClassError: the file is another application's.
        JournalTooNew: a later version of the lab wrote it.
    """
    # In one statement: another process may write both in between.
    both = "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version"
    mark, version = database.execute(both).fetchone()
    if mark != APPLICATION and (mark or version):
        raise ClassError("The file is no journal of lab class; name another folder with --out.")
    if version > len(migrations):
        raise JournalTooNew(
            f"The journal has version {version}, and this lab reads versions up to "
            f"{len(migrations)}; update the lab, or name another folder with --out."
        )
    while version < len(migrations):
        try:
            # One transaction each: a process that is killed here leaves the version before.
            database.executescript(
                f"BEGIN IMMEDIATE; {migrations[version]} PRAGMA application_id = {APPLICATION}; "
                f"PRAGMA user_version = {version + 1}; COMMIT;"
            )
            version += 1
        except sqlite3.OperationalError:
            if database.in_transaction:
                database.rollback()
            before, (version,) = version, database.execute("PRAGMA user_version").fetchone()
            if version == before:
                raise
            # Another process has brought it there since the version was read.


def now() -> str:
    """Return this moment as the journal writes times: ISO 8601, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
