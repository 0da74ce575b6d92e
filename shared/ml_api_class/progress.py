"""How far a run is, on one line of a terminal, with an estimate of what is left."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from ml_api_class.supervisor import Totals

_BAR = 20
_REDRAW_SECONDS = 0.5
_LINE_SECONDS = 60.0
_MIN_DONE = 3
"""How many must be done before the rest is estimated: the first ones grade what all share."""


class Bar:
    """Shows totals: a bar in a terminal, a line a minute elsewhere.

    Args:
        at_work: what each worker is at, in a few words.
        clock: tells the time, in seconds.
    """

    def __init__(
        self,
        at_work: Callable[[], list[str]],
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_work = at_work
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._began = clock()
        self._last = self._began - _REDRAW_SECONDS
        self._is_terminal = self._stream.isatty()

    def show(self, totals: Totals) -> None:
        """Draw it, if it was not drawn just before."""
        now = self._clock()
        if now - self._last < (_REDRAW_SECONDS if self._is_terminal else _LINE_SECONDS):
            return
        self._last = now
        text = line(totals, now - self._began, self._at_work())
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:columns]:<{columns}}", end="", file=self._stream, flush=True)
        else:
            print(text, file=self._stream, flush=True)

    def clear(self) -> None:
        """Remove it."""
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns - 1
            print(f"\r{'':<{columns}}\r", end="", file=self._stream, flush=True)


def line(totals: Totals, seconds: float, at_work: list[str]) -> str:
    """Return the line.

    Args:
        seconds: how long this run has taken so far.
    """
    filled = _BAR * totals.done // totals.number if totals.number else _BAR
    told = [f"[{'#' * filled}{'.' * (_BAR - filled)}] {totals.done} of {totals.number}"]
    if totals.not_graded:
        told.append(f"{totals.not_graded} not graded")
    new, left = totals.done - totals.earlier, totals.number - totals.done
    if new >= _MIN_DONE and left:
        told.append(f"about {duration(seconds / new * left)} left")
    return ", ".join(told) + (f"  {' | '.join(at_work)}" if at_work else "")


def duration(seconds: float) -> str:
    """Return a length of time as somebody says it."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
