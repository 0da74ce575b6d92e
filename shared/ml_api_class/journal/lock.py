"""The lock of a run's folder: one process grades into it at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ml_api_class.errors import RunInUse

FILE = "lock.sqlite"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have the folder for this process alone; the system unlocks it when the process ends.

    Raises:
        RunInUse: another process has it.
    """
    with closing(sqlite3.connect(folder / FILE, timeout=0, isolation_level=None)) as database:
        try:
            database.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise RunInUse(
                f"Another process grades into {folder} ({error}); wait for its end, or name "
                "another folder with --out."
            ) from error
        yield
