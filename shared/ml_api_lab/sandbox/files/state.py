"""All that a program finds where it works, and may change: to know whether it is the same again."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from ml_api_lab.sandbox.files.plain_file import entries_below, open_plain

_MOST_ENTRIES = 20_000
_PIECE_BYTES = 2**20


class Entry(NamedTuple):
    """A file, a folder or a link: its path, its kind and rights, its size, where it leads."""

    name: str
    mode: int
    size: int
    target: str


class State(NamedTuple):
    """What is in a folder, and a digest of what is in its files. When they changed is no part."""

    entries: tuple[Entry, ...]
    digest: bytes


def state_of(folder: Path, ours: str) -> State:
    """Return what is in a folder at this moment; follow no link.

    Args:
        ours: how the names begin of what lies there and is left out.

    Raises:
        OSError: there is too much, or a file that cannot be read.
    """
    entries = _entries(folder, ours)
    return State(entries, _digest(folder, entries))


def is_unchanged(folder: Path, ours: str, before: State) -> bool:
    """Whether all in a folder is as it was; files are read only if it looks so.

    Raises:
        OSError: there is too much, or a file that cannot be read.
    """
    entries = _entries(folder, ours)
    return entries == before.entries and _digest(folder, entries) == before.digest


def _entries(folder: Path, ours: str) -> tuple[Entry, ...]:
    found = []
    for name, entry in entries_below(folder, _MOST_ENTRIES):
        if name.startswith(ours):
            continue
        status = entry.stat(follow_symlinks=False)
        is_file, is_link = stat.S_ISREG(status.st_mode), stat.S_ISLNK(status.st_mode)
        size = status.st_size if is_file else 0
        target = os.readlink(entry.path) if is_link else ""
        found.append(Entry(name, status.st_mode, size, target))
    return tuple(sorted(found))


def _digest(folder: Path, entries: tuple[Entry, ...]) -> bytes:
    digest = hashlib.blake2b()
    for entry in entries:
        if stat.S_ISREG(entry.mode):
            with open_plain(folder, entry.name) as content:
                while piece := content.read(_PIECE_BYTES):
                    digest.update(piece)
    return digest.digest()
