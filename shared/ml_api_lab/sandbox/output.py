"""What a process prints: a file that grows, and its lines in the transcript."""

from __future__ import annotations

import os
from pathlib import Path

from ml_api_lab.lab_time import Span
from ml_api_lab.sandbox.transcript import Transcript

OUTPUT_LIMIT_BYTES = 32 * 1024 * 1024
"""What a submission may print in one check."""

_KEPT_BYTES = 1024 * 1024
_KEPT_LINES = 2_000
_LINE_BYTES = 10_000


class Output:
    """The file into which a process prints; the process opens it for itself, to append.

    Args:
        path: where it lies; it is made.
        transcript: where the lines are recorded, up to a megabyte and 2,000 of them: each process
            has its own limit, so that none can crowd out what a later one prints.
    """

    def __init__(self, path: Path, transcript: Transcript) -> None:
        self._file = path.open("ab+")
        self._transcript = transcript
        self._recorded = 0
        self._unread = 0
        self._partial = b""
        self._lines_left = _KEPT_LINES

    @property
    def size(self) -> int:
        """How many bytes have been printed so far."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def text(self) -> str:
        """What has been printed so far, up to a megabyte."""
        self._file.seek(0)
        return _decode(self._file.read(_KEPT_BYTES))

    @property
    def is_closed(self) -> bool:
        return self._file.closed

    def record(self, now: Span) -> None:
        """Record the lines that were printed since the last time, at this moment."""
        if self._recorded >= _KEPT_BYTES:
            unread = self.size - self._recorded
            self._transcript.unread += unread - self._unread
            self._unread = unread
            return
        there = min(self.size, _KEPT_BYTES) - self._recorded
        if there <= 0:
            return
        self._file.seek(self._recorded)
        data = self._file.read(there)
        self._recorded += len(data)
        *lines, self._partial = (self._partial + data).split(b"\n")
        kept = lines[: self._lines_left]
        self._lines_left -= len(kept)
        for line in kept:
            self._record(now, line)
        # Counted, and not looked at: a megabyte may be half a million lines.
        self._transcript.dropped += len(lines) - len(kept)

    def close(self, now: Span) -> None:
        """Record the rest, also a line that was not ended."""
        self.record(now)
        if self._partial:
            self._record(now, self._partial)
        self._file.close()

    def _record(self, now: Span, line: bytes) -> None:
        self._transcript.unread += max(0, len(line) - _LINE_BYTES)
        self._transcript.printed(now, _decode(line[:_LINE_BYTES].rstrip(b"\r")))


def _decode(data: bytes) -> str:
    return data.decode("utf-8", errors="backslashreplace")
