"""What a script did, and what scripts have done in a grading: no check runs one again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import NamedTuple

from ml_api_lab.lab_time import Span
from ml_api_lab.protocol.messages import Mode
from ml_api_lab.sandbox.files.state import State
from ml_api_lab.sandbox.transcript import Line

_MOST_WAIT_SECONDS = 1.0
"""How long to wait for a script that another check is running: it may never end."""


@dataclass(frozen=True)
class Run:
    """What a script did.

    Attributes:
        lines: what it printed, each line with the moment (`at`) when it did.
        elapsed: from start to end.
        status: its exit status.
        beats: the moments at which another coroutine got its turn (see `Task.run`).
        error: the exception that ended it, as text; None if none did.
    """

    lines: list[Line]
    elapsed: Span
    status: int
    beats: list[Span]
    error: str | None

    @property
    def output(self) -> str:
        return "\n".join(line.text for line in self.lines)


class Script(NamedTuple):
    """A script, and all that decides what it does in lab time.

    Attributes:
        original: the folder that it is a copy from.
        state: what it finds where it works.
        mode: whether it is run or imported.
        environment: what it has in its environment, besides what all have.
        began: the moment at which it begins.
    """

    original: str
    state: State
    mode: Mode
    file: str
    environment: tuple[tuple[str, str], ...]
    began: Span
    beat: Span | None


class KnownRuns:
    """What scripts have done in a grading.

    Many checks of a task run the same script, and each looks at something else that it did. The
    second of them finds it here. Known is what ended without an error and left all files as they
    were.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[Script, Run] = {}
        self._at_work: dict[Script, threading.Event] = {}

    def find(self, script: Script) -> Run | None:
        """Return what a script did; None if the caller is to run it, and to call `end` then.

        Where another check is running it, wait for that, but not for long.
        """
        with self._lock:
            at_work = self._at_work.get(script)
            if at_work is None and script not in self._runs:
                self._at_work[script] = threading.Event()
                return None
        if at_work is not None:
            at_work.wait(_MOST_WAIT_SECONDS)
        known = self._runs.get(script)
        return known and replace(known, lines=list(known.lines), beats=list(known.beats))

    def end(self, script: Script, run: Run | None) -> None:
        """Note that a script has ended.

        Args:
            run: what it did, None if that is not to be known.
        """
        with self._lock:
            if run is not None:
                self._runs[script] = replace(run, lines=list(run.lines), beats=list(run.beats))
            if (at_work := self._at_work.pop(script, None)) is not None:
                at_work.set()
