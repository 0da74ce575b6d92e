"""The event loops that a submission runs: which they are, and whether they are free.

A free loop keeps the beat: while one runs, another coroutine on it would get its turn at each
beat, and the checks' side is told so.
"""

from __future__ import annotations

import asyncio
from _thread import get_ident
from collections.abc import Callable
from weakref import WeakKeyDictionary

from ml_api_lab.host import internals

RUNNING: list[asyncio.AbstractEventLoop] = []
"""The loops that run at this moment."""


def watch(beat_seconds: float | None, on_beat: Callable[[], None]) -> None:
    """Keep `RUNNING`, and call `on_beat` on each loop every so many seconds while it is free."""
    rounds: WeakKeyDictionary[asyncio.BaseEventLoop, int] = WeakKeyDictionary()
    running: dict[int, asyncio.BaseEventLoop | None] = {}

    def change(loop: asyncio.BaseEventLoop | None) -> None:
        before = running.get(get_ident())
        if loop is before:  # nest_asyncio runs a loop that runs already
            return
        running[get_ident()] = loop
        if before is not None:
            RUNNING.remove(before)
        if loop is not None:
            RUNNING.append(loop)
            begin(loop)

    def begin(loop: asyncio.BaseEventLoop) -> None:
        def beat() -> None:
            # A timer left behind by an ended run must not begin a second row of beats.
            if loop in RUNNING and number == rounds[loop]:
                on_beat()
                loop.call_later(beat_seconds or 0, beat)

        number = rounds[loop] = rounds.get(loop, 0) + 1
        if beat_seconds:
            loop.call_later(beat_seconds, beat)

    internals.watch_running_loop(change)
