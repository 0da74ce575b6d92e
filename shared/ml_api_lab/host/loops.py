"""The event loops that a submission runs: which they are, and whether they are free.

A free loop keeps the beat: while one runs, another coroutine on it would get its turn at each
beat, and the checks' side is told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

RUNNING: list[asyncio.AbstractEventLoop] = []
"""The loops that run at this moment."""

_run_forever = asyncio.BaseEventLoop.run_forever


def watch(beat: float | None, tell: Callable[[], None]) -> None:
    """Keep `RUNNING`, and call `tell` on each loop every `beat` seconds while it is free."""

    def run_forever(self: asyncio.BaseEventLoop) -> None:
        def tick() -> None:
            # A timer left behind by an ended run must not begin a second row of beats.
            if self in RUNNING and number == rounds[self]:
                tell()
                self.call_later(beat or 0, tick)

        number = rounds[self] = rounds.get(self, 0) + 1
        RUNNING.append(self)
        if beat:
            self.call_later(beat, tick)
        try:
            _run_forever(self)
        finally:
            RUNNING.remove(self)

    rounds: WeakKeyDictionary[asyncio.BaseEventLoop, int] = WeakKeyDictionary()
    asyncio.BaseEventLoop.run_forever = run_forever  # type: ignore[method-assign]
