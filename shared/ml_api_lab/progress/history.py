"""The history: a line for each grade of a task, in a small SQLite file.

There is no write-ahead log, which network drives do not bear. A history that cannot be read or
written is an empty one: nothing that grades depends on it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from ml_api_lab.progress import folder as lab

_WAIT_SECONDS = 2.0
"""How long to wait for another lab that is writing."""


@dataclass(frozen=True, kw_only=True)
class Graded:
    """One grade of one task.

    Attributes:
        at: when, in seconds since 1970.
        state: the digest of what was graded, "" if it was not kept.
        failed: the id of the first check that failed, "" if none did; `hint`: its card's hint.
        program: "pytest" or "lab".
    """

    at: float
    task: str
    points: int
    maximum: int
    seconds: float
    seed: int
    state: str
    failed: str
    hint: str
    program: str


@dataclass(frozen=True)
class Standing:
    """Where a student stands with a task: the best points, the last, and when that was."""

    best: int
    last: int
    at: float
    times: int


_COLUMNS = ", ".join(each.name for each in fields(Graded))
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS graded (id INTEGER PRIMARY KEY, {_COLUMNS});
CREATE TABLE IF NOT EXISTS hints (task TEXT PRIMARY KEY, shown INTEGER);
"""


class History:
    """The history of a course.

    Args:
        folder: its `.lab`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "history.sqlite3"

    def add(self, rows: Sequence[Graded]) -> None:
        """Write lines, all or none.

        Raises:
            OSError: nothing may be written, or the file is damaged.
        """
        places = ", ".join("?" * len(fields(Graded)))
        with self._writing() as database:
            database.executemany(
                f"INSERT INTO graded ({_COLUMNS}) VALUES ({places})", map(astuple, rows)
            )

    def rows(self, task: str | None = None, limit: int = -1) -> list[Graded]:
        """Return the lines, the last one first; of one task, if it is given."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM graded WHERE task = ? OR ? IS NULL "
            "ORDER BY at DESC, id DESC LIMIT ?",
            (task, task, limit),
        )
        names = [each.name for each in fields(Graded)]
        return [Graded(**dict(zip(names, row, strict=True))) for row in rows]

    def standings(self) -> dict[str, Standing]:
        """Return where a student stands with each task that was ever graded."""
        # In SQLite the other columns of a row with max() are those of the row that has it.
        rows = self._read(
            "SELECT task, (SELECT max(points) FROM graded g WHERE g.task = graded.task), points, "
            "max(at), count(*) FROM graded GROUP BY task",
            (),
        )
        return {task: Standing(best, last, at, times) for task, best, last, at, times in rows}

    def hints_shown(self, task: str) -> int:
        """Return how many hints of a task have been shown."""
        rows = self._read("SELECT shown FROM hints WHERE task = ?", (task,))
        return int(rows[0][0]) if rows else 0

    def remember_hints(self, task: str, shown: int) -> None:
        """Write how many hints of a task have been shown.

        Raises:
            OSError: nothing may be written, or the file is damaged.
        """
        with self._writing() as database:
            database.execute("INSERT OR REPLACE INTO hints VALUES (?, ?)", (task, shown))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        lab.make(self._folder)
        self._file.touch(mode=0o600)
        try:
            with closing(sqlite3.connect(self._file, timeout=_WAIT_SECONDS)) as database:
                database.executescript(_SCHEMA)
                with database:
                    yield database
        except sqlite3.Error as error:
            raise OSError(f"{self._file} cannot be written: {error}") from error

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        if not self._file.is_file():
            return []
        try:
            with closing(sqlite3.connect(self._file, timeout=_WAIT_SECONDS)) as database:
                return database.execute(query, values).fetchall()
        except sqlite3.Error:
            return []
