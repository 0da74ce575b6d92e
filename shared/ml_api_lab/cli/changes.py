"""Changes to files: told by the system, and looked for once a second where it does not tell.

Under WSL, in containers and on network drives a file can change without an event. A few dozen files
are looked at in no time, so that is done everywhere, and nobody need know where it is needed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ml_api_lab.course.catalog import parse

_LOOK_MILLISECONDS = 1000
_QUIET_MILLISECONDS = 10
"""How long nothing more may change before a change is told: some editors write in several steps."""

Look = dict[str, tuple[int, int, int]]
"""The time, size and number of each file, by its path."""


def look(folders: Iterable[Path]) -> Look:
    """Look at all files in these folders, but for what Python and editors keep for themselves."""
    found: Look = {}
    for folder in folders:
        for entry in _files(folder):
            try:
                status = entry.stat()
            except OSError:  # gone at this moment
                continue
            found[entry.path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def _files(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(("__pycache__", ".venv", ".git", ".#", "4913")):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif not entry.name.endswith((".pyc", ".swp", ".swx", "~", ".pkl")):
            yield entry


class Changes:
    """Tells of changes, from a thread of its own, until it is closed.

    Args:
        folders: what is watched; those that are not there are left out.
        on_change: is told, in that thread, that something may have changed.
    """

    def __init__(self, folders: Iterable[Path], on_change: Callable[[], None]) -> None:
        self._folders = [folder for folder in folders if folder.is_dir()]
        self._on_change = on_change
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="changes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell of nothing more."""
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        import watchfiles  # late, and in this thread: the first grade does not wait for it

        # The system may have no room for one more watcher; looking is enough then.
        try:
            for _ in watchfiles.watch(
                *self._folders,
                step=_QUIET_MILLISECONDS,
                rust_timeout=_LOOK_MILLISECONDS,
                yield_on_timeout=True,
                stop_event=self._is_over,
                raise_interrupt=False,
            ):
                self._on_change()
        except (OSError, RuntimeError):
            while not self._is_over.wait(_LOOK_MILLISECONDS / 1000):
                self._on_change()


def first_syntax_error(files: Look) -> SyntaxError | None:
    """Return the first syntax error in these files, None if there is none."""
    for path in sorted(files):
        if path.endswith(".py"):
            try:
                with open(path, "rb") as file:
                    parse(file.read(), path)
            except SyntaxError as error:
                error.filename = path
                return error
            except (OSError, ValueError):
                continue  # a check says so
    return None
