"""The private names of asyncio that the checks' loop depends on.

No other module of the sandbox uses one. `tests/host/test_internals.py` lists them, each with what
needs it, and fails by name where a release has moved one.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import Any


def schedule(loop: asyncio.BaseEventLoop, timer: asyncio.TimerHandle) -> None:
    """Put a timer among the loop's, as `call_at` does with one of asyncio's own class."""
    private_loop: Any = loop
    private_timer: Any = timer
    heapq.heappush(private_loop._scheduled, timer)
    private_timer._scheduled = True


def set_clock_resolution(loop: asyncio.BaseEventLoop, seconds: float) -> None:
    """Let the loop fire timers that are due within so many seconds, and no earlier."""
    private_loop: Any = loop
    private_loop._clock_resolution = seconds
