"""The event loops that a submission runs: which they are, and whether they are free.

A free loop keeps the beat: while one runs, another coroutine on it would get its turn at each
beat, and the checks' side is told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

RUNNING: list[asyncio.AbstractEventLoop] = []
"""The loops that run at this moment."""

_run_forever = asyncio.BaseEventLoop.run_forever


def watch(beat: float | None, tell: Callable[[], None]) -> None:
    """Keep `RUNNING`, and call `tell` on each loop every `beat` seconds while it is free."""

    def run_forever(loop: asyncio.BaseEventLoop) -> None:
        def tick() -> None:
            nonlocal handle
            tell()
            handle = loop.call_later(beat or 0, tick)

        handle = loop.call_later(beat, tick) if beat else None
        RUNNING.append(loop)
        try:
            _run_forever(loop)
        finally:
            RUNNING.remove(loop)
            if handle is not None:
                handle.cancel()

    asyncio.BaseEventLoop.run_forever = run_forever  # type: ignore[method-assign]
