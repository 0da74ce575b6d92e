"""What was handed out: whether a task's folder is still as it was, and where its work is.

`checks/stubs.toml` holds a digest of each task's files. The tests hold it against `exercises`.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

_FILE = "stubs.toml"
_PLACEHOLDER = re.compile(rb"\bTODO\b|\braise NotImplementedError\b")
_MAX_FILES = 100
_MAX_BYTES = 2**20


def is_untouched(course: Path, task: str, folder: Path) -> bool:
    """Return whether a task's folder holds what was handed out, and no other file.

    Folders in it do not count: Python and editors make some.
    A course that says nothing of it has no untouched task.
    """
    try:
        digests = tomllib.loads((course / "checks" / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    return task in digests and digests[task] == digest(folder)


def digest(folder: Path) -> str:
    """Return the digest of the files in a folder, "" if they cannot be those of a stub."""
    try:
        files = _files(folder)
        if len(files) > _MAX_FILES or any(file.stat().st_size > _MAX_BYTES for file in files):
            return ""
        found = hashlib.sha256()
        for file in files:
            # Git may have given the lines the ends that the system is used to.
            content = file.read_bytes().replace(b"\r\n", b"\n")
            found.update(f"{file.name} {len(content)}\n".encode() + content)
    except OSError:
        return ""
    return found.hexdigest()


def placeholders(folder: Path) -> list[str]:
    """Return the names of the files in which something is still to be written."""
    return [file.name for file in _files(folder) if _PLACEHOLDER.search(file.read_bytes())]


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_file() and not each.is_symlink())
