"""What stands in the source files of a submission, before anything of it runs."""

from __future__ import annotations

import itertools
import mmap
import os
from pathlib import Path

from ml_api_lab.sandbox.files.plain_file import open_plain

_MAX_ENTRIES = 1_000
"""How many files are looked for: of more, at worst a process is the slower one."""


def contains(root: Path, name: str, word: bytes) -> bool:
    """Whether a file below a folder, of whatever size, has that word in it."""
    try:
        with open_plain(root, name) as file:
            if not os.fstat(file.fileno()).st_size:
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                return mapped.find(word) >= 0
    except (OSError, ValueError):
        return False


def a_module_contains(folder: Path, word: bytes) -> bool:
    """Whether a module beside `main.py`, or that itself, has that word in it."""
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in itertools.islice(entries, _MAX_ENTRIES)]
    except OSError:
        return False
    return any(contains(folder, name, word) for name in names if name.endswith(".py"))
