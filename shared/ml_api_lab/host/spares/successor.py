"""Who has taken the place of a program, as `os.exec*` would have it."""

from __future__ import annotations

import mmap
import struct

_NUMBER = struct.Struct("=I")


class Successor:
    """Which process has taken the place of one that the fork server has forked, if any has."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, mmap.PAGESIZE)  # shared with forks

    def note(self, pid: int) -> None:
        """Note the process that goes on when this one has ended."""
        self._shared[: _NUMBER.size] = _NUMBER.pack(pid)

    def take(self) -> int:
        """Return the process that was noted, 0 for none, and forget it."""
        (pid,) = _NUMBER.unpack(self._shared[: _NUMBER.size])
        self.note(0)
        return int(pid)
