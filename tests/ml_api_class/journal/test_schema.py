"""The journal's schema: new files, older files, later files, and those of somebody else."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ml_api_class.errors import ClassError, JournalTooNew
from ml_api_class.journal.schema import APPLICATION, MIGRATIONS, migrate

LATER = (*MIGRATIONS, "ALTER TABLE submission ADD COLUMN color TEXT NOT NULL DEFAULT 'blue';")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
    yield database
    database.close()


def version(database: sqlite3.Connection) -> tuple[int, int]:
    (mark,) = database.execute("PRAGMA application_id").fetchone()
    (number,) = database.execute("PRAGMA user_version").fetchone()
    return mark, number


def test_an_empty_file_has_all_migrations(database: sqlite3.Connection) -> None:
    migrate(database)
    assert version(database) == (APPLICATION, len(MIGRATIONS))
    migrate(database)
    assert version(database) == (APPLICATION, len(MIGRATIONS))


def test_an_older_journal_keeps_what_is_in_it(database: sqlite3.Connection) -> None:
    migrate(database)
    database.execute("INSERT INTO submission VALUES ('ada', 0, '{}', '', '', '', '[]')")
    migrate(database, LATER)
    assert version(database)[1] == len(LATER)
    assert database.execute("SELECT id, color FROM submission").fetchall() == [("ada", "blue")]


def test_a_migration_that_fails_leaves_the_version_before(database: sqlite3.Connection) -> None:
    migrate(database)
    broken = (*MIGRATIONS, "CREATE TABLE extra (a); CREATE TABLE extra (a);")
    with pytest.raises(sqlite3.Error):
        migrate(database, broken)
    database.rollback()
    assert version(database)[1] == len(MIGRATIONS)
    assert database.execute("SELECT * FROM sqlite_master WHERE name = 'extra'").fetchall() == []


def test_several_may_open_a_new_journal_at_once(tmp_path: Path) -> None:
    begin = threading.Barrier(8)

    def open_new(place: Path) -> tuple[int, int]:
        with closing(sqlite3.connect(place, timeout=30, isolation_level=None)) as database:
            begin.wait()
            migrate(database)
            (mark,) = database.execute("PRAGMA application_id").fetchone()
            (version,) = database.execute("PRAGMA user_version").fetchone()
            return mark, version

    with ThreadPoolExecutor(8) as pool:
        for each in range(20):
            opened = list(pool.map(open_new, [tmp_path / f"{each}.sqlite"] * 8))
            assert opened == [(APPLICATION, len(MIGRATIONS))] * 8


def test_a_later_journal_is_refused(database: sqlite3.Connection) -> None:
    migrate(database, LATER)
    with pytest.raises(JournalTooNew, match="version 2, and this lab reads versions up to 1"):
        migrate(database)


def test_another_applications_file_is_refused(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA application_id = 7")
    with pytest.raises(ClassError, match="no journal of lab class"):
        migrate(database)
