"""What is in a submission's folder, as a key: for what several checks see, and one looks at."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_api_lab.check import Task

Contents = tuple[tuple[str, bytes], ...]
"""The name of each file, and a digest of what is in it."""

_PIECE_BYTES = 2**20


def contents_of(task: Task) -> Contents:
    """Return what is in the folder at this moment."""
    return tuple((name, _digest(task, name)) for name in task.files.names())


def _digest(task: Task, name: str) -> bytes:
    digest = hashlib.blake2b()
    with task.files.open(name) as content:
        while piece := content.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.digest()
