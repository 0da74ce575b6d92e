"""A lock that all graders of a user on this machine share: real servers may want the same port.

A submission may serve on a port of its own choice, whatever it is told. Two such servers at once,
in two runs or in two workers of a class, would fail each other's checks. So real servers run side
by side, and where one may have lacked its port, it is started again while no other runs. A run in a
namespace has ports of its own, and needs no lock.

The lock is SQLite's, on a file: on every platform many hold it together or one holds it alone, who
waits to be alone lets nobody else in, and a process that ends gives it back.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_MOST_SECONDS = 150.0
"""How long to wait: twice what a server may take to start. Then it goes on as it is."""

_PART_SECONDS = 0.2
"""How long to wait at a time, so that Ctrl-C is heard."""

_TOGETHER = ("BEGIN", "SELECT count(*) FROM sqlite_master")
_ALONE = ("BEGIN EXCLUSIVE",)


def _default_file() -> Path:
    # Not where TMPDIR says: it may be another folder for each grader, as for a class's workers.
    folder = "/tmp" if os.name == "posix" else tempfile.gettempdir()
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    return Path(folder) / f"ml-api-lab-servers-{user}.lock"


class MachineLock:
    """Held together with others, or alone; safe to use from several threads.

    Args:
        file: what the graders have in common; by default, one file for a user.
        most_seconds: how long to wait for the others.
    """

    def __init__(self, file: Path | None = None, most_seconds: float = _MOST_SECONDS) -> None:
        self._file = _default_file() if file is None else file
        self._most_seconds = most_seconds

    @contextmanager
    def together(self, is_over: Callable[[], bool]) -> Iterator[None]:
        """Hold it beside others, once nobody has it or wants it alone; or go on once `is_over`."""
        with self._held(_TOGETHER, is_over):
            yield

    @contextmanager
    def alone(self, is_over: Callable[[], bool]) -> Iterator[None]:
        """Hold it alone, once all others have given it back; or go on once `is_over`."""
        with self._held(_ALONE, is_over):
            yield

    @contextmanager
    def _held(self, statements: tuple[str, ...], is_over: Callable[[], bool]) -> Iterator[None]:
        connection = self._acquired(statements, is_over)
        try:
            yield
        finally:
            if connection is not None:
                connection.close()

    def _acquired(
        self, statements: tuple[str, ...], is_over: Callable[[], bool]
    ) -> sqlite3.Connection | None:
        """Return what holds the lock, None if there is none to be had: no verdict fails by that."""
        give_up = time.monotonic() + self._most_seconds
        while not is_over() and time.monotonic() < give_up:
            connection = None
            try:
                connection = sqlite3.connect(
                    self._file, timeout=_PART_SECONDS, isolation_level=None
                )
                for statement in statements:
                    connection.execute(statement).fetchall()
                return connection
            except sqlite3.Error as error:
                if connection is not None:
                    connection.close()
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                    return None  # no room, or another's file
            except BaseException:
                if connection is not None:
                    connection.close()
                raise
        return None
