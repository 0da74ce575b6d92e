"""The event loops that a submission runs: which they are, and whether they are free.

A free loop keeps the beat: while one runs, another coroutine on it would get its turn at each
beat, and the checks' side is told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from ml_api_lab.host import internals

RUNNING: list[asyncio.AbstractEventLoop] = []
"""The loops that run at this moment."""


def watch(beat_seconds: float | None, on_beat: Callable[[], None]) -> None:
    """Keep `RUNNING`, and call `on_beat` on each loop every so many seconds while it is free."""
    rounds: WeakKeyDictionary[asyncio.BaseEventLoop, int] = WeakKeyDictionary()

    def run(
        loop: asyncio.BaseEventLoop, run_forever: Callable[[asyncio.BaseEventLoop], None]
    ) -> None:
        def beat() -> None:
            # A timer left behind by an ended run must not begin a second row of beats.
            if loop in RUNNING and number == rounds[loop]:
                on_beat()
                loop.call_later(beat_seconds or 0, beat)

        number = rounds[loop] = rounds.get(loop, 0) + 1
        RUNNING.append(loop)
        if beat_seconds:
            loop.call_later(beat_seconds, beat)
        try:
            run_forever(loop)
        finally:
            RUNNING.remove(loop)

    internals.wrap_run_forever(run)
