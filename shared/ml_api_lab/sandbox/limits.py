"""What a submission may use before it is ended: time, and what it prints, sends and writes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ml_api_lab.protocol.link import Link
from ml_api_lab.sandbox.clock import Clock
from ml_api_lab.sandbox.exchanges import ANSWERS_LIMIT_BYTES
from ml_api_lab.sandbox.output import OUTPUT_LIMIT_BYTES, Output

WRITTEN_LIMIT_BYTES = 512 * 2**20
"""What a submission's files may come to, those that it was given among them."""

WRITTEN_LIMIT_FILES = 20_000
"""How many files and folders there may be."""


def has_timed_out(clock: Clock) -> bool:
    """Whether a check's budget of real time is used up.

    The clock of a check says when that is, and when lab time itself has gone on for too long.
    """
    return time.monotonic() >= clock.budget_end


class Limits:
    """The limits of one submission; asked often, so that asking costs next to nothing.

    Args:
        output: what it prints.
        workspace: where it writes.
        link: what it sends, if there is one.
    """

    def __init__(self, output: Output, workspace: Path, link: Link | None = None) -> None:
        self._output = output
        self._link = link
        self._workspace = workspace
        self._free = _free(workspace)

    def excess(self) -> str | None:
        """Return what it did beyond a limit, to go on with behind its name; None if nothing."""
        for what, size, limit in (
            ("printed", self._output.size, OUTPUT_LIMIT_BYTES),
            ("sent", self._link.received if self._link else 0, ANSWERS_LIMIT_BYTES),
        ):
            if size > limit:
                return f"{what} more than {limit // 2**20} MB, and was ended for it"
        if (much := self._written()) is not None:
            return f"wrote more than {much}, and was ended for it"
        return None

    def _written(self) -> str | None:
        """Return the limit that its files are over, None if they are over none.

        The whole file system is asked first, by a single call: only if that has lost as much, it
        takes a look at the files, to see whose they are.
        """
        (blocks, files), (blocks_before, files_before) = _free(self._workspace), self._free
        if (
            blocks_before - blocks < WRITTEN_LIMIT_BYTES // 2
            and files_before - files < WRITTEN_LIMIT_FILES // 2
        ):
            return None
        size, number = _size(self._workspace)
        if size > WRITTEN_LIMIT_BYTES:
            return f"{WRITTEN_LIMIT_BYTES // 2**20} MB"
        return f"{WRITTEN_LIMIT_FILES} files" if number > WRITTEN_LIMIT_FILES else None


def _free(folder: Path) -> tuple[int, int]:
    """Return how many bytes and how many files there is room for; zeros if that is not known."""
    if not hasattr(os, "statvfs"):
        return 0, 0
    try:
        found = os.statvfs(folder)
    except OSError:  # it is gone
        return 0, 0
    return found.f_bavail * found.f_frsize, found.f_favail


def _size(folder: Path) -> tuple[int, int]:
    """Return what is in a folder, in bytes and in number, no further than the limits; no link."""
    size = number = 0
    waiting = [str(folder)]
    while waiting and size <= WRITTEN_LIMIT_BYTES:
        try:
            entries = os.scandir(waiting.pop())
        except OSError:  # gone, or closed to everybody
            continue
        with entries:
            for entry in entries:
                number += 1
                if number > WRITTEN_LIMIT_FILES:
                    return size, number
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    continue
                try:
                    # Blocks, for a file with holes is larger than what it takes.
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                except OSError:
                    continue
    return size, number
